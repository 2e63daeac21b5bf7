//! Experiments of Arize Phoenix, as JSON or CSV. See `docs/import/phoenix.md`.

use super::score::{Reading, Score, hand_on_case};
use super::spans::{add_metric, micros, root, seconds, set_times, text_at, unpacked};
use super::{Claim, ForeignFormat};
use crate::discover::Source;
use crate::json::{ObjectText, Value};
use crate::load::Stop;
use crate::look::Look;
use crate::receive::{Receiver, Run};
use crate::records::{Record, each_record};
use crate::request::ImportRequest;

/// The format of Phoenix's experiments.
pub(crate) struct Phoenix;

impl ForeignFormat for Phoenix {
    fn name(&self) -> &'static str {
        "phoenix"
    }

    fn mapping(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("experiment", "the file: it has neither name nor id of its own"),
            ("case", "an example: `example_id` and `input`"),
            ("trial", "`repetition_number` - 1"),
            ("output, expected", "`output`, `reference_output`"),
            ("scores", "annotations: `score`, else `label`; state `error` where the annotation has an error"),
            ("metrics", "token counts; start and end"),
        ]
    }

    fn claim(&self, look: &Look, _source: &Source) -> Claim {
        let is_run = look.has_columns(&["example_id", "repetition_number", "reference_output"]);
        Claim::main_if(is_run, "rows with `example_id`, `repetition_number` and `reference_output`")
    }

    fn read(&self, source: &Source, _request: &ImportRequest, receiver: &mut dyn Receiver) -> Result<(), Stop> {
        let experiment = receiver.experiment(&Run { id: source.stem(), name: source.stem() })?;
        each_record(source, receiver, Some(experiment), &mut |receiver, record| row(&record, experiment, receiver))
    }
}

fn row(record: &Record<'_>, experiment: usize, receiver: &mut dyn Receiver) -> Result<(), Stop> {
    let run = record.value;
    let example = text_at(run, "example_id").unwrap_or_else(|| format!("row-{}", record.line));
    let repetition = run.get("repetition_number").and_then(|number| number.integer()).unwrap_or(1);
    let mut case = root(format!("{example}_{repetition:04}"));
    case.line = record.line;
    let mut input = ObjectText::new();
    // Two examples may have one input.
    input.put("example_id", run.get("example_id"));
    input.put_json("input", unpacked(run, "input").as_deref());
    case.input = input.finish();
    // An output is what it is in the file, a text in a table: it may look like JSON.
    case.output = run.get("output").filter(|output| !record.is_text || output.text != "\"\"").and_then(|o| o.json());
    case.expected = unpacked(run, "reference_output");
    case.error = run.get("error").filter(|error| error.text != "\"\"").and_then(|error| error.json());
    set_times(&mut case, seconds(run.get("start_time")), seconds(run.get("end_time")));
    let started = micros(run.get("start_time"));
    let stored = receiver.record(experiment);
    stored.created = match (stored.created, started) {
        (Some(known), Some(time)) => Some(known.min(time)),
        (known, time) => known.or(time),
    };
    if case.start.is_none() {
        let latency = run.get("latency_ms").and_then(|latency| latency.loose_number());
        add_metric(&mut case, "duration", latency.map(|latency| latency / 1e3));
    }
    for (theirs, ours) in [("prompt_token_count", "prompt_tokens"), ("completion_token_count", "completion_tokens")] {
        add_metric(&mut case, ours, run.get(theirs).and_then(|count| count.loose_number()));
    }
    let mut metadata = ObjectText::new();
    let own = unpacked(run, "metadata");
    metadata.put_all(own.as_deref().and_then(|text| Value::parse(text).ok()), &["phoenix"]);
    let mut known = ObjectText::new();
    for name in ["example_id", "repetition_number", "trace_id"] {
        known.put(name, run.get(name));
    }
    metadata.put_json("phoenix", known.finish().as_deref());
    case.metadata = metadata.finish();
    let scores = if record.is_text { columns(run) } else { annotations(run) };
    hand_on_case(receiver, experiment, case, &scores)
}

fn annotations(run: Value<'_>) -> Vec<Score> {
    let list = run.get("annotations");
    let named = list.iter().flat_map(Value::items).filter_map(|annotation| {
        let name = text_at(annotation, "name")?;
        Some(annotation_score(&name, |field| annotation.get(field)))
    });
    named.collect()
}

/// The annotations of a table: a name may hold underscores, so the known endings tell it.
fn columns(run: Value<'_>) -> Vec<Score> {
    let names = run
        .fields()
        .filter_map(|(column, _)| Some(column.strip_prefix("annotation_")?.strip_suffix("_score")?.to_string()));
    let present = names.filter_map(|name| {
        let field = |field: &str| run.get(&format!("annotation_{name}_{field}")).filter(|value| value.text != "\"\"");
        let is_there = ["score", "label", "error", "annotator_kind"].iter().any(|name| field(name).is_some());
        is_there.then(|| annotation_score(&name, field))
    });
    present.collect()
}

fn annotation_score<'a>(name: &str, field: impl Fn(&str) -> Option<Value<'a>>) -> Score {
    let text = |name: &str| field(name).and_then(|value| value.string().map(|text| text.into_owned()));
    let label = text("label").filter(|label| !label.is_empty());
    let reading = match (field("score"), label) {
        (Some(score), label) => Reading { label, ..Reading::of(Some(score)) },
        (None, Some(label)) => Reading::of_label(&label),
        (None, None) => Reading::missing(),
    };
    let mut metadata = ObjectText::new();
    for name in ["annotator_kind", "metadata", "trace_id", "start_time", "end_time"] {
        metadata.put(name, field(name));
    }
    let score = Score { explanation: text("explanation"), metadata: metadata.finish(), ..Score::new(name, reading) };
    score.with_error(field("error").and_then(|error| error.json()))
}
