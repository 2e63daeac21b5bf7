//! Text to tokens.

use crate::{LanguageError, Position};

/// A text longer than this is no filter.
pub(crate) const TEXT_MAX: usize = 1 << 20;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) position: Position,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    /// A bare word, as written.
    Word(String),
    /// `"…"` or a word in backticks.
    Quoted(String),
    /// `'…'`.
    Text(String),
    Int(i64),
    Float(f64),
    /// `$name`.
    Parameter(String),
    /// An operator or a bracket.
    Symbol(&'static str),
    End,
}

impl Kind {
    /// As an error names it.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Word(word) => format!("`{word}`"),
            Self::Quoted(name) => format!("`\"{name}\"`"),
            Self::Text(text) => format!("'{}'", text.chars().take(40).collect::<String>()),
            Self::Int(number) => format!("`{number}`"),
            Self::Float(number) => format!("`{number}`"),
            Self::Parameter(name) => format!("`${name}`"),
            Self::Symbol(symbol) => format!("`{symbol}`"),
            Self::End => "the end".to_string(),
        }
    }
}

/// Longest first, so that `<=` is not `<`.
const SYMBOLS: [&str; 32] = [
    "!~", "!=", "<>", "<=", ">=", "==", "||", "&&", "::", "=>", "->", "(", ")", "[", "]", "{", "}", ",", ".", "<", ">",
    "=", "+", "-", "*", "/", "%", "?", ":", "~", "!", "|",
];

/// Cuts a text into tokens, the last of which is [`Kind::End`].
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, LanguageError> {
    if text.len() > TEXT_MAX {
        let end = Position { start: 0, end: 0 };
        return Err(LanguageError::new(format!("the text has {} bytes, at most {TEXT_MAX} are read", text.len()), end));
    }
    let mut found = Vec::new();
    let mut at = 0;
    loop {
        at = skip_blank(text, at)?;
        let rest = &text[at..];
        let Some(first) = rest.chars().next() else { break };
        let (kind, length) = in_path(&found, at, rest).map_or_else(|| token(rest, first), Ok).map_err(|message| {
            LanguageError::new(message, Position { start: at, end: (at + first.len_utf8()).min(text.len()) })
        })?;
        found.push(Token { kind, position: Position { start: at, end: at + length } });
        at += length;
    }
    found.push(Token { kind: Kind::End, position: Position { start: text.len(), end: text.len() } });
    Ok(found)
}

/// A dot right after a name steps into it, and what follows is a key: `metadata.2024` has no number in
/// it.
fn in_path(found: &[Token], at: usize, rest: &str) -> Option<(Kind, usize)> {
    let last = found.last()?;
    if matches!(last.kind, Kind::Symbol(".")) && rest.starts_with(|c: char| c.is_ascii_digit()) {
        let length = word_length(rest);
        return Some((Kind::Word(rest[..length].to_string()), length));
    }
    let is_name = matches!(last.kind, Kind::Word(_) | Kind::Quoted(_) | Kind::Symbol("]" | ")"));
    (is_name && last.position.end == at && rest.starts_with('.')).then_some((Kind::Symbol("."), 1))
}

/// Past blanks and comments.
fn skip_blank(text: &str, mut at: usize) -> Result<usize, LanguageError> {
    loop {
        let rest = &text[at..];
        let trimmed = rest.trim_start();
        at += rest.len() - trimmed.len();
        if trimmed.starts_with("--") {
            at += trimmed.find('\n').unwrap_or(trimmed.len());
        } else if trimmed.starts_with("/*") {
            match trimmed.find("*/") {
                Some(end) => at += end + 2,
                None => {
                    let place = Position { start: at, end: at + 2 };
                    return Err(LanguageError::new("this comment has no end, expected `*/`", place));
                }
            }
        } else {
            return Ok(at);
        }
    }
}

fn token(rest: &str, first: char) -> Result<(Kind, usize), String> {
    match first {
        '\'' => quoted(rest, '\'').map(|(text, length)| (Kind::Text(text), length)),
        '"' | '`' => quoted(rest, first).map(|(text, length)| (Kind::Quoted(text), length)),
        '$' => {
            let length = word_length(&rest[1..]);
            match length {
                0 => Err("`$` names no parameter, expected `$name`".into()),
                _ => Ok((Kind::Parameter(rest[1..=length].to_string()), length + 1)),
            }
        }
        c if c.is_ascii_digit() || (c == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit())) => number(rest),
        c if starts_word(c) => {
            let length = word_length(rest);
            Ok((Kind::Word(rest[..length].to_string()), length))
        }
        c => match SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
            Some(symbol) => Ok((Kind::Symbol(symbol), symbol.len())),
            None => Err(format!("`{}` is not expected here", c.escape_debug())),
        },
    }
}

pub(crate) fn starts_word(c: char) -> bool {
    c.is_alphabetic() || c == '_' || c == '@'
}

fn word_length(text: &str) -> usize {
    text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '@')).unwrap_or(text.len())
}

/// Text in quotes; a doubled quote is a quote.
fn quoted(rest: &str, quote: char) -> Result<(String, usize), String> {
    let mut text = String::new();
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = characters.next() {
        if c != quote {
            text.push(c);
        } else if characters.peek().is_some_and(|(_, next)| *next == quote) {
            characters.next();
            text.push(quote);
        } else {
            return Ok((text, at + quote.len_utf8()));
        }
    }
    Err(format!("this text has no end, expected a closing {quote}"))
}

fn number(rest: &str) -> Result<(Kind, usize), String> {
    let digits = |from: usize| rest[from..].bytes().take_while(|b| b.is_ascii_digit() || *b == b'_').count();
    let mut end = digits(0);
    let mut is_whole = true;
    if rest[end..].starts_with('.') && !rest[end + 1..].starts_with(starts_word) {
        end += 1 + digits(end + 1);
        is_whole = false;
    }
    if rest[end..].starts_with(['e', 'E']) {
        let sign = usize::from(rest[end + 1..].starts_with(['+', '-']));
        let exponent = digits(end + 1 + sign);
        if exponent > 0 {
            end += 1 + sign + exponent;
            is_whole = false;
        }
    }
    let written = rest[..end].replace('_', "");
    if rest[end..].starts_with(starts_word) {
        let word = word_length(&rest[end..]);
        return Err(format!("`{}` is no number", &rest[..end + word]));
    }
    if is_whole && let Ok(whole) = written.parse::<i64>() {
        return Ok((Kind::Int(whole), end));
    }
    match written.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok((Kind::Float(number), end)),
        _ => Err(format!("`{written}` is no number that can be held")),
    }
}
