//! What requests may take.

use std::io::Write;
use std::time::{Duration, Instant};

use evalhouse_server::{Limits, ServerOptions};
use evalhouse_store::Store;
use reqwest::Method;
use serde_json::json;

use super::hostile::raw;
use super::{Answer, Running, local};
use crate::cli::BUNDLED;

/// A query that would take hours.
const ENDLESS: &str = "SELECT sum(a.value * b.value) AS n FROM range(0, 10000000) AS a, range(0, 10000000) AS b";

async fn with(limits: Limits) -> Running {
    let store = Store::open(&BUNDLED.display().to_string()).await.unwrap();
    Running::over(store, ServerOptions { limits, ..local() }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_have_a_limit_packed_or_not() {
    let server = with(Limits { body_bytes: 1_000, ..Limits::default() }).await;
    let query = |length: usize| format!("{{\"query\": \"SELECT 1 AS n\"{}}}", " ".repeat(length));
    let post = |body: Vec<u8>, encoding: Option<&str>| {
        let request = server.request(Method::POST, "/api/v1/sql").body(body);
        encoding.into_iter().fold(request, |request, name| request.header("content-encoding", name))
    };
    let gzip = |text: &str| {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packed.write_all(text.as_bytes()).unwrap();
        packed.finish().unwrap()
    };
    let zstd = |text: &str| zstd::encode_all(text.as_bytes(), 1).unwrap();
    for (body, encoding) in [
        (query(100).into_bytes(), None),
        (query(100).into_bytes(), Some("identity")),
        (gzip(&query(100)), Some("gzip")),
        (zstd(&query(100)), Some("zstd")),
    ] {
        assert_eq!(Answer::of(post(body, encoding)).await.ok(), json!([{"n": 1}]));
    }
    let large = query(1_000_000);
    for (body, encoding) in [
        (large.clone().into_bytes(), None),
        (gzip(&large), Some("gzip")),
        (zstd(&large), Some("zstd")),
        (gzip(&query(10_000)), Some("gzip")),
    ] {
        let message = Answer::of(post(body, encoding)).await.refused(413);
        assert!(message.contains("1000 bytes"), "{message}");
    }
    // A body whose length is not declared.
    let head = "POST /api/v1/sql HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunks = format!("64\r\n{}\r\n", " ".repeat(100)).repeat(20);
    let answer = raw(&server, format!("{head}{chunks}").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_has_its_time() {
    let server = with(Limits { query_time: Duration::from_millis(300), ..Limits::default() }).await;
    for query in [
        ENDLESS,
        "WITH RECURSIVE t AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM t) SELECT count(*) FROM t",
        "SELECT count(*) FROM spans AS a, spans AS b, spans AS c WHERE a.input || b.input || c.input = 'x'",
        "SELECT count(*) FROM cases AS a JOIN cases AS b ON a.project = b.project JOIN cases AS c ON a.project = c.project
         JOIN cases AS d ON a.project = d.project",
    ] {
        let started = Instant::now();
        let message = server.sql(query).await.refused(422);
        assert!(message.contains("limit of 0.3 seconds"), "{message}");
        assert!(started.elapsed() < Duration::from_secs(5), "{query}: {:?}", started.elapsed());
    }
    // Their threads are free again.
    until("the queries end", async || server.get("/metrics").await.text().contains("evalhouse_queries_running 0\n"))
        .await;
    server.sql("SELECT 1").await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_has_its_memory() {
    let server = with(Limits { query_memory: Some(1 << 20), ..Limits::default() }).await;
    let query = "SELECT array_agg(input ORDER BY output) AS all FROM spans";
    let message = server.sql(query).await.refused(422);
    assert!(message.contains("memory"), "{message}");
    server.sql("SELECT 1").await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_has_its_rows() {
    let server = with(Limits { query_rows: 100, ..Limits::default() }).await;
    let message = server.sql("SELECT id FROM cases").await.refused(422);
    assert!(message.contains("more than 100 rows"), "{message}");
    assert_eq!(server.sql("SELECT id FROM cases LIMIT 100").await.ok().as_array().unwrap().len(), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_goes_away_takes_their_query_along() {
    let server = with(Limits { queries: 1, queued_queries: 0, ..Limits::default() }).await;
    let running = || {
        let metrics = server.get("/metrics");
        async move { metrics.await.text().contains("evalhouse_queries_running 1\n") }
    };
    let asked = server.request(Method::POST, "/api/v1/sql").json(&json!({ "query": ENDLESS }));
    let task = tokio::spawn(asked.send());
    until("the query runs", async || running().await).await;
    let error = server.sql("SELECT 1").await;
    assert_eq!(error.refused(429), "0 queries are waiting already (try again in a moment)");
    task.abort();
    until("the query ends", async || !running().await).await;
    server.sql("SELECT 1").await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_goes_away_while_rows_come_takes_their_query_along() {
    let server = with(Limits { queries: 1, queued_queries: 0, ..Limits::default() }).await;
    let query = "SELECT a.value, repeat('x', 1000) AS x FROM range(0, 100000000) AS a";
    let asked = server.request(Method::POST, "/api/v1/sql").json(&json!({ "query": query }));
    let mut response = asked.send().await.unwrap();
    assert_eq!(response.status(), 200);
    response.chunk().await.unwrap().unwrap();
    assert!(server.get("/metrics").await.text().contains("evalhouse_queries_running 1\n"));
    drop(response);
    until("the query ends", async || server.get("/metrics").await.text().contains("evalhouse_queries_running 0\n"))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_breaks_off_does_not_look_whole() {
    let server = with(Limits { query_rows: 50_000, ..Limits::default() }).await;
    let query = "SELECT a.value, repeat('x', 100) AS x FROM range(0, 1000000) AS a";
    let asked = server.request(Method::POST, "/api/v1/sql").json(&json!({ "query": query }));
    let response = asked.send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.bytes().await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_compressed_for_who_asks() {
    let server = Running::with_bundled_data().await;
    for encoding in ["gzip", "zstd"] {
        let request = server.request(Method::GET, "/api/v1/experiments").header("accept-encoding", encoding);
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-encoding"], encoding);
        let bytes = response.bytes().await.unwrap();
        let text = match encoding {
            "gzip" => {
                let mut text = String::new();
                std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut text).unwrap();
                text
            }
            _ => String::from_utf8(zstd::decode_all(&bytes[..]).unwrap()).unwrap(),
        };
        let plain = server.get("/api/v1/experiments").await.ok();
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), plain);
    }
}

async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let wait = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), wait).await.unwrap_or_else(|_| panic!("not in time: {what}"));
}
