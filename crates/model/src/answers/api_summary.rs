//! An experiment summed up in the Braintrust API's words.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// What the SDKs print at the end of an eval. Their clients take no other key in an entry.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ApiSummary {
    /// Name of what it is compared with.
    pub comparison_experiment_name: Option<String>,
    /// One entry a score, by name.
    pub scores: IndexMap<String, ApiScore>,
    /// One entry a metric, by name.
    pub metrics: IndexMap<String, ApiMetric>,
}

/// A score.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ApiScore {
    /// Its name.
    pub name: String,
    /// Mean over the traces that have it.
    pub score: f64,
    /// Its change over matched cases; absent where there is nothing to compare.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<f64>,
    /// Cases that got better.
    pub improvements: i64,
    /// Cases that got worse.
    pub regressions: i64,
}

/// A metric.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ApiMetric {
    /// Its name.
    pub name: String,
    /// Mean over the traces that have it.
    pub metric: f64,
    /// `s`, `tok`, `$` or nothing.
    pub unit: String,
    /// Its change over matched cases, in its unit; absent where there is nothing to compare.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<f64>,
    /// Cases that got better: less is better.
    pub improvements: i64,
    /// Cases that got worse.
    pub regressions: i64,
}
