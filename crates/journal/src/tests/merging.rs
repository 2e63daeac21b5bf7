//! Merging against the rules, one by one, and against a plain implementation.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{Outcome, Row, apply};

fn merge(stored: Option<Value>, update: &Value) -> Option<Value> {
    let row = |value: &Value| Row::parse(&value.to_string()).unwrap();
    let update = row(update);
    let controls = update.controls().unwrap();
    match apply(stored.as_ref().map(row).as_ref(), &update, &controls, None) {
        Outcome::Row(row) => Some(serde_json::from_str(&row.to_json()).unwrap()),
        Outcome::Deleted => None,
    }
}

#[test]
fn the_rules() {
    let stored = json!({"id": "r", "created": "then", "span_id": "s", "input": {"a": {"b": 1, "c": 2}}, "tags": ["x"]});
    let cases = [
        (json!({"id": "r", "output": 1}), json!({"id": "r", "output": 1})),
        (
            json!({"_is_merge": true, "created": "now", "span_id": "z", "input": {"a": {"b": null, "d": [1]}}}),
            json!({"id": "r", "created": "then", "span_id": "s", "input": {"a": {"b": null, "c": 2, "d": [1]}}, "tags": ["x"]}),
        ),
        (
            json!({"_is_merge": true, "tags": ["y", "x"], "input": 5}),
            json!({"id": "r", "created": "then", "span_id": "s", "input": 5, "tags": ["x", "y"]}),
        ),
        (
            json!({"_is_merge": true, "_merge_paths": [["tags"], ["input", "a"]], "tags": ["y"], "input": {"a": {"z": 1}, "b": 2}}),
            json!({"id": "r", "created": "then", "span_id": "s", "input": {"a": {"z": 1}, "b": 2}, "tags": ["y"]}),
        ),
        (
            json!({"_is_merge": true, "_array_delete": [{"path": ["tags"], "delete": ["x"]}]}),
            json!({"id": "r", "created": "then", "span_id": "s", "input": {"a": {"b": 1, "c": 2}}, "tags": []}),
        ),
    ];
    for (update, expected) in cases {
        assert_eq!(merge(Some(stored.clone()), &update), Some(expected.clone()), "{update}");
        // Retries repeat whole requests.
        assert_eq!(merge(merge(Some(stored.clone()), &update), &update), Some(expected), "{update} twice");
    }
    assert_eq!(merge(Some(stored), &json!({"_object_delete": true})), None);
    assert_eq!(merge(None, &json!({"_is_merge": true, "a": 1})), Some(json!({"a": 1})));
}

#[test]
fn text_is_kept_as_it_was_sent() {
    let stored = Row::parse(r#"{"id":"r","metadata":{"big":1180591620717411303424,"f":1.10}}"#).unwrap();
    let update = Row::parse(r#"{"_is_merge":true,"metadata":{"e":1E5,"":"\ud83d\ude00","a.b":{"\"":0.1}}}"#).unwrap();
    let Outcome::Row(row) = apply(Some(&stored), &update, &update.controls().unwrap(), None) else { panic!() };
    let metadata = r#"{"big":1180591620717411303424,"f":1.10,"e":1E5,"":"\ud83d\ude00","a.b":{"\"":0.1}}"#;
    assert_eq!(row.get("metadata").unwrap().get(), metadata);
}

#[test]
fn a_child_takes_its_place_from_its_parent() {
    let parent = Row::parse(r#"{"id":"p","span_id":"ps","root_span_id":"t"}"#).unwrap();
    let update = Row::parse(r#"{"id":"c","span_id":"cs","_parent_id":"p"}"#).unwrap();
    let Outcome::Row(row) = apply(None, &update, &update.controls().unwrap(), Some(&parent)) else { panic!() };
    assert_eq!(row.to_json(), r#"{"id":"c","span_id":"cs","root_span_id":"t","span_parents":["ps"]}"#);
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![Just(Value::Null), any::<i32>().prop_map(Value::from), "[a-c]{0,2}".prop_map(Value::from)];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-c.]{0,2}", inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

fn plain(stored: &Value, update: &Value) -> Value {
    match (stored, update) {
        (Value::Object(a), Value::Object(b)) => {
            let mut merged = a.clone();
            for (name, value) in b {
                let value = a.get(name).map_or_else(|| value.clone(), |known| plain(known, value));
                merged.insert(name.clone(), value);
            }
            Value::Object(merged)
        }
        _ => update.clone(),
    }
}

proptest! {
    #[test]
    fn merging_is_deep_and_idempotent(stored in value(), update in value(), third in value()) {
        let (a, b) = (json!({"input": stored}), json!({"_is_merge": true, "input": update}));
        let once = merge(Some(a), &b);
        prop_assert_eq!(&once, &Some(json!({"input": plain(&stored, &update)})));
        prop_assert_eq!(&merge(once.clone(), &b), &once);
        let c = json!({"_is_merge": true, "input": third});
        let expected = json!({"input": plain(&plain(&stored, &update), &third)});
        prop_assert_eq!(merge(once, &c), Some(expected));
    }
}
