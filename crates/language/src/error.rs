//! What is wrong with a text, and where.

use crate::Position;

/// An error of an expression or a query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}{}", suggestion.as_ref().map(|word| format!("; did you mean `{word}`?")).unwrap_or_default())]
pub struct LanguageError {
    /// What is wrong, in one line.
    pub message: String,
    /// Where, in bytes of the text; empty at the end when something is missing there.
    pub position: Position,
    /// The nearest valid word.
    pub suggestion: Option<String>,
}

impl LanguageError {
    /// An error at a place.
    pub fn new(message: impl Into<String>, position: Position) -> Self {
        Self { message: message.into(), position, suggestion: None }
    }

    /// The same error with the nearest of the known words, if one is near.
    pub fn suggest<'a>(mut self, word: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let lower = word.to_lowercase();
        let scored = known.into_iter().map(|name| (strsim::jaro_winkler(&name.to_lowercase(), &lower), name));
        let best = scored.filter(|(similarity, _)| *similarity > 0.8).max_by(|a, b| a.0.total_cmp(&b.0));
        self.suggestion = best.map(|(_, name)| name.to_string());
        self
    }
}
