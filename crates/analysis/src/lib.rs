//! What people ask of experiments, each answer one plan over a session.
//!
//! - [`select`] and [`select_baseline`] turn what a user types into experiments.
//! - [`list`], [`summary`], [`diff`], [`cases`], [`trace`] and [`export`] answer.
//!
//! An analysis builds a DataFusion plan from the session's tables and functions, runs it, and puts
//! the few rows of the answer into a struct of [`evalhouse_model`]. Grouping, joining and sorting are
//! the engine's work: they stream, spill and can be distributed. Nothing here prints.

mod answer;
mod case_means;
mod cases;
mod comparable;
mod diff;
mod error;
mod export;
mod filter;
mod key;
mod list;
mod measures;
mod pairs;
mod reducer;
mod rows;
mod scope;
mod select;
mod summary;
mod trace;

pub use cases::{CasesOptions, cases};
pub use diff::{DiffOptions, diff};
pub use error::AnalysisError;
pub use export::{ExportOptions, ExportShape, export};
pub use list::list;
pub use reducer::{REDUCERS, Reducer};
pub use select::{Selected, select, select_baseline};
pub use summary::{SummaryOptions, summary};
pub use trace::trace;
