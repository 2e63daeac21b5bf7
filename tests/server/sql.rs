//! SQL over HTTP: it reads the store, and nothing else.

use reqwest::Method;
use serde_json::json;

use super::{Answer, Running};

#[tokio::test(flavor = "multi_thread")]
async fn rows_come_in_every_format() {
    let server = Running::with_bundled_data().await;
    let query = json!({"query": "SELECT experiment, count(*) AS n FROM cases GROUP BY 1 ORDER BY 1 LIMIT 1"});
    let ask = async |format: &str| {
        Answer::of(server.request(Method::POST, &format!("/api/v1/sql{format}")).json(&query)).await
    };
    assert_eq!(ask("").await.ok(), json!([{"experiment": "baseline", "n": 506}]));
    assert_eq!(ask("?format=jsonl").await.text(), "{\"experiment\":\"baseline\",\"n\":506}\n");
    assert_eq!(ask("?format=csv").await.text(), "experiment,n\nbaseline,506\n");
    assert!(ask("?format=parquet").await.bytes.ends_with(b"PAR1"));
    assert!(ask("?format=arrow").await.bytes.starts_with(b"ARROW1"));
    ask("?format=table").await.refused(400);
}

#[tokio::test(flavor = "multi_thread")]
async fn values_are_bound() {
    let server = Running::with_bundled_data().await;
    let query = json!({
        "query": "SELECT count(*) AS n FROM cases WHERE experiment = $name AND scores.Factuality > $least",
        "parameters": {"name": "base'line", "least": 0.5},
    });
    let answer = Answer::of(server.request(Method::POST, "/api/v1/sql").json(&query)).await;
    assert_eq!(answer.ok(), json!([{"n": 0}]));
    let list = json!({"query": "SELECT $x", "parameters": {"x": [1]}});
    Answer::of(server.request(Method::POST, "/api/v1/sql").json(&list)).await.refused(400);
    let unknown = json!({"sql": "SELECT 1"});
    Answer::of(server.request(Method::POST, "/api/v1/sql").json(&unknown)).await.refused(400);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_the_store_is_read_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret.csv");
    std::fs::write(&secret, "a\nTHE-SECRET\n").unwrap();
    let secret = secret.display();
    let target = folder.path().join("out");
    let out = target.display();
    let server = Running::with_bundled_data().await;
    for query in [
        format!("SELECT * FROM '{secret}'"),
        format!("SELECT * FROM \"{secret}\""),
        format!("SELECT * FROM 'file://{secret}'"),
        format!("SELECT * FROM \"file://{secret}\""),
        "SELECT * FROM 'file:///etc/passwd'".into(),
        "SELECT * FROM 'https://example.com/x.csv'".into(),
        "SELECT * FROM 's3://bucket/x.parquet'".into(),
        format!("SELECT * FROM read_csv('{secret}')"),
        format!("SELECT * FROM read_parquet('{secret}')"),
        format!("SELECT * FROM read_json('{secret}')"),
        format!("SELECT * FROM parquet_metadata('{secret}')"),
        format!("CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '{secret}'"),
        format!("CREATE EXTERNAL TABLE t (a TEXT) STORED AS CSV LOCATION '{secret}' OPTIONS (has_header true)"),
        "CREATE TABLE t AS SELECT 1".into(),
        "CREATE VIEW v AS SELECT 1".into(),
        "CREATE DATABASE d".into(),
        "CREATE SCHEMA s".into(),
        "CREATE FUNCTION f(INT) RETURNS INT RETURN $1".into(),
        "DROP TABLE cases".into(),
        "DELETE FROM cases".into(),
        "UPDATE cases SET id = 'x'".into(),
        "INSERT INTO cases SELECT * FROM cases".into(),
        format!("COPY cases TO '{out}'"),
        format!("COPY (SELECT 1) TO '{out}' STORED AS CSV"),
        format!("COPY (SELECT 1) TO '{out}.parquet'"),
        format!("EXPLAIN ANALYZE COPY (SELECT 1) TO '{out}' STORED AS CSV"),
        "EXPLAIN ANALYZE INSERT INTO cases SELECT * FROM cases".to_string(),
        "SET datafusion.execution.batch_size = 1".into(),
        "RESET datafusion.execution.batch_size".into(),
        "PREPARE p AS SELECT 1".into(),
        "BEGIN".into(),
        "SELECT 1; DROP TABLE cases".into(),
        "LOAD DATA INPATH '/etc/passwd' INTO TABLE cases".into(),
        "ATTACH '/etc/passwd' AS p".into(),
        "INSTALL httpfs".into(),
        "VACUUM".into(),
        String::new(),
        "SELECT".into(),
        "\0".into(),
        "(".repeat(10_000),
        format!("SELECT {}1{}", "(".repeat(5_000), ")".repeat(5_000)),
        format!("SELECT {}", "-".repeat(10_000)),
        format!("SELECT 1{}", " + 1".repeat(100_000)),
        format!("SELECT 1{}", " UNION SELECT 1".repeat(20_000)),
        format!("SELECT {}1", "NOT ".repeat(20_000)),
        format!("SELECT 1{}", "::INT".repeat(20_000)),
        format!("SELECT input{} FROM cases", "[0]".repeat(20_000)),
    ] {
        let answer = server.sql(&query).await;
        let shown: String = query.chars().take(80).collect();
        assert!(!answer.status.is_server_error(), "{shown}: {}", answer.text());
        assert!(!answer.text().contains("THE-SECRET") && !answer.text().contains("root:"), "{shown}");
        assert!(answer.status.is_client_error(), "{shown}: {}", answer.text());
    }
    assert!(!target.exists());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(server.sql("SELECT count(*) AS n FROM cases").await.ok(), json!([{"n": 2028}]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_row_is_the_querys_fault() {
    let server = Running::with_bundled_data().await;
    for query in [
        "SELECT CAST(id AS INT) FROM cases",
        "SELECT 1 / 0",
        "SELECT count(*) FROM cases WHERE id = 1",
        "SELECT count(*) FROM cases WHERE 1 / (span_count - span_count) = 1",
    ] {
        let answer = server.sql(query).await;
        assert!(answer.status.is_client_error(), "{query}: {} {}", answer.status, answer.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn long_lists_and_deep_sums_are_read() {
    let server = Running::with_bundled_data().await;
    let list = (0..20_000).map(|n| format!("'{n}'")).collect::<Vec<_>>().join(", ");
    let query = format!("SELECT count(*) AS n FROM cases WHERE id NOT IN ({list})");
    assert_eq!(server.sql(&query).await.ok(), json!([{"n": 2028}]));
    let query = format!("SELECT 1{} AS n", " + 1".repeat(1_900));
    assert_eq!(server.sql(&query).await.ok(), json!([{"n": 1901}]));
    let query = format!("SELECT count(*) AS n FROM cases WHERE id = '1'{}", " OR id = '1'".repeat(1_000));
    assert_eq!(server.sql(&query).await.ok(), json!([{"n": 0}]));
}

/// What no memory pool knows of is refused before it is made.
#[tokio::test(flavor = "multi_thread")]
async fn bombs_are_refused() {
    let server = Running::with_bundled_data().await;
    for query in [
        "SELECT length(repeat('x', 2000000000))",
        "SELECT length(repeat(id, 100000000)) FROM cases",
        "SELECT length(rpad(id, 2000000000, 'y')) FROM cases",
        "SELECT length(lpad('x', 2000000000, 'y'))",
        "SELECT array_length(range(0, 10000000000))",
        "SELECT array_length(generate_series(1, 10000000000))",
        "SELECT array_length(range(10000000000))",
        "SELECT array_length(array_repeat(1, 1000000000))",
        "SELECT array_length(array_resize([1], 1000000000, 1))",
    ] {
        let answer = server.sql(query).await;
        assert!(answer.status.is_client_error(), "{query}: {}", answer.text());
    }
    assert_eq!(server.sql("SELECT repeat('ab', 3) AS x").await.ok(), json!([{"x": "ababab"}]));
    assert_eq!(server.sql("SELECT range(0, 3) AS x").await.ok(), json!([{"x": [0, 1, 2]}]));
}
