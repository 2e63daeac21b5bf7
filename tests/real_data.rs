//! Published figures of real evals, reproduced. The data is not part of the project: the tests skip,
//! with a line that says so, unless `EVALHOUSE_DATA` (or `../shared/data`) holds it.

use std::path::PathBuf;
use std::sync::Arc;

use evalhouse_analysis::{SummaryOptions, summary};
use evalhouse_import::{ImportRequest, NoProgress, import};
use evalhouse_session::Session;
use evalhouse_store::Store;
use serde_json::Value;

use crate::analysis::{chosen, compared, imported, open};
use crate::store::memory_url;

fn data(folder: &str) -> Option<PathBuf> {
    let root = std::env::var_os("EVALHOUSE_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    let path = root.join(folder);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: there is no {folder} in the data folder; set EVALHOUSE_DATA");
    None
}

fn expected(folder: &std::path::Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder.join("expected.json")).unwrap()).unwrap()
}

/// The name under which an experiment of the data is stored: its file's.
fn stored_name(folder: &std::path::Path, name: &str) -> String {
    let list: Value = serde_json::from_str(&std::fs::read_to_string(folder.join("experiments.json")).unwrap()).unwrap();
    let entry = list.as_array().unwrap().iter().find(|entry| entry["experiment"] == name);
    let file = entry.unwrap_or_else(|| panic!("no file of {name}"))["file"].as_str().unwrap();
    file.trim_end_matches(".ndjson.zst").to_string()
}

/// Row means and counts of every experiment and score.
async fn assert_computed(session: &Session, folder: &std::path::Path, expected: &Value) {
    let mut checked = 0;
    for (name, scores) in expected["computed"]["per_experiment"].as_object().unwrap() {
        let name = &stored_name(folder, name);
        let ours = summary(session, &chosen(session, name), &SummaryOptions::default()).await.unwrap();
        for (score, figures) in scores.as_object().unwrap() {
            let Some(mean) = figures["row_mean"].as_f64() else { continue };
            let found = &ours.scores[score];
            assert!((found.row_mean.unwrap() - mean).abs() < 1e-9, "{name} {score}");
            assert_eq!(
                found.n,
                figures["n_rows"].as_i64().unwrap() - figures["n_null"].as_i64().unwrap_or(0),
                "{name} {score}"
            );
            checked += 1;
        }
    }
    assert!(checked > 0);
}

/// Published percentages, to the last printed digit.
async fn assert_leaderboard(folder: &str, project: &str, experiments: usize) {
    let Some(path) = data(folder) else { return };
    let session = imported(&path, project).await;
    assert_eq!(session.experiments().len(), experiments);
    let expected = expected(&path);
    assert_computed(&session, &path, &expected).await;
    let mut published = 0;
    for (name, check) in expected["reproduction"]["checks"].as_object().unwrap() {
        if check["published"] != true {
            continue;
        }
        let name = stored_name(&path, name);
        let ours = summary(&session, &chosen(&session, &name), &SummaryOptions::default()).await.unwrap();
        let mean = |score: &str| ours.scores[score].row_mean.unwrap();
        for (figure, share) in [("Acc", mean("correct")), ("No answer", 1.0 - mean("answered"))] {
            let printed = format!("{:.2}", check[figure]["published"].as_f64().unwrap());
            assert_eq!(format!("{:.2}", 100.0 * share), printed, "{name}: {figure}");
            published += 1;
        }
    }
    assert_eq!(published, 2 * experiments);
    println!("{folder}: {published} published figures reproduced");
}

#[tokio::test(flavor = "multi_thread")]
async fn gsm_leaderboard() {
    assert_leaderboard("zeroeval/gsm", "gsm", 44).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numersense_leaderboard() {
    assert_leaderboard("zeroeval/numersense-v2", "numersense", 12).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gsm_diffs() {
    let Some(path) = data("zeroeval/gsm") else { return };
    let session = imported(&path, "gsm").await;
    for pair in expected(&path)["computed"]["paired_diffs"].as_array().into_iter().flatten() {
        let (Some(base), Some(candidate)) = (pair["base"].as_str(), pair["candidate"].as_str()) else { continue };
        let (base, candidate) = (stored_name(&path, base), stored_name(&path, candidate));
        let ours = compared(&session, &base, &candidate, Some("metadata.case_id")).await;
        let score = &ours.scores[pair["score"].as_str().unwrap()];
        for (name, found) in [
            ("improved", score.improved),
            ("regressed", score.regressed),
            ("tied", score.unchanged),
            ("cases_in_both", ours.counts.matched),
        ] {
            assert_eq!(Some(found), pair[name].as_i64(), "{base} against {candidate}: {name}");
        }
        assert!((score.delta_matched.unwrap() - pair["mean_diff"].as_f64().unwrap()).abs() < 1e-9);
        assert!((score.se.unwrap() - pair["stderr_of_diff"].as_f64().unwrap()).abs() < 1e-9);
    }
}

/// MLE-bench: mean ± standard error over seeds, by the query that a user would type.
#[tokio::test(flavor = "multi_thread")]
async fn mle_bench_medals() {
    let Some(path) = data("mle_bench") else { return };
    let session = imported(&path, "mle").await;
    let expected = expected(&path);
    for (split, figures) in expected["published"]["any_medal"].as_object().unwrap() {
        let filter = if split == "all" { "true".to_string() } else { format!("metadata.split = '{split}'") };
        let sql = format!(
            "select avg(seed) * 100, stddev(seed) / sqrt(count(*)) * 100 from
             (select avg(scores.any_medal) seed from cases where {filter} group by metadata.trial)"
        );
        let batches = session.sql(&sql).await.unwrap().collect().await.unwrap();
        let line = crate::sql::lines(&batches).remove(0);
        let (mean, sem) = line.split_once('|').unwrap();
        let rounded = |text: &str| format!("{:.2}", text.parse::<f64>().unwrap());
        assert_eq!(rounded(mean), format!("{:.2}", figures["mean"].as_f64().unwrap()), "{split}");
        assert_eq!(rounded(sem), format!("{:.2}", figures["sem"].as_f64().unwrap()), "{split}");
    }
}

/// QLoRA: Guanaco 65B reaches 99.3 % of ChatGPT, by the query that a user would type.
#[tokio::test(flavor = "multi_thread")]
async fn qlora_percent_of_chatgpt() {
    let Some(path) = data("qlora_vicuna_ratings") else { return };
    let session = imported(&path, "qlora").await;
    let sql = r#"select avg(percent) from (
        select 100 * sum(scores.rating) / sum(scores.opponent_rating) percent
        from cases where experiment = '65b-guanaco' and scores.rating is not null and scores.opponent_rating is not null
        group by metadata."order")"#;
    let batches = session.sql(sql).await.unwrap().collect().await.unwrap();
    let percent: f64 = crate::sql::lines(&batches)[0].parse().unwrap();
    assert_eq!(format!("{percent:.1}"), "99.3");
}

/// The whole history: a second import of the same folder changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn importing_twice_changes_nothing() {
    let Some(path) = data("autogpt_benchmarks") else { return };
    let store = Store::create(&memory_url()).await.unwrap();
    let request = || ImportRequest {
        paths: vec![path.to_str().unwrap().to_string()],
        project: Some("autogpt".into()),
        ..ImportRequest::default()
    };
    let first = import(&store, request(), Arc::new(NoProgress)).await.unwrap();
    assert_eq!((first.imported.len(), first.failed.len()), (426, 0), "{:?}", first.failed);
    let version = store.snapshot().await.unwrap().version();
    let second = import(&store, request(), Arc::new(NoProgress)).await.unwrap();
    assert_eq!((second.imported.len(), second.unchanged.len()), (0, 426));
    assert_eq!(store.snapshot().await.unwrap().version(), version);
    let session = open(store).await;
    let batches = session
        .sql("select count(*), count(distinct experiment_id) from cases")
        .await
        .unwrap()
        .collect()
        .await
        .unwrap();
    assert_eq!(crate::sql::lines(&batches), ["13020|426"]);
}
