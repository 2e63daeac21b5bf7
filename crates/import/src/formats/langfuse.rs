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
use crate::records::{Record, each_record, learn};
use crate::request::ImportRequest;

/// The format of Langfuse's exports.
pub(crate) struct Langfuse;

/// The folders in which the tool exports observations, a file for each window of time.
const TABLES: [&str; 2] = ["observations_v2", "observations"];

/// Endings of a table's files.
const ENDINGS: [&str; 4] = [".jsonl", ".json", ".csv", ".parquet"];

/// Names of a file of scores that belongs to a file of observations.
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
            ("experiment", "the table of observations, all its files; `experimentId` of an experiment's items"),
            ("case", "a trace: its root observation; an item of an experiment by `experimentItemId`"),
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
            let first = table_of(source).and_then(|_| exported(source, "").into_iter().next());
            return match first.filter(|first| *first != source.file_name()) {
                Some(first) => Claim::PartOf(first),
                None => Claim::Main("rows with `trace_id` and `parent_observation_id`".into()),
            };
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
        let mut parts = windows(source);
        parts.extend(scores_of(source));
        parts
    }

    fn read(&self, source: &Source, _request: &ImportRequest, receiver: &mut dyn Receiver) -> Result<(), Stop> {
        let look = Look::at(source)?;
        if look.has_columns(&["experimentItemId"]) || look.has_columns(&["data[].experimentItemId"]) {
            return read_items(source, receiver);
        }
        let experiment = receiver.experiment(&run_of(source))?;
        let mut index = TraceIndex::default();
        if look.has_columns(&["data_type", "string_value"]) {
            // Scores alone: their traces are cases without a span of their own.
            return read_scores(source, &mut index, experiment, receiver);
        }
        let windows = windows(source);
        let all = || std::iter::once(source).chain(&windows);
        for window in all() {
            learn(window, &mut |row| {
                if let Some(ids) = Ids::of(row) {
                    let version = micros(row.get("updated_at")).unwrap_or(0);
                    index.tell(&ids.trace, &ids.id, ids.parent.as_deref(), version);
                }
            });
        }
        index.finish();
        for window in all() {
            each_record(window, receiver, Some(experiment), &mut |receiver, record| {
                observation(&record, &mut index, experiment, receiver)
            })?;
        }
        scores_of(source).iter().try_for_each(|scores| read_scores(scores, &mut index, experiment, receiver))
    }
}

/// The name of the table in whose folder a file of observations lies.
fn table_of(source: &Source) -> Option<String> {
    source.folder_name().filter(|folder| TABLES.contains(&folder.as_str()))
}

/// The run of a file. The files of a table are named after times only: their project tells them apart.
fn run_of(source: &Source) -> Run {
    let project = table_of(source).and_then(|table| Some((source.folders().into_iter().nth(1)?, table)));
    let Some((project, table)) = project else { return Run { id: source.stem(), name: source.stem() } };
    Run { id: format!("{project}/{table}"), name: format!("{project} {table}") }
}

/// The exported files in the folder that a path leads to from a file's own.
fn exported(source: &Source, folder: &str) -> Vec<String> {
    let mut names = source.siblings_of(&format!("{folder}{}", source.file_name()));
    names.retain(|name| {
        let name = [".gz", ".zst"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name);
        ENDINGS.iter().any(|ending| name.ends_with(ending)) && !name.starts_with('.')
    });
    names
}

/// The other files of the table that a file is the first one of. Their windows overlap, and a trace goes
/// on in later ones.
fn windows(source: &Source) -> Vec<Source> {
    if table_of(source).is_none() {
        return Vec::new();
    }
    let own = source.file_name();
    let others = exported(source, "").into_iter().filter(|name| *name != own);
    let others = others.filter_map(|name| source.sibling(&name));
    // A window in which nothing happened may have no columns.
    others.filter(|other| Look::at(other).is_ok_and(|look| look.has_columns(&["trace_id"]))).collect()
}

/// The files of scores that belong to a file of observations: beside it, or those of the table of scores.
fn scores_of(source: &Source) -> Vec<Source> {
    if table_of(source).is_some() {
        let paths = exported(source, "../scores/").into_iter().map(|name| format!("../scores/{name}"));
        let files = paths.filter_map(|path| source.sibling(&path));
        return files.filter(|file| Look::at(file).is_ok_and(|look| look.has_columns(&["trace_id"]))).collect();
    }
    let beside = SCORE_FILES.iter().find_map(|name| source.sibling(name));
    beside.or_else(|| source.sibling(&format!("../scores/{}", source.file_name()))).into_iter().collect()
}

/// The file of observations that a file of scores belongs to.
fn observations_of(scores: &Source) -> Option<String> {
    let name = scores.file_name();
    if SCORE_FILES.contains(&name.as_str()) {
        return scores.siblings().into_iter().find(|other| other.starts_with("observations"));
    }
    let tables = TABLES.iter().filter(|_| scores.folder_name().as_deref() == Some("scores"));
    tables.map(|table| format!("../{table}/")).find_map(|table| {
        let first = exported(scores, &table).into_iter().next()?;
        Some(format!("{table}{first}"))
    })
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
    let number = |name: &str| row.get(name).and_then(|value| value.loose_number());
    let wait = number("time_to_first_token").map(|wait| {
        let elapsed = span.start.zip(span.end).map(|(start, end)| end - start);
        let is_milliseconds = match (elapsed, number("latency")) {
            // The latency is in the same unit, and times the observation.
            (Some(elapsed), Some(latency)) if elapsed > 0.0 && latency > 0.0 => {
                (latency - elapsed * 1e3).abs() < (latency - elapsed).abs()
            }
            // It cannot be longer than the observation.
            (Some(elapsed), _) => wait > elapsed + 1.0,
            (None, _) => false,
        };
        if is_milliseconds { wait / 1e3 } else { wait }
    });
    add_metric(span, "time_to_first_token", wait);
}

/// Reads scores and puts each on the trace that it is of.
fn read_scores(
    source: &Source,
    index: &mut TraceIndex,
    experiment: usize,
    receiver: &mut dyn Receiver,
) -> Result<(), Stop> {
    each_record(source, receiver, Some(experiment), &mut |receiver, record| {
        let row = record.value;
        let trace = text_at(row, "trace_id").filter(|trace| !trace.is_empty());
        let (Some(trace), Some(name)) = (trace, text_at(row, "name")) else { return Ok(()) };
        // The trace may be older than the observations of the export.
        if let Some(root) = index.bare_root(&trace) {
            receiver.span(experiment, Span { line: record.line, ..root })?;
        }
        let mut case = root(index.root_of(&trace));
        case.root_span_id.clone_from(&trace);
        case.line = record.line;
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
                page.items().try_for_each(|item| read_item(item, &record, source, receiver))
            }
            _ => read_item(record.value, &record, source, receiver),
        }
    })
}

fn read_item(item: Value<'_>, record: &Record<'_>, source: &Source, receiver: &mut dyn Receiver) -> Result<(), Stop> {
    let id = text_at(item, "experimentId").unwrap_or_else(|| source.stem());
    let name = text_at(item, "experimentName").unwrap_or_else(|| id.clone());
    let experiment = receiver.experiment(&Run { id, name })?;
    record.note_rewrites(receiver, experiment);
    let stored = receiver.record(experiment);
    stored.dataset = stored.dataset.take().or_else(|| text_at(item, "experimentDatasetId"));
    let mut case = root(text_at(item, "id").unwrap_or_else(|| format!("row-{}", record.line)));
    case.line = record.line;
    case.created = micros(item.get("startTime"));
    set_times(&mut case, seconds(item.get("startTime")), seconds(item.get("endTime")));
    // Two items of a dataset may have one input.
    let mut input = ObjectText::new();
    input.put("experimentItemId", item.get("experimentItemId"));
    input.put("experimentItemVersion", item.get("experimentItemVersion"));
    input.put_json("input", unpacked(item, "input").as_deref());
    case.input = input.finish();
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
