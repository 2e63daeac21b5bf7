//! Rows one below the other, a line a column: for few wide rows.

use std::io::Write;

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::Schema;
use arrow::util::display::ArrayFormatter;
use unicode_width::UnicodeWidthStr;

use super::{BatchWriter, is_json, text};
use crate::grid::one_line;
use crate::number::NONE;
use crate::{ReportError, Tone};

struct ExpandedWriter<'a> {
    names: Vec<String>,
    rows: usize,
    out: Box<dyn Write + Send + 'a>,
}

/// A writer of rows one below the other, whole values, a line a column.
pub fn expanded_writer<'a>(schema: &Schema, out: Box<dyn Write + Send + 'a>) -> Box<dyn BatchWriter + 'a> {
    let names = schema.fields().iter().map(|field| one_line(field.name().clone())).collect();
    Box::new(ExpandedWriter { names, rows: 0, out })
}

impl BatchWriter for ExpandedWriter<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), ReportError> {
        let options = text::options();
        let columns = batch.columns().iter();
        let formatters =
            columns.map(|column| ArrayFormatter::try_new(column.as_ref(), &options)).collect::<Result<Vec<_>, _>>()?;
        let width = self.names.iter().map(|name| name.width()).max().unwrap_or(0);
        let holds_json: Vec<bool> = batch.schema_ref().fields().iter().map(|field| is_json(field)).collect();
        for row in 0..batch.num_rows() {
            self.rows += 1;
            let heading = format!("── row {} ──", self.rows);
            writeln!(self.out, "{}", Tone::Quiet.paint(&heading))?;
            for (index, (name, formatter)) in self.names.iter().zip(&formatters).enumerate() {
                let text = || formatter.value(row).to_string();
                let value = match (batch.column(index).is_null(row), holds_json[index]) {
                    (true, _) => NONE.to_string(),
                    (false, true) => text::unquoted(text()),
                    (false, false) => text(),
                };
                let padding = " ".repeat(width - name.width() + 2);
                let indent = " ".repeat(width + 2);
                write!(self.out, "{}{padding}", Tone::Strong.paint(name))?;
                write_lines(&mut self.out, &value, &indent)?;
            }
        }
        Ok(self.out.flush()?)
    }

    fn finish(&mut self) -> Result<(), ReportError> {
        Ok(self.out.flush()?)
    }
}

/// Writes a value whose lines after the first are indented.
fn write_lines(out: &mut dyn Write, value: &str, indent: &str) -> Result<(), ReportError> {
    for (number, line) in value.split('\n').enumerate() {
        let line = one_line(line.trim_end_matches('\r').to_string());
        match number {
            0 => writeln!(out, "{line}")?,
            _ => writeln!(out, "{indent}{line}")?,
        }
    }
    Ok(())
}
