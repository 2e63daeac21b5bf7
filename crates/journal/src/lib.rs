//! A write-ahead log of rows: group commit, recovery, and the rules by which rows of one id merge.
//!
//! - [`split_request`] and [`split_events`] check a request and make [`Incoming`] rows of it.
//! - [`Journal`] puts them on disk before it answers, gives them back in order, and forgets them when told.
//! - [`apply`] folds the rows of one id, oldest first, into the row they stand for.
//!
//! ```no_run
//! # async fn example(body: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
//! use std::collections::HashMap;
//! use evalhouse_journal::{Controls, Journal, JournalOptions, Limits, Row, Selection, apply, split_request};
//!
//! let (journal, _recovered) = Journal::open("./.evalhouse/wal", JournalOptions::default())?;
//! journal.append(split_request(body, &Limits::default())?).await?;
//!
//! for (object, stats) in journal.objects() {
//!     let mut rows: HashMap<String, Option<Row>> = HashMap::new();
//!     for logged in journal.rows(&object, Selection::All, Some(stats.last_xact)) {
//!         let logged = logged?;
//!         let update = Row::parse(&logged.json)?;
//!         let controls = Controls::of(&update)?;
//!         let stored = rows.remove(&logged.id).flatten();
//!         let row = apply(stored, update, &controls, |parent| rows.get(parent).cloned().flatten());
//!         rows.insert(logged.id, row);
//!     }
//!     // … the rows are committed to the table, and then:
//!     journal.release(&object, stats.last_xact)?;
//! }
//! # Ok(())
//! # }
//! ```

mod body;
mod controls;
mod error;
mod fault;
mod incoming;
mod index;
mod journal;
mod merge;
mod object;
mod paths;
mod record;
mod row;
mod rows;
mod segment;
#[cfg(test)]
mod tests;
mod text;
mod writer;
mod xact;

pub use controls::{ArrayDelete, Controls};
pub use error::JournalError;
pub use fault::{FaultReason, RowFault};
pub use incoming::{Incoming, Limits, read_rows, split_events, split_request};
pub use index::Stats;
pub use journal::{Journal, JournalOptions, Receipt, Recovered};
pub use merge::apply;
pub use object::{ObjectKind, ObjectRef};
pub use row::Row;
pub use rows::{LoggedRow, Rows, Selection};
pub use xact::{InvalidXact, XactClock, format_xact, parse_xact};
