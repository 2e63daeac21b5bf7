//! Stopping: what was begun is ended, within a while.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use evalhouse_server::{Limits, ServerOptions};
use evalhouse_store::Store;
use reqwest::Method;
use serde_json::json;

use super::{Running, local};
use crate::cli::BUNDLED;

/// About a second of work.
const SLOW: &str = "SELECT count(*) AS n FROM range(0, 30000) AS a, range(0, 30000) AS b WHERE a.value + b.value < 9";

#[tokio::test(flavor = "multi_thread")]
async fn requests_in_flight_are_ended() {
    let mut server = Running::with_bundled_data().await;
    let asked = server.request(Method::POST, "/api/v1/sql").json(&json!({ "query": SLOW }));
    let asked = tokio::spawn(asked.send());
    tokio::time::sleep(Duration::from_millis(200)).await;
    server.stop.take().unwrap().send(()).unwrap();
    let answer = asked.await.unwrap().unwrap();
    assert_eq!(answer.json::<serde_json::Value>().await.unwrap(), json!([{"n": 45}]));
    tokio::time::timeout(Duration::from_secs(10), &mut server.task).await.unwrap().unwrap().unwrap();
    assert!(server.client.get(server.url("/healthz")).send().await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_end_is_left() {
    let limits = Limits { drain_time: Duration::from_millis(200), ..Limits::default() };
    let store = Store::open(&BUNDLED.display().to_string()).await.unwrap();
    let mut server = Running::over(store, ServerOptions { limits, ..local() }).await;
    let query = "SELECT sum(a.value * b.value) AS n FROM range(0, 10000000) AS a, range(0, 10000000) AS b";
    let asked = server.request(Method::POST, "/api/v1/sql").json(&json!({ "query": query }));
    let _asked = tokio::spawn(asked.send());
    tokio::time::sleep(Duration::from_millis(200)).await;
    let started = Instant::now();
    server.stop.take().unwrap().send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(10), &mut server.task).await.unwrap().unwrap().unwrap();
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[cfg(unix)]
#[test]
fn the_program_starts_quickly_and_stops_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let started = Instant::now();
    let mut program = Command::new(env!("CARGO_BIN_EXE_evalhouse"))
        .args(["serve", "--listen", "127.0.0.1:0"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let url = lines.next().unwrap().unwrap();
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    assert!(url.starts_with("export BRAINTRUST_APP_URL=http://localhost:"), "{url}");
    assert_eq!(lines.next().unwrap().unwrap(), "export BRAINTRUST_API_KEY=local");
    let id = program.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert!(program.wait().unwrap().success());
}
