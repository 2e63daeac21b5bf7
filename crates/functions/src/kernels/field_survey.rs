//! What fields the JSON of many rows has.
//!
//! Both caps leave the answer independent of the order of the rows and of their split over partitions.
//! Of a path with more than 1,000 values it is only kept that they are more. Of more than 50,000 paths
//! those are kept that come first in an order that paths have by themselves, the shallow before the
//! deep and then by hash: one that is among the first of all rows is among the first of every part of
//! them, so it was counted from its first row on (a bottom-k sample: E. Cohen and H. Kaplan,
//! "Summarizing data using bottom-k sketches", PODC 2007). The answer lists the 500 most present.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;

/// Keys and indexes from the top that are looked at.
const DEPTH_MAX: usize = 6;
/// Paths that are counted.
const COUNTED_MAX: usize = 50_000;
/// Paths that are answered.
const PATHS_MAX: usize = 500;
/// Different values of a path that are told apart.
pub const DISTINCT_MAX: usize = 1_000;
/// Characters of an example.
const EXAMPLE_MAX: usize = 80;

/// The fields of many JSON values, mergeable in any order.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct FieldSurvey {
    /// What is known of each path, by path.
    fields: BTreeMap<String, FieldFacts>,
}

/// What is known of one path.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct FieldFacts {
    /// Keys and indexes from the top.
    depth: usize,
    /// Rows that have it, null or not.
    pub rows: i64,
    /// JSON types of its values.
    pub types: BTreeSet<String>,
    /// Hashes of its values, while they are few; none once they are many.
    values: HashSet<u64>,
    /// True when there are more values than are told apart.
    pub is_many: bool,
    /// The smallest value seen, as JSON: whichever row came first does not matter.
    pub example: Option<String>,
}

impl FieldFacts {
    /// How many different values it has; 1,000 of more.
    pub fn distinct(&self) -> usize {
        if self.is_many { DISTINCT_MAX } else { self.values.len() }
    }

    fn merge(&mut self, other: Self) {
        self.depth = other.depth;
        self.rows += other.rows;
        self.types.extend(other.types);
        self.values.extend(other.values);
        self.is_many |= other.is_many;
        self.forget_many();
        self.example = match (self.example.take(), other.example) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }

    fn forget_many(&mut self) {
        self.is_many |= self.values.len() > DISTINCT_MAX;
        if self.is_many {
            self.values = HashSet::new();
        }
    }
}

impl FieldSurvey {
    /// Looks at one row. `name` is what the path begins with.
    pub fn look(&mut self, name: &str, value: &Value) {
        let mut seen = HashSet::new();
        self.walk(name.to_string(), value, 0, &mut seen);
    }

    fn walk(&mut self, path: String, value: &Value, depth: usize, seen: &mut HashSet<String>) {
        self.note(&path, value, depth, seen);
        if depth >= DEPTH_MAX {
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

    /// Notes a value at a path.
    fn note(&mut self, path: &str, value: &Value, depth: usize, seen: &mut HashSet<String>) {
        if self.fields.len() >= 2 * COUNTED_MAX {
            self.cut();
        }
        let facts = self.fields.entry(path.to_string()).or_default();
        facts.depth = depth;
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
            return;
        }
        let text = value.to_string();
        if !facts.is_many {
            facts.values.insert(hash(&text));
            facts.forget_many();
        }
        let text: String = text.chars().take(EXAMPLE_MAX).collect();
        if facts.example.as_ref().is_none_or(|known| text < *known) {
            facts.example = Some(text);
        }
    }

    /// Keeps the paths that come first in the order of their own.
    fn cut(&mut self) {
        if self.fields.len() <= COUNTED_MAX {
            return;
        }
        let place = |path: &str, facts: &FieldFacts| (facts.depth, hash(path));
        let mut places: Vec<(usize, u64)> = self.fields.iter().map(|(path, facts)| place(path, facts)).collect();
        let (_, last, _) = places.select_nth_unstable(COUNTED_MAX - 1);
        let last = *last;
        self.fields.retain(|path, facts| place(path, facts) <= last);
    }

    /// Adds what another part has seen.
    pub fn merge(&mut self, other: Self) {
        for (path, facts) in other.fields {
            self.fields.entry(path).or_default().merge(facts);
        }
        self.cut();
    }

    /// The fields that most rows have, by path.
    pub fn most_present(&mut self) -> Vec<(&str, &FieldFacts)> {
        self.cut();
        let mut fields: Vec<(&str, &FieldFacts)> =
            self.fields.iter().map(|(path, facts)| (path.as_str(), facts)).collect();
        fields.sort_by(|(a, left), (b, right)| right.rows.cmp(&left.rows).then_with(|| a.cmp(b)));
        fields.truncate(PATHS_MAX);
        fields.sort_by_key(|(path, _)| *path);
        fields
    }

    /// Bytes held outside the struct itself, about.
    pub fn heap_size(&self) -> usize {
        self.fields.iter().map(|(path, facts)| path.len() + 200 + facts.values.capacity() * 16).sum()
    }
}

/// The same for a text in every process, as partial states travel between them.
fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
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

    fn known(survey: &mut FieldSurvey) -> Vec<(String, FieldFacts)> {
        survey.most_present().into_iter().map(|(path, facts)| (path.to_string(), facts.clone())).collect()
    }

    #[test]
    fn paths_types_and_presence() {
        let mut survey = FieldSurvey::default();
        survey.look("input", &json!({"a": 1, "b c": [{"x": "u"}, {"x": "v"}]}));
        survey.look("input", &json!({"a": "text", "d": null}));
        let found: BTreeMap<String, FieldFacts> = known(&mut survey).into_iter().collect();
        assert_eq!(
            found.keys().collect::<Vec<_>>(),
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
        let a = &found["input.a"];
        assert_eq!((a.rows, a.types.iter().cloned().collect::<Vec<_>>()), (2, vec!["integer".into(), "text".into()]));
        let x = &found["input.\"b c\"[*].x"];
        assert_eq!((x.rows, x.distinct()), (1, 2));
    }

    /// The rows at once, and dealt to parts that are merged backwards.
    fn both_ways(rows: &[Value], part: usize) -> [Vec<(String, FieldFacts)>; 2] {
        let survey = |rows: &[Value]| {
            let mut survey = FieldSurvey::default();
            rows.iter().for_each(|row| survey.look("m", row));
            survey
        };
        let mut parts = FieldSurvey::default();
        rows.chunks(part).rev().for_each(|rows| parts.merge(survey(rows)));
        [known(&mut survey(rows)), known(&mut parts)]
    }

    #[test]
    fn parts_merge_to_the_whole() {
        let rows: Vec<Value> = (0..50).map(|i| json!({"k": i % 7, "s": [i], "n": {"deep": i % 3 == 0}})).collect();
        let [whole, parts] = both_ways(&rows, 7);
        assert_eq!(parts, whole);
    }

    #[test]
    fn parts_merge_to_the_whole_beyond_every_cap() {
        // 120,000 paths of one row each, 300 of a hundred, which come last, and one that every row has
        // with a value of its own.
        let rows: Vec<Value> = (0..3_000)
            .map(|i| {
                let rare: serde_json::Map<String, Value> =
                    (0..20).map(|j| (format!("{i}_{j}"), json!({"below": j}))).collect();
                let mut fields = serde_json::Map::from_iter([("all".to_string(), json!(i))]);
                fields.insert("rare".into(), Value::Object(rare));
                fields.extend((0..300).filter(|_| i >= 2_900).map(|j| (format!("common{j}"), json!(j))));
                Value::Object(fields)
            })
            .collect();
        let [whole, parts] = both_ways(&rows, 400);
        assert_eq!(parts, whole);
        let found: BTreeMap<String, FieldFacts> = whole.into_iter().collect();
        assert_eq!(found.len(), PATHS_MAX);
        let all = &found["m.all"];
        assert_eq!((all.rows, all.distinct(), all.is_many), (3_000, DISTINCT_MAX, true));
        assert!((0..300).all(|j| found[&format!("m.common{j}")].rows == 100));
    }

    #[test]
    fn the_most_present_are_answered() {
        let mut survey = FieldSurvey::default();
        for i in 0..900 {
            survey.look("m", &json!({format!("rare{i}"): i, "late": null}));
        }
        (0..9).for_each(|_| survey.look("m", &json!({"zzz": 1})));
        let found = known(&mut survey);
        let rows = |name: &str| found.iter().find(|(path, _)| path == name).map(|(_, facts)| facts.rows);
        assert_eq!((rows("m"), rows("m.late"), rows("m.zzz"), found.len()), (Some(909), Some(900), Some(9), PATHS_MAX));
    }

    #[test]
    fn depth_is_limited() {
        let deep = (0..50).fold(json!(1), |below, _| json!({ "a": below }));
        let mut survey = FieldSurvey::default();
        survey.look("m", &deep);
        assert_eq!(known(&mut survey).len(), DEPTH_MAX + 1);
    }
}
