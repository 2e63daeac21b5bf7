//! BTQL queries, text and JSON, against what the logged rows say.

use std::collections::{BTreeMap, BTreeSet};

use evalhouse_language::{parse_query, query_from_json};
use evalhouse_session::{Session, SessionError};
use evalhouse_store::Store;
use serde_json::{Value, json};

use crate::analysis::{import_into, open};
use crate::store::memory_url;

const TRACES: usize = 24;

/// Four spans a trace: the case, its task, a model call, and a scorer with a model call's tokens.
fn logged() -> Vec<Value> {
    let mut rows = Vec::new();
    for i in 0..TRACES {
        let trace = format!("trace{i:02}");
        let created = format!("2026-01-{:02}T10:00:00Z", i + 1);
        let start = 1_767_000_000.0 + i as f64;
        let span = |name: &str, kind: &str, parent: Option<&str>, more: Value| {
            let mut row = json!({
                "id": format!("{name}{i:02}"), "span_id": format!("{trace}-{name}"), "root_span_id": trace,
                "span_parents": parent.map(|parent| vec![format!("{trace}-{parent}")]), "created": created,
                "span_attributes": {"name": name, "type": kind},
            });
            row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            row
        };
        let category = ["a", "b", "c"][i % 3];
        let mut root = json!({
            "input": {"question": format!("question {i}"), "odd key": i}, "output": format!("answer {i}"),
            "metadata": {"category": category, "n": i, "deep": {"list": [1, 2, i]}},
            "tags": if i % 2 == 0 { vec!["even", "all"] } else { vec!["all"] },
            "metrics": {"start": start, "end": start + 3.0},
        });
        if i % 8 == 0 {
            root["error"] = json!("Timeout");
        }
        rows.push(span("case", "eval", None, root));
        rows.push(span(
            "task",
            "task",
            Some("case"),
            json!({"metrics": {"start": start, "end": start + 1.0 + i as f64 / 10.0}}),
        ));
        let tokens = json!({"metrics": {"start": start, "end": start + 0.5, "prompt_tokens": 10 + i, "completion_tokens": 5}, "metadata": {"model": "m1"}});
        rows.push(span("llm", "llm", Some("task"), tokens));
        let scores = json!({"scores": {"good": i as f64 / TRACES as f64, "odd": if i % 5 == 0 { Value::Null } else { json!(0.5) }}});
        let mut scorer = span("scorer", "score", Some("case"), scores);
        scorer["span_attributes"]["purpose"] = json!("scorer");
        rows.push(scorer);
    }
    rows
}

async fn session() -> (Session, Vec<Value>) {
    let rows = logged();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    std::fs::write(&path, rows.iter().map(Value::to_string).collect::<Vec<_>>().join("\n")).unwrap();
    let store = Store::create(&memory_url()).await.unwrap();
    import_into(&store, &path, "p").await;
    (open(store).await, rows)
}

async fn rows_of(session: &Session, frame: datafusion::dataframe::DataFrame) -> Vec<Value> {
    let batches = frame.collect().await.map_err(|error| session.run_error(error)).unwrap();
    let mut bytes = Vec::new();
    let mut writer = datafusion::arrow::json::LineDelimitedWriter::new(&mut bytes);
    writer.write_batches(&batches.iter().collect::<Vec<_>>()).unwrap();
    writer.finish().unwrap();
    String::from_utf8(bytes).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn ask(session: &Session, text: &str) -> Vec<Value> {
    let query = parse_query(text).unwrap_or_else(|error| panic!("{}", error.render(text)));
    let frame = session.btql(&query).await.unwrap_or_else(|error| panic!("{text}: {error:?}"));
    rows_of(session, frame).await
}

async fn ask_json(session: &Session, query: Value) -> Vec<Value> {
    let query = query_from_json(&query).unwrap();
    let frame = session.btql(&query).await.unwrap();
    rows_of(session, frame).await
}

fn texts(rows: &[Value], field: &str) -> Vec<String> {
    rows.iter().map(|row| row[field].as_str().unwrap_or_default().to_string()).collect()
}

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts
}

/// Ids of the logged spans that satisfy a condition.
fn ids(rows: &[Value], keep: impl Fn(&Value) -> bool) -> Vec<String> {
    sorted(rows.iter().filter(|row| keep(row)).map(|row| row["id"].as_str().unwrap().to_string()).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_are_filtered_one_by_one() {
    let (session, rows) = session().await;
    let check = async |filter: &str, expected: Vec<String>| {
        let text = format!("select: id | from: experiment('run') | filter: {filter} | limit: 1000");
        assert_eq!(sorted(texts(&ask(&session, &text).await, "id")), expected, "{filter}");
    };
    let metric = |row: &Value, name: &str| row["metrics"][name].as_f64();
    check("true", ids(&rows, |_| true)).await;
    check("error is not null", ids(&rows, |row| !row["error"].is_null())).await;
    check(
        "span_attributes.type = 'llm' and metrics.prompt_tokens > 20",
        ids(&rows, |row| row["span_attributes"]["type"] == "llm" && metric(row, "prompt_tokens") > Some(20.0)),
    )
    .await;
    check(
        "metrics.end - metrics.start > 2.5",
        ids(&rows, |row| metric(row, "end").zip(metric(row, "start")).is_some_and(|(end, start)| end - start > 2.5)),
    )
    .await;
    check(
        "span_attributes.purpose is null or span_attributes.purpose != 'scorer'",
        ids(&rows, |row| row["span_attributes"]["purpose"].is_null()),
    )
    .await;
    check("scores.good < 25%", ids(&rows, |row| row["scores"]["good"].as_f64().is_some_and(|good| good < 0.25))).await;
    check("tags includes 'even'", ids(&rows, |row| row["tags"].as_array().is_some_and(|tags| tags.len() == 2))).await;
    check("input.\"odd key\" % 7 = 0", ids(&rows, |row| row["input"]["odd key"].as_i64().is_some_and(|n| n % 7 == 0)))
        .await;
    check(
        "metadata.deep.list[-1] >= 20 -- the last\n",
        ids(&rows, |row| row["metadata"]["deep"]["list"][2].as_i64() >= Some(20)),
    )
    .await;
    check(
        "metadata.category in ['a', 'c'] ? metadata.n > 12 : false",
        ids(&rows, |row| row["metadata"]["category"] != "b" && row["metadata"]["n"].as_i64() > Some(12)),
    )
    .await;
    check(
        "created >= '2026-01-20' and is_root",
        ids(&rows, |row| row["created"].as_str() >= Some("2026-01-20") && row["span_parents"].is_null()),
    )
    .await;
    check("input.question match 'question 7'", ids(&rows, |row| row["input"]["question"] == "question 7")).await;
    check(
        "output ilike 'ANSWER 1_'",
        ids(&rows, |row| row["output"].as_str().is_some_and(|text| text.len() == 9 && text.starts_with("answer 1"))),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn traces_come_whole() {
    let (session, rows) = session().await;
    let of = |keep: &dyn Fn(usize) -> bool| -> Vec<String> {
        let traces: BTreeSet<String> = (0..TRACES).filter(|i| keep(*i)).map(|i| format!("trace{i:02}")).collect();
        ids(&rows, |row| traces.contains(row["root_span_id"].as_str().unwrap()))
    };
    let check = async |filter: &str, expected: Vec<String>| {
        let text = format!("select: id | from: experiment('run') traces | filter: {filter} | limit: 1000");
        assert_eq!(sorted(texts(&ask(&session, &text).await, "id")), expected, "{filter}");
    };
    check("metrics.prompt_tokens = 15", of(&|i| i == 5)).await;
    // Each condition may be met by another span of the trace.
    check("any_span(metrics.prompt_tokens > 30) and any_span(tags includes 'even')", of(&|i| i > 20 && i % 2 == 0))
        .await;
    // Of one span, both are never true.
    check("metrics.prompt_tokens > 30 and tags includes 'even'", of(&|_| false)).await;
    let two = ask(&session, "select: root_span_id | from: experiment('run') traces | limit: 2").await;
    assert_eq!(texts(&two, "root_span_id").into_iter().collect::<BTreeSet<_>>().len(), 2, "limit counts traces");
    assert_eq!(two.len(), 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn summaries_roll_a_trace_up() {
    let (session, _) = session().await;
    let text = "select: * | from: experiment('run') summary | filter: metadata.category = 'b' | limit: 100";
    let summaries = ask(&session, text).await;
    assert_eq!(summaries.len(), 8);
    for row in &summaries {
        let number = |value: &Value| value.as_f64();
        let scores: Value = match &row["scores"] {
            Value::String(text) => serde_json::from_str(text).unwrap(),
            other => other.clone(),
        };
        let metrics: Value = match &row["metrics"] {
            Value::String(text) => serde_json::from_str(text).unwrap(),
            other => other.clone(),
        };
        let i = row["root_span_id"].as_str().unwrap()["trace".len()..].parse::<usize>().unwrap();
        assert_eq!(i % 3, 1);
        assert!((number(&scores["good"]).unwrap() - i as f64 / TRACES as f64).abs() < 1e-12, "{row:#}");
        assert_eq!(number(&metrics["prompt_tokens"]), Some(10.0 + i as f64), "{row:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_have_the_numbers_of_their_rows() {
    let (session, rows) = session().await;
    let text = "dimensions: metadata.category as c | measures: count(1) as n, avg(metadata.n) as mean, max(metadata.n) as most, \
                percentile(metadata.n, 0.5) as middle | from: experiment('run') | filter: is_root | sort: c desc";
    let answer = ask(&session, text).await;
    let mut expected: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row["span_parents"].is_null()) {
        let category = row["metadata"]["category"].as_str().unwrap().to_string();
        expected.entry(category).or_default().push(row["metadata"]["n"].as_f64().unwrap());
    }
    assert_eq!(texts(&answer, "c"), ["c", "b", "a"]);
    for row in &answer {
        let values = &expected[row["c"].as_str().unwrap()];
        assert_eq!(row["n"].as_i64(), Some(values.len() as i64));
        assert!((row["mean"].as_f64().unwrap() - values.iter().sum::<f64>() / values.len() as f64).abs() < 1e-12);
        assert_eq!(row["most"].as_f64(), values.iter().copied().reduce(f64::max));
        assert!((row["middle"].as_f64().unwrap() - (values[3] + values[4]) / 2.0).abs() < 1e-9, "{row:#}");
    }
    let unpivoted = "unpivot: scores as (name, value) | dimensions: name | measures: count(value) as n, avg(value) as mean | \
                     from: experiment('run') | sort: name";
    let answer = ask(&session, unpivoted).await;
    assert_eq!(texts(&answer, "name"), ["good", "odd"]);
    assert_eq!((answer[0]["n"].as_i64(), answer[1]["n"].as_i64()), (Some(24), Some(19)));
    assert_eq!(answer[1]["mean"].as_f64(), Some(0.5));
    let tagged =
        "unpivot: tags as (tag) | dimensions: tag | measures: count(1) as n | from: experiment('run') | sort: tag";
    let answer = ask(&session, tagged).await;
    assert_eq!(answer, [json!({"tag": "all", "n": 24}), json!({"tag": "even", "n": 12})]);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_end_and_repeat_nothing() {
    let (session, rows) = session().await;
    for size in [1, 7, 96, 97] {
        let mut seen = Vec::new();
        let mut cursor = String::new();
        for page in 0.. {
            assert!(page <= rows.len() / size + 1, "pages do not end");
            let clause = if cursor.is_empty() { String::new() } else { format!(" | cursor: '{cursor}'") };
            let answer = ask(&session, &format!("select: id | from: experiment('run') | limit: {size}{clause}")).await;
            let Some(last) = answer.last() else { break };
            cursor = last["_pagination_key"].as_str().unwrap().to_string();
            seen.extend(texts(&answer, "id"));
        }
        assert_eq!(seen.len(), rows.len(), "page size {size}");
        assert_eq!(sorted(seen), ids(&rows, |_| true));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn text_and_json_say_the_same() {
    let (session, _) = session().await;
    let from = json!({"op": "function", "name": {"op": "ident", "name": ["experiment"]}, "args": [{"op": "literal", "value": "run"}]});
    let filter = json!({"op": "and", "children": [
        {"op": "eq", "left": {"op": "ident", "name": ["root_span_id"]}, "right": {"op": "literal", "value": "trace03"}},
        {"op": "or", "children": [
            {"op": "isnull", "expr": {"op": "ident", "name": ["span_attributes", "purpose"]}},
            {"op": "ne", "left": {"op": "ident", "name": ["span_attributes", "purpose"]}, "right": {"op": "literal", "value": "scorer"}},
        ]},
    ]});
    let by_json = ask_json(
        &session,
        json!({"select": [{"op": "star"}], "from": from, "filter": filter, "cursor": null, "limit": 1000}),
    )
    .await;
    let text = "select: * | from: experiment('run') | filter: root_span_id = 'trace03' and \
                (span_attributes.purpose is null or span_attributes.purpose != 'scorer') | limit: 1000";
    assert_eq!(by_json, ask(&session, text).await);
    assert_eq!(sorted(texts(&by_json, "id")), ["case03", "llm03", "task03"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_understood_has_a_place() {
    let (session, _) = session().await;
    let refused = async |text: &str, place: &str, word: &str| {
        let error = match parse_query(text) {
            Err(error) => error,
            Ok(query) => match session.btql(&query).await.map(drop).unwrap_err() {
                SessionError::Language { error, .. } => error,
                other => panic!("{text}: {other:?}"),
            },
        };
        assert_eq!(&text[error.position.start..error.position.end], place, "{error:?}");
        assert!(error.to_string().contains(word), "{error}");
    };
    refused("select: id | form: experiment('run')", "form", "`from`").await;
    refused("select: id | from: experimnt('run')", "experimnt", "experiment").await;
    refused("select: id | from: experiment('rum')", "experiment", "`run`").await;
    refused("select: idd | from: experiment('run')", "idd", "`id`").await;
    refused("select: lowr(id) | from: experiment('run')", "lowr", "`lower`").await;
    refused("select: id | from: experiment('run') | limit: -1", "-1", "whole number").await;
    refused("select: id | from: experiment('run') tracs", "tracs", "traces").await;
    refused("select: id | from: experiment('run') | filter: scores.god > 1", "scores.god", "`good`").await;
    refused("select: id | from: experiment('run') | filter: id > ", "", "value").await;
}
