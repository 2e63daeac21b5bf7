//! Rows that are logged while they are read: on disk before they are answered, in the table when it
//! matters.
//!
//! - [`Live::log`] checks rows, writes them to the journal and answers when they are on disk.
//! - [`Live::settle`] puts what is logged of an object into the store. It runs before the object is
//!   read, so that a read sees every answered write; when the object rests; and when it grows large.
//! - [`Live::keep`] is the task that does the latter two.
//!
//! The journal is the truth until the store has the rows, and the store's record of an object says
//! up to which transaction it has them. A crash between the two leaves rows in both: they are known by
//! their transaction and applied once.

mod live;
mod objects;
mod row;
mod settle;

pub use evalhouse_journal::JournalOptions;
pub use live::{Live, LiveError, LiveOptions};
