//! Scores of Inspect's samples.

use crate::formats::score::{Reading, Score, is_null_text};
use crate::formats::spans::text_at;
use crate::json::{Kind, ObjectText, Value};

use super::sample::Attachments;

/// The names of scores that a log tells of, each with its scorer. A name that two scorers share must be
/// prefixed in every sample, also in one that only one of them could score.
#[derive(Debug, Default)]
pub(super) struct Names {
    known: Vec<(String, String)>,
}

impl Names {
    /// The names in `eval.scorers` and in `results.scores`.
    pub(super) fn of(eval: Option<Value<'_>>, results: Option<Value<'_>>) -> Self {
        let mut names = Self::default();
        for scorer in eval.and_then(|eval| eval.get("scorers")).iter().flat_map(Value::items) {
            let Some(name) = text_at(scorer, "name") else { continue };
            names.add(unqualified(&name), &name);
            // A scorer of several values has the metrics of each under its key; `*` is any of them.
            let metrics = scorer.get("metrics").filter(|metrics| metrics.kind == Kind::Object);
            metrics.iter().flat_map(Value::fields).for_each(|(key, _)| names.add(&key, &name));
        }
        for score in results.and_then(|results| results.get("scores")).iter().flat_map(Value::items) {
            if let (Some(name), Some(scorer)) = (text_at(score, "name"), text_at(score, "scorer")) {
                names.add(&name, &scorer);
            }
        }
        names
    }

    fn add(&mut self, name: &str, scorer: &str) {
        let scorer = unqualified(scorer);
        if !self.is_by(name, |known| known == scorer) {
            self.known.push((name.to_string(), scorer.to_string()));
        }
    }

    fn is_by(&self, name: &str, is_scorer: impl Fn(&str) -> bool) -> bool {
        self.known.iter().any(|(known, scorer)| known == name && is_scorer(scorer))
    }
}

/// The name of a scorer without that of its package, as samples have it.
fn unqualified(scorer: &str) -> &str {
    scorer.rsplit('/').next().unwrap_or(scorer)
}

/// One value of a scorer, under the name that it has if no other scorer has it too.
struct Part<'a> {
    name: String,
    value: Option<Value<'a>>,
    score: Value<'a>,
    scorer: String,
}

/// The scores of a sample. A scorer that gives an object or a list gives one score for each entry.
pub(super) fn of_sample(scores: Option<Value<'_>>, names: &Names, attachments: &Attachments<'_>) -> Vec<Score> {
    let scorers = scores.iter().flat_map(Value::fields);
    let parts: Vec<Part<'_>> = scorers.flat_map(|(scorer, score)| parts(&scorer, score)).collect();
    let is_taken = |name: &str, scorer: &str| {
        let in_log = names.is_by(name, |other| other != unqualified(scorer));
        in_log || parts.iter().any(|part| part.name == name && part.scorer != scorer)
    };
    let all = parts.iter().map(|part| {
        let mut name = part.name.clone();
        // The only value of a scorer has the scorer's name, which the entries of others give way to.
        while name != part.scorer && is_taken(&name, &part.scorer) {
            name = format!("{}.{name}", part.scorer);
        }
        one(name, &part.scorer, read_value(part.value), part.score, attachments)
    });
    all.collect()
}

fn parts<'a>(scorer: &str, score: Value<'a>) -> Vec<Part<'a>> {
    let part = |name: String, value| Part { name, value, score, scorer: scorer.to_string() };
    // A score that is not an object at all is its own value.
    let value = if score.kind == Kind::Object { score.get("value") } else { Some(score) };
    match value.filter(|_| score.kind == Kind::Object) {
        Some(object) if object.kind == Kind::Object => {
            object.fields().map(|(key, value)| part(key.into_owned(), Some(value))).collect()
        }
        Some(list) if list.kind == Kind::Array => {
            list.items().enumerate().map(|(index, value)| part(format!("{scorer}_{index}"), Some(value))).collect()
        }
        _ => vec![part(scorer.to_string(), value)],
    }
}

fn one(name: String, scorer: &str, reading: Reading, score: Value<'_>, attachments: &Attachments<'_>) -> Score {
    let text = |key: &str| attachments.text(score.get(key)?);
    let mut metadata = ObjectText::new();
    attachments.put_all(&mut metadata, score.get("metadata"), &["history"]);
    let history = score.get("history").filter(|history| !history.is_empty());
    metadata.put_json("history", history.and_then(|history| attachments.resolved(history)).as_deref());
    Score {
        scorer: Some(scorer.to_string()),
        answer: score.get("answer").and_then(|answer| attachments.resolved(answer)),
        explanation: text("explanation").or_else(|| text("reason")),
        metadata: metadata.finish(),
        ..Score::new(name, reading)
    }
}

/// Reads a value by Inspect's rules, except that a text it does not know is a label and not 0.
pub(super) fn read_value(value: Option<Value<'_>>) -> Reading {
    let grade = value.and_then(|value| match value.string().as_deref() {
        Some("C") => Some(1.0),
        Some("P") => Some(0.5),
        Some("I" | "N") => Some(0.0),
        _ => None,
    });
    // Texts that stand for nothing in a table are categories here: the tool has its own way to say it.
    let category = value.and_then(|value| value.string()).filter(|text| is_null_text(text) && is_word(text));
    if let Some(category) = category {
        return Reading::of_label(&category);
    }
    match grade {
        Some(number) => Reading { original: value.and_then(|value| value.json()), ..Reading::of_number(number) },
        None => Reading::of(value),
    }
}

/// Whether a text says something, and that is not `NaN`.
fn is_word(text: &str) -> bool {
    !text.trim().is_empty() && !text.trim().eq_ignore_ascii_case("nan")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(text: &str) -> Vec<(String, Option<f64>)> {
        let scores = of_sample(Some(Value::parse(text).unwrap()), &Names::default(), &Attachments::default());
        scores.into_iter().map(|score| (score.name, score.reading.number)).collect()
    }

    #[test]
    fn grades_are_numbers_and_other_texts_labels() {
        let found = scores(
            r#"{"a":{"value":"C"},"b":{"value":"P"},"c":{"value":"I"},"d":{"value":"partial"},"e":{"value":NaN}}"#,
        );
        let numbers: Vec<_> = found.into_iter().map(|(_, number)| number).collect();
        assert_eq!(numbers, [Some(1.0), Some(0.5), Some(0.0), None, None]);
    }

    #[test]
    fn a_category_may_be_called_none() {
        let reading = |text: &str| read_value(Some(Value::parse(text).unwrap()));
        for text in ["NA", "None", "null", "N/A"] {
            assert_eq!(reading(&format!("\"{text}\"")).label.as_deref(), Some(text));
        }
        assert_eq!((reading("\"\"").label, reading("\"nan\"").label), (None, None));
    }

    #[test]
    fn objects_and_lists_are_several_scores() {
        let found = scores(r#"{"a":{"value":{"x":1,"y":0}},"b":{"value":{"y":1}},"l":{"value":[1,"I"]}}"#);
        let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["x", "a.y", "b.y", "l_0", "l_1"]);
    }

    #[test]
    fn no_two_scorers_share_a_name() {
        let names = |text: &str| scores(text).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        let one_value = r#"{"accuracy":{"value":"C"},"judge":{"value":{"accuracy":0,"style":1}}}"#;
        assert_eq!(names(one_value), ["accuracy", "judge.accuracy", "style"]);
        let list = r#"{"s":{"value":[1,0]},"t":{"value":{"s_0":1}},"s_1":{"value":1}}"#;
        assert_eq!(names(list), ["s.s_0", "s.s_1", "t.s_0", "s_1"]);
        let prefixed = r#"{"a":{"value":1},"j":{"value":{"a":0}},"j.a":{"value":1}}"#;
        assert_eq!(names(prefixed), ["a", "j.j.a", "j.a"]);
    }

    #[test]
    fn a_name_that_is_shared_in_the_log_is_so_in_every_sample() {
        let eval = r#"{"scorers":[{"name":"pkg/accuracy"},{"name":"judge","metrics":{"*":[]}}]}"#;
        let results = r#"{"scores":[{"name":"f1","scorer":"rouge"},{"name":"f1","scorer":"judge"},{"name":"style","scorer":"pkg/judge"}]}"#;
        let names = Names::of(Value::parse(eval).ok(), Value::parse(results).ok());
        let sample = Value::parse(r#"{"judge":{"value":{"accuracy":0,"f1":1,"style":1}}}"#).ok();
        let found = of_sample(sample, &names, &Attachments::default()).into_iter().map(|score| score.name);
        assert_eq!(found.collect::<Vec<_>>(), ["judge.accuracy", "judge.f1", "style"]);
    }
}
