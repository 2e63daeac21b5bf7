//! The one door to the engine: a read-only SQL session over one snapshot of a store.
//!
//! - [`Session::open`] takes a store; every query of the session sees the same snapshot.
//! - [`Session::sql`] plans a query and returns a lazy frame; nothing is read before it is executed.
//! - [`Session::expression`] parses one expression (a filter, a key) over a table; [`Session::spelled`]
//!   one to group by.
//! - [`Catalog`] lists what a query can name.
//!
//! JSON paths are written as people write them (`metadata.model`, `input.messages[0].content`,
//! `scores."Answer Correctness"`), original case kept. A path that the snapshot has as a column is
//! that column; any other is read from the JSON. See [`paths`] and [`adapter`] for how, and why the
//! answer is the same.
//!
//! DataFusion's own types pass through here (frames, batches, expressions), but its session is built
//! nowhere else.

mod adapter;
mod bounded;
mod btql;
mod catalog;
mod cooperative;
mod custom_columns;
mod error;
mod lower;
mod paths;
mod project;
mod pruning;
mod saved_key;
mod session;
mod syntax;
mod tables;

pub use btql::PAGINATION_KEY;
pub use catalog::{Catalog, ColumnInfo, FunctionInfo, TableInfo};
pub use error::SessionError;
pub use lower::{BASE, CANDIDATE, GROUP_SIZE, Reading, Scope, Spelled};
pub use project::coverage_column;
pub use session::{Session, SessionOptions};
pub use tables::{CASES, DATASET_ROWS, DATASETS, EXPERIMENTS, LOG_SPANS, PROJECTS, SCORES, SPANS};
