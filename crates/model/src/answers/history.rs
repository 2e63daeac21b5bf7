//! Scores over time.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// The scores of a project's experiments over time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// Project name.
    pub project: String,
    /// The comparison key.
    pub key: String,
    /// How trials were consolidated.
    pub reducer: String,
    /// The filter, if any.
    #[serde(rename = "where")]
    pub filter: Option<String>,
    /// One entry a score, by name.
    pub scores: IndexMap<String, ScoreHistory>,
    /// Warnings.
    pub warnings: Vec<String>,
}

/// One score over time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ScoreHistory {
    /// Every experiment that has the score, oldest first.
    pub points: Vec<HistoryPoint>,
    /// Where its mean changed, oldest first.
    pub changes: Vec<HistoryChange>,
    /// The experiment that made the score worse and from which it has not recovered: the last such
    /// change of its level, or where no level can be told, the last such significant step.
    pub first_bad: Option<String>,
    /// True when less of this score is better.
    pub lower_is_better: bool,
}

/// One experiment of a history.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct HistoryPoint {
    /// Experiment name.
    pub experiment: String,
    /// Experiment id.
    pub id: String,
    /// Creation time, RFC 3339 UTC.
    pub created: Option<String>,
    /// Mean over cases.
    pub mean: Option<f64>,
    /// Its standard error.
    pub se: Option<f64>,
    /// Lower end of its 95 % interval.
    pub ci_low: Option<f64>,
    /// Upper end of it.
    pub ci_high: Option<f64>,
    /// Cases with a value.
    pub n: i64,
    /// The mean minus that of the experiment before; null for the first.
    pub step: Option<f64>,
    /// p-value of "no step" (Fisher's exact test of passes and failures, else the larger of Welch's and
    /// the pooled t test's; as if the cases were others), corrected by Holm over the steps of the score;
    /// null where a single value leaves nothing to judge by.
    pub step_p: Option<f64>,
}

/// A change of the mean.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct HistoryChange {
    /// The first experiment after it.
    pub experiment: String,
    /// Its id.
    pub id: String,
    /// Weighted mean of the stretch before.
    pub before: f64,
    /// Weighted mean of the stretch after.
    pub after: f64,
    /// after − before.
    pub delta: f64,
    /// p-value, corrected for having looked at every place.
    pub p: f64,
    /// True when it is for the worse.
    pub worse: bool,
}
