//! What is easily mistaken for something else: each test is a file that was once read wrong.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use evalhouse_model::Span;
use parquet::arrow::ArrowWriter;
use rawzip::CompressionMethod;

use super::files::zip;
use super::{Collected, Collection, Files, read_well};
use crate::reason;

fn one(name: &str, text: &str, format: &str) -> Collection {
    let mut experiments = read_well(&[(name, text.as_bytes())], format);
    assert_eq!(experiments.len(), 1, "{text}");
    experiments.remove(0)
}

/// Reads a file whose bad rows are left out.
fn keep_going(name: &str, text: &str, format: &str) -> Collected {
    let (found, collected) = Files::new(&[(name, text.as_bytes())]).read();
    assert_eq!(found, format);
    collected.unwrap_or_else(|_| panic!("{text}"))
}

fn refusal(name: &str, text: &str) -> String {
    match Files::new(&[(name, text.as_bytes())]).read().1 {
        Err(crate::load::Stop::Fault(fault)) => fault.to_string(),
        _ => panic!("{text}"),
    }
}

/// The spans that a store keeps: of one id the newest, unless it is deleted.
fn live(experiment: &Collection) -> Vec<&Span> {
    let mut newest: HashMap<&str, &Span> = HashMap::new();
    for span in &experiment.spans {
        let known = newest.entry(&span.id).or_insert(span);
        *known = if span.version >= known.version { span } else { known };
    }
    newest.into_values().filter(|span| !span.deleted).collect()
}

fn states(experiment: &Collection, case: &str, names: &[&str]) -> Vec<String> {
    names.iter().map(|name| experiment.state(case, name).0).collect()
}

fn inspect(samples: &str) -> Collection {
    let head = r#"{"version":2,"status":"success","eval":{"eval_id":"e","task":"t"},"results":{},"samples":["#;
    one("log.json", &format!("{head}{samples}]}}"), "inspect")
}

#[test]
fn inspect_scorers_do_not_share_a_score() {
    let log = inspect(
        r#"{"id":1,"epoch":1,"input":"q","scores":{"accuracy":{"value":"C"},"judge":{"value":{"accuracy":0,"style":1}}}}"#,
    );
    let value = |name: &str| log.scores(name).into_values().next().unwrap();
    assert_eq!((value("accuracy"), value("judge.accuracy"), value("style")), (Some(1.0), Some(0.0), Some(1.0)));
    // The only score of an older log.
    let log = inspect(r#"{"id":1,"epoch":1,"input":"q","score":{"value":NaN}}"#);
    assert_eq!(log.state("1_epoch_0001", "score"), ("missing".into(), Some("\"NaN\"".into())));
}

#[test]
fn an_inspect_sample_that_is_replaced_leaves_nothing() {
    let call = |tokens: u32| {
        format!(r#"{{"event":"model","model":"m","input":[],"output":{{"usage":{{"input_tokens":{tokens}}}}}}}"#)
    };
    let first = format!(
        r#"{{"id":1,"epoch":1,"input":"q","scores":{{"match":{{"value":"I"}},"judge":{{"value":0}}}},"events":[{},{},{}]}}"#,
        call(100),
        call(200),
        call(300)
    );
    let second = r#"{"id":1,"epoch":1,"input":"q","scores":{"match":{"value":"C"}},"events":[CALL]}"#;
    let second = second.replace("CALL", &call(7));
    let third = format!(r#"{{"id":1,"epoch":1,"input":"q","events":[{},{}]}}"#, call(1), call(2));
    let other = r#"{"id":2,"epoch":1,"input":"q","scores":{"judge":{"value":1}}}"#;

    let log = inspect(&format!("{first},{other},{second}"));
    let kept = live(&log);
    let sum = |kept: &[&Span]| -> f64 {
        let metrics = kept.iter().flat_map(|span| &span.metrics).filter(|(name, _)| &**name == "prompt_tokens");
        metrics.map(|(_, tokens)| tokens).sum()
    };
    assert_eq!(sum(&kept), 7.0);
    let scores: Vec<_> =
        kept.iter().filter(|span| span.root_span_id == "1_epoch_0001").flat_map(|s| &s.scores).collect();
    assert_eq!((scores.len(), &*scores[0].0, scores[0].1), (1, "match", Some(1.0)));
    assert!(kept.iter().any(|span| span.id == "2_epoch_0001/score/judge"));

    let log = inspect(&format!("{first},{second},{third}"));
    let kept = live(&log);
    assert_eq!((sum(&kept), kept.len()), (3.0, 3));
}

#[test]
fn what_happened_in_an_inspect_scorer_stays_with_its_score() {
    let log = inspect(
        r#"{"id":1,"epoch":1,"input":"q","scores":{"match":{"value":1,"explanation":"attachment://h","metadata":{"k":"attachment://h","events":2}}},"metadata":{"doc":"attachment://h"},"error":{"message":"m","traceback":"attachment://h"},"attachments":{"h":"LONG"},"events":[{"event":"span_begin","id":"s","type":"scorer","name":"match"},{"event":"info","span_id":"s","data":"hello"},{"event":"error","span_id":"s","error":{"message":"boom"}}]}"#,
    );
    let scorer = log.spans.iter().find(|span| !span.scores.is_empty()).unwrap();
    let metadata: serde_json::Value = serde_json::from_str(scorer.metadata.as_deref().unwrap()).unwrap();
    assert_eq!((&metadata["k"], &metadata["events"]), (&"LONG".into(), &2.into()));
    assert_eq!(
        (&metadata["span.events"][0]["data"], metadata["span.events"][1]["event"].as_str()),
        (&"hello".into(), Some("error"))
    );
    assert!(scorer.output.as_deref().unwrap().contains(r#""explanation":"LONG""#));
    let case = log.root("1_epoch_0001");
    assert_eq!(case.error.as_deref(), Some(r#"{"message":"m","traceback":"LONG"}"#));
    assert!(case.metadata.as_deref().unwrap().contains(r#""doc":"LONG""#));
}

#[test]
fn summaries_stand_for_inspect_samples_that_are_not_there() {
    let head = r#"{"version":2,"status":"STATUS","eval":{"eval_id":"e","task":"t"},"results":{"total_samples":3}}"#;
    let summary = |id: u32, value: &str| {
        format!(r#"{{"id":{id},"epoch":1,"input":"short","target":"t","scores":{{"match":{{"value":"{value}"}}}}}}"#)
    };
    let sample = r#"{"id":1,"epoch":1,"input":"whole","scores":{"match":{"value":"C"}}}"#;
    let read = |members: &[(&str, &str)]| {
        let members = members.iter().map(|(name, text)| (*name, text.as_bytes().to_vec(), CompressionMethod::DEFLATE));
        let archive = zip(&members.collect::<Vec<_>>());
        Files::new(&[("log.eval", &archive)]).read().1.unwrap_or_else(|_| panic!("stopped"))
    };
    let all = format!("[{},{},{}]", summary(1, "I"), summary(2, "C"), summary(3, "I"));
    let done = head.replace("STATUS", "success");
    let broken = r#"{"id":2,"epoch":1,"input":"#;
    let collected = read(&[
        ("header.json", &done),
        ("samples/1.json", sample),
        ("samples/2.json", broken),
        ("summaries.json", &all),
    ]);
    let log = &collected.experiments[0];
    assert_eq!((collected.faults.len(), log.roots().count()), (1, 3));
    let values: Vec<_> = log.scores("match").into_values().collect();
    assert_eq!(values, [Some(1.0), Some(1.0), Some(0.0)]);
    assert!(log.root("1_epoch_0001").input.as_deref().unwrap().contains("whole"));

    // Of a run that died, the journal in the order of its numbers.
    let (first, later) = (format!("[{}]", summary(1, "I")), format!("[{},{}]", summary(1, "C"), summary(2, "C")));
    let start = head.replace("STATUS", "started");
    let journal = [
        ("_journal/start.json", &*start),
        ("_journal/summaries/10.json", &*later),
        ("_journal/summaries/2.json", &*first),
    ];
    let log = &read(&journal).experiments[0];
    let scores: Vec<_> = live(log).into_iter().flat_map(|span| &span.scores).map(|(_, value)| *value).collect();
    assert_eq!((scores, log.is_partial()), (vec![Some(1.0), Some(1.0)], true));
}

/// A span of OTLP: its id, the id of its parent, its attributes with texts and whole numbers as values.
fn otel(id: u32, parent: u32, attributes: &[(&str, &str)]) -> String {
    let value = |text: &str| match text.parse::<u32>() {
        Ok(number) => format!(r#"{{"intValue":"{number}"}}"#),
        Err(_) => format!(r#"{{"stringValue":{}}}"#, crate::json::quoted(text.trim_start_matches('\''))),
    };
    let pairs = attributes.iter().map(|(key, text)| format!(r#"{{"key":"{key}","value":{}}}"#, value(text)));
    let parent = if parent == 0 { String::new() } else { format!("{parent:016x}") };
    let attributes = pairs.collect::<Vec<_>>().join(",");
    format!(
        r#"{{"traceId":"{:032x}","spanId":"{id:016x}","parentSpanId":"{parent}","name":"n","attributes":[{attributes}]}}"#,
        1
    )
}

fn trace(spans: &[String]) -> String {
    format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{}]}}]}}]}}"#, spans.join(","))
}

#[test]
fn what_wraps_calls_of_a_model_does_not_count_their_tokens_again() {
    let (operation, tokens) = ("gen_ai.operation.name", "gen_ai.usage.input_tokens");
    let (vercel, prompt) = ("ai.operationId", "ai.usage.promptTokens");
    let spans = [
        otel(1, 0, &[(tokens, "40")]),
        otel(2, 1, &[(operation, "invoke_agent"), (tokens, "30")]),
        otel(3, 2, &[(operation, "chat"), (tokens, "10")]),
        otel(4, 2, &[(operation, "chat"), (tokens, "20")]),
        otel(5, 1, &[(vercel, "ai.generateText"), ("ai.model.id", "m"), (prompt, "10")]),
        otel(6, 5, &[(vercel, "ai.generateText.doGenerate"), ("gen_ai.request.model", "m"), (prompt, "10")]),
    ];
    let run = one("traces.json", &trace(&spans), "otlp");
    assert_eq!(run.sum("prompt_tokens"), 40.0);
    let calls = run.spans.iter().filter(|span| span.span_type.as_deref() == Some("llm")).count();
    assert_eq!(calls, 3);
    // What the wrapper says stays among its attributes; alone it is all that is known.
    let agent = run.spans.iter().find(|span| span.span_id.ends_with('2')).unwrap();
    assert!(agent.metadata.as_deref().unwrap().contains(r#""gen_ai.usage.input_tokens":30"#));
    let alone = one("traces.json", &trace(&spans[..2]), "otlp");
    assert_eq!(alone.sum("prompt_tokens"), 30.0);
    // What a judge used is not what the agent used.
    let judged = [
        otel(1, 0, &[]),
        otel(2, 1, &[(operation, "invoke_agent"), (tokens, "30")]),
        otel(3, 2, &[("openinference.span.kind", "EVALUATOR")]),
        otel(4, 3, &[(operation, "chat"), (tokens, "500")]),
    ];
    assert_eq!(one("traces.json", &trace(&judged), "otlp").sum("prompt_tokens"), 30.0);
}

#[test]
fn a_fault_is_reported_once() {
    let good = trace(&[otel(1, 0, &[("input.value", "i")])]);
    let collected = keep_going("traces.jsonl", &format!("{good}\n{{\"resourceSpans\":[oops]}}\n"), "otlp");
    assert_eq!(collected.faults.len(), 1);
    let row = r#"{"promptIdx":0,"testIdx":0,"vars":{},"success":true,"score":1}"#;
    let collected = keep_going("rows.jsonl", &format!("{row}\n{{\"promptIdx\":0, bad}}\n"), "promptfoo");
    assert_eq!(collected.faults.len(), 1);
    let document = format!(r#"{{"results":{{"version":3,"stats":{{}},"results":[{row},7]}}}}"#);
    assert_eq!(keep_going("out.json", &document, "promptfoo").faults.len(), 1);
}

#[test]
fn a_source_that_is_cut_off_gives_what_came_before() {
    let trace = |number: u32| {
        let text = trace(&[otel(1, 0, &[("langfuse.experiment.name", &format!("run {number}"))])]);
        text.replace(&format!("{:032x}", 1), &format!("{number:032x}"))
    };
    let row = |column: u32| format!(r#"{{"promptIdx":{column},"testIdx":0,"vars":{{}},"success":true,"score":1}}"#);
    let line = r#"{"doc_id":0,"doc":1,"target":1,"resps":[],"filtered_resps":[],"metrics":["acc"],"acc":1}"#;
    let rows = |rows: &[String]| rows.join("\n");
    let document =
        format!(r#"{{"results":{{"version":3,"stats":{{}},"results":[{},{},{{"promptIdx":0"#, row(0), row(1));
    let sources = [
        ("rows.jsonl", rows(&[row(0), row(1), r#"{"promptIdx":0,"te"#.into()]), "promptfoo", 2),
        ("out.json", document, "promptfoo", 2),
        ("traces.jsonl", rows(&[trace(2), trace(3), r#"{"resourceSpans":[{"#.into()]), "otlp", 2),
        ("samples_t.jsonl", rows(&[line.into(), r#"{"doc_id":1"#.into()]), "lm-eval", 1),
        ("rows.jsonl", "{\"question\":\"q\",\"score\":1}\n{\"question\":\"q3\",\"ans".into(), "generic", 1),
        ("rows.json", "[{\"question\":\"q\",\"score\":1},\n{\"question\":\"q3\",\"ans".into(), "generic", 1),
    ];
    for (name, text, format, count) in sources {
        let experiments = read_well(&[(name, text.as_bytes())], format);
        let cut = experiments.iter().filter(|one| one.is_partial() && one.record.notes[reason::CUT_OFF] == 1);
        assert_eq!((experiments.len(), cut.count()), (count, count), "{text}");
    }
}

#[test]
fn four_facts_of_attributes_stay_four() {
    let event = |attributes: &str| format!(r#"{{"name":"gen_ai.evaluation.result","attributes":[{attributes}]}}"#);
    let name = |name: &str| format!(r#"{{"key":"gen_ai.evaluation.name","value":{{"stringValue":"{name}"}}}}"#);
    let score = r#"{"key":"gen_ai.evaluation.score.value","value":{"doubleValue":NUMBER}}"#;
    let events = [
        event(&format!("{},{}", name("none"), score.replace("NUMBER", "\"NaN\""))),
        event(&format!("{},{}", name("zero"), score.replace("NUMBER", "0.0"))),
        event(&format!(r#"{},{{"key":"error.type","value":{{"stringValue":"timeout"}}}}"#, name("failed"))),
        event(&name("missing")),
    ];
    let span = otel(
        1,
        0,
        &[
            ("annotations.0.annotation.name", "n1"),
            ("annotations.0.annotation.score", "NaN"),
            ("braintrust.scores", r#"{"b":null,"c":NaN}"#),
            ("braintrust.scores.d", "1"),
            ("braintrust.metrics.foo", "2"),
            ("braintrust.metadata.k", "v"),
            ("braintrust.span_attributes", r#"{"type":"tool"}"#),
        ],
    );
    let span = format!(r#"{},"events":[{}]}}"#, &span[..span.len() - 1], events.join(","));
    let run = one("traces.json", &trace(&[otel(9, 0, &[]), span]), "otlp");
    let trace = format!("{:032x}", 1);
    assert_eq!(states(&run, &trace, &["none", "zero", "failed", "missing"]), ["missing", "ok", "error", "missing"]);
    assert_eq!(run.state(&trace, "none").1.as_deref(), Some("\"NaN\""));
    assert_eq!(run.state(&trace, "missing").1, None);
    assert_eq!(run.state(&trace, "n1").1.as_deref(), Some("\"NaN\""));
    assert_eq!((run.state(&trace, "b").1, run.state(&trace, "c").1.as_deref()), (None, Some("\"NaN\"")));
    assert_eq!((run.mean("d"), run.sum("foo")), (1.0, 2.0));
    let tool = run.spans.iter().find(|span| span.span_type.as_deref() == Some("tool")).unwrap();
    assert!(tool.metadata.as_deref().unwrap().contains(r#""k":"v""#));
}

#[test]
fn texts_of_attributes_stay_texts() {
    let texts = |attributes: &[(&str, &str)]| {
        let run = one("traces.json", &trace(&[otel(1, 0, attributes)]), "otlp");
        let case = run.roots().next().unwrap();
        (case.input.clone().unwrap(), case.output.clone().unwrap())
    };
    let both = |input: &str, output: &str| (input.to_string(), output.to_string());
    assert_eq!(texts(&[("gen_ai.prompt", "'42"), ("gen_ai.completion", "null")]), both("\"42\"", "\"null\""));
    assert_eq!(texts(&[("ai.prompt", r#"{"a":1}"#), ("ai.response.text", "true")]), both(r#"{"a":1}"#, "\"true\""));
    assert_eq!(texts(&[("mlflow.spanInputs", "'\"x\""), ("gen_ai.completion", "[1]")]), both("\"x\"", "[1]"));
}

#[test]
fn the_experiment_of_a_trace_is_named_by_the_most_telling_attribute() {
    let spans = [
        otel(1, 0, &[("braintrust.parent", "experiment_name:b"), ("langfuse.experiment.name", "l")]),
        otel(2, 1, &[("evalhouse.experiment", "own"), ("braintrust.parent", "experiment_name:b")]),
    ];
    assert_eq!(one("traces.json", &trace(&spans), "otlp").run.name, "own");
    assert_eq!(one("traces.json", &trace(&spans[..1]), "otlp").run.name, "l");
}

#[test]
fn columns_that_come_later_are_learned() {
    let rows = concat!(
        "{\"question\":\"q1\",\"error\":\"boom\"}\n",
        "{\"question\":\"q2\",\"answer\":\"a\",\"score\":1,\"expected\":\"E\"}\n"
    );
    let run = one("rows.jsonl", rows, "generic");
    let second = run.root("row-00000002");
    assert_eq!((second.output.as_deref(), second.expected.as_deref()), (Some("\"a\""), Some("\"E\"")));
    assert_eq!(run.mean("score"), 1.0);
    let two = "[{\"question\":\"q\",\"score\":1},{\"question\":\"q\",\"prompt\":\"p\",\"score\":1}]";
    assert!(refusal("rows.json", two).contains("`question` and `prompt`"));
    // Behind the rows that are looked at, a column has the role of its very name, if that is free.
    let mut many = "{\"input\":\"q\",\"score\":1}\n".repeat(300);
    many += "{\"input\":\"q\",\"score\":0,\"output\":\"o\",\"question\":\"x\",\"error\":\"e\"}\n";
    let run = one("rows.jsonl", &many, "generic");
    let last = run.root("row-00000301");
    assert_eq!((last.output.as_deref(), last.error.as_deref()), (Some("\"o\""), Some("\"e\"")));
    assert_eq!(last.metadata.as_deref(), Some("{\"question\":\"x\"}"));
}

#[test]
fn two_columns_are_not_one_score_or_metric() {
    let fault = refusal("rows.csv", "question,score,latency_ms,duration_s\nq,1,5,6\n");
    assert!(fault.contains("`duration_s` and `latency_ms` could be the metrics.duration"), "{fault}");
    assert!(refusal("rows.csv", "question,score_f1,scores.f1\nq,1,5\n").contains("scores.f1"));
}

#[test]
fn a_cell_too_many_is_a_fault_and_one_too_few_is_empty() {
    let collected = keep_going("rows.csv", "question,answer,score\nHello, world,ans,1\nok,a\nok,b,1,,\n", "generic");
    assert_eq!((collected.faults.len(), collected.faults[0].line), (1, 2));
    let run = &collected.experiments[0];
    assert_eq!((run.roots().count(), run.mean("score")), (2, 1.0));
    assert_eq!(run.state("row-00000001", "score").0, "missing");
}

#[test]
fn objects_in_cells_are_scores_and_metrics() {
    let run =
        one("rows.csv", "input,output,scores,metrics\nq,a,\"{\"\"acc\"\":1}\",\"{\"\"x\"\":2}\"\nq,a,,\n", "generic");
    assert_eq!((run.mean("acc"), run.sum("x")), (1.0, 2.0));
    assert!(run.roots().all(|case| case.metadata.is_none()));
}

#[test]
fn rows_are_trials_in_the_order_that_they_say() {
    let outputs = |text: &str| {
        let run = one("rows.csv", text, "generic");
        let mut rows: Vec<_> = run.roots().map(|case| (case.id.clone(), case.output.clone().unwrap())).collect();
        rows.sort();
        rows.into_iter().map(|(_, output)| output).collect::<Vec<_>>()
    };
    assert_eq!(outputs("question,answer,trial\nq,c,2\nq,b,1\nq,a,0\n"), ["\"a\"", "\"b\"", "\"c\""]);
    assert_eq!(outputs("id,question,answer,trial\nx,q,b,1\nx,q,a,0\n"), ["\"a\"", "\"b\""]);
    // What is behind a repeated id is the id of another row.
    assert_eq!(outputs("id,question,answer\nx,q1,a\nx,q1,b\nx_0002,q2,c\nx,q1,d\n").len(), 4);
}

#[test]
fn an_empty_error_is_none_and_a_row_that_failed_has_no_score() {
    let run = one(
        "rows.jsonl",
        concat!(
            "{\"question\":\"q\",\"answer\":\"\",\"score\":1,\"error\":\"\"}\n",
            "{\"question\":\"q\",\"answer\":\"a\",\"score\":0,\"error\":false}\n",
            "{\"question\":\"q\",\"answer\":\"a\",\"score\":NaN,\"error\":null}\n",
            "{\"question\":\"q\",\"answer\":\"a\",\"score\":null,\"error\":\"x\"}\n",
            "{\"question\":\"\\ud800\",\"answer\":\"a\",\"other\":NaN}\n"
        ),
        "generic",
    );
    let errors: Vec<_> = run.roots().map(|case| case.error.as_deref()).collect();
    assert_eq!(errors, [None, None, None, Some("\"x\""), None]);
    let state = |row: u32| run.state(&format!("row-{row:08}"), "score");
    assert_eq!((state(1).0, state(2).0, state(4).0), ("ok".into(), "ok".into(), "error".into()));
    assert_eq!(state(3), ("missing".into(), Some("\"NaN\"".into())));
    assert_eq!((run.record.notes[reason::LONE_SURROGATE], run.record.notes[reason::NAN_VALUE]), (1, 2));
}

#[test]
fn parquet_keeps_what_is_not_a_number_apart_from_what_is_not_there() {
    let columns: [(&str, ArrayRef); 4] = [
        ("question", Arc::new(StringArray::from(vec!["q1", "q2", "q3", "q4"]))),
        ("score", Arc::new(Float64Array::from(vec![Some(0.0), Some(f64::NAN), None, None]))),
        ("error", Arc::new(StringArray::from(vec![None, None, None, Some("boom")]))),
        ("latency_ms", Arc::new(Float64Array::from(vec![Some(f64::NAN), Some(2e16), None, None]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut file = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let run = read_well(&[("rows.parquet", &file)], "generic").remove(0);
    let state = |row: u32| run.state(&format!("row-{row:08}"), "score");
    assert_eq!(state(1), ("ok".into(), Some("0.0".into())));
    assert_eq!(state(2), ("missing".into(), Some("\"NaN\"".into())));
    assert_eq!((state(3), state(4)), (("missing".into(), None), ("error".into(), None)));
    assert_eq!(run.sum("duration"), 2e13);
}

#[test]
fn a_table_of_anybody_is_not_braintrusts() {
    let run = one("rows.csv", "input,output,expected,scores,score_x\nq,a,e,,0.5\n", "generic");
    assert_eq!(run.mean("x"), 0.5);
}

#[test]
fn texts_of_braintrusts_tables_stay_texts() {
    let text = "id,input,output,expected,scores.acc,metrics.n,metadata.zip,span_attributes\n\
                r1,42,NaN,1.0,0.5,3,007,\n\
                r2,\"{\"\"a\"\":1}\",true,\"\"\"x\"\"\",true,N/A,,\n";
    let run = one("rows.csv", text, "braintrust-table");
    let case = run.root("r1");
    assert_eq!((case.input.as_deref(), case.output.as_deref()), (Some("\"42\""), Some("\"NaN\"")));
    assert_eq!((case.expected.as_deref(), case.metadata.as_deref()), (Some("\"1.0\""), Some("{\"zip\":\"007\"}")));
    let case = run.root("r2");
    assert_eq!((case.input.as_deref(), case.output.as_deref()), (Some("{\"a\":1}"), Some("\"true\"")));
    assert_eq!((case.expected.as_deref(), run.sum("n"), run.mean("acc")), (Some("\"x\""), 3.0, 0.75));
}

#[test]
fn the_last_of_two_rows_of_promptfoo_counts() {
    let row = |success: bool, test: u32| {
        format!(
            r#"{{"promptIdx":0,"testIdx":{test},"vars":{{"q":{test}}},"success":{success},"gradingResult":{{"componentResults":[{{"pass":true}}]}}}}"#
        )
    };
    let text = [row(false, 0), row(true, 1), row(true, 0)].join("\n");
    let run = one("rows.jsonl", &text, "promptfoo");
    assert_eq!((run.roots().count(), run.mean("pass"), run.record.notes[reason::REPEATED_RECORD]), (2, 1.0, 1));
}

#[test]
fn a_table_of_promptfoo_has_its_columns_by_their_places() {
    let text = concat!(
        "Description,question,[echo-a] ask,Status,Score,Named Scores,Grader Reason,Comment,",
        "[echo-b] ask,Status,Score,Metric: tone,Grader Reason,Comment\n",
        "d,q1,a1,PASS,1,\"{\"\"has\"\":1}\",good,,b1,FAIL,0.25,0.5,bad,hm\n",
        ",q2,a2,ERROR,0,,boom,,b2,PASS,1,1,,\n"
    );
    let columns = read_well(&[("out.csv", text.as_bytes())], "promptfoo");
    let names: Vec<&str> = columns.iter().map(|column| column.run.name.as_str()).collect();
    assert_eq!(names, ["echo-a · ask", "echo-b · ask"]);
    assert_eq!(columns[0].scores("pass").into_values().collect::<Vec<_>>(), [Some(1.0), None]);
    assert_eq!(states(&columns[0], "00000001", &["pass", "score"]), ["error", "error"]);
    assert_eq!((columns[0].mean("has"), columns[1].mean("tone"), columns[1].mean("score")), (1.0, 0.75, 0.625));
    let case = columns[1].root("00000000");
    assert_eq!((case.input.as_deref(), case.output.as_deref()), (Some("{\"question\":\"q1\"}"), Some("\"b1\"")));
    assert!(case.error.is_none() && case.metadata.as_deref().unwrap().contains("\"comment\":\"hm\""));
}

#[test]
fn tokens_of_promptfoos_graders_are_theirs() {
    let row = r#"{"promptIdx":0,"testIdx":0,"vars":{},"success":true,"tokenUsage":{"total":7,"prompt":5,"assertions":{"total":150,"prompt":100}},"gradingResult":{"tokensUsed":{"total":150},"componentResults":[{"pass":true}]}}"#;
    let run = one("rows.jsonl", row, "promptfoo");
    assert_eq!(run.sum("tokens"), 7.0);
    let graders = run.spans.iter().find(|span| span.name.as_deref() == Some("graders")).unwrap();
    assert_eq!(
        (graders.purpose.as_deref(), &*graders.metrics[0].0, graders.metrics[0].1),
        (Some("scorer"), "prompt_tokens", 100.0)
    );
}

#[test]
fn the_last_of_two_lines_of_lm_eval_counts() {
    let line = |doc: u32, filter: &str, value: u32| {
        format!(
            r#"{{"doc_id":{doc},"doc":{{"q":1}},"target":1,"resps":[],"filtered_resps":["{value}"],"filter":"{filter}","metrics":["acc"],"acc":{value}}}"#
        )
    };
    let lines = [line(0, "none", 0), line(0, "strict", 1), line(1, "none", 1), line(0, "none", 1)].join("\n");
    let run = one("samples_t.jsonl", &lines, "lm-eval");
    assert_eq!(run.record.notes[reason::REPEATED_RECORD], 1);
    let kept = live(&run);
    let case = kept.iter().find(|span| span.id == "t/0").unwrap();
    assert_eq!(
        (case.output.as_deref(), kept.iter().filter(|span| span.span_parents.is_empty()).count()),
        (Some("\"1\""), 2)
    );
    let scores = kept.iter().filter(|span| span.root_span_id == "t/0").flat_map(|span| &span.scores);
    assert!(scores.clone().all(|(_, value)| *value == Some(1.0)) && scores.count() == 2);
}

#[test]
fn results_of_lm_eval_that_are_cut_off_still_have_their_samples() {
    let results = r#"{"results":{},"configs":{},"versions":{},"n-samples":{"t":{"effec"#;
    let line = r#"{"doc_id":0,"doc":1,"target":1,"resps":[],"filtered_resps":[],"metrics":["acc"],"acc":1}"#;
    let stamp = "2025-01-01T00-00-00.123456";
    let names = [format!("results_{stamp}.json"), format!("samples_t_{stamp}.jsonl")];
    let run = read_well(&[(&names[0], results.as_bytes()), (&names[1], line.as_bytes())], "lm-eval").remove(0);
    assert_eq!((run.roots().count(), run.is_partial(), run.record.notes[reason::CUT_OFF]), (1, true, 1));
}

#[test]
fn packed_files_of_lm_eval_are_one_run() {
    let results = r#"{"results":{},"configs":{},"versions":{},"n-samples":{"t":{"effective":1}}}"#;
    let line = r#"{"doc_id":0,"doc":1,"target":1,"resps":[],"filtered_resps":[],"metrics":["acc"],"acc":1}"#;
    let packed = zstd::encode_all(line.as_bytes(), 1).unwrap();
    let stamp = "2025-01-01T00-00-00.123456";
    let (first, second) = (format!("results_{stamp}.json"), format!("samples_t_{stamp}.jsonl.zst"));
    for (main, other, contents) in
        [(&first, &second, [results.as_bytes(), &packed]), (&second, &first, [&packed, results.as_bytes()])]
    {
        let run = read_well(&[(main, contents[0]), (other, contents[1])], "lm-eval").remove(0);
        assert_eq!((run.roots().count(), run.record.declared_total), (1, Some(1)), "{main}");
    }
}
