//! Logs of OpenAI evals: one event a line, those of a sample not beside each other. See
//! `docs/import/openai-evals.md`.

use std::collections::HashMap;

use evalhouse_model::Span;
use xxhash_rust::xxh3::xxh3_128;

use super::score::{Reading, Score, hand_on_case};
use super::spans::{add_metric, child, micros, root, set_kind, text_at};
use super::{Claim, ForeignFormat};
use crate::discover::Source;
use crate::json::{Kind, ObjectText, Value, array};
use crate::load::Stop;
use crate::look::Look;
use crate::receive::{Receiver, Run};
use crate::records::{each_record, learn};
use crate::request::ImportRequest;

/// The format of OpenAI evals.
pub(crate) struct OpenAiEvals;

impl ForeignFormat for OpenAiEvals {
    fn name(&self) -> &'static str {
        "openai-evals"
    }

    fn mapping(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("experiment", "the log: `spec.run_id`, named after `spec.eval_name` and the run"),
            ("case", "a `sample_id`"),
            ("input, output", "the first `sampling.prompt`, the last `sampling.sampled`"),
            ("expected", "`match.expected`, else `ideal` of the `raw_sample`"),
            ("scores", "`match.correct` as `match`; the numbers of `metrics`; state `error` after an `error` event"),
            ("spans", "one for each `sampling` and `function_call`"),
        ]
    }

    fn claim(&self, look: &Look, _source: &Source) -> Claim {
        let is_log = look.rows().is_some_and(|f| f.has("spec") && f.has_any(&["spec.completion_fns", "spec.run_id"]));
        Claim::main_if(is_log, "lines of which the first is a `spec` of a run")
    }

    fn read(&self, source: &Source, _request: &ImportRequest, receiver: &mut dyn Receiver) -> Result<(), Stop> {
        // How many events a sample has, so that it can be handed on with its last one.
        let mut counts: HashMap<u128, u32> = HashMap::new();
        let mut spec = None;
        let mut report = None;
        learn(source, &mut |line| {
            spec = spec.take().or_else(|| line.get("spec")?.json());
            report = line.get("final_report").and_then(|report| report.json()).or(report.take());
            if let Some(sample) = text_at(line, "sample_id") {
                *counts.entry(xxh3_128(sample.as_bytes())).or_default() += 1;
            }
        });
        let experiment = open(source, spec.as_deref(), report.as_deref(), receiver)?;
        let mut samples: HashMap<String, Sample> = HashMap::new();
        each_record(source, receiver, Some(experiment), &mut |receiver, record| {
            let Some(id) = text_at(record.value, "sample_id") else { return Ok(()) };
            let sample = samples.entry(id.clone()).or_insert_with(|| Sample::new(&id, record.line));
            sample.add(record.value);
            if counts.get(&xxh3_128(id.as_bytes())).is_some_and(|count| *count == sample.events)
                && let Some(sample) = samples.remove(&id)
            {
                sample.hand_on(receiver, experiment)?;
            }
            Ok(())
        })?;
        samples.into_values().try_for_each(|sample| sample.hand_on(receiver, experiment))
    }
}

fn open(source: &Source, spec: Option<&str>, report: Option<&str>, receiver: &mut dyn Receiver) -> Result<usize, Stop> {
    let spec = spec.and_then(|spec| Value::parse(spec).ok());
    let text = |name: &str| spec.and_then(|spec| text_at(spec, name));
    let id = text("run_id").unwrap_or_else(|| source.stem());
    let name = text("eval_name").map_or_else(|| source.stem(), |eval| format!("{eval} {id}"));
    let experiment = receiver.experiment(&Run { id, name })?;
    let model = spec.and_then(|spec| spec.get("completion_fns")?.items().next()?.json());
    let mut metadata = ObjectText::new();
    metadata.put_json("model", model.as_deref());
    metadata.put_all(spec, &["model"]);
    metadata.put_json("final_report", report);
    let record = receiver.record(experiment);
    record.metadata = metadata.finish().and_then(|text| serde_json::from_str(&text).ok());
    record.created = micros(spec.and_then(|spec| spec.get("created_at")));
    record.dataset = text("base_eval");
    if report.is_none() {
        receiver.unfinished(experiment);
    }
    Ok(experiment)
}

/// A sample whose events are coming in.
struct Sample {
    case: Span,
    events: u32,
    spans: Vec<Span>,
    scores: Vec<Score>,
    error: Option<String>,
    raw: Option<String>,
    others: Vec<String>,
}

impl Sample {
    fn new(id: &str, line: u64) -> Self {
        let mut case = root(id.to_string());
        case.line = line;
        Self { case, events: 0, spans: Vec::new(), scores: Vec::new(), error: None, raw: None, others: Vec::new() }
    }

    fn add(&mut self, event: Value<'_>) {
        self.events += 1;
        let time = micros(event.get("created_at"));
        self.case.created = self.case.created.or(time);
        let data = event.get("data");
        let json = |name: &str| data.and_then(|data| data.get(name)?.json());
        match text_at(event, "type").as_deref() {
            Some("sampling") => {
                let mut span = self.child("sampling", "llm", time);
                span.input = json("prompt");
                span.output = json("sampled");
                add_usage(&mut span, data.and_then(|data| data.get("usage")));
                let mut metadata = ObjectText::new();
                metadata.put("model", data.and_then(|data| data.get("model")));
                span.metadata = metadata.finish();
                self.case.input = self.case.input.take().or_else(|| json("prompt"));
                self.case.output = json("sampled").or_else(|| self.case.output.take());
                self.spans.push(span);
            }
            Some("function_call") => {
                let mut span = self.child("function_call", "tool", time);
                if let Some(name) = data.and_then(|data| text_at(data, "name")) {
                    set_kind(&mut span, &name, "tool", false);
                }
                span.input = json("arguments");
                span.output = json("return_value");
                self.spans.push(span);
            }
            Some("match") => {
                let reading = Reading::of(data.and_then(|data| data.get("correct")));
                self.case.expected = json("expected").or_else(|| self.case.expected.take());
                self.scores.retain(|score| score.name != "match");
                self.scores.push(Score { answer: json("picked"), ..Score::new("match", reading) });
            }
            Some("metrics") => self.add_metrics(data),
            Some("raw_sample") => self.raw = data.and_then(|data| data.json()),
            Some("error") => self.error = data.and_then(|data| data.json()).or_else(|| Some("\"error\"".into())),
            _ => self.others.extend(event.json()),
        }
    }

    fn add_metrics(&mut self, data: Option<Value<'_>>) {
        for (name, value) in data.iter().flat_map(Value::fields) {
            if !matches!(value.kind, Kind::Array | Kind::Object) {
                self.scores.retain(|score| score.name != name);
                self.scores.push(Score::new(name, Reading::of(Some(value))));
            }
        }
    }

    fn child(&self, name: &str, span_type: &str, created: Option<i64>) -> Span {
        let mut span = child(format!("{}/{}", self.case.id, self.events), &self.case);
        set_kind(&mut span, name, span_type, false);
        span.created = created;
        span
    }

    fn hand_on(mut self, receiver: &mut dyn Receiver, experiment: usize) -> Result<(), Stop> {
        let raw = self.raw.as_deref().and_then(|raw| Value::parse(raw).ok());
        self.case.input = self.case.input.take().or_else(|| self.raw.clone());
        self.case.expected = self.case.expected.take().or_else(|| raw?.get("ideal")?.json());
        self.case.error = self.error.clone();
        if self.error.is_some() && self.scores.is_empty() {
            // The run scores by `match` unless its samples say otherwise; this one was not scored.
            self.scores.push(Score::new("match", Reading::missing()).with_error(self.error));
        }
        let mut metadata = ObjectText::new();
        metadata.put("raw_sample", raw);
        metadata.put_json("events", (!self.others.is_empty()).then(|| array(&self.others)).as_deref());
        self.case.metadata = metadata.finish();
        for span in self.spans {
            receiver.span(experiment, span)?;
        }
        hand_on_case(receiver, experiment, self.case, &self.scores)
    }
}

fn add_usage(span: &mut Span, usage: Option<Value<'_>>) {
    for (theirs, ours) in
        [("prompt_tokens", "prompt_tokens"), ("completion_tokens", "completion_tokens"), ("total_tokens", "tokens")]
    {
        add_metric(span, ours, usage.and_then(|usage| usage.get(theirs)?.number()));
    }
}
