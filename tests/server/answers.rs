//! Answers are those of the command line, number for number.

use evalhouse_store::Store;
use serde_json::{Value, json};

use super::{Program, Running, round};

/// What the command line prints, and where the server answers it.
const SAME: [(&[&str], &str); 22] = [
    (&["experiments"], "/api/v1/experiments"),
    (&["experiments", "--where", "experiment = 'baseline'"], "/api/v1/experiments?where=experiment%20%3D%20'baseline'"),
    (&["show", "prompt-v2"], "/api/v1/experiments/prompt-v2/summary"),
    (
        &["show", "support-assistant/prompt-v2", "--reducer", "pass@2", "--where", "errors"],
        "/api/v1/experiments/support-assistant%2Fprompt-v2/summary?reducer=pass%402&where=errors",
    ),
    (&["show", "latest"], "/api/v1/experiments/latest/summary"),
    (&["cases", "prompt-v2", "--limit", "7"], "/api/v1/experiments/prompt-v2/cases?limit=7"),
    (
        &["cases", "prompt-v2", "--against", "baseline", "--sort", "regressions:Factuality", "--limit", "5"],
        "/api/v1/experiments/prompt-v2/cases?against=baseline&sort=regressions:Factuality&limit=5",
    ),
    (
        &["cases", "prompt-v2", "--columns", "input.question, scores.Factuality", "--align", "worst", "--limit", "3"],
        "/api/v1/experiments/prompt-v2/cases?columns=input.question,scores.Factuality&align=worst&limit=3",
    ),
    (
        &["cases", "prompt-v2", "--group-by", "metadata.category", "--aggregate", "p90"],
        "/api/v1/experiments/prompt-v2/cases?group-by=metadata.category&aggregate=p90",
    ),
    (&["diff", "baseline", "prompt-v2"], "/api/v1/diff?base=baseline&candidate=prompt-v2"),
    (
        &["diff", "baseline", "prompt-v2", "prompt-v3", "--cluster", "metadata.category"],
        "/api/v1/diff?base=baseline&candidate=prompt-v2&candidate=prompt-v3&cluster=metadata.category",
    ),
    (
        &["diff", "baseline", "prompt-v2", "--cases", "--limit", "3", "--where", "metadata.category = 'refunds'"],
        "/api/v1/diff?base=baseline&candidate=prompt-v2&cases=true&limit=3&where=metadata.category%20=%20'refunds'",
    ),
    (
        &["diff", "baseline", "prompt-v2", "--group-by", "metadata.category", "--sort", "regressions:Factuality"],
        "/api/v1/diff?base=baseline&candidate=prompt-v2&group-by=metadata.category&sort=regressions:Factuality",
    ),
    (
        &["diff", "baseline", "prompt-v2", "--group-by", "metadata.category"],
        "/api/v1/groups?experiment=baseline&experiment=prompt-v2&group-by=metadata.category",
    ),
    (&["summary"], "/api/v1/leaderboard"),
    (
        &["summary", "baseline", "prompt-v2", "--score", "Helpfulness", "--frontier"],
        "/api/v1/leaderboard?experiment=baseline&experiment=prompt-v2&score=Helpfulness&frontier=true",
    ),
    (
        &["history", "support-assistant", "--score", "Factuality"],
        "/api/v1/projects/support-assistant/history?score=Factuality",
    ),
    (
        &["explain", "baseline", "prompt-v2", "--score", "Factuality", "--limit", "4"],
        "/api/v1/explain?base=baseline&candidate=prompt-v2&score=Factuality&limit=4",
    ),
    (
        &["trials", "baseline", "--threshold", "0.5", "--limit", "9"],
        "/api/v1/experiments/baseline/trials?threshold=0.5&limit=9",
    ),
    (
        &["agreement", "baseline", "Factuality", "Helpfulness", "--bin", "0.25"],
        "/api/v1/experiments/baseline/agreement?first=Factuality&second=Helpfulness&bin=0.25",
    ),
    (&["fields", "baseline"], "/api/v1/experiments/baseline/fields"),
    (&["query"], "/api/v1/queries"),
];

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_those_of_the_command_line() {
    let server = Running::with_bundled_data().await;
    for (arguments, path) in SAME {
        let (mut printed, mut answered) = (printed(arguments), server.get(path).await.ok());
        round(&mut printed);
        round(&mut answered);
        assert!(printed == answered, "{arguments:?}\n{printed:#}\n{path}\n{answered:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_is_found_by_the_beginning_of_its_id() {
    let server = Running::with_bundled_data().await;
    let cases = server.get("/api/v1/experiments/baseline/cases?limit=1").await.ok();
    let id = &cases["rows"][0]["id"].as_str().unwrap()[..8];
    let answered = server.get(&format!("/api/v1/experiments/baseline/traces/{id}")).await.ok();
    assert_eq!(answered, printed(&["trace", "baseline", id]));
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_shown() {
    let server = Running::with_bundled_data().await;
    let answered = server.get("/api/v1/projects/support-assistant/settings").await.ok();
    assert_eq!(answered, printed(&["settings", "support-assistant"]));
    let message = server.get("/api/v1/projects/nope/settings").await.refused(404);
    assert!(message.contains("project `nope`"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_what_the_command_line_writes() {
    let server = Running::with_bundled_data().await;
    for (format, media_type) in [
        ("jsonl", "application/x-ndjson"),
        ("json", "application/json"),
        ("csv", "text/csv; charset=utf-8"),
        ("parquet", "application/vnd.apache.parquet"),
        ("arrow", "application/vnd.apache.arrow.file"),
    ] {
        let answer = server.get(&format!("/api/v1/experiments/baseline/export?format={format}")).await;
        assert_eq!((answer.status.as_u16(), answer.content_type.as_str()), (200, media_type));
        // The other formats are cut into pieces of another size.
        if ["jsonl", "json", "csv"].contains(&format) {
            let printed = Program::with_bundled_data().bytes(&["export", "baseline", "--format", format]);
            assert!(answer.bytes == printed, "{format}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_named_query_takes_its_parameters() {
    let server = Running::with_bundled_data().await;
    let path = "/api/v1/queries/regressions/rows?base=baseline&candidate=prompt-v2&score=Factuality&format=jsonl";
    let answer = server.get(path).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let printed = Program::with_bundled_data().bytes(&[
        "query",
        "regressions",
        "base=baseline",
        "candidate=prompt-v2",
        "score=Factuality",
        "--format",
        "jsonl",
    ]);
    assert_eq!(answer.text(), String::from_utf8(printed).unwrap());
    let missing = server.get("/api/v1/queries/regressions/rows").await.refused(400);
    assert!(missing.contains("is missing"), "{missing}");
    let unknown = server.get("/api/v1/queries/regresions/rows").await.refused(404);
    assert!(unknown.contains("did you mean `regressions`?"), "{unknown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said() {
    let server = Running::with_bundled_data().await;
    for (path, status, words) in [
        ("/api/v1/experiments?wher=x", 400, "did you mean `where`?"),
        ("/api/v1/experiments?where=experimen%20=%20'x'", 400, "did you mean `experiment`"),
        ("/api/v1/experiments/promptv2/summary", 404, "did you mean `prompt-v2`?"),
        ("/api/v1/experiments/prompt-v2/summary?reducer=best", 400, "reducer: `best` is no reducer"),
        ("/api/v1/experiments/prompt-v2/summary?key=inptu", 400, "key: "),
        ("/api/v1/experiments/prompt-v2/cases?limit=-1", 400, "expected a whole number"),
        ("/api/v1/experiments/prompt-v2/cases?limit=1e3", 400, "expected a whole number"),
        ("/api/v1/experiments/prompt-v2/cases?align=best", 400, "expected one of index, closest, worst"),
        ("/api/v1/experiments/prompt-v2/cases?sort=regressions:Nope&against=baseline", 400, "Nope"),
        ("/api/v1/experiments/prompt-v2/cases?aggregate=avg", 400, "aggregate needs group-by"),
        ("/api/v1/experiments/prompt-v2/cases?where=(((", 400, "where"),
        ("/api/v1/experiments/prompt-v2/traces/nope", 404, "has no case `nope`"),
        ("/api/v1/experiments/%ff/summary", 400, "UTF-8"),
        ("/api/v1/experiments/prompt-v2/trials?threshold=NaN", 400, "expected a number"),
        ("/api/v1/experiments/prompt-v2/agreement?first=Factuality", 400, "second is missing"),
        ("/api/v1/experiments/prompt-v2/export?format=xml", 400, "expected one of json, jsonl, csv"),
        ("/api/v1/diff?base=baseline", 400, "candidate is missing"),
        ("/api/v1/diff?base=baseline&base=x&candidate=y", 400, "base is given twice"),
        ("/api/v1/diff?base=baseline&candidate=prompt-v2&candidate=prompt-v3&cases=true", 400, "of one candidate"),
        ("/api/v1/explain?base=baseline&candidate=prompt-v2&score=Nope", 400, "no score or metric `Nope`"),
        ("/api/v1/groups?experiment=baseline", 400, "group-by is missing"),
        ("/api/v1/leaderboard?score=Nope", 400, "no score or metric `Nope`"),
        ("/api/v1/leaderboard?project=nope", 404, "project `nope`"),
        ("/api/v1/projects/nope/history", 404, "project `nope`"),
        ("/api/v1/sql", 405, "takes no GET"),
        ("/api/v1/", 404, "nothing at this path"),
        ("/nothing", 404, "nothing at this path"),
    ] {
        let message = server.get(path).await.refused(status);
        assert!(message.contains(words), "{path}: {message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_import_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let store = super::import(folder.path(), "first").await;
    let server = Running::over(store, super::local()).await;
    let count = async || server.get("/api/v1/experiments").await.ok()["experiments"].as_array().unwrap().len();
    assert_eq!(count().await, 4);
    // By somebody else: another handle, as another process has.
    let elsewhere = Store::open(&folder.path().join("store").display().to_string()).await.unwrap();
    super::add(&elsewhere, "second", "one", &json!({"input": 1})).await;
    assert_eq!(count().await, 5);
}

/// What the command line prints as JSON.
fn printed(arguments: &[&str]) -> Value {
    let mut all = arguments.to_vec();
    all.extend(["--format", "json"]);
    serde_json::from_slice(&Program::with_bundled_data().bytes(&all)).unwrap()
}
