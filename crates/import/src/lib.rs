//! Files of eval results, in: from paths to experiments in a store.
//!
//! [`import()`] takes an [`ImportRequest`] and does all of it:
//!
//! 1. `discover` finds the files that paths, folders, globs and standard input name.
//! 2. `plan` looks at each one's first bytes: is it a source of rows, and of which experiment?
//! 3. `load` reads one file on one thread. `read` undoes the compression and cuts the text into
//!    rows, `json` checks a row's text in one pass without building a tree, `row` makes a span of
//!    it, and `sink` hands it to the store's writer of its experiment.
//! 4. `import` runs the workers and commits what they staged.
//!
//! [`read_rows`] is step 3 alone, without a store. What each kind of bad or odd input leads to has
//! one word in `reason`, and `docs/import.md` is the list for users.
//!
//! Nothing here prints; a face that wants to draw progress gives a [`Progress`].

mod discover;
mod error;
mod import;
mod json;
mod load;
mod plan;
mod read;
mod reason;
mod request;
mod row;
mod rows;
mod sink;

pub use error::{Extent, Fault, ImportError};
pub use import::import;
pub use request::{Format, ImportRequest, NoProgress, Progress};
pub use rows::{RowReader, read_rows};
