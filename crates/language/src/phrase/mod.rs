//! Phrases that people type in place of a condition: "regressions in Factuality", "slower than 5s".
//!
//! A small grammar, no guessing: a phrase is translated only when every word of it is understood.
//! The order to try: the text as an expression; where that does not parse, or names what does not
//! exist, as a phrase; and what neither understands is for the caller to refuse or to search for.

mod build;
mod parts;
#[cfg(test)]
mod tests;
mod values;

use build::{binary, call, literal, not};

use crate::ast::{BinaryOp, Expr, Literal, SortItem};

/// What a phrase may name.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// Scores.
    pub scores: Vec<String>,
    /// Metrics.
    pub metrics: Vec<String>,
    /// Fields as paths: `metadata.model`, custom columns.
    pub fields: Vec<String>,
    /// Those of the scores of which less is better.
    pub lower_is_better: Vec<String>,
}

/// What a phrase means.
#[derive(Debug, Clone, PartialEq)]
pub struct Phrase {
    /// The condition; `true` where the phrase only orders.
    pub expr: Expr,
    /// The order that it asks for.
    pub sort: Option<SortItem>,
}

/// Words that carry no meaning here.
const FILLERS: [&str; 23] = [
    "show", "me", "the", "all", "cases", "case", "rows", "row", "where", "which", "that", "have", "has", "had", "are",
    "were", "those", "traces", "trace", "a", "an", "find", "list",
];

/// Translates a phrase; nothing when a word of it is not understood.
pub fn translate(text: &str, names: &Names) -> Option<Phrase> {
    if text.len() > 1_000 {
        return None;
    }
    let words = words(text);
    let mut reader = Reader { words, next: 0, names };
    let phrase = reader.phrase()?;
    reader.skip_fillers();
    (reader.next == reader.words.len() && reader.next > 0).then_some(phrase)
}

/// Words, quoted texts and commas. A sign stays with its number: `80%`, `$0.05`, `5s`.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text.trim();
    while let Some(first) = rest.chars().next() {
        if (first == '"' || first == '\'')
            && let Some(end) = rest[1..].find(first)
        {
            words.push(rest[..end + 2].to_string());
            rest = rest[end + 2..].trim_start();
            continue;
        }
        if first == ',' {
            words.push(",".into());
            rest = rest[1..].trim_start();
            continue;
        }
        let end = rest.find(|c: char| c.is_whitespace() || c == ',').unwrap_or(rest.len()).max(first.len_utf8());
        words.push(rest[..end].to_string());
        rest = rest[end..].trim_start();
    }
    words
}

/// One part of a phrase.
enum Part {
    Condition(Expr),
    Order(SortItem),
}

struct Reader<'a> {
    words: Vec<String>,
    next: usize,
    names: &'a Names,
}

impl Reader<'_> {
    fn phrase(&mut self) -> Option<Phrase> {
        let mut condition: Option<Expr> = None;
        let mut sort = None;
        loop {
            self.skip_fillers();
            match self.part()? {
                Part::Condition(part) => {
                    condition = Some(match condition {
                        Some(known) => binary(BinaryOp::And, known, part),
                        None => part,
                    });
                }
                Part::Order(order) if sort.is_none() => sort = Some(order),
                Part::Order(_) => return None,
            }
            self.skip_fillers();
            let mut joined = false;
            while self.take(&["and", "but", ",", "with"]) {
                joined = true;
            }
            if !joined {
                break;
            }
        }
        Some(Phrase { expr: condition.unwrap_or_else(|| literal(Literal::Bool(true))), sort })
    }

    fn word(&self, ahead: usize) -> Option<String> {
        self.words.get(self.next + ahead).map(|word| word.to_lowercase())
    }

    fn take(&mut self, any: &[&str]) -> bool {
        let found = self.word(0).is_some_and(|word| any.contains(&word.as_str()));
        self.next += usize::from(found);
        found
    }

    /// Several words in a row.
    fn take_all(&mut self, words: &[&str]) -> bool {
        let found = words.iter().enumerate().all(|(i, word)| self.word(i).as_deref() == Some(word));
        self.next += if found { words.len() } else { 0 };
        found
    }

    fn skip_fillers(&mut self) {
        while self.word(0).is_some_and(|word| FILLERS.contains(&word.as_str()) || self.is_idle_only(&word)) {
            self.next += 1;
        }
    }

    /// "only" that carries no meaning: before a side, "only in baseline", it does.
    fn is_idle_only(&self, word: &str) -> bool {
        let mut ahead = 1;
        for skipped in ["in", "the"] {
            ahead += usize::from(self.word(ahead).as_deref() == Some(skipped));
        }
        word == "only" && self.word(ahead).is_none_or(|side| side_named(&side).is_none())
    }

    fn part(&mut self) -> Option<Part> {
        let start = self.next;
        let readers: [fn(&mut Self) -> Option<Part>; 9] = [
            Self::errors,
            Self::changes,
            Self::presence,
            Self::time,
            Self::tags,
            Self::order,
            Self::amounts,
            Self::scores,
            Self::fields,
        ];
        for read in readers {
            self.next = start;
            if let Some(part) = read(self) {
                return Some(part);
            }
        }
        self.next = start;
        // Nobody says "not not".
        if self.take(&["not"]) && self.words.get(self.next).is_none_or(|word| !word.eq_ignore_ascii_case("not")) {
            return match self.part()? {
                // What is not known to hold does not hold: null counts as false.
                Part::Condition(part) => {
                    let known = call("coalesce", vec![part, literal(Literal::Bool(false))]);
                    Some(Part::Condition(not(known)))
                }
                Part::Order(_) => None,
            };
        }
        None
    }
}

/// The class of the cases that are on this side alone.
fn side_named(word: &str) -> Option<&'static str> {
    match word {
        "baseline" | "base" => Some("base_only"),
        "candidate" => Some("candidate_only"),
        _ => None,
    }
}

/// A name without what people leave out.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
