//! Rows as CSV (RFC 4180, line feeds). Null is nothing, empty text is `""`; nested values are JSON,
//! JSON strings their content.

use std::fmt::Write as _;
use std::io::Write;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::datatypes::{FieldRef, Schema};
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::text::unquoted;
use super::{BatchWriter, is_json, json};
use crate::ReportError;

pub(super) struct CsvWriter<'a> {
    names: Vec<String>,
    has_header: bool,
    spreadsheet_safe: bool,
    out: Box<dyn Write + Send + 'a>,
}

impl<'a> CsvWriter<'a> {
    pub(super) fn new(schema: &Schema, spreadsheet_safe: bool, out: Box<dyn Write + Send + 'a>) -> Self {
        let names = schema.fields().iter().map(|field| field.name().clone()).collect();
        Self { names, has_header: false, spreadsheet_safe, out }
    }

    fn write_header_once(&mut self) -> Result<(), ReportError> {
        if self.has_header {
            return Ok(());
        }
        self.has_header = true;
        let mut line = String::new();
        for (index, name) in self.names.iter().enumerate() {
            push_separator(index, &mut line);
            push_text(name, self.spreadsheet_safe, &mut line);
        }
        line.push('\n');
        Ok(self.out.write_all(line.as_bytes())?)
    }
}

impl BatchWriter for CsvWriter<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), ReportError> {
        self.write_header_once()?;
        let schema = batch.schema_ref();
        let options = FormatOptions::default();
        let columns = schema.fields().iter().zip(batch.columns());
        let values = columns.map(|(field, array)| Values::of(field, array, &options)).collect::<Result<Vec<_>, _>>()?;
        let mut lines = String::new();
        for row in 0..batch.num_rows() {
            for (index, values) in values.iter().enumerate() {
                push_separator(index, &mut lines);
                values.push(row, self.spreadsheet_safe, &mut lines);
            }
            lines.push('\n');
        }
        self.out.write_all(lines.as_bytes())?;
        Ok(self.out.flush()?)
    }

    fn finish(&mut self) -> Result<(), ReportError> {
        self.write_header_once()?;
        Ok(self.out.flush()?)
    }
}

/// The values of one column of one batch.
enum Values<'a> {
    /// Text of any length, which may need quotes.
    Text(&'a ArrayRef, ArrayFormatter<'a>),
    /// Numbers, truth values and times, which need none.
    Bare(&'a ArrayRef, ArrayFormatter<'a>),
    /// JSON values in text: a string is its content.
    Json(&'a ArrayRef, ArrayFormatter<'a>),
    /// JSON text of values that are no text.
    Nested(Vec<Option<String>>),
}

impl<'a> Values<'a> {
    fn of(field: &FieldRef, array: &'a ArrayRef, options: &FormatOptions<'a>) -> Result<Self, ReportError> {
        if array.data_type().is_nested() {
            return Ok(Self::Nested(json::column_as_json(field, array)?));
        }
        let formatter = ArrayFormatter::try_new(array.as_ref(), options)?;
        if is_json(field) {
            return Ok(Self::Json(array, formatter));
        }
        let is_bare = array.data_type().is_numeric() || array.data_type().is_temporal();
        Ok(if is_bare { Self::Bare(array, formatter) } else { Self::Text(array, formatter) })
    }

    fn push(&self, row: usize, spreadsheet_safe: bool, out: &mut String) {
        match self {
            Self::Text(array, _) | Self::Bare(array, _) | Self::Json(array, _) if array.is_null(row) => {}
            Self::Text(_, formatter) => push_text(&formatter.value(row).to_string(), spreadsheet_safe, out),
            Self::Json(_, formatter) => {
                push_text(&unquoted(formatter.value(row).to_string()), spreadsheet_safe, out);
            }
            Self::Bare(_, formatter) => {
                // Writing into a string cannot fail.
                let _ = write!(out, "{}", formatter.value(row));
            }
            Self::Nested(values) => {
                if let Some(value) = &values[row] {
                    push_text(value, spreadsheet_safe, out);
                }
            }
        }
    }
}

fn push_separator(index: usize, out: &mut String) {
    if index > 0 {
        out.push(',');
    }
}

fn push_text(text: &str, spreadsheet_safe: bool, out: &mut String) {
    let is_formula = spreadsheet_safe && text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let needs_quotes = text.is_empty() || text.contains([',', '"', '\n', '\r']);
    if needs_quotes {
        out.push('"');
    }
    if is_formula {
        out.push('\'');
    }
    if needs_quotes {
        out.push_str(&text.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(text);
    }
}
