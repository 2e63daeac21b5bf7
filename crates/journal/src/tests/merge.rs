//! Section 4.2 of the protocol, rule by rule, and against a plain implementation on generated rows.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::{Controls, Row, apply};

fn row(value: &Value) -> Row {
    Row::parse(&value.to_string()).unwrap()
}

fn value(row: &Row) -> Value {
    serde_json::from_str(&row.to_json()).unwrap()
}

fn apply_json(stored: Option<&str>, update: &str) -> Option<String> {
    let update = Row::parse(update).unwrap();
    let controls = Controls::of(&update).unwrap();
    apply(stored.map(|row| Row::parse(row).unwrap()), update, &controls, |_| None).map(|row| row.to_json())
}

#[track_caller]
fn assert_merged(stored: &str, update: &str, expected: &str) {
    let update = format!(r#"{{"_is_merge":true,{}"#, &update[1..]);
    assert_eq!(apply_json(Some(stored), &update).unwrap(), expected);
}

#[test]
fn without_is_merge_the_row_is_replaced() {
    let stored = Some(r#"{"id":"1","created":"then","a":1}"#);
    assert_eq!(apply_json(stored, r#"{"id":"1","b":2}"#).unwrap(), r#"{"id":"1","b":2}"#);
    assert_eq!(apply_json(stored, r#"{"id":"1","b":2,"_is_merge":false}"#).unwrap(), r#"{"id":"1","b":2}"#);
}

#[test]
fn objects_merge_at_every_depth_and_everything_else_replaces() {
    assert_merged(r#"{"a":{"b":{"c":1,"d":2}}}"#, r#"{"a":{"b":{"d":3,"e":4}}}"#, r#"{"a":{"b":{"c":1,"d":3,"e":4}}}"#);
    assert_merged(r#"{"a":{"b":1},"c":[1,2]}"#, r#"{"a":null,"c":[3]}"#, r#"{"a":null,"c":[3]}"#);
    assert_merged(r#"{"a":{"b":1}}"#, r#"{"a":{"b":null}}"#, r#"{"a":{"b":null}}"#);
    assert_merged(r#"{"a":{"b":1}}"#, r#"{"a":{}}"#, r#"{"a":{"b":1}}"#);
    assert_merged(r#"{"a":[{"b":1}]}"#, r#"{"a":[{"c":1}]}"#, r#"{"a":[{"c":1}]}"#);
}

#[test]
fn what_a_merge_does_not_touch_keeps_its_text() {
    assert_merged(
        r#"{"a":{"big":1180591620717411303424,"list":[1.50, "\u00e9"],"b":{"x":1e3}},"c":{ "k":1, "k":2 }}"#,
        r#"{"a":{"b":{"y":-0.0,"":0}}}"#,
        r#"{"a":{"big":1180591620717411303424,"list":[1.50, "\u00e9"],"b":{"x":1e3,"y":-0.0,"":0}},"c":{ "k":1, "k":2 }}"#,
    );
}

#[test]
fn tags_unite_in_order() {
    assert_merged(r#"{"tags":["b","a"]}"#, r#"{"tags":["c","\u0061","c"]}"#, r#"{"tags":["b","a","c"]}"#);
    assert_merged(r#"{"tags":["b"]}"#, r#"{"tags":null}"#, r#"{"tags":null}"#);
    assert_merged(r#"{"tags":null}"#, r#"{"tags":["b"]}"#, r#"{"tags":["b"]}"#);
    assert_merged(r#"{"tags":{"a":1}}"#, r#"{"tags":{"b":2}}"#, r#"{"tags":{"a":1,"b":2}}"#);
    assert_merged(r#"{"a":{"tags":["b"]}}"#, r#"{"a":{"tags":["c"]}}"#, r#"{"a":{"tags":["c"]}}"#);
    assert_merged(r#"{"tags":["b"]}"#, r#"{"tags":["c"],"_merge_paths":[["tags"]]}"#, r#"{"tags":["c"]}"#);
    assert_merged(r#"{"tags":["b"]}"#, r#"{"tags":["c"],"_merge_paths":[["tags","x"]]}"#, r#"{"tags":["b","c"]}"#);
}

#[test]
fn below_a_merge_path_the_new_value_replaces() {
    let stored = r#"{"input":{"a":{"x":1},"b":{"x":1}},"output":{"x":1},"metadata":{"x":1}}"#;
    assert_merged(
        stored,
        r#"{"input":{"a":{"y":2},"b":{"y":2}},"output":{"y":2},"_merge_paths":[["output"],["input","a"]]}"#,
        r#"{"input":{"a":{"y":2},"b":{"x":1,"y":2}},"output":{"y":2},"metadata":{"x":1}}"#,
    );
    assert_merged(stored, r#"{"_merge_paths":[["input"],["none"]]}"#, stored);
}

#[test]
fn array_delete_takes_values_out() {
    assert_merged(
        r#"{"tags":["x","y"],"a":{"b":[1,{"k":1,"l":2},1.0,3]}}"#,
        r#"{"tags":["z"],"_array_delete":[{"path":["tags"],"delete":["x","z"]},
            {"path":["a","b"],"delete":[1]},{"path":["a","b"],"delete":[{"l":2, "k":1}]},
            {"path":["a"],"delete":[1]},{"path":["none","b"],"delete":[1]}]}"#,
        r#"{"tags":["y"],"a":{"b":[1.0,3]}}"#,
    );
    assert_merged(
        r#"{"span_parents":["p"]}"#,
        r#"{"_array_delete":[{"path":["span_parents"],"delete":["p"]}]}"#,
        r#"{"span_parents":["p"]}"#,
    );
}

#[test]
fn a_merge_keeps_who_the_row_is() {
    let stored = r#"{"id":"1","created":"then","span_id":"s","root_span_id":"r"}"#;
    assert_merged(
        stored,
        r#"{"id":"1","created":"now","span_id":"t","root_span_id":"q","span_parents":["p"],"_parent_id":"7"}"#,
        stored,
    );
}

#[test]
fn a_deleted_row_starts_afresh() {
    assert_eq!(apply_json(Some(r#"{"id":"1","a":1}"#), r#"{"id":"1","_object_delete":true}"#), None);
    assert_eq!(apply_json(None, r#"{"id":"1","_object_delete":true,"_is_merge":true}"#), None);
    assert_eq!(apply_json(None, r#"{"id":"1","b":1,"_is_merge":true}"#).unwrap(), r#"{"id":"1","b":1}"#);
}

#[test]
fn no_control_is_stored() {
    let controls = r#""_is_merge":true,"_merge_paths":[],"_array_delete":[],"_object_delete":false,"_parent_id":null,
        "_audit_source":"external","_audit_metadata":{"a":1}"#;
    for stored in [None, Some("{}")] {
        let row = apply_json(stored, &format!(r#"{{"id":"1",{controls}}}"#)).unwrap();
        assert!(!row.contains('_'), "{row}");
    }
}

#[test]
fn a_new_row_is_put_below_its_parent() {
    let child = |stored: Option<&str>, parent: Option<&str>, update: &str| {
        let update = Row::parse(update).unwrap();
        let parse = |json: &str| Row::parse(json).unwrap();
        let controls = Controls::of(&update).unwrap();
        apply(stored.map(parse), update, &controls, |id| {
            assert_eq!(id, "p");
            parent.map(parse)
        })
        .unwrap()
        .to_json()
    };
    let update = r#"{"id":"1","span_parents":null,"_parent_id":"p"}"#;
    let parent = r#"{"id":"p","span_id":"s","root_span_id":"r","span_parents":["q"]}"#;
    let expected = r#"{"id":"1","span_parents":["s"],"root_span_id":"r"}"#;
    assert_eq!(child(None, Some(parent), update), expected);
    assert_eq!(child(Some(r#"{"id":"1"}"#), Some(parent), update), expected);
    let by_default = r#"{"id":"1","span_parents":["p"],"root_span_id":"p"}"#;
    assert_eq!(child(None, Some(r#"{"id":"p"}"#), update), by_default);
    assert_eq!(child(None, None, update), by_default);
    let merge = r#"{"id":"1","_parent_id":"p","_is_merge":true}"#;
    assert_eq!(child(Some(r#"{"id":"1"}"#), Some(parent), merge), r#"{"id":"1"}"#);
}

#[test]
fn comments_are_known_by_their_object() {
    let is_comment = |json: &str| Controls::of(&Row::parse(json).unwrap()).unwrap().is_comment;
    assert!(is_comment(r#"{"comment": {"text": "good"}}"#));
    assert!(!is_comment(r#"{"comment": null}"#));
    assert!(!is_comment(r#"{"comment": "a field of the user's"}"#));
}

#[test]
fn many_paths_and_keys_take_no_time() {
    let names: Vec<String> = (0..50_000).map(|n| format!("k{n}")).collect();
    let members: Map<String, Value> = names.iter().map(|name| (name.clone(), json!(["x", "y"]))).collect();
    let paths: Vec<_> = names.iter().map(|name| ["a", name.as_str()]).collect();
    let deletes: Vec<_> = paths.iter().map(|path| json!({"path": path, "delete": ["x"]})).collect();
    let update = row(&json!({"_is_merge": true, "_merge_paths": paths, "_array_delete": deletes, "a": members}));
    let controls = Controls::of(&update).unwrap();
    let merged = apply(Some(row(&json!({"a": members}))), update, &controls, |_| None).unwrap();
    assert_eq!(value(&merged)["a"]["k49999"], json!(["y"]));
}

/// The rules on parsed values, written as plainly as they read.
fn reference(stored: Option<Value>, update: &Value) -> Option<Value> {
    let Value::Object(mut new) = update.clone() else { unreachable!() };
    let controls: BTreeMap<String, Value> = new.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
    new.retain(|key, _| !key.starts_with('_'));
    if controls.get("_object_delete") == Some(&Value::Bool(true)) {
        return None;
    }
    let replaced: Vec<Vec<String>> =
        controls.get("_merge_paths").map(|paths| serde_json::from_value(paths.clone()).unwrap()).unwrap_or_default();
    let is_merge = controls.get("_is_merge") == Some(&Value::Bool(true));
    let mut row = match stored {
        Some(Value::Object(mut old)) if is_merge => {
            new.retain(|key, _| !["id", "created", "span_parents"].contains(&key.as_str()));
            merge_reference(&mut old, new, &[], &replaced);
            old
        }
        _ => new,
    };
    for delete in controls.get("_array_delete").and_then(Value::as_array).into_iter().flatten() {
        let mut path = delete["path"].as_array().unwrap().iter().map(|name| name.as_str().unwrap());
        let first = path.next().unwrap();
        if ["id", "created", "span_parents"].contains(&first) {
            continue;
        }
        let place = path.try_fold(row.get_mut(first), |place, name| Some(place?.as_object_mut()?.get_mut(name)));
        if let Some(Some(Value::Array(items))) = place {
            items.retain(|item| !delete["delete"].as_array().unwrap().contains(item));
        }
    }
    Some(Value::Object(row))
}

fn merge_reference(old: &mut Map<String, Value>, new: Map<String, Value>, at: &[String], replaced: &[Vec<String>]) {
    for (key, new) in new {
        let path = [at, std::slice::from_ref(&key)].concat();
        match (old.get_mut(&key), new) {
            (_, new) if replaced.contains(&path) => {
                old.insert(key, new);
            }
            (Some(Value::Object(old)), Value::Object(new)) => merge_reference(old, new, &path, replaced),
            (Some(Value::Array(old)), Value::Array(new)) if path == ["tags"] => {
                for item in new {
                    if !old.contains(&item) {
                        old.push(item);
                    }
                }
            }
            (_, new) => {
                old.insert(key, new);
            }
        }
    }
}

fn key() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "tags", "a.b", "", "\"é\n", "id", "span_parents"]).prop_map(str::to_owned)
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..4).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        // Parsed values, unlike text, hold only some floats exactly.
        (-4000..4000).prop_map(|eighths| Value::from(f64::from(eighths) / 8.0)),
        prop::sample::select(vec!["x", "y", "😀\u{7}"]).prop_map(Value::from),
    ]
}

fn any_json() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key(), inner), 0..4).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

fn any_row() -> impl Strategy<Value = Value> {
    prop::collection::vec((key(), any_json()), 0..5).prop_map(|members| members.into_iter().collect())
}

fn any_update() -> impl Strategy<Value = Value> {
    let path = || prop::collection::vec(key(), 1..4);
    let delete = (path(), prop::collection::vec(any_json(), 0..3))
        .prop_map(|(path, delete)| json!({"path": path, "delete": delete}));
    let controls =
        (any::<Option<bool>>(), prop::collection::vec(path(), 0..3), prop::collection::vec(delete, 0..3), 0..10);
    (any_row(), controls).prop_map(|(mut row, (is_merge, paths, deletes, dice))| {
        row["_is_merge"] = json!(is_merge);
        row["_merge_paths"] = json!(paths);
        row["_array_delete"] = json!(deletes);
        row["_object_delete"] = json!(dice == 0);
        row
    })
}

/// Objects in which a name always has the same kind of value: then it does not matter what is merged first.
fn any_typed_row() -> impl Strategy<Value = Value> {
    let leaves = || prop::collection::btree_map("s[12]", prop_oneof![scalar(), Just(json!([1, {"a": 1}]))], 0..3);
    let inner = (leaves(), prop::collection::btree_map("o[12]", leaves(), 0..3));
    (leaves(), prop::collection::btree_map("o[12]", inner, 0..3)).prop_map(|(leaves, objects)| {
        let mut row = json!(leaves);
        for (name, (leaves, objects)) in objects {
            row[&name] = json!(leaves);
            objects.into_iter().for_each(|(key, leaves)| row[&name][key] = json!(leaves));
        }
        row["_is_merge"] = json!(true);
        row
    })
}

fn apply_values(stored: Option<Value>, update: &Value) -> Option<Value> {
    let update = row(update);
    let controls = Controls::of(&update).unwrap();
    apply(stored.as_ref().map(row), update, &controls, |_| None).as_ref().map(value)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn agrees_with_the_reference(stored in prop::option::of(any_row()), updates in prop::collection::vec(any_update(), 1..4)) {
        let mut ours = stored.clone();
        let mut expected = stored;
        for update in &updates {
            ours = apply_values(ours, update);
            expected = reference(expected, update);
            prop_assert_eq!(&ours, &expected);
        }
    }

    #[test]
    fn a_repeated_update_changes_nothing(stored in prop::option::of(any_row()), update in any_update()) {
        let once = apply_values(stored, &update);
        prop_assert_eq!(apply_values(once.clone(), &update), once);
    }

    #[test]
    fn merges_may_be_merged_first(stored in any_typed_row(), first in any_typed_row(), second in any_typed_row()) {
        let one_by_one = apply_values(apply_values(Some(stored.clone()), &first), &second);
        let mut together = apply_values(Some(first), &second).unwrap();
        together["_is_merge"] = json!(true);
        prop_assert_eq!(apply_values(Some(stored), &together), one_by_one);
    }
}
