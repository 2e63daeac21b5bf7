//! What people ask of experiments, each answer one plan over a session.
//!
//! - [`select`] and [`select_baseline`] turn what a user types into experiments.
//! - [`list`], [`summary`], [`diff`], [`cases`], [`trials`], [`groups`], [`history`], [`leaderboard`],
//!   [`explain`], [`agreement`], [`check_key`], [`trace`], [`lineup`] and [`export`] answer.
//!
//! An analysis builds a DataFusion plan from the session's tables and functions, runs it, and puts
//! the few rows of the answer into a struct of [`evalhouse_model`]. Grouping, joining and sorting are
//! the engine's work: they stream, spill and can be distributed. Nothing here prints.

mod agreement;
mod answer;
mod api_summary;
mod case_means;
mod cases;
mod comparable;
mod diff;
mod error;
mod explain;
mod export;
#[cfg(test)]
mod false_alarms;
mod fields;
mod filter;
mod groups;
mod history;
mod key;
mod keys;
mod leaderboard;
mod lineup;
mod list;
mod measures;
mod named;
mod pairs;
mod reducer;
mod rows;
mod scope;
mod scoring;
mod select;
mod settings;
mod summary;
mod table_functions;
mod trace;
mod trials;
mod understand;

pub use agreement::{AgreementOptions, agreement};
pub use api_summary::api_summary;
pub use cases::{Alignment, CasesOptions, cases, cases_as_rows};
pub use diff::{DiffOptions, diff, diff_plan};
pub use error::AnalysisError;
pub use explain::{ExplainOptions, explain, explain_plan};
pub use export::{ExportOptions, ExportShape, export};
pub use fields::fields;
pub use groups::{Aggregate, GroupOptions, groups};
pub use history::{HistoryOptions, history};
pub use keys::check_key;
pub use leaderboard::{LeaderboardOptions, leaderboard};
pub use lineup::lineup;
pub use list::list;
pub use named::{NamedQueryError, find_query, named_queries, query_values};
pub use reducer::{REDUCERS, Reducer};
pub use scope::side;
pub use scoring::{SCORE_VALUE, ScoringOptions, count_cases_to_score, score_values};
pub use select::{Selected, baseline_of, select, select_all, select_baseline};
pub use settings::{SettingChange, check_changes};
pub use summary::{SummaryOptions, summary};
pub use table_functions::with_table_functions;
pub use trace::trace;
pub use trials::{TrialOptions, trials};
pub use understand::{Understood, check_condition, names, understand};
