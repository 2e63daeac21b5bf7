//! The cases of an experiment.

use serde::{Deserialize, Serialize};

use super::ExperimentSide;

/// The cases of one experiment, perhaps against a baseline.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CaseTable {
    /// The experiment.
    pub experiment: ExperimentSide,
    /// The baseline, with `--against`.
    pub against: Option<ExperimentSide>,
    /// The columns of every row, in order.
    pub columns: Vec<CaseColumn>,
    /// The rows shown.
    pub rows: Vec<CaseRow>,
    /// Rows that the filter keeps, shown or not.
    pub total: i64,
    /// Warnings.
    pub warnings: Vec<String>,
}

/// One column of a case table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CaseColumn {
    /// Name as people write it: `input`, `scores.Factuality`, `metrics.duration`.
    pub name: String,
    /// `text`, `score`, `metric`, `number` or `bool`.
    pub kind: String,
    /// Unit of a metric.
    pub unit: String,
}

/// One case.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CaseRow {
    /// Row id.
    pub id: String,
    /// Trial index.
    pub trial: i64,
    /// `matched`, `candidate_only`, `null_key`; `None` without a baseline.
    pub presence: Option<String>,
    /// Row id of the baseline's trial that it is held against; `None` where that is the mean of its trials.
    pub base_id: Option<String>,
    /// One cell a column.
    pub cells: Vec<CaseCell>,
}

/// One value of a case table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CaseCell {
    /// The value: text, number, boolean or null.
    pub value: serde_json::Value,
    /// The baseline's value of a score or metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<f64>,
    /// value − base.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delta: Option<f64>,
    /// `improved`, `regressed`, `unchanged`, `lost_score`, `gained_score`, `no_score`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
}
