//! Rows of any tool: CSV, JSON and Parquet, with a map from columns to what they are.
//!
//! The map is guessed from the names of the columns, and each part of it can be given instead. See
//! `docs/import/generic.md`.

use std::collections::HashMap;

use evalhouse_model::Span;
use xxhash_rust::xxh3::xxh3_128;

use super::score::{Reading, Score, State, is_null_text, is_score_column};
use super::spans::{add_metric, micros, root, seconds, set_times};
use super::{Claim, ForeignFormat};
use crate::discover::Source;
use crate::error::Fault;
use crate::json::{Kind, ObjectText, Value};
use crate::load::Stop;
use crate::look::{Container, Look};
use crate::reason;
use crate::receive::{Receiver, Run};
use crate::records::{Record, each_record};
use crate::request::ImportRequest;

/// The format of rows that no other format claims.
pub(crate) struct Generic;

/// The roles that one column at most can have, each with the names that are taken for it. A column
/// that has the name of its role has it, whatever others are called.
const ROLES: [(&str, &[&str]); 10] = [
    ("input", &["input", "inputs", "question", "prompt", "query", "instruction"]),
    ("output", &["output", "outputs", "answer", "response", "completion", "prediction", "actual_output"]),
    ("expected", &["expected", "target", "reference", "ideal", "label", "ground_truth", "expected_output"]),
    ("id", &["id"]),
    ("experiment", &["experiment"]),
    ("trial", &["trial"]),
    ("error", &["error"]),
    ("tags", &["tags"]),
    ("created", &["created"]),
    ("start", &["start"]),
];

/// Roles that only a given map fills.
const GIVEN_ROLES: [&str; 1] = ["end"];

impl ForeignFormat for Generic {
    fn name(&self) -> &'static str {
        "generic"
    }

    fn mapping(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("experiment", "the file, or each value of the column `experiment`"),
            ("case", "one row"),
            ("input", "`input`, `question`, `prompt`, `query` or `instruction`; else the id"),
            ("output", "`output`, `answer`, `response`, `completion`, `prediction` or `actual_output`"),
            ("expected", "`expected`, `target`, `reference`, `ideal`, `label`, `ground_truth` or `expected_output`"),
            ("scores", "columns `score`, `score_X`, `scores.X`, `feedback.X`, `X_score`"),
            ("metrics", "columns `metrics.X`; `latency…` and `duration…` that end in `_ms` or `_s` as `duration`"),
            ("metadata", "every other column"),
        ]
    }

    fn columns(&self, source: &Source, request: &ImportRequest) -> Result<Vec<(String, String)>, Fault> {
        let columns = columns_of(&Look::at(source)?);
        let mut map = ColumnMap::of(&columns, request)?;
        let described = columns.iter().map(|column| (map.of_column(column).described(), format!("column `{column}`")));
        Ok(described.collect())
    }

    fn claim(&self, look: &Look, _source: &Source) -> Claim {
        let columns = columns_of(look);
        let known =
            |role: &str| ROLES.iter().any(|(name, names)| *name == role && columns.iter().any(|c| is_one_of(c, names)));
        let has_score = columns.iter().any(|column| score_name(column).is_some());
        Claim::main_if(known("input") && (known("output") || has_score), "columns for an input and a result")
    }

    fn read(&self, source: &Source, request: &ImportRequest, receiver: &mut dyn Receiver) -> Result<(), Stop> {
        let map = ColumnMap::of(&columns_of(&Look::at(source)?), request)?;
        let mut rows = Rows { map, experiments: HashMap::new(), ids: HashMap::new(), ordinal: 0 };
        each_record(source, receiver, None, &mut |receiver, record| rows.add(&record, source, receiver))
    }
}

fn columns_of(look: &Look) -> Vec<String> {
    match &look.container {
        Container::Json(..) => look.names_of_rows().map(str::to_string).collect(),
        _ => look.columns().unwrap_or_default().to_vec(),
    }
}

fn is_one_of(column: &str, names: &[&str]) -> bool {
    names.iter().any(|name| column.eq_ignore_ascii_case(name))
}

/// The score that a column is taken for.
fn score_name(column: &str) -> Option<&str> {
    let lower = column.to_ascii_lowercase();
    for prefix in ["scores.", "feedback.", "score.", "score_"] {
        if lower.starts_with(prefix) && column.len() > prefix.len() {
            return column.get(prefix.len()..);
        }
    }
    is_score_column(column).then_some(column)
}

/// The seconds that a column of a duration counts in.
fn duration_unit(column: &str) -> Option<f64> {
    let lower = column.to_ascii_lowercase();
    let is_duration = lower.starts_with("latency") || lower.starts_with("duration");
    let unit = if lower.ends_with("_ms") {
        Some(1e-3)
    } else {
        (lower.ends_with("_s") || lower.ends_with("_seconds")).then_some(1.0)
    };
    unit.filter(|_| is_duration)
}

/// What a column is.
#[derive(Debug, Clone, PartialEq)]
enum Use {
    Role(&'static str),
    Score(String),
    Metric(String, f64),
    /// An object of scores, metrics or metadata.
    Group(&'static str),
    Metadata(String),
}

impl Use {
    /// Its name, without the unit that a metric is counted in.
    fn name(&self) -> String {
        match self {
            Self::Metric(name, _) => format!("metrics.{name}"),
            other => other.described(),
        }
    }

    fn is_same_as(&self, other: &Self) -> bool {
        self.name() == other.name()
    }

    /// As `--column` names it.
    fn described(&self) -> String {
        match self {
            Self::Role(role) => (*role).to_string(),
            Self::Score(name) => format!("scores.{name}"),
            Self::Metric(name, unit) if *unit == 1.0 => format!("metrics.{name}"),
            Self::Metric(name, unit) => format!("metrics.{name}, × {unit}"),
            Self::Group(group) => format!("{group}.…"),
            Self::Metadata(name) => format!("metadata.{name}"),
        }
    }
}

/// What each column is.
struct ColumnMap {
    uses: HashMap<String, Use>,
}

impl ColumnMap {
    /// The map of a file: what the user gave, and guesses for the rest.
    fn of(columns: &[String], request: &ImportRequest) -> Result<Self, Fault> {
        let mut uses = HashMap::new();
        for (role, column) in &request.columns {
            if !columns.contains(column) {
                let message = format!("there is no column `{column}`; the columns are `{}`", columns.join("`, `"));
                return Err(Fault::field(role.clone(), reason::NO_SUCH_COLUMN, message).at(1, None));
            }
            uses.insert(column.clone(), given_use(role)?);
        }
        for (role, names) in ROLES {
            if !uses.values().any(|known| *known == Use::Role(role))
                && let Some(column) = guess(role, names, columns, &uses)?
            {
                uses.insert(column, Use::Role(role));
            }
        }
        let given = Self { uses };
        let mut map = Self { uses: given.uses.clone() };
        for column in columns.iter().filter(|column| !given.uses.contains_key(*column)) {
            let guessed = guessed_use(column);
            let guessed = if given.is_used(&guessed) { as_metadata(column) } else { guessed };
            if map.is_used(&guessed) {
                let other = map.uses.iter().find(|(_, known)| known.is_same_as(&guessed));
                let other = other.map(|(name, _)| name.as_str()).unwrap_or_default();
                let (role, column) = (guessed.name(), column.as_str());
                return Err(ambiguous(&role, other.min(column), other.max(column)));
            }
            map.uses.insert(column.clone(), guessed);
        }
        Ok(map)
    }

    /// What a column is. One that the first rows do not have is guessed when it comes: it has the role
    /// of its name, if no other column has it.
    fn of_column(&mut self, column: &str) -> Use {
        if let Some(known) = self.uses.get(column) {
            return known.clone();
        }
        let role = ROLES.iter().map(|(role, _)| *role).find(|role| column.eq_ignore_ascii_case(role));
        let late = match role.filter(|role| !self.has_role(role)) {
            Some(role) => Use::Role(role),
            None => Some(guessed_use(column)).filter(|late| !self.is_used(late)).unwrap_or_else(|| as_metadata(column)),
        };
        self.uses.insert(column.to_string(), late.clone());
        late
    }

    /// Whether another column is this score or metric.
    fn is_used(&self, wanted: &Use) -> bool {
        matches!(wanted, Use::Score(_) | Use::Metric(..)) && self.uses.values().any(|known| known.is_same_as(wanted))
    }

    fn has_role(&self, role: &'static str) -> bool {
        self.uses.values().any(|known| *known == Use::Role(role))
    }
}

fn given_use(role: &str) -> Result<Use, Fault> {
    let names = ROLES.iter().map(|(name, _)| *name).chain(GIVEN_ROLES);
    if let Some(name) = names.clone().find(|name| *name == role) {
        return Ok(Use::Role(name));
    }
    match role.split_once('.') {
        Some(("scores", name)) => Ok(Use::Score(name.to_string())),
        Some(("metrics", name)) => Ok(Use::Metric(name.to_string(), 1.0)),
        Some(("metadata", name)) => Ok(Use::Metadata(name.to_string())),
        _ => {
            let known = names.collect::<Vec<_>>().join("`, `");
            let message = format!(
                "`{role}` is nothing that a column can be; known are `{known}`, `scores.X`, `metrics.X`, `metadata.X`"
            );
            Err(Fault::field(role.to_string(), reason::NO_SUCH_COLUMN, message).at(1, None))
        }
    }
}

fn guess(role: &str, names: &[&str], columns: &[String], uses: &HashMap<String, Use>) -> Result<Option<String>, Fault> {
    let free = columns.iter().filter(|column| !uses.contains_key(*column));
    let matching: Vec<&String> = free.filter(|column| is_one_of(column, names)).collect();
    if let Some(exact) = matching.iter().find(|column| column.eq_ignore_ascii_case(role)) {
        return Ok(Some((*exact).clone()));
    }
    match matching.as_slice() {
        [] => Ok(None),
        [only] => Ok(Some((*only).clone())),
        [first, second, ..] => Err(ambiguous(role, first, second)),
    }
}

fn ambiguous(role: &str, first: &str, second: &str) -> Fault {
    let message = format!("both `{first}` and `{second}` could be the {role}");
    let fault = Fault::field(role.to_string(), reason::AMBIGUOUS_COLUMN, message).at(1, None);
    fault.with_hint("say which with `--column ROLE=NAME`, and what the other is: `--column metadata.X=NAME`")
}

fn as_metadata(column: &str) -> Use {
    Use::Metadata(column.to_string())
}

fn guessed_use(column: &str) -> Use {
    if let Some(group) = ["scores", "metrics", "metadata"].into_iter().find(|group| column.eq_ignore_ascii_case(group))
    {
        return Use::Group(group);
    }
    if let Some(name) = score_name(column) {
        return Use::Score(name.to_string());
    }
    if let Some(unit) = duration_unit(column) {
        return Use::Metric("duration".into(), unit);
    }
    match column.split_once('.') {
        Some(("metrics", name)) => Use::Metric(name.to_string(), 1.0),
        Some(("metadata", name)) => Use::Metadata(name.to_string()),
        _ => as_metadata(column),
    }
}

struct Rows {
    map: ColumnMap,
    experiments: HashMap<String, usize>,
    /// Experiment and id of a row to how often they came.
    ids: HashMap<(usize, u128), u32>,
    ordinal: u64,
}

/// The parts of one row.
#[derive(Default)]
struct Parts<'a> {
    roles: HashMap<&'static str, Value<'a>>,
    scores: Vec<(String, Reading)>,
    metrics: Vec<(String, f64)>,
    metadata: ObjectText,
}

impl Rows {
    fn add(&mut self, record: &Record<'_>, source: &Source, receiver: &mut dyn Receiver) -> Result<(), Stop> {
        self.ordinal += 1;
        let mut parts = self.parts(record);
        // What failed could not be scored.
        if parts.roles.contains_key("error") {
            for (_, reading) in parts.scores.iter_mut().filter(|(_, reading)| reading.state == State::Missing) {
                reading.state = State::Error;
            }
        }
        let role = |name: &str| parts.roles.get(name).copied();
        let experiment = self.experiment(role("experiment"), source, receiver)?;
        record.note_rewrites(receiver, experiment);
        let mut case = root(self.id(experiment, role("id"), role("trial")));
        case.line = record.line;
        case.created = micros(role("created"));
        set_times(&mut case, seconds(role("start")), seconds(role("end")));
        for (name, value) in &parts.metrics {
            add_metric(&mut case, name, Some(*value));
        }
        self.fill(&mut case, &parts);
        for (name, reading) in parts.scores {
            Score::new(name, reading).hand_on(receiver, experiment, &case)?;
        }
        receiver.span(experiment, case)
    }

    fn parts<'a>(&mut self, record: &Record<'a>) -> Parts<'a> {
        let mut parts = Parts::default();
        for (column, value) in record.value.fields() {
            match self.map.of_column(&column) {
                Use::Role(role) => {
                    // An empty cell of a table is no value; an empty string in JSON is one, but no error.
                    let is_nothing = match role {
                        "error" => value.text == "\"\"" || value.kind == Kind::False || value.is_empty(),
                        _ => value.kind == Kind::Null || (record.is_text && value.text == "\"\""),
                    };
                    if !is_nothing {
                        parts.roles.insert(role, value);
                    }
                }
                Use::Score(name) => parts.add_score(name, value),
                Use::Metric(name, unit) => parts.add_metric(name, value, unit),
                Use::Metadata(name) => parts.metadata.put(&name, Some(value)),
                Use::Group(group) => parts.add_group(group, value),
            }
        }
        parts
    }

    fn experiment(
        &mut self,
        named: Option<Value<'_>>,
        source: &Source,
        receiver: &mut dyn Receiver,
    ) -> Result<usize, Stop> {
        let name = named.and_then(|name| name.as_text()).map_or_else(|| source.stem(), |name| name.into_owned());
        if let Some(&known) = self.experiments.get(&name) {
            return Ok(known);
        }
        let experiment = receiver.experiment(&Run { id: name.clone(), name: name.clone() })?;
        self.experiments.insert(name, experiment);
        Ok(experiment)
    }

    /// The id of a row. Rows with one input are trials in the order of their ids: by their own numbers,
    /// else as they come.
    fn id(&mut self, experiment: usize, id: Option<Value<'_>>, trial: Option<Value<'_>>) -> String {
        let trial = trial.and_then(|trial| trial.integer());
        let id = match (id.and_then(|id| id.as_text()), trial) {
            (Some(id), None) => id.into_owned(),
            (Some(id), Some(trial)) => format!("{id}_trial_{trial:04}"),
            (None, Some(trial)) => format!("trial-{trial:04}/row-{:08}", self.ordinal),
            (None, None) => format!("row-{:08}", self.ordinal),
        };
        let mut unique = id.clone();
        // What is behind a repeated id may itself be the id of another row.
        loop {
            let count = self.ids.entry((experiment, xxh3_128(unique.as_bytes()))).or_default();
            *count += 1;
            if *count == 1 {
                return unique;
            }
            unique = format!("{id}_{count:04}");
        }
    }

    fn fill(&self, case: &mut Span, parts: &Parts<'_>) {
        let json = |name: &str| parts.roles.get(name).and_then(|value| value.json());
        case.input = json("input");
        case.output = json("output");
        case.expected = json("expected");
        case.error = json("error");
        case.tags = parts.roles.get("tags").map(|tags| tags_of(*tags));
        let mut metadata = parts.metadata.clone();
        metadata.put_json("id", json("id").as_deref());
        metadata.put_json("trial", json("trial").as_deref());
        case.metadata = metadata.finish();
        if case.input.is_none() && !self.map.has_role("input") {
            let mut input = ObjectText::new();
            input.put_json("id", json("id").as_deref());
            case.input = input.finish();
        }
    }
}

impl Parts<'_> {
    fn add_score(&mut self, name: String, value: Value<'_>) {
        if self.scores.iter().any(|(known, _)| *known == name) {
            return self.metadata.put(&format!("scores.{name}"), Some(value));
        }
        self.scores.push((name, Reading::of(Some(value))));
    }

    fn add_metric(&mut self, name: String, value: Value<'_>, unit: f64) {
        match value.loose_number() {
            Some(number) => self.metrics.push((name, number * unit)),
            None if value.string().is_some_and(|text| is_null_text(&text)) || value.kind == Kind::Null => {}
            // Not a number: still what the source says.
            None => self.metadata.put(&name, Some(value)),
        }
    }

    /// Takes an object of scores, metrics or metadata; in a table it is the text of one.
    fn add_group(&mut self, group: &str, value: Value<'_>) {
        let text = value.string().unwrap_or_default();
        let object = if value.kind == Kind::Object { Some(value) } else { Value::parse(&text).ok() };
        let Some(object) = object.filter(|object| object.kind == Kind::Object) else {
            return self.metadata.put(group, Some(value).filter(|value| value.text != "\"\""));
        };
        for (name, value) in object.fields() {
            match group {
                "scores" => self.add_score(name.into_owned(), value),
                "metrics" => self.add_metric(name.into_owned(), value, 1.0),
                _ => self.metadata.put(&name, Some(value)),
            }
        }
    }
}

/// Tags as a list, or as one text with commas.
fn tags_of(tags: Value<'_>) -> Vec<String> {
    if tags.kind == Kind::Array {
        return tags.items().filter_map(|tag| Some(tag.as_text()?.into_owned())).collect();
    }
    let text = tags.as_text().unwrap_or_default();
    text.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(columns: &[&str], given: &[(&str, &str)]) -> Result<ColumnMap, Fault> {
        let columns: Vec<String> = columns.iter().map(|column| column.to_string()).collect();
        let given = given.iter().map(|(role, column)| (role.to_string(), column.to_string())).collect();
        ColumnMap::of(&columns, &ImportRequest { columns: given, ..Default::default() })
    }

    #[test]
    fn columns_are_guessed_by_name() {
        let map = map(&["Question", "answer", "quality_score", "latency_ms", "model"], &[]).unwrap();
        assert_eq!(map.uses["Question"], Use::Role("input"));
        assert_eq!(map.uses["answer"], Use::Role("output"));
        assert_eq!(map.uses["quality_score"], Use::Score("quality_score".into()));
        assert_eq!(map.uses["latency_ms"], Use::Metric("duration".into(), 1e-3));
        assert_eq!(map.uses["model"], Use::Metadata("model".into()));
    }

    #[test]
    fn two_columns_for_one_role_are_refused_until_the_user_says_which() {
        let fault = map(&["question", "prompt", "answer"], &[]).err().unwrap();
        assert!(fault.message.contains("`question` and `prompt`"), "{fault}");
        let given = map(&["question", "prompt", "answer"], &[("input", "prompt"), ("metadata.q", "question")]);
        assert_eq!(given.unwrap().uses["prompt"], Use::Role("input"));
        assert!(map(&["input", "question"], &[]).is_ok());
        assert!(map(&["input"], &[("output", "nothing")]).is_err());
    }
}
