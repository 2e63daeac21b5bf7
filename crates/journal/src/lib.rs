//! Rows on disk before they are answered: a write-ahead log, and the rules by which rows merge.
//!
//! - [`split`] cuts the body of a write request into rows and says what is wrong with it.
//! - [`Journal`] writes the rows of a request with one checksum, syncs many requests with one call,
//!   and gives the rows of an object back until they are released.
//! - [`apply`] is what a row does to the stored row with its id.
//! - [`xact`] makes transaction ids that only grow.
//!
//! Rows are JSON text all the way: numbers of any size, floats and the order of keys come back as they
//! were sent. Nothing here knows tables or HTTP.

mod error;
mod journal;
mod merge;
mod row;
mod segment;
mod split;
mod writer;
pub mod xact;

#[cfg(test)]
mod tests;

pub use error::{JournalError, RowFault};
pub use journal::{Journal, JournalOptions, Logged, Receipt, Recovered, Selection, Stats};
pub use merge::{Outcome, apply};
pub use row::{ArrayDelete, Controls, Row};
pub use split::{Incoming, ObjectKind, ObjectRef, SplitOptions, incoming, split};
