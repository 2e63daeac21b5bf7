//! Cases in groups.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::ExperimentSide;

/// Experiments summed up inside groups of cases.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Groups {
    /// The experiments: the base first, where there is one.
    pub experiments: Vec<ExperimentSide>,
    /// What cases are grouped by.
    pub by: Vec<String>,
    /// How scores are summed up: `avg`, `min`, `max`, `sum`, `median`, `count`, `stddev` or `p90`.
    pub aggregate: String,
    /// The comparison key.
    pub key: String,
    /// How trials were consolidated for counts and deltas.
    pub reducer: String,
    /// The filter, if any.
    #[serde(rename = "where")]
    pub filter: Option<String>,
    /// What intervals of deltas are clustered by, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// The groups.
    pub groups: Vec<Group>,
    /// Matched cases whose group is another one in the candidate than in the base; they are counted
    /// in the base's.
    pub moved: i64,
    /// Warnings.
    pub warnings: Vec<String>,
}

/// One group.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// One value an expression; null is "none".
    pub values: Vec<serde_json::Value>,
    /// One entry an experiment, in their order.
    pub experiments: Vec<GroupMember>,
}

/// One experiment inside one group.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GroupMember {
    /// Rows.
    pub rows: i64,
    /// Cases.
    pub cases: i64,
    /// One entry a score, by name.
    pub scores: IndexMap<String, GroupScore>,
    /// Mean of each metric, by name.
    pub metrics: IndexMap<String, Option<f64>>,
}

/// One score of one experiment inside one group. Counts and delta are against the base, over the
/// matched cases of the group; absent on the base itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GroupScore {
    /// The aggregate over rows.
    pub value: Option<f64>,
    /// Rows with a value.
    pub n: i64,
    /// Mean difference over matched cases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delta: Option<f64>,
    /// Lower end of its 95 % interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ci_low: Option<f64>,
    /// Upper end of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ci_high: Option<f64>,
    /// Matched cases that got better.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub improved: Option<i64>,
    /// Matched cases that got worse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regressed: Option<i64>,
    /// Matched cases that stayed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unchanged: Option<i64>,
}
