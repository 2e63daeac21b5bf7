//! What becomes of the small file of each format.

use rawzip::CompressionMethod;

use super::files::{INSPECT, all, inspect_archive, named};
use super::{Collection, Files, check, read_well};
use crate::reason;

fn well(name: &str, format: &str) -> Vec<Collection> {
    let files = named(name);
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, content)| (*name, content.as_slice())).collect();
    read_well(&files, format)
}

fn only(name: &str, format: &str) -> Collection {
    let mut experiments = well(name, format);
    assert_eq!(experiments.len(), 1, "{name}");
    experiments.remove(0)
}

fn state(experiment: &Collection, case: &str, name: &str) -> (String, Option<String>) {
    experiment.state(case, name)
}

fn facts(state: &str, original: Option<&str>) -> (String, Option<String>) {
    (state.to_string(), original.map(str::to_string))
}

#[test]
fn every_sample_is_of_its_format_and_sound() {
    for sample in all() {
        let files: Vec<(&str, &[u8])> = sample.files.iter().map(|(n, c)| (*n, c.as_slice())).collect();
        let experiments = read_well(&files, sample.format);
        let rows: usize = experiments.iter().map(|experiment| experiment.roots().count()).sum();
        assert!(rows > 0, "{}", sample.files[0].0);
    }
}

#[test]
fn a_second_reading_is_the_same() {
    for sample in all() {
        let files: Vec<(&str, &[u8])> = sample.files.iter().map(|(n, c)| (*n, c.as_slice())).collect();
        let (first, second) = (read_well(&files, sample.format), read_well(&files, sample.format));
        for (one, other) in first.iter().zip(&second) {
            assert_eq!((&one.run, &one.spans), (&other.run, &other.spans), "{}", sample.files[0].0);
        }
    }
}

#[track_caller]
fn assert_inspect(log: &Collection) {
    assert_eq!((log.roots().count(), log.cases(), log.record.declared_total), (4, 2, Some(4)));
    assert_eq!(log.record.commit.as_deref(), Some("abc"));
    assert_eq!(state(log, "1_epoch_0001", "match"), facts("ok", Some("\"C\"")));
    assert_eq!(state(log, "1_epoch_0002", "match"), facts("ok", Some("\"I\"")));
    assert_eq!(state(log, "1_epoch_0002", "quality"), facts("missing", Some("\"NaN\"")));
    assert_eq!(state(log, "2_epoch_0001", "match"), facts("ok", Some("\"partly\"")));
    let values: Vec<_> = log.scores("match").into_values().collect();
    assert_eq!(values, [Some(1.0), Some(0.0), None]);
    assert_eq!(log.scores("depth").into_values().collect::<Vec<_>>(), [Some(1.0)]);
    // Usage of the judge stays on the scorer's side.
    assert_eq!((log.sum("prompt_tokens"), log.sum("tokens")), (5.0, 7.0));
    let call = log.spans.iter().find(|span| span.span_type.as_deref() == Some("llm")).unwrap();
    assert_eq!(
        call.input.as_deref(),
        Some(r#"[{"role":"system","content":"be good"},{"role":"user","content":"q1"}]"#)
    );
    let tool = log.spans.iter().find(|span| span.span_type.as_deref() == Some("tool")).unwrap();
    assert_eq!(tool.output.as_deref(), Some("\"long text\""));
    // An error is on its case, without its copy in colours; and a case without scores has none.
    let failed = log.root("2_epoch_0002");
    assert_eq!(failed.error.as_deref(), Some(r#"{"message":"boom","traceback":"t"}"#));
    assert!(!log.scores("match").contains_key("2_epoch_0002"));
}

#[test]
fn inspect() {
    let log = only("log.json", "inspect");
    assert_inspect(&log);
    assert!(!log.is_partial());
    for method in [CompressionMethod::STORE, CompressionMethod::DEFLATE, CompressionMethod::ZSTD] {
        let archive = inspect_archive(true, method);
        let log = read_well(&[("log.eval", &archive)], "inspect").remove(0);
        assert_inspect(&log);
        assert_eq!(log.record.notes[reason::REPEATED_RECORD], 1);
    }
}

#[test]
fn an_inspect_log_that_goes_on_is_partial() {
    let archive = inspect_archive(false, CompressionMethod::ZSTD);
    let log = read_well(&[("log.eval", &archive)], "inspect").remove(0);
    assert!(log.is_partial());
    assert_eq!((log.roots().count(), log.record.declared_total), (4, Some(4)));
    let failed = INSPECT.replace("\"status\":\"success\"", "\"status\":\"error\"");
    let log = read_well(&[("log.json", failed.as_bytes())], "inspect").remove(0);
    assert_eq!((log.is_partial(), log.record.notes[reason::UNFINISHED_RUN]), (true, 1));
}

#[test]
fn a_newer_version_is_told_once() {
    let newer = INSPECT.replace("{\"version\":2", "{\"unheard_of\":{},\"version\":3");
    let log = read_well(&[("log.json", newer.as_bytes())], "inspect").remove(0);
    assert_inspect(&log);
    assert_eq!(log.record.notes[reason::NEWER_VERSION], 1);
}

#[test]
fn an_inspect_log_that_breaks_off_gives_what_came_before() {
    let end = INSPECT.find(r#"{"id":"2","epoch":2"#).unwrap() + 20;
    let log = read_well(&[("log.json", &INSPECT.as_bytes()[..end])], "inspect").remove(0);
    assert_eq!((log.roots().count(), log.is_partial(), log.record.notes[reason::CUT_OFF]), (3, true, 1));
}

#[test]
fn inspect_samples_may_come_before_what_says_whose_they_are() {
    let (head, samples) = INSPECT.split_once(",\"samples\":[\n").unwrap();
    let turned =
        format!("{{\"version\":2,\"status\":\"success\",\"samples\":[{},{}", samples.trim_end_matches('}'), &head[1..]);
    // Both orders of keys make one object; the version is in it twice, which is allowed.
    let turned = format!("{turned}}}");
    let log = read_well(&[("log.json", turned.as_bytes())], "inspect").remove(0);
    assert_inspect(&log);
}

#[test]
fn promptfoo() {
    let columns = well("output.json", "promptfoo");
    let names: Vec<&str> = columns.iter().map(|column| column.run.name.as_str()).collect();
    assert_eq!(names, ["echo-a · ask", "echo-b · ask"]);
    let column = &columns[0];
    assert_eq!((column.roots().count(), column.record.declared_total), (4, Some(4)));
    // The repeats of one test are one case; two tests that share their variables are two.
    assert_eq!(column.cases(), 3);
    assert_eq!(column.scores("pass").into_values().collect::<Vec<_>>(), [Some(1.0), Some(0.0), None, Some(1.0)]);
    assert_eq!(state(column, "00000002", "score"), facts("error", None));
    assert!(column.root("00000001").error.is_none() && column.root("00000002").error.is_some());
    // The latency of a cached answer is none.
    let has_duration = |id: &str| column.root(id).metrics.iter().any(|(name, _)| &**name == "duration");
    assert!(has_duration("00000000") && !has_duration("00000001"));
    assert_eq!(column.sum("tokens"), 3.0);
}

#[test]
fn promptfoo_lines_are_its_rows() {
    let rows = super::files::PROMPTFOO
        .lines()
        .filter(|line| line.starts_with("{\"id\""))
        .map(|line| line.trim_end_matches(','));
    let lines = rows.collect::<Vec<_>>().join("\n");
    let columns = read_well(&[("rows.jsonl", lines.as_bytes())], "promptfoo");
    assert_eq!(columns.iter().map(|column| column.roots().count()).collect::<Vec<_>>(), [4, 1]);
}

#[test]
fn lm_eval() {
    let run = only("results_2025-01-02T03-04-05.678901.json", "lm-eval");
    assert_eq!(run.run.name, "dummy 2025-01-02T03-04-05.678901");
    // Two filters do not make two cases of a document; a document that comes twice is two.
    assert_eq!((run.roots().count(), run.cases(), run.record.declared_total), (2, 2, Some(2)));
    assert_eq!((run.mean("exact_match,strict"), run.mean("exact_match,loose")), (0.5, 1.0));
    assert!(run.scores("ppl,strict").is_empty());
    let metadata = run.record.metadata.unwrap();
    assert_eq!(metadata["higher_is_better"]["arith"]["exact_match"], true);
}

#[test]
fn openai_evals() {
    let run = only("log.jsonl", "openai-evals");
    assert_eq!((run.roots().count(), run.is_partial()), (3, false));
    assert_eq!(run.mean("match"), 0.5);
    assert_eq!(state(&run, "demo.dev.2", "match"), facts("error", None));
    assert_eq!(state(&run, "demo.dev.1", "match"), facts("ok", Some("false")));
    assert_eq!(run.scores("f1").len(), 1);
    assert_eq!(run.root("demo.dev.0").expected.as_deref(), Some("\"a0\""));
    let files = named("log.jsonl");
    let text = String::from_utf8(files[0].1.clone()).unwrap();
    let cut = text.split("{\"final_report\"").next().unwrap();
    assert!(read_well(&[("log.jsonl", cut.as_bytes())], "openai-evals")[0].is_partial());
}

#[test]
fn otlp() {
    let traces = only("traces.jsonl", "otlp");
    assert_eq!(traces.roots().count(), 2);
    let root = traces.root("0af7651916cd43dd8448eb211c80319c:00f067aa0ba902b7");
    assert_eq!(root.input.as_deref(), Some("{\"q\":1}"));
    // Without a mime type that says so, a text is a text.
    assert_eq!(root.output.as_deref(), Some("\"{\\\"a\\\":1}\""));
    let call = traces.spans.iter().find(|span| span.span_type.as_deref() == Some("llm")).unwrap();
    assert_eq!(call.input.as_deref(), Some(r#"[{"content":"hi","role":"user"}]"#));
    assert_eq!((call.error.as_deref(), call.start), (Some("\"bad\""), Some(1_735_787_045.000_000_001)));
    assert_eq!(traces.scores("tone").into_values().next(), Some(Some(0.75)));
    // Ids in base64 are the same ids; a span whose parent is not there gets a root above it.
    let made = traces.root("00000000000000000000000000000001");
    assert_eq!(made.name.as_deref(), Some("trace"));
}

#[test]
fn mlflow() {
    let run = only("trace.json", "mlflow");
    assert_eq!((run.run.id.as_str(), run.roots().count()), ("run9", 1));
    let case = run.roots().next().unwrap();
    assert_eq!((case.input.as_deref(), case.output.as_deref()), (Some("{\"q\": \"b\"}"), Some("\"B\"")));
    assert_eq!(case.expected.as_deref(), Some("{\"answer\":\"B\"}"));
    let trace = &case.root_span_id;
    // Of two assessments of one name the valid one counts.
    assert_eq!(state(&run, trace, "good"), facts("ok", Some("\"yes\"")));
    assert_eq!(run.mean("good"), 1.0);
    assert_eq!(state(&run, trace, "tone"), facts("error", None));
    assert_eq!(run.sum("tokens"), 13.0);
}

#[test]
fn phoenix() {
    let run = only("experiment.json", "phoenix");
    assert_eq!((run.roots().count(), run.cases()), (2, 1));
    assert_eq!(state(&run, "ex1_0001", "correct"), facts("ok", Some("1.0")));
    assert_eq!(state(&run, "ex1_0002", "correct"), facts("error", None));
    assert_eq!(state(&run, "ex1_0001", "style"), facts("ok", Some("\"formal\"")));
    let table = only("experiment.csv", "phoenix");
    assert_eq!(table.scores("is_it_right").into_values().collect::<Vec<_>>(), [Some(1.0), Some(0.0)]);
    let first = table.root("ex1_0001");
    assert_eq!(
        (first.input.as_deref(), first.output.as_deref()),
        (Some("{\"example_id\":\"ex1\",\"input\":{\"q\": \"a,b\"}}"), Some("\"007\""))
    );
}

#[test]
fn langfuse() {
    let run = only("observations.jsonl", "langfuse");
    assert_eq!((run.roots().count(), run.record.notes[reason::REPEATED_RECORD]), (1, 1));
    let call = run.spans.iter().find(|span| span.span_type.as_deref() == Some("llm")).unwrap();
    assert_eq!((call.output.as_deref(), call.error.as_deref()), (Some("\"new\""), Some("\"late\"")));
    assert_eq!((run.sum("tokens"), run.sum("estimated_cost"), run.sum("time_to_first_token")), (9.0, 0.25, 0.3));
    assert_eq!(state(&run, "t1", "right"), facts("ok", Some("1")));
    assert_eq!(state(&run, "t1", "kind"), facts("ok", Some("\"greeting\"")));
    assert_eq!(run.scores("kind").into_values().next(), Some(None));
}

#[test]
fn langsmith() {
    let run = only("runs.jsonl", "langsmith");
    assert_eq!((run.run.id.as_str(), run.roots().count(), run.sum("tokens")), ("sess", 1, 11.0));
    assert_eq!((run.mean("exact"), run.sum("estimated_cost")), (1.0, 0.002));
    assert_eq!(state(&run, "r1", "tone"), facts("ok", Some("\"warm\"")));
    let upload = only("upload.json", "langsmith");
    assert_eq!((upload.run.name.as_str(), upload.mean("exact")), ("exp", 0.0));
    let table = only("table.csv", "langsmith");
    assert_eq!((table.roots().count(), table.cases(), table.mean("exact")), (3, 1, 0.5));
    assert_eq!(state(&table, "run3", "exact"), facts("missing", None));
    assert_eq!(state(&table, "run1", "exact"), facts("ok", Some("\"0.0\"")));
}

#[test]
fn helm() {
    let run = only("per_instance_stats.json", "helm");
    assert_eq!((run.run.id.as_str(), run.roots().count(), run.cases()), ("demo:model=m", 2, 2));
    assert_eq!(run.mean("exact_match"), 0.5);
    assert!(run.scores("num_prompt_tokens").is_empty());
    let case = run.root("id1_0000");
    assert_eq!((case.output.as_deref(), case.expected.as_deref()), (Some("\"yes\""), Some("\"yes\"")));
}

#[test]
fn swe_bench() {
    let run = only("m.run.json", "swe-bench");
    assert_eq!((run.roots().count(), run.record.declared_total), (4, Some(500)));
    assert_eq!(state(&run, "a__a-1", "resolved"), facts("ok", Some("1")));
    assert_eq!(state(&run, "b__b-2", "resolved"), facts("ok", Some("0")));
    assert_eq!(state(&run, "c__c-3", "resolved"), facts("error", None));
    assert_eq!(state(&run, "d__d-4", "resolved"), facts("missing", None));
    assert_eq!(run.root("a__a-1").output.as_deref(), Some("\"diff\""));
}

#[test]
fn tau_bench() {
    let run = only("tau.json", "tau-bench");
    assert_eq!((run.roots().count(), run.cases()), (3, 2));
    assert_eq!(state(&run, "0_0001", "reward"), facts("error", Some("0.0")));
    assert_eq!(state(&run, "1_0000", "success"), facts("ok", Some("0")));
    let run = only("tau2.json", "tau-bench");
    assert_eq!((run.roots().count(), run.record.declared_total), (2, Some(2)));
    assert_eq!(state(&run, "1_0001", "success"), facts("error", Some("0")));
    let tool = run.spans.iter().find(|span| span.span_type.as_deref() == Some("tool")).unwrap();
    assert_eq!(tool.output.as_deref(), Some("\"found\""));
}

#[test]
fn deepeval() {
    let run = only("test_run.json", "deepeval");
    assert_eq!(run.record.declared_total, Some(1));
    assert_eq!(run.mean("Answer Relevancy"), 0.9);
    assert_eq!(state(&run, "case-00000001", "Bias"), facts("error", None));
    // What the judge cost is not what the case cost.
    assert_eq!(run.sum("estimated_cost"), 0.0);
}

#[test]
fn weave() {
    let run = only("calls.jsonl", "weave");
    assert_eq!((run.run.name.as_str(), run.roots().count(), run.sum("tokens")), ("my eval", 1, 6.0));
    assert_eq!((run.mean("match.correct"), run.mean("match.detail.f1")), (1.0, 0.5));
    assert_eq!(state(&run, "p1", "none"), facts("missing", None));
}

#[test]
fn opik() {
    let run = only("items.json", "opik");
    assert_eq!((run.roots().count(), run.cases(), run.mean("equals")), (2, 1, 1.0));
}

#[test]
fn pairwise() {
    let run = only("annotations.json", "pairwise");
    assert_eq!((run.run.name.as_str(), run.mean("win")), ("org_new vs base", 0.25));
    assert_eq!(state(&run, "row-00000002", "win"), facts("missing", Some("\"NaN\"")));
    let battles = only("battles.csv", "pairwise");
    assert_eq!(battles.roots().count(), 2);
    assert!(battles.spans.iter().all(|span| span.scores.is_empty()));
    let runs = only("metr.jsonl", "pairwise");
    assert_eq!((runs.roots().count(), runs.cases(), runs.mean("score_binarized")), (2, 1, 0.5));
    assert_eq!(state(&runs, "2", "score_cont"), facts("missing", None));
}

#[test]
fn braintrust_tables() {
    let run = only("rows.csv", "braintrust-table");
    assert_eq!((run.roots().count(), run.spans.len()), (1, 2));
    let case = run.root("a");
    assert_eq!((case.input.as_deref(), case.output.as_deref()), (Some("{\"q\": 1}"), Some("\"x\"")));
    assert_eq!(case.scores[0].1, Some(1.0));
}

#[test]
fn generic() {
    let run = only("own.csv", "generic");
    assert_eq!(run.roots().count(), 2);
    let case = run.root("row-00000001");
    assert_eq!(case.input.as_deref(), Some("\"one;\\r\\ntwo\""));
    // Texts are never taken for numbers.
    assert_eq!(case.metadata.as_deref(), Some("{\"zip\":\"007\"}"));
    assert_eq!((run.mean("f1_score"), run.sum("duration")), (0.75, 0.12));
    assert_eq!(state(&run, "row-00000001", "quality_score"), facts("missing", Some("\"NaN\"")));
    assert_eq!(state(&run, "row-00000002", "quality_score"), facts("ok", Some("\"0\"")));
}

#[test]
fn texts_that_are_no_utf8_do_not_stop_a_file() {
    let text = b"{\"doc_id\":0,\"doc\":\"\xFF\\ud800\\u0000\",\"resps\":[],\"filtered_resps\":[],\"target\":1}\n";
    let run = read_well(&[("samples_x.jsonl", text)], "lm-eval").remove(0);
    check(&run);
    assert_eq!((run.record.notes[reason::REPLACED_UTF8], run.record.notes[reason::LONE_SURROGATE]), (1, 1));
}

#[test]
fn compressed_rows_are_told_by_their_content() {
    for sample in all().into_iter().filter(|sample| sample.files[0].0.ends_with(".jsonl")) {
        let (name, content) = &sample.files[0];
        let packed = zstd::encode_all(content.as_slice(), 1).unwrap();
        let files = Files::new(&[(name, &packed)]);
        let (format, collected) = files.read();
        assert_eq!((format.as_str(), collected.is_ok()), (sample.format, true), "{name}");
    }
}
