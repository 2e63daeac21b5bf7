//! Groups: what a group is, and that conditions, clusters and orders mean there what they mean in a
//! diff.

use evalhouse_analysis::{DiffOptions, GroupOptions, Selected, diff, groups};
use evalhouse_model::{Diff, GroupScore, Groups};
use evalhouse_session::Session;
use serde_json::{Value, json};

use super::{bundled_data, case, chosen, imported, logged, open};

fn by(expression: &str) -> GroupOptions {
    GroupOptions { by: vec![expression.into()], limit: Some(1_000), ..GroupOptions::default() }
}

async fn grouped(session: &Session, names: &[&str], options: &GroupOptions) -> Groups {
    let sides: Vec<Selected> = names.iter().map(|name| chosen(session, name)).collect();
    groups(session, &sides.iter().collect::<Vec<_>>(), options).await.unwrap()
}

async fn filtered(session: &Session, base: &str, candidate: &str, filter: &str) -> Diff {
    let options = DiffOptions { filter: Some(filter.into()), ..DiffOptions::default() };
    diff(session, &chosen(session, base), &chosen(session, candidate), &options).await.unwrap()
}

fn rows(answer: &Groups, member: usize) -> i64 {
    answer.groups.iter().map(|group| group.experiments[member].rows).sum()
}

fn cases(answer: &Groups, member: usize) -> i64 {
    answer.groups.iter().map(|group| group.experiments[member].cases).sum()
}

fn scores<'a>(answer: &'a Groups, member: usize, name: &'a str) -> impl Iterator<Item = &'a GroupScore> {
    answer.groups.iter().filter_map(move |group| group.experiments[member].scores.get(name))
}

/// The mean over all rows, from the means of the groups.
fn mean(answer: &Groups, member: usize, name: &str) -> f64 {
    let (sum, n) = scores(answer, member, name)
        .fold((0.0, 0), |(sum, n), score| (sum + score.value.unwrap_or(0.0) * score.n as f64, n + score.n));
    sum / n as f64
}

/// Under a condition on pairs the rows, cases, means and counts of all groups are those of the diff.
#[tokio::test(flavor = "multi_thread")]
async fn a_condition_on_pairs_keeps_what_a_diff_keeps() {
    let session = imported(&bundled_data(), "support-assistant").await;
    for filter in [
        "regressed(Factuality)",
        "metadata.tier = 'enterprise' and not improved(Factuality)",
        "delta(Helpfulness) > 0.05",
    ] {
        let options = GroupOptions { filter: Some(filter.into()), ..by("metadata.category") };
        let answer = grouped(&session, &["baseline", "prompt-v2"], &options).await;
        let diff = filtered(&session, "baseline", "prompt-v2", filter).await;
        assert_eq!((rows(&answer, 0), rows(&answer, 1)), (diff.base.rows, diff.candidate.rows), "{filter}");
        assert_eq!((cases(&answer, 0), cases(&answer, 1)), (diff.base.cases, diff.candidate.cases), "{filter}");
        for (name, score) in &diff.scores {
            let over = |count: fn(&GroupScore) -> Option<i64>| scores(&answer, 1, name).filter_map(count).sum::<i64>();
            assert_eq!(over(|score| score.improved), score.improved, "{filter}: {name}");
            assert_eq!(over(|score| score.regressed), score.regressed, "{filter}: {name}");
            assert_eq!(over(|score| score.unchanged), score.unchanged, "{filter}: {name}");
            assert!((mean(&answer, 0, name) - score.base.unwrap()).abs() < 1e-9, "{filter}: {name}");
            assert!((mean(&answer, 1, name) - score.candidate.unwrap()).abs() < 1e-9, "{filter}: {name}");
        }
    }
}

/// Each candidate keeps the rows of its own pairs; the base keeps those of either.
#[tokio::test(flavor = "multi_thread")]
async fn several_candidates_keep_their_own_pairs() {
    let session = imported(&bundled_data(), "support-assistant").await;
    let filter = "regressed(Factuality)";
    let options = GroupOptions { filter: Some(filter.into()), ..by("metadata.category") };
    let all = grouped(&session, &["baseline", "prompt-v2", "prompt-v3"], &options).await;
    let mut most = 0;
    for (member, candidate) in [(1, "prompt-v2"), (2, "prompt-v3")] {
        let diff = filtered(&session, "baseline", candidate, filter).await;
        assert_eq!(rows(&all, member), diff.candidate.rows, "{candidate}");
        most = most.max(diff.base.rows);
    }
    let first = filtered(&session, "baseline", "prompt-v2", filter).await.base.rows;
    let second = filtered(&session, "baseline", "prompt-v3", filter).await.base.rows;
    assert!((most..=first + second).contains(&rows(&all, 0)), "{} of {first} and {second}", rows(&all, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_on_pairs_needs_a_baseline() {
    let session = imported(&bundled_data(), "support-assistant").await;
    let one = chosen(&session, "prompt-v2");
    for (filter, pooled) in
        [("regressed(Factuality)", false), ("regressed(NoSuchScore)", false), ("delta(Factuality) < 0", true)]
    {
        let options = GroupOptions { filter: Some(filter.into()), pooled, ..by("metadata.category") };
        let error = groups(&session, &[&one], &options).await.unwrap_err().to_string();
        assert!(error.contains("baseline") || error.contains("--against"), "{filter}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_widens_the_intervals_as_in_a_diff() {
    let session = imported(&bundled_data(), "support-assistant").await;
    let cluster = Some("metadata.category".to_string());
    let options = GroupOptions { cluster: cluster.clone(), ..by("1") };
    let answer = grouped(&session, &["baseline", "prompt-v2"], &options).await;
    let options = DiffOptions { cluster, ..DiffOptions::default() };
    let diff = diff(&session, &chosen(&session, "baseline"), &chosen(&session, "prompt-v2"), &options).await.unwrap();
    let plain = grouped(&session, &["baseline", "prompt-v2"], &by("1")).await;
    for (name, score) in &diff.scores {
        let own = scores(&answer, 1, name).next().unwrap();
        assert!((own.ci_low.unwrap() - score.ci_low.unwrap()).abs() < 1e-9, "{name}");
        assert!((own.ci_high.unwrap() - score.ci_high.unwrap()).abs() < 1e-9, "{name}");
        assert_ne!(own.ci_low, scores(&plain, 1, name).next().unwrap().ci_low, "{name}");
    }
}

fn logged_values(values: &[Value]) -> Vec<Value> {
    let row = |(i, value): (usize, &Value)| {
        case(&format!("r{i:03}"), json!({"input": i, "scores": {"s": 0.5}, "metadata": {"n": value}}))
    };
    values.iter().enumerate().map(row).collect()
}

/// A group is a value as JSON spells it: `1` under a path of doubles is no `1.0`, and what is no number
/// under a path of numbers is a group of its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_what_json_says() {
    let values = [json!(1), json!(2.5), json!(10), json!([1]), json!(true), Value::Null, json!(1)];
    let store = logged(&[("numbers", logged_values(&[json!(1), json!(2.5)])), ("mixed", logged_values(&values))]).await;
    let session = open(store).await;
    let answer = grouped(&session, &["mixed"], &by("metadata.n")).await;
    let found: Vec<(&Value, i64)> =
        answer.groups.iter().map(|group| (&group.values[0], group.experiments[0].rows)).collect();
    let texts = ["[1]", "true", "1", "2.5", "10"].map(|text| json!(text));
    let expected = texts.iter().zip([1, 1, 2, 1, 1]).chain([(&Value::Null, 1)]).collect::<Vec<_>>();
    assert_eq!(found, expected);
    // What a group shows is a condition that keeps it.
    for (value, count) in found.iter().filter_map(|(value, count)| Some((value.as_str()?, *count))) {
        let options = GroupOptions { filter: Some(format!("metadata.n = '{value}'")), ..by("1") };
        assert_eq!(rows(&grouped(&session, &["mixed"], &options).await, 0), count, "{value}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_are_ordered_and_cut_off_and_totals_are_of_all() {
    let category =
        |i: usize, moved: bool| if moved && i.is_multiple_of(5) { "m".to_string() } else { format!("{}", i % 12) };
    let run = |moved: bool, fall: f64| -> Vec<Value> {
        let row = |i: usize| {
            let score = if i % 12 == 7 { 1.0 - fall } else { 1.0 };
            let fields = json!({"input": i, "scores": {"s": score}, "metadata": {"c": category(i, moved)}});
            case(&format!("r{i:03}"), fields)
        };
        (0..60).map(row).collect()
    };
    let session = open(logged(&[("base", run(false, 0.0)), ("next", run(true, 0.5))]).await).await;
    let cut = GroupOptions { limit: Some(3), ..by("metadata.c") };
    let answer = grouped(&session, &["base", "next"], &cut).await;
    // Text before numbers, numbers as numbers.
    let values: Vec<&str> = answer.groups.iter().map(|group| group.values[0].as_str().unwrap()).collect();
    assert_eq!(values, ["m", "0", "1"]);
    assert_eq!(answer.moved, 12);
    assert!(answer.warnings.iter().any(|warning| warning.contains("3 of 13 groups")), "{:?}", answer.warnings);
    let all = grouped(&session, &["base", "next"], &by("metadata.c")).await;
    assert_eq!((all.groups.len(), all.moved), (13, 12));
    let sort = Some("regressions:s".to_string());
    let worst = grouped(&session, &["base", "next"], &GroupOptions { sort, ..cut.clone() }).await;
    assert_eq!(worst.groups[0].values[0], "7");
    assert_eq!(worst.groups[0].experiments[1].scores["s"].regressed, Some(5));
    let most = grouped(&session, &["next"], &GroupOptions { sort: Some("rows".into()), ..cut }).await;
    assert_eq!((most.groups.len(), most.groups[0].values[0].as_str()), (3, Some("m")));
}
