//! Everything seen from outside, in one binary, so that DataFusion is linked once.
//!
//! - `store`: the store's contract, the same on a disk, in memory and over the S3 protocol
//! - `import`: what files become, what is refused, and in which words
//! - `sql`: tables, paths and functions, as sqllogictest files in `tests/sql/`
//! - `analysis`: diffs and summaries against an independent recomputation and the pinned rules
//! - `btql`: BTQL queries against what the logged rows say
//! - `cli`: whole outputs of the program
//! - `crash`: a killed import leaves whole experiments
//! - `docs`: generated pages are current
//! - `server`: answers over HTTP, keys, limits, hostile clients
//! - `filters`: generated filters against a plain evaluation over the rows

mod analysis;
mod btql;
mod cli;
mod crash;
mod docs;
mod filters;
mod import;
mod real_data;
mod server;
mod sql;
mod store;
