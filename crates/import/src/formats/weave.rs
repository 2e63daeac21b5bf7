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
use crate::reason;
use crate::receive::{Receiver, Run};
use crate::records::{Record, each_record, learn};
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
            ("experiment", "the nearest `Evaluation.evaluate` call above a case, else its trace; its display name"),
            ("case", "an `Evaluation.predict_and_score` call; `inputs.example` is the input"),
            ("output", "`output.output`"),
            (
                "scores",
                "numbers and booleans in `output.scores`, as SCORER.FIELD; a null where others have one is missing",
            ),
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
        learn(source, &mut |call| calls.tell(call));
        let mut ordinal = 0;
        each_record(source, receiver, None, &mut |receiver, record| {
            ordinal += 1;
            calls.add(&record, ordinal, source, receiver)
        })
    }
}

/// What the first walk learnt of the calls: who is below whom.
#[derive(Default)]
struct Calls {
    count: u64,
    /// Calls to the record that tells them last: only that one counts.
    last: HashMap<u128, u64>,
    parents: HashMap<u128, u128>,
    /// Calls that others are below of.
    with_calls_below: HashSet<u128>,
    /// Calls that are cases, to their ids.
    cases: HashMap<u128, String>,
    evaluations: HashMap<u128, Evaluation>,
    /// Outputs of the summaries of evaluations, by their own calls.
    summaries: Vec<(u128, String)>,
    /// Scores that have a value in some case.
    scored: HashSet<String>,
}

/// A call of `Evaluation.evaluate`.
struct Evaluation {
    id: String,
    name: Option<String>,
    /// JSON text.
    model: Option<String>,
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
        self.count += 1;
        let Some(id) = text_at(call, "id") else { return };
        let own = hash(&id);
        self.last.insert(own, self.count);
        if let Some(parent) = text_at(call, "parent_id") {
            self.parents.insert(own, hash(&parent));
            self.with_calls_below.insert(hash(&parent));
        }
        match operation(call).as_str() {
            "Evaluation.predict_and_score" => {
                self.cases.insert(own, id);
                for (_, leaf) in leaves(call) {
                    self.scored.extend(is_score(leaf.value).then_some(leaf.path));
                }
            }
            "Evaluation.evaluate" => {
                let model = call.at(&["inputs", "model"]).and_then(|model| model.json());
                self.evaluations.insert(own, Evaluation { id, name: text_at(call, "display_name"), model });
            }
            "Evaluation.summarize" => {
                self.summaries.extend(call.get("output").and_then(|output| Some((own, output.json()?))));
            }
            _ => {}
        }
    }

    /// The nearest call above one that is among others.
    fn above<'c, T>(&self, call: u128, others: &'c HashMap<u128, T>) -> Option<(u128, &'c T)> {
        let mut at = call;
        // A circle of parents ends here too.
        for _ in 0..1_000 {
            at = *self.parents.get(&at)?;
            if let Some(found) = others.get(&at) {
                return Some((at, found));
            }
        }
        None
    }

    fn add(&self, record: &Record<'_>, ordinal: u64, source: &Source, receiver: &mut dyn Receiver) -> Result<(), Stop> {
        let call = record.value;
        let (Some(id), Some(trace)) = (text_at(call, "id"), text_at(call, "trace_id")) else { return Ok(()) };
        let own = hash(&id);
        let is_case = self.cases.contains_key(&own);
        let case = if is_case { None } else { self.above(own, &self.cases) };
        if !is_case && case.is_none() {
            // The evaluation itself and its summary are the experiment.
            return Ok(());
        }
        let evaluation = self.above(own, &self.evaluations);
        let run = match evaluation {
            Some((_, known)) => {
                Run { id: known.id.clone(), name: known.name.clone().unwrap_or_else(|| known.id.clone()) }
            }
            None => Run { id: trace, name: source.stem() },
        };
        let experiment = receiver.experiment(&run)?;
        record.note_rewrites(receiver, experiment);
        if self.last.get(&own).is_some_and(|last| *last != ordinal) {
            receiver.note(experiment, reason::REPEATED_RECORD, 1);
            return Ok(());
        }
        let stored = receiver.record(experiment);
        if stored.metadata.is_none() {
            let model = evaluation.and_then(|(_, known)| known.model.clone());
            let model = model.or_else(|| call.at(&["inputs", "model"]).filter(|_| is_case)?.json());
            let at = evaluation.map(|(at, _)| at);
            let summary = self
                .summaries
                .iter()
                .find(|(call, _)| at.is_some() && self.above(*call, &self.evaluations).map(|(at, _)| at) == at);
            let mut metadata = ObjectText::new();
            metadata.put_json("model", model.as_deref());
            metadata.put_json("reported", summary.map(|(_, output)| output.as_str()));
            stored.metadata = metadata.finish().and_then(|text| serde_json::from_str(&text).ok());
        }
        match case {
            Some((_, case)) => receiver.span(experiment, self.below(call, &id, case, record.line)),
            None => {
                let (case, scores) = self.evaluated(call, id, record.line);
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
        // The usage of a call counts that of the calls below it; only a call without any is its own.
        let own = usage.filter(|_| !self.with_calls_below.contains(&hash(id)));
        for (ours, theirs) in [
            ("prompt_tokens", ["prompt_tokens", "input_tokens"].as_slice()),
            ("completion_tokens", &["completion_tokens", "output_tokens"]),
            ("tokens", &["total_tokens"]),
        ] {
            // A model writes one of the names, or both; the models of a call add up.
            let of_model = |usage: Value<'_>| {
                let counts = theirs.iter().filter_map(|name| usage.get(name)?.number());
                counts.reduce(|first, other| if first > 0.0 { first } else { other })
            };
            let counts = own.iter().flat_map(Value::fields).filter_map(|(_, usage)| of_model(usage));
            add_metric(&mut span, ours, counts.reduce(|sum, count| sum + count));
        }
        span.input = call.get("inputs").and_then(|inputs| inputs.json());
        span.output = call.get("output").and_then(|output| output.json());
        span
    }

    fn evaluated(&self, call: Value<'_>, id: String, line: u64) -> (Span, Vec<Score>) {
        let mut case = root(id);
        case.line = line;
        fill(&mut case, call);
        let output = call.get("output");
        case.input = call.at(&["inputs", "example"]).and_then(|example| example.json());
        case.output = output.and_then(|output| output.get("output").or_else(|| output.get("model_output"))?.json());
        let latency = output.and_then(|output| output.get("model_latency")?.number());
        add_metric(&mut case, "model_latency", latency);
        let leaves = leaves(call);
        let scored: HashSet<&str> =
            leaves.iter().filter(|(_, leaf)| is_score(leaf.value)).map(|(scorer, _)| scorer.as_str()).collect();
        let counts = |scorer: &str, leaf: &Leaf<'_>| {
            // A scorer that gave nothing at all was not able to score; nor was one that gave null where it
            // gives other cases a number, or gave no number.
            let is_missing =
                leaf.value.kind == Kind::Null && (self.scored.contains(&leaf.path) || !scored.contains(scorer));
            leaf.path == scorer || is_score(leaf.value) || is_missing
        };
        let counted = leaves.iter().filter(|(scorer, leaf)| counts(scorer, leaf));
        let scores = counted.map(|(scorer, leaf)| Score {
            scorer: Some(scorer.clone()),
            ..Score::new(leaf.path.as_str(), Reading::of(Some(leaf.value)))
        });
        let scores = scores.collect();
        (case, scores)
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

/// A value inside what a scorer gave, which is no object.
struct Leaf<'a> {
    /// SCORER.FIELD, and so on.
    path: String,
    value: Value<'a>,
}

/// What the scorers of a case gave, by scorer.
fn leaves(call: Value<'_>) -> Vec<(String, Leaf<'_>)> {
    let mut leaves = Vec::new();
    for (scorer, value) in call.at(&["output", "scores"]).iter().flat_map(Value::fields) {
        list_leaves(&scorer, &scorer, value, 0, &mut leaves);
    }
    leaves
}

fn list_leaves<'a>(scorer: &str, path: &str, value: Value<'a>, level: usize, leaves: &mut Vec<(String, Leaf<'a>)>) {
    if value.kind == Kind::Object && level < LEVELS {
        for (key, inner) in value.fields() {
            list_leaves(scorer, &format!("{path}.{key}"), inner, level + 1, leaves);
        }
        return;
    }
    leaves.push((scorer.to_string(), Leaf { path: path.to_string(), value }));
}

fn is_score(value: Value<'_>) -> bool {
    matches!(value.kind, Kind::Number | Kind::True | Kind::False | Kind::NotANumber | Kind::Infinity)
}
