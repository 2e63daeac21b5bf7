//! A logged row becomes a span, and a stored span the row that it was.

use std::sync::Arc;

use evalhouse_import::RowReader;
use evalhouse_journal::{Controls, Row};
use evalhouse_model::canonical::canonical_number;
use evalhouse_model::{Span, schema};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use crate::LiveError;

/// Fields that say to which object a row belongs; the object itself knows.
const ROUTING: [&str; 5] = ["experiment_id", "dataset_id", "project_id", "prompt_session_id", "log_id"];
/// Fields that tell the server what to do with a row, and are no data.
const CONTROLS: [&str; 7] =
    ["_is_merge", "_merge_paths", "_array_delete", "_object_delete", "_parent_id", "_audit_source", "_audit_metadata"];
/// Fields that the server makes.
const DERIVED: [&str; 3] = [schema::XACT, schema::IS_ROOT, "_pagination_key"];

/// Takes out of a row what is about it and not in it.
pub(crate) fn strip(row: &mut Row) {
    for name in ROUTING.iter().chain(&CONTROLS).chain(&DERIVED) {
        row.remove(name);
    }
}

/// Whether a field is about the row and not in it.
fn is_stripped(name: &str) -> bool {
    ROUTING.contains(&name) || CONTROLS.contains(&name) || DERIVED.contains(&name)
}

/// The text of a field that is text.
pub(crate) fn text(row: &Row, name: &str) -> Option<String> {
    row.value(name, "text").ok().flatten().filter(|text: &String| !text.is_empty())
}

/// Whether a row says nothing of a field.
pub(crate) fn is_absent(row: &Row, name: &str) -> bool {
    row.get(name).is_none_or(|value| matches!(value.get(), "null" | "\"\""))
}

/// A text as JSON.
pub(crate) fn raw_text(text: &str) -> Box<RawValue> {
    to_raw_value(text).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// The trace of a row that is not stored yet: what it says, or its first parent, or itself.
pub(crate) fn trace_of(row: &Row, id: &str) -> String {
    let parents = || row.value::<Vec<String>>(schema::SPAN_PARENTS, "a list of ids").ok().flatten();
    text(row, schema::ROOT_SPAN_ID)
        .or_else(|| parents().and_then(|parents| parents.into_iter().next()))
        .or_else(|| text(row, schema::SPAN_ID))
        .unwrap_or_else(|| id.to_string())
}

/// Gives a new row the ids that it was sent without; its trace, unless that is its `_parent_id`'s.
pub(crate) fn identify(row: &mut Row, id: &str, controls: &Controls) -> Option<String> {
    if is_absent(row, schema::SPAN_ID) {
        row.set(schema::SPAN_ID, raw_text(id));
    }
    if controls.parent_id.is_some() {
        return text(row, schema::ROOT_SPAN_ID);
    }
    let trace = trace_of(row, id);
    if is_absent(row, schema::ROOT_SPAN_ID) {
        row.set(schema::ROOT_SPAN_ID, raw_text(&trace));
    }
    Some(trace)
}

/// The row of a JSON object, or one without fields.
fn gathered(object: Option<&str>) -> Row {
    object.and_then(|text| Row::parse(text).ok()).unwrap_or_default()
}

/// A row as a span: what is in it.
pub(crate) fn span_of(row: &Row, reader: &mut RowReader) -> Result<Span, LiveError> {
    let fields = row.iter().filter(|(name, _)| !is_stripped(name)).map(|(name, value)| (name, value.get()));
    reader.read(fields).map_err(|fault| LiveError::Row { index: None, message: fault.to_string() })
}

/// A row whose fields cannot be read as a span's, kept whole.
pub(crate) fn opaque(row: &Row, id: &str) -> Span {
    let span_id = text(row, schema::SPAN_ID).unwrap_or_else(|| id.to_string());
    Span {
        id: id.to_string(),
        root_span_id: text(row, schema::ROOT_SPAN_ID).unwrap_or_else(|| span_id.clone()),
        span_id,
        is_root: true,
        extra: Some(row.to_json()),
        ..Span::default()
    }
}

/// A stored span as the row that was logged.
pub(crate) fn row_of(span: &Span) -> Row {
    let mut row = Row::default();
    let mut set = |name: &str, text: Option<String>| {
        if let Some(raw) = text.and_then(|text| RawValue::from_string(text).ok()) {
            row.set(name, raw);
        }
    };
    let string = |text: &str| Some(Value::from(text).to_string());
    set(schema::ID, string(&span.id));
    set(schema::SPAN_ID, string(&span.span_id));
    set(schema::ROOT_SPAN_ID, string(&span.root_span_id));
    set(
        schema::SPAN_PARENTS,
        (!span.span_parents.is_empty()).then(|| Value::from(span.span_parents.clone()).to_string()),
    );
    let created = span.created.and_then(chrono::DateTime::from_timestamp_micros);
    set(schema::CREATED, created.and_then(|time| string(&time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))));
    set(schema::SPAN_ATTRIBUTES, span.span_attributes.clone());
    for (name, text) in [
        (schema::INPUT, &span.input),
        (schema::OUTPUT, &span.output),
        (schema::EXPECTED, &span.expected),
        (schema::ERROR, &span.error),
        (schema::METADATA, &span.metadata),
        (schema::CONTEXT, &span.context),
        (schema::ORIGIN, &span.origin),
    ] {
        set(name, text.clone());
    }
    set(schema::TAGS, span.tags.clone().map(|tags| Value::from(tags).to_string()));
    let number = |value: f64| RawValue::from_string(canonical_number(value)).ok();
    set(schema::SCORES, object(span.scores.iter().map(|(name, value)| (name, value.and_then(number)))));
    set(schema::METRICS, object(span.metrics.iter().map(|(name, value)| (name, number(*value)))));
    for (name, value) in gathered(span.extra.as_deref()).iter() {
        row.set(name, value.to_owned());
    }
    row
}

fn object<'a>(entries: impl Iterator<Item = (&'a Arc<str>, Option<Box<RawValue>>)>) -> Option<String> {
    let mut object = Row::default();
    for (name, value) in entries {
        object.set(&**name, value.unwrap_or_else(|| RawValue::NULL.to_owned()));
    }
    object.iter().next().is_some().then(|| object.to_json())
}
