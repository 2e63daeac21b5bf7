//! One row as a span.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use evalhouse_model::Span;

use crate::error::Fault;
use crate::json::{Kind, Scanner, Value, push_json, to_json};
use crate::reason;

use super::values::{self, Notes, present, string, strings, wrong_type};
use super::{Fields, Names, time};

/// What rows say of the experiment that they belong to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct RowIdentity {
    pub(crate) experiment_id: Option<String>,
    pub(crate) experiment: Option<String>,
    pub(crate) project: Option<String>,
}

impl RowIdentity {
    /// True when the row names its experiment, by id or by name.
    pub(crate) fn names_experiment(&self) -> bool {
        self.experiment_id.is_some() || self.experiment.is_some()
    }

    fn is(&self, other: &BorrowedIdentity<'_>) -> bool {
        self.experiment_id.as_deref() == other.experiment_id.as_deref()
            && self.experiment.as_deref() == other.experiment.as_deref()
            && self.project.as_deref() == other.project.as_deref()
    }
}

struct BorrowedIdentity<'a> {
    experiment_id: Option<Cow<'a, str>>,
    experiment: Option<Cow<'a, str>>,
    project: Option<Cow<'a, str>>,
}

impl<'a> BorrowedIdentity<'a> {
    fn read(fields: &Fields<'a>, notes: &mut Notes) -> Result<Self, Fault> {
        let named = string("experiment_name", &fields.experiment_name, notes)?;
        let project = string("project", &fields.project, notes)?;
        Ok(Self {
            experiment_id: string("experiment_id", &fields.experiment_id, notes)?,
            experiment: named.or(string("experiment", &fields.experiment, notes)?),
            project: project.or(string("project_name", &fields.project_name, notes)?),
        })
    }
}

/// What the text of a first row says of its experiment; nothing when the row cannot be read.
pub(crate) fn identity_of(row: &str) -> RowIdentity {
    let mut notes = Notes::default();
    let fields = Fields::read(row, true, &mut notes);
    let identity = fields.and_then(|fields| BorrowedIdentity::read(&fields, &mut notes));
    identity.map(|identity| owned(&identity)).unwrap_or_default()
}

fn owned(identity: &BorrowedIdentity<'_>) -> RowIdentity {
    let text = |part: &Option<Cow<'_, str>>| part.as_deref().map(str::to_string);
    RowIdentity {
        experiment_id: text(&identity.experiment_id),
        experiment: text(&identity.experiment),
        project: text(&identity.project),
    }
}

/// One row, read.
#[derive(Debug)]
pub(crate) struct Row {
    /// The span; `id`, `span_id` and `root_span_id` are empty where the row has none.
    pub(crate) span: Span,
    pub(crate) identity: Arc<RowIdentity>,
    /// `experiment_record`, JSON text: what our own export says of the experiment.
    pub(crate) record: Option<String>,
    pub(crate) notes: Notes,
}

/// Reads rows of one source; keeps what rows share.
#[derive(Debug, Default)]
pub(crate) struct RowParser {
    names: Names,
    identity: Arc<RowIdentity>,
    /// Span id to trace id, of traces whose rows name no trace.
    traces: HashMap<String, Arc<str>>,
}

impl RowParser {
    /// Reads a row that was logged to a known experiment: no field of it says to which, and it may be
    /// part of one.
    pub(crate) fn parse_logged<'a>(&mut self, row: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Span, Fault> {
        let mut notes = Notes::default();
        let fields = Fields::read_logged(row, &mut notes)?;
        values::check_exact("scores", &fields.scores)?;
        values::check_exact("metrics", &fields.metrics)?;
        self.span(&fields, &mut notes)
    }

    /// Reads the text of one row.
    pub(crate) fn parse(&mut self, text: &[u8], terminated: bool) -> Result<Row, Fault> {
        let text = std::str::from_utf8(text).map_err(|error| not_utf8(&error, terminated))?;
        let mut notes = Notes::default();
        let fields = Fields::read(text, terminated, &mut notes)?;
        if fields.is_merge {
            let message = "a partial update (`_is_merge`), not a whole row";
            return Err(Fault::field("_is_merge", reason::MERGE_ROW, message));
        }
        let identity = self.identity(&fields, &mut notes)?;
        let span = if fields.is_deleted { tombstone(&fields, &mut notes)? } else { self.span(&fields, &mut notes)? };
        let record = fields.experiment_record.as_ref().map(to_json);
        Ok(Row { span, identity, record, notes })
    }

    fn identity(&mut self, fields: &Fields<'_>, notes: &mut Notes) -> Result<Arc<RowIdentity>, Fault> {
        let identity = BorrowedIdentity::read(fields, notes)?;
        if !self.identity.is(&identity) {
            self.identity = Arc::new(owned(&identity));
        }
        Ok(Arc::clone(&self.identity))
    }

    fn span(&mut self, fields: &Fields<'_>, notes: &mut Notes) -> Result<Span, Fault> {
        if let Some(is_root) = present(&fields.is_root).filter(|v| !matches!(v.kind, Kind::True | Kind::False)) {
            return Err(wrong_type("is_root", "a boolean", &is_root));
        }
        let mut span = Span {
            id: text(string("id", &fields.id, notes)?),
            span_id: text(string("span_id", &fields.span_id, notes)?),
            version: version(fields)?.unwrap_or(0),
            created: created(&fields.created)?,
            input: json(&fields.input, notes),
            output: json(&fields.output, notes),
            expected: json(&fields.expected, notes),
            error: json(&fields.error, notes),
            metadata: json_object("metadata", &fields.metadata, notes)?,
            context: json_object("context", &fields.context, notes)?,
            origin: json_object("origin", &fields.origin, notes)?,
            tags: strings("tags", &fields.tags, notes)?,
            scores: values::scores(&fields.scores, &mut self.names, notes)?,
            metrics: values::metrics(&fields.metrics, &mut self.names, notes)?,
            extra: extra(&fields.extra, notes),
            ..Span::default()
        };
        let metric = |name: &str| span.metrics.iter().find(|(known, _)| &**known == name).map(|(_, value)| *value);
        (span.start, span.end) = (metric("start"), metric("end"));
        set_attributes(&mut span, &fields.span_attributes, notes)?;
        self.set_place(&mut span, fields, notes)?;
        Ok(span)
    }

    /// Parents and trace. A row without parents is a root; a child whose row names no trace belongs
    /// to the trace of a parent that came before it.
    fn set_place(&mut self, span: &mut Span, fields: &Fields<'_>, notes: &mut Notes) -> Result<(), Fault> {
        let mut parents = strings("span_parents", &fields.span_parents, notes)?.unwrap_or_default();
        parents.retain(|parent| !parent.is_empty());
        span.is_root = parents.is_empty();
        span.span_parents = parents;
        if let Some(trace) = string("root_span_id", &fields.root_span_id, notes)? {
            span.root_span_id = trace.into_owned();
            return Ok(());
        }
        if span.is_root {
            span.root_span_id.clone_from(if span.span_id.is_empty() { &span.id } else { &span.span_id });
        } else {
            let first = span.span_parents.first().filter(|_| fields.is_logged).map(|parent| Arc::from(parent.as_str()));
            let trace = span.span_parents.iter().find_map(|parent| self.traces.get(parent).cloned()).or(first);
            let message = "a span with parents needs the id of its trace, unless a parent comes before it";
            let trace = trace.ok_or_else(|| Fault::field("root_span_id", reason::MISSING_ROOT_SPAN_ID, message))?;
            span.root_span_id = trace.to_string();
        }
        if !span.span_id.is_empty() {
            self.traces.insert(span.span_id.clone(), Arc::from(span.root_span_id.as_str()));
        }
        Ok(())
    }
}

fn not_utf8(error: &std::str::Utf8Error, terminated: bool) -> Fault {
    let column = error.valid_up_to() + 1;
    if error.error_len().is_none() && !terminated {
        return Fault::truncated("the text ends inside a character");
    }
    Fault::row(reason::INVALID_UTF8, format!("no UTF-8 at byte {column} of the row"))
}

/// A tombstone needs an id and nothing else. Without a version it takes back every version.
fn tombstone(fields: &Fields<'_>, notes: &mut Notes) -> Result<Span, Fault> {
    let Some(id) = string("id", &fields.id, notes)? else {
        return Err(Fault::field("id", reason::WRONG_TYPE, "a row with `_object_delete` needs an id"));
    };
    let version = version(fields)?.unwrap_or(u64::MAX);
    Ok(Span { id: id.into_owned(), version, deleted: true, ..Span::default() })
}

fn text(value: Option<Cow<'_, str>>) -> String {
    value.map(Cow::into_owned).unwrap_or_default()
}

fn version(fields: &Fields<'_>) -> Result<Option<u64>, Fault> {
    let Some(value) = present(&fields.version) else { return Ok(None) };
    let digits = match value.kind {
        Kind::String => value.text.trim_matches('"'),
        _ => value.text,
    };
    match digits.parse() {
        Ok(version) => Ok(Some(version)),
        Err(_) => Err(wrong_type("_xact_id", "a decimal number below 2^64", &value)),
    }
}

fn created(value: &Option<Value<'_>>) -> Result<Option<i64>, Fault> {
    let Some(value) = present(value) else { return Ok(None) };
    let time = match value.kind {
        Kind::String => time::parse_text(&crate::json::unquote(value.text)),
        Kind::Number => time::parse_number(value.text),
        _ => return Err(wrong_type("created", "a time", &value)),
    };
    let fault = || {
        let message = format!("no time: `{}`", values::shortened(value.text));
        Fault::field("created", reason::BAD_TIME, message).with_hint("write it as `2024-07-21T04:43:04.000Z`")
    };
    time.map(Some).ok_or_else(fault)
}

/// Any JSON. A null, or a `NaN` in its place, is nothing.
fn json(value: &Option<Value<'_>>, notes: &mut Notes) -> Option<String> {
    let value = present(value)?;
    notes.add_rewrites(&value);
    let is_nothing = matches!(value.kind, Kind::NotANumber | Kind::Infinity);
    (!is_nothing).then(|| to_json(&value))
}

fn json_object(field: &'static str, value: &Option<Value<'_>>, notes: &mut Notes) -> Result<Option<String>, Fault> {
    match present(value) {
        Some(value) if value.kind != Kind::Object => Err(wrong_type(field, "an object", &value)),
        _ => Ok(json(value, notes)),
    }
}

fn set_attributes(span: &mut Span, value: &Option<Value<'_>>, notes: &mut Notes) -> Result<(), Fault> {
    span.span_attributes = json_object("span_attributes", value, notes)?;
    let Some(attributes) = present(value) else { return Ok(()) };
    values::each_field(&attributes, |key, value| {
        let (field, slot) = match key {
            "name" => ("span_attributes.name", &mut span.name),
            "type" => ("span_attributes.type", &mut span.span_type),
            "purpose" => ("span_attributes.purpose", &mut span.purpose),
            _ => return Ok(()),
        };
        // The notes of the whole object count this value already.
        *slot = string(field, &Some(value), &mut Notes::default())?.map(Cow::into_owned);
        Ok(())
    })
}

/// The fields without a column of their own, as one object.
fn extra(fields: &[(Cow<'_, str>, Value<'_>)], notes: &mut Notes) -> Option<String> {
    if fields.is_empty() {
        return None;
    }
    let length: usize = fields.iter().map(|(key, value)| key.len() + value.text.len() + 2).sum();
    let mut object = String::with_capacity(length + 1);
    for (key, value) in fields {
        object.push(if object.is_empty() { '{' } else { ',' });
        if let Ok(key) = Scanner::new(key).value() {
            notes.add_rewrites(&key);
            push_json(&mut object, &key);
        }
        notes.add_rewrites(value);
        object.push(':');
        push_json(&mut object, value);
    }
    object.push('}');
    Some(object)
}
