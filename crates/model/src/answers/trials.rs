//! The trials of an experiment.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::ExperimentSide;

/// How much the trials of the cases of one experiment agree.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TrialReport {
    /// The experiment.
    pub experiment: ExperimentSide,
    /// The comparison key: equal keys are trials of one case.
    pub key: String,
    /// The filter, if any.
    #[serde(rename = "where")]
    pub filter: Option<String>,
    /// The score from which a trial passes.
    pub threshold: f64,
    /// Fewest trials of a case.
    pub trials_min: i64,
    /// Most trials of a case.
    pub trials_max: i64,
    /// One entry a score, by name.
    pub scores: IndexMap<String, TrialScore>,
    /// The cases, flaky ones first.
    pub cases: Vec<TrialCase>,
    /// Warnings.
    pub warnings: Vec<String>,
}

/// One score over all cases and their trials.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TrialScore {
    /// Mean over rows.
    pub row_mean: Option<f64>,
    /// Mean over cases, each the mean of its trials.
    pub case_mean: Option<f64>,
    /// Standard deviation between the trials of a case, pooled over cases with several.
    pub within_sd: Option<f64>,
    /// Standard deviation of the case means.
    pub between_sd: Option<f64>,
    /// Cases whose trials do not all have the same value.
    pub flaky: i64,
    /// Cases with a value.
    pub cases: i64,
    /// pass@k and pass^k for k from 1 on.
    pub pass: Vec<PassRate>,
}

/// The chances of k trials, averaged over the cases that have k.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PassRate {
    /// Trials.
    pub k: i64,
    /// Cases with at least k trials.
    pub cases: i64,
    /// Chance that at least one of k trials passes.
    pub at_least_one: Option<f64>,
    /// Lower end of its 95 % interval over cases.
    pub at_least_one_low: Option<f64>,
    /// Upper end of it.
    pub at_least_one_high: Option<f64>,
    /// Chance that all k trials pass.
    pub all: Option<f64>,
    /// Lower end of its 95 % interval over cases.
    pub all_low: Option<f64>,
    /// Upper end of it.
    pub all_high: Option<f64>,
}

/// One case.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TrialCase {
    /// Row id of the first trial.
    pub id: String,
    /// Its input, JSON.
    pub input: Option<serde_json::Value>,
    /// Trials.
    pub trials: i64,
    /// One entry a score, by name.
    pub scores: IndexMap<String, TrialSpread>,
}

/// The trials of one case.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TrialSpread {
    /// Trials with a value.
    pub n: i64,
    /// Trials that pass.
    pub passes: i64,
    /// Their mean.
    pub mean: Option<f64>,
    /// Their standard deviation.
    pub sd: Option<f64>,
    /// The smallest.
    pub min: Option<f64>,
    /// The largest.
    pub max: Option<f64>,
}
