//! What a row does to the stored row with its id (protocol, section 4.2).

use indexmap::IndexMap;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use crate::row::{Controls, Row, object};

/// Fields of the stored row that a merge leaves alone.
const KEPT: [&str; 6] = ["id", "created", "span_id", "root_span_id", "span_parents", "_parent_id"];
/// Fields that are instructions and never data.
const CONTROLS: [&str; 7] =
    ["_is_merge", "_merge_paths", "_array_delete", "_object_delete", "_parent_id", "_audit_source", "_audit_metadata"];
const TAGS: &str = "tags";

/// What becomes of a row.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It is this from now on.
    Row(Row),
    /// It is gone.
    Deleted,
}

/// Applies a row to the stored row with its id. `parent` is the stored row that `_parent_id` names.
pub fn apply(stored: Option<&Row>, update: &Row, controls: &Controls, parent: Option<&Row>) -> Outcome {
    if controls.object_delete {
        return Outcome::Deleted;
    }
    let mut update = update.clone();
    update.retain(|name, _| !CONTROLS.contains(&name));
    let mut row = match stored.filter(|_| controls.is_merge) {
        Some(stored) => merged(stored, update, controls),
        None => {
            adopt(&mut update, parent);
            update
        }
    };
    for delete in &controls.array_delete {
        if let [first, rest @ ..] = delete.path.as_slice()
            && let Some(value) = row.get(first)
            && let Some(less) = without(value, rest, &delete.delete)
        {
            row.insert(first, less);
        }
    }
    Outcome::Row(row)
}

fn merged(stored: &Row, update: Row, controls: &Controls) -> Row {
    let mut row = stored.clone();
    for (name, value) in update {
        let known = stored.get(&name);
        if KEPT.contains(&name.as_str()) && known.is_some_and(|known| known.get() != "null") {
            continue;
        }
        let paths: Vec<&[String]> =
            controls.merge_paths.iter().filter(|path| path.first() == Some(&name)).map(|path| &path[1..]).collect();
        let value = match known {
            Some(known) if name == TAGS && !paths.iter().any(|path| path.is_empty()) => united(known, &value),
            Some(known) => deep(known, value, &paths),
            None => value,
        };
        row.insert(&name, value);
    }
    row
}

/// Objects merge key by key, at every depth down to a merge path; anything else replaces.
fn deep(stored: &RawValue, update: Box<RawValue>, paths: &[&[String]]) -> Box<RawValue> {
    if paths.iter().any(|path| path.is_empty()) {
        return update;
    }
    let (Some(mut fields), Some(new)) = (fields(stored), fields(&update)) else { return update };
    for (name, value) in new {
        let below: Vec<&[String]> =
            paths.iter().filter(|path| path.first() == Some(&name)).map(|path| &path[1..]).collect();
        let value = match fields.get(&name) {
            Some(known) => deep(known, value, &below),
            None => value,
        };
        fields.insert(name, value);
    }
    RawValue::from_string(object(&fields)).unwrap_or(update)
}

fn fields(value: &RawValue) -> Option<IndexMap<String, Box<RawValue>>> {
    value.get().starts_with('{').then(|| serde_json::from_str(value.get()).ok()).flatten()
}

/// Tags are a set that keeps its order.
fn united(stored: &RawValue, update: &RawValue) -> Box<RawValue> {
    let list = |raw: &RawValue| serde_json::from_str::<Vec<Value>>(raw.get()).ok();
    let (Some(mut tags), Some(new)) = (list(stored), list(update)) else { return update.to_owned() };
    for tag in new {
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    to_raw_value(&tags).unwrap_or_else(|_| update.to_owned())
}

/// The value without some elements of the array at a path; nothing where there is no array.
fn without(value: &RawValue, path: &[String], delete: &[Value]) -> Option<Box<RawValue>> {
    match path {
        [] => {
            let list: Vec<Box<RawValue>> = serde_json::from_str(value.get()).ok()?;
            let is_kept = |element: &&Box<RawValue>| {
                serde_json::from_str::<Value>(element.get()).map_or(true, |element| !delete.contains(&element))
            };
            to_raw_value(&list.iter().filter(is_kept).collect::<Vec<_>>()).ok()
        }
        [first, rest @ ..] => {
            let mut fields = fields(value)?;
            let less = without(fields.get(first)?, rest, delete)?;
            fields.insert(first.clone(), less);
            RawValue::from_string(object(&fields)).ok()
        }
    }
}

/// A new row below a parent belongs to its trace.
fn adopt(row: &mut Row, parent: Option<&Row>) {
    let Some(parent) = parent else { return };
    if let Some(trace) = parent.get("root_span_id") {
        row.insert("root_span_id", trace.to_owned());
    }
    if let Some(span) = parent.text("span_id") {
        row.set("span_parents", &Value::from(vec![span]));
    }
}
