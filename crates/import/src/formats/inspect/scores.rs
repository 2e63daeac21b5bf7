//! Scores of Inspect's samples.

use crate::formats::score::{Reading, Score};
use crate::json::{Kind, ObjectText, Value};

/// The scores of a sample. A scorer that gives an object or a list gives one score for each entry.
pub(super) fn of_sample(scores: Option<Value<'_>>) -> Vec<Score> {
    let scorers: Vec<_> = scores.iter().flat_map(Value::fields).collect();
    let mut all = Vec::new();
    for (scorer, score) in &scorers {
        let value = score.get("value");
        match value.map(|value| value.kind) {
            Some(Kind::Object) => {
                for (key, part) in value.iter().flat_map(Value::fields) {
                    let is_shared = scorers.iter().any(|(other, score)| other != scorer && has_key(score, &key));
                    let name = if is_shared { format!("{scorer}.{key}") } else { key.into_owned() };
                    all.push(one(name, scorer, read_value(Some(part)), *score));
                }
            }
            Some(Kind::Array) => {
                for (index, part) in value.iter().flat_map(Value::items).enumerate() {
                    all.push(one(format!("{scorer}_{index}"), scorer, read_value(Some(part)), *score));
                }
            }
            // A score that is not an object at all is its own value.
            None if score.kind != Kind::Object => {
                all.push(one(scorer.to_string(), scorer, read_value(Some(*score)), *score));
            }
            _ => all.push(one(scorer.to_string(), scorer, read_value(value), *score)),
        }
    }
    all
}

fn has_key(score: &Value<'_>, key: &str) -> bool {
    score.get("value").is_some_and(|value| value.fields().any(|(known, _)| known == key))
}

fn one(name: String, scorer: &str, reading: Reading, score: Value<'_>) -> Score {
    let text = |key: &str| score.get(key).and_then(|value| value.as_text().map(|text| text.into_owned()));
    let mut metadata = ObjectText::new();
    metadata.put_all(score.get("metadata"), &["history"]);
    metadata.put("history", score.get("history").filter(|history| !history.is_empty()));
    Score {
        scorer: Some(scorer.to_string()),
        answer: score.get("answer").and_then(|answer| answer.json()),
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
    match grade {
        Some(number) => Reading { original: value.and_then(|value| value.json()), ..Reading::of_number(number) },
        None => Reading::of(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(text: &str) -> Vec<(String, Option<f64>)> {
        let scores = of_sample(Some(Value::parse(text).unwrap()));
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
    fn objects_and_lists_are_several_scores() {
        let found = scores(r#"{"a":{"value":{"x":1,"y":0}},"b":{"value":{"y":1}},"l":{"value":[1,"I"]}}"#);
        let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["x", "a.y", "b.y", "l_0", "l_1"]);
    }
}
