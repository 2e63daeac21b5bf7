//! What fields the JSON of many rows has.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;

/// Keys and indexes from the top that are looked at.
const DEPTH_MAX: usize = 6;
/// Paths that are kept.
const PATHS_MAX: usize = 500;
/// Different values of a path that are told apart.
const DISTINCT_MAX: usize = 1_000;
/// Characters of an example.
const EXAMPLE_MAX: usize = 80;

/// The fields of many JSON values, mergeable in any order.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct FieldSurvey {
    /// What is known of each path, by path.
    pub fields: BTreeMap<String, FieldFacts>,
    /// True when there were more paths than are kept.
    pub is_cut: bool,
}

/// What is known of one path.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct FieldFacts {
    /// Rows that have it, null or not.
    pub rows: i64,
    /// JSON types of its values.
    pub types: BTreeSet<String>,
    /// Hashes of its values, while they are few.
    pub values: HashSet<u64>,
    /// True when there were more values than are told apart.
    pub is_many: bool,
    /// The smallest value seen, as JSON: whichever row came first does not matter.
    pub example: Option<String>,
}

impl FieldSurvey {
    /// Looks at one row. `name` is what the path begins with.
    pub fn look(&mut self, name: &str, value: &Value) {
        let mut seen = HashSet::new();
        self.walk(name.to_string(), value, 0, &mut seen);
    }

    fn walk(&mut self, path: String, value: &Value, depth: usize, seen: &mut HashSet<String>) {
        if !self.note(&path, value, seen) || depth >= DEPTH_MAX {
            return;
        }
        match value {
            Value::Object(fields) => {
                for (key, below) in fields {
                    self.walk(format!("{path}.{}", written(key)), below, depth + 1, seen);
                }
            }
            Value::Array(elements) => {
                for element in elements {
                    self.walk(format!("{path}[*]"), element, depth + 1, seen);
                }
                if let (Some(first), Some(last)) = (elements.first(), elements.last()) {
                    self.walk(format!("{path}[0]"), first, depth + 1, seen);
                    self.walk(format!("{path}[-1]"), last, depth + 1, seen);
                }
            }
            _ => {}
        }
    }

    /// Notes a value at a path; false when there is no room for the path.
    fn note(&mut self, path: &str, value: &Value, seen: &mut HashSet<String>) -> bool {
        if !self.fields.contains_key(path) && self.fields.len() >= PATHS_MAX {
            self.is_cut = true;
            return false;
        }
        let facts = self.fields.entry(path.to_string()).or_default();
        if seen.insert(path.to_string()) {
            facts.rows += 1;
        }
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
            Value::Number(_) => "number",
            Value::String(_) => "text",
            Value::Array(_) => "list",
            Value::Object(_) => "object",
        };
        if !facts.types.contains(kind) {
            facts.types.insert(kind.to_string());
        }
        if value.is_null() {
            return true;
        }
        let text = value.to_string();
        if !facts.is_many {
            let mut hasher = DefaultHasher::new();
            text.hash(&mut hasher);
            facts.values.insert(hasher.finish());
            facts.is_many = facts.values.len() > DISTINCT_MAX;
        }
        let text: String = text.chars().take(EXAMPLE_MAX).collect();
        if facts.example.as_ref().is_none_or(|known| text < *known) {
            facts.example = Some(text);
        }
        true
    }

    /// Adds what another part has seen.
    pub fn merge(&mut self, other: Self) {
        self.is_cut |= other.is_cut;
        for (path, facts) in other.fields {
            if !self.fields.contains_key(&path) && self.fields.len() >= PATHS_MAX {
                self.is_cut = true;
                continue;
            }
            let known = self.fields.entry(path).or_default();
            known.rows += facts.rows;
            known.types.extend(facts.types);
            known.is_many |= facts.is_many;
            known.values.extend(facts.values);
            known.is_many |= known.values.len() > DISTINCT_MAX;
            known.example = match (known.example.take(), facts.example) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
    }

    /// Bytes held outside the struct itself, about.
    pub fn heap_size(&self) -> usize {
        self.fields.iter().map(|(path, facts)| path.len() + 200 + facts.values.capacity() * 16).sum()
    }
}

/// A key as the filter language writes it after a dot.
fn written(key: &str) -> String {
    let mut characters = key.chars();
    let is_plain = characters.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && characters.all(|c| c.is_alphanumeric() || c == '_');
    if is_plain { key.to_string() } else { format!("\"{}\"", key.replace('"', "\"\"")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_types_and_presence() {
        let mut survey = FieldSurvey::default();
        survey.look("input", &json!({"a": 1, "b c": [{"x": "u"}, {"x": "v"}]}));
        survey.look("input", &json!({"a": "text", "d": null}));
        let paths: Vec<&str> = survey.fields.keys().map(String::as_str).collect();
        assert_eq!(
            paths,
            [
                "input",
                "input.\"b c\"",
                "input.\"b c\"[*]",
                "input.\"b c\"[*].x",
                "input.\"b c\"[-1]",
                "input.\"b c\"[-1].x",
                "input.\"b c\"[0]",
                "input.\"b c\"[0].x",
                "input.a",
                "input.d"
            ]
        );
        let a = &survey.fields["input.a"];
        assert_eq!((a.rows, a.types.iter().cloned().collect::<Vec<_>>()), (2, vec!["integer".into(), "text".into()]));
        assert_eq!(
            (survey.fields["input.\"b c\"[*].x"].rows, survey.fields["input.\"b c\"[*].x"].values.len()),
            (1, 2)
        );
    }

    #[test]
    fn parts_merge_to_the_whole() {
        let rows: Vec<Value> = (0..50).map(|i| json!({"k": i % 7, "s": [i], "n": {"deep": i % 3 == 0}})).collect();
        let mut whole = FieldSurvey::default();
        rows.iter().for_each(|row| whole.look("m", row));
        let mut parts = FieldSurvey::default();
        for chunk in rows.chunks(7).rev() {
            let mut part = FieldSurvey::default();
            chunk.iter().for_each(|row| part.look("m", row));
            parts.merge(part);
        }
        assert_eq!(parts, whole);
    }

    #[test]
    fn depth_and_number_are_limited() {
        let mut survey = FieldSurvey::default();
        let wide: serde_json::Map<String, Value> = (0..2_000).map(|i| (format!("k{i}"), json!(1))).collect();
        survey.look("m", &Value::Object(wide));
        assert!(survey.fields.len() == PATHS_MAX && survey.is_cut);
        let deep = (0..50).fold(json!(1), |below, _| json!({ "a": below }));
        let mut survey = FieldSurvey::default();
        survey.look("m", &deep);
        assert_eq!(survey.fields.len(), DEPTH_MAX + 1);
    }
}
