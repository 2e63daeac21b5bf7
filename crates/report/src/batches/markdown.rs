//! Rows as a markdown table, uncut.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;

use super::{BatchWriter, text};
use crate::ReportError;
use crate::grid::{Column, push_markdown_header, push_markdown_row};

pub(super) struct MarkdownWriter<'a> {
    columns: Vec<Column>,
    has_header: bool,
    out: Box<dyn Write + Send + 'a>,
}

impl<'a> MarkdownWriter<'a> {
    pub(super) fn new(schema: &Schema, out: Box<dyn Write + Send + 'a>) -> Self {
        Self { columns: text::columns(schema), has_header: false, out }
    }

    fn write_header_once(&mut self) -> Result<(), ReportError> {
        if !self.has_header {
            let mut lines = String::new();
            push_markdown_header(&self.columns, &mut lines);
            self.out.write_all(lines.as_bytes())?;
            self.has_header = true;
        }
        Ok(())
    }
}

impl BatchWriter for MarkdownWriter<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), ReportError> {
        self.write_header_once()?;
        let mut lines = String::new();
        for row in text::whole_rows(batch)? {
            push_markdown_row(row.iter().map(|cell| cell.text.as_str()), &mut lines);
        }
        self.out.write_all(lines.as_bytes())?;
        Ok(self.out.flush()?)
    }

    fn finish(&mut self) -> Result<(), ReportError> {
        self.write_header_once()?;
        Ok(self.out.flush()?)
    }
}
