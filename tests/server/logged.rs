//! Rows that are logged come back as they were sent.

use evalhouse_store::Store;
use reqwest::Method;
use serde_json::json;

use super::{Answer, Running, local};

async fn post(server: &Running, path: &str, body: String) -> Answer {
    Answer::of(server.request(Method::POST, path).body(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn scores_and_metrics_that_are_no_floats_come_back_as_they_were_sent() {
    let server = Running::over(Store::create(&crate::store::memory_url()).await.unwrap(), local()).await;
    let experiment = json!({"project_name": "p", "experiment_name": "e"}).to_string();
    let made = post(&server, "/api/experiment/register", experiment).await.ok();
    let id = made["experiment"]["id"].as_str().unwrap();
    let scores = r#""scores":{"flag":true,"none":null,"long":0.1234567890123456789}"#;
    let metrics = r#""metrics":{"whole":9007199254740993,"huge":1e400,"none":null,"caller_lineno":7,"tokens":5}"#;
    let row = |rest: &str| format!(r#"{{"rows":[{{"id":"a","experiment_id":"{id}",{rest}}}]}}"#);
    post(&server, "/logs3", row(&format!("{scores},{metrics}"))).await.ok();
    for round in 0..2 {
        let page = post(&server, &format!("/v1/experiment/{id}/fetch"), "{}".into()).await.text();
        for field in [scores, metrics] {
            assert!(page.contains(field), "{page}");
        }
        assert_eq!((page.matches(r#""scores":"#).count(), page.matches(r#""metrics":"#).count()), (1, 1), "{page}");
        post(&server, "/logs3", row(&format!(r#""_is_merge":true,"output":{round}"#))).await.ok();
    }
    let computed = server
        .sql("select metrics.whole as whole, metrics.tokens as tokens, scores.flag as flag from spans")
        .await
        .ok();
    assert_eq!(computed, json!([{"whole": 9_007_199_254_740_992.0, "tokens": 5.0, "flag": 1.0}]));
    // A merge into an object of numbers changes the one that it names.
    post(&server, "/logs3", row(r#""_is_merge":true,"metrics":{"whole":1}"#)).await.ok();
    let page = post(&server, &format!("/v1/experiment/{id}/fetch"), "{}".into()).await.text();
    assert!(page.contains(r#""metrics":{"whole":1,"huge":1e400,"none":null,"caller_lineno":7,"tokens":5}"#), "{page}");
}
