//! Answers: plain serialisable structs that every face shows.
//!
//! Field names are the names of the JSON that the program prints. Scores are in their own range (by
//! convention 0 to 1), durations in seconds, cost in dollars, times in RFC 3339 UTC. `None` means
//! "no value" and is written as `null`; it is never 0.

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

/// All experiments of a store or a project.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ExperimentList {
    /// Newest first.
    pub experiments: Vec<ExperimentRow>,
}

/// One line of the list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ExperimentRow {
    /// Project name.
    pub project: String,
    /// Experiment name.
    pub experiment: String,
    /// Experiment id.
    pub id: String,
    /// Creation time, RFC 3339 UTC.
    pub created: Option<String>,
    /// Root rows.
    pub rows: i64,
    /// Distinct comparison keys.
    pub cases: i64,
    /// Spans, roots included.
    pub spans: i64,
    /// Rows with an error.
    pub errors: i64,
    /// `complete` or `partial`.
    pub status: String,
    /// Row mean of each score, by name.
    pub scores: IndexMap<String, Option<f64>>,
}

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

/// One trace, spans in depth-first order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// Project name.
    pub project: String,
    /// Experiment name.
    pub experiment: String,
    /// Row id of the root.
    pub id: String,
    /// Trace id.
    pub root_span_id: String,
    /// Trial index.
    pub trial: i64,
    /// Scores of the case, rolled up.
    pub scores: IndexMap<String, Option<f64>>,
    /// Metrics of the case, rolled up.
    pub metrics: IndexMap<String, f64>,
    /// Every span; children follow their parent.
    pub spans: Vec<TraceSpan>,
}

/// One span of a trace.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TraceSpan {
    /// Row id.
    pub id: String,
    /// Span id.
    pub span_id: String,
    /// Depth below the root, which has 0.
    pub depth: usize,
    /// Span name.
    pub name: Option<String>,
    /// Span type.
    #[serde(rename = "type")]
    pub span_type: Option<String>,
    /// `scorer` on a scorer and below one.
    pub purpose: Option<String>,
    /// Seconds since the trace started.
    pub offset: Option<f64>,
    /// Seconds.
    pub duration: Option<f64>,
    /// Total tokens of this span alone.
    pub tokens: Option<f64>,
    /// Cost in dollars of this span alone.
    pub cost: Option<f64>,
    /// Scores as logged on this span.
    pub scores: IndexMap<String, Option<f64>>,
    /// Metrics as logged on this span.
    pub metrics: IndexMap<String, f64>,
    /// Error, JSON.
    pub error: Option<serde_json::Value>,
    /// Input, JSON.
    pub input: Option<serde_json::Value>,
    /// Output, JSON.
    pub output: Option<serde_json::Value>,
    /// Expected, JSON.
    pub expected: Option<serde_json::Value>,
    /// Metadata, JSON.
    pub metadata: Option<serde_json::Value>,
    /// Tags.
    pub tags: Vec<String>,
}

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ImportReport {
    /// Experiments stored.
    pub imported: Vec<ImportedExperiment>,
    /// Experiments already there, with the same content.
    pub unchanged: Vec<ImportedExperiment>,
    /// Experiments that a bad row stopped, or rows that `--keep-going` skipped.
    pub failed: Vec<SkippedFile>,
    /// Files of a folder that are no eval results.
    pub skipped: Vec<SkippedFile>,
    /// Files read.
    pub files: i64,
    /// Bytes of decoded text read.
    pub bytes: i64,
    /// Wall seconds.
    pub seconds: f64,
}

/// One experiment of an import.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ImportedExperiment {
    /// Project name.
    pub project: String,
    /// Experiment name.
    pub experiment: String,
    /// Experiment id.
    pub id: String,
    /// Root rows.
    pub rows: i64,
    /// Distinct comparison keys.
    pub cases: i64,
    /// Spans.
    pub spans: i64,
    /// What was tolerated or skipped, by reason.
    pub notes: IndexMap<String, i64>,
    /// The source file.
    pub source: String,
}

/// A file or experiment that was not stored, and why.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SkippedFile {
    /// The path as the user wrote it.
    pub path: String,
    /// Why, with line and field where there is one.
    pub reason: String,
}
