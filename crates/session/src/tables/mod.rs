//! The tables that SQL sees.

mod records;
mod scores;
mod spans;

pub(crate) use records::{datasets, experiments, projects};
pub(crate) use scores::scores;
pub(crate) use spans::{Part, SpansTable, path_columns};

/// One row a case: the root span with scores and metrics rolled up.
pub const CASES: &str = "cases";
/// One row a span, roots included, as logged.
pub const SPANS: &str = "spans";
/// One row a case and score.
pub const SCORES: &str = "scores";
/// One row an experiment.
pub const EXPERIMENTS: &str = "experiments";
/// One row a project.
pub const PROJECTS: &str = "projects";
/// One row a dataset that experiments name.
pub const DATASETS: &str = "datasets";
/// One row a record of a dataset.
pub const DATASET_ROWS: &str = "dataset_rows";
/// One row a span that was logged to a project outside of any experiment.
pub const LOG_SPANS: &str = "log_spans";
