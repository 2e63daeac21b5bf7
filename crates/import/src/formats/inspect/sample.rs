//! One sample as the spans of one case.

use std::borrow::Cow;
use std::collections::HashMap;

use evalhouse_model::Span;
use xxhash_rust::xxh3::xxh3_128;

use crate::error::Fault;
use crate::formats::spans::{add_metric, child, root, seconds, set_kind, set_times};
use crate::json::{Kind, ObjectText, Value};
use crate::reason;

use super::events::{self, Timeline};
use super::header::Header;
use super::scores;

/// What samples need to know of their log.
pub(super) struct Context {
    /// All cases of a log have its time, so that their trials are numbered by epoch.
    created: Option<i64>,
    legacy_scorer: String,
    score_names: scores::Names,
}

impl Context {
    pub(super) fn of(header: &Header) -> Self {
        let legacy_scorer = header.legacy_scorer().unwrap_or_else(|| "score".into());
        Self { created: header.created(), legacy_scorer, score_names: header.score_names() }
    }
}

/// What a sample became.
pub(super) struct Sample {
    /// The root first.
    pub(super) spans: Vec<Span>,
    pub(super) notes: Vec<(&'static str, u32)>,
}

impl Sample {
    /// The hash of the id of its case.
    pub(super) fn id(&self) -> Option<u128> {
        self.spans.first().map(id_of)
    }
}

/// The hash of the id of a case.
pub(super) fn id_of(case: &Span) -> u128 {
    xxh3_128(case.id.as_bytes())
}

/// The fields of a sample that are used.
#[derive(Default)]
struct Fields<'a> {
    id: Option<Value<'a>>,
    epoch: Option<Value<'a>>,
    input: Option<Value<'a>>,
    choices: Option<Value<'a>>,
    target: Option<Value<'a>>,
    output: Option<Value<'a>>,
    messages: Option<Value<'a>>,
    scores: Option<Value<'a>>,
    score: Option<Value<'a>>,
    metadata: Option<Value<'a>>,
    events: Option<Value<'a>>,
    transcript: Option<Value<'a>>,
    events_data: Option<Value<'a>>,
    attachments: Option<Value<'a>>,
    model_usage: Option<Value<'a>>,
    started_at: Option<Value<'a>>,
    completed_at: Option<Value<'a>>,
    total_time: Option<Value<'a>>,
    working_time: Option<Value<'a>>,
    error: Option<Value<'a>>,
    /// Facts about the run of the sample, kept under their names.
    run: Vec<(&'static str, Value<'a>)>,
    /// Everything else that is kept.
    extra: Vec<(&'static str, Value<'a>)>,
}

impl<'a> Fields<'a> {
    fn read(sample: Value<'a>) -> Self {
        let mut fields = Self::default();
        for (key, value) in sample.fields() {
            if value.kind != Kind::Null {
                fields.set(&key, value);
            }
        }
        fields
    }

    fn set(&mut self, key: &str, value: Value<'a>) {
        let field = match key {
            "id" => &mut self.id,
            "epoch" => &mut self.epoch,
            "input" => &mut self.input,
            "choices" => &mut self.choices,
            "target" => &mut self.target,
            "output" => &mut self.output,
            "messages" => &mut self.messages,
            "scores" => &mut self.scores,
            "score" => &mut self.score,
            "metadata" => &mut self.metadata,
            "events" => &mut self.events,
            "transcript" => &mut self.transcript,
            "events_data" => &mut self.events_data,
            "attachments" => &mut self.attachments,
            "model_usage" => &mut self.model_usage,
            "started_at" => &mut self.started_at,
            "completed_at" => &mut self.completed_at,
            "total_time" => &mut self.total_time,
            "working_time" => &mut self.working_time,
            "error" => &mut self.error,
            _ => return self.keep(key, value),
        };
        *field = Some(value);
    }

    /// Keeps a field that is no more than kept.
    fn keep(&mut self, key: &str, value: Value<'a>) {
        const RUN: [&str; 4] = ["uuid", "limit", "role_usage", "invalidation"];
        const EXTRA: [&str; 5] = ["error_retries", "store", "sandbox", "files", "setup"];
        if value.is_empty() {
            return;
        }
        if let Some(name) = RUN.into_iter().find(|name| *name == key) {
            self.run.push((name, value));
        } else if let Some(name) = EXTRA.into_iter().find(|name| *name == key) {
            self.extra.push((name, value));
        }
    }
}

/// Makes the spans of a sample. `ordinal` is its place in the log: of two samples with one id and
/// epoch the later one counts.
pub(super) fn convert(sample: Value<'_>, context: &Context, ordinal: u64, line: u64) -> Result<Sample, Fault> {
    if sample.kind != Kind::Object {
        let message = format!("a sample is an object, and this is {}", sample.kind.described());
        return Err(Fault::row(reason::NOT_AN_OBJECT, message).at(line, None));
    }
    let fields = Fields::read(sample);
    let Some(id) = fields.id.and_then(|id| id.as_text()) else {
        return Err(Fault::field("id", reason::NOT_A_ROW, "a sample needs an id").at(line, None));
    };
    let epoch = fields.epoch.map_or(Some(1), |epoch| epoch.integer()).filter(|epoch| *epoch > 0);
    let Some(epoch) = epoch else {
        return Err(Fault::field("epoch", reason::WRONG_TYPE, "expected a number from 1").at(line, None));
    };
    let attachments = Attachments::of(fields.attachments.or_else(|| fields.transcript?.get("content")));
    // Ids sort as their epochs do.
    let mut case = root(format!("{id}_epoch_{epoch:04}"));
    case.version = ordinal;
    case.line = line;
    case.created = context.created;
    case.input = input(&id, &fields, &attachments);
    case.output = fields.output.and_then(|output| output_text(output, &attachments));
    case.expected = fields.target.and_then(|target| attachments.resolved(target));
    case.error = fields.error.and_then(|error| error_text(error, &attachments));
    set_times(&mut case, seconds(fields.started_at), seconds(fields.completed_at));
    add_metric(&mut case, "total_time", fields.total_time.and_then(|time| time.number()));
    add_metric(&mut case, "working_time", fields.working_time.and_then(|time| time.number()));

    let event_list = fields.events.or_else(|| fields.transcript?.get("events"));
    let mut timeline = Timeline::new(&case, &attachments, fields.events_data);
    timeline.walk(event_list, 0);
    let (mut spans, mut notes) = (timeline.spans, timeline.notes);

    case.metadata = metadata(&fields, &id, epoch, &attachments);
    case.extra = extra(&fields, spans.iter().any(|span| span.span_type.as_deref() == Some("llm")), &attachments);
    if !spans.iter().any(|span| span.span_type.as_deref() == Some("llm")) {
        for (_, usage) in fields.model_usage.iter().flat_map(Value::fields) {
            events::add_usage(&mut case, usage);
        }
    }
    add_scores(&fields, context, &attachments, &case, &mut spans, &mut notes);
    spans.insert(0, case);
    Ok(Sample { spans, notes })
}

/// What makes the case: its id too, because a dataset may hold one question twice.
fn input(id: &str, fields: &Fields<'_>, attachments: &Attachments<'_>) -> Option<String> {
    let mut input = ObjectText::new();
    input.put_text("id", Some(id));
    input.put_json("input", fields.input.and_then(|value| attachments.resolved_text(lasting(value)?)).as_deref());
    let choices = fields.choices.filter(|choices| !choices.is_empty());
    input.put_json("choices", choices.and_then(|choices| attachments.resolved(choices)).as_deref());
    input.finish()
}

/// An input without what is made anew in each run: the ids of its messages.
fn lasting(input: Value<'_>) -> Option<String> {
    if input.kind != Kind::Array {
        return input.json();
    }
    let messages = input.items().map(|message| {
        let mut lasting = ObjectText::new();
        lasting.put_all(Some(message), &["id"]);
        lasting.finish().or_else(|| message.json()).unwrap_or_else(|| "null".into())
    });
    Some(crate::json::array(messages))
}

fn output_text(output: Value<'_>, attachments: &Attachments<'_>) -> Option<String> {
    let completion = output.get("completion").filter(|text| text.text != "\"\"");
    let message = || {
        let first = output.get("choices")?.items().next()?;
        first.get("message")?.get("content")
    };
    completion.or_else(message).and_then(|value| attachments.resolved(value))
}

/// An error without its copy in terminal colours.
fn error_text(error: Value<'_>, attachments: &Attachments<'_>) -> Option<String> {
    if error.kind != Kind::Object {
        return attachments.resolved(error);
    }
    let mut text = ObjectText::new();
    attachments.put_all(&mut text, Some(error), &["traceback_ansi"]);
    text.finish()
}

fn metadata(fields: &Fields<'_>, id: &str, epoch: i64, attachments: &Attachments<'_>) -> Option<String> {
    let mut own = ObjectText::new();
    own.put("id", fields.id.or_else(|| Value::parse("null").ok()));
    own.put_text("key", Some(id));
    own.put_json("epoch", Some(&epoch.to_string()));
    for (name, value) in &fields.run {
        own.put_json(name, attachments.resolved(*value).as_deref());
    }
    own.put("model_usage", fields.model_usage.filter(|usage| !usage.is_empty()));
    let mut metadata = ObjectText::new();
    attachments.put_all(&mut metadata, fields.metadata, &["inspect"]);
    metadata.put_json("inspect", own.finish().as_deref());
    metadata.finish()
}

/// What has no column: the messages only where no span of a model call holds them.
fn extra(fields: &Fields<'_>, has_calls: bool, attachments: &Attachments<'_>) -> Option<String> {
    let mut extra = ObjectText::new();
    for (name, value) in &fields.extra {
        extra.put_json(name, attachments.resolved(*value).as_deref());
    }
    if let Some(messages) = fields.messages.filter(|messages| !has_calls && !messages.is_empty()) {
        extra.put_json("messages", attachments.resolved(messages).as_deref());
    }
    extra.finish()
}

/// Puts each score on the span of its scorer, or on one of its own.
fn add_scores(
    fields: &Fields<'_>,
    context: &Context,
    attachments: &Attachments<'_>,
    case: &Span,
    spans: &mut Vec<Span>,
    notes: &mut Vec<(&'static str, u32)>,
) {
    let read = |scores: Option<Value<'_>>| scores::of_sample(scores, &context.score_names, attachments);
    let mut all = read(fields.scores);
    if let Some(score) = fields.score.filter(|_| all.is_empty()) {
        // As it is written: a `NaN` is not yet a null.
        let wrapped = format!("{{{}:{}}}", crate::json::quoted(&context.legacy_scorer), score.text);
        all = read(Value::parse(&wrapped).ok());
    }
    for score in all {
        notes.extend(score.reading.note.map(|note| (note, 1)));
        let scorer = score.scorer.as_deref();
        let is_scorer = |span: &&mut Span| span.span_type.as_deref() == Some("score") && span.name.as_deref() == scorer;
        match spans.iter_mut().rev().find(is_scorer) {
            Some(span) if span.scores.is_empty() => score.put_into(span),
            _ => {
                let mut span = child(format!("{}/score/{}", case.id, score.name), case);
                set_kind(&mut span, scorer.unwrap_or(&score.name), "score", true);
                score.put_into(&mut span);
                spans.push(span);
            }
        }
    }
}

/// Long texts of a sample, by their hashes: other texts stand for them as `attachment://HASH`.
#[derive(Default)]
pub(super) struct Attachments<'a> {
    texts: HashMap<Cow<'a, str>, Value<'a>>,
}

/// What stands before the hash of an attachment.
const ATTACHMENT: &str = "\"attachment://";

impl<'a> Attachments<'a> {
    fn of(attachments: Option<Value<'a>>) -> Self {
        let texts = attachments.iter().flat_map(Value::fields).filter(|(_, value)| value.kind == Kind::String);
        Self { texts: texts.collect() }
    }

    /// The text to store for a value, with the texts that it refers to.
    pub(super) fn resolved(&self, value: Value<'_>) -> Option<String> {
        if !value.is_storable() {
            return self.resolved_text(value.json()?);
        }
        (value.kind != Kind::Null).then(|| self.with_texts(value.text).unwrap_or_else(|| value.text.to_string()))
    }

    /// The content of a value that is a text, or the text of a number or boolean.
    pub(super) fn text(&self, value: Value<'_>) -> Option<String> {
        let json = self.resolved(value)?;
        let text = Value::parse(&json).ok()?.as_text()?.into_owned();
        Some(text)
    }

    /// Adds every field of an object that is not among `except`, with the texts that it refers to.
    pub(super) fn put_all(&self, into: &mut ObjectText, object: Option<Value<'_>>, except: &[&str]) {
        for (name, value) in object.iter().flat_map(Value::fields).filter(|(name, _)| !except.contains(&&**name)) {
            into.put_json(&name, self.resolved(value).as_deref());
        }
    }

    fn resolved_text(&self, json: String) -> Option<String> {
        Some(self.with_texts(&json).unwrap_or(json))
    }

    /// A text with the texts that it refers to; none when it refers to none.
    fn with_texts(&self, json: &str) -> Option<String> {
        if self.texts.is_empty() {
            return None;
        }
        let mut resolved = String::new();
        let mut rest = json;
        while let Some(at) = memchr::memmem::find(rest.as_bytes(), ATTACHMENT.as_bytes()) {
            if resolved.is_empty() {
                resolved.reserve(json.len() * 2);
            }
            let reference = &rest[at..];
            let hash = reference[ATTACHMENT.len()..].split('"').next().unwrap_or_default();
            let length = ATTACHMENT.len() + hash.len() + 1;
            resolved.push_str(&rest[..at]);
            match self.texts.get(hash) {
                // One attachment named many times must not grow a sample beyond all bounds.
                Some(text) if resolved.len() + text.text.len() < RESOLVED_BYTES_MAX => {
                    crate::json::push_json(&mut resolved, text);
                }
                _ => resolved.push_str(reference.get(..length).unwrap_or(reference)),
            }
            rest = reference.get(length..).unwrap_or_default();
        }
        if resolved.is_empty() {
            return None;
        }
        resolved.push_str(rest);
        Some(resolved)
    }
}

/// Bytes that a value may grow to when its attachments are put in.
pub(super) const RESOLVED_BYTES_MAX: usize = 64 << 20;
