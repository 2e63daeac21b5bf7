//! What a store promises, wherever it is.

use std::sync::Arc;
use std::time::Duration;

use evalhouse_model::{Experiment, Span};
use evalhouse_store::{OptimizeOptions, Store, StoreError, WriterOptions};
use futures::TryStreamExt;
use object_store::{ObjectStore, ObjectStoreExt};

use super::{memory_url, put, query, s3, span, spans, stage};

/// Runs one test body on a disk, in memory, and over the S3 protocol.
macro_rules! on_every_store {
    ($($name:ident),* $(,)?) => {
        mod disk {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                let folder = tempfile::tempdir().unwrap();
                super::$name(folder.path().join("store").to_str().unwrap()).await;
            })*
        }
        mod memory {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(&super::memory_url()).await;
            })*
        }
        mod s3_protocol {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                let url = super::s3::fresh_url(stringify!($name));
                super::$name(&url).await;
            })*
        }
    };
}

on_every_store!(
    a_missing_store_is_said_to_be_missing,
    a_case_and_its_spans_appear_together,
    a_second_write_replaces_the_first,
    one_commit_holds_a_whole_batch,
    appends_at_once_all_succeed,
    a_reader_keeps_its_snapshot,
    a_record_that_was_never_written_is_healed,
    a_large_experiment_is_stored_as_a_small_one_is,
    traces_that_come_whole_are_stored_as_their_rows_are,
    kinds_of_a_path_may_differ_between_experiments,
    settings_of_writers_at_once_are_all_kept,
    optimize_changes_files_and_no_answer,
    an_experiment_in_a_merged_file_can_be_replaced,
    imports_go_on_while_files_are_merged,
    vacuum_removes_what_no_version_lists,
);

const SUMS: &str = "select experiment, count(*), avg(scores.f), min(metadata.model), sum(metadata.case) from cases group by 1 order by 1";

async fn settings_of_writers_at_once_are_all_kept(url: &str) {
    Store::create(url).await.unwrap();
    let writers = (0..6).map(|i| {
        let url = url.to_string();
        tokio::spawn(async move {
            let store = Store::open(&url).await.unwrap();
            let change = |settings: &mut evalhouse_model::ProjectSettings| -> Result<(), StoreError> {
                settings.baselines.insert(format!("b{i}"), format!("e{i}"));
                Ok(())
            };
            store.change_settings("p", change).await.unwrap().unwrap();
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let store = Store::open(url).await.unwrap();
    assert_eq!(store.snapshot().await.unwrap().settings("p").baselines.len(), 6);
    // What is refused is not stored.
    let refused = store.change_settings("p", |settings| {
        settings.baselines.clear();
        Err::<(), &str>("no")
    });
    assert_eq!(refused.await.unwrap(), Err("no"));
    assert_eq!(store.snapshot().await.unwrap().settings("p").baselines.len(), 6);
}

async fn optimize_changes_files_and_no_answer(url: &str) {
    let store = Store::create(url).await.unwrap();
    for i in 0..6 {
        put(&store, &format!("e{i}"), spans(3 + i, i as f64 / 10.0)).await;
    }
    let before = query(&store, SUMS).await;
    let children = query(&store, "select count(*), sum(scores.f) from spans").await;
    let outcome = store.optimize(&OptimizeOptions::default(), None).await.unwrap();
    assert_eq!((outcome.files_before, outcome.files_after), (12, 2));
    assert_eq!(query(&store, SUMS).await, before);
    assert_eq!(query(&store, "select count(*), sum(scores.f) from spans").await, children);
    // Opened anew, records and files still agree; and there is nothing left to do.
    let again = Store::open(url).await.unwrap();
    assert_eq!(again.experiments().await.unwrap().len(), 6);
    assert_eq!(query(&again, SUMS).await, before);
    assert_eq!(again.optimize(&OptimizeOptions::default(), None).await.unwrap().merged, 0);
}

async fn an_experiment_in_a_merged_file_can_be_replaced(url: &str) {
    let store = Store::create(url).await.unwrap();
    for i in 0..3 {
        put(&store, &format!("e{i}"), spans(4, 0.5)).await;
    }
    store.optimize(&OptimizeOptions::default(), None).await.unwrap();
    put(&store, "e1", spans(2, 0.25)).await;
    let expected = ["e0|4|0.5|m|6", "e1|2|0.25|m|1", "e2|4|0.5|m|6"];
    assert_eq!(query(&store, SUMS).await, expected);
    let again = Store::open(url).await.unwrap();
    assert_eq!(query(&again, SUMS).await, expected);
    assert_eq!(query(&again, "select count(*) from spans where experiment = 'e1'").await, ["4"]);
    let rows: Vec<i64> = again.experiments().await.unwrap().iter().map(|one| one.rows).collect();
    assert_eq!(rows, [4, 2, 4]);
}

async fn imports_go_on_while_files_are_merged(url: &str) {
    let store = Store::create(url).await.unwrap();
    for i in 0..4 {
        put(&store, &format!("e{i}"), spans(3, 0.5)).await;
    }
    let importer = {
        let url = url.to_string();
        tokio::spawn(async move {
            let store = Store::open(&url).await.unwrap();
            // New ones, and new versions of what is being merged.
            for i in 0..6 {
                put(&store, &format!("e{i}"), spans(5, 1.0)).await;
            }
        })
    };
    for _ in 0..3 {
        store.optimize(&OptimizeOptions::default(), None).await.unwrap();
    }
    importer.await.unwrap();
    store.optimize(&OptimizeOptions::default(), None).await.unwrap();
    let expected: Vec<String> = (0..6).map(|i| format!("e{i}|5|1|m|10")).collect();
    assert_eq!(query(&store, SUMS).await, expected);
}

async fn vacuum_removes_what_no_version_lists(url: &str) {
    let store = Store::create(url).await.unwrap();
    for i in 0..3 {
        put(&store, &format!("e{i}"), spans(4, 0.5)).await;
    }
    store.optimize(&OptimizeOptions::default(), None).await.unwrap();
    let before = query(&store, SUMS).await;
    assert_eq!(store.vacuum(Duration::from_secs(3600), false).await.unwrap().files, 0, "files are young");
    let would = store.vacuum(Duration::ZERO, true).await.unwrap();
    let did = store.vacuum(Duration::ZERO, false).await.unwrap();
    assert_eq!((would.files, did.files), (6, 6));
    assert_eq!(query(&Store::open(url).await.unwrap(), SUMS).await, before);
    assert_eq!(store.vacuum(Duration::ZERO, false).await.unwrap().files, 0);
}

async fn a_missing_store_is_said_to_be_missing(url: &str) {
    assert!(matches!(Store::open(url).await, Err(StoreError::NotFound { .. })));
    Store::create(url).await.unwrap();
    assert!(Store::open(url).await.unwrap().experiments().await.unwrap().is_empty());
    // Creating again is opening.
    Store::create(url).await.unwrap();
}

async fn a_case_and_its_spans_appear_together(url: &str) {
    let store = Store::create(url).await.unwrap();
    let staged = stage(&store, "e", spans(3, 0.5), WriterOptions::default()).await;
    assert_eq!((staged.experiment.rows, staged.experiment.cases, staged.experiment.spans), (3, 3, 6));
    // Staged files are in the store, and nobody sees them.
    assert!(store.experiments().await.unwrap().is_empty());
    assert_eq!(query(&store, "select count(*) from spans").await, ["0"]);
    store.commit(vec![staged]).await.unwrap();
    assert_eq!(query(&store, "select count(*), avg(scores.f) from cases").await, ["3|0.5"]);
    assert_eq!(query(&store, "select is_root, count(*) from spans group by 1 order by 1").await, ["false|3", "true|3"]);
}

async fn a_second_write_replaces_the_first(url: &str) {
    let store = Store::create(url).await.unwrap();
    put(&store, "e", spans(3, 0.5)).await;
    put(&store, "other", spans(2, 1.0)).await;
    put(&store, "e", spans(5, 0.25)).await;
    let answer = query(&store, "select experiment, count(*), avg(scores.f) from cases group by 1 order by 1").await;
    assert_eq!(answer, ["e|5|0.25", "other|2|1"]);
    let records = store.experiments().await.unwrap();
    assert_eq!(records.iter().map(|e| (e.name.as_str(), e.rows)).collect::<Vec<_>>(), [("e", 5), ("other", 2)]);
}

async fn one_commit_holds_a_whole_batch(url: &str) {
    let store = Store::create(url).await.unwrap();
    let before = store.snapshot().await.unwrap().version();
    let mut batch = Vec::new();
    for i in 0..5 {
        batch.push(stage(&store, &format!("e{i}"), spans(2, 1.0), WriterOptions::default()).await);
    }
    store.commit(batch).await.unwrap();
    assert_eq!(store.snapshot().await.unwrap().version(), before + 1);
    assert_eq!(query(&store, "select count(distinct experiment) from cases").await, ["5"]);
}

async fn appends_at_once_all_succeed(url: &str) {
    // Separate handles, as separate processes have; each adds a score of its own.
    Store::create(url).await.unwrap();
    let writers = (0..8).map(|i| {
        let url = url.to_string();
        tokio::spawn(async move {
            let store = Store::open(&url).await.unwrap();
            let mut rows = spans(2, 1.0);
            rows[1].scores.push((Arc::from(format!("own{i}")), Some(0.5)));
            put(&store, &format!("e{i}"), rows).await;
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let store = Store::open(url).await.unwrap();
    assert_eq!(store.experiments().await.unwrap().len(), 8);
    assert_eq!(query(&store, "select count(*), sum(scores.own7) from cases").await, ["16|0.5"]);
}

async fn a_reader_keeps_its_snapshot(url: &str) {
    use evalhouse_session::{Session, SessionOptions};
    let store = Store::create(url).await.unwrap();
    put(&store, "e", spans(3, 0.5)).await;
    let session = Session::open(store.clone(), SessionOptions::default()).await.unwrap();
    put(&store, "e", spans(7, 0.5)).await;
    let seen = session.sql("select count(*) from cases").await.unwrap().collect().await.unwrap();
    assert_eq!(crate::sql::lines(&seen), ["3"]);
}

async fn a_record_that_was_never_written_is_healed(url: &str) {
    let store = Store::create(url).await.unwrap();
    put(&store, "first", spans(1, 1.0)).await;
    put(&store, "second", spans(4, 1.0)).await;
    // A writer that dies between its two commits leaves files without a record: take the newest
    // commit of the registry away.
    let root = &store.location().root;
    let log = store.location().table_path("registry").join("_delta_log");
    let mut commits: Vec<_> = root.list(Some(&log)).try_collect::<Vec<_>>().await.unwrap();
    commits.sort_by(|a, b| a.location.cmp(&b.location));
    root.delete(&commits.last().unwrap().location).await.unwrap();
    let records = Store::open(url).await.unwrap().experiments().await.unwrap();
    assert_eq!(records.iter().map(|e| (e.id.as_str(), e.rows)).collect::<Vec<_>>(), [("first", 1), ("second", 4)]);
}

async fn a_large_experiment_is_stored_as_a_small_one_is(url: &str) {
    let store = Store::create(url).await.unwrap();
    let mut rows = spans(300, 0.5);
    // Trials: the first hundred cases once more, under other ids.
    for i in 0..100 {
        let mut trial = span(&format!("again{i}"), &format!("again{i}"), None);
        trial.input = rows[2 * i].input.clone();
        trial.position = 600 + i as i64;
        rows.push(trial);
    }
    put(&store, "small", rows.clone()).await;
    // The same rows with a limit that a few of them exceed.
    let options = WriterOptions { memory_limit: 10_000, ..WriterOptions::default() };
    let staged = stage(&store, "large", rows, options).await;
    store.commit(vec![staged]).await.unwrap();
    let columns = "id, root_span_id, comparison_key_hash, trial_index, span_count, input, scores.f, metadata.case";
    let rows_of = |name: &str| format!("select {columns} from cases where experiment = '{name}' order by id");
    let small = query(&store, &rows_of("small")).await;
    assert_eq!(small.len(), 400);
    assert_eq!(small, query(&store, &rows_of("large")).await);
    let records = store.experiments().await.unwrap();
    assert_eq!(records.iter().map(|e| (e.rows, e.cases, e.spans)).collect::<Vec<_>>(), [(400, 300, 700); 2]);
}

async fn traces_that_come_whole_are_stored_as_their_rows_are(url: &str) {
    let store = Store::create(url).await.unwrap();
    let mut traces: Vec<Vec<Span>> = spans(300, 0.5).chunks(2).map(<[Span]>::to_vec).collect();
    for (case, trace) in traces.iter_mut().enumerate() {
        trace.iter_mut().for_each(|span| span.version = 1);
        // A path that has columns of two kinds, and a score that only some spans have.
        trace[1].metadata = Some(if case < 150 { r#"{"of":1}"#.into() } else { r#"{"of":{"a":"b"}}"#.into() });
        if case % 7 == 0 {
            trace[1].scores.push((Arc::from("rare"), Some(1.0)));
        }
    }
    // A scorer's mark is inherited, also in a trace whose rows come in another order.
    traces[3][1].purpose = Some("scorer".into());
    traces[3].push(span("below", "t3", Some("c3")));
    traces[3].reverse();
    // A second attempt at a case, without the child span of the first; and a row that is there twice.
    let mut again = traces[5].clone();
    again.iter_mut().for_each(|span| span.version = 2);
    (again[0].input, again[1].deleted) = (Some("\"again\"".into()), true);
    let twice = traces[8][1].clone();
    traces[8].push(twice);
    traces.push(again);
    let mut positions = 0..;
    traces.iter_mut().flatten().for_each(|span| span.position = positions.next().unwrap());

    let options = WriterOptions { memory_limit: 30_000, keep_going: true };
    let rows: Vec<Span> = traces.iter().flatten().cloned().collect();
    put(&store, "rows", rows).await;
    let experiment =
        Experiment { id: "whole".into(), project: "p".into(), name: "whole".into(), ..Experiment::default() };
    let mut writer = store.writer(experiment, options);
    let staged = tokio::task::spawn_blocking(move || {
        for mut trace in traces {
            let (tombstones, trace): (Vec<Span>, Vec<Span>) = trace.drain(..).partition(|span| span.deleted);
            tombstones.into_iter().try_for_each(|span| writer.push(span)).unwrap();
            writer.push_trace(trace).unwrap();
        }
        writer.finish().unwrap()
    });
    store.commit(vec![staged.await.unwrap()]).await.unwrap();
    assert!(store.snapshot().await.unwrap().files().len() > 4, "the children of `whole` fill several files");
    let cases =
        "id, comparison_key_hash, trial_index, span_count, input, scores.f, scores.rare, metadata.case, metrics.errors";
    let below = "id, root_span_id, position, purpose, scores.f, scores.rare, metadata";
    for (columns, table) in [(cases, "cases"), (below, "spans")] {
        let of = |name: &str| format!("select {columns} from {table} where experiment = '{name}' order by id");
        let rows = query(&store, &of("rows")).await;
        assert!(rows.len() >= 300 && rows.iter().filter(|row| row.contains("again")).count() <= 1, "{rows:?}");
        assert_eq!(rows, query(&store, &of("whole")).await);
    }
    let records = store.experiments().await.unwrap();
    let counts = |at: usize| (records[at].rows, records[at].cases, records[at].spans, records[at].notes.clone());
    assert_eq!(counts(0), counts(1));
    assert_eq!((records[0].rows, records[0].spans), (300, 600));
}

async fn kinds_of_a_path_may_differ_between_experiments(url: &str) {
    let store = Store::create(url).await.unwrap();
    for (id, value) in [("int", "1"), ("float", "1.5"), ("text", "\"x\""), ("mixed", "true")] {
        let mut row = span(id, id, None);
        row.metadata = Some(format!("{{\"v\":{value}}}"));
        put(&store, id, vec![row]).await;
    }
    let answer = query(&store, "select experiment, metadata.v from cases order by experiment").await;
    assert_eq!(answer, ["float|1.5", "int|1", "mixed|true", "text|x"]);
}

#[tokio::test]
async fn a_newer_format_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let url = folder.path().to_str().unwrap();
    Store::create(url).await.unwrap();
    let log = folder.path().join("spans/_delta_log/00000000000000000000.json");
    let text = std::fs::read_to_string(&log).unwrap();
    let own = format!(r#""evalhouse.format":"{}""#, evalhouse_store::FORMAT_VERSION);
    assert!(text.contains(&own), "{text}");
    std::fs::write(&log, text.replace(&own, r#""evalhouse.format":"99""#)).unwrap();
    let error = Store::open(url).await.unwrap_err();
    assert!(matches!(error, StoreError::NewerFormat { found: 99, .. }), "{error}");
    assert!(error.hint().is_some());
}
