//! Requests: what is taken exactly, and what is refused with which words.

use super::experiment;
use crate::{FaultReason, Incoming, Limits, ObjectKind, RowFault, read_rows, split_events, split_request};

fn split(body: &str) -> Result<Vec<Incoming>, RowFault> {
    split_request(body.as_bytes(), &Limits::default())
}

/// The fault of a body, in words.
fn refusal(body: impl AsRef<[u8]>) -> String {
    split_request(body.as_ref(), &Limits::default()).unwrap_err().to_string()
}

#[test]
fn rows_are_routed_to_their_objects() {
    let rows = split(
        r#"{"rows": [
            {"experiment_id": "e", "project_id": "p", "id": "1", "root_span_id": "r", "span_id": "s"},
            {"dataset_id": "d", "id": "2", "root_span_id": null},
            {"project_id": "p", "log_id": "g", "id": "3", "experiment_id": null},
            {"prompt_session_id": "x", "log_id": "x", "id": "4"}
        ], "api_version": 2}"#,
    )
    .unwrap();
    let objects: Vec<_> = rows.iter().map(|row| (row.object.kind, row.object.id.as_str(), row.id.as_str())).collect();
    assert_eq!(
        objects,
        [
            (ObjectKind::Experiment, "e", "1"),
            (ObjectKind::Dataset, "d", "2"),
            (ObjectKind::ProjectLogs, "p", "3"),
            (ObjectKind::PromptSession, "x", "4"),
        ]
    );
    assert_eq!((rows[0].root_span_id.as_deref(), rows[0].span_id.as_deref()), (Some("r"), Some("s")));
    assert_eq!(rows[1].root_span_id, None);
}

#[test]
fn values_come_back_as_they_were_sent() {
    let many_keys: String = (0..10_000).map(|key| format!(r#""k.{key}":{key},"#)).collect();
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    for value in [
        "1180591620717411303424",
        "-0.0",
        "1e999",
        "0.1000000000000000055511151231257827",
        "1700000000.123456",
        r#"{"z": 1, "a": 2,   "": 3, "a.b": 4, "\"": 5, "z": 6}"#,
        r#""\ud83d\ude00 é \u0000""#,
        &deep,
        &format!("{{{many_keys}\"last\": null}}"),
    ] {
        let body = format!(r#"{{"rows": [{{"experiment_id":"e","id":"1","input":{value}}}]}}"#);
        let rows = split(&body).unwrap();
        assert_eq!(rows[0].row.get("input").unwrap().get(), value);
        assert_eq!(rows[0].row.to_json(), format!(r#"{{"experiment_id":"e","id":"1","input":{value}}}"#));
    }
}

#[test]
fn of_a_name_given_twice_the_last_counts() {
    let rows = split(r#"{"rows": [{"experiment_id": "e", "id": "1", "id": "2", "a": 1, "a": {"b": 1, "b": 2}}]}"#);
    assert_eq!(rows.unwrap()[0].row.to_json(), r#"{"experiment_id":"e","id":"2","a":{"b": 1, "b": 2}}"#);
}

#[test]
fn a_row_without_an_id_gets_one() {
    let rows = split(r#"{"rows": [{"experiment_id": "e"}, {"experiment_id": "e", "id": null}]}"#).unwrap();
    assert_ne!(rows[0].id, rows[1].id);
    for row in rows {
        assert_eq!(row.row.name("id").unwrap().unwrap(), row.id);
        assert_eq!(row.id.len(), 36);
    }
}

#[test]
fn faults_name_row_field_and_reason() {
    let row = |fields: &str| {
        format!(r#"{{"rows": [{{"experiment_id": "e", "id": "1"}}, {{"experiment_id": "e", {fields}}}]}}"#)
    };
    for (fields, words) in [
        (r#""id": 5"#, "row 1: field `id` must be a string that is not empty"),
        (r#""id": """#, "row 1: field `id` must be a string that is not empty"),
        (r#""span_id": []"#, "row 1: field `span_id` must be a string that is not empty"),
        (r#""dataset_id": "d""#, "row 1: field `dataset_id` names a second object"),
        (r#""_is_merge": "yes""#, "row 1: field `_is_merge` must be true or false"),
        (r#""_object_delete": 1"#, "row 1: field `_object_delete` must be true or false"),
        (
            r#""_merge_paths": ["input"]"#,
            "row 1: field `_merge_paths` must be a list of paths, each a list of field names",
        ),
        (r#""_merge_paths": [[]]"#, "row 1: field `_merge_paths` must be a list of paths that are not empty"),
        (
            r#""_array_delete": [{"path": ["tags"]}]"#,
            "row 1: field `_array_delete` must be a list of objects with a `path` of field names and a list `delete`",
        ),
        (r#""_parent_id": 7"#, "row 1: field `_parent_id` must be a string that is not empty"),
        (r#""_audit_metadata": 7"#, "row 1: field `_audit_metadata` must be an object"),
        (
            r#""input": {"a": "\ud83d"}"#,
            "row 1: field `input` has an unpaired surrogate escape, which is no Unicode text",
        ),
    ] {
        assert_eq!(refusal(row(fields)), words);
    }
    assert!(refusal(r#"{"rows": [{"id": "1"}]}"#).starts_with("row 0 names no object"));
    assert!(refusal(r#"{"rows": [{"id": "1", "project_id": "p"}]}"#).starts_with("row 0 names no object"));
    assert_eq!(refusal(r#"{"rows": [7]}"#), "row 0 must be an object");
    assert!(refusal(r#"{"rows": [{"\ud83d": 1}]}"#).starts_with("row 0 is no JSON"));
}

#[test]
fn bodies_that_are_no_list_of_rows_are_refused() {
    for body in ["", "{", r#"{"rows": [{"input": NaN}]}"#, r#"{"rows": [{"input": 01}]}"#, "{\"rows\": [\"\n\"]}"] {
        assert!(refusal(body).starts_with("the request is no JSON"), "{body}");
    }
    assert!(refusal(b"{\"rows\": [\"\xFF\"]}").starts_with("the request is no JSON: invalid utf-8"));
    assert_eq!(refusal("[]"), "the request must be an object");
    assert_eq!(refusal("{}"), "field `rows` must be a list of rows");
    assert_eq!(refusal(r#"{"rows": {}}"#), "field `rows` must be a list of rows");
    let overflow = r#"{"rows": {"type": "logs3_overflow", "key": "k"}, "api_version": 2}"#;
    assert_eq!(split(overflow).unwrap_err().reason, FaultReason::Overflow);
}

#[test]
fn limits_hold() {
    let limits = Limits { depth: 3, rows: 2, row_bytes: 60 };
    let fault = |rows: &str| split_request(format!(r#"{{"rows": [{rows}]}}"#).as_bytes(), &limits).unwrap_err();
    let deep = fault(r#"{"experiment_id": "e", "a": [[1]]}, {"experiment_id": "e", "a": [[[]]]}"#);
    assert_eq!(deep.to_string(), "row 1: field `a` makes the row deeper than 3 levels");
    assert_eq!(fault("{}, {}, {}").reason, FaultReason::TooMany { rows: 3, limit: 2 });
    let long = fault(&format!(r#"{{"experiment_id": "{}"}}"#, "e".repeat(60)));
    assert_eq!((long.row, long.reason), (Some(0), FaultReason::TooLarge { bytes: 81, limit: 60 }));
}

#[test]
fn hostile_depth_is_refused_without_recursion() {
    let bomb = "[".repeat(1_000_000);
    let closed = format!("{bomb}{}", "]".repeat(1_000_000));
    for body in [
        bomb.clone(),
        format!(r#"{{"rows": {bomb}"#),
        format!(r#"{{"other": {closed}}}"#),
        format!(r#"{{"rows": [{closed}]}}"#),
        format!(r#"{{"rows": [{{"experiment_id": "e", "_is_merge": {closed}}}]}}"#),
        r#"{"a":"#.repeat(1_000_000),
    ] {
        refusal(body);
    }
}

#[test]
fn events_belong_to_the_object_that_is_given() {
    let body = br#"{"events": [{"id": "1"}, {"id": "2", "experiment_id": "other"}]}"#;
    let rows = split_events(body, "events", &experiment("e"), &Limits::default()).unwrap();
    assert!(rows.iter().all(|row| row.object == experiment("e")));
    let items = read_rows(br#"{"feedback": [{"id": 1}]}"#, "feedback", &Limits::default()).unwrap();
    assert_eq!(items[0].to_json(), r#"{"id":1}"#);
}
