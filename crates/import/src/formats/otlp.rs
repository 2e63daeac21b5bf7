//! OTLP JSON: traces with the GenAI conventions of OpenTelemetry, with OpenInference's attributes, or
//! with those of other dialects. See `docs/import/otlp.md`.

use std::collections::{HashMap, HashSet};

use evalhouse_model::Span;
use xxhash_rust::xxh3::xxh3_128;

use super::attributes::{Attributes, any_value, drop_usage, glance};
use super::spans::{set_kind, set_times};
use super::trace_index::{Place, TraceIndex, row_id};
use super::{Claim, ForeignFormat};
use crate::discover::Source;
use crate::json::{ObjectText, Value, quoted};
use crate::load::Stop;
use crate::look::Look;
use crate::reason;
use crate::receive::{Deaf, Receiver, Run};
use crate::records::{Record, each_record};
use crate::request::ImportRequest;

/// The format of OTLP JSON.
pub(crate) struct Otlp;

/// Attributes that say which experiment a trace is of.
const EXPERIMENT: [&str; 4] =
    ["evalhouse.experiment", "langfuse.experiment.name", "langfuse.experiment.id", "braintrust.parent"];

impl ForeignFormat for Otlp {
    fn name(&self) -> &'static str {
        "otlp"
    }

    fn mapping(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("experiment", "`langfuse.experiment.name`, `braintrust.parent` or `evalhouse.experiment`, else the file"),
            ("case", "a trace; its root span, or one that is made where several spans have no parent"),
            (
                "input, output",
                "per field the first that has it of Braintrust, GenAI, OpenInference, Traceloop, Vercel, MLflow, Langfuse",
            ),
            ("expected", "`braintrust.expected`, `langfuse.experiment.item.expected_output`, `evalhouse.expected`"),
            ("scores", "`gen_ai.evaluation.result` events, `annotations.N` and `evaluations.N`, `braintrust.scores`"),
            ("metrics", "token counts and costs of each dialect"),
            ("type", "`openinference.span.kind`, `gen_ai.operation.name` and their like"),
            ("metadata", "the other attributes; the resource's on the root"),
        ]
    }

    fn claim(&self, look: &Look, _source: &Source) -> Claim {
        let is_otlp = look.rows().is_some_and(|fields| fields.has_any(&["resourceSpans", "resource_spans"]));
        Claim::main_if(is_otlp, "JSON objects with `resourceSpans`")
    }

    fn read(&self, source: &Source, _request: &ImportRequest, receiver: &mut dyn Receiver) -> Result<(), Stop> {
        let mut index = TraceIndex::default();
        // Which experiment a trace is of may be said on any of its spans.
        let mut named: HashMap<u128, (usize, String)> = HashMap::new();
        let mut usage = Usage::default();
        // The second walk meets, and reports, whatever is wrong.
        let walked = each_span(source, &mut Deaf::default(), &mut |_, span| {
            let (trace, id, parent) = (span.trace_id(), span.span_id(), span.parent_id());
            index.tell(&trace, &id, parent.as_deref(), 0);
            usage.tell(&span, &trace, &id, parent.as_deref());
            if let Some(name) = span.experiment() {
                let known = named.entry(xxh3_128(trace.as_bytes())).or_insert_with(|| name.clone());
                if name.0 < known.0 {
                    *known = name;
                }
            }
            Ok(())
        });
        if let Err(stop @ (Stop::Store(_) | Stop::Cancelled)) = walked {
            return Err(stop);
        }
        index.finish();
        let wrappers = usage.wrappers();
        let mut experiments: HashMap<String, usize> = HashMap::new();
        each_span(source, receiver, &mut |receiver, span| {
            let trace = span.trace_id();
            let named = named.get(&xxh3_128(trace.as_bytes()));
            let name = named.map_or_else(|| source.stem(), |(_, name)| name.clone());
            let experiment = match experiments.get(&name) {
                Some(&known) => known,
                None => receiver.experiment(&run(name.clone()))?,
            };
            experiments.insert(name, experiment);
            span.record.iter().for_each(|record| record.note_rewrites(receiver, experiment));
            let is_wrapper = wrappers.contains(&span_hash(&trace, &span.span_id()));
            hand_on(&span, &trace, is_wrapper, &mut index, experiment, receiver)
        })
    }
}

fn run(name: String) -> Run {
    Run { id: name.clone(), name }
}

fn span_hash(trace: &str, span: &str) -> u128 {
    xxh3_128(row_id(trace, span).as_bytes())
}

/// Which spans say what a model used, and what they are below of.
#[derive(Default)]
struct Usage {
    users: Vec<u128>,
    /// Parents of spans but scorers', whose use is not the case's.
    parents: HashMap<u128, u128>,
}

impl Usage {
    fn tell(&mut self, span: &Otel<'_>, trace: &str, id: &str, parent: Option<&str>) {
        let (has_usage, is_scorer) = glance(span.span.get("attributes"));
        let Some(parent) = parent.filter(|_| !is_scorer) else { return };
        let id = span_hash(trace, id);
        self.parents.insert(id, span_hash(trace, parent));
        if has_usage {
            self.users.push(id);
        }
    }

    /// The spans above one that says what a model used. What an agent says is the sum of what its calls
    /// say, and would count twice.
    fn wrappers(self) -> HashSet<u128> {
        let mut wrappers = HashSet::new();
        for mut span in self.users {
            while let Some(&parent) = self.parents.get(&span) {
                if !wrappers.insert(parent) {
                    break;
                }
                span = parent;
            }
        }
        wrappers
    }
}

/// A span with what it stands in.
struct Otel<'a> {
    span: Value<'a>,
    resource: Option<Value<'a>>,
    line: u64,
    /// The record that it stands in, if it is the first span of it.
    record: Option<&'a Record<'a>>,
}

type Visit<'v> = dyn FnMut(&mut dyn Receiver, Otel<'_>) -> Result<(), Stop> + 'v;

fn each_span(source: &Source, receiver: &mut dyn Receiver, visit: &mut Visit<'_>) -> Result<(), Stop> {
    each_record(source, receiver, None, &mut |receiver, record| {
        let groups = either(record.value, "resourceSpans", "resource_spans");
        let mut first = Some(&record);
        for group in groups.iter().flat_map(Value::items) {
            let resource = group.get("resource").and_then(|resource| resource.get("attributes"));
            let scopes =
                either(group, "scopeSpans", "scope_spans").or_else(|| group.get("instrumentationLibrarySpans"));
            for span in scopes.iter().flat_map(Value::items).filter_map(|scope| scope.get("spans")) {
                for span in span.items() {
                    let span = Otel { span, resource, line: record.line, record: first.take() };
                    if !span.span_id().is_empty() {
                        visit(receiver, span)?;
                    }
                }
            }
        }
        Ok(())
    })
}

/// A field by its JSON name or by the name of dumps that were not made with the JSON mapping.
fn either<'a>(value: Value<'a>, name: &str, other: &str) -> Option<Value<'a>> {
    value.get(name).or_else(|| value.get(other))
}

impl Otel<'_> {
    fn id(&self, name: &str, other: &str) -> String {
        let id = either(self.span, name, other).and_then(|id| id.string()).unwrap_or_default();
        hex_id(&id)
    }

    fn trace_id(&self) -> String {
        self.id("traceId", "trace_id")
    }

    fn span_id(&self) -> String {
        self.id("spanId", "span_id")
    }

    fn parent_id(&self) -> Option<String> {
        Some(self.id("parentSpanId", "parent_span_id")).filter(|id| !id.is_empty())
    }

    /// The experiment that the span names, with the place of the attribute among those that can: the
    /// smallest counts, and of one attribute the span's own before the resource's.
    fn experiment(&self) -> Option<(usize, String)> {
        let lists = [self.span.get("attributes"), self.resource];
        let named = lists.iter().flatten().flat_map(Value::items).filter_map(|pair| {
            let key = pair.get("key")?.string()?;
            let rank = EXPERIMENT.iter().position(|known| *known == key)?;
            let name = either(pair.get("value")?, "stringValue", "string_value")?.string()?;
            // Braintrust's parent says what kind of thing it names.
            let is_other = name.starts_with("project_");
            let inner = name.strip_prefix("experiment_name:").or_else(|| name.strip_prefix("experiment_id:"));
            (!is_other).then(|| (rank, inner.unwrap_or(&name).to_string()))
        });
        named.min_by_key(|(rank, _)| *rank)
    }
}

/// An id in hex. Some exporters write the bytes in base64, as the general mapping would.
pub(super) fn hex_id(id: &str) -> String {
    use base64::Engine;
    let is_base64 = matches!(id.len(), 12 | 24) && id.ends_with('=');
    let bytes = is_base64.then(|| base64::engine::general_purpose::STANDARD.decode(id).ok()).flatten();
    match bytes {
        Some(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        None => id.to_ascii_lowercase(),
    }
}

fn hand_on(
    otel: &Otel<'_>,
    trace: &str,
    is_wrapper: bool,
    index: &mut TraceIndex,
    experiment: usize,
    receiver: &mut dyn Receiver,
) -> Result<(), Stop> {
    let (span_id, parent) = (otel.span_id(), otel.parent_id());
    let place = index.place(trace, &span_id, parent.as_deref());
    if place == Place::Replaced {
        receiver.note(experiment, reason::REPEATED_RECORD, 1);
        return Ok(());
    }
    let id = row_id(trace, &span_id);
    let mut span = Span {
        span_id: id.clone(),
        id,
        root_span_id: trace.to_string(),
        is_root: place == Place::Root,
        line: otel.line,
        ..Span::default()
    };
    let attributes = Attributes::of(otel.span.get("attributes"));
    fill(&mut span, otel, &attributes);
    if is_wrapper && (span.is_root || attributes.kind().0 != "llm") {
        drop_usage(&mut span);
    }
    if let Place::Below(parent) = place {
        if let Some(root) = index.missing_root(trace, &span) {
            receiver.span(experiment, root)?;
        }
        span.span_parents = vec![parent];
    }
    let mut events = otel.span.get("events").iter().flat_map(Value::items).collect::<Vec<_>>();
    events.retain(|event| event.get("name").is_some());
    for (at, score) in attributes.scores(&events).into_iter().enumerate() {
        if let Some(note) = score.reading.note {
            receiver.note(experiment, note, 1);
        }
        receiver.span(experiment, score.span(format!("{}/score/{at}", span.id), &span))?;
    }
    receiver.span(experiment, span)
}

fn fill(span: &mut Span, otel: &Otel<'_>, attributes: &Attributes) {
    let source = otel.span;
    let nanos =
        |name: &str, other: &str| either(source, name, other).and_then(|time| time.integer()).filter(|t| *t > 0);
    let start = nanos("startTimeUnixNano", "start_time_unix_nano");
    let end = nanos("endTimeUnixNano", "end_time_unix_nano");
    span.created = start.map(|nanos| nanos / 1_000);
    let seconds = |nanos: i64| nanos as f64 / 1e9;
    set_times(span, start.map(seconds), end.map(seconds));
    let name = source.get("name").and_then(|name| name.as_text()).unwrap_or_default();
    let (span_type, is_scorer) = attributes.kind();
    let span_type = if span.is_root { "eval" } else { span_type };
    set_kind(span, &name, span_type, is_scorer && !span.is_root);
    let events: Vec<Value<'_>> = source.get("events").iter().flat_map(Value::items).collect();
    span.input = attributes.input(&events);
    span.output = attributes.output(&events);
    span.expected = attributes.expected();
    span.error = error(source, &events, attributes);
    span.tags = attributes.tags();
    attributes.add_metrics(span);
    let mut metadata = ObjectText::new();
    attributes.put_metadata(&mut metadata);
    if span.is_root {
        let resource = Attributes::of(otel.resource);
        metadata.put_json("resource", resource.all().as_deref());
    }
    let kept = events.iter().filter_map(|event| event.json());
    let kept: Vec<String> = kept.collect();
    metadata.put_json("events", (!kept.is_empty()).then(|| crate::json::array(kept)).as_deref());
    span.metadata = metadata.finish();
}

/// What went wrong: the exception that was recorded, else the message of the status.
fn error(span: Value<'_>, events: &[Value<'_>], attributes: &Attributes) -> Option<String> {
    let exception =
        events.iter().find(|event| event.get("name").and_then(|n| n.string()).as_deref() == Some("exception"));
    let status = span.get("status");
    let code = status.and_then(|status| status.get("code")?.as_text()).unwrap_or_default();
    let is_error = matches!(&*code, "2" | "STATUS_CODE_ERROR");
    if !is_error && !attributes.has("error.type") {
        return None;
    }
    let details = exception.map(|event| Attributes::of(event.get("attributes"))).and_then(|a| a.all());
    let message = || status?.get("message")?.string().filter(|text| !text.is_empty()).map(|text| quoted(&text));
    details.or_else(message).or_else(|| attributes.json("error.type")).or_else(|| Some("\"error\"".into()))
}

/// The pairs of an attribute list as JSON texts by key.
pub(super) fn pairs(list: Option<Value<'_>>) -> Vec<(String, String)> {
    let pairs = list
        .iter()
        .flat_map(Value::items)
        .filter_map(|pair| Some((pair.get("key")?.string()?.into_owned(), any_value(pair.get("value")?, 0)?)));
    pairs.collect()
}
