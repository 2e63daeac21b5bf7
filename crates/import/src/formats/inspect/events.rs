//! The events of a sample as spans.

use std::borrow::Cow;
use std::collections::HashMap;

use evalhouse_model::Span;

use crate::formats::spans::{add_metric, child, seconds, set_kind, set_times};
use crate::json::{Kind, ObjectText, Value, array};

use super::sample::{Attachments, RESOLVED_BYTES_MAX};

/// How deep events may lie in events.
const LEVELS: usize = 32;

/// Builds the tree of spans of one sample.
pub(super) struct Timeline<'a> {
    case: Span,
    attachments: &'a Attachments<'a>,
    /// Messages that condensed model calls refer to.
    pool: Vec<Value<'a>>,
    pub(super) spans: Vec<Span>,
    pub(super) notes: Vec<(&'static str, u32)>,
    /// Inspect's span ids, to places in `spans`.
    by_id: HashMap<Cow<'a, str>, usize>,
    /// Open steps and subtasks of logs from before there were spans.
    open: Vec<usize>,
    /// Events without a span of their own, by the place of the span they happened in.
    events: HashMap<usize, Vec<String>>,
    /// Events of the same kind, directly in the case.
    case_events: Vec<String>,
}

impl<'a> Timeline<'a> {
    pub(super) fn new(case: &Span, attachments: &'a Attachments<'a>, data: Option<Value<'a>>) -> Self {
        let pool = data.and_then(|data| data.get("messages")).iter().flat_map(Value::items).collect();
        Self {
            case: Span {
                span_id: case.span_id.clone(),
                root_span_id: case.root_span_id.clone(),
                created: case.created,
                version: case.version,
                line: case.line,
                ..Span::default()
            },
            attachments,
            pool,
            spans: Vec::new(),
            notes: Vec::new(),
            by_id: HashMap::new(),
            open: Vec::new(),
            events: HashMap::new(),
            case_events: Vec::new(),
        }
    }

    /// Takes a list of events, and at the top puts the events without a span where they belong.
    pub(super) fn walk(&mut self, events: Option<Value<'a>>, level: usize) {
        for event in events.iter().flat_map(Value::items) {
            self.event(event, level);
        }
        if level == 0 {
            self.place_events();
        }
    }

    fn event(&mut self, event: Value<'a>, level: usize) {
        let fields: Vec<(Cow<'a, str>, Value<'a>)> =
            event.fields().filter(|(_, value)| value.kind != Kind::Null).collect();
        let fields = EventFields(&fields);
        match fields.text("event").as_deref() {
            Some("span_begin") => self.begin(fields),
            Some("span_end") => self.end(fields),
            Some("step") => self.step(fields),
            Some("model") => self.model(fields),
            Some("tool") => self.nested(fields, level, "tool"),
            Some("subtask") => self.nested(fields, level, "function"),
            // The first state and its changes repeat what the model calls and the final store hold.
            Some("sample_init" | "state" | "store") => {}
            _ => self.plain(event, fields),
        }
    }

    /// The place of the span that an event happened in; none means the case itself.
    fn parent(&self, id: Option<Cow<'a, str>>) -> Option<usize> {
        let known = id.and_then(|id| self.by_id.get(&id).copied());
        known.or_else(|| self.open.last().copied())
    }

    fn child_of(&self, parent: Option<usize>) -> Span {
        let parent = parent.and_then(|at| self.spans.get(at)).unwrap_or(&self.case);
        child(format!("{}/{}", self.case.span_id, self.spans.len() + 1), parent)
    }

    fn begin(&mut self, fields: EventFields<'_, 'a>) {
        // What happens there is the making of the sample, which the case is.
        if fields.text("type").as_deref() == Some("init") {
            return;
        }
        let mut span = self.child_of(self.parent(fields.text("parent_id")));
        let kind = fields.text("type").unwrap_or_default();
        let name = fields.text("name");
        set_span_kind(&mut span, name.as_deref().unwrap_or(&kind), &kind);
        set_times(&mut span, seconds(fields.get("timestamp")), None);
        if let Some(id) = fields.text("id") {
            self.by_id.insert(id, self.spans.len());
        }
        self.spans.push(span);
    }

    fn end(&mut self, fields: EventFields<'_, 'a>) {
        let at = fields.text("id").and_then(|id| self.by_id.get(&id).copied());
        self.close(at, seconds(fields.get("timestamp")));
    }

    fn close(&mut self, at: Option<usize>, end: Option<f64>) {
        if let Some(span) = at.and_then(|at| self.spans.get_mut(at)) {
            span.end = end;
            add_metric(span, "end", end);
        }
    }

    /// Steps are how logs before 2025 wrote spans: begin and end in order, without ids.
    fn step(&mut self, fields: EventFields<'_, 'a>) {
        let time = seconds(fields.get("timestamp"));
        if fields.text("action").as_deref() == Some("end") {
            let at = self.open.pop();
            return self.close(at, time);
        }
        let mut span = self.child_of(self.open.last().copied());
        let kind = fields.text("type").unwrap_or_default();
        set_span_kind(&mut span, &fields.text("name").unwrap_or(Cow::Borrowed("step")), &kind);
        set_times(&mut span, time, None);
        self.open.push(self.spans.len());
        self.spans.push(span);
    }

    fn model(&mut self, fields: EventFields<'_, 'a>) {
        let mut span = self.child_of(self.parent(fields.text("span_id")));
        set_kind(&mut span, fields.text("model").as_deref().unwrap_or("model"), "llm", false);
        self.set_event_times(&mut span, fields);
        span.input = self.model_input(fields);
        let output = fields.get("output");
        span.output = output.and_then(|output| self.attachments.resolved(output.get("choices")?));
        span.error = fields.get("error").and_then(|error| self.attachments.resolved(error));
        if let Some(usage) = output.and_then(|output| output.get("usage")) {
            add_usage(&mut span, usage);
        }
        let mut metadata = ObjectText::new();
        metadata.put("model", output.and_then(|output| output.get("model")).or_else(|| fields.get("model")));
        for name in ["role", "config", "tool_choice", "cache", "retries", "metadata", "tools"] {
            self.put(&mut metadata, name, fields);
        }
        span.metadata = metadata.finish();
        self.spans.push(span);
    }

    /// The messages that a model was given: its own, or the ranges of the pool that it names.
    fn model_input(&self, fields: EventFields<'_, 'a>) -> Option<String> {
        let own = fields.get("input").filter(|input| !input.is_empty());
        let Some(ranges) = fields.get("input_refs").filter(|_| own.is_none()) else {
            return self.attachments.resolved(own.or_else(|| fields.get("input"))?);
        };
        let mut messages = Vec::new();
        let mut bytes = 0;
        for range in ranges.items() {
            let mut ends = range.items().map(|end| end.integer().and_then(|end| usize::try_from(end).ok()));
            let (Some(Some(start)), Some(Some(end))) = (ends.next(), ends.next()) else { continue };
            for message in self.pool.get(start..end.min(self.pool.len())).unwrap_or_default() {
                bytes += message.text.len();
                // A short list of ranges can name a long pool many times.
                if bytes > RESOLVED_BYTES_MAX {
                    return Some(array(messages));
                }
                messages.extend(self.attachments.resolved(*message));
            }
        }
        Some(array(messages))
    }

    /// A tool call or a subtask; older logs hold what happened inside in the event itself.
    fn nested(&mut self, fields: EventFields<'_, 'a>, level: usize, span_type: &str) {
        let mut span = self.child_of(self.parent(fields.text("span_id")));
        let name = fields.text("function").or_else(|| fields.text("name"));
        set_kind(&mut span, name.as_deref().unwrap_or(span_type), span_type, false);
        self.set_event_times(&mut span, fields);
        let input = fields.get("arguments").or_else(|| fields.get("input"));
        span.input = input.and_then(|input| self.attachments.resolved(input));
        span.output = fields.get("result").and_then(|result| self.attachments.resolved(result));
        span.error = fields.get("error").and_then(|error| self.attachments.resolved(error));
        let mut metadata = ObjectText::new();
        for name in ["id", "agent", "message_id", "truncated", "failed", "view", "metadata"] {
            self.put(&mut metadata, name, fields);
        }
        span.metadata = metadata.finish();
        let at = self.spans.len();
        self.spans.push(span);
        if let Some(inner) = fields.get("events").filter(|events| !events.is_empty() && level < LEVELS) {
            self.open.push(at);
            self.walk(Some(inner), level + 1);
            self.open.truncate(self.open.iter().position(|open| *open == at).unwrap_or(self.open.len()));
        }
    }

    /// Adds a field of an event, unless it is empty.
    fn put(&self, metadata: &mut ObjectText, name: &str, fields: EventFields<'_, 'a>) {
        let value = fields.get(name).filter(|value| !value.is_empty());
        metadata.put_json(name, value.and_then(|value| self.attachments.resolved(value)).as_deref());
    }

    fn set_event_times(&self, span: &mut Span, fields: EventFields<'_, 'a>) {
        let start = seconds(fields.get("timestamp"));
        let worked = || Some(start? + fields.get("working_time")?.number()?);
        let end = seconds(fields.get("completed")).or_else(worked);
        set_times(span, start, end);
    }

    /// Keeps an event as it is, with the span that it happened in.
    fn plain(&mut self, event: Value<'a>, fields: EventFields<'_, 'a>) {
        // The final scores stand on the spans of their scorers already.
        let is_final_score = fields.text("event").as_deref() == Some("score")
            && fields.get("intermediate").and_then(|value| value.boolean()) != Some(true);
        let Some(json) = self.attachments.resolved(event).filter(|_| !is_final_score) else { return };
        match self.parent(fields.text("span_id")) {
            Some(at) => self.events.entry(at).or_default().push(json),
            None => self.case_events.push(json),
        }
    }

    fn place_events(&mut self) {
        for (at, events) in std::mem::take(&mut self.events) {
            if let Some(span) = self.spans.get_mut(at) {
                let known = span.metadata.take();
                let mut metadata = ObjectText::new();
                metadata.put_all(known.as_deref().and_then(|text| Value::parse(text).ok()), &["events"]);
                metadata.put_json("events", Some(&array(events)));
                span.metadata = metadata.finish();
            }
        }
        if !self.case_events.is_empty() {
            let mut span = self.child_of(None);
            set_kind(&mut span, "events", "function", false);
            let mut metadata = ObjectText::new();
            metadata.put_json("events", Some(&array(std::mem::take(&mut self.case_events))));
            span.metadata = metadata.finish();
            self.spans.push(span);
        }
    }
}

/// The fields of one event.
#[derive(Clone, Copy)]
struct EventFields<'f, 'a>(&'f [(Cow<'a, str>, Value<'a>)]);

impl<'a> EventFields<'_, 'a> {
    fn get(self, name: &str) -> Option<Value<'a>> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| *value)
    }

    fn text(self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name)?.string()
    }
}

/// The kind of a span of Inspect's. The solvers together are the task; tool calls are events of
/// their own inside the spans of tools.
fn set_span_kind(span: &mut Span, name: &str, kind: &str) {
    let (span_type, is_scorer) = match kind {
        "solvers" | "agent" => ("task", false),
        "scorer" => ("score", true),
        "scorers" => ("function", true),
        _ => ("function", false),
    };
    set_kind(span, name, span_type, is_scorer);
}

/// Adds the usage of a model. The tool's `input_tokens` leave out what was read from a cache.
pub(super) fn add_usage(span: &mut Span, usage: Value<'_>) {
    for (theirs, value) in usage.fields() {
        let name = match &*theirs {
            "input_tokens" => "prompt_tokens",
            "output_tokens" => "completion_tokens",
            "total_tokens" => "tokens",
            "input_tokens_cache_read" => "prompt_cached_tokens",
            "input_tokens_cache_write" => "prompt_cache_creation_tokens",
            "reasoning_tokens" => "completion_reasoning_tokens",
            "total_cost" => "estimated_cost",
            _ => continue,
        };
        let Some(value) = value.number() else { continue };
        match span.metrics.iter_mut().find(|(known, _)| &**known == name) {
            Some((_, sum)) => *sum += value,
            None => add_metric(span, name, Some(value)),
        }
    }
}
