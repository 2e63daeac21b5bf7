//! The list of experiments.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// All experiments of a store or a project.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ExperimentList {
    /// Newest first.
    pub experiments: Vec<ExperimentRow>,
}

/// One line of the list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ExperimentRow {
    /// Project name.
    pub project: String,
    /// Experiment name.
    pub experiment: String,
    /// Experiment id.
    pub id: String,
    /// Creation time, RFC 3339 UTC.
    pub created: Option<String>,
    /// Root rows.
    pub rows: i64,
    /// Distinct comparison keys.
    pub cases: i64,
    /// Spans, roots included.
    pub spans: i64,
    /// Rows with an error.
    pub errors: i64,
    /// `complete` or `partial`.
    pub status: String,
    /// Row mean of each score, by name.
    pub scores: IndexMap<String, Option<f64>>,
}
