//! Rows as an aligned table. The first rows decide the widths; the rest follow them.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;

use super::{BatchWriter, text};
use crate::layout::Layout;
use crate::{Cell, Column, ReportError};

/// Rows that are held back to measure the columns.
const MEASURED_ROWS: usize = 1_000;

pub(super) struct TableWriter<'a> {
    columns: Vec<Column>,
    width: Option<usize>,
    /// Rows not yet written; empty once the layout is known.
    waiting: Vec<Vec<Cell>>,
    layout: Option<Layout>,
    out: Box<dyn Write + Send + 'a>,
}

impl<'a> TableWriter<'a> {
    pub(super) fn new(schema: &Schema, width: Option<usize>, out: Box<dyn Write + Send + 'a>) -> Self {
        Self { columns: text::columns(schema), width, waiting: Vec::new(), layout: None, out }
    }

    /// Fixes the widths and writes the heading and the rows held back.
    fn start(&mut self) -> Result<Layout, ReportError> {
        let layout = Layout::fit(&self.columns, &self.waiting, self.width);
        let mut lines = String::new();
        layout.push_header(&self.columns, &mut lines);
        layout.push_rows(&self.columns, &self.waiting, &mut lines);
        self.out.write_all(lines.as_bytes())?;
        self.waiting = Vec::new();
        Ok(layout)
    }
}

impl BatchWriter for TableWriter<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), ReportError> {
        let rows = text::short_rows(batch)?;
        if let Some(layout) = &self.layout {
            let mut lines = String::new();
            layout.push_rows(&self.columns, &rows, &mut lines);
            self.out.write_all(lines.as_bytes())?;
            return Ok(self.out.flush()?);
        }
        self.waiting.extend(rows);
        if self.waiting.len() >= MEASURED_ROWS {
            self.layout = Some(self.start()?);
            self.out.flush()?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), ReportError> {
        let layout = match self.layout.take() {
            Some(layout) => layout,
            None => self.start()?,
        };
        let mut lines = String::new();
        layout.push_hidden(&self.columns, &mut lines);
        self.out.write_all(lines.as_bytes())?;
        Ok(self.out.flush()?)
    }
}
