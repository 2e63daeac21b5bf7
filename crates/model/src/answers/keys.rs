//! A comparison key tried out.

use serde::{Deserialize, Serialize};

/// What a comparison key would do to the experiments of a project.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct KeyCheck {
    /// Project name.
    pub project: String,
    /// The key.
    pub key: String,
    /// The newest experiments, newest first.
    pub experiments: Vec<KeyedExperiment>,
    /// Each of them against the one before it.
    pub matches: Vec<KeyMatch>,
    /// Keys that stand for several different inputs.
    pub collisions: Vec<KeyCollision>,
    /// Warnings.
    pub warnings: Vec<String>,
}

/// One experiment under the key.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct KeyedExperiment {
    /// Experiment name.
    pub experiment: String,
    /// Experiment id.
    pub id: String,
    /// Rows.
    pub rows: i64,
    /// Rows whose key is null.
    pub null_key: i64,
    /// Different keys.
    pub keys: i64,
    /// Keys of more than one row: their rows would be trials of one case.
    pub repeated: i64,
    /// Most rows of one key.
    pub rows_max: i64,
    /// Keys whose rows have different inputs.
    pub collisions: i64,
    /// Inputs of some rows whose key is null, JSON.
    pub null_examples: Vec<String>,
}

/// Two experiments matched by the key.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct KeyMatch {
    /// The older one.
    pub base: String,
    /// The newer one.
    pub candidate: String,
    /// Keys in both.
    pub matched: i64,
    /// Keys only in the older.
    pub base_only: i64,
    /// Keys only in the newer.
    pub candidate_only: i64,
    /// matched / all keys.
    pub rate: Option<f64>,
    /// Some of the keys only in the older, JSON.
    pub base_only_examples: Vec<String>,
    /// Some of the keys only in the newer, JSON.
    pub candidate_only_examples: Vec<String>,
}

/// A key that stands for several inputs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct KeyCollision {
    /// Experiment name.
    pub experiment: String,
    /// The key, JSON.
    pub key: String,
    /// Different inputs under it.
    pub inputs: i64,
    /// Two of them.
    pub examples: Vec<String>,
}
