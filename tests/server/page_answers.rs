//! What the page asks of the server beyond the command line's answers: pages of rows, what is listed as a
//! file, the baseline, settings that are changed, keys that are tried, scorers that run.

use std::time::Duration;

use evalhouse_server::{Role, ServerOptions};
use evalhouse_store::Store;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::tempdir;

use super::{Answer, Running, import, key, local};

async fn send(server: &Running, method: Method, path: &str, body: &Value) -> Answer {
    Answer::of(server.request(method, path).json(body)).await
}

/// A server over a store of its own, for tests that change it.
async fn own() -> (Running, tempfile::TempDir) {
    let folder = tempdir().unwrap();
    let store = import(folder.path(), "p").await;
    (Running::over(store, local()).await, folder)
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_cases_are_the_whole_in_parts() {
    let server = Running::with_bundled_data().await;
    for path in [
        "/api/v1/experiments/prompt-v2/cases?against=baseline&limit=",
        "/api/v1/experiments/prompt-v2/cases?against=baseline&sort=metadata.tier&limit=",
        "/api/v1/experiments/prompt-v2/cases?sort=trial_index&limit=",
    ] {
        let whole = server.get(&format!("{path}1000")).await.ok();
        let total = usize::try_from(whole["total"].as_i64().unwrap()).unwrap();
        let mut parts = Vec::new();
        for offset in (0..total).step_by(200) {
            let page = server.get(&format!("{path}200&offset={offset}")).await.ok();
            assert_eq!(page["total"], whole["total"]);
            parts.extend(page["rows"].as_array().unwrap().clone());
        }
        assert_eq!(&parts, whole["rows"].as_array().unwrap(), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn long_values_are_cut_where_a_preview_is_asked_for() {
    let server = Running::with_bundled_data().await;
    let path = "/api/v1/experiments/prompt-v2/cases?columns=input,output.answer,scores.Factuality&limit=5";
    let whole = server.get(path).await.ok();
    let cut = server.get(&format!("{path}&preview=20")).await.ok();
    for (whole, cut) in whole["rows"].as_array().unwrap().iter().zip(cut["rows"].as_array().unwrap()) {
        let text = |row: &Value, at: usize| row["cells"][at]["value"].as_str().map(str::to_string);
        let start: String = whole["cells"][0]["value"].to_string().chars().take(20).collect();
        assert_eq!(text(cut, 0).unwrap(), format!("{start}…"));
        let start: String = text(whole, 1).unwrap().chars().take(20).collect();
        assert_eq!(text(cut, 1).unwrap(), format!("{start}…"));
        assert_eq!(whole["cells"][2], cut["cells"][2]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_is_held_against_the_next_trials_round_and_round() {
    let server = Running::with_bundled_data().await;
    let path = "/api/v1/experiments/prompt-v3/cases?against=baseline&columns=scores.Factuality&limit=1000";
    let of = async |shift: usize| server.get(&format!("{path}&shift={shift}")).await.ok();
    let (none, one, two) = (server.get(path).await.ok(), of(1).await, of(2).await);
    let bases = |table: &Value| -> std::collections::BTreeMap<String, Value> {
        let rows = table["rows"].as_array().unwrap().iter();
        rows.map(|row| (row["id"].as_str().unwrap().to_string(), row["cells"][0]["base"].clone())).collect()
    };
    assert_eq!(bases(&none), bases(&two), "every case of the baseline has two trials");
    assert_ne!(bases(&none), bases(&one));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lineup_names_the_row_that_the_list_of_cases_is_held_against() {
    let server = Running::with_bundled_data().await;
    for given in ["", "&shift=1", "&align=closest", "&align=worst", "&key=input.question", "&key=metadata.category"] {
        let path = format!("/api/v1/experiments/prompt-v3/cases?against=baseline{given}");
        let listed = server.get(&format!("{path}&columns=input&limit=1000")).await.ok();
        let held: Vec<&Value> =
            listed["rows"].as_array().unwrap().iter().filter(|row| row["presence"] == "matched").collect();
        assert!(held.iter().any(|row| row["base_id"].is_string()), "{given}");
        for row in held.iter().step_by(17) {
            let id = row["id"].as_str().unwrap();
            let path = format!("/api/v1/experiments/prompt-v3/traces/{id}/lineup?against=baseline{given}");
            let lineup = server.get(&path).await.ok();
            assert_eq!(lineup["against"]["matched"], row["base_id"], "{path}");
            assert_eq!(lineup["trial"], row["trial"], "{path}");
            let named = |of: &Value| -> Vec<Value> {
                let trials = of["trials"].as_array().unwrap();
                let numbers: Vec<i64> = trials.iter().map(|trial| trial["trial"].as_i64().unwrap()).collect();
                assert_eq!(numbers, (0..i64::try_from(trials.len()).unwrap()).collect::<Vec<_>>(), "{path}");
                trials.iter().map(|trial| trial["id"].clone()).collect()
            };
            assert!(named(&lineup).contains(&row["id"]));
            let theirs = named(&lineup["against"]);
            assert!(row["base_id"].is_null() || theirs.contains(&row["base_id"]), "{path}");
        }
    }
    let alone = server.get("/api/v1/experiments/prompt-v3/traces/%231/lineup").await.ok();
    assert!(alone["against"].is_null());
    server.get("/api/v1/experiments/prompt-v3/traces/nope/lineup").await.refused(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_does_not_change_which_trials_are_held_against_each_other() {
    let server = Running::with_bundled_data().await;
    let path = "/api/v1/experiments/prompt-v3/cases?against=baseline&key=input.question&columns=scores.Factuality";
    let all = server.get(&format!("{path}&limit=1000")).await.ok();
    let kept = server.get(&format!("{path}&limit=1000&where=trial()%20%3D%201")).await.ok();
    let second: Vec<&Value> = all["rows"].as_array().unwrap().iter().filter(|row| row["trial"] == 1).collect();
    assert!(!second.is_empty());
    let kept = kept["rows"].as_array().unwrap();
    assert_eq!(second.len(), kept.len());
    for row in second {
        assert!(kept.contains(row), "{row}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_listed_is_written_whole() {
    let server = Running::with_bundled_data().await;
    let view = "against=baseline&where=scores.Factuality%20%3C%2050%25&columns=input,scores.Factuality";
    let table = server.get(&format!("/api/v1/experiments/prompt-v2/cases?{view}")).await.ok();
    let rows = server.get(&format!("/api/v1/experiments/prompt-v2/export?rows=listed&format=json&{view}")).await.ok();
    let (rows, listed) = (rows.as_array().unwrap(), table["rows"].as_array().unwrap());
    assert_eq!(rows.len(), listed.len());
    for (row, listed) in rows.iter().zip(listed) {
        let score = &listed["cells"][1];
        assert_eq!(row["id"], listed["id"]);
        assert_eq!(row["input"], listed["cells"][0]["value"]);
        assert_eq!(row["scores.Factuality"], score["value"]);
        assert_eq!(row.get("scores.Factuality.baseline"), score.get("base"));
        assert_eq!(row.get("scores.Factuality.delta"), score.get("delta"));
        assert_eq!(row.get("scores.Factuality.class"), score.get("class"));
    }
    let parquet = format!("/api/v1/experiments/prompt-v2/export?rows=listed&format=parquet&{view}");
    assert!(server.get(&parquet).await.bytes.starts_with(b"PAR1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_baseline_is_named_with_its_rule_or_is_none() {
    let server = Running::with_bundled_data().await;
    let found = server.get("/api/v1/experiments/prompt-v2/baseline").await.ok();
    assert_eq!(found["baseline"]["experiment"], "baseline");
    assert!(found["baseline"]["rule"].is_string(), "{found}");
    let of_itself = server.get("/api/v1/experiments/baseline/baseline").await.ok();
    assert_ne!(of_itself["baseline"]["experiment"], "baseline");
    let alone = Running::over(Store::create(&crate::store::memory_url()).await.unwrap(), local()).await;
    let only = json!({"project_name": "p", "experiment_name": "only"});
    send(&alone, Method::POST, "/api/experiment/register", &only).await.ok();
    let none = alone.get("/api/v1/experiments/only/baseline").await.ok();
    assert!(none["baseline"].is_null(), "{none}");
    server.get("/api/v1/experiments/nope/baseline").await.refused(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_changed_all_or_none() {
    let (server, _folder) = own().await;
    let path = "/api/v1/projects/p/settings";
    let set = json!({"set": {"columns.tier": "metadata.tier", "scores.Factuality.tolerance": "0.01",
        "views.pro": "where=metadata.tier%20%3D%20'pro'"}});
    let changed = send(&server, Method::PATCH, path, &set).await.ok();
    assert_eq!(changed["settings"]["columns"]["tier"]["expr"], "metadata.tier");
    assert_eq!(changed, server.get(path).await.ok());

    let half = json!({"set": {"reducer": "median", "columns.broken": "metadata.tier +"}});
    let message = send(&server, Method::PATCH, path, &half).await.refused(400);
    assert!(message.contains("columns.broken"), "{message}");
    let unknown = json!({"set": {"baseline.experiment": "nope"}});
    let message = send(&server, Method::PATCH, path, &unknown).await.refused(400);
    assert!(message.contains("no experiment `nope`"), "{message}");
    assert_eq!(changed, server.get(path).await.ok());

    let back = json!({"unset": ["columns.tier", "scores.Factuality.tolerance", "views.pro"]});
    let back = send(&server, Method::PATCH, path, &back).await.ok();
    assert_eq!(back["settings"]["columns"], Value::Null);
    send(&server, Method::PATCH, "/api/v1/projects/nope/settings", &json!({})).await.refused(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_admin_changes_settings() {
    let folder = tempdir().unwrap();
    let store = import(folder.path(), "p").await;
    let writer = key(&store, "writer", Role::Write, None).await;
    let server = Running::over(store, ServerOptions { ..local() }).await;
    let request = server.request(Method::PATCH, "/api/v1/projects/p/settings").bearer_auth(&writer);
    let message = Answer::of(request.json(&json!({"set": {"reducer": "median"}}))).await.refused(403);
    assert!(message.contains("admin"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_tried_before_it_is_saved() {
    let server = Running::with_bundled_data().await;
    let path = "/api/v1/projects/support-assistant/key-check?key=";
    let check = server.get(&format!("{path}metadata.case_id")).await.ok();
    assert!(check["matches"][0]["matched"].as_i64().unwrap() > 200, "{check}");
    let message = server.get(&format!("{path}metadata.case_id%20%2B")).await.refused(400);
    assert!(message.contains("expected a value"), "{message}");
}

/// A scoring when it has ended.
async fn ended(server: &Running, experiment: &str, id: &str) -> Value {
    for _ in 0..400 {
        let list = server.get(&format!("/api/v1/experiments/{experiment}/scorings")).await.ok();
        let all = list["scorings"].as_array().unwrap().clone();
        let found = all.into_iter().find(|one| one["id"] == id).unwrap();
        if found["state"] != "running" {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the scoring does not end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scorer_gives_every_case_a_score_span_once() {
    let (server, _folder) = own().await;
    let path = "/api/v1/experiments/prompt-v2/scorings";
    let request = json!({"name": "Same", "scorer": "exact_match(output, expected)", "where": "metadata.tier = 'pro'"});
    for _ in 0..2 {
        let started = send(&server, Method::POST, path, &request).await.ok();
        assert_eq!(started["state"], "running");
        let done = ended(&server, "prompt-v2", started["id"].as_str().unwrap()).await;
        assert_eq!(done["state"], "done", "{done}");
        assert_eq!(done["scored"].as_i64().unwrap() + done["skipped"].as_i64().unwrap(), done["total"]);
        let columns = "columns=scores.Same,exact_match(output,expected)&limit=1000";
        let table = server
            .get(&format!("/api/v1/experiments/prompt-v2/cases?{columns}&where=scores.Same%20is%20not%20null"))
            .await
            .ok();
        assert_eq!(table["total"], done["scored"]);
        for row in table["rows"].as_array().unwrap() {
            assert_eq!(row["cells"][0]["value"], row["cells"][1]["value"]);
        }
        // A scorer that is applied again replaces what it said.
        let spans = "select count(*) as n from spans where name = 'Same' and type = 'score'";
        assert_eq!(server.sql(spans).await.ok()[0]["n"], done["scored"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scorer_that_means_nothing_starts_nothing() {
    let (server, _folder) = own().await;
    let path = "/api/v1/experiments/prompt-v2/scorings";
    for (scorer, expected) in [("output +", "expected a value"), ("output", "a number"), ("nothing(1)", "no function")]
    {
        let request = json!({"name": "x", "scorer": scorer});
        let message = send(&server, Method::POST, path, &request).await.refused(400);
        assert!(message.contains(expected), "{scorer}: {message}");
    }
    let message = send(&server, Method::POST, path, &json!({"name": " ", "scorer": "1"})).await.refused(400);
    assert!(message.contains("has a name"), "{message}");
    assert_eq!(server.get(path).await.ok()["scorings"], json!([]));
    send(&server, Method::DELETE, "/api/v1/scorings/nope", &json!({})).await.refused(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scoring_that_is_stopped_keeps_what_it_gave() {
    let (server, _folder) = own().await;
    let path = "/api/v1/experiments/prompt-v2/scorings";
    let started = send(&server, Method::POST, path, &json!({"name": "Long", "scorer": "len(output)"})).await.ok();
    let id = started["id"].as_str().unwrap();
    send(&server, Method::DELETE, &format!("/api/v1/scorings/{id}"), &json!({})).await.ok();
    let told = ended(&server, "prompt-v2", id).await;
    assert!(told["state"] == "cancelled" || told["state"] == "done", "{told}");
    let again = send(&server, Method::DELETE, &format!("/api/v1/scorings/{id}"), &json!({})).await.ok();
    assert_eq!(again["state"], told["state"]);
}
