//! Whole analyses against scipy and statsmodels: `tests/fixtures/analyses.json`, made by
//! `tests/reference/analyses.py`. That the fixtures are what the programs say is checked here too,
//! where Python has what they need.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use evalhouse_analysis::{
    ExplainOptions, HistoryOptions, LeaderboardOptions, Selected, TrialOptions, explain, history, leaderboard, trials,
};
use evalhouse_session::Session;
use evalhouse_store::Store;
use serde_json::Value;

use super::{chosen, open};
use crate::store::{memory_url, put, span};

const FIXTURE: &str = include_str!("../fixtures/analyses.json");
const SCORES: [&str; 2] = ["quality", "pass"];

fn near(found: Option<f64>, expected: &Value, what: &str) {
    match (found, expected.as_f64()) {
        (None, None) => {}
        (Some(a), Some(b)) if (a - b).abs() <= 1e-9 * b.abs().max(1e-3) => {}
        _ => panic!("{what}: {found:?}, expected {expected}"),
    }
}

/// The fixture, and a session over its experiments.
async fn logged() -> (Value, Session) {
    let fixture: Value = serde_json::from_str(FIXTURE).unwrap();
    let store = Store::create(&memory_url()).await.unwrap();
    for (name, rows) in fixture["experiments"].as_object().unwrap() {
        let row = |(i, row): (usize, &Value)| {
            let id = format!("{name}{i}");
            let mut root = span(&id, &id, None);
            root.input = Some(row[0].to_string());
            root.metadata = Some(format!(r#"{{"g": {}, "h": {}}}"#, row[1], row[2]));
            root.scores = SCORES.iter().zip([3, 4]).map(|(score, at)| (Arc::from(*score), row[at].as_f64())).collect();
            root.position = i as i64;
            root
        };
        put(&store, name, rows.as_array().unwrap().iter().enumerate().map(row).collect()).await;
    }
    (fixture, open(store).await)
}

#[tokio::test]
async fn trials_within_and_between_cases() {
    let (fixture, session) = logged().await;
    let report = trials(&session, &chosen(&session, "a"), &TrialOptions::default()).await.unwrap();
    for score in SCORES {
        let (found, expected) = (&report.scores[score], &fixture["trials"][score]);
        near(found.row_mean, &expected["row_mean"], "row mean");
        near(found.case_mean, &expected["case_mean"], "case mean");
        near(found.within_sd, &expected["within_sd"], "within");
        near(found.between_sd, &expected["between_sd"], "between");
        assert_eq!(Some(found.flaky), expected["flaky"].as_i64());
        for (rate, expected) in found.pass.iter().zip(expected["pass"].as_array().unwrap()) {
            let what = |part: &str| format!("{score}, k {}: {part}", rate.k);
            assert_eq!(Some(rate.k), expected["k"].as_i64());
            near(rate.at_least_one, &expected["at_least_one"], &what("at least one"));
            near(rate.at_least_one_low, &expected["at_least_one_low"], &what("at least one, low"));
            near(rate.at_least_one_high, &expected["at_least_one_high"], &what("at least one, high"));
            near(rate.all, &expected["all"], &what("all"));
            near(rate.all_low, &expected["all_low"], &what("all, low"));
            near(rate.all_high, &expected["all_high"], &what("all, high"));
        }
    }
}

#[tokio::test]
async fn steps_of_a_history() {
    let (fixture, session) = logged().await;
    let answer = history(&session, "p", &HistoryOptions::default()).await.unwrap();
    for score in SCORES {
        let expected = fixture["history"][score].as_array().unwrap();
        assert_eq!(answer.scores[score].points.len(), expected.len());
        for (point, expected) in answer.scores[score].points.iter().zip(expected) {
            let what = format!("{score} of {}", point.experiment);
            assert_eq!(Some(point.n), expected["n"].as_i64(), "{what}");
            near(point.mean, &expected["mean"], &what);
            near(point.step_p, &expected["step_p"], &what);
        }
    }
}

#[tokio::test]
async fn ranks_of_experiments() {
    let (fixture, session) = logged().await;
    let all: Vec<Selected> = ["a", "b", "c", "d", "e"].map(|name| chosen(&session, name)).into();
    for score in SCORES {
        let options = LeaderboardOptions { score: Some(score.into()), ..LeaderboardOptions::default() };
        let answer = leaderboard(&session, &all.iter().collect::<Vec<_>>(), &options).await.unwrap();
        for row in answer.rows {
            assert_eq!(Some(row.rank), fixture["ranks"][score][&row.experiment].as_i64(), "{score} {}", row.experiment);
        }
    }
}

#[tokio::test]
async fn slices_that_explain_a_change() {
    let (fixture, session) = logged().await;
    let options = ExplainOptions {
        score: "quality".into(),
        by: Some(vec!["metadata.g".into(), "metadata.h".into()]),
        ..ExplainOptions::default()
    };
    let answer = explain(&session, &chosen(&session, "a"), &chosen(&session, "b"), &options).await.unwrap();
    let expected = fixture["slices"].as_array().unwrap();
    assert_eq!(answer.searched, expected.len() as i64);
    // Those that fell further than all cases together (by the fixture's deltas), a pair only where it
    // carries more than each of its values.
    let listed: Vec<&str> = answer.slices.iter().map(|slice| slice.filter.as_str()).collect();
    assert_eq!(listed, ["metadata.g = 'x'", "metadata.h = 'v'"]);
    for slice in &answer.slices {
        let is_same = |known: &&Value| (known["delta"].as_f64().unwrap() - slice.delta.unwrap()).abs() < 1e-9;
        let known = expected.iter().find(is_same).unwrap_or_else(|| panic!("{slice:?}"));
        assert_eq!(Some(slice.n), known["n"].as_i64(), "{}", slice.filter);
        near(slice.p, &known["p"], &slice.filter);
        near(slice.p_adjusted, &known["p_adjusted"], &slice.filter);
    }
}

#[test]
fn the_fixtures_are_what_the_reference_programs_say() {
    let python = std::env::var("EVALHOUSE_PYTHON").unwrap_or_else(|_| "python3".into());
    let has_packages = Command::new(&python).args(["-c", "import sklearn, statsmodels"]).output();
    if !has_packages.is_ok_and(|output| output.status.success()) {
        println!("skipped: `{python}` lacks scikit-learn or statsmodels; `make test` installs them");
        return;
    }
    for program in ["statistics.py", "analyses.py"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference").join(program);
        let output = Command::new(&python).arg(path).arg("--check").output().unwrap();
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
