//! Clients that mean no good: nothing of ours breaks, and nobody else waits.

use std::time::Duration;

use evalhouse_server::Limits;
use reqwest::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Answer, Running, local};
use crate::cli::BUNDLED;

/// Sends bytes as they are, and gives what comes back until the server closes or falls silent.
pub(super) async fn raw(server: &Running, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    // The server may answer and close before all is sent.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(3), stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

async fn lives(server: &Running) {
    server.get("/healthz").await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_hosts_and_origins_are_refused() {
    let server = Running::with_bundled_data().await;
    let get = |path: &str| server.request(Method::GET, path);
    for host in ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1"] {
        for path in ["/healthz", "/api/v1/experiments", "/nothing"] {
            Answer::of(get(path).header("host", host)).await.refused(403);
        }
    }
    let own = format!("http://{}", server.address);
    Answer::of(get("/healthz").header("origin", &own)).await.ok();
    for origin in ["http://evil.example", "null", "http://localhost:1", "https://127.0.0.1", "chrome-extension://x"] {
        Answer::of(get("/api/v1/experiments").header("origin", origin)).await.refused(403);
        Answer::of(server.request(Method::OPTIONS, "/api/v1/sql").header("origin", origin)).await.refused(403);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn strange_requests_are_refused() {
    let server = Running::with_bundled_data().await;
    let host = "Host: localhost\r\nConnection: close\r\n";
    for (request, status) in [
        ("GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n".to_string(), "400"),
        (format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\n{host}\r\n"), "400"),
        (format!("GET http://evil.example/healthz HTTP/1.1\r\n{host}\r\n"), "403"),
        (format!("CONNECT evil.example:443 HTTP/1.1\r\n{host}\r\n"), "4"),
        (format!("BREW /healthz HTTP/1.1\r\n{host}\r\n"), "405"),
        (format!("{} /healthz HTTP/1.1\r\n{host}\r\n", "X".repeat(200)), "4"),
        (format!("GET /healthz HTTP/1.1\r\n{host}X: {}\r\n\r\n", "x".repeat(100_000)), "431"),
        (format!("GET /healthz HTTP/1.1\r\n{host}{}\r\n", "X: y\r\n".repeat(500)), "431"),
        (format!("GET /{} HTTP/1.1\r\n{host}\r\n", "x".repeat(100_000)), "4"),
        (format!("GET /healthz HTTP/9.9\r\n{host}\r\n"), "4"),
        (format!("POST /api/v1/sql HTTP/1.1\r\n{host}Content-Length: x\r\n\r\n"), "400"),
        (format!("POST /api/v1/sql HTTP/1.1\r\n{host}Content-Length: 5\r\nContent-Length: 6\r\n\r\n"), "400"),
        (format!("POST /api/v1/sql HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\nZZ\r\n"), "400"),
        (format!("POST /api/v1/sql HTTP/1.1\r\n{host}Content-Length: 99999999999\r\n\r\n"), "413"),
        (format!("POST /api/v1/sql HTTP/1.1\r\n{host}Content-Encoding: br\r\nContent-Length: 2\r\n\r\n{{}}"), "415"),
        (format!("POST /api/v1/sql HTTP/1.1\r\n{host}Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{{}}"), "400"),
        ("\0\0\0\0\r\n\r\n".to_string(), "400"),
    ] {
        let answer = raw(&server, request.as_bytes()).await;
        let shown: String = request.chars().take(60).collect();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{shown:?}: {answer:?}");
    }
    lives(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tricks_in_paths_lead_nowhere() {
    let server = Running::with_bundled_data().await;
    for path in [
        "/../../etc/passwd",
        "/api/v1/../../etc/passwd",
        "/api/v1/experiments/..%2f..%2f..%2fetc%2fpasswd/summary",
        "/api/v1/experiments/%2e%2e/summary",
        "/api/v1/experiments/%00/summary",
        "/api/v1/experiments/%/summary",
        "/api/v1/experiments//summary",
        "/api/v1/experiments/'%20or%201=1--/summary",
        "/api/v1/queries/..%2fsecret/rows",
        "//healthz",
        "/healthz/",
        "/HEALTHZ",
        "/api/v1/experiments?where=%ff%fe",
        "/api/v1/experiments?%00=%00",
        "/api/v1/experiments?&&==&",
        "/api/v1/experiments;x=y",
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let answer = raw(&server, request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{path}: {answer}");
        assert!(!answer.contains("root:"), "{path}");
    }
    lives(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_bodies_are_refused() {
    let server = Running::with_bundled_data().await;
    let deep = format!("{{\"query\": {}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let bodies: [&[u8]; 12] = [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"{",
        b"\xff\xfe",
        b"{\"query\": 1}",
        b"{\"query\": null}",
        b"SELECT 1",
        b"{\"query\": \"SELECT 1\", \"query\": \"SELECT 2\"}",
        b"{\"query\": \"\\ud800\"}",
        deep.as_bytes(),
    ];
    for body in bodies {
        let answer = Answer::of(server.request(Method::POST, "/api/v1/sql").body(body.to_vec())).await;
        answer.refused(400);
    }
    lives(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_clients_are_given_up_and_keep_nobody_waiting() {
    let limits =
        Limits { header_time: Duration::from_millis(500), body_time: Duration::from_millis(500), ..Limits::default() };
    let options = evalhouse_server::ServerOptions { limits, ..local() };
    let store = evalhouse_store::Store::open(&BUNDLED.display().to_string()).await.unwrap();
    let server = Running::over(store, options).await;
    // Many at once, none of which ends what it began.
    let mut open = Vec::new();
    for _ in 0..50 {
        let mut head = TcpStream::connect(server.address).await.unwrap();
        head.write_all(b"GET /healthz HTTP/1.1\r\nHost: local").await.unwrap();
        let mut body = TcpStream::connect(server.address).await.unwrap();
        body.write_all(b"POST /api/v1/sql HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{").await.unwrap();
        open.push((head, body));
    }
    lives(&server).await;
    for (mut head, mut body) in open {
        let mut answer = Vec::new();
        let end = tokio::time::timeout(Duration::from_secs(10), head.read_to_end(&mut answer)).await;
        assert!(end.is_ok(), "a head that does not come keeps its connection");
        let mut answer = [0; 12];
        let read = tokio::time::timeout(Duration::from_secs(10), body.read_exact(&mut answer)).await;
        read.expect("a body that does not come is answered").unwrap();
        assert_eq!(&answer, b"HTTP/1.1 408");
    }
    lives(&server).await;
}
