//! Traces and evaluation tables of MLflow. See `docs/import/mlflow.md`.

use evalhouse_model::Span;

use super::attributes::{Attributes, parsed};
use super::otlp::hex_id;
use super::python;
use super::score::{Reading, Score, hand_on_case};
use super::spans::{add_metric, micros, root, set_kind, set_times, text_at, unpacked};
use super::trace_index::{Place, TraceIndex, row_id};
use super::{Claim, ForeignFormat};
use crate::discover::Source;
use crate::error::Fault;
use crate::json::{ObjectText, Value};
use crate::load::Stop;
use crate::look::Look;
use crate::reason;
use crate::receive::{Receiver, Run};
use crate::records::{Record, each_record};
use crate::request::ImportRequest;

/// The format of MLflow's traces.
pub(crate) struct Mlflow;

impl ForeignFormat for Mlflow {
    fn name(&self) -> &'static str {
        "mlflow"
    }

    fn mapping(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("experiment", "`mlflow.sourceRun` of the trace, else its experiment id, else the file"),
            ("case", "a trace; a row of an evaluation table"),
            ("input, output", "`mlflow.traceInputs` and `mlflow.traceOutputs`, else those of the root span"),
            ("expected", "the expectations, by name"),
            ("scores", "valid feedback: numbers, booleans, yes and no; other texts are labels; `error` is state error"),
            ("spans", "`data.spans`, with `mlflow.spanInputs`, `mlflow.spanOutputs` and `mlflow.spanType`"),
            ("metrics", "`mlflow.chat.tokenUsage`"),
        ]
    }

    fn claim(&self, look: &Look, _source: &Source) -> Claim {
        let is_trace = look.rows().is_some_and(|fields| {
            fields.has_any(&["info.trace_id", "info.request_id"]) && fields.has_any(&["data", "data.spans"])
        });
        if is_trace {
            return Claim::Main("JSON objects with `info.trace_id` and `data.spans`".into());
        }
        let names: Vec<&str> = match (look.columns(), look.rows()) {
            (Some(columns), _) => columns.iter().map(String::as_str).collect(),
            (None, Some(fields)) => fields.names().collect(),
            (None, None) => return Claim::No,
        };
        let has = |name: &str| names.contains(&name);
        let has_value = names.iter().any(|name| name.ends_with("/value"));
        Claim::main_if(
            has("trace_id") && has("request") && has_value,
            "a table with `trace_id`, `request` and `X/value`",
        )
    }

    fn read(&self, source: &Source, _request: &ImportRequest, receiver: &mut dyn Receiver) -> Result<(), Stop> {
        each_record(source, receiver, None, &mut |receiver, record| match record.value.get("info") {
            Some(info) => trace(source, &record, info, receiver),
            None => table_row(source, &record, receiver),
        })
    }
}

fn trace(source: &Source, record: &Record<'_>, info: Value<'_>, receiver: &mut dyn Receiver) -> Result<(), Stop> {
    let Some(id) = text_at(info, "trace_id").or_else(|| text_at(info, "request_id")) else {
        let message = "a trace needs an id";
        return receiver.fault(Fault::field("info.trace_id", reason::NOT_A_ROW, message).at(record.line, None));
    };
    let known = Attributes::of_object(info.get("trace_metadata").or_else(|| info.get("request_metadata")));
    let run = known.text("mlflow.sourceRun");
    let run = run.or_else(|| text_at(info.at(&["trace_location", "mlflow_experiment"])?, "experiment_id"));
    let run = run.or_else(|| text_at(info, "experiment_id")).unwrap_or_else(|| source.stem());
    let experiment = receiver.experiment(&Run { id: run.clone(), name: run })?;
    record.note_rewrites(receiver, experiment);
    if text_at(info, "state").or_else(|| text_at(info, "status")).as_deref() == Some("IN_PROGRESS") {
        receiver.unfinished(experiment);
    }
    let commit = known.text("mlflow.source.git.commit");
    let stored = receiver.record(experiment);
    stored.commit = stored.commit.take().or(commit);
    stored.branch = stored.branch.take().or_else(|| known.text("mlflow.source.git.branch"));

    let spans: Vec<Value<'_>> = record.value.at(&["data", "spans"]).iter().flat_map(Value::items).collect();
    let ids = |span: Value<'_>| {
        let id = hex_id(&text_at(span, "span_id").or_else(|| context_id(span))?);
        let parent = text_at(span, "parent_span_id").or_else(|| text_at(span, "parent_id"));
        Some((id, parent.filter(|parent| !parent.is_empty()).map(|parent| hex_id(&parent))))
    };
    let mut index = TraceIndex::default();
    for (span_id, parent) in spans.iter().filter_map(|span| ids(*span)) {
        index.tell(&id, &span_id, parent.as_deref(), 0);
    }
    index.finish();
    let mut case = None;
    for span in &spans {
        let Some((span_id, parent)) = ids(*span) else { continue };
        let place = index.place(&id, &span_id, parent.as_deref());
        if place == Place::Replaced {
            receiver.note(experiment, reason::REPEATED_RECORD, 1);
            continue;
        }
        let mut made = span_of(*span, &id, &span_id, record.line);
        match place {
            Place::Below(parent) => {
                case = case.or_else(|| index.missing_root(&id, &made));
                made.span_parents = vec![parent];
                receiver.span(experiment, made)?;
            }
            _ => case = Some(made),
        }
    }
    let mut case = case.unwrap_or_else(|| root(id.clone()));
    case.line = record.line;
    fill_case(&mut case, info, &known);
    let scores = assessments(info, &mut case);
    for (assessment, score) in scores {
        if let Some(note) = score.reading.note {
            receiver.note(experiment, note, 1);
        }
        receiver.span(experiment, score.span(format!("{}/score/{assessment}", case.id), &case))?;
    }
    receiver.span(experiment, case)
}

/// The id of a span of the time before it had a field of its own.
fn context_id(span: Value<'_>) -> Option<String> {
    text_at(span.get("context")?, "span_id")
}

fn span_of(span: Value<'_>, trace: &str, span_id: &str, line: u64) -> Span {
    let id = row_id(trace, span_id);
    let attributes = Attributes::of_object(span.get("attributes"));
    let mut made = Span { span_id: id.clone(), id, root_span_id: trace.to_string(), line, ..Span::default() };
    let (span_type, is_scorer) = attributes.kind();
    let name = text_at(span, "name").unwrap_or_default();
    set_kind(&mut made, &name, span_type, is_scorer);
    let nanos = |names: [&str; 2]| names.iter().find_map(|name| span.get(name)?.integer()).filter(|nanos| *nanos > 0);
    let start = nanos(["start_time_unix_nano", "start_time"]);
    let end = nanos(["end_time_unix_nano", "end_time"]);
    made.created = start.map(|nanos| nanos / 1_000);
    set_times(&mut made, start.map(|nanos| nanos as f64 / 1e9), end.map(|nanos| nanos as f64 / 1e9));
    made.input = attributes.input(&[]);
    made.output = attributes.output(&[]);
    let usage = attributes.json("mlflow.chat.tokenUsage").and_then(|json| parsed(&json));
    if let Some(usage) = usage.as_deref().and_then(|text| Value::parse(text).ok()) {
        for (theirs, ours) in
            [("input_tokens", "prompt_tokens"), ("output_tokens", "completion_tokens"), ("total_tokens", "tokens")]
        {
            add_metric(&mut made, ours, usage.get(theirs).and_then(|value| value.number()));
        }
    }
    attributes.add_metrics(&mut made);
    let code = span.at(&["status", "code"]).or_else(|| span.get("status_code")).and_then(|code| code.as_text());
    if code.is_some_and(|code| code.ends_with("ERROR") || code == "2") {
        let exception = span.get("events").and_then(|events| events.items().find_map(|event| event.get("attributes")));
        let message = span.at(&["status", "message"]).or_else(|| span.get("status_message"));
        made.error = exception.or(message).and_then(|error| error.json()).or_else(|| Some("\"error\"".into()));
    }
    let mut metadata = ObjectText::new();
    attributes.put_metadata(&mut metadata);
    made.metadata = metadata.finish();
    made
}

/// What the trace says of itself goes before what its root span says.
fn fill_case(case: &mut Span, info: Value<'_>, known: &Attributes) {
    let name = case.name.clone().unwrap_or_else(|| "trace".into());
    set_kind(case, &name, "eval", false);
    case.is_root = true;
    let text = |key: &str, preview: &str| {
        known.json(key).and_then(|json| parsed(&json)).or_else(|| known.json(key)).or_else(|| info.get(preview)?.json())
    };
    case.input = text("mlflow.traceInputs", "request_preview").or_else(|| case.input.take());
    case.output = text("mlflow.traceOutputs", "response_preview").or_else(|| case.output.take());
    case.created = micros(info.get("request_time")).or_else(|| micros(info.get("timestamp_ms"))).or(case.created);
    if case.start.is_none() {
        let duration = info.get("execution_duration_ms").or_else(|| info.get("execution_time_ms"));
        add_metric(case, "duration", duration.and_then(|duration| duration.loose_number()).map(|ms| ms / 1e3));
    }
    let state = text_at(info, "state").or_else(|| text_at(info, "status"));
    if state.as_deref() == Some("ERROR") && case.error.is_none() {
        case.error = Some("\"ERROR\"".into());
    }
    let own = case.metadata.take();
    let mut metadata = ObjectText::new();
    metadata.put_all(own.as_deref().and_then(|text| Value::parse(text).ok()), &["mlflow"]);
    let mut trace = ObjectText::new();
    trace.put("tags", info.get("tags"));
    trace.put_json("state", state.map(|state| crate::json::quoted(&state)).as_deref());
    for name in ["trace_id", "request_id", "client_request_id"] {
        trace.put(name, info.get(name));
    }
    metadata.put_json("mlflow", trace.finish().as_deref());
    case.metadata = metadata.finish();
}

/// The assessments that count: expectations go to the case, feedback comes back as scores by their ids.
fn assessments(info: Value<'_>, case: &mut Span) -> Vec<(String, Score)> {
    let mut expected = ObjectText::new();
    let mut scores = Vec::new();
    for (at, assessment) in info.get("assessments").iter().flat_map(Value::items).enumerate() {
        // One that another overrides is no longer valid.
        if assessment.get("valid").and_then(|valid| valid.boolean()) == Some(false) {
            continue;
        }
        let name = text_at(assessment, "assessment_name").or_else(|| text_at(assessment, "name"));
        let Some(name) = name else { continue };
        if let Some(expectation) = assessment.get("expectation") {
            let serialized = expectation.at(&["serialized_value", "value"]);
            let packed = || serialized.and_then(|value| parsed(value.text));
            expected.put_json(&name, expectation.get("value").and_then(|v| v.json()).or_else(packed).as_deref());
        } else if let Some(feedback) = assessment.get("feedback") {
            let mut metadata = ObjectText::new();
            for field in ["source", "metadata", "create_time", "span_id"] {
                metadata.put(field, assessment.get(field));
            }
            let error = feedback.get("error").and_then(|error| error.json());
            let score = Score {
                explanation: text_at(assessment, "rationale"),
                metadata: metadata.finish(),
                ..Score::new(name, reading(feedback.get("value")))
            };
            let id = text_at(assessment, "assessment_id").unwrap_or_else(|| at.to_string());
            scores.push((id, score.with_error(error)));
        }
    }
    case.expected = expected.finish();
    scores
}

/// Feedback is a score if it is a number, a boolean, yes or no; of texts no other is.
fn reading(value: Option<Value<'_>>) -> Reading {
    let text = value.and_then(|value| value.string());
    match text.as_deref().map(str::trim) {
        None | Some("") => Reading::of(value),
        Some(text) if text.eq_ignore_ascii_case("yes") || text.eq_ignore_ascii_case("no") => Reading::of(value),
        Some(text) => Reading::of_label(text),
    }
}

/// The JSON of a cell. A CSV of the table has Python's own writing of its objects in it.
fn cell(row: Value<'_>, name: &str) -> Option<String> {
    let json = unpacked(row, name)?;
    let text = Value::parse(&json).ok().and_then(|value| value.string());
    text.and_then(|text| python::to_json(&text)).or(Some(json))
}

/// A row of an evaluation's table, without its spans.
fn table_row(source: &Source, record: &Record<'_>, receiver: &mut dyn Receiver) -> Result<(), Stop> {
    let row = record.value;
    let experiment = receiver.experiment(&Run { id: source.stem(), name: source.stem() })?;
    record.note_rewrites(receiver, experiment);
    if text_at(row, "state").as_deref() == Some("IN_PROGRESS") {
        receiver.unfinished(experiment);
    }
    let mut case = root(text_at(row, "trace_id").unwrap_or_else(|| format!("row-{}", record.line)));
    case.line = record.line;
    case.created = micros(row.get("request_time"));
    case.input = unpacked(row, "request");
    case.output = unpacked(row, "response");
    let duration = row.get("execution_duration").and_then(|duration| duration.loose_number());
    add_metric(&mut case, "duration", duration.map(|milliseconds| milliseconds / 1e3));
    let list = cell(row, "assessments");
    let list = list.as_deref().and_then(|text| Value::parse(text).ok());
    let expectation = |name: &str| {
        let mut entries = list.iter().flat_map(Value::items);
        let is_named = |entry: &Value<'_>| text_at(*entry, "assessment_name").as_deref() == Some(name);
        entries.find_map(|entry| Some(entry).filter(is_named)?.get("expectation"))
    };
    let mut expected = ObjectText::new();
    let mut scores = Vec::new();
    for (column, value) in row.fields() {
        let Some(name) = column.strip_suffix("/value") else { continue };
        if let Some(expectation) = expectation(name) {
            // The cell of a CSV is a text, whatever was expected.
            expected.put(name, expectation.get("value").or(Some(value)));
            continue;
        }
        let error = row.get(&format!("{name}/error_message")).filter(|error| error.text != "\"\"");
        let explanation = text_at(row, &format!("{name}/rationale"));
        // The cells of a CSV are all texts, numbers too.
        let reading = if record.is_text { Reading::of(Some(value)) } else { reading(Some(value)) };
        let score = Score { explanation, ..Score::new(name, reading) };
        scores.push(score.with_error(error.and_then(|error| error.json())));
    }
    case.expected = expected.finish();
    let mut metadata = ObjectText::new();
    for name in ["tags", "trace_metadata"] {
        metadata.put_json(name, cell(row, name).as_deref());
    }
    for name in ["state", "client_request_id"] {
        metadata.put_json(name, unpacked(row, name).as_deref());
    }
    case.metadata = metadata.finish();
    hand_on_case(receiver, experiment, case, &scores)
}
