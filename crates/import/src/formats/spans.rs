//! What the formats share in making spans.

use evalhouse_model::Span;

use crate::json::{Kind, ObjectText, Value};
use crate::receive::shared;
use crate::row::{parse_time_number, parse_time_text};

/// Seconds since the Unix epoch of a time as text, or as a number of any unit.
pub(crate) fn seconds(value: Option<Value<'_>>) -> Option<f64> {
    micros(value).map(|micros| micros as f64 / 1e6)
}

/// Microseconds since the Unix epoch of a time as text, or as a number of any unit.
pub(crate) fn micros(value: Option<Value<'_>>) -> Option<i64> {
    let value = value?;
    match value.kind {
        Kind::Number => parse_time_number(value.text),
        _ => {
            let text = value.string()?;
            parse_time_text(text.trim()).or_else(|| parse_time_number(text.trim()))
        }
    }
}

/// A root span with its ids.
pub(crate) fn root(id: String) -> Span {
    let mut span = Span { span_id: id.clone(), root_span_id: id.clone(), id, is_root: true, ..Span::default() };
    set_kind(&mut span, "eval", "eval", false);
    span
}

/// A span below another one of the same trace.
pub(crate) fn child(id: String, parent: &Span) -> Span {
    Span {
        span_id: id.clone(),
        id,
        root_span_id: parent.root_span_id.clone(),
        span_parents: vec![parent.span_id.clone()],
        version: parent.version,
        created: parent.created,
        line: parent.line,
        ..Span::default()
    }
}

/// Sets name, type and purpose, in their columns and in the attributes.
pub(crate) fn set_kind(span: &mut Span, name: &str, span_type: &str, is_scorer: bool) {
    let mut attributes = ObjectText::new();
    attributes.put_text("name", Some(name));
    attributes.put_text("type", Some(span_type));
    attributes.put_text("purpose", is_scorer.then_some("scorer"));
    span.span_attributes = attributes.finish();
    span.name = Some(name.to_string());
    span.span_type = Some(span_type.to_string());
    span.purpose = is_scorer.then(|| "scorer".to_string());
}

/// Sets start and end, in their columns and among the metrics.
pub(crate) fn set_times(span: &mut Span, start: Option<f64>, end: Option<f64>) {
    (span.start, span.end) = (start, end);
    add_metric(span, "start", start);
    add_metric(span, "end", end);
}

/// Adds a metric; one without a finite value is left out. Sources write one figure under several names,
/// and metrics of one name are summed: the first that has a value counts.
pub(crate) fn add_metric(span: &mut Span, name: &str, value: Option<f64>) {
    let is_known = |span: &Span| span.metrics.iter().any(|(known, _)| &**known == name);
    if let Some(value) = value.filter(|value| value.is_finite() && !is_known(span)) {
        span.metrics.push((shared(name), value));
    }
}

/// The text of a field, if it is a string, a number or a boolean.
pub(crate) fn text_at(object: Value<'_>, name: &str) -> Option<String> {
    object.get(name)?.as_text().map(|text| text.into_owned())
}

/// The JSON of a field. A text that is the JSON of an object or array is taken for it: tools put JSON
/// into texts where their tables have no better type.
pub(crate) fn unpacked(object: Value<'_>, name: &str) -> Option<String> {
    unpacked_value(object.get(name)?)
}

/// The JSON of a value, see [`unpacked`]. An empty text is nothing.
pub(crate) fn unpacked_value(value: Value<'_>) -> Option<String> {
    let Some(text) = value.string() else { return value.json() };
    if text.is_empty() {
        return None;
    }
    let inner = text.trim_start().starts_with(['{', '[']).then(|| Value::parse(&text).ok()?.json()).flatten();
    inner.or_else(|| value.json())
}
