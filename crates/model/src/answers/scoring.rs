//! A scorer applied to the cases of an experiment.

use serde::{Deserialize, Serialize};

/// The scorings of an experiment that the server knows of, newest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ScoringList {
    /// Those that run, and the last ones that ended.
    pub scorings: Vec<Scoring>,
}

/// A scorer applied to cases: each case gets a score span of this name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Scoring {
    /// Its id.
    pub id: String,
    /// Project name.
    pub project: String,
    /// Experiment name.
    pub experiment: String,
    /// Experiment id.
    pub experiment_id: String,
    /// The name of the score.
    pub name: String,
    /// The scorer: an expression over a case.
    pub scorer: String,
    /// `running`, `done`, `cancelled` or `failed`.
    pub state: String,
    /// Cases to score.
    pub total: i64,
    /// Cases that were scored.
    pub scored: i64,
    /// Cases of which the scorer says nothing: its answer was null.
    pub skipped: i64,
    /// Why it failed.
    pub message: Option<String>,
}
