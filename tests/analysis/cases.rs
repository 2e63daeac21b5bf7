//! Tables of cases: what conditions, columns and sort keys may say of the baseline.

use std::collections::BTreeSet;

use evalhouse_analysis::{CasesOptions, DiffOptions, SummaryOptions, cases, diff, summary};
use evalhouse_model::CaseTable;
use evalhouse_session::Session;

use super::{bundled_data, chosen, imported};

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
