//! The rules by which rows of one id become one row.

use std::borrow::Cow;
use std::collections::HashSet;

use indexmap::IndexMap;
use indexmap::map::Entry;
use serde_json::value::RawValue;

use crate::controls::{self, Controls};
use crate::paths::{Below, Paths};
use crate::row::Row;
use crate::text::{canonical, is_object, raw};

/// Fields of the stored row that a merge never changes, not even by adding them: a row without parents
/// stays a root. This is what the SDKs do when they merge before sending.
const KEPT: [&str; 6] = ["id", "created", "span_id", "root_span_id", "span_parents", "_parent_id"];

/// The row that is stored after `update`, none when it is deleted. Applying the same update again
/// changes nothing, so requests may be repeated.
///
/// `parent` looks up the stored row of the id in `_parent_id`. A parent that is not known is taken for
/// a root whose span ids are its row id, as they are by default.
pub fn apply(
    stored: Option<Row>,
    mut update: Row,
    controls: &Controls,
    parent: impl FnOnce(&str) -> Option<Row>,
) -> Option<Row> {
    if controls.object_delete {
        return None;
    }
    update.fields.retain(|field, _| !controls::FIELDS.contains(&field.as_str()));
    let mut row = match stored {
        Some(stored) if controls.is_merge => merge(stored, update, controls),
        _ => {
            if let Some(parent_id) = &controls.parent_id {
                adopt(&mut update, parent_id, parent(parent_id));
            }
            update
        }
    };
    delete_from_arrays(&mut row, controls);
    Some(row)
}

/// Makes a new row the child of its parent.
fn adopt(row: &mut Row, parent_id: &str, parent: Option<Row>) {
    let id_of = |field| parent.as_ref().and_then(|parent| parent.name(field).ok()?);
    row.set("root_span_id", raw(id_of("root_span_id").as_deref().unwrap_or(parent_id)));
    row.set("span_parents", raw(&[id_of("span_id").as_deref().unwrap_or(parent_id)]));
}

fn merge(mut stored: Row, update: Row, controls: &Controls) -> Row {
    let replaced: Paths<'_, ()> = Paths::new(controls.merge_paths.iter().map(|path| (path.as_slice(), ())), |_, ()| {});
    for (field, new) in update.fields {
        if KEPT.contains(&field.as_str()) {
            continue;
        }
        match stored.fields.entry(field) {
            Entry::Vacant(place) => {
                place.insert(new);
            }
            Entry::Occupied(mut place) => {
                let replaced = replaced.all();
                let replaced = replaced.at(place.key());
                let unite = place.key() == "tags" && replaced.here().is_none();
                let merged = if unite { united(place.get(), &new) } else { None };
                let merged = merged.unwrap_or_else(|| deep_merge(place.get(), &new, &replaced).into_owned());
                place.insert(merged);
            }
        }
    }
    stored
}

/// The old items and those of the new that are not among them, once each; none unless both are lists.
fn united(old: &RawValue, new: &RawValue) -> Option<Box<RawValue>> {
    let items_of = |list: &'_ RawValue| serde_json::from_str::<Vec<Box<RawValue>>>(list.get()).ok();
    let (mut items, new) = (items_of(old)?, items_of(new)?);
    let mut seen: HashSet<_> = items.iter().map(|item| canonical(item).into_owned()).collect();
    items.extend(new.into_iter().filter(|item| seen.insert(canonical(item).into_owned())));
    Some(raw(&items))
}

/// Merges objects key by key; anything else, and what is at a replaced path, is the new value. Recurses
/// as deep as both are objects.
fn deep_merge<'a>(old: &'a RawValue, new: &'a RawValue, replaced: &Below<'_, ()>) -> Cow<'a, RawValue> {
    if replaced.here().is_some() {
        return Cow::Borrowed(new);
    }
    let (Some(old), Some(new)) = (object(old), object(new)) else { return Cow::Borrowed(new) };
    let mut merged: IndexMap<_, _> = old.into_iter().map(|(key, value)| (key, Cow::Borrowed(value))).collect();
    for (key, new) in new {
        let value = match merged.get(&key) {
            Some(Cow::Borrowed(old)) => deep_merge(old, new, &replaced.at(&key)),
            _ => Cow::Borrowed(new),
        };
        merged.insert(key, value);
    }
    Cow::Owned(raw(&merged))
}

fn delete_from_arrays(row: &mut Row, controls: &Controls) {
    if controls.array_delete.is_empty() {
        return;
    }
    let items = controls.array_delete.iter().map(|item| (item.path.as_slice(), &item.delete));
    let deleted = Paths::new(items, |values: &mut HashSet<Cow<'_, str>>, delete| {
        values.extend(delete.iter().map(|value| canonical(value)));
    });
    let deleted = deleted.all();
    for (field, value) in &mut row.fields {
        let deleted = deleted.at(field);
        if !deleted.is_empty() && !KEPT.contains(&field.as_str()) {
            *value = without(value, &deleted).into_owned();
        }
    }
}

/// The value less what is deleted from the arrays in it.
fn without<'a>(value: &'a RawValue, deleted: &Below<'_, HashSet<Cow<'_, str>>>) -> Cow<'a, RawValue> {
    if let Some(members) = object(value) {
        let lighter: IndexMap<String, Cow<'_, RawValue>> = members
            .into_iter()
            .map(|(key, value)| {
                let deleted = deleted.at(&key);
                let value = if deleted.is_empty() { Cow::Borrowed(value) } else { without(value, &deleted) };
                (key, value)
            })
            .collect();
        return Cow::Owned(raw(&lighter));
    }
    match (deleted.here(), serde_json::from_str::<Vec<&RawValue>>(value.get())) {
        (Some(deleted), Ok(mut items)) => {
            items.retain(|item| !deleted.contains(&canonical(item)));
            Cow::Owned(raw(&items))
        }
        _ => Cow::Borrowed(value),
    }
}

/// The members of an object, values unread; of a name that is given twice, the last counts.
fn object(value: &RawValue) -> Option<IndexMap<String, &RawValue>> {
    is_object(value).then(|| serde_json::from_str(value.get()).ok())?
}
