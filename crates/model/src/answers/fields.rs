//! The fields of an experiment.

use serde::{Deserialize, Serialize};

use super::ExperimentSide;

/// The fields that the cases of an experiment have.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FieldList {
    /// The experiment.
    pub experiment: ExperimentSide,
    /// The filter, if any.
    #[serde(rename = "where")]
    pub filter: Option<String>,
    /// Rows that were looked at.
    pub rows: i64,
    /// One in this many rows was looked at; 1 for all.
    pub one_in: i64,
    /// Most present first.
    pub fields: Vec<InferredField>,
    /// Warnings.
    pub warnings: Vec<String>,
}

/// One field.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct InferredField {
    /// The path, as the filter language writes it.
    pub path: String,
    /// JSON types of its values.
    pub types: Vec<String>,
    /// Share of the rows that have it.
    pub presence: f64,
    /// Different values.
    pub distinct: i64,
    /// False when there are more of them than that.
    pub distinct_is_exact: bool,
    /// A value, as JSON.
    pub example: Option<String>,
}
