//! Why a score changed.

use serde::{Deserialize, Serialize};

use super::ExperimentSide;

/// Which slices of the cases carry the change of a score.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// The baseline.
    pub base: ExperimentSide,
    /// The candidate.
    pub candidate: ExperimentSide,
    /// The score.
    pub score: String,
    /// True when less of it is better.
    pub lower_is_better: bool,
    /// The comparison key.
    pub key: String,
    /// How trials were consolidated.
    pub reducer: String,
    /// The filter, if any.
    #[serde(rename = "where")]
    pub filter: Option<String>,
    /// Matched cases with the score on both sides.
    pub n: i64,
    /// Mean difference over them.
    pub delta: Option<f64>,
    /// Lower end of its 95 % interval.
    pub ci_low: Option<f64>,
    /// Upper end of it.
    pub ci_high: Option<f64>,
    /// Fields that were looked at.
    pub fields: Vec<String>,
    /// Slices that were looked at; p-values are corrected for their number.
    pub searched: i64,
    /// The slices that carry more of the change than their share of the cases, most first.
    pub slices: Vec<Slice>,
    /// Warnings.
    pub warnings: Vec<String>,
}

/// The cases that have certain values.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Slice {
    /// The condition, as `--where` takes it.
    #[serde(rename = "where")]
    pub filter: String,
    /// Cases in it.
    pub n: i64,
    /// Mean difference inside.
    pub delta: Option<f64>,
    /// Lower end of its 95 % interval.
    pub ci_low: Option<f64>,
    /// Upper end of it.
    pub ci_high: Option<f64>,
    /// Mean difference outside.
    pub delta_elsewhere: Option<f64>,
    /// Cases that got worse.
    pub regressed: i64,
    /// Cases that got better.
    pub improved: i64,
    /// Σ differences inside / all cases: what the slice adds to the whole change.
    pub contribution: f64,
    /// That as a share of the whole change.
    pub share: Option<f64>,
    /// What it adds beyond its share of the cases.
    pub excess: f64,
    /// Two-sided p-value of the difference between inside and elsewhere: the larger of
    /// Welch's and the pooled t test's, and exact where neither side varies.
    pub p: Option<f64>,
    /// The same, corrected (Holm) for the number of slices searched.
    pub p_adjusted: Option<f64>,
    /// Its worst cases.
    pub worst: Vec<SliceCase>,
}

/// One case of a slice.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SliceCase {
    /// Row id in the candidate.
    pub id: String,
    /// Its input, JSON.
    pub input: Option<serde_json::Value>,
    /// The baseline's value.
    pub base: Option<f64>,
    /// The candidate's value.
    pub candidate: Option<f64>,
}
