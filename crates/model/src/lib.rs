//! The words of evalhouse: rows as they are logged, answers as they are given, and the
//! names and canonical forms that every other crate agrees on.
//!
//! - [`Span`] and [`Experiment`] are what an importer hands to the store.
//! - [`Summary`], [`Diff`], [`CaseTable`], [`Trace`], [`ExperimentList`] are answers. They are plain
//!   serialisable structs, so a diff is the same diff in the terminal, on the page and in a report.
//! - [`canonical`] defines when two JSON values are the same value, and so when two cases are the
//!   same case.
//! - [`schema`] names every stored column once.
//!
//! This crate knows no engine, no file and no terminal.

pub mod canonical;
pub mod schema;

mod answers;
mod experiment;
mod settings;
mod span;

pub use answers::*;
pub use experiment::{Experiment, ExperimentStatus, ObjectKind};
pub use settings::{
    AggregateKind, AggregateScore, BaselineSettings, Components, CustomColumn, Direction, LanguageModelSettings,
    MissingPolicy, NumberSettings, ProjectSettings, SETTING_NAMES, SettingError,
};
pub use span::{Span, SpanType};
