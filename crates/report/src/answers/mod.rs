//! How each answer of `evalhouse-model` is laid out.

mod agreement;
mod api_keys;
mod cases;
mod diff;
mod doctor;
mod experiments;
mod explain;
mod fields;
mod groups;
mod history;
mod import;
mod import_explanation;
mod keys;
mod leaderboard;
mod maintenance;
mod named;
mod settings;
mod summary;
mod trace;
mod trials;

use evalhouse_model::ExperimentSide;
use serde_json::Value;

use crate::{Line, Tone};

pub use diff::DiffWithCases;

/// Characters of a value in a cell.
const SHORT: usize = 60;
/// Characters that tell row ids apart.
const ID: usize = 12;

/// A JSON value in one short line: text without its quotes.
fn short(value: Option<&Value>) -> String {
    let text = match value {
        None | Some(Value::Null) => return crate::number::NONE.to_string(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    match text.char_indices().nth(SHORT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// The beginning of a row id: `trace` and `cases` take it.
fn short_id(id: &str) -> String {
    id.chars().take(ID).collect()
}

/// An experiment of an answer, and the rule that chose it.
fn side(side: &ExperimentSide) -> Line {
    let mut line = Line::plain(&side.experiment);
    if let Some(rule) = &side.rule {
        line.push(format!("  ({rule})"), Tone::Quiet);
    }
    line
}
