//! BTQL queries, text and JSON, against what the logged rows say.

use std::collections::{BTreeMap, BTreeSet};

use evalhouse_language::{parse_query, query_from_json};
use evalhouse_model::CustomColumn;
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

/// Two experiments of one project whose rows have the same ids. Their traces are interleaved in time:
/// the spans of a trace are logged five minutes apart, the traces one.
async fn interleaved() -> Store {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(&memory_url()).await.unwrap();
    for run in ["one", "two"] {
        let mut rows = Vec::new();
        for trace in 0..6 {
            for (span, (name, kind)) in [("case", "eval"), ("call", "llm"), ("tool", "tool")].into_iter().enumerate() {
                let scores = json!({"A": trace as f64 / 6.0, "B": 0.5});
                let mut row = json!({
                    "id": format!("s{trace}{span}"), "span_id": format!("s{trace}{span}"),
                    "root_span_id": format!("s{trace}0"), "created": format!("2026-01-01T10:{:02}:00Z", trace + 5 * span),
                    "span_attributes": {"name": name, "type": kind},
                });
                match span {
                    0 => {
                        row["input"] = json!({"n": trace});
                        row["output"] = json!("x".repeat(300));
                        row["metadata"] = json!({"Tier": if trace % 2 == 0 { "pro" } else { "Free" }, "run": run});
                        row["tags"] = json!((0..trace).map(|tag| format!("t{tag}")).collect::<Vec<_>>());
                        row["scores"] = scores;
                    }
                    _ => row["span_parents"] = json!([format!("s{trace}0")]),
                }
                if span == 1 {
                    row["metrics"] = json!({"cached": trace % 2, "prompt_tokens": 10 * trace});
                }
                if span == 2 && trace == 3 {
                    row["error"] = json!("Timeout");
                }
                rows.push(row.to_string());
            }
        }
        let path = folder.path().join(format!("{run}.jsonl"));
        std::fs::write(&path, rows.join("\n")).unwrap();
        import_into(&store, &path, "p").await;
    }
    store
}

/// Every page of a query, one after the other; each ends where the cursor of its last row says.
async fn pages(session: &Session, query: &str) -> Vec<Vec<Value>> {
    let (mut pages, mut clause) = (Vec::new(), String::new());
    loop {
        assert!(pages.len() < 200, "pages do not end: {query}");
        let page = ask(session, &format!("{query}{clause}")).await;
        let Some(last) = page.last() else { return pages };
        clause = format!(" | cursor: '{}'", last["_pagination_key"].as_str().unwrap());
        pages.push(page);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_traces_and_of_elements_lose_nothing() {
    let session = open(interleaved().await).await;
    let trace = |row: &Value| format!("{}/{}", row["experiment"], row["root_span_id"]);
    for order in ["", " | sort: _pagination_key asc", " | sort: _xact_id desc"] {
        for (size, from) in [(1, "'one', 'two'"), (4, "'one', 'two'"), (1, "'one'"), (5, "'one'")] {
            let query = format!(
                "select: id, experiment, root_span_id | from: experiment({from}) traces{order} | limit: {size}"
            );
            let pages = pages(&session, &query).await;
            let traces: usize = if from.contains(',') { 12 } else { 6 };
            assert_eq!(pages.len(), traces.div_ceil(size), "{query}");
            let mut seen = Vec::new();
            for page in &pages {
                let of_page: BTreeSet<String> = page.iter().map(trace).collect();
                assert_eq!(page.len(), 3 * of_page.len(), "a trace comes whole: {query}");
                seen.extend(of_page);
            }
            assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), traces, "{query}");
            assert_eq!(seen.len(), traces, "{query}");
        }
    }
    let oldest = "select: root_span_id | from: experiment('one') traces | sort: _pagination_key | limit: 1";
    assert!(ask(&session, oldest).await.iter().all(|row| row["root_span_id"] == "s00"));
    // Rows of one span: 0 + 1 + … + 5 tags, and 2 scores of 6 cases.
    for size in [1, 2, 7] {
        for (unpivot, rows) in [("tags as (t)", 15), ("scores as (k, t)", 12)] {
            for shape in ["", " summary"] {
                let query =
                    format!("select: id, t | from: experiment('one'){shape} | unpivot: {unpivot} | limit: {size}");
                let all = pages(&session, &query).await.concat();
                let seen: BTreeSet<String> = all.iter().map(Value::to_string).collect();
                assert_eq!((all.len(), seen.len()), (rows, rows), "{query}");
            }
        }
    }
    // Rows of the same id in two experiments.
    for shape in ["spans", "summary"] {
        let query = format!("select: id, experiment_id | from: experiment('one', 'two') {shape} | limit: 1");
        assert_eq!(pages(&session, &query).await.len(), if shape == "spans" { 36 } else { 12 });
    }
    let grouped = parse_query("measures: count(*) as n | from: experiment('one') | cursor: 'x'").unwrap();
    let SessionError::Language { error, .. } = session.btql(&grouped).await.map(drop).unwrap_err() else { panic!() };
    assert!(error.message.contains("no pages"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn samples_of_traces_are_whole_traces() {
    let session = open(interleaved().await).await;
    for (sample, most) in [("3", 3), ("50%", 12), ("100%", 12), ("0", 0)] {
        let query =
            format!("select: experiment, root_span_id | from: experiment('one', 'two') traces | sample: {sample}");
        let rows = ask(&session, &query).await;
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for row in &rows {
            *counts.entry(format!("{}{}", row["experiment"], row["root_span_id"])).or_default() += 1;
        }
        assert!(counts.values().all(|spans| *spans == 3), "{sample}: {counts:?}");
        assert!(counts.len() <= most && (sample.ends_with('%') || counts.len() == most), "{sample}: {counts:?}");
        assert_eq!(rows, ask(&session, &query).await, "{sample}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn any_span_stands_wherever_a_condition_does() {
    let session = open(interleaved().await).await;
    let failed = "any_span(type = 'tool' and error is not null)";
    let long = "any_span(metrics.prompt_tokens >= 40)";
    for (filter, traces) in [
        (failed.to_string(), vec![3]),
        (format!("{failed} or {long}"), vec![3, 4, 5]),
        (format!("not ({failed} or {long})"), vec![0, 1, 2]),
        (format!("{long} and not any_span(metrics.cached = 1)"), vec![4]),
        (format!("{failed} ? true : input.n = 1"), vec![1, 3]),
        (format!("input.n < 1 or {long} and {failed} or input.n = 2"), vec![0, 2]),
    ] {
        let expected: Vec<String> = traces.iter().map(|trace| format!("s{trace}0")).collect();
        let found = async |query: String| sorted(texts(&ask(&session, &query).await, "id"));
        let summary = format!("select: id | from: experiment('one') summary | filter: {filter}");
        assert_eq!(found(summary).await, expected, "{filter}");
        let roots = format!("select: id | from: experiment('one') | filter: is_root and ({filter})");
        assert_eq!(found(roots).await, expected, "{filter}");
        let whole = format!("select: id | from: experiment('one') traces | filter: is_root and ({filter})");
        assert_eq!(found(whole).await.len(), 3 * expected.len(), "{filter}");
        // As a condition on cases.
        let cases = session.table(evalhouse_session::CASES).await.unwrap();
        let condition = session.condition(&format!("experiment = 'two' and ({filter})"), cases.schema()).unwrap();
        let kept = cases.filter(condition).unwrap().select_columns(&["id"]).unwrap();
        assert_eq!(sorted(texts(&rows_of(&session, kept).await, "id")), expected, "{filter}");
    }
    let cases = session.table(evalhouse_session::CASES).await.unwrap();
    for (text, word) in [
        ("any_span(any_span(error is null))", "within another"),
        ("any_span(scores.C = 1)", "there is no score `C`"),
        ("any_span(1)", "expected a condition"),
    ] {
        let SessionError::Language { error, .. } = session.condition(text, cases.schema()).unwrap_err() else {
            panic!()
        };
        assert!(error.message.contains(word), "{error}");
    }
    let SessionError::Language { error, .. } = session.expression(failed, cases.schema()).unwrap_err() else {
        panic!()
    };
    assert!(error.message.contains("in a filter"), "{error}");
    assert!(session.key_value(failed, cases.schema()).is_err() && session.spelled(failed, cases.schema()).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_settings_add_is_asked_of_cases_and_never_silently_of_spans() {
    let store = interleaved().await;
    let overall = json!({"type": "minimum", "categories": ["A", "B"]});
    let changed = store.change_settings("p", |settings| {
        settings.aggregate_scores.insert("Worst".into(), serde_json::from_value(overall.clone()).unwrap());
        let tier = CustomColumn { expr: "lower(metadata.Tier)".into(), data_type: None };
        settings.columns.insert("Tier".into(), tier);
        Ok::<_, ()>(())
    });
    changed.await.unwrap().unwrap();
    let session = open(store).await;
    let found = async |filter: &str| {
        let query = format!("select: id | from: experiment('one') summary | filter: {filter}");
        sorted(texts(&ask(&session, &query).await, "id"))
    };
    assert_eq!(found("scores.Worst < 0.4").await, ["s00", "s10", "s20"]);
    assert_eq!(found("Tier = 'free'").await, ["s10", "s30", "s50"]);
    assert_eq!(found("metadata.Tier = 'free'").await, Vec::<String>::new());
    assert_eq!(found("Tier = 'free' and type = 'tool' and error is not null").await, ["s30"]);
    assert_eq!(found("Tier = 'pro' and type = 'tool' and error is not null").await, Vec::<String>::new());
    assert_eq!(found("Tier = 'free' and any_span(error is not null)").await, ["s30"]);
    assert_eq!(found("(scores.Worst < 0.1 or any_span(error is not null)) and tier = 'free'").await, ["s30"]);
    let refused = async |text: &str, word: &str| match session.btql(&parse_query(text).unwrap()).await.map(drop) {
        Err(SessionError::Language { error, .. }) => assert!(error.message.contains(word), "{text}: {error}"),
        other => panic!("{text}: {other:?}"),
    };
    for shape in ["spans", "traces"] {
        let from = format!("from: experiment('one') {shape}");
        refused(&format!("select: id | {from} | filter: scores.Worst < 0.4"), "aggregate score").await;
        refused(&format!("select: scores.Worst | {from}"), "aggregate score").await;
        refused(&format!("select: id | {from} | filter: Tier = 'free'"), "custom column").await;
        refused(&format!("dimensions: tier | measures: count(*) as n | {from}"), "custom column").await;
    }
    refused("select: id | from: experiment('one') summary | filter: any_span(Tier = 'free')", "custom column").await;
    // SQL has no second reading either.
    let error = session.sql("select scores.Worst from spans").await.unwrap_err().to_string();
    assert!(error.contains("Worst"), "{error}");
    let sql = "select count(*) as n from cases where scores.Worst < 0.4 and experiment = 'one'";
    let counted = rows_of(&session, session.sql(sql).await.unwrap()).await;
    assert_eq!(counted, [json!({"n": 3})]);
}

#[tokio::test(flavor = "multi_thread")]
async fn summaries_are_objects_with_previews() {
    let session = open(interleaved().await).await;
    let written = async |text: &str| -> Vec<Value> {
        let frame = session.btql(&parse_query(text).unwrap()).await.unwrap();
        let batches = frame.collect().await.unwrap();
        // As the program writes JSON.
        evalhouse_report::json_rows(&batches).unwrap().into_iter().map(Value::from).collect()
    };
    for query in ["select: * | ", "select: scores, metrics, span_type_info | "] {
        let rows = written(&format!("{query}from: experiment('one') summary | sort: id | limit: 6")).await;
        assert!(rows.iter().all(|row| row.to_string().contains(r#"{"A":"#)), "{query}{rows:?}");
        assert!(rows[3].to_string().contains(r#""prompt_tokens":30"#), "{query}{rows:?}");
        assert!(rows[3].to_string().contains(r#""has_error":true"#), "{query}{rows:?}");
    }
    let rows = ask(&session, "select: * | from: experiment('one') summary | sort: id").await;
    let info = |row: &Value| serde_json::from_str::<Value>(row["span_type_info"].as_str().unwrap()).unwrap();
    assert_eq!(info(&rows[3]), json!({"name": "case", "type": "eval", "cached": true, "has_error": true}));
    assert_eq!(info(&rows[2]), json!({"name": "case", "type": "eval", "cached": false, "has_error": false}));
    let length = async |clause: &str| {
        let query = format!(
            "select: id, output, output as o, len(output) as n | from: experiment('one') summary | limit: 1{clause}"
        );
        let row = ask(&session, &query).await.remove(0);
        assert_eq!(row["n"], 300);
        assert_eq!(row["output"], row["o"]);
        row["output"].as_str().unwrap().len()
    };
    assert_eq!(length("").await, 124);
    assert_eq!(length(" | preview_length: 10").await, 10);
    assert_eq!(length(" | preview_length: -1").await, 302);
    let spans = ask(&session, "select: output | from: experiment('one') | filter: is_root | limit: 1").await;
    assert_eq!(spans[0]["output"].as_str().unwrap().len(), 302, "spans are no previews");
}

#[test]
fn a_request_is_read_for_its_query() {
    let query = json!({"select": [{"op": "star"}], "limit": 5});
    let request = json!({
        "query": query, "use_columnstore": false, "brainstore_realtime": true, "query_source": "js_sdk", "version": null,
    });
    assert_eq!(query_from_json(&request).unwrap(), query_from_json(&query).unwrap());
    let text = json!({"query": "select: id | from: experiment('v')", "fmt": "json"});
    assert_eq!(query_from_json(&text).unwrap(), parse_query("select: id | from: experiment('v')").unwrap());
    // What would change the answer is not left out.
    for request in [
        json!({"query": query, "version": "123"}),
        json!({"query": query, "limit": 1}),
        json!({"query": {"query": query}}),
    ] {
        assert!(query_from_json(&request).is_err(), "{request}");
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
