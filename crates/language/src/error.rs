//! What is wrong with a text, and where.

use crate::Position;

/// Characters of a line that are shown.
const WINDOW: usize = 100;

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

    /// The message, then the line it speaks of with the place marked below.
    pub fn render(&self, text: &str) -> String {
        let start = floor(text, self.position.start);
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let line = &text[line_start..line_end];
        if line.trim().is_empty() {
            return self.to_string();
        }
        let before: Vec<char> = text[line_start..start].chars().collect();
        let marked = text[start..floor(text, self.position.end).clamp(start, line_end)].chars().count().max(1);
        // Of a long line, the part around the place.
        let skipped = before.len().saturating_sub(WINDOW / 2);
        let shown: String =
            line.chars().skip(skipped).take(WINDOW).map(|c| if c.is_control() { ' ' } else { c }).collect();
        let lead = if skipped > 0 { "…" } else { "" };
        let indent = " ".repeat(before.len() - skipped + lead.chars().count());
        let mark = "^".repeat(marked.min(WINDOW - WINDOW / 2));
        let tail = if line.chars().count() > skipped + WINDOW { "…" } else { "" };
        format!("{self}\n  {lead}{shown}{tail}\n  {indent}{mark}")
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

/// The nearest place at or before `at` that is no middle of a character.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
