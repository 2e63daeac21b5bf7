//! Which experiment rows become, and what a second import does.

use evalhouse_import::ImportRequest;

use super::{Sandbox, child, lines, root};

fn two_rows(more: &str) -> Vec<u8> {
    lines(&[root("a", more), child("b", "a", more)])
}

fn named(experiment: &str) -> ImportRequest {
    ImportRequest { project: Some("p".into()), experiment: Some(experiment.into()), ..Default::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_import_changes_nothing() {
    let sandbox =
        Sandbox::new(&[("x.jsonl", &two_rows("")), ("y.jsonl", &two_rows(r#","experiment_id":"e-1""#))]).await;
    let first = sandbox.import(&["x.jsonl", "y.jsonl"]).await;
    assert_eq!(first.imported.len(), 2);
    let stored = sandbox.experiments().await;
    let second = sandbox.import(&["x.jsonl", "y.jsonl"]).await;
    assert_eq!((second.imported.len(), second.unchanged.len(), second.failed.len()), (0, 2, 0));
    assert_eq!(second.unchanged[0].spans, 2);
    assert_eq!(sandbox.experiments().await, stored);
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_content_replaces_the_experiment() {
    let sandbox = Sandbox::new(&[("x.jsonl", &two_rows(""))]).await;
    let first = sandbox.import(&["x.jsonl"]).await;
    sandbox.write("x.jsonl", &lines(&[root("a", ""), root("n", ""), root("m", "")]));
    let second = sandbox.import(&["x.jsonl"]).await;
    assert_eq!(second.imported[0].id, first.imported[0].id);
    let stored = sandbox.experiments().await;
    assert_eq!((stored.len(), stored[0].rows, stored[0].spans), (1, 3, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_may_say_what_they_are() {
    let more = r#","experiment_id":"e-1","experiment":"tuned","project":"mine","experiment_record":{"metadata":{"k":1},"tags":["t"],"branch":"main","declared_total":9}"#;
    let sandbox = Sandbox::new(&[("x.jsonl", &two_rows(more))]).await;
    sandbox.import_with(&["x.jsonl"], ImportRequest::default()).await.unwrap();
    let stored = &sandbox.experiments().await[0];
    assert_eq!((&*stored.id, &*stored.name, &*stored.project), ("e-1", "tuned", "mine"));
    assert_eq!(stored.metadata, Some(serde_json::json!({"k": 1})));
    assert_eq!(
        (stored.tags.as_slice(), stored.branch.as_deref(), stored.declared_total),
        (["t".to_string()].as_slice(), Some("main"), Some(9))
    );
    assert_eq!(stored.format, "braintrust");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_may_hold_several_experiments() {
    let with = |id: &str, experiment: &str| root(id, &format!(r#","experiment_id":"{experiment}""#));
    let rows = lines(&[with("a", "e-1"), with("a", "e-2"), root("b", ""), with("c", "e-1")]);
    let sandbox = Sandbox::new(&[("x.jsonl", &rows)]).await;
    let report = sandbox.import(&["x.jsonl"]).await;
    let stored: Vec<(&str, &str, i64)> = report.imported.iter().map(|e| (&*e.id, &*e.experiment, e.rows)).collect();
    assert_eq!(stored, [("e-1", "x-e-1", 2), ("e-2", "x-e-2", 2)]);
    assert_eq!(sandbox.import(&["x.jsonl"]).await.unchanged.len(), 2);

    let report = sandbox.import_with(&["x.jsonl"], named("one")).await.unwrap();
    assert!(
        report.failed[0].reason.starts_with("x.jsonl:2: ") && report.failed[0].reason.contains("[many_experiments]"),
        "{report:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn names_without_ids_tell_experiments_apart() {
    let rows = lines(&[root("a", r#","experiment":"one""#), root("b", r#","experiment":"two""#)]);
    let sandbox = Sandbox::new(&[("x.jsonl", &rows)]).await;
    sandbox.import(&["x.jsonl"]).await;
    let names: Vec<String> = sandbox.experiments().await.into_iter().map(|e| e.name).collect();
    assert_eq!(names, ["one", "two"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_file_of_an_experiment_wins() {
    let rows = two_rows(r#","experiment_id":"e-1""#);
    let larger = lines(&[root("a", r#","experiment_id":"e-1""#), root("b", ""), root("c", "")]);
    let sandbox = Sandbox::new(&[("a.jsonl", &rows), ("b.jsonl", &larger)]).await;
    let report = sandbox.import(&["a.jsonl", "b.jsonl"]).await;
    assert_eq!((report.imported.len(), report.failed.len()), (1, 1));
    assert!(report.failed[0].reason.starts_with("b.jsonl:1: "), "{report:?}");
    assert!(report.failed[0].reason.contains("[duplicate_experiment]"), "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_belongs_to_one_experiment() {
    let with = |experiment: &str| two_rows(&format!(r#","experiment_id":"{experiment}","experiment":"same""#));
    let sandbox = Sandbox::new(&[("a.jsonl", &with("e-1")), ("b.jsonl", &with("e-2"))]).await;
    sandbox.import(&["a.jsonl"]).await;
    let report = sandbox.import(&["b.jsonl"]).await;
    assert!(report.failed[0].reason.contains("[name_taken]"), "{report:?}");
    let report = sandbox.import_with(&["b.jsonl"], named("other")).await.unwrap();
    assert_eq!((report.imported.len(), sandbox.experiments().await.len()), (1, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_experiment_does_not_move_to_another_project() {
    let sandbox = Sandbox::new(&[("a.jsonl", &two_rows(r#","experiment_id":"e-1""#))]).await;
    sandbox.import(&["a.jsonl"]).await;
    let other = ImportRequest { project: Some("q".into()), ..Default::default() };
    let report = sandbox.import_with(&["a.jsonl"], other).await.unwrap();
    assert!(report.failed[0].reason.contains("[experiment_elsewhere]"), "{report:?}");
    assert_eq!(sandbox.experiments().await[0].project, "p");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_file_does_not_hold_up_the_others() {
    let bad = [two_rows("").as_slice(), b"oops\n"].concat();
    let sandbox =
        Sandbox::new(&[("d/a.jsonl", &two_rows("")), ("d/b.jsonl", &bad), ("d/c.jsonl", &two_rows(""))]).await;
    let report = sandbox.import(&["d"]).await;
    let names: Vec<&str> = report.imported.iter().map(|one| one.experiment.as_str()).collect();
    assert_eq!((names, report.failed.len()), (vec!["a", "c"], 1));
    assert!(report.failed[0].reason.starts_with("d/b.jsonl:3: "), "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_rows_are_reported_again_without_keep_going() {
    let bad = [two_rows("").as_slice(), b"oops\n"].concat();
    let sandbox = Sandbox::new(&[("b.jsonl", &bad)]).await;
    let keep_going = ImportRequest { keep_going: true, project: Some("p".into()), ..Default::default() };
    sandbox.import_with(&["b.jsonl"], keep_going.clone()).await.unwrap();
    assert_eq!(sandbox.import_with(&["b.jsonl"], keep_going).await.unwrap().unchanged.len(), 1);
    let report = sandbox.import(&["b.jsonl"]).await;
    assert_eq!((report.failed.len(), sandbox.experiments().await.len()), (1, 1));
}
