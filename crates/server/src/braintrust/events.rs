//! Stored rows as the API gives them: what was logged, and what the server knows of it.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringViewArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimestampMicrosecondType};
use arrow::error::ArrowError;
use evalhouse_journal::format_xact;
use evalhouse_model::{Experiment, ObjectKind, schema};
use serde_json::Value;
use serde_json::value::RawValue;

/// Text fields that are JSON, in the order in which events have them.
const JSON_FIELDS: [&str; 10] = [
    schema::INPUT,
    schema::OUTPUT,
    schema::EXPECTED,
    schema::ERROR,
    schema::SCORES,
    schema::METADATA,
    schema::METRICS,
    schema::SPAN_ATTRIBUTES,
    schema::CONTEXT,
    schema::ORIGIN,
];

/// The columns that events are made of.
pub(super) const EVENT_COLUMNS: [&str; 19] = [
    schema::EXPERIMENT_ID,
    schema::ID,
    schema::SPAN_ID,
    schema::ROOT_SPAN_ID,
    schema::SPAN_PARENTS,
    schema::POSITION,
    schema::CREATED,
    schema::TAGS,
    schema::EXTRA,
    schema::INPUT,
    schema::OUTPUT,
    schema::EXPECTED,
    schema::ERROR,
    schema::SCORES,
    schema::METADATA,
    schema::METRICS,
    schema::SPAN_ATTRIBUTES,
    schema::CONTEXT,
    schema::ORIGIN,
];

/// Whose rows these are.
pub(super) struct Owner {
    /// The object.
    pub(super) kind: ObjectKind,
    /// Its id.
    pub(super) id: String,
    /// Id of its project.
    pub(super) project_id: String,
}

impl Owner {
    /// The owner of the rows of a stored object.
    pub(super) fn of(object: &Experiment, project_id: String) -> Self {
        Self { kind: object.kind, id: object.id.clone(), project_id }
    }
}

/// Writes the rows of a batch as events, each a JSON object, separated by commas. `any_before` says
/// whether an event came before the first of these.
pub(super) fn write_events(
    batch: &RecordBatch,
    owner: &Owner,
    any_before: &mut bool,
    out: &mut Vec<u8>,
) -> Result<(), ArrowError> {
    let texts = |name: &str| -> Result<Option<StringViewArray>, ArrowError> {
        let Some(column) = batch.column_by_name(name) else { return Ok(None) };
        Ok(Some(cast(column, &DataType::Utf8View)?.as_string_view().clone()))
    };
    let ids = [schema::ID, schema::SPAN_ID, schema::ROOT_SPAN_ID];
    let id_columns = ids.iter().map(|name| texts(name)).collect::<Result<Vec<_>, _>>()?;
    let json_columns = JSON_FIELDS.iter().map(|name| texts(name)).collect::<Result<Vec<_>, _>>()?;
    let extra = texts(schema::EXTRA)?;
    let xacts = batch.column_by_name(schema::XACT).and_then(|column| column.as_primitive_opt::<Int64Type>());
    let positions = batch.column_by_name(schema::POSITION).and_then(|column| column.as_primitive_opt::<Int64Type>());
    let created =
        batch.column_by_name(schema::CREATED).and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>());
    let (parents, tags) = (batch.column_by_name(schema::SPAN_PARENTS), batch.column_by_name(schema::TAGS));
    for row in 0..batch.num_rows() {
        if std::mem::replace(any_before, true) {
            out.push(b',');
        }
        let mut event = Event { out, is_empty: true };
        event.out.push(b'{');
        for (name, column) in ids.iter().zip(&id_columns) {
            event.string(name, column.as_ref().filter(|column| column.is_valid(row)).map(|column| column.value(row)));
        }
        let xact = xacts.filter(|column| column.is_valid(row)).map_or(0, |column| column.value(row));
        let xact = format_xact(u64::try_from(xact).unwrap_or_default());
        event.string(schema::XACT, Some(&xact));
        let position = positions.filter(|column| column.is_valid(row)).map_or(0, |column| column.value(row));
        event.string("_pagination_key", Some(&format!("p{xact}{position:010}")));
        let parent_ids = parents.and_then(|column| list_at(column, row)).filter(|ids| !ids.is_empty());
        event.value(schema::IS_ROOT, &Value::Bool(parent_ids.is_none()));
        event.value(schema::SPAN_PARENTS, &parent_ids.map_or(Value::Null, Value::from));
        event.string("project_id", Some(&owner.project_id));
        match owner.kind {
            ObjectKind::Experiment => event.string(schema::EXPERIMENT_ID, Some(&owner.id)),
            ObjectKind::Dataset => event.string("dataset_id", Some(&owner.id)),
            ObjectKind::Logs => event.string("log_id", Some("g")),
        }
        let gathered = extra.as_ref().filter(|column| column.is_valid(row)).map(|column| column.value(row));
        let gathered: indexmap::IndexMap<String, &RawValue> =
            gathered.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        // Scores and metrics that floats do not say in full are kept as they were sent.
        for (name, column) in JSON_FIELDS.iter().zip(&json_columns).filter(|(name, _)| !gathered.contains_key(**name)) {
            let text = column.as_ref().filter(|column| column.is_valid(row)).map(|column| column.value(row));
            event.raw(name, text.unwrap_or("null"));
        }
        event.value(schema::TAGS, &tags.and_then(|column| list_at(column, row)).map_or(Value::Null, Value::from));
        if !gathered.contains_key(schema::CREATED) {
            let time = created.filter(|column| column.is_valid(row)).map(|column| column.value(row));
            let time = time.and_then(chrono::DateTime::from_timestamp_micros);
            let time = time.map(|time| time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true));
            event.string(schema::CREATED, time.as_deref());
        }
        for (name, raw) in gathered {
            // An import keeps the source's own transaction here.
            if name != schema::XACT {
                event.raw(&name, raw.get());
            }
        }
        event.out.push(b'}');
    }
    Ok(())
}

struct Event<'a> {
    out: &'a mut Vec<u8>,
    is_empty: bool,
}

impl Event<'_> {
    fn raw(&mut self, name: &str, json: &str) {
        if !std::mem::take(&mut self.is_empty) {
            self.out.push(b',');
        }
        self.out.extend_from_slice(Value::from(name).to_string().as_bytes());
        self.out.push(b':');
        self.out.extend_from_slice(json.as_bytes());
    }

    fn value(&mut self, name: &str, value: &Value) {
        self.raw(name, &value.to_string());
    }

    fn string(&mut self, name: &str, text: Option<&str>) {
        self.value(name, &text.map_or(Value::Null, Value::from));
    }
}

fn list_at(column: &ArrayRef, row: usize) -> Option<Vec<String>> {
    let lists = column.as_list_opt::<i32>().filter(|lists| lists.is_valid(row))?;
    let items = cast(&lists.value(row), &DataType::Utf8View).ok()?;
    Some(items.as_string_view().iter().flatten().map(str::to_string).collect())
}
