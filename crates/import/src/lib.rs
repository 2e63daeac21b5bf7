//! Files of eval results, in: from paths to experiments in a store.
//!
//! [`import()`] takes an [`ImportRequest`] and does all of it:
//!
//! 1. `discover` finds the files that paths, folders, globs and standard input name.
//! 2. `plan` looks at each one's first bytes: is it a file of another tool (`formats`), or a source of
//!    rows, and of which experiment?
//! 3. `load` reads one file on one thread. A format of another tool reads its files itself and hands
//!    what it finds to a `Receiver`. For rows, `read` undoes the compression and cuts the text into
//!    rows, `json` checks a row's text in one pass without building a tree, `row` makes a span of
//!    it, and `sink` hands it to the store's writer of its experiment.
//! 4. `import` runs the workers and commits what they staged.
//!
//! [`read_rows`] is step 3 alone, without a store. What each kind of bad or odd input leads to has
//! one word in `reason`, and `docs/import.md` is the list for users.
//!
//! Nothing here prints; a face that wants to draw progress gives a [`Progress`].

mod archive;
mod bucket;
mod content;
mod discover;
mod error;
mod explain;
mod formats;
mod import;
mod json;
mod load;
mod look;
mod plan;
mod read;
mod reason;
mod receive;
mod records;
mod request;
mod row;
mod rows;
mod sink;
mod table;
mod zip;

pub use error::{Extent, Fault, ImportError};
pub use explain::explain_import;
pub use import::import;
pub use reason::{is_skipping, meaning_of};
pub use request::{Format, ImportRequest, NoProgress, Progress};
pub use rows::{RowReader, read_rows};
