//! Exports of Langfuse: observations, scores, and the items of experiments. See
//! `docs/import/langfuse.md`.

use evalhouse_model::Span;

use super::score::{Reading, Score, hand_on_case};
use super::spans::{add_metric, micros, root, seconds, set_kind, set_times, text_at, unpacked};
use super::trace_index::{Place, TraceIndex, row_id};
use super::{Claim, ForeignFormat};
use crate::discover::Source;
use crate::json::{ObjectText, Value};
use crate::load::Stop;
use crate::look::Look;
use crate::reason;
use crate::receive::{Receiver, Run};
use crate::records::{Record, each_record};
use crate::request::ImportRequest;

/// The format of Langfuse's exports.
pub(crate) struct Langfuse;

/// Endings of a file of scores that belongs to a file of observations.
const SCORE_FILES: [&str; 8] = [
    "scores.jsonl",
    "scores.json",
    "scores.csv",
    "scores.parquet",
    "scores.jsonl.gz",
    "scores.json.gz",
    "scores.csv.gz",
    "scores.ndjson",
];

impl ForeignFormat for Langfuse {
    fn name(&self) -> &'static str {
        "langfuse"
    }

    fn mapping(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("experiment", "the file of observations; `experimentId` of an experiment's items"),
            ("case", "a trace: its root observation; an item of an experiment"),
            ("span", "an observation; of two with one `id` the one with the later `updated_at`"),
            ("input, output", "`input`, `output`: JSON where the text is an object or a list"),
            ("expected", "`expectedOutput` of an item"),
            ("scores", "`scores` beside the observations or in `../scores/`; a category is a label"),
            ("metrics", "`usage_details`, `cost_details.total` or `total_cost`, `time_to_first_token`"),
        ]
    }

    fn claim(&self, look: &Look, source: &Source) -> Claim {
        if look.has_columns(&["trace_id", "parent_observation_id"]) || look.has_columns(&["trace_id", "usage_details"])
        {
            return Claim::Main("rows with `trace_id` and `parent_observation_id`".into());
        }
        if look.has_columns(&["experimentId", "experimentItemId"]) || look.has_columns(&["data[].experimentItemId"]) {
            return Claim::Main("rows with `experimentId` and `experimentItemId`".into());
        }
        if !look.has_columns(&["trace_id", "observation_id", "data_type", "string_value"]) {
            return Claim::No;
        }
        match observations_of(source) {
            Some(observations) => Claim::PartOf(observations),
            None => Claim::Main("rows with `trace_id`, `data_type` and `string_value`".into()),
        }
    }

    fn parts(&self, source: &Source) -> Vec<Source> {
        let beside = SCORE_FILES.iter().find_map(|name| source.sibling(name));
        let table = || source.sibling(&format!("../scores/{}", source.file_name()));
        beside.or_else(table).into_iter().collect()
    }

    fn read(&self, source: &Source, _request: &ImportRequest, receiver: &mut dyn Receiver) -> Result<(), Stop> {
        let look = Look::at(source)?;
        if look.has_columns(&["experimentItemId"]) || look.has_columns(&["data[].experimentItemId"]) {
            return read_items(source, receiver);
        }
        let experiment = receiver.experiment(&Run { id: source.stem(), name: source.stem() })?;
        let mut index = TraceIndex::default();
        if look.has_columns(&["data_type", "string_value"]) {
            // Scores alone: their traces are cases without a span of their own.
            index.finish();
            return read_scores(source, &mut index, experiment, true, receiver);
        }
        let walked = each_record(source, receiver, None, &mut |_, record| {
            if let Some(ids) = Ids::of(record.value) {
                let version = micros(record.value.get("updated_at")).unwrap_or(0);
                index.tell(&ids.trace, &ids.id, ids.parent.as_deref(), version);
            }
            Ok(())
        });
        if let Err(stop @ (Stop::Store(_) | Stop::Cancelled)) = walked {
            return Err(stop);
        }
        index.finish();
        each_record(source, receiver, Some(experiment), &mut |receiver, record| {
            observation(&record, &mut index, experiment, receiver)
        })?;
        for scores in self.parts(source) {
            read_scores(&scores, &mut index, experiment, false, receiver)?;
        }
        Ok(())
    }
}

/// The file of observations beside a file of scores.
fn observations_of(scores: &Source) -> Option<String> {
    let name = scores.file_name();
    if SCORE_FILES.contains(&name.as_str()) {
        return scores.siblings().into_iter().find(|other| other.starts_with("observations"));
    }
    let tables = ["../observations_v2", "../observations"].map(|table| format!("{table}/{name}"));
    tables.into_iter().find(|path| scores.sibling(path).is_some())
}

struct Ids {
    trace: String,
    id: String,
    parent: Option<String>,
}

impl Ids {
    fn of(observation: Value<'_>) -> Option<Self> {
        let parent = text_at(observation, "parent_observation_id").filter(|parent| !parent.is_empty());
        Some(Self { trace: text_at(observation, "trace_id")?, id: text_at(observation, "id")?, parent })
    }
}

fn observation(
    record: &Record<'_>,
    index: &mut TraceIndex,
    experiment: usize,
    receiver: &mut dyn Receiver,
) -> Result<(), Stop> {
    let row = record.value;
    let Some(ids) = Ids::of(row) else {
        let message = "an observation needs `id` and `trace_id`";
        return receiver.fault(crate::error::Fault::field("id", reason::NOT_A_ROW, message).at(record.line, None));
    };
    let place = index.place(&ids.trace, &ids.id, ids.parent.as_deref());
    if place == Place::Replaced {
        receiver.note(experiment, reason::REPEATED_RECORD, 1);
        return Ok(());
    }
    let id = row_id(&ids.trace, &ids.id);
    let mut span =
        Span { span_id: id.clone(), id, root_span_id: ids.trace.clone(), line: record.line, ..Span::default() };
    span.is_root = place == Place::Root;
    fill(&mut span, row);
    if let Place::Below(parent) = place {
        if let Some(root) = index.missing_root(&ids.trace, &span) {
            receiver.span(experiment, root)?;
        }
        span.span_parents = vec![parent];
    }
    receiver.span(experiment, span)
}

fn fill(span: &mut Span, row: Value<'_>) {
    let (span_type, is_scorer) = match text_at(row, "type").unwrap_or_default().as_str() {
        "GENERATION" | "EMBEDDING" => ("llm", false),
        "TOOL" => ("tool", false),
        "EVALUATOR" => ("score", true),
        "AGENT" | "CHAIN" => ("task", false),
        _ => ("function", false),
    };
    let span_type = if span.is_root { "eval" } else { span_type };
    let name = text_at(row, "name").or_else(|| text_at(row, "trace_name")).unwrap_or_default();
    set_kind(span, &name, span_type, is_scorer && !span.is_root);
    span.created = micros(row.get("start_time"));
    set_times(span, seconds(row.get("start_time")), seconds(row.get("end_time")));
    span.input = unpacked(row, "input");
    span.output = unpacked(row, "output");
    if text_at(row, "level").as_deref() == Some("ERROR") {
        span.error = row.get("status_message").and_then(|text| text.json()).or_else(|| Some("\"ERROR\"".into()));
    }
    let tags = unpacked(row, "tags");
    let tags = tags.as_deref().and_then(|tags| Value::parse(tags).ok());
    span.tags = tags.map(|tags| tags.items().filter_map(|tag| Some(tag.string()?.into_owned())).collect());
    add_usage(span, row);
    let mut metadata = ObjectText::new();
    metadata.put("model", row.get("provided_model_name").filter(|model| model.text != "\"\""));
    let own = unpacked(row, "metadata");
    metadata.put_all(own.as_deref().and_then(|text| Value::parse(text).ok()), &["model", "langfuse"]);
    let mut known = ObjectText::new();
    for name in [
        "environment",
        "level",
        "version",
        "release",
        "user_id",
        "session_id",
        "prompt_name",
        "prompt_version",
        "model_parameters",
        "trace_name",
        "tool_calls",
    ] {
        known.put_json(name, unpacked(row, name).as_deref());
    }
    metadata.put_json("langfuse", known.finish().as_deref());
    span.metadata = metadata.finish();
}

fn add_usage(span: &mut Span, row: Value<'_>) {
    let usage = unpacked(row, "usage_details");
    let usage = usage.as_deref().and_then(|text| Value::parse(text).ok());
    for (name, value) in usage.iter().flat_map(Value::fields) {
        let ours = match &*name {
            "input" => "prompt_tokens",
            "output" => "completion_tokens",
            "total" => "tokens",
            "input_cached_tokens" | "input_cache_read" => "prompt_cached_tokens",
            "output_reasoning_tokens" => "completion_reasoning_tokens",
            other => other,
        };
        add_metric(span, ours, value.loose_number());
    }
    let costs = unpacked(row, "cost_details");
    let costs = costs.as_deref().and_then(|text| Value::parse(text).ok());
    let total = costs.and_then(|costs| costs.get("total")?.loose_number());
    let total = total.or_else(|| row.get("total_cost").and_then(|cost| cost.loose_number()));
    add_metric(span, "estimated_cost", total);
    // Seconds, or milliseconds where it would take longer than the observation itself.
    let wait = row.get("time_to_first_token").and_then(|wait| wait.loose_number());
    let elapsed = span.start.zip(span.end).map(|(start, end)| end - start);
    let wait = wait.map(|wait| if elapsed.is_some_and(|elapsed| wait > elapsed + 1.0) { wait / 1e3 } else { wait });
    add_metric(span, "time_to_first_token", wait);
}

/// Reads scores and puts each on the trace that it is of.
fn read_scores(
    source: &Source,
    index: &mut TraceIndex,
    experiment: usize,
    is_alone: bool,
    receiver: &mut dyn Receiver,
) -> Result<(), Stop> {
    let mut traces = std::collections::HashSet::new();
    each_record(source, receiver, Some(experiment), &mut |receiver, record| {
        let row = record.value;
        let trace = text_at(row, "trace_id").filter(|trace| !trace.is_empty());
        let (Some(trace), Some(name)) = (trace, text_at(row, "name")) else { return Ok(()) };
        let id = index.root_of(&trace);
        let mut case = root(id);
        case.root_span_id.clone_from(&trace);
        case.line = record.line;
        if is_alone && traces.insert(trace) {
            receiver.span(experiment, case.clone())?;
        }
        let label = text_at(row, "string_value").filter(|label| !label.is_empty());
        let reading = match (text_at(row, "data_type").as_deref(), label) {
            (Some("CATEGORICAL" | "TEXT"), Some(label)) => Reading::of_label(&label),
            (_, label) => Reading { label, ..Reading::of(row.get("value")) },
        };
        let mut metadata = ObjectText::new();
        for field in ["source", "observation_id", "author_user_id", "config_id", "timestamp"] {
            metadata.put(field, row.get(field).filter(|value| value.text != "\"\""));
        }
        let score = Score {
            explanation: text_at(row, "comment").filter(|comment| !comment.is_empty()),
            metadata: metadata.finish(),
            ..Score::new(name, reading)
        };
        if let Some(note) = score.reading.note {
            receiver.note(experiment, note, 1);
        }
        let score_id = text_at(row, "id").unwrap_or_else(|| record.line.to_string());
        let mut span = score.span(format!("score/{score_id}"), &case);
        // Overlapping windows of an export repeat a score; the later state of it counts.
        span.version = micros(row.get("updated_at")).and_then(|time| u64::try_from(time).ok()).unwrap_or(1);
        receiver.span(experiment, span)
    })
}

/// The items of experiments.
fn read_items(source: &Source, receiver: &mut dyn Receiver) -> Result<(), Stop> {
    each_record(source, receiver, None, &mut |receiver, record| {
        // A page of the interface holds its items in `data`.
        match record.value.get("data") {
            Some(page) if record.value.get("experimentItemId").is_none() => {
                page.items().try_for_each(|item| read_item(item, record.line, source, receiver))
            }
            _ => read_item(record.value, record.line, source, receiver),
        }
    })
}

fn read_item(item: Value<'_>, line: u64, source: &Source, receiver: &mut dyn Receiver) -> Result<(), Stop> {
    let id = text_at(item, "experimentId").unwrap_or_else(|| source.stem());
    let name = text_at(item, "experimentName").unwrap_or_else(|| id.clone());
    let experiment = receiver.experiment(&Run { id, name })?;
    let stored = receiver.record(experiment);
    stored.dataset = stored.dataset.take().or_else(|| text_at(item, "experimentDatasetId"));
    let mut case = root(text_at(item, "id").unwrap_or_else(|| format!("row-{line}")));
    case.line = line;
    case.created = micros(item.get("startTime"));
    set_times(&mut case, seconds(item.get("startTime")), seconds(item.get("endTime")));
    case.input = unpacked(item, "input");
    case.output = unpacked(item, "output");
    case.expected = unpacked(item, "expectedOutput");
    if text_at(item, "level").as_deref() == Some("ERROR") {
        case.error = Some("\"ERROR\"".into());
    }
    let mut metadata = ObjectText::new();
    metadata.put_all(item.get("metadata"), &["langfuse"]);
    let mut known = ObjectText::new();
    for name in ["experimentItemId", "experimentItemVersion", "traceId", "environment", "experimentItemMetadata"] {
        known.put(name, item.get(name));
    }
    metadata.put_json("langfuse", known.finish().as_deref());
    case.metadata = metadata.finish();
    let scores = item.get("scores");
    let scores = scores.iter().flat_map(Value::items).filter_map(|score| {
        Some(Score {
            explanation: text_at(score, "comment"),
            ..Score::new(text_at(score, "name")?, Reading::of(score.get("value")))
        })
    });
    hand_on_case(receiver, experiment, case, &scores.collect::<Vec<_>>())
}
