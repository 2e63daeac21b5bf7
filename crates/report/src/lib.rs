//! How answers and query results are written.
//!
//! - [`Format`] is the one list of output formats.
//! - An [`Answer`] (every answer struct of `evalhouse-model` is one) is written by [`write_answer`]:
//!   as text or markdown through its [`Document`], as JSON by its own serialisation, and in the row
//!   formats through its [`Record`]s.
//! - Record batches of a query are written one at a time by a [`BatchWriter`], in bounded memory.
//! - [`number`] decides how a number looks, everywhere.
//!
//! Everything goes to a [`std::io::Write`] that the caller names: nothing here prints, and nothing
//! here asks whether there is a terminal. Text carries ANSI colours where colour means something,
//! never alone; the caller strips them where they do not belong.
//!
//! ```
//! use evalhouse_model::{ExperimentList, ExperimentRow};
//! use evalhouse_report::{Format, View, write_answer};
//!
//! let row = ExperimentRow { experiment: "prompt-v2".into(), rows: 1200, ..ExperimentRow::default() };
//! let list = ExperimentList { experiments: vec![row] };
//! let mut out = Vec::new();
//! write_answer(&list, Format::Table, &View::default(), &mut out)?;
//! assert!(String::from_utf8_lossy(&out).contains("1,200"));
//! # Ok::<(), evalhouse_report::ReportError>(())
//! ```

mod answer;
mod answers;
mod batches;
mod document;
mod error;
mod format;
mod grid;
mod layout;
pub mod number;
mod record;
mod tone;

pub use answer::{Answer, View, write_answer};
pub use answers::DiffWithCases;
pub use batches::{BatchOptions, BatchWriter, batch_writer, expanded_writer, json_rows};
pub use document::{Block, Document, Line};
pub use error::ReportError;
pub use format::Format;
pub use grid::{Cell, Column, Grid, Overflow};
pub use record::{Datum, Record, record_batch};
pub use tone::Tone;
