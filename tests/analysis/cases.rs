//! Tables of cases: what conditions, columns and sort keys may say of the baseline.

use std::collections::BTreeSet;

use evalhouse_analysis::{CasesOptions, DiffOptions, GroupOptions, SummaryOptions, cases, diff, groups, summary};
use evalhouse_model::CaseTable;
use evalhouse_session::Session;
use serde_json::{Value, json};

use super::{bundled_data, case, chosen, imported, logged, open};

fn against(session: &Session, base: &str) -> CasesOptions {
    CasesOptions { against: Some(chosen(session, base)), limit: Some(100_000), ..CasesOptions::default() }
}

async fn listed(session: &Session, options: &CasesOptions) -> CaseTable {
    cases(session, &chosen(session, "prompt-v2"), options).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_on_pairs_may_name_any_field_of_either_side() {
    let session = imported(&bundled_data(), "support-assistant").await;
    let total = async |filter: &str| {
        let options = CasesOptions { filter: Some(filter.to_string()), ..against(&session, "baseline") };
        listed(&session, &options).await.total
    };
    let (fell, refund) = ("regressed(Factuality)", "metadata.category = 'refunds'");
    let (either, both) = (total(&format!("{fell} or {refund}")).await, total(&format!("{fell} and {refund}")).await);
    assert!(both > 0);
    assert_eq!(either + both, total(fell).await + total(refund).await);
    // The field's short name, and the baseline's value of it.
    assert_eq!(total(&format!("{fell} or category = 'refunds'")).await, either);
    // A case that only the candidate has has no baseline to say so.
    let alone = total(&format!("presence() = 'candidate_only' and {refund}")).await;
    assert!(alone > 0);
    assert_eq!(total("baseline(metadata.category) = 'refunds' or regressed(Factuality)").await, either - alone);
    assert_eq!(total("baseline(metadata.category) != metadata.category").await, 0);
    assert!(total("baseline(output) = output").await < total("baseline(input) = input").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_and_sort_keys_may_speak_of_the_baseline() {
    let session = imported(&bundled_data(), "support-assistant").await;
    let columns = ["output", "baseline(output)", "scores.Factuality", "delta(Factuality)"].map(String::from).to_vec();
    let options = CasesOptions {
        columns: Some(columns),
        sort: vec!["delta(Factuality) desc".into()],
        ..against(&session, "baseline")
    };
    let table = listed(&session, &options).await;
    assert!(table.rows.iter().any(|row| row.cells[0].value != row.cells[1].value && !row.cells[1].value.is_null()));
    let deltas: Vec<f64> = table.rows.iter().filter_map(|row| row.cells[3].value.as_f64()).collect();
    assert!(deltas.len() > 400 && deltas.windows(2).all(|pair| pair[0] >= pair[1]));
    for row in &table.rows {
        assert_eq!(row.cells[2].delta, row.cells[3].value.as_f64(), "{}", row.id);
    }
    // By a score that is not shown.
    let options = CasesOptions {
        columns: Some(vec!["delta(Helpfulness)".into()]),
        sort: vec!["regressions:Helpfulness".into()],
        ..against(&session, "baseline")
    };
    let fallen = listed(&session, &options).await;
    let deltas: Vec<f64> = fallen.rows.iter().filter_map(|row| row.cells[0].value.as_f64()).collect();
    assert!(deltas.windows(2).all(|pair| pair[0] <= pair[1]));
    let unknown = CasesOptions { sort: vec!["regressions:Helpfulnes".into()], ..against(&session, "baseline") };
    let error = cases(&session, &chosen(&session, "prompt-v2"), &unknown).await.unwrap_err().to_string();
    assert!(error.contains("there is no score or metric `Helpfulnes`"), "{error}");
    let alone = CasesOptions { sort: vec!["delta(Factuality)".into()], ..CasesOptions::default() };
    let error = cases(&session, &chosen(&session, "prompt-v2"), &alone).await.unwrap_err().to_string();
    assert!(error.contains("--against"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_number_of_trials_can_be_asked_for_anywhere() {
    let session = imported(&bundled_data(), "support-assistant").await;
    let experiment = chosen(&session, "prompt-v2");
    let options = CasesOptions { sort: vec!["group_size() desc".into()], ..CasesOptions::default() };
    assert_eq!(cases(&session, &experiment, &options).await.unwrap().total, experiment.experiment.rows);
    let options = SummaryOptions { filter: Some("group_size() > 1".into()), ..SummaryOptions::default() };
    let twice = summary(&session, &experiment, &options).await.unwrap();
    assert!(twice.rows > 0 && twice.rows <= experiment.experiment.rows);
}

/// Cases with one, two and three trials.
fn trials_of(score: impl Fn(usize) -> f64) -> Vec<Value> {
    let mut rows = Vec::new();
    for case_index in 0..30 {
        for trial in 0..=case_index % 3 {
            let more = json!({
                "input": case_index, "scores": {"s": score(trial)},
                "metadata": {"size": 1 + case_index % 3},
            });
            rows.push(case(&format!("r{case_index:02}-{trial}"), more));
        }
    }
    rows
}

async fn with_trials() -> Session {
    // Sums of sixty-fourths are exact, in whatever order.
    let usual = |trial: usize| (56 - trial) as f64 / 64.0;
    let base = trials_of(usual);
    let next = trials_of(|trial| if trial == 1 { 0.125 } else { usual(trial) });
    open(logged(&[("base", base), ("next", next)]).await).await
}

/// The number of trials means the same in every comparison, on its own, beside and within what speaks of
/// the baseline; trials that a filter leaves out count.
#[tokio::test(flavor = "multi_thread")]
async fn the_number_of_trials_can_be_asked_for_in_comparisons() {
    let session = with_trials().await;
    let (base, next) = (chosen(&session, "base"), chosen(&session, "next"));
    for (filter, same) in [
        ("group_size() > 1", "metadata.size > 1"),
        ("group_size() = 3 and scores.s > 0.5", "metadata.size = 3 and scores.s > 0.5"),
        (
            "group_size() = 2 or regressed(s) and group_size() = 3",
            "metadata.size = 2 or regressed(s) and metadata.size = 3",
        ),
        ("regressed(s) and baseline(group_size()) = 2", "regressed(s) and baseline(metadata.size) = 2"),
    ] {
        let mut counts = Vec::new();
        let mut grouped = Vec::new();
        let mut against = Vec::new();
        for filter in [filter, same] {
            let filter = Some(filter.to_string());
            let options = DiffOptions { filter: filter.clone(), ..DiffOptions::default() };
            let answer = diff(&session, &base, &next, &options).await.unwrap();
            counts.push((answer.counts, answer.base.rows, answer.candidate.rows));
            let by = vec!["metadata.size".into()];
            let options = GroupOptions { by, filter: filter.clone(), ..GroupOptions::default() };
            grouped.push(groups(&session, &[&base, &next], &options).await.unwrap().groups);
            let options = CasesOptions { against: Some(base.clone()), filter, ..CasesOptions::default() };
            against.push(cases(&session, &next, &options).await.unwrap().total);
        }
        assert!(counts[0].0.matched > 0 && counts[0] == counts[1], "{filter}: {counts:?}");
        assert_eq!(grouped[0], grouped[1], "{filter}");
        assert!(against[0] > 0 && against[0] == against[1], "{filter}: {against:?}");
    }
}

/// Against a baseline a row is a trial, and the one that it is held against another.
#[tokio::test(flavor = "multi_thread")]
async fn the_trial_can_be_asked_for_against_a_baseline() {
    let session = with_trials().await;
    let (base, next) = (chosen(&session, "base"), chosen(&session, "next"));
    let total = async |filter: &str, key: Option<&str>| {
        let filter = Some(filter.to_string());
        let key = key.map(String::from);
        let options = CasesOptions { against: Some(base.clone()), filter, key, ..CasesOptions::default() };
        cases(&session, &next, &options).await.unwrap().total
    };
    for key in [None, Some("[input, metadata.size]")] {
        assert_eq!(total("regressed(s) and trial(1)", key).await, 20, "{key:?}");
        assert_eq!(total("regressed(s) or trial(2)", key).await, 30, "{key:?}");
        assert_eq!(total("regressed(s) or trial() = 0", key).await, 50, "{key:?}");
        assert_eq!(total("baseline(trial()) = trial()", key).await, 60, "{key:?}");
    }
    let options = DiffOptions { filter: Some("regressed(s) or trial(1)".into()), ..DiffOptions::default() };
    let error = diff(&session, &base, &next, &options).await.unwrap_err().to_string();
    assert!(error.contains("these rows are no trials"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cases_of_a_diff_are_those_that_it_counts() {
    let session = imported(&bundled_data(), "support-assistant").await;
    let (base, candidate) = (chosen(&session, "baseline"), chosen(&session, "prompt-v2"));
    for filter in ["scores.Factuality < 0.5", "metadata.category = 'refunds' and scores.ValidFormat = 1"] {
        let options = DiffOptions { filter: Some(filter.into()), ..DiffOptions::default() };
        let counts = diff(&session, &base, &candidate, &options).await.unwrap().counts;
        let options = CasesOptions {
            filter: Some(filter.into()),
            columns: Some(vec!["input".into()]),
            filter_base: true,
            ..against(&session, "baseline")
        };
        let table = listed(&session, &options).await;
        let of = |presence: &str| {
            let rows = table.rows.iter().filter(|row| row.presence.as_deref() == Some(presence));
            rows.map(|row| row.cells[0].value.to_string()).collect::<BTreeSet<_>>().len() as i64
        };
        assert_eq!((of("matched"), of("candidate_only")), (counts.matched, counts.candidate_only), "{filter}");
        assert!(counts.candidate_only > 0, "{filter}: the test would show nothing");
    }
}
