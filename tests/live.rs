//! Rows that are logged while they are read: merged, versioned, deleted, and there once after a crash.

use std::path::Path;

use evalhouse_journal::{Limits, split_request};
use evalhouse_live::{Live, LiveOptions};
use evalhouse_model::{Experiment, ObjectKind, schema};
use evalhouse_session::{Session, SessionOptions};
use evalhouse_store::Store;
use serde_json::{Value, json};

async fn opened(store: &Store, folder: &Path, settle_bytes: u64) -> Live {
    let options = LiveOptions { settle_bytes, ..LiveOptions::default() };
    for _ in 0..200 {
        match Live::open(store.clone(), folder, options.clone()).await {
            Ok(live) => return live,
            // The thread of the last handle lets go of the folder a moment later.
            Err(error) if error.to_string().contains("another") => {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
            Err(error) => panic!("{error}"),
        }
    }
    panic!("the folder stays locked");
}

async fn experiment(store: &Store, id: &str) {
    let record = Experiment { id: id.into(), project: "p".into(), name: id.into(), ..Experiment::default() };
    store.describe(&record).await.unwrap();
}

async fn log(live: &Live, rows: Value) -> u64 {
    let body = json!({ "rows": rows }).to_string();
    let rows = split_request(body.as_bytes(), &Limits::default()).unwrap();
    live.log(rows).await.unwrap().xact
}

fn object(id: &str) -> evalhouse_journal::ObjectRef {
    evalhouse_journal::ObjectRef { kind: evalhouse_journal::ObjectKind::Experiment, id: id.into() }
}

/// Row id to what the rows say, by id.
async fn rows(live: &Live, id: &str, version: Option<u64>) -> Vec<(String, Value, Value)> {
    live.settle(&object(id)).await.unwrap();
    let session = Session::open(live.store().clone(), SessionOptions::default()).await.unwrap();
    let frame = session.rows_of(ObjectKind::Experiment, &[id.to_string()], version).await.unwrap();
    let columns = [schema::ID, schema::OUTPUT, schema::EXTRA].map(datafusion::prelude::ident).to_vec();
    let batches = frame.select(columns).unwrap().collect().await.unwrap();
    let mut found = Vec::new();
    for row in evalhouse_report::json_rows(&batches).unwrap() {
        let [id, output, extra] = row.try_into().unwrap();
        found.push((id.as_str().unwrap().to_string(), output, extra));
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

fn outputs(rows: &[(String, Value, Value)]) -> Vec<(&str, &Value)> {
    rows.iter().map(|(id, output, _)| (id.as_str(), output)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_of_a_row_are_read_as_of_a_transaction() {
    let (store, folder) = (Store::create(&crate::store::memory_url()).await.unwrap(), tempfile::tempdir().unwrap());
    let live = opened(&store, folder.path(), 1 << 20).await;
    experiment(&store, "e").await;
    let root = |output: Value, merge: bool| json!([{"id": "a", "experiment_id": "e", "span_id": "s", "root_span_id": "t", "output": output, "_is_merge": merge}]);
    let first = log(&live, root(json!({"x": 1}), false)).await;
    let second = log(&live, root(json!({"y": 2}), true)).await;
    assert_eq!(outputs(&rows(&live, "e", None).await), [("a", &json!({"x": 1, "y": 2}))]);
    // A merge into a stored row.
    let third = log(&live, root(json!({"x": null}), true)).await;
    let fourth = log(&live, json!([{"id": "b", "experiment_id": "e", "output": "new"}])).await;
    let gone = log(&live, json!([{"id": "a", "experiment_id": "e", "_object_delete": true}])).await;
    assert_eq!(outputs(&rows(&live, "e", None).await), [("b", &json!("new"))]);
    let back = log(&live, root(json!("again"), false)).await;
    for (version, expected) in [
        (first - 1, vec![]),
        (first, vec![("a", json!({"x": 1}))]),
        (second, vec![("a", json!({"x": 1, "y": 2}))]),
        (third, vec![("a", json!({"x": null, "y": 2}))]),
        (fourth, vec![("a", json!({"x": null, "y": 2})), ("b", json!("new"))]),
        (gone, vec![("b", json!("new"))]),
        (back, vec![("a", json!("again")), ("b", json!("new"))]),
    ] {
        let found = rows(&live, "e", Some(version)).await;
        let expected: Vec<(&str, &Value)> = expected.iter().map(|(id, value)| (*id, value)).collect();
        assert_eq!(outputs(&found), expected, "as of {version}");
    }
    let session = Session::open(store, SessionOptions::default()).await.unwrap();
    let record = &session.experiments()[0];
    assert_eq!((record.rows, record.spans, record.cases), (2, 2, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_grows_and_its_case_with_it() {
    let (store, folder) = (Store::create(&crate::store::memory_url()).await.unwrap(), tempfile::tempdir().unwrap());
    let live = opened(&store, folder.path(), 1 << 20).await;
    experiment(&store, "e").await;
    let span = |id: &str, parent: Option<&str>, more: Value| {
        let mut row = json!({"id": id, "experiment_id": "e", "span_id": id, "root_span_id": "t1", "span_parents": parent.map(|p| [p])});
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        row
    };
    // The child comes before its root, and is read before it.
    log(
        &live,
        json!([span(
            "task",
            Some("root"),
            json!({"span_attributes": {"type": "task"}, "metrics": {"start": 1, "end": 3}})
        )]),
    )
    .await;
    assert_eq!(rows(&live, "e", None).await.len(), 1);
    log(&live, json!([span("root", None, json!({"input": "q", "span_attributes": {"type": "eval"}}))])).await;
    log(&live, json!([span("f", Some("root"), json!({"scores": {"F": 1}, "span_attributes": {"purpose": "scorer"}}))]))
        .await;
    assert_eq!(rows(&live, "e", None).await.len(), 3);
    log(&live, json!([span("f2", Some("f"), json!({"scores": {"F": 0.5}, "metrics": {"tokens": 5}}))])).await;
    log(&live, json!([{"id": "c", "experiment_id": "e", "origin": {"id": "root"}, "comment": {"text": "why?"}, "created": "2026-01-01T00:00:00Z"}])).await;
    let found = rows(&live, "e", None).await;
    assert_eq!(found.iter().map(|row| row.0.as_str()).collect::<Vec<_>>(), ["f", "f2", "root", "task"]);
    assert_eq!(found[2].2["comments"][0]["comment"]["text"], "why?");
    let session = Session::open(store, SessionOptions::default()).await.unwrap();
    let sql = "select scores.F, metrics.duration, span_count, trial_index from cases";
    let batches = session.sql(sql).await.unwrap().collect().await.unwrap();
    // Tokens below a scorer are not the case's.
    assert_eq!(evalhouse_report::json_rows(&batches).unwrap(), [[json!(0.75), json!(2.0), json!(4), json!(0)]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn trials_keep_their_numbers_and_a_restart_loses_and_doubles_nothing() {
    let (store, folder) = (Store::create(&crate::store::memory_url()).await.unwrap(), tempfile::tempdir().unwrap());
    experiment(&store, "e").await;
    let row = |id: &str, input: &str| json!({"id": id, "experiment_id": "e", "input": input, "output": id});
    {
        // So little at a time that every request is put into the store alone.
        let live = opened(&store, folder.path(), 1).await;
        for i in 0..20 {
            log(&live, json!([row(&format!("z{i:02}"), "q"), row(&format!("y{i:02}"), "r")])).await;
            if i == 9 {
                live.settle(&object("e")).await.unwrap();
            }
        }
    }
    let live = opened(&store, folder.path(), 1).await;
    log(&live, json!([{"id": "z00", "experiment_id": "e", "output": "late", "_is_merge": true}])).await;
    assert_eq!(rows(&live, "e", None).await.len(), 40);
    let session = Session::open(store.clone(), SessionOptions::default()).await.unwrap();
    let sql = "select id, trial_index, output from cases where input = 'q' order by trial_index";
    let batches = session.sql(sql).await.unwrap().collect().await.unwrap();
    let found = evalhouse_report::json_rows(&batches).unwrap();
    for (i, row) in found.iter().enumerate() {
        let output = if i == 0 { json!("late") } else { json!(format!("z{i:02}")) };
        assert_eq!(row, &[json!(format!("z{i:02}")), json!(i), output]);
    }
    assert_eq!(session.experiments()[0].cases, 2);
    drop(live);
    // The journal is whole and the store has it all: nothing is applied twice.
    let live = opened(&store, folder.path(), 1 << 20).await;
    assert_eq!(rows(&live, "e", None).await.len(), 40);
    // Merged files are split again when one of their traces changes.
    store.optimize(&evalhouse_store::OptimizeOptions::default(), None).await.unwrap();
    log(&live, json!([{"id": "y07", "experiment_id": "e", "output": "later", "_is_merge": true}])).await;
    let found = rows(&live, "e", None).await;
    assert_eq!(found.iter().filter(|row| row.1 == "later").count(), 1);
    assert_eq!(found.len(), 40);
}

/// A merge into a row that is not there makes one, with the ids that a whole row would get.
#[tokio::test(flavor = "multi_thread")]
async fn a_merge_into_nothing_is_a_row() {
    let (store, folder) = (Store::create(&crate::store::memory_url()).await.unwrap(), tempfile::tempdir().unwrap());
    let live = opened(&store, folder.path(), 1 << 20).await;
    experiment(&store, "e").await;
    let merge = |id: &str, more: Value| {
        let mut row = json!({"id": id, "experiment_id": "e", "_is_merge": true});
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!([row])
    };
    log(&live, merge("a", json!({"output": 1}))).await;
    assert_eq!(outputs(&rows(&live, "e", None).await), [("a", &json!(1))]);
    log(&live, merge("a", json!({"scores": {"F": 1}}))).await;
    log(&live, merge("b", json!({"span_parents": ["a"], "output": 2}))).await;
    assert_eq!(outputs(&rows(&live, "e", None).await), [("a", &json!(1)), ("b", &json!(2))]);
    let session = Session::open(store, SessionOptions::default()).await.unwrap();
    let query = "SELECT id, span_id, root_span_id FROM spans ORDER BY id";
    let batches = session.sql(query).await.unwrap().collect().await.unwrap();
    let ids = evalhouse_report::json_rows(&batches).unwrap();
    assert_eq!(json!(ids), json!([["a", "a", "a"], ["b", "b", "a"]]));
    assert_eq!(session.experiments()[0].rows, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_stored_is_refused_before_anything_is() {
    let (store, folder) = (Store::create(&crate::store::memory_url()).await.unwrap(), tempfile::tempdir().unwrap());
    let live = opened(&store, folder.path(), 1 << 20).await;
    experiment(&store, "e").await;
    for (bad, expected) in [
        (json!({"id": "b", "experiment_id": "none"}), "row 1: there is no experiment"),
        (json!({"id": "b", "experiment_id": "e", "scores": {"F": "high"}}), "scores.F"),
        (json!({"id": "b", "experiment_id": "e", "tags": "x"}), "tags"),
        (json!({"id": "b", "experiment_id": "e", "metadata": []}), "metadata"),
        (json!({"id": "b", "experiment_id": "e", "created": "yesterday"}), "created"),
    ] {
        let body = json!({ "rows": [{"id": "a", "experiment_id": "e"}, bad] }).to_string();
        let rows = split_request(body.as_bytes(), &Limits::default()).unwrap();
        let error = live.log(rows).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    assert!(rows(&live, "e", None).await.is_empty());
}
