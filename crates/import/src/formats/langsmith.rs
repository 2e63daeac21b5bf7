//! Exports of LangSmith: runs, tables of experiments, and files of its upload schema. See
//! `docs/import/langsmith.md`.

use evalhouse_model::Span;

use super::score::{Reading, Score, hand_on_case};
use super::spans::{add_metric, micros, root, seconds, set_kind, set_times, text_at, unpacked};
use super::trace_index::{Place, TraceIndex, row_id};
use super::{Claim, ForeignFormat};
use crate::discover::Source;
use crate::error::Fault;
use crate::json::{ObjectText, Value};
use crate::load::Stop;
use crate::look::{Look, Shape};
use crate::reason;
use crate::receive::{Receiver, Run};
use crate::records::{Record, each_record, learn};
use crate::request::ImportRequest;

/// The format of LangSmith's exports.
pub(crate) struct LangSmith;

impl ForeignFormat for LangSmith {
    fn name(&self) -> &'static str {
        "langsmith"
    }

    fn mapping(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("experiment", "`session_id` of runs; `experiment_name` of an upload; else the file"),
            ("case", "the example of a trace's root run, or of a row of a table or upload; without one, its inputs"),
            ("trial", "root runs of one example, by `start_time`"),
            ("input, output, expected", "`inputs`, `outputs`; `expected_outputs` or `reference.X`"),
            ("scores", "`feedback_stats` (their averages), `feedback.X`, `evaluation_scores`; texts are labels"),
            ("metrics", "token counts, `total_cost`; `execution_time` of a table"),
            ("spans", "runs, by `trace_id` and `parent_run_id`"),
        ]
    }

    fn claim(&self, look: &Look, _source: &Source) -> Claim {
        if look.has_columns(&["run_type", "inputs"])
            && (look.has_columns(&["dotted_order"]) || look.has_columns(&["trace_id"]))
        {
            return Claim::Main("rows with `run_type`, `inputs` and `trace_id`".into());
        }
        if look.json(Shape::Object).is_some_and(|f| f.has_all(&["experiment_name", "results[].inputs"])) {
            return Claim::Main("a JSON object with `experiment_name` and `results` with `inputs`".into());
        }
        let has_prefix = |columns: &[String], prefix: &str| columns.iter().any(|column| column.starts_with(prefix));
        let is_table = look.columns().is_some_and(|columns| {
            has_prefix(columns, "inputs.")
                && has_prefix(columns, "outputs.")
                && columns.iter().any(|c| c == "example_id")
        });
        Claim::main_if(is_table, "a table with `inputs.X`, `outputs.X` and `example_id`")
    }

    fn read(&self, source: &Source, _request: &ImportRequest, receiver: &mut dyn Receiver) -> Result<(), Stop> {
        let look = Look::at(source)?;
        if look.has_columns(&["run_type"]) {
            return read_runs(source, receiver);
        }
        let is_upload = look.json(Shape::Object).is_some_and(|fields| fields.has("experiment_name"));
        each_record(source, receiver, None, &mut |receiver, record| {
            if is_upload { upload(&record, receiver) } else { table_row(&record, source, receiver) }
        })
    }
}

fn read_runs(source: &Source, receiver: &mut dyn Receiver) -> Result<(), Stop> {
    let mut index = TraceIndex::default();
    learn(source, &mut |run| {
        if let Some((trace, id, parent)) = ids(run) {
            let version = micros(run.get("end_time")).unwrap_or(0);
            index.tell(&trace, &id, parent.as_deref(), version);
        }
    });
    index.finish();
    each_record(source, receiver, None, &mut |receiver, record| {
        let run = record.value;
        let Some((trace, id, parent)) = ids(run) else {
            let message = "a run needs an id";
            return receiver.fault(Fault::field("id", reason::NOT_A_ROW, message).at(record.line, None));
        };
        let session = text_at(run, "session_id").unwrap_or_else(|| source.stem());
        let name = text_at(run, "session_name").unwrap_or_else(|| session.clone());
        let experiment = receiver.experiment(&Run { id: session, name })?;
        record.note_rewrites(receiver, experiment);
        let place = index.place(&trace, &id, parent.as_deref());
        if place == Place::Replaced {
            receiver.note(experiment, reason::REPEATED_RECORD, 1);
            return Ok(());
        }
        let id = row_id(&trace, &id);
        let mut span =
            Span { span_id: id.clone(), id, root_span_id: trace.clone(), line: record.line, ..Span::default() };
        span.is_root = place == Place::Root;
        fill(&mut span, run);
        if span.is_root && text_at(run, "status").as_deref() == Some("pending") {
            receiver.unfinished(experiment);
        }
        if let Place::Below(parent) = place {
            if let Some(root) = index.missing_root(&trace, &span) {
                receiver.span(experiment, root)?;
            }
            span.span_parents = vec![parent];
        }
        let scores = feedback(run);
        hand_on_case(receiver, experiment, span, &scores)
    })
}

/// The input of a case: two examples of a dataset may have equal inputs, so that the example tells it.
fn input_of(example: Option<Value<'_>>, inputs: Option<String>) -> Option<String> {
    let Some(example) = example.filter(|example| example.text != "\"\"") else { return inputs };
    let mut input = ObjectText::new();
    input.put("example_id", Some(example));
    input.put_json("inputs", inputs.as_deref());
    input.finish()
}

/// Trace, id and parent of a run. The order string alone holds all three.
fn ids(run: Value<'_>) -> Option<(String, String, Option<String>)> {
    let id = text_at(run, "id")?;
    let order = text_at(run, "dotted_order").unwrap_or_default();
    let mut path: Vec<&str> = order.split('.').filter_map(|part| part.split_once('Z').map(|(_, id)| id)).collect();
    let trace = text_at(run, "trace_id").or_else(|| path.first().map(|id| (*id).to_string()));
    path.pop();
    let parent = text_at(run, "parent_run_id").or_else(|| path.last().map(|id| (*id).to_string()));
    Some((trace.unwrap_or_else(|| id.clone()), id, parent.filter(|parent| !parent.is_empty())))
}

fn fill(span: &mut Span, run: Value<'_>) {
    let span_type = match text_at(run, "run_type").unwrap_or_default().as_str() {
        _ if span.is_root => "eval",
        "llm" | "embedding" => "llm",
        "tool" => "tool",
        "chain" => "task",
        _ => "function",
    };
    set_kind(span, &text_at(run, "name").unwrap_or_default(), span_type, false);
    span.created = micros(run.get("start_time"));
    set_times(span, seconds(run.get("start_time")), seconds(run.get("end_time")));
    span.input = unpacked(run, "inputs");
    if span.is_root {
        span.input = input_of(run.get("reference_example_id"), span.input.take());
    }
    span.output = unpacked(run, "outputs");
    span.expected = unpacked(run, "reference_outputs");
    span.error = run.get("error").filter(|error| error.text != "\"\"").and_then(|error| error.json());
    let tags = unpacked(run, "tags");
    let tags = tags.as_deref().and_then(|tags| Value::parse(tags).ok());
    span.tags = tags.map(|tags| tags.items().filter_map(|tag| Some(tag.string()?.into_owned())).collect());
    for (theirs, ours) in [
        ("prompt_tokens", "prompt_tokens"),
        ("completion_tokens", "completion_tokens"),
        ("total_tokens", "tokens"),
        ("total_cost", "estimated_cost"),
    ] {
        // The tool sums what is below a run up to it; only the calls themselves count here.
        let is_call = matches!(text_at(run, "run_type").as_deref(), Some("llm" | "embedding"));
        add_metric(span, ours, run.get(theirs).and_then(|value| value.loose_number()).filter(|_| is_call));
    }
    let extra = unpacked(run, "extra");
    let extra = extra.as_deref().and_then(|text| Value::parse(text).ok());
    let mut metadata = ObjectText::new();
    metadata.put_all(extra.and_then(|extra| extra.get("metadata")), &["langsmith"]);
    let mut known = ObjectText::new();
    known.put("invocation_params", extra.and_then(|extra| extra.get("invocation_params")));
    for name in ["reference_example_id", "run_type", "status", "dotted_order"] {
        known.put(name, run.get(name));
    }
    known.put_json("events", unpacked(run, "events").filter(|events| events != "[]").as_deref());
    metadata.put_json("langsmith", known.finish().as_deref());
    span.metadata = metadata.finish();
}

/// Feedback that the tool counted: its average, or the most frequent of its values.
fn feedback(run: Value<'_>) -> Vec<Score> {
    let stats = unpacked(run, "feedback_stats");
    let stats = stats.as_deref().and_then(|text| Value::parse(text).ok());
    let scores = stats.iter().flat_map(Value::fields).map(|(key, stat)| {
        let values = stat.get("values");
        let most = values.iter().flat_map(Value::fields).max_by_key(|(_, count)| count.integer());
        let reading = match (stat.get("avg"), most) {
            (Some(average), _) => Reading::of(Some(average)),
            (None, Some((label, _))) => Reading::of_label(&label),
            (None, None) => Reading::missing(),
        };
        Score { metadata: stat.json(), ..Score::new(key, reading) }
    });
    scores.collect()
}

fn table_row(record: &Record<'_>, source: &Source, receiver: &mut dyn Receiver) -> Result<(), Stop> {
    let experiment = receiver.experiment(&Run { id: source.stem(), name: source.stem() })?;
    record.note_rewrites(receiver, experiment);
    let row = record.value;
    let id = text_at(row, "id").filter(|id| !id.is_empty()).unwrap_or_else(|| format!("row-{:08}", record.line));
    let mut case = root(id);
    case.line = record.line;
    let mut groups = ["inputs.", "outputs.", "reference."].map(|prefix| (prefix, ObjectText::new()));
    let mut scores = Vec::new();
    let mut metadata = ObjectText::new();
    for (column, value) in row.fields() {
        if let Some((prefix, object)) = groups.iter_mut().find(|(prefix, _)| column.starts_with(*prefix)) {
            object.put_json(&column[prefix.len()..], super::spans::unpacked_value(value).as_deref());
        } else if let Some(key) = column.strip_prefix("feedback.") {
            scores.push(Score::new(key, Reading::of(Some(value))));
        } else if !matches!(&*column, "id" | "error" | "execution_time") && value.text != "\"\"" {
            metadata.put(&column, Some(value));
        }
    }
    let [inputs, outputs, references] = groups.map(|(_, object)| object.finish());
    case.input = input_of(row.get("example_id"), inputs);
    (case.output, case.expected) = (outputs, references);
    case.error = row.get("error").filter(|error| error.text != "\"\"").and_then(|error| error.json());
    case.metadata = metadata.finish();
    add_metric(&mut case, "duration", row.get("execution_time").and_then(|time| time.loose_number()));
    hand_on_case(receiver, experiment, case, &scores)
}

/// A whole experiment in the schema that the tool takes uploads in.
fn upload(record: &Record<'_>, receiver: &mut dyn Receiver) -> Result<(), Stop> {
    let (file, line) = (record.value, record.line);
    let name = text_at(file, "experiment_name").unwrap_or_default();
    let experiment = receiver.experiment(&Run { id: name.clone(), name })?;
    record.note_rewrites(receiver, experiment);
    let mut metadata = ObjectText::new();
    metadata.put_all(file.get("experiment_metadata"), &["summary_experiment_scores"]);
    metadata.put("description", file.get("experiment_description"));
    metadata.put("summary_experiment_scores", file.get("summary_experiment_scores"));
    let results = file.get("results");
    let stored = receiver.record(experiment);
    stored.metadata = metadata.finish().and_then(|text| serde_json::from_str(&text).ok());
    stored.dataset = text_at(file, "dataset_name").or_else(|| text_at(file, "dataset_id"));
    stored.created = micros(file.get("experiment_start_time"));
    for (at, row) in results.iter().flat_map(Value::items).enumerate() {
        let mut case =
            root(text_at(row, "row_id").map_or_else(|| format!("row-{at:08}"), |id| format!("{id}_{at:06}")));
        case.line = line;
        case.created = micros(row.get("start_time"));
        set_times(&mut case, seconds(row.get("start_time")), seconds(row.get("end_time")));
        case.input = input_of(row.get("row_id"), row.get("inputs").and_then(|value| value.json()));
        case.output = row.get("actual_outputs").and_then(|value| value.json());
        case.expected = row.get("expected_outputs").and_then(|value| value.json());
        case.error = row.get("error").and_then(|value| value.json());
        case.metadata = row.get("run_metadata").and_then(|value| value.json());
        let scores = row.get("evaluation_scores");
        let scores = scores.iter().flat_map(Value::items).filter_map(|feedback| {
            let reading = match feedback.get("score") {
                Some(score) => Reading::of(Some(score)),
                None => Reading::of(feedback.get("value")),
            };
            let mut metadata = ObjectText::new();
            for name in ["value", "feedback_source", "feedback_config", "correction"] {
                metadata.put(name, feedback.get(name));
            }
            let explanation = text_at(feedback, "comment");
            Some(Score { explanation, metadata: metadata.finish(), ..Score::new(text_at(feedback, "key")?, reading) })
        });
        hand_on_case(receiver, experiment, case, &scores.collect::<Vec<_>>())?;
    }
    Ok(())
}
