//! Every answer that compares experiments says when they should not be compared.

use evalhouse_analysis::{
    CasesOptions, DiffOptions, ExplainOptions, GroupOptions, LeaderboardOptions, Selected, cases, diff, explain,
    groups, leaderboard,
};
use evalhouse_session::Session;
use serde_json::{Value, json};

use super::{case, chosen, logged, open};

/// 40 cases of 8 kinds, each with a span of its scorer.
fn run(record: Value, scorer: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    for i in 0..40 {
        let id = format!("r{i:02}");
        let more = json!({
            "input": i, "scores": {"s": (i % 5) as f64 / 5.0}, "metadata": {"kind": i % 8, "half": i % 2},
            "experiment_record": if i == 0 { record.clone() } else { Value::Null },
        });
        rows.push(case(&id, more));
        rows.push(json!({
            "id": format!("{id}-s"), "span_id": format!("{id}-s"), "root_span_id": id, "span_parents": [id],
            "span_attributes": {"name": "judge", "type": "score", "purpose": "scorer"},
            "metadata": {"scorer_version": scorer},
        }));
    }
    rows
}

async fn session() -> Session {
    let record =
        |version: &str, total: i64| json!({"dataset": "d", "dataset_version": version, "declared_total": total});
    let cut = json!({"dataset": "d", "dataset_version": "1", "declared_total": 40, "status": "partial"});
    let runs = [
        ("base", run(record("1", 40), "v1")),
        ("same", run(record("1", 40), "v1")),
        ("other", run(record("2", 50), "v2")),
        ("cut", run(cut, "v1")),
    ];
    open(logged(&runs).await).await
}

/// What each of the analyses warns of when two experiments are compared.
async fn warnings(session: &Session, base: &str, candidate: &str) -> Vec<(&'static str, Vec<String>)> {
    let (base, candidate) = (chosen(session, base), chosen(session, candidate));
    let why = ExplainOptions { score: "s".into(), ..ExplainOptions::default() };
    let listed = CasesOptions { against: Some(base.clone()), ..CasesOptions::default() };
    let by = GroupOptions { by: vec!["metadata.half".into()], ..GroupOptions::default() };
    vec![
        ("diff", diff(session, &base, &candidate, &DiffOptions::default()).await.unwrap().warnings),
        ("explain", explain(session, &base, &candidate, &why).await.unwrap().warnings),
        ("cases", cases(session, &candidate, &listed).await.unwrap().warnings),
        ("groups", groups(session, &[&base, &candidate], &by).await.unwrap().warnings),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_comparison_warns_alike() {
    let session = session().await;
    for (what, found) in warnings(&session, "base", "same").await {
        assert!(found.is_empty(), "{what}: {found:?}");
    }
    let expected = [
        "the experiments ran on different datasets or dataset versions",
        "the sources declared different totals: 40 and 50",
        "scorer `judge` changed between the experiments (v1 → v2): its scores may not be comparable",
    ];
    for (what, found) in warnings(&session, "base", "other").await {
        assert_eq!(found, expected, "{what}");
    }
    for (what, found) in warnings(&session, "base", "cut").await {
        assert_eq!(found, ["`cut` is partial: its source was cut off, or rows of it were skipped"], "{what}");
    }
}

/// Of several experiments, ranked or in groups, the answer says what sets them apart.
#[tokio::test(flavor = "multi_thread")]
async fn several_experiments_are_told_apart() {
    let session = session().await;
    let all: Vec<Selected> = ["base", "other", "cut"].iter().map(|name| chosen(&session, name)).collect();
    let all: Vec<&Selected> = all.iter().collect();
    let expected = [
        "the experiments ran on 2 different datasets or dataset versions",
        "the sources declared different totals: from 40 to 50",
        "1 experiment is partial: its source was cut off, or rows of it were skipped",
        "scorer `judge` ran in 2 versions: its scores may not be comparable",
    ];
    let ranked = leaderboard(&session, &all, &LeaderboardOptions::default()).await.unwrap();
    assert_eq!(ranked.warnings, expected);
    for pooled in [false, true] {
        let options = GroupOptions { by: vec!["metadata.half".into()], pooled, ..GroupOptions::default() };
        assert_eq!(groups(&session, &all, &options).await.unwrap().warnings, expected, "pooled: {pooled}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn few_clusters_of_a_group_are_told() {
    let session = session().await;
    let sides = [chosen(&session, "base"), chosen(&session, "same")];
    let clustered = |cluster: &str| GroupOptions {
        by: vec!["metadata.kind = 0 or metadata.kind = 1 ? 'few' : 'many'".into()],
        cluster: Some(cluster.into()),
        ..GroupOptions::default()
    };
    let grouped = groups(&session, &[&sides[0], &sides[1]], &clustered("input")).await.unwrap();
    let expected =
        "1 of 2 groups have fewer than 30 clusters (10 at the fewest): their clustered intervals are unreliable";
    assert_eq!(grouped.warnings, [expected]);
    let one = [&sides[0]];
    assert!(groups(&session, &one, &clustered("input")).await.unwrap().warnings.is_empty());
}
