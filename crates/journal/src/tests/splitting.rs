//! Request bodies, good and hostile.

use crate::{ObjectKind, SplitOptions, split};

fn reason(body: &str) -> String {
    split(body.as_bytes(), SplitOptions::default()).unwrap_err().to_string()
}

#[test]
fn rows_of_several_objects() {
    let body = r#"{"rows":[{"id":"a","experiment_id":"e"},{"id":"b","dataset_id":"d"},
        {"project_id":"p","log_id":"g","_is_merge":false}],"api_version":2}"#;
    let rows = split(body.as_bytes(), SplitOptions::default()).unwrap();
    let kinds: Vec<ObjectKind> = rows.iter().map(|row| row.object.kind).collect();
    assert_eq!(kinds, [ObjectKind::Experiment, ObjectKind::Dataset, ObjectKind::ProjectLogs]);
    assert_eq!(rows[2].id.len(), 36, "a row without an id gets one");
    assert_eq!(rows[2].row.text("id").unwrap(), rows[2].id);
}

#[test]
fn what_is_wrong_is_said() {
    for (body, expected) in [
        ("", "the request is no JSON object"),
        ("[]", "the request is no JSON object"),
        ("{}", "`rows` is missing"),
        (r#"{"rows":{"type":"logs3_overflow"}}"#, "`rows` refers to an upload"),
        (r#"{"rows":[5]}"#, "row 0: is no JSON object"),
        (r#"{"rows":[{"id":"a"}]}"#, "row 0: belongs to nothing"),
        (r#"{"rows":[{"id":"a","experiment_id":"e"},{"id":7,"experiment_id":"e"}]}"#, "row 1: `id` is text"),
        (r#"{"rows":[{"experiment_id":"e","_merge_paths":"x"}]}"#, "row 0: `_merge_paths` is a list of paths"),
        (r#"{"rows":[{"experiment_id":"e","x":NaN}]}"#, "no JSON"),
        (r#"{"rows":[{"experiment_id":"e"}"#, "no JSON"),
    ] {
        let found = reason(body);
        assert!(found.contains(expected), "{body}: {found}");
    }
    assert!(split(b"\xff", SplitOptions::default()).unwrap_err().to_string().contains("UTF-8"));
}

#[test]
fn depth_is_refused_before_it_is_followed() {
    let nested =
        |n: usize| format!(r#"{{"rows":[{{"experiment_id":"e","input":{}1{}}}]}}"#, "[".repeat(n), "]".repeat(n));
    assert!(split(nested(100).as_bytes(), SplitOptions::default()).is_ok());
    assert!(reason(&nested(1_000_000)).contains("deeper"));
    let brackets = format!(r#"{{"rows":[{{"experiment_id":"e","input":"{}"}}]}}"#, "[".repeat(10_000));
    assert!(split(brackets.as_bytes(), SplitOptions::default()).is_ok(), "brackets in text are text");
}
