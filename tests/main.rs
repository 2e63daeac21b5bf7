//! Everything seen from outside, in one binary, so that DataFusion is linked once.
//!
//! - `store`: the store's contract, the same on a disk, in memory and over the S3 protocol
//! - `import`: what files become, what is refused, and in which words
//! - `sql`: tables, paths and functions, as sqllogictest files in `tests/sql/`
//! - `analysis`: diffs and summaries against an independent recomputation and the pinned rules
//! - `btql`: BTQL queries against what the logged rows say
//! - `cli`: whole outputs of the program
//! - `crash`: a killed import leaves whole experiments
//! - `docs`: generated pages are current, and the examples of the filter page run
//! - `live`: rows that are logged while they are read
//! - `server`: answers over HTTP, keys, limits, hostile clients
//! - `filters`: generated filters against a plain evaluation over the rows
//! - `hostile`: made-up conditions and queries have a meaning or are refused

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test may panic and print; clippy knows only functions marked as tests"
)]

mod analysis;
mod btql;
mod cli;
mod crash;
mod docs;
mod filters;
mod hostile;
mod import;
mod live;
mod real_data;
mod server;
mod sql;
mod store;
