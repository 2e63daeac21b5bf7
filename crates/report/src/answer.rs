//! An answer in any format.

use std::io::Write;

use serde::Serialize;

use crate::batches::{BatchOptions, batch_writer};
use crate::record::record_batch;
use crate::{Document, Format, Record, ReportError};

/// What people asked for, which can be laid out for reading and taken apart into rows.
///
/// Its JSON is its own serialisation.
pub trait Answer: Serialize {
    /// The answer laid out for reading.
    fn document(&self, view: &View) -> Document;

    /// The answer as flat rows.
    fn records(&self) -> Vec<Record>;
}

/// How much of an answer is shown, and for whom.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct View {
    /// Columns of the terminal, where text is laid out for one.
    pub width: Option<usize>,
    /// Shows what is left out otherwise: metrics that did not change, whole values.
    pub all: bool,
    /// Puts `'` before CSV text that a spreadsheet would run as a formula.
    pub spreadsheet_safe: bool,
}

/// Writes an answer in a format.
pub fn write_answer<A: Answer + ?Sized>(
    answer: &A,
    format: Format,
    view: &View,
    out: &mut (dyn Write + Send),
) -> Result<(), ReportError> {
    match format {
        Format::Table => out.write_all(answer.document(view).to_text(view.width).as_bytes())?,
        Format::Markdown => out.write_all(answer.document(view).to_markdown().as_bytes())?,
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, answer)?;
            out.write_all(b"\n")?;
        }
        Format::Jsonl | Format::Csv | Format::Parquet | Format::Arrow => {
            let batch = record_batch(&answer.records())?;
            let options = BatchOptions { width: view.width, spreadsheet_safe: view.spreadsheet_safe };
            let mut writer = batch_writer(format, batch.schema_ref(), options, Box::new(&mut *out))?;
            writer.write(&batch)?;
            writer.finish()?;
        }
    }
    Ok(out.flush()?)
}
