//! One experiment in numbers.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// The summary of one experiment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Project name.
    pub project: String,
    /// Experiment name.
    pub experiment: String,
    /// Experiment id.
    pub id: String,
    /// Creation time, RFC 3339 UTC.
    pub created: Option<String>,
    /// `complete` or `partial`.
    pub status: String,
    /// Root rows (cases × trials).
    pub rows: i64,
    /// Distinct comparison keys.
    pub cases: i64,
    /// Rows whose comparison key is null.
    pub null_key: i64,
    /// Spans, roots included.
    pub spans: i64,
    /// Rows whose root carries an error.
    pub errors: i64,
    /// Rows the source declared.
    pub declared_total: Option<i64>,
    /// Dataset name or id.
    pub dataset: Option<String>,
    /// Metadata of the run.
    pub metadata: Option<serde_json::Value>,
    /// Tags of the run.
    pub tags: Vec<String>,
    /// The expression that says which rows are the same case.
    pub key: String,
    /// How trials were consolidated for the case means.
    pub reducer: String,
    /// The filter, if any.
    #[serde(rename = "where")]
    pub filter: Option<String>,
    /// One entry a score, by name.
    pub scores: IndexMap<String, ScoreSummary>,
    /// One entry a metric, by name.
    pub metrics: IndexMap<String, MetricSummary>,
    /// What the reader should know before trusting the numbers.
    pub warnings: Vec<String>,
}

/// One score of one experiment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ScoreSummary {
    /// Mean over rows: weights a case by its number of trials.
    pub row_mean: Option<f64>,
    /// Mean over cases, each the mean of its trials.
    pub case_mean: Option<f64>,
    /// Rows with a value.
    pub n: i64,
    /// Rows without one.
    pub missing: i64,
    /// Standard error of `case_mean`, over cases.
    pub se: Option<f64>,
    /// Lower end of the 95 % interval of `case_mean`.
    pub ci_low: Option<f64>,
    /// Upper end of it.
    pub ci_high: Option<f64>,
    /// Smallest value seen.
    pub min: Option<f64>,
    /// Largest value seen.
    pub max: Option<f64>,
    /// Of an aggregate score: the mean share of its weight that the components present carry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coverage: Option<f64>,
}

/// One metric of one experiment, over its rows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MetricSummary {
    /// Mean over rows with a value.
    pub mean: Option<f64>,
    /// Median.
    pub p50: Option<f64>,
    /// 90th percentile.
    pub p90: Option<f64>,
    /// Sum.
    pub sum: Option<f64>,
    /// Rows with a value.
    pub n: i64,
    /// `s`, `ms`, `tok`, `$` or empty.
    pub unit: String,
}
