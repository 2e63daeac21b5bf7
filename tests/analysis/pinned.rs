//! Small tests that pin sections 6, 8, 11 and 12 of the semantics, through the project's settings.

use evalhouse_analysis::{CasesOptions, DiffOptions, SummaryOptions, cases, diff, summary};
use evalhouse_model::Summary;
use evalhouse_session::Session;
use evalhouse_store::Store;
use serde_json::{Value, json};

use super::recomputed::{python, recompute};
use super::{bundled_data, case, chosen, imported, logged, open, set};

async fn summed(session: &Session, name: &str, filter: Option<&str>) -> Summary {
    let options = SummaryOptions { filter: filter.map(str::to_string), ..SummaryOptions::default() };
    summary(session, &chosen(session, name), &options).await.unwrap()
}

/// Section 8: a filtered summary says what SQL says over the same filter.
#[tokio::test(flavor = "multi_thread")]
async fn a_filtered_summary_equals_sql() {
    let session = imported(&bundled_data(), "support-assistant").await;
    let filter = "metadata.category = 'refunds' and scores.Helpfulness > 0.5";
    let answer = summed(&session, "prompt-v2", Some(filter)).await;
    let from = format!("FROM cases WHERE experiment = 'prompt-v2' AND {filter}");
    let one = async |select: &str| {
        let batches = session.sql(&format!("SELECT {select} {from}")).await.unwrap().collect().await.unwrap();
        crate::sql::lines(&batches).remove(0)
    };
    assert_eq!(one("count(*), count(DISTINCT comparison_key_hash)").await, format!("{}|{}", answer.rows, answer.cases));
    for (name, score) in &answer.scores {
        let column = format!("scores.\"{name}\"");
        assert_eq!(one(&format!("count({column})")).await, score.n.to_string(), "{name}");
        let mean: f64 = one(&format!("avg({column})")).await.parse().unwrap();
        assert!((mean - score.row_mean.unwrap()).abs() < 1e-9, "{name}");
    }
    for (name, metric) in answer.metrics.iter().filter(|(_, metric)| metric.n > 0) {
        let mean: f64 = one(&format!("avg(metrics.\"{name}\")")).await.parse().unwrap();
        assert!((mean - metric.mean.unwrap()).abs() < 1e-9 * mean.abs().max(1.0), "{name}");
    }
}

/// The same, filtered and not, by plain Python from the file.
#[tokio::test(flavor = "multi_thread")]
async fn summaries_and_filtered_diffs_agree_with_python() {
    let Some(python) = python() else { return };
    let session = imported(&bundled_data(), "support-assistant").await;
    let file = |name: &str| bundled_data().join(format!("{name}.jsonl.gz")).to_str().unwrap().to_string();
    let (base, candidate) = (file("baseline"), file("prompt-v2"));
    for filter in [None, Some(("metadata.category=refunds", "metadata.category = 'refunds'"))] {
        let mut arguments = vec!["--summary", candidate.as_str()];
        arguments.extend(filter.iter().flat_map(|(theirs, _)| ["--where", *theirs]));
        let theirs = recompute(&python, &arguments);
        let own = serde_json::to_value(summed(&session, "prompt-v2", filter.map(|(_, ours)| ours)).await).unwrap();
        for name in ["rows", "cases", "null_key", "spans", "errors"] {
            assert_eq!(own[name], theirs[name], "{filter:?}: {name}");
        }
        super::recomputed::assert_same(&own, &with_counts(theirs), &format!("{filter:?}"));
    }
    let theirs = recompute(&python, &[&base, &candidate, "--where", "metadata.category=refunds"]);
    let filter = Some("metadata.category = 'refunds'".to_string());
    let options = DiffOptions { filter, ..DiffOptions::default() };
    let own = diff(&session, &chosen(&session, "baseline"), &chosen(&session, "prompt-v2"), &options).await.unwrap();
    super::recomputed::assert_same(&serde_json::to_value(own).unwrap(), &theirs, "refunds");
}

/// A summary of the reference in the shape of its diffs.
fn with_counts(mut summary: Value) -> Value {
    summary["counts"] = json!({});
    summary
}

async fn scored(rows: &[Value], settings: &[(&str, &str)]) -> Summary {
    let rows = rows.iter().enumerate().map(|(i, scores)| case(&format!("r{i}"), json!({"input": i, "scores": scores})));
    let store = logged(&[("run", rows.collect())]).await;
    set(&store, settings).await;
    let session = open(store).await;
    assert_eq!(session.settings_problems("p", &session.settings("p")).unwrap(), Vec::<String>::new());
    summed(&session, "run", None).await
}

/// Section 11: what a missing component does, and the share of the weight that is there.
#[tokio::test(flavor = "multi_thread")]
async fn an_aggregate_score_follows_its_policy() {
    let rows = [json!({"a": 1.0, "b": null})];
    for (missing, value) in [("renormalise", Some(1.0)), ("null", None), ("zero", Some(0.25))] {
        let definition = json!({"type": "weighted", "categories": {"a": 1, "b": 3}, "missing": missing}).to_string();
        let score = &scored(&rows, &[("aggregate_scores.All", &definition)]).await.scores["All"];
        assert_eq!((score.row_mean, score.coverage), (value, Some(0.25)), "{missing}");
    }
}

/// Section 11: the minimum of each row, then the mean; not the minimum of means.
#[tokio::test(flavor = "multi_thread")]
async fn an_aggregate_score_is_evaluated_by_row() {
    let rows = [json!({"a": 1.0, "b": 0.0}), json!({"a": 0.0, "b": 1.0})];
    let settings = [
        ("aggregate_scores.Least", r#"{"type": "minimum", "categories": ["a", "b"]}"#),
        ("aggregate_scores.Most", r#"{"type": "maximum", "categories": ["a", "b"]}"#),
        ("aggregate_scores.Both", r#"{"type": "weighted", "categories": {"Least": 1, "Most": 3}}"#),
        ("aggregate_scores.Flipped", r#"{"type": "maximum", "categories": ["a"], "flip": ["a"]}"#),
    ];
    let answer = scored(&rows, &settings).await;
    let means = ["Least", "Most", "Both", "Flipped"].map(|name| answer.scores[name].row_mean);
    assert_eq!(means, [Some(0.0), Some(1.0), Some(0.75), Some(0.5)]);
    assert!(answer.scores.values().all(|score| score.coverage.unwrap_or(1.0) == 1.0));
}

/// The coverage of an aggregate that refines a score of its own name is of that score as it was given.
#[tokio::test(flavor = "multi_thread")]
async fn coverage_is_of_the_scores_that_were_given() {
    let rows = [json!({"a": null, "b": 1.0}), json!({"a": 0.5, "b": 1.0})];
    let definition = r#"{"type": "weighted", "categories": {"a": 1, "b": 1}}"#;
    let score = &scored(&rows, &[("aggregate_scores.a", definition)]).await.scores["a"];
    assert_eq!((score.row_mean, score.coverage), (Some(0.875), Some(0.75)));
}

/// A custom column may be made of an aggregate score.
#[tokio::test(flavor = "multi_thread")]
async fn a_custom_column_reads_an_aggregate_score() {
    let row = |i: usize| case(&format!("r{i}"), json!({"input": i, "scores": {"a": i as f64 / 4.0, "b": 0.0}}));
    let store = logged(&[("run", (0..4).map(row).collect())]).await;
    let least = ("aggregate_scores.Most", r#"{"type": "maximum", "categories": ["a", "b"]}"#);
    set(&store, &[least, ("columns.good", "scores.Most >= 50%")]).await;
    let session = open(store).await;
    assert_eq!(summed(&session, "run", Some("good")).await.rows, 2);
}

/// Section 12: a scorer and everything below it changes no metric of the case.
#[tokio::test(flavor = "multi_thread")]
async fn a_scorer_and_its_children_change_no_metric() {
    let span = |id: &str, parent: Option<&str>, kind: &str, more: Value| {
        let mut row = json!({
            "id": id, "span_id": id, "root_span_id": "root", "span_attributes": {"name": id, "type": kind},
            "span_parents": parent.map(|parent| vec![parent]),
        });
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        row
    };
    let metrics = |start: f64, end: f64, prompt: i64| {
        json!({"metrics": {"start": start, "end": end, "prompt_tokens": prompt, "completion_tokens": 5,
            "estimated_cost": 0.01, "time_to_first_token": 0.2}})
    };
    let case = [
        span("root", None, "eval", json!({"input": "q", "metrics": {"start": 0.0, "end": 9.0}})),
        span("task", Some("root"), "task", json!({"metrics": {"start": 0.0, "end": 4.0}})),
        span("llm1", Some("task"), "llm", metrics(0.0, 1.0, 100)),
        span("llm2", Some("task"), "llm", metrics(1.0, 3.0, 50)),
        span("tool", Some("task"), "tool", json!({"error": "no such file", "metrics": {"start": 3.0, "end": 4.0}})),
    ];
    let mut scorer = span("judge", Some("root"), "score", metrics(4.0, 9.0, 1_000));
    scorer["span_attributes"]["purpose"] = json!("scorer");
    scorer["scores"] = json!({"good": 0.5});
    // Spans below a scorer do not say so themselves.
    let mut call = span("judge-llm", Some("judge"), "llm", metrics(4.0, 8.0, 1_000));
    call["error"] = json!("Timeout");
    let below = span("judge-tool", Some("judge-llm"), "tool", json!({"error": "Timeout"}));
    let plain = case.to_vec();
    let judged = case.into_iter().chain([scorer, call, below]).collect();
    let session = open(logged(&[("plain", plain), ("judged", judged)]).await).await;
    let (plain, judged) = (summed(&session, "plain", None).await, summed(&session, "judged", None).await);
    assert_eq!(plain.metrics, judged.metrics);
    assert_eq!(judged.scores["good"].row_mean, Some(0.5));
    let expected = [
        ("duration", 4.0),
        ("llm_duration", 3.0),
        ("prompt_tokens", 150.0),
        ("completion_tokens", 10.0),
        ("tokens", 160.0),
        ("estimated_cost", 0.02),
        ("time_to_first_token", 0.2),
        ("llm_calls", 2.0),
        ("tool_calls", 1.0),
        ("errors", 1.0),
        ("llm_errors", 0.0),
        ("tool_errors", 1.0),
    ];
    for (name, value) in expected {
        let mean = judged.metrics[name].mean.unwrap();
        assert!((mean - value).abs() < 1e-9, "{name}: {mean}, expected {value}");
    }
}

/// Without an order the deepest falls come first: of a score of which less is better, the rises.
#[tokio::test(flavor = "multi_thread")]
async fn the_deepest_fall_is_the_largest_rise_where_less_is_better() {
    let run = |rise: [f64; 3]| -> Vec<Value> {
        let row = |(i, rise): (usize, f64)| case(&format!("r{i}"), json!({"input": i, "scores": {"s": 0.1 + rise}}));
        rise.into_iter().enumerate().map(row).collect()
    };
    let store = logged(&[("base", run([0.0; 3])), ("next", run([0.2, 0.6, 0.4]))]).await;
    set(&store, &[("scores.s.direction", "lower")]).await;
    let session = open(store).await;
    let options = CasesOptions { against: Some(chosen(&session, "base")), ..CasesOptions::default() };
    let table = cases(&session, &chosen(&session, "next"), &options).await.unwrap();
    assert_eq!(table.rows.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["r1", "r2", "r0"]);
}

/// An index past the end is null, however large.
#[tokio::test(flavor = "multi_thread")]
async fn the_largest_index_is_no_overflow() {
    let row = case("r0", json!({"input": 1, "tags": ["a"], "metadata": {"list": [1]}}));
    let session = open(logged(&[("run", vec![row])]).await).await;
    for path in ["tags", "metadata.list", "(tags)"] {
        let filter = format!("{path}[{}] is null", i64::MAX);
        assert_eq!(summed(&session, "run", Some(&filter)).await.rows, 1, "{filter}");
    }
}

/// A store that two projects share: BTQL keeps traces of one id apart.
#[tokio::test(flavor = "multi_thread")]
async fn traces_of_one_id_in_two_experiments_are_two() {
    let row = |day: usize| {
        let created = format!("2026-01-{day:02}T00:00:00Z");
        case("same", json!({"input": day, "created": created}))
    };
    let store: Store = logged(&[("old", vec![row(1)]), ("new", vec![row(2)])]).await;
    let session = open(store).await;
    let text = "select: input, experiment | from: experiment('old', 'new') traces | limit: 1";
    let query = evalhouse_language::parse_query(text).unwrap();
    let batches = session.btql(&query).await.unwrap().collect().await.unwrap();
    let found = crate::sql::lines(&batches);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("2|new"), "{found:?}");
}
