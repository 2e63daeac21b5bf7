//! Answers: plain serialisable structs that every face shows.
//!
//! Field names are the names of the JSON that the program prints. Scores are in their own range (by
//! convention 0 to 1), durations in seconds, cost in dollars, times in RFC 3339 UTC. `None` means
//! "no value" and is written as `null`; it is never 0.

mod agreement;
mod api_keys;
mod api_summary;
mod cases;
mod diff;
mod experiments;
mod explain;
mod fields;
mod groups;
mod history;
mod import;
mod keys;
mod leaderboard;
mod lineup;
mod maintenance;
mod named;
mod scoring;
mod settings;
mod summary;
mod trace;
mod trials;

pub use agreement::AgreementReport;
pub use api_keys::{ApiKeyList, ApiKeyRow};
pub use api_summary::{ApiMetric, ApiScore, ApiSummary};
pub use cases::{CaseCell, CaseColumn, CaseRow, CaseTable};
pub use diff::{Baseline, Diff, DiffCounts, Diffs, ExperimentSide, MetricDelta, ScoreDelta, Verdict};
pub use experiments::{ExperimentList, ExperimentRow};
pub use explain::{Explanation, Slice, SliceCase};
pub use fields::{FieldList, InferredField};
pub use groups::{Group, GroupMember, GroupScore, Groups};
pub use history::{History, HistoryChange, HistoryPoint, ScoreHistory};
pub use import::{
    DoctorReport, ExperimentCheckup, ExplainedExperiment, ExplainedFile, FieldMapping, Finding, ImportExplanation,
    ImportReport, ImportedExperiment, PreviewedCase, SkippedFile,
};
pub use keys::{KeyCheck, KeyCollision, KeyMatch, KeyedExperiment};
pub use leaderboard::{Leaderboard, LeaderboardRow};
pub use lineup::{Lineup, LineupSide, LineupTrial};
pub use maintenance::{OptimizeReport, VacuumReport};
pub use named::{NamedQuery, QueryList, QueryParameter};
pub use scoring::{Scoring, ScoringList};
pub use settings::SettingsAnswer;
pub use summary::{MetricSummary, ScoreSummary, Summary};
pub use trace::{Trace, TraceSpan};
pub use trials::{PassRate, TrialCase, TrialReport, TrialScore, TrialSpread};
