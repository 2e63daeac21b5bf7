//! Attributes of spans, in the dialects that instrumentation of language models speaks.
//!
//! Where several dialects are on one span, the order is Braintrust, GenAI, OpenInference, earlier
//! GenAI, Traceloop, Vercel, MLflow, Langfuse; the first one that has a value wins, field by field.

use std::collections::BTreeMap;

use evalhouse_model::Span;
use serde_json::Value as Json;

use super::otlp::pairs;
use super::score::{Reading, Score};
use super::spans::add_metric;
use crate::json::{Kind, ObjectText, Value, array};

/// How deep values of attributes may nest.
const LEVELS: usize = 64;

/// Attributes that hold the input: exact keys first. Each may hold JSON in a text.
const INPUT: [&str; 10] = [
    "braintrust.input_json",
    "braintrust.input",
    "gen_ai.input.messages",
    "input.value",
    "gen_ai.prompt",
    "traceloop.entity.input",
    "ai.prompt.messages",
    "ai.prompt",
    "mlflow.spanInputs",
    "langfuse.observation.input",
];
const OUTPUT: [&str; 11] = [
    "braintrust.output_json",
    "braintrust.output",
    "gen_ai.output.messages",
    "output.value",
    "gen_ai.completion",
    "traceloop.entity.output",
    "ai.response.object",
    "ai.response.text",
    "mlflow.spanOutputs",
    "langfuse.observation.output",
    "gen_ai.tool.call.result",
];
const EXPECTED: [&str; 4] = [
    "braintrust.expected_json",
    "braintrust.expected",
    "langfuse.experiment.item.expected_output",
    "evalhouse.expected",
];
/// Attributes whose text is the JSON of any value, a number's or a string's too. Of others only a text
/// that begins like an object or a list is JSON.
const JSON_TEXTS: [&str; 16] = [
    "braintrust.input_json",
    "braintrust.output_json",
    "braintrust.expected_json",
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.tool.call.arguments",
    "traceloop.entity.input",
    "traceloop.entity.output",
    "ai.prompt.messages",
    "ai.prompt",
    "ai.response.object",
    "ai.toolCall.args",
    "ai.toolCall.result",
    "tool.parameters",
    "mlflow.spanInputs",
    "mlflow.spanOutputs",
];
/// What a model said, in its own words: a text, whatever it looks like.
const PLAIN_TEXT: &str = "ai.response.text";
/// Prefixes of lists that are written element by element.
const INPUT_LISTS: [&str; 3] = ["llm.input_messages", "gen_ai.prompt", "braintrust.input"];
const OUTPUT_LISTS: [&str; 3] = ["llm.output_messages", "gen_ai.completion", "braintrust.output"];
/// Arguments of tools stand for an input where there is no other.
const TOOL_INPUT: [&str; 4] =
    ["gen_ai.tool.call.arguments", "ai.toolCall.args", "tool.parameters", "langfuse.trace.input"];
const TOOL_OUTPUT: [&str; 2] = ["ai.toolCall.result", "langfuse.trace.output"];
/// Events that hold messages.
const INPUT_EVENTS: [&str; 5] = [
    "gen_ai.system.message",
    "gen_ai.user.message",
    "gen_ai.assistant.message",
    "gen_ai.tool.message",
    "gen_ai.content.prompt",
];
const OUTPUT_EVENTS: [&str; 2] = ["gen_ai.choice", "gen_ai.content.completion"];

/// Attributes that say what kind of span it is.
const KIND: [&str; 5] = [
    "openinference.span.kind",
    "gen_ai.operation.name",
    "traceloop.span.kind",
    "mlflow.spanType",
    "langfuse.observation.type",
];

/// Metrics: our name, and the attributes that it is read from.
const METRICS: [(&str, &[&str]); 8] = [
    (
        "prompt_tokens",
        &[
            "gen_ai.usage.input_tokens",
            "llm.token_count.prompt",
            "gen_ai.usage.prompt_tokens",
            "ai.usage.inputTokens",
            "ai.usage.promptTokens",
        ],
    ),
    (
        "completion_tokens",
        &[
            "gen_ai.usage.output_tokens",
            "llm.token_count.completion",
            "gen_ai.usage.completion_tokens",
            "ai.usage.outputTokens",
            "ai.usage.completionTokens",
        ],
    ),
    ("tokens", &["gen_ai.usage.total_tokens", "llm.token_count.total", "llm.usage.total_tokens"]),
    ("prompt_cached_tokens", &["gen_ai.usage.cache_read.input_tokens", "llm.token_count.prompt_details.cache_read"]),
    (
        "prompt_cache_creation_tokens",
        &["gen_ai.usage.cache_creation.input_tokens", "llm.token_count.prompt_details.cache_write"],
    ),
    (
        "completion_reasoning_tokens",
        &["gen_ai.usage.reasoning.output_tokens", "llm.token_count.completion_details.reasoning"],
    ),
    ("estimated_cost", &["llm.cost.total", "gen_ai.usage.cost"]),
    ("time_to_first_token", &["gen_ai.response.time_to_first_chunk"]),
];

/// Braintrust's objects that have a place of their own.
const BRAINTRUST: [&str; 3] = ["braintrust.metadata", "braintrust.scores", "braintrust.metrics"];
/// Braintrust's types of spans.
const BRAINTRUST_TYPES: [&str; 6] = ["llm", "score", "function", "eval", "task", "tool"];
/// Prefixes of lists of scores.
const ANNOTATIONS: [&str; 6] = [
    "annotations",
    "evaluations",
    "trace.annotations",
    "trace.evaluations",
    "session.annotations",
    "session.evaluations",
];

/// The metric that is no sum over calls.
const TIME_TO_FIRST_TOKEN: &str = "time_to_first_token";

/// Whether a list of attributes says what a model used, and whether it is a scorer's: as cheaply as a
/// first walk over a source needs.
pub(super) fn glance(list: Option<Value<'_>>) -> (bool, bool) {
    let (mut has_usage, mut is_scorer) = (false, false);
    for pair in list.iter().flat_map(Value::items) {
        let Some(key) = pair.get("key").and_then(|key| key.string()) else { continue };
        let is_usage = |(name, keys): &(&str, &[&str])| *name != TIME_TO_FIRST_TOKEN && keys.contains(&&*key);
        let is_own = key.starts_with("braintrust.metrics") && ["tokens", "cost"].iter().any(|w| pair.text.contains(w));
        has_usage |= is_own || METRICS.iter().any(is_usage);
        let value = KIND.contains(&&*key).then(|| any_value(pair.get("value")?, 0)).flatten();
        is_scorer |= value.is_some_and(|value| value.trim_matches('"').eq_ignore_ascii_case("evaluator"));
    }
    (has_usage, is_scorer)
}

/// The attributes of one span, JSON texts by key.
pub(super) struct Attributes {
    all: BTreeMap<String, String>,
}

impl Attributes {
    /// Reads a list of keys and typed values.
    pub(super) fn of(list: Option<Value<'_>>) -> Self {
        Self { all: pairs(list).into_iter().collect() }
    }

    /// Takes values that are plain JSON.
    pub(super) fn of_object(object: Option<Value<'_>>) -> Self {
        let fields = object.iter().flat_map(Value::fields);
        Self { all: fields.filter_map(|(key, value)| Some((key.into_owned(), value.json()?))).collect() }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.all.contains_key(key)
    }

    /// The JSON text of an attribute.
    pub(super) fn json(&self, key: &str) -> Option<String> {
        self.all.get(key).cloned()
    }

    /// The text of an attribute that is a string.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        Value::parse(self.all.get(key)?).ok()?.string().map(|text| text.into_owned())
    }

    fn number(&self, key: &str) -> Option<f64> {
        Value::parse(self.all.get(key)?).ok()?.loose_number()
    }

    /// Everything, as one object.
    pub(super) fn all(&self) -> Option<String> {
        let mut object = ObjectText::new();
        self.all.iter().for_each(|(key, json)| object.put_json(key, Some(json)));
        object.finish()
    }

    /// The type of the span, and whether it is a scorer's.
    pub(super) fn kind(&self) -> (&'static str, bool) {
        let fields = self.braintrust("span_attributes");
        let braintrust =
            |name: &str| fields.iter().find(|(key, _)| key == name)?.1.strip_prefix('"')?.strip_suffix('"');
        if let Some(known) = braintrust("type").and_then(|kind| BRAINTRUST_TYPES.into_iter().find(|t| *t == kind)) {
            return (known, known == "score" || braintrust("purpose") == Some("scorer"));
        }
        let kind = KIND.into_iter().find_map(|key| self.text(key)).unwrap_or_default();
        if let Some(vercel) = self.vercel_kind().filter(|_| kind.is_empty()) {
            return (vercel, false);
        }
        match kind.trim_matches('"').to_ascii_lowercase().as_str() {
            "llm" | "chat" | "generate_content" | "text_completion" | "embeddings" | "chat_model" | "generation"
            | "embedding" => ("llm", false),
            "tool" | "execute_tool" => ("tool", false),
            "evaluator" => ("score", true),
            "agent" | "chain" | "invoke_agent" | "invoke_workflow" | "create_agent" | "workflow" | "task" => {
                ("task", false)
            }
            "" if self.has("ai.model.id") || self.has("gen_ai.request.model") => ("llm", false),
            "" if self.has("ai.toolCall.name") => ("tool", false),
            _ => ("function", false),
        }
    }

    /// Vercel's kit wraps the calls of a model, `ai.generateText.doGenerate`, in a span that repeats what
    /// they used, `ai.generateText`.
    fn vercel_kind(&self) -> Option<&'static str> {
        let operation = self.text("ai.operationId").or_else(|| self.text("operation.name"))?;
        let operation = operation.split(' ').next()?.strip_prefix("ai.")?;
        Some(match operation {
            "toolCall" => "tool",
            _ if operation.contains(".do") => "llm",
            _ => "task",
        })
    }

    pub(super) fn input(&self, events: &[Value<'_>]) -> Option<String> {
        let found = self.first(&INPUT).or_else(|| self.first_list(&INPUT_LISTS));
        found.or_else(|| messages(events, &INPUT_EVENTS)).or_else(|| self.first(&TOOL_INPUT))
    }

    pub(super) fn output(&self, events: &[Value<'_>]) -> Option<String> {
        let found = self.first(&OUTPUT).or_else(|| self.first_list(&OUTPUT_LISTS));
        found.or_else(|| messages(events, &OUTPUT_EVENTS)).or_else(|| self.first(&TOOL_OUTPUT))
    }

    pub(super) fn expected(&self) -> Option<String> {
        self.first(&EXPECTED)
    }

    pub(super) fn tags(&self) -> Option<Vec<String>> {
        let tags = self.all.get("tag.tags").or_else(|| self.all.get("braintrust.tags"))?;
        let tags = Value::parse(tags).ok()?;
        Some(tags.items().filter_map(|tag| Some(tag.string()?.into_owned())).collect())
    }

    /// The first attribute that is there. A text is the JSON in it where its key, a mime type beside it,
    /// or its first character says that it is JSON.
    fn first(&self, keys: &[&str]) -> Option<String> {
        let key = *keys.iter().find(|key| self.has(key))?;
        let json = self.json(key)?;
        let mime = key.strip_suffix(".value").and_then(|stem| self.text(&format!("{stem}.mime_type")));
        let is_container = || self.text(key).is_none_or(|text| text.trim_start().starts_with(['{', '[']));
        let is_json = match key {
            _ if key.ends_with(".value") => mime.as_deref() == Some("application/json"),
            PLAIN_TEXT => false,
            _ => JSON_TEXTS.contains(&key) || is_container(),
        };
        Some(is_json.then(|| parsed(&json)).flatten().unwrap_or(json))
    }

    /// A list whose elements are attributes of their own: `PREFIX.0.message.role`, and so on.
    fn first_list(&self, prefixes: &[&str]) -> Option<String> {
        prefixes.iter().find_map(|prefix| {
            let list = self.nested(prefix)?;
            // OpenInference wraps each element in the name of what it is.
            let unwrapped = match list {
                Json::Array(items) => Json::Array(items.into_iter().map(|item| unwrap(item, "message")).collect()),
                other => other,
            };
            serde_json::to_string(&unwrapped).ok()
        })
    }

    /// The tree of the attributes below a prefix.
    fn nested(&self, prefix: &str) -> Option<Json> {
        let start = format!("{prefix}.");
        let mut tree = Tree::default();
        for (key, json) in self.all.range(start.clone()..) {
            let Some(path) = key.strip_prefix(&start) else { break };
            tree.put(path.split('.'), json);
        }
        (!tree.below.is_empty()).then(|| tree.into_json(0))
    }

    /// Scores that are attached to the span.
    pub(super) fn scores(&self, events: &[Value<'_>]) -> Vec<Score> {
        let mut scores = Vec::new();
        for prefix in ANNOTATIONS {
            let Some(Json::Array(items)) = self.nested(prefix) else { continue };
            for item in items {
                let item = unwrap(unwrap(item, "annotation"), "evaluation");
                scores.extend(annotation(&item));
            }
        }
        for (name, json) in self.braintrust("scores") {
            scores.push(Score::new(name, Reading::of(Value::parse(&json).ok())));
        }
        for event in events {
            if event.get("name").and_then(|name| name.string()).as_deref() == Some("gen_ai.evaluation.result") {
                scores.extend(evaluation(&Self::of(event.get("attributes"))));
            }
        }
        scores
    }

    /// The fields of one of Braintrust's objects: in one attribute, as an attribute each, or both.
    fn braintrust(&self, group: &str) -> Vec<(String, String)> {
        let whole = format!("braintrust.{group}");
        let each = format!("{whole}.");
        let text = self.text(&whole).or_else(|| self.json(&whole)).unwrap_or_default();
        let object = Value::parse(&text).ok();
        let mut fields: Vec<(String, String)> = Vec::new();
        for (name, value) in object.iter().flat_map(Value::fields) {
            fields.push((name.into_owned(), value.text.to_string()));
        }
        for (key, json) in self.all.range(each.clone()..) {
            let Some(name) = key.strip_prefix(&each) else { break };
            if !fields.iter().any(|(known, _)| known == name) {
                fields.push((name.to_string(), json.clone()));
            }
        }
        fields
    }

    pub(super) fn add_metrics(&self, span: &mut Span) {
        for (name, json) in self.braintrust("metrics") {
            add_metric(span, &name, Value::parse(&json).ok().and_then(|value| value.number()));
        }
        for (name, keys) in METRICS {
            if !span.metrics.iter().any(|(known, _)| **known == *name) {
                add_metric(span, name, keys.iter().find_map(|key| self.number(key)));
            }
        }
    }

    /// The model, what the source calls metadata, and every attribute that is nothing else.
    pub(super) fn put_metadata(&self, metadata: &mut ObjectText) {
        let models = ["gen_ai.request.model", "llm.model_name", "gen_ai.response.model", "ai.model.id"];
        metadata.put_json("model", models.iter().find_map(|key| self.json(key)).as_deref());
        let own = self.json("metadata").and_then(|json| parsed(&json));
        let own = own.as_deref().and_then(|text| Value::parse(text).ok());
        let braintrust = self.braintrust("metadata");
        let is_free = |name: &str| {
            let is_set = name == "model" && models.iter().any(|key| self.has(key));
            !is_set && name != "attributes"
        };
        for (name, json) in braintrust.iter().filter(|(name, _)| is_free(name)) {
            metadata.put(name, Value::parse(json).ok());
        }
        for (name, value) in own.iter().flat_map(Value::fields) {
            if is_free(&name) && !braintrust.iter().any(|(known, _)| *known == name) {
                metadata.put(&name, Some(value));
            }
        }
        let mut rest = ObjectText::new();
        let known: [&[&str]; 3] = [&INPUT, &OUTPUT, &EXPECTED];
        let lists = INPUT_LISTS.iter().chain(&OUTPUT_LISTS);
        for (key, json) in &self.all {
            let is_used = known.iter().any(|keys| keys.contains(&key.as_str()))
                || lists.clone().any(|prefix| key.starts_with(&format!("{prefix}.")))
                || key == "metadata"
                || BRAINTRUST
                    .iter()
                    .any(|group| key.strip_prefix(group).is_some_and(|r| r.is_empty() || r.starts_with('.')));
            if !is_used {
                rest.put_json(key, Some(json));
            }
        }
        metadata.put_json("attributes", rest.finish().as_deref());
    }
}

/// Takes away what a span says that a model used.
pub(super) fn drop_usage(span: &mut Span) {
    span.metrics.retain(|(known, _)| !METRICS.iter().any(|(name, _)| **known == **name));
}

/// The JSON that a JSON text holds inside a string, once or twice.
pub(super) fn parsed(json: &str) -> Option<String> {
    let value = Value::parse(json).ok()?;
    let Some(text) = value.string() else { return value.json() };
    let inner = Value::parse(text.trim()).ok()?;
    inner.json()
}

fn unwrap(item: Json, name: &str) -> Json {
    match item {
        Json::Object(mut object) if object.len() == 1 && object.contains_key(name) => {
            object.shift_remove(name).unwrap_or(Json::Null)
        }
        other => other,
    }
}

/// Messages that stand in events.
fn messages(events: &[Value<'_>], names: &[&str]) -> Option<String> {
    let messages = events.iter().filter_map(|event| {
        let name = event.get("name")?.string()?;
        let attributes = names.contains(&&*name).then(|| Attributes::of(event.get("attributes")))?;
        let mut message = ObjectText::new();
        let role = name.strip_prefix("gen_ai.").and_then(|rest| rest.strip_suffix(".message"));
        message.put_text("role", role.filter(|_| !attributes.has("role")));
        attributes.all.iter().for_each(|(key, json)| message.put_json(key, Some(json)));
        message.finish()
    });
    let messages: Vec<String> = messages.collect();
    (!messages.is_empty()).then(|| array(messages))
}

fn annotation(item: &Json) -> Option<Score> {
    let text = |key: &str| item.get(key).and_then(Json::as_str).map(str::to_string);
    let name = text("name")?;
    let score = item.get("score").map(Json::to_string);
    let reading = reading(score.as_deref(), text("label"));
    let mut metadata = ObjectText::new();
    metadata.put_text("annotator_kind", text("annotator_kind").as_deref());
    metadata.put_text("identifier", text("identifier").as_deref());
    let own = item.get("metadata").map(Json::to_string).and_then(|json| parsed(&json));
    metadata.put_json("metadata", own.as_deref());
    Some(Score { explanation: text("explanation"), metadata: metadata.finish(), ..Score::new(name, reading) })
}

fn evaluation(attributes: &Attributes) -> Option<Score> {
    let name = attributes.text("gen_ai.evaluation.name")?;
    let label = attributes.text("gen_ai.evaluation.score.label");
    let reading = reading(attributes.all.get("gen_ai.evaluation.score.value").map(String::as_str), label);
    let score = Score { explanation: attributes.text("gen_ai.evaluation.explanation"), ..Score::new(name, reading) };
    Some(score.with_error(attributes.json("error.type")))
}

/// A score as it is written, JSON text, with its label.
fn reading(score: Option<&str>, label: Option<String>) -> Reading {
    let score = score.and_then(|json| Value::parse(json).ok()).filter(|value| value.kind != Kind::Null);
    match (score, label) {
        (None, Some(label)) => Reading::of_label(&label),
        (score, label) => {
            let read = Reading::of(score);
            Reading { label: label.or(read.label), ..read }
        }
    }
}

/// The JSON text of a typed value.
pub(super) fn any_value(value: Value<'_>, level: usize) -> Option<String> {
    let (kind, inner) = value.fields().next()?;
    match &*kind {
        "stringValue" | "string_value" | "boolValue" | "bool_value" | "doubleValue" | "double_value" | "bytesValue"
        | "bytes_value" => inner.json(),
        // Whole numbers come as strings, because JSON's numbers may lose digits.
        "intValue" | "int_value" => inner.as_text().filter(|text| text.parse::<i64>().is_ok()).map(|t| t.into_owned()),
        "arrayValue" | "array_value" if level < LEVELS => {
            let values = inner.get("values");
            Some(array(values.iter().flat_map(Value::items).filter_map(|item| any_value(item, level + 1))))
        }
        "kvlistValue" | "kvlist_value" if level < LEVELS => {
            let mut object = ObjectText::new();
            let values = inner.get("values");
            for pair in values.iter().flat_map(Value::items) {
                if let (Some(key), Some(value)) = (pair.get("key").and_then(|key| key.string()), pair.get("value")) {
                    object.put_json(&key, any_value(value, level + 1).as_deref());
                }
            }
            Some(object.finish().unwrap_or_else(|| "{}".into()))
        }
        _ => None,
    }
}

/// Attributes as a tree of their names.
#[derive(Default)]
struct Tree {
    value: Option<Json>,
    below: BTreeMap<String, Tree>,
}

impl Tree {
    fn put<'a>(&mut self, path: impl Iterator<Item = &'a str>, json: &str) {
        let leaf = path.take(LEVELS).fold(self, |tree, name| tree.below.entry(name.to_string()).or_default());
        leaf.value = serde_json::from_str(json).ok();
    }

    /// Numbers as names make a list, in their order; a list may have gaps.
    fn into_json(self, level: usize) -> Json {
        if self.below.is_empty() || level > LEVELS {
            return self.value.unwrap_or(Json::Null);
        }
        let is_list = self.below.keys().all(|name| name.parse::<u32>().is_ok());
        if is_list {
            let mut items: Vec<(u32, Json)> = self
                .below
                .into_iter()
                .map(|(name, tree)| (name.parse().unwrap_or(u32::MAX), tree.into_json(level + 1)))
                .collect();
            items.sort_by_key(|(at, _)| *at);
            return Json::Array(items.into_iter().map(|(_, item)| item).collect());
        }
        Json::Object(self.below.into_iter().map(|(name, tree)| (name, tree.into_json(level + 1))).collect())
    }
}
