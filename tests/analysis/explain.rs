//! Explanations: every slice is a condition that keeps it.

use evalhouse_analysis::{DiffOptions, ExplainOptions, diff, explain};
use evalhouse_model::Explanation;
use evalhouse_session::Session;
use serde_json::{Value, json};

use super::{case, chosen, logged, open};

/// 120 cases; those with `a` fall. `n` is stored as numbers, with a list among them in one experiment.
fn run(fall: f64, list: bool) -> Vec<Value> {
    let row = |i: usize| {
        let (a, b) = (i.is_multiple_of(4), i.is_multiple_of(6));
        let n = if list && i % 3 == 2 { json!([i % 2]) } else { json!((i % 3) as f64 / 2.0 + 0.5) };
        let score = 0.8 + (i % 7) as f64 / 100.0 - if a { fall } else { 0.0 };
        let metadata = json!({"a": a, "b": b, "n": n, "o'clock": format!("it's {}", i % 3), "each": i});
        let tags = if b { vec!["b", "two words"] } else { vec!["all"] };
        case(&format!("r{i:03}"), json!({"input": i, "scores": {"s": score}, "metadata": metadata, "tags": tags}))
    };
    (0..120).map(row).collect()
}

async fn explained(session: &Session, by: &[&str]) -> Explanation {
    let options = ExplainOptions {
        score: "s".into(),
        by: Some(by.iter().map(|text| text.to_string()).collect()),
        limit: Some(100),
        ..ExplainOptions::default()
    };
    explain(session, &chosen(session, "base"), &chosen(session, "next"), &options).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_slice_is_a_condition_that_keeps_it() {
    let session = open(logged(&[("base", run(0.0, true)), ("next", run(0.3, true))]).await).await;
    let fields = [
        "metadata.a or metadata.b",
        "metadata.n",
        "metadata.\"o'clock\"",
        "len(metadata.\"o'clock\") + metadata.a",
        "metadata.each % 4 = 0",
        "metadata.each % 3",
        "tags",
        "metadata.a ? 'x or y' : null",
    ];
    let answer = explained(&session, &fields).await;
    assert!(answer.slices.len() > 10, "{answer:#?}");
    for slice in &answer.slices {
        let options = DiffOptions { filter: Some(slice.filter.clone()), ..DiffOptions::default() };
        let kept = diff(&session, &chosen(&session, "base"), &chosen(&session, "next"), &options).await;
        let kept = kept.unwrap_or_else(|error| panic!("{}: {error}", slice.filter));
        assert_eq!(kept.scores["s"].n, slice.n, "{}", slice.filter);
        assert!((kept.scores["s"].delta_matched.unwrap() - slice.delta.unwrap()).abs() < 1e-9, "{}", slice.filter);
    }
    let filters: Vec<&str> = answer.slices.iter().map(|slice| slice.filter.as_str()).collect();
    assert!(filters.contains(&"metadata.a or metadata.b"), "{filters:?}");
}

/// A field that tells cases apart has no slice worth a test.
#[tokio::test(flavor = "multi_thread")]
async fn slices_of_few_cases_are_not_searched() {
    let session = open(logged(&[("base", run(0.0, false)), ("next", run(0.3, false))]).await).await;
    assert_eq!(explained(&session, &["input"]).await.searched, 0);
    assert_eq!(explained(&session, &["input", "metadata.n"]).await.searched, 3);
}
