//! The fields of a row, by name.

use std::borrow::Cow;

use crate::error::Fault;
use crate::json::{Kind, ScanError, ScanErrorKind, Scanner, Value, quoted, unquote};
use crate::read::Seen;
use crate::reason;

use super::values::{Notes, are_floats, keep_last};

/// The values of one row, in their source text.
#[derive(Debug, Default)]
pub(crate) struct Fields<'a> {
    pub(crate) id: Option<Value<'a>>,
    pub(crate) span_id: Option<Value<'a>>,
    pub(crate) root_span_id: Option<Value<'a>>,
    pub(crate) span_parents: Option<Value<'a>>,
    pub(crate) is_root: Option<Value<'a>>,
    pub(crate) span_attributes: Option<Value<'a>>,
    pub(crate) created: Option<Value<'a>>,
    pub(crate) input: Option<Value<'a>>,
    pub(crate) output: Option<Value<'a>>,
    pub(crate) expected: Option<Value<'a>>,
    pub(crate) error: Option<Value<'a>>,
    pub(crate) scores: Option<Value<'a>>,
    pub(crate) metrics: Option<Value<'a>>,
    pub(crate) metadata: Option<Value<'a>>,
    pub(crate) tags: Option<Value<'a>>,
    pub(crate) context: Option<Value<'a>>,
    pub(crate) origin: Option<Value<'a>>,
    pub(crate) experiment_id: Option<Value<'a>>,
    pub(crate) experiment: Option<Value<'a>>,
    pub(crate) experiment_name: Option<Value<'a>>,
    pub(crate) project: Option<Value<'a>>,
    pub(crate) project_name: Option<Value<'a>>,
    pub(crate) experiment_record: Option<Value<'a>>,
    pub(crate) version: Option<Value<'a>>,
    pub(crate) is_deleted: bool,
    pub(crate) is_merge: bool,
    /// Every other field, and those that are kept beside their use: key in quotes, value.
    pub(crate) extra: Vec<(Cow<'a, str>, Value<'a>)>,
    /// Whoever hands on the row knows what it belongs to: no field says so, and it may be part of one.
    pub(crate) is_logged: bool,
}

impl<'a> Fields<'a> {
    /// Sorts the fields of one row; all of its text is checked on the way.
    pub(crate) fn read(text: &'a str, terminated: bool, notes: &mut Notes) -> Result<Self, Fault> {
        let mut fields = Self::default();
        let seen = fields.scan(text, terminated, notes)?;
        if seen.is_row() {
            return Ok(fields);
        }
        let message = "an object, but no row: it has neither `span_id`, `root_span_id`, `span_parents` nor \
                       `span_attributes`, nor an `input` with an `output`, `expected` or `scores`";
        Err(Fault::row(reason::NOT_A_ROW, message))
    }

    /// Sorts the fields, names and JSON texts, of a row that was logged to a known experiment, whichever
    /// fields it has. Its creation time stays as it was written, too.
    pub(crate) fn read_logged(row: impl Iterator<Item = (&'a str, &'a str)>, notes: &mut Notes) -> Result<Self, Fault> {
        let mut fields = Self { is_logged: true, ..Self::default() };
        for (name, text) in row {
            let mut scanner = Scanner::of_field(text);
            let value = scanner.value().and_then(|value| scanner.finish().map(|()| value));
            let value = value.map_err(|error| scan_fault(text, error, true))?;
            fields.set(name, || Cow::Owned(quoted(name)), value, notes);
        }
        if let Some(created) = fields.created.filter(|created| created.kind != Kind::Null) {
            fields.extra.push((Cow::Borrowed("\"created\""), created));
        }
        Ok(fields)
    }

    /// Scores and metrics that floats do not say in full stay in the row as they were sent, too.
    pub(crate) fn keep_numbers(&mut self) -> Result<(), Fault> {
        for (key, value, nulls) in [("\"scores\"", self.scores, true), ("\"metrics\"", self.metrics, false)] {
            if let Some(value) = value.filter(|value| value.kind == Kind::Object)
                && !are_floats(&value, nulls)?
            {
                self.extra.push((Cow::Borrowed(key), value));
            }
        }
        Ok(())
    }

    fn scan(&mut self, text: &'a str, terminated: bool, notes: &mut Notes) -> Result<Seen, Fault> {
        let mut seen = Seen::default();
        let outcome = self.scan_fields(&mut Scanner::new(text), &mut seen, notes);
        outcome.map_err(|error| scan_fault(text, error, terminated))?;
        Ok(seen)
    }

    fn scan_fields(&mut self, scanner: &mut Scanner<'a>, seen: &mut Seen, notes: &mut Notes) -> Result<(), ScanError> {
        let mut more = scanner.enter_object()?;
        while more {
            let key = scanner.key()?;
            let value = scanner.value()?;
            let name = unquote(key.text);
            seen.add(&name);
            self.set(&name, || Cow::Borrowed(key.text), value, notes);
            more = scanner.more(b'}')?;
        }
        self.unwrap_extra(notes)?;
        keep_last(&mut self.extra, notes);
        scanner.finish()
    }

    /// Our own export gathers the fields without a column under `extra`; they go back to where the
    /// source had them. Only rows that name project, experiment and id, as that export does.
    fn unwrap_extra(&mut self, notes: &mut Notes) -> Result<(), ScanError> {
        if self.project.is_none() || self.experiment.is_none() || self.experiment_id.is_none() {
            return Ok(());
        }
        let gathered = |(key, value): &(Cow<'_, str>, Value<'_>)| key == "\"extra\"" && value.kind == Kind::Object;
        let Some(at) = self.extra.iter().position(gathered) else { return Ok(()) };
        let (_, object) = self.extra.remove(at);
        let mut scanner = Scanner::new(object.text);
        let mut more = scanner.enter_object()?;
        while more {
            let key = scanner.key()?;
            let value = scanner.value()?;
            self.set(&unquote(key.text), || Cow::Borrowed(key.text), value, notes);
            more = scanner.more(b'}')?;
        }
        Ok(())
    }

    /// Puts a value where its name says; `key` is the name in quotes.
    fn set(&mut self, name: &str, key: impl FnOnce() -> Cow<'a, str>, value: Value<'a>, notes: &mut Notes) {
        let field = match name {
            "id" => &mut self.id,
            "span_id" => &mut self.span_id,
            "root_span_id" => &mut self.root_span_id,
            "span_parents" => &mut self.span_parents,
            "is_root" => &mut self.is_root,
            "span_attributes" => &mut self.span_attributes,
            "created" => &mut self.created,
            "input" => &mut self.input,
            "output" => &mut self.output,
            "expected" => &mut self.expected,
            "error" => &mut self.error,
            "scores" => &mut self.scores,
            "metrics" => &mut self.metrics,
            "metadata" => &mut self.metadata,
            "tags" => &mut self.tags,
            "context" => &mut self.context,
            "origin" => &mut self.origin,
            _ if self.is_logged => return self.extra.push((key(), value)),
            "experiment_id" => &mut self.experiment_id,
            "experiment" if value.kind == Kind::String => &mut self.experiment,
            "experiment_name" if value.kind == Kind::String => &mut self.experiment_name,
            "project" if value.kind == Kind::String => &mut self.project,
            "project_name" if value.kind == Kind::String => &mut self.project_name,
            "experiment_record" if value.kind == Kind::Object => &mut self.experiment_record,
            "_object_delete" => return self.is_deleted = value.kind == Kind::True,
            "_is_merge" => return self.is_merge = value.kind == Kind::True,
            "_merge_paths" | "_array_delete" | "_parent_id" | "_async_scoring_state" => return,
            "_xact_id" => {
                self.version = Some(value);
                return self.extra.push((key(), value));
            }
            _ if value.kind == Kind::Null => return,
            _ => return self.extra.push((key(), value)),
        };
        if field.replace(value).is_some() {
            notes.add(reason::DUPLICATE_KEY);
        }
    }
}

/// What a row's broken JSON means.
fn scan_fault(text: &str, error: ScanError, terminated: bool) -> Fault {
    let column = error.at + 1;
    match error.kind {
        ScanErrorKind::End if !terminated => Fault::truncated("the text ends inside the row"),
        ScanErrorKind::End => Fault::row(reason::BAD_JSON, "the row ends inside a value"),
        ScanErrorKind::TooDeep => Fault::row(reason::TOO_DEEP, "values nest deeper than 128 levels"),
        ScanErrorKind::Syntax("expected `{`") => not_an_object(text, column),
        ScanErrorKind::Syntax(expected) => {
            Fault::row(reason::BAD_JSON, format!("no JSON at column {column}: {expected}"))
        }
    }
}

fn not_an_object(text: &str, column: usize) -> Fault {
    let mut scanner = Scanner::new(text);
    match scanner.value().and_then(|value| scanner.finish().map(|()| value)) {
        Ok(value) => {
            let message = format!("a row is an object, and this is {}", value.kind.described());
            Fault::row(reason::NOT_AN_OBJECT, message)
        }
        Err(_) => Fault::row(reason::BAD_JSON, format!("no JSON at column {column}: expected `{{`")),
    }
}
