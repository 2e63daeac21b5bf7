//! Braintrust's rows in tables: CSV downloads and Parquet exports.
//!
//! Each record becomes the JSON row that it stands for, and is read as one. See
//! `docs/import/braintrust.md`.

use super::score::{is_null_text, is_score_column};
use super::{Claim, ForeignFormat};
use crate::discover::Source;
use crate::json::{Kind, ObjectText, Value, quoted};
use crate::load::Stop;
use crate::look::Look;
use crate::receive::{Receiver, Run};
use crate::records::{Record, each_record};
use crate::request::ImportRequest;
use crate::row::RowParser;

/// The format of Braintrust's tables.
pub(crate) struct BraintrustTable;

/// Fields of a row that hold any JSON: a cell that looks like JSON is some.
const JSON_FIELDS: [&str; 14] = [
    "input",
    "output",
    "expected",
    "error",
    "scores",
    "metrics",
    "metadata",
    "tags",
    "span_attributes",
    "span_parents",
    "context",
    "origin",
    "classifications",
    "facets",
];

impl ForeignFormat for BraintrustTable {
    fn name(&self) -> &'static str {
        "braintrust-table"
    }

    fn mapping(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("span", "one row; a row without `span_parents` is the root of its trace"),
            ("fields", "the columns of the fields' names; cells that begin like JSON are JSON"),
            ("scores, metrics, metadata", "columns `scores.X`, `metrics.X`, `metadata.X` too"),
        ]
    }

    fn claim(&self, look: &Look, _source: &Source) -> Claim {
        let Some(columns) = look.columns() else { return Claim::No };
        let has = |name: &str| columns.iter().any(|column| column == name);
        let is_span = has("root_span_id") && has("span_id");
        // Scores as columns of their own are how anybody writes a table.
        let has_own_scores = columns.iter().any(|column| is_score_column(column)) && !has("span_attributes");
        let is_download = has("input") && has("expected") && has("output") && (has("scores") || has("span_attributes"));
        let is_download = is_download && !has_own_scores;
        Claim::main_if(is_span || is_download, "a table with the columns of Braintrust's rows")
    }

    fn read(&self, source: &Source, _request: &ImportRequest, receiver: &mut dyn Receiver) -> Result<(), Stop> {
        let mut parser = RowParser::default();
        let mut ordinal = 0_u64;
        each_record(source, receiver, None, &mut |receiver, record| {
            ordinal += 1;
            let text = row_text(&record);
            let row = match parser.parse(text.as_bytes(), true) {
                Ok(row) => row,
                Err(fault) => return receiver.fault(fault.at(record.line, None)),
            };
            let identity = &row.identity;
            let id = identity.experiment_id.clone().or_else(|| identity.experiment.clone());
            let name = identity.experiment.clone().unwrap_or_else(|| source.stem());
            let experiment = receiver.experiment(&Run { id: id.unwrap_or_else(|| source.stem()), name })?;
            for (word, count) in row.notes.iter() {
                receiver.note(experiment, word, count);
            }
            record.note_rewrites(receiver, experiment);
            let mut span = row.span;
            span.line = record.line;
            for id in [&mut span.id, &mut span.span_id, &mut span.root_span_id] {
                if id.is_empty() {
                    *id = format!("row-{ordinal}");
                }
            }
            receiver.span(experiment, span)
        })
    }
}

/// The JSON row of a record.
fn row_text(record: &Record<'_>) -> String {
    let mut row = ObjectText::new();
    let groups = ["scores", "metrics", "metadata", "span_attributes"];
    let mut nested = groups.map(|_| ObjectText::new());
    for (name, value) in record.value.fields() {
        // The parents say which row is a root.
        if value.kind == Kind::Null || value.text == "\"\"" || name == "is_root" {
            continue;
        }
        let group = name.split_once('.').and_then(|(group, key)| Some((groups.iter().position(|g| *g == group)?, key)));
        if let Some((group, key)) = group {
            let is_nothing = group < 2 && value.string().is_some_and(|text| is_null_text(&text));
            let cell = if group < 2 { figure(value) } else { cell(value, true) };
            nested[group].put_json(key, (!is_nothing).then_some(cell).as_deref());
        } else {
            row.put_json(&name, Some(&cell(value, JSON_FIELDS.contains(&&*name))));
        }
    }
    for (name, object) in groups.into_iter().zip(nested) {
        row.put_json(name, object.finish().as_deref());
    }
    row.finish().unwrap_or_else(|| "{}".into())
}

/// The JSON of a cell. A text that begins like JSON, in a field of JSON, is the JSON that it holds; any
/// other text is a text, also if it is a number.
fn cell(value: Value<'_>, is_json: bool) -> String {
    let Some(text) = value.string().filter(|_| is_json) else { return value.text.to_string() };
    match Value::parse(&text) {
        Ok(inner) if text.starts_with(['{', '[', '"']) => inner.text.to_string(),
        _ => quoted(&text),
    }
}

/// The JSON of a cell that is to be a number or a truth value.
fn figure(value: Value<'_>) -> String {
    let text = value.string().unwrap_or_default();
    match Value::parse(text.trim()) {
        Ok(figure) if !matches!(figure.kind, Kind::String | Kind::Array | Kind::Object) => figure.text.to_string(),
        _ => value.text.to_string(),
    }
}
