//! A candidate against a baseline.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// One side of a diff.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ExperimentSide {
    /// Project name.
    pub project: String,
    /// Experiment name.
    pub experiment: String,
    /// Experiment id.
    pub id: String,
    /// Root rows after the filter.
    pub rows: i64,
    /// Distinct non-null keys among them.
    pub cases: i64,
    /// The rule that chose this experiment, when a rule did ("latest in the project").
    pub rule: Option<String>,
}

/// What an experiment is held against when nobody says otherwise.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// The experiment, with the rule that chose it; none where no rule finds one.
    pub baseline: Option<ExperimentSide>,
}

/// A candidate held against a baseline, key by key.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Diff {
    /// The baseline.
    pub base: ExperimentSide,
    /// The candidate.
    pub candidate: ExperimentSide,
    /// The comparison key expression.
    pub key: String,
    /// The filter, if any.
    #[serde(rename = "where")]
    pub filter: Option<String>,
    /// How trials were consolidated.
    pub reducer: String,
    /// The cluster expression, if any.
    pub cluster: Option<String>,
    /// Where every case went.
    pub counts: DiffCounts,
    /// One entry a score, by name.
    pub scores: IndexMap<String, ScoreDelta>,
    /// One entry a metric, by name.
    pub metrics: IndexMap<String, MetricDelta>,
    /// What the reader should know before trusting the numbers.
    pub warnings: Vec<String>,
}

/// Several candidates, each against its baseline.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Diffs {
    /// One entry a candidate, in the order asked for.
    pub diffs: Vec<Diff>,
}

/// Where every case of the union of two experiments went.
///
/// `matched + base_only` is the number of keys of the base, `matched + candidate_only` of the
/// candidate; rows with a null key match nothing and are counted apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffCounts {
    /// Keys in both.
    pub matched: i64,
    /// Keys only in the base.
    pub base_only: i64,
    /// Keys only in the candidate.
    pub candidate_only: i64,
    /// Rows with a null key, both sides together.
    pub null_key: i64,
    /// Rows with a null key in the base.
    pub null_key_base: i64,
    /// Rows with a null key in the candidate.
    pub null_key_candidate: i64,
}

/// What a paired comparison can honestly say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Better, and noise does not explain it (adjusted p < 0.05).
    Improved,
    /// Worse, and noise does not explain it.
    Regressed,
    /// Noise explains the difference.
    NotDistinguishable,
    /// Too few matched values to say anything.
    #[default]
    NoData,
}

/// One score of a diff.
///
/// `improved + regressed + unchanged + lost_score + gained_score + no_score = counts.matched`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ScoreDelta {
    /// Mean over all base rows.
    pub base: Option<f64>,
    /// Mean over all candidate rows.
    pub candidate: Option<f64>,
    /// Mean of candidate − base over matched cases with both values: the headline.
    pub delta_matched: Option<f64>,
    /// `candidate − base`.
    pub delta_all: Option<f64>,
    /// Matched cases that got better.
    pub improved: i64,
    /// Matched cases that got worse.
    pub regressed: i64,
    /// Matched cases that stayed.
    pub unchanged: i64,
    /// Matched cases with a base value and no candidate value.
    pub lost_score: i64,
    /// Matched cases with a candidate value and no base value.
    pub gained_score: i64,
    /// Matched cases with neither.
    pub no_score: i64,
    /// Smallest value on either side; with `max`, says whether the score is a share.
    pub min: Option<f64>,
    /// Largest value on either side.
    pub max: Option<f64>,
    /// Pairs with both values.
    pub n: i64,
    /// Standard deviation of the paired differences.
    pub sd: Option<f64>,
    /// Standard error of `delta_matched`.
    pub se: Option<f64>,
    /// Lower end of its 95 % interval.
    pub ci_low: Option<f64>,
    /// Upper end of it.
    pub ci_high: Option<f64>,
    /// Two-sided p-value.
    pub p: Option<f64>,
    /// The same, corrected (Holm) for the number of scores looked at.
    pub p_adjusted: Option<f64>,
    /// `paired_t`, `cluster_t`, `mcnemar_exact`, `sign_flip_exact`, `sign_flip`.
    pub method: Option<String>,
    /// Smallest true effect this comparison sees with 80 % power at α = 0.05.
    pub mde: Option<f64>,
    /// The conclusion.
    pub verdict: Verdict,
    /// True when less of this score is better.
    pub lower_is_better: bool,
}

/// One metric of a diff.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MetricDelta {
    /// Mean over all base rows.
    pub base: Option<f64>,
    /// Mean over all candidate rows.
    pub candidate: Option<f64>,
    /// Mean of candidate − base over matched cases with both values.
    pub delta_matched: Option<f64>,
    /// `candidate − base`.
    pub delta_all: Option<f64>,
    /// Matched cases that got better.
    pub improved: i64,
    /// Matched cases that got worse.
    pub regressed: i64,
    /// Matched cases that stayed.
    pub unchanged: i64,
    /// Pairs with both values.
    pub n: i64,
    /// Standard error of `delta_matched`.
    pub se: Option<f64>,
    /// Lower end of its 95 % interval.
    pub ci_low: Option<f64>,
    /// Upper end of it.
    pub ci_high: Option<f64>,
    /// `s`, `ms`, `tok`, `$` or empty.
    pub unit: String,
    /// True when less of this metric is better.
    pub lower_is_better: bool,
}
