//! Comparison keys (semantics, section 4): the pinned test through every way to give a key, and keys
//! that `optimize` has stored.

use evalhouse_model::{AggregateScore, CustomColumn, ProjectSettings, Span};
use evalhouse_session::Session;
use evalhouse_store::{OptimizeOptions, Store};

use super::{compared, open, plans};
use crate::store::{memory_url, put, span};

/// One case a value, which is `input.q` and `metadata.k`.
fn cases(values: &[&str]) -> Vec<Span> {
    let case = |(i, value): (usize, &&str)| Span {
        position: i as i64,
        input: Some(format!("{{\"q\":{value}}}")),
        metadata: Some(format!("{{\"k\":{value}}}")),
        scores: vec![("s".into(), Some(0.5))],
        ..span(&format!("r{i}"), &format!("t{i}"), None)
    };
    values.iter().enumerate().map(case).collect()
}

async fn stored(experiments: &[(&str, &[&str])]) -> Store {
    let store = Store::create(&memory_url()).await.unwrap();
    for (name, values) in experiments {
        put(&store, name, cases(values)).await;
    }
    store
}

async fn change(store: &Store, change: impl Fn(&mut ProjectSettings)) {
    let changed = store.change_settings("p", |settings| {
        change(settings);
        Ok::<(), ()>(())
    });
    changed.await.unwrap().unwrap();
}

fn column(expr: &str) -> CustomColumn {
    CustomColumn { expr: expr.into(), data_type: None }
}

async fn matched(session: &Session, base: &str, candidate: &str, key: Option<&str>) -> i64 {
    compared(session, base, candidate, key).await.counts.matched
}

/// Whether the diff of two experiments reads the stored hash, and nothing that the key is made of.
async fn reads_saved_key(store: &Store, base: &str, candidate: &str) -> bool {
    let session = plans::session(store).await;
    let sql = format!("SELECT avg(delta) FROM diff('{base}', '{candidate}') WHERE name = 's'");
    let columns = plans::read(&plans::planned(&session, &sql).await).columns;
    let reads_key = columns.contains("metadata") || columns.contains("metadata.k");
    assert_eq!(columns.contains("saved_key_hash"), !reads_key, "{columns:?}");
    columns.contains("saved_key_hash")
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_json_values_are_one_case_and_no_others() {
    let objects: (&[&str], &[&str]) =
        (&[r#"{"a":1,"b":2}"#, r#"{"c":[0]}"#], &[r#"{"c":[0.0]}"#, r#"{"b":2.0,"a":1}"#]);
    let numbers: (&[&str], &[&str]) = (&["1", "2", "3"], &["1.0", "2e0", "30e-1"]);
    let texts: (&[&str], &[&str]) = (&["1", "true"], &["\"1\"", "\"true\""]);
    let nulls: (&[&str], &[&str]) = (&["null", "\"x\""], &["null", "\"x\""]);
    // No file has a column for these.
    let mixed: (&[&str], &[&str]) =
        (&["1", "\"1\"", r#"{"a":0}"#, "true"], &["\"1\"", "1.0", r#"{"a":0e5}"#, "\"true\""]);
    let keys = [
        "input.q",
        "metadata.k",
        "[input.q]",
        "[input.q, metadata.k]",
        "[metadata.k, [input.q, input.none]]",
        "coalesce(input.none, metadata.k)",
        "metadata.none is null ? input.q : metadata.k",
        "nullif(input.q, 'none')",
    ];
    for ((base, candidate), expected) in [(objects, 2), (numbers, 3), (texts, 0), (nulls, 1), (mixed, 3)] {
        let session = open(stored(&[("base", base), ("candidate", candidate)]).await).await;
        for key in keys {
            let found = matched(&session, "base", "candidate", Some(key)).await;
            assert_eq!(found, expected, "{key}: {base:?} and {candidate:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_diff_is_the_same_before_and_after_optimize() {
    let numbers: &[&str] = &["1", "2", "3", "4"];
    let store = stored(&[("a1", numbers)]).await;
    change(&store, |settings| settings.comparison_key = Some(" metadata.k ".into())).await;
    let optimize = async || {
        let outcome = open(store.clone()).await.optimize(&OptimizeOptions::default()).await.unwrap();
        assert!(outcome.warnings.is_empty(), "{:?}", outcome.warnings);
    };
    optimize().await;
    // The path is now text as well, and numbers with a fraction.
    put(&store, "texts", cases(&["\"1\"", "\"x\"", "\"3\"", "\"y\""])).await;
    put(&store, "a2", cases(&["1.0", "2.5", "3", "4"])).await;
    let ask = async || {
        let session = open(store.clone()).await;
        let mut found = Vec::new();
        for (base, candidate) in [("a1", "a2"), ("a1", "texts"), ("texts", "a2"), ("a1", "a1")] {
            found.push(matched(&session, base, candidate, None).await);
        }
        found
    };
    assert_eq!(ask().await, [3, 0, 0, 4]);
    assert!(!reads_saved_key(&store, "a1", "a2").await);
    optimize().await;
    assert_eq!(ask().await, [3, 0, 0, 4]);
    for (base, candidate) in [("a1", "a2"), ("a1", "texts")] {
        assert!(reads_saved_key(&store, base, candidate).await, "{base} {candidate}");
    }
    let again = open(store.clone()).await.optimize(&OptimizeOptions::default()).await.unwrap();
    assert_eq!(again.merged, 0, "nothing is left to do");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_key_may_name_a_custom_column_and_follows_its_meaning() {
    let store = stored(&[("base", &["\"Pro\"", "\"free\""]), ("candidate", &["\"PRO\"", "\"Free\""])]).await;
    // Named as the path it is made of is for short.
    change(&store, |settings| {
        settings.comparison_key = Some("k".into());
        settings.columns.insert("k".into(), column("lower(metadata.k)"));
    })
    .await;
    for optimized in [false, true] {
        let session = open(store.clone()).await;
        assert_eq!(matched(&session, "base", "candidate", None).await, 2);
        assert_eq!(reads_saved_key(&store, "base", "candidate").await, optimized);
        let outcome = session.optimize(&OptimizeOptions::default()).await.unwrap();
        assert!(outcome.warnings.is_empty(), "{:?}", outcome.warnings);
    }
    change(&store, |settings| {
        settings.columns.insert("k".into(), column("metadata.k"));
    })
    .await;
    assert_eq!(matched(&open(store.clone()).await, "base", "candidate", None).await, 0);
    assert!(!reads_saved_key(&store, "base", "candidate").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_cannot_be_computed_stops_nothing() {
    let store = stored(&[("a", &["1"]), ("b", &["1"])]).await;
    change(&store, |settings| settings.comparison_key = Some("nothing.here".into())).await;
    let outcome = open(store.clone()).await.optimize(&OptimizeOptions::default()).await.unwrap();
    assert_eq!((outcome.files_after, outcome.keyed), (1, 0));
    let [warning] = outcome.warnings.as_slice() else { panic!("{:?}", outcome.warnings) };
    assert!(warning.contains("`nothing.here`") && warning.contains("there is no column"), "{warning}");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_mean_nothing_are_null_and_can_be_set_right() {
    let store = stored(&[("a", &["1", "2"])]).await;
    let aggregate = |json: &str| serde_json::from_str::<AggregateScore>(json).unwrap();
    change(&store, |settings| {
        settings.aggregate_scores.insert("Foo".into(), aggregate(r#"{"type":"minimum","categories":["Foo","s"]}"#));
        settings.columns.insert("gone".into(), column("metadata.k + nothing.here"));
        settings.columns.insert("round".into(), column("trip + 1"));
        settings.columns.insert("trip".into(), column("round + 1"));
        settings.columns.insert("list".into(), CustomColumn { data_type: Some("number".into()), ..column("tags") });
        settings.columns.insert("double".into(), column("K * 2"));
        settings.columns.insert("twice".into(), column("Double + double"));
        settings.columns.insert("k".into(), column("metadata.k"));
    })
    .await;
    let session = open(store.clone()).await;
    let problems = session.settings_problems("p", &session.settings("p")).unwrap();
    let names = ["aggregate_scores.Foo", "columns.gone", "columns.round", "columns.trip", "columns.list"];
    for name in names {
        assert!(problems.iter().any(|problem| problem.contains(&format!("`{name}`"))), "{name}: {problems:?}");
    }
    assert_eq!(problems.len(), names.len(), "{problems:?}");
    assert!(problems.iter().any(|problem| problem.contains("trip → round → trip")), "{problems:?}");
    let rows = crate::store::query(
        &store,
        "select metadata.k, double, twice, scores.Foo, gone, round, list from cases order by 1",
    );
    assert_eq!(rows.await, ["1|2|4|NULL|NULL|NULL|NULL", "2|4|8|NULL|NULL|NULL|NULL"]);
    compared(&session, "a", "a", None).await;
}
