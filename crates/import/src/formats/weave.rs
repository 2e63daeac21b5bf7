//! Calls of Weave. See `docs/import/weave.md`.

use std::collections::{HashMap, HashSet};

use evalhouse_model::Span;
use xxhash_rust::xxh3::xxh3_128;

use super::score::{Reading, Score, hand_on_case};
use super::spans::{add_metric, micros, root, seconds, set_kind, set_times, text_at};
use super::{Claim, ForeignFormat};
use crate::discover::Source;
use crate::json::{Kind, ObjectText, Value};
use crate::load::Stop;
use crate::look::Look;
use crate::receive::{Receiver, Run};
use crate::records::{Record, each_record};
use crate::request::ImportRequest;

/// The format of Weave's calls.
pub(crate) struct Weave;

/// How deep scores are looked for in what a scorer gave.
const LEVELS: usize = 8;

impl ForeignFormat for Weave {
    fn name(&self) -> &'static str {
        "weave"
    }

    fn mapping(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("experiment", "an `Evaluation.evaluate` call, by its `trace_id`; its display name"),
            ("case", "an `Evaluation.predict_and_score` call; `inputs.example` is the input"),
            ("output", "`output.output`"),
            ("scores", "numbers and booleans in `output.scores`, as SCORER.FIELD"),
            ("metrics", "`model_latency`; `summary.usage` of the calls below"),
            ("spans", "the calls below a case"),
        ]
    }

    fn claim(&self, look: &Look, _source: &Source) -> Claim {
        let is_call = look.has_columns(&["op_name", "trace_id", "started_at", "inputs"]);
        Claim::main_if(is_call, "rows with `op_name`, `trace_id` and `inputs`")
    }

    fn read(&self, source: &Source, _request: &ImportRequest, receiver: &mut dyn Receiver) -> Result<(), Stop> {
        let mut calls = Calls::default();
        let walked = each_record(source, receiver, None, &mut |_, record| {
            calls.tell(record.value);
            Ok(())
        });
        if let Err(stop @ (Stop::Store(_) | Stop::Cancelled)) = walked {
            return Err(stop);
        }
        each_record(source, receiver, None, &mut |receiver, record| calls.add(&record, source, receiver))
    }
}

/// What the first walk learnt of the calls: who is below whom.
#[derive(Default)]
struct Calls {
    parents: HashMap<u128, u128>,
    /// Calls that others are below of.
    with_calls_below: HashSet<u128>,
    /// Calls that are cases, to their ids.
    cases: HashMap<u128, String>,
    /// Traces of evaluations to what they are called.
    names: HashMap<String, String>,
    /// Outputs of the summaries of evaluations by trace.
    summaries: HashMap<String, String>,
}

fn hash(id: &str) -> u128 {
    xxh3_128(id.as_bytes())
}

/// The name of an operation in its reference.
fn operation(call: Value<'_>) -> String {
    let name = text_at(call, "op_name").unwrap_or_default();
    let name = name.rsplit_once("/op/").map_or(name.as_str(), |(_, name)| name);
    name.split(':').next().unwrap_or(name).to_string()
}

impl Calls {
    fn tell(&mut self, call: Value<'_>) {
        let (Some(id), Some(trace)) = (text_at(call, "id"), text_at(call, "trace_id")) else { return };
        if let Some(parent) = text_at(call, "parent_id") {
            self.parents.insert(hash(&id), hash(&parent));
            self.with_calls_below.insert(hash(&parent));
        }
        match operation(call).as_str() {
            "Evaluation.predict_and_score" => {
                self.cases.insert(hash(&id), id);
            }
            "Evaluation.evaluate" => {
                let name = text_at(call, "display_name").unwrap_or_else(|| trace.clone());
                self.names.insert(trace, name);
            }
            "Evaluation.summarize" => {
                self.summaries.extend(call.get("output").and_then(|output| Some((trace, output.json()?))));
            }
            _ => {}
        }
    }

    /// The case that a call is below, if it is below one.
    fn case_of(&self, id: &str) -> Option<&String> {
        let mut at = hash(id);
        // A circle of parents ends here too.
        for _ in 0..1_000 {
            at = *self.parents.get(&at)?;
            if let Some(case) = self.cases.get(&at) {
                return Some(case);
            }
        }
        None
    }

    fn add(&self, record: &Record<'_>, source: &Source, receiver: &mut dyn Receiver) -> Result<(), Stop> {
        let call = record.value;
        let (Some(id), Some(trace)) = (text_at(call, "id"), text_at(call, "trace_id")) else { return Ok(()) };
        let is_case = self.cases.contains_key(&hash(&id));
        let case = self.case_of(&id);
        if !is_case && case.is_none() {
            // The evaluation itself and its summary are the experiment.
            return Ok(());
        }
        let name = self.names.get(&trace).cloned().unwrap_or_else(|| source.stem());
        let experiment = receiver.experiment(&Run { id: trace.clone(), name })?;
        let stored = receiver.record(experiment);
        if stored.metadata.is_none() {
            let mut metadata = ObjectText::new();
            metadata.put("model", call.at(&["inputs", "model"]).filter(|_| is_case));
            metadata.put_json("reported", self.summaries.get(&trace).map(String::as_str));
            stored.metadata = metadata.finish().and_then(|text| serde_json::from_str(&text).ok());
        }
        match case {
            Some(case) if !is_case => receiver.span(experiment, self.below(call, &id, case, record.line)),
            _ => {
                let (case, scores) = evaluated(call, id, record.line);
                hand_on_case(receiver, experiment, case, &scores)
            }
        }
    }

    /// A call below a case; one whose parent was not exported hangs below the case itself.
    fn below(&self, call: Value<'_>, id: &str, case: &str, line: u64) -> Span {
        let mut span = Span { id: id.to_string(), span_id: id.to_string(), ..Span::default() };
        span.root_span_id = case.to_string();
        span.line = line;
        span.span_parents = vec![text_at(call, "parent_id").unwrap_or_else(|| case.to_string())];
        fill(&mut span, call);
        let usage = call.at(&["summary", "usage"]).filter(|usage| !usage.is_empty());
        set_kind(&mut span, &operation(call), if usage.is_some() { "llm" } else { "function" }, false);
        for (_, usage) in usage.iter().flat_map(Value::fields) {
            for (theirs, ours) in [
                ("prompt_tokens", "prompt_tokens"),
                ("input_tokens", "prompt_tokens"),
                ("completion_tokens", "completion_tokens"),
                ("output_tokens", "completion_tokens"),
                ("total_tokens", "tokens"),
            ] {
                add_metric(&mut span, ours, usage.get(theirs).and_then(|value| value.number()));
            }
        }
        // The usage of a call counts that of the calls below it; only a call without any is its own.
        if self.with_calls_below.contains(&hash(id)) {
            span.metrics.retain(|(name, _)| matches!(&**name, "start" | "end"));
        }
        span.input = call.get("inputs").and_then(|inputs| inputs.json());
        span.output = call.get("output").and_then(|output| output.json());
        span
    }
}

fn fill(span: &mut Span, call: Value<'_>) {
    span.created = micros(call.get("started_at"));
    set_times(span, seconds(call.get("started_at")), seconds(call.get("ended_at")));
    span.error = call.get("exception").and_then(|exception| exception.json());
    let mut metadata = ObjectText::new();
    metadata.put("attributes", call.get("attributes").filter(|attributes| !attributes.is_empty()));
    metadata.put("model", call.at(&["inputs", "model"]));
    span.metadata = metadata.finish();
}

fn evaluated(call: Value<'_>, id: String, line: u64) -> (Span, Vec<Score>) {
    let mut case = root(id);
    case.line = line;
    fill(&mut case, call);
    let output = call.get("output");
    case.input = call.at(&["inputs", "example"]).and_then(|example| example.json());
    case.output = output.and_then(|output| output.get("output").or_else(|| output.get("model_output"))?.json());
    let latency = output.and_then(|output| output.get("model_latency")?.number());
    add_metric(&mut case, "model_latency", latency);
    let mut scores = Vec::new();
    for (scorer, value) in output.and_then(|output| output.get("scores")).iter().flat_map(Value::fields) {
        leaves(&scorer, &scorer, value, 0, &mut scores);
    }
    (case, scores)
}

/// Numbers and booleans in what a scorer gave; texts in it are kept with the first of them.
fn leaves(scorer: &str, path: &str, value: Value<'_>, level: usize, scores: &mut Vec<Score>) {
    if value.kind == Kind::Object && level < LEVELS {
        for (key, inner) in value.fields() {
            leaves(scorer, &format!("{path}.{key}"), inner, level + 1, scores);
        }
        return;
    }
    // A scorer that gave nothing at all was not able to score.
    let is_score = matches!(value.kind, Kind::Number | Kind::True | Kind::False | Kind::NotANumber | Kind::Infinity);
    if is_score || level == 0 {
        scores.push(Score { scorer: Some(scorer.to_string()), ..Score::new(path, Reading::of(Some(value))) });
    }
}
