//! API keys: who may ask, and who is shown what.

use evalhouse_live::{Live, LiveOptions};
use evalhouse_server::{Role, Server, revoke_key};
use evalhouse_session::SessionOptions;
use reqwest::Method;
use serde_json::json;

use super::{Answer, Running, add, import, key, local};

#[tokio::test(flavor = "multi_thread")]
async fn without_keys_any_token_will_do() {
    let server = Running::with_bundled_data().await;
    for token in ["", "anything", "eh_0"] {
        Answer::of(server.request(Method::GET, "/api/v1/experiments").bearer_auth(token)).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn once_there_is_a_key_it_is_needed() {
    let folder = tempfile::tempdir().unwrap();
    let store = import(folder.path(), "p").await;
    let token = key(&store, "reader", Role::Read, None).await;
    let server = Running::over(store.clone(), local()).await;
    let ask = async |value: &str| {
        Answer::of(server.request(Method::GET, "/api/v1/experiments").header("authorization", value)).await
    };
    ask(&format!("Bearer {token}")).await.ok();
    server.get("/api/v1/experiments").await.refused(401);
    let longer = format!("Bearer {token}0");
    let basic = format!("Basic {token}");
    for wrong in ["Bearer", "Bearer ", "Bearer eh_", "Bearer x y", &longer, &basic, &token, "\u{e9}"] {
        let message = ask(wrong).await.refused(401);
        assert!(!message.contains(&token), "{message}");
    }
    for open in ["/healthz", "/readyz", "/openapi.json"] {
        server.get(open).await.ok();
    }
    server.get("/metrics").await.refused(401);

    revoke_key(&store, "reader").await.unwrap();
    let revoked = async {
        while ask(&format!("Bearer {token}")).await.status == 200 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(5), revoked).await.expect("revoked within seconds");
    // The last key is gone, and the store is not open again.
    server.get("/api/v1/experiments").await.refused(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_a_project_is_shown_that_project_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = import(folder.path(), "ours").await;
    for experiment in ["baseline", "other"] {
        add(&store, "theirs", experiment, &json!({"input": "a secret", "scores": {"Factuality": 0.1}})).await;
    }
    // Files of many experiments, too.
    let session = evalhouse_session::Session::open(store.clone(), SessionOptions::default()).await.unwrap();
    session.optimize(&evalhouse_store::OptimizeOptions::default()).await.unwrap();
    let token = key(&store, "ours", Role::Admin, Some("ours")).await;
    let server = Running::over(store, local()).await;
    let get = async |path: &str| Answer::of(server.request(Method::GET, path).bearer_auth(&token)).await;
    let sql = async |query: &str| {
        let request = server.request(Method::POST, "/api/v1/sql").bearer_auth(&token);
        Answer::of(request.json(&json!({ "query": query }))).await
    };

    let list = get("/api/v1/experiments").await.ok();
    assert_eq!(list["experiments"].as_array().unwrap().len(), 4);
    assert!(!list.to_string().contains("theirs"));
    get("/api/v1/experiments/baseline/summary").await.ok();
    let diff = get("/api/v1/diff?base=baseline&candidate=prompt-v2").await.ok();
    assert_eq!(diff["base"]["project"], "ours");
    for path in [
        "/api/v1/experiments/theirs%2Fbaseline/summary",
        "/api/v1/experiments/baseline/summary?project=theirs",
        "/api/v1/experiments/theirs%2Fbaseline/export",
        "/api/v1/projects/theirs/history",
        "/api/v1/projects/theirs/settings",
        "/api/v1/leaderboard?project=theirs",
        "/api/v1/diff?base=theirs%2Fbaseline&candidate=prompt-v2",
    ] {
        let message = get(path).await.refused(404);
        assert!(!message.contains("did you mean `theirs"), "{message}");
    }
    for (query, expected) in [
        ("SELECT count(*) AS n FROM cases", json!([{"n": 2028}])),
        ("SELECT count(*) AS n FROM spans WHERE is_root", json!([{"n": 2028}])),
        ("SELECT count(*) AS n FROM spans WHERE project = 'theirs'", json!([{"n": 0}])),
        ("SELECT count(*) AS n FROM scores WHERE project = 'theirs'", json!([{"n": 0}])),
        ("SELECT DISTINCT project AS n FROM experiments", json!([{"n": "ours"}])),
        ("SELECT count(*) AS n FROM projects", json!([{"n": 1}])),
        ("SELECT count(*) AS n FROM experiment('baseline')", json!([{"n": 506}])),
        ("SELECT count(*) AS n FROM spans WHERE input LIKE '%secret%'", json!([{"n": 0}])),
    ] {
        assert_eq!(sql(query).await.ok(), expected, "{query}");
    }
    sql("SELECT * FROM experiment('theirs/baseline')").await.refused(400);
}

#[tokio::test(flavor = "multi_thread")]
async fn others_fields_are_not_named() {
    let folder = tempfile::tempdir().unwrap();
    let store = import(folder.path(), "ours").await;
    let row = json!({"input": {"hidden_field": 1}, "output": "x", "scores": {"HiddenScore": 1.0}});
    add(&store, "theirs", "hidden", &row).await;
    let token = key(&store, "ours", Role::Read, Some("ours")).await;
    let whole = key(&store, "all", Role::Read, None).await;
    let server = Running::over(store, local()).await;
    let ask = async |token: &str, query: &str| {
        let request = server.request(Method::POST, "/api/v1/sql").bearer_auth(token);
        Answer::of(request.json(&json!({ "query": query }))).await.text()
    };
    let columns = "SELECT column_name FROM information_schema.columns";
    assert!(ask(&whole, columns).await.contains("HiddenScore"));
    assert!(!ask(&token, columns).await.contains("HiddenScore"));
    assert!(!ask(&token, "SELECT scores.HiddenScor FROM cases").await.contains("HiddenScore"));
    assert!(!ask(&token, "SELECT * FROM cases LIMIT 1").await.contains("HiddenScore"));
}

#[tokio::test(flavor = "multi_thread")]
async fn other_machines_need_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let store = import(folder.path(), "p").await;
    let mut options = local();
    options.listen = ([0, 0, 0, 0], 0).into();
    let bind = async || {
        let live = Live::open(store.clone(), &folder.path().join("journal"), LiveOptions::default()).await.unwrap();
        Server::bind(live, SessionOptions::default(), &options).await
    };
    let error = bind().await.unwrap_err();
    assert!(error.hint().unwrap().contains("evalhouse keys create"), "{error}");
    let token = key(&store, "k", Role::Read, None).await;
    let server = Running::over(store.clone(), options.clone()).await;
    let request = server.client.get(format!("http://127.0.0.1:{}/api/v1/experiments", server.address.port()));
    Answer::of(request.try_clone().unwrap()).await.refused(401);
    Answer::of(request.bearer_auth(token)).await.ok();
    revoke_key(&store, "k").await.unwrap();
    assert!(bind().await.is_err());
}
