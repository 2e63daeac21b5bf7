//! Scores as sources write them, without mistaking one fact for another.
//!
//! A score that is missing, one that is `NaN`, one whose scorer failed and one that is 0 are four
//! facts. A span has a number or a null under the score's name; which fact it is stands in the output
//! of the score's span, as `state`, with the original `value` beside it.

use std::collections::HashMap;

use evalhouse_model::Span;

use super::spans::{child, set_kind};
use crate::json::{Kind, ObjectText, Value, quoted};
use crate::reason;
use crate::receive::{Receiver, shared};

/// What is known of a score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// It has a value; a label alone is one too.
    Ok,
    /// There is no value.
    Missing,
    /// The scorer, or what it had to score, failed.
    Error,
    /// The score does not apply to the case.
    NotApplicable,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Missing => "missing",
            Self::Error => "error",
            Self::NotApplicable => "not_applicable",
        }
    }
}

/// A value as it was read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reading {
    pub(crate) number: Option<f64>,
    /// A text that is no number: a category.
    pub(crate) label: Option<String>,
    pub(crate) state: State,
    /// The original value, JSON text.
    pub(crate) original: Option<String>,
    /// A word for what was tolerated.
    pub(crate) note: Option<&'static str>,
}

impl Reading {
    /// A number that the format itself made sure of.
    pub(crate) fn of_number(number: f64) -> Self {
        if !number.is_finite() {
            return Self {
                original: Some(quoted(&number.to_string())),
                note: Some(reason::NAN_SCORE),
                ..Self::missing()
            };
        }
        let note = (!(0.0..=1.0).contains(&number)).then_some(reason::SCORE_OUT_OF_RANGE);
        Self { number: Some(number), label: None, state: State::Ok, original: Some(number.to_string()), note }
    }

    /// No value.
    pub(crate) fn missing() -> Self {
        Self { number: None, label: None, state: State::Missing, original: None, note: None }
    }

    /// No value, because something failed.
    pub(crate) fn failed() -> Self {
        Self { state: State::Error, ..Self::missing() }
    }

    /// Reads a value by the rules that most tools share: a number is itself, true and yes are 1, false
    /// and no are 0, a text that is a number is that number, any other text is a label.
    pub(crate) fn of(value: Option<Value<'_>>) -> Self {
        let Some(value) = value.filter(|value| value.kind != Kind::Null) else { return Self::missing() };
        let original = value.json();
        match value.kind {
            Kind::NotANumber | Kind::Infinity => {
                Self { original: Some(quoted(value.text)), note: Some(reason::NAN_SCORE), ..Self::missing() }
            }
            Kind::True | Kind::False => {
                let number = f64::from(u8::from(value.kind == Kind::True));
                Self { original, ..Self::of_number(number) }
            }
            Kind::Number => Self { original, ..Self::of_number(value.text.parse().unwrap_or(f64::NAN)) },
            Kind::String if value.text == "\"\"" => Self::missing(),
            Kind::String => Self { original, ..Self::of_text(&value.string().unwrap_or_default()) },
            _ => Self { number: None, label: None, state: State::Ok, original, note: Some(reason::SCORE_IS_LABEL) },
        }
    }

    fn of_text(text: &str) -> Self {
        if is_null_text(text) {
            return Self::missing();
        }
        let known = match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" => Some(1.0),
            "false" | "no" => Some(0.0),
            number => number.parse().ok(),
        };
        match known {
            Some(number) => Self::of_number(number),
            None => Self::of_label(text),
        }
    }

    /// A category: a label without a number.
    pub(crate) fn of_label(label: &str) -> Self {
        Self {
            number: None,
            label: Some(label.to_string()),
            state: State::Ok,
            original: Some(quoted(label)),
            note: Some(reason::SCORE_IS_LABEL),
        }
    }
}

/// Whether a text in a column of numbers stands for no number.
pub(crate) fn is_null_text(text: &str) -> bool {
    matches!(text.trim(), "" | "NaN" | "nan" | "NA" | "N/A" | "null" | "None")
}

/// Whether a column is named as one score is: `score`, `score_X`, `X_score`.
pub(crate) fn is_score_column(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower == "score" || lower.starts_with("score_") || lower.ends_with("_score")
}

/// A score with all that its source says of it.
#[derive(Debug, Clone)]
pub(crate) struct Score {
    pub(crate) name: String,
    pub(crate) scorer: Option<String>,
    pub(crate) reading: Reading,
    /// What the scorer took for the answer, JSON text.
    pub(crate) answer: Option<String>,
    pub(crate) explanation: Option<String>,
    /// JSON text of an object.
    pub(crate) metadata: Option<String>,
    /// JSON text.
    pub(crate) error: Option<String>,
}

impl Score {
    pub(crate) fn new(name: impl Into<String>, reading: Reading) -> Self {
        Self { name: name.into(), scorer: None, reading, answer: None, explanation: None, metadata: None, error: None }
    }

    /// The span of a scorer that gave this score, below the root of its case.
    pub(crate) fn span(&self, id: String, root: &Span) -> Span {
        let mut span = child(id, root);
        set_kind(&mut span, self.scorer.as_deref().unwrap_or(&self.name), "score", true);
        self.put_into(&mut span);
        span
    }

    /// Puts the score on the span of its scorer.
    pub(crate) fn put_into(&self, span: &mut Span) {
        let Reading { number, label, state, original, .. } = &self.reading;
        let mut output = ObjectText::new();
        output.put_number("score", *number);
        output.put_json("value", original.as_deref());
        output.put_text("label", label.as_deref());
        output.put_json("answer", self.answer.as_deref());
        output.put_text("explanation", self.explanation.as_deref());
        output.put_text("state", Some(state.name()));
        span.output = output.finish();
        span.scores.push((shared(&self.name), *number));
        span.metadata = with_metadata(self.metadata.as_deref(), span.metadata.take());
        span.error = self.error.clone().or(span.error.take());
    }

    /// A score of an error, if there is one, else of a value.
    pub(crate) fn with_error(mut self, error: Option<String>) -> Self {
        if error.is_some() {
            self.reading = Reading { original: self.reading.original, ..Reading::failed() };
            self.error = error;
        }
        self
    }

    /// Hands the score on as a span of its own, and counts what was tolerated.
    pub(crate) fn hand_on(
        &self,
        receiver: &mut dyn Receiver,
        experiment: usize,
        root: &Span,
    ) -> Result<(), crate::load::Stop> {
        self.hand_on_as(ScoreIds::default().next(root, &self.name), receiver, experiment, root)
    }

    /// Hands the score on under an id of its own.
    pub(crate) fn hand_on_as(
        &self,
        id: String,
        receiver: &mut dyn Receiver,
        experiment: usize,
        root: &Span,
    ) -> Result<(), crate::load::Stop> {
        if let Some(note) = self.reading.note {
            receiver.note(experiment, note, 1);
        }
        receiver.span(experiment, self.span(id, root))
    }
}

/// The ids of a case's scores. Two annotators, or two scorers, may give scores of one name: the second
/// one has its number in its id.
#[derive(Default)]
pub(crate) struct ScoreIds {
    given: HashMap<String, u32>,
}

impl ScoreIds {
    pub(crate) fn next(&mut self, case: &Span, name: &str) -> String {
        let nth = self.given.entry(name.to_string()).and_modify(|nth| *nth += 1).or_insert(1);
        let kind = if *nth == 1 { "score".to_string() } else { format!("score-{nth}") };
        format!("{}/{kind}/{name}", case.id)
    }
}

/// The metadata of a score with that of the span which it is put on. Of two fields with one name the
/// span's has `span.` before it.
fn with_metadata(score: Option<&str>, span: Option<String>) -> Option<String> {
    let (Some(score), Some(of_span)) = (score, &span) else { return score.map(str::to_string).or(span) };
    let (score, of_span) = (Value::parse(score).ok()?, Value::parse(of_span).ok()?);
    let mut metadata = ObjectText::new();
    metadata.put_all(Some(score), &[]);
    for (name, value) in of_span.fields() {
        let is_taken = score.fields().any(|(known, _)| known == name);
        metadata.put(&if is_taken { format!("span.{name}") } else { name.into_owned() }, Some(value));
    }
    metadata.finish()
}

/// Hands on a case with its scores.
pub(crate) fn hand_on_case(
    receiver: &mut dyn Receiver,
    experiment: usize,
    case: Span,
    scores: &[Score],
) -> Result<(), crate::load::Stop> {
    let mut ids = ScoreIds::default();
    for score in scores {
        score.hand_on_as(ids.next(&case, &score.name), receiver, experiment, &case)?;
    }
    receiver.span(experiment, case)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Option<f64>, Option<String>, State) {
        let reading = Reading::of(Some(Value::parse(text).unwrap()));
        (reading.number, reading.label, reading.state)
    }

    #[test]
    fn four_facts_stay_four() {
        assert_eq!(read("0"), (Some(0.0), None, State::Ok));
        assert_eq!(read("null"), (None, None, State::Missing));
        assert_eq!(read("NaN"), (None, None, State::Missing));
        assert_eq!(Reading::of(Some(Value::parse("NaN").unwrap())).original.as_deref(), Some("\"NaN\""));
        assert_eq!(Reading::failed().state, State::Error);
    }

    #[test]
    fn texts_are_numbers_or_labels() {
        assert_eq!(read("\"Yes\"").0, Some(1.0));
        assert_eq!(read("false").0, Some(0.0));
        assert_eq!(read("\" 0.5\"").0, Some(0.5));
        assert_eq!(read("\"partly\""), (None, Some("partly".into()), State::Ok));
        assert_eq!(read("\"\"").2, State::Missing);
        assert_eq!(read("\"nan\"").2, State::Missing);
    }
}
