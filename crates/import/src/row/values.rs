//! The typed values of a row: strings, lists of strings, scores, metrics.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use crate::error::Fault;
use crate::json::{Kind, Scanner, Value, unquote};
use crate::reason;

use super::Names;

/// What was tolerated in one row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Notes {
    counts: Vec<(&'static str, u32)>,
}

impl Notes {
    pub(crate) fn add(&mut self, reason: &'static str) {
        self.add_many(reason, 1);
    }

    pub(crate) fn add_many(&mut self, reason: &'static str, count: u32) {
        match self.counts.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, known)) => *known += count,
            None if count > 0 => self.counts.push((reason, count)),
            None => {}
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, u32)> {
        self.counts.iter().copied()
    }

    /// Counts what storing a value's text will change.
    pub(crate) fn add_rewrites(&mut self, value: &Value<'_>) {
        if value.nan > 0 {
            self.add_many(reason::NAN_VALUE, value.nan);
        }
        if value.lone_surrogates > 0 {
            self.add_many(reason::LONE_SURROGATE, value.lone_surrogates);
        }
    }
}

/// Scores by name, as a span holds them.
type Scores = Vec<(Arc<str>, Option<f64>)>;

/// A value that may be absent or null.
pub(crate) fn present<'a>(value: &Option<Value<'a>>) -> Option<Value<'a>> {
    value.filter(|value| value.kind != Kind::Null)
}

/// A string field; absent, null and empty are the same.
pub(crate) fn string<'a>(
    field: &'static str,
    value: &Option<Value<'a>>,
    notes: &mut Notes,
) -> Result<Option<Cow<'a, str>>, Fault> {
    let Some(value) = present(value) else { return Ok(None) };
    if value.kind != Kind::String {
        return Err(wrong_type(field, "a string", &value));
    }
    notes.add_rewrites(&value);
    Ok(Some(unquote(value.text)).filter(|text| !text.is_empty()))
}

/// A list of strings; absent and null are no list.
pub(crate) fn strings(
    field: &'static str,
    value: &Option<Value<'_>>,
    notes: &mut Notes,
) -> Result<Option<Vec<String>>, Fault> {
    let Some(value) = present(value) else { return Ok(None) };
    if value.kind != Kind::Array {
        return Err(wrong_type(field, "an array of strings", &value));
    }
    notes.add_rewrites(&value);
    let mut strings = Vec::new();
    each_element(&value, |index, element| {
        if element.kind != Kind::String {
            return Err(wrong_type(format!("{field}[{index}]"), "a string", &element));
        }
        strings.push(unquote(element.text).into_owned());
        Ok(())
    })?;
    Ok(Some(strings))
}

/// The scores of a row. A name without a value stays: it was scored, and there was no result.
pub(crate) fn scores(value: &Option<Value<'_>>, names: &mut Names, notes: &mut Notes) -> Result<Scores, Fault> {
    let Some(value) = present(value) else { return Ok(Vec::new()) };
    if value.kind != Kind::Object {
        return Err(wrong_type("scores", "an object of numbers", &value));
    }
    notes.add_many(reason::LONE_SURROGATE, value.lone_surrogates);
    let mut scores = Vec::new();
    each_field(&value, |name, score| {
        let score = read_score(name, &score, notes)?;
        scores.push((names.get(name), score));
        Ok(())
    })?;
    keep_last(&mut scores, notes);
    Ok(scores)
}

fn read_score(name: &str, score: &Value<'_>, notes: &mut Notes) -> Result<Option<f64>, Fault> {
    let number = match score.kind {
        Kind::Null => return Ok(None),
        Kind::NotANumber => {
            notes.add(reason::NAN_SCORE);
            return Ok(None);
        }
        Kind::True | Kind::False => {
            notes.add(reason::BOOLEAN_SCORE);
            return Ok(Some(f64::from(u8::from(score.kind == Kind::True))));
        }
        Kind::Number => score.text.parse().unwrap_or(f64::NAN),
        Kind::Infinity => f64::INFINITY,
        Kind::String | Kind::Array | Kind::Object => {
            let message = format!("a score is a number or null, and this is {}", described(score));
            return Err(Fault::field(format!("scores.{name}"), reason::SCORE_NOT_NUMBER, message));
        }
    };
    if !number.is_finite() {
        let message = format!("a score is finite, and this is `{}`", shortened(score.text));
        return Err(Fault::field(format!("scores.{name}"), reason::SCORE_NOT_FINITE, message));
    }
    if !(0.0..=1.0).contains(&number) {
        notes.add(reason::SCORE_OUT_OF_RANGE);
    }
    Ok(Some(number))
}

/// The metrics of a row. Null is no metric.
pub(crate) fn metrics(
    value: &Option<Value<'_>>,
    names: &mut Names,
    notes: &mut Notes,
) -> Result<Vec<(Arc<str>, f64)>, Fault> {
    let Some(value) = present(value) else { return Ok(Vec::new()) };
    if value.kind != Kind::Object {
        return Err(wrong_type("metrics", "an object of numbers", &value));
    }
    notes.add_many(reason::LONE_SURROGATE, value.lone_surrogates);
    let mut metrics = Vec::new();
    each_field(&value, |name, metric| {
        if name.starts_with("caller_") {
            notes.add(reason::CALLER_METRIC);
        } else if let Some(number) = read_metric(name, &metric, notes)? {
            metrics.push((names.get(name), number));
        }
        Ok(())
    })?;
    keep_last(&mut metrics, notes);
    Ok(metrics)
}

fn read_metric(name: &str, metric: &Value<'_>, notes: &mut Notes) -> Result<Option<f64>, Fault> {
    let number = match metric.kind {
        Kind::Null => return Ok(None),
        Kind::Number => metric.text.parse().unwrap_or(f64::NAN),
        Kind::NotANumber | Kind::Infinity => f64::NAN,
        _ => {
            let message = format!("a metric is a number, and this is {}", described(metric));
            return Err(Fault::field(format!("metrics.{name}"), reason::METRIC_NOT_NUMBER, message));
        }
    };
    if number.is_finite() {
        return Ok(Some(number));
    }
    notes.add(reason::NAN_METRIC);
    Ok(None)
}

/// Refuses numbers that would be stored as others: what a server is given comes back as it was, or is
/// not taken.
pub(crate) fn check_exact(field: &'static str, value: &Option<Value<'_>>) -> Result<(), Fault> {
    let Some(object) = present(value).filter(|value| value.kind == Kind::Object) else { return Ok(()) };
    each_field(&object, |name, value| {
        if value.kind != Kind::Number || is_exact(value.text) {
            return Ok(());
        }
        let message =
            format!("`{}` is beyond what a double holds exactly: log it as text in `metadata`", shortened(value.text));
        Err(Fault::field(format!("{field}.{name}"), reason::WRONG_TYPE, message))
    })
}

/// Whether a double is as good as the number. Decimal fractions are doubles wherever JSON is read.
fn is_exact(text: &str) -> bool {
    let double: f64 = text.parse().unwrap_or(f64::INFINITY);
    let is_integer = !text.contains(['.', 'e', 'E']);
    // Fifteen digits always fit.
    double.is_finite() && (!is_integer || text.len() <= 15 || format!("{double:.0}") == text)
}

/// Drops all but the last value of each name.
pub(crate) fn keep_last<K: Clone + Eq + Hash, T>(values: &mut Vec<(K, T)>, notes: &mut Notes) {
    let repeats = |values: &[(K, T)]| {
        values.iter().enumerate().any(|(index, (name, _))| values[..index].iter().any(|(other, _)| other == name))
    };
    // Comparing each with each beats a table for as many names as rows really have.
    if values.len() < 2 || (values.len() <= 32 && !repeats(values)) {
        return;
    }
    let mut last = HashMap::with_capacity(values.len());
    for (index, (name, _)) in values.iter().enumerate() {
        last.insert(name.clone(), index);
    }
    notes.add_many(reason::DUPLICATE_KEY, (values.len() - last.len()) as u32);
    let mut index = 0;
    values.retain(|(name, _)| {
        index += 1;
        last.get(name) == Some(&(index - 1))
    });
}

/// Visits the fields of an object; the row's text was checked before.
pub(crate) fn each_field<'a>(
    object: &Value<'a>,
    mut each: impl FnMut(&str, Value<'a>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut scanner = Scanner::new(object.text);
    let mut more = scanner.enter_object().map_err(|_| rescan_fault())?;
    while more {
        let key = scanner.key().map_err(|_| rescan_fault())?;
        let value = scanner.value().map_err(|_| rescan_fault())?;
        each(&unquote(key.text), value)?;
        more = scanner.more(b'}').map_err(|_| rescan_fault())?;
    }
    Ok(())
}

fn each_element<'a>(
    array: &Value<'a>,
    mut each: impl FnMut(usize, Value<'a>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut scanner = Scanner::new(array.text);
    let mut more = scanner.enter_array().map_err(|_| rescan_fault())?;
    let mut index = 0;
    while more {
        let value = scanner.value().map_err(|_| rescan_fault())?;
        each(index, value)?;
        more = scanner.more(b']').map_err(|_| rescan_fault())?;
        index += 1;
    }
    Ok(())
}

/// A value that was JSON a moment ago is not: our fault, but no reason to stop the program.
fn rescan_fault() -> Fault {
    Fault::row(reason::BAD_JSON, "internal error: the row reads differently the second time")
}

pub(crate) fn wrong_type(field: impl Into<Cow<'static, str>>, expected: &str, found: &Value<'_>) -> Fault {
    Fault::field(field, reason::WRONG_TYPE, format!("expected {expected}, found {}", described(found)))
}

/// A value in a message: what it is and, if it is short, its text.
fn described(value: &Value<'_>) -> String {
    match value.kind {
        Kind::Number | Kind::String => format!("{} (`{}`)", value.kind.described(), shortened(value.text)),
        kind => kind.described().to_string(),
    }
}

/// The first characters of a text, for messages.
pub(crate) fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(40).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
