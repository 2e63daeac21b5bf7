//! Files that a naïve reader would refuse, or silently read wrong.

use super::{Claim, Collection, Files, claimed, read_well, source};
use crate::reason;

fn one(files: &[(&str, &str)], format: &str) -> Collection {
    let mut experiments = several(files, format);
    assert_eq!(experiments.len(), 1, "{:?}", experiments.iter().map(|one| &one.run).collect::<Vec<_>>());
    experiments.remove(0)
}

fn several(files: &[(&str, &str)], format: &str) -> Vec<Collection> {
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    read_well(&files, format)
}

fn values(experiment: &Collection, name: &str) -> Vec<Option<f64>> {
    experiment.scores(name).into_values().collect()
}

fn noted(experiment: &Collection, word: &str) -> i64 {
    experiment.record.notes.get(word).copied().unwrap_or(0)
}

const HELM_ENTRIES: &str = r#"[{"instance_id":"a","train_trial_index":0,"stats":[{"name":{"name":"exact_match"},"mean":1},{"name":{"name":"exact_match","sub_split":"x"},"mean":1},{"name":{"name":"num_bytes"},"mean":10}]},
{"instance_id":"b","train_trial_index":0,"stats":[{"name":{"name":"exact_match"},"mean":0}]},
{"instance_id":"a","train_trial_index":0,"stats":[{"name":{"name":"toxicity"},"mean":0.25},{"name":{"name":"exact_match"},"mean":1}]},
{"instance_id":"b","train_trial_index":0,"stats":[{"name":{"name":"toxicity"},"mean":0.75}]}]"#;

#[test]
fn helm_has_an_entry_of_statistics_for_each_metric() {
    let run = one(&[("per_instance_stats.json", HELM_ENTRIES)], "helm");
    assert_eq!((run.roots().count(), run.sum("num_bytes")), (2, 10.0));
    assert_eq!((run.mean("exact_match"), run.mean("toxicity")), (0.5, 0.5));
    // Entries without operational figures have no span for them.
    assert_eq!(run.spans.iter().filter(|span| span.name.as_deref() == Some("stats")).count(), 1);
}

#[test]
fn helm_suites_are_told_apart() {
    let spec = r#"{"name":"mmlu:model=m","scenario_spec":{},"adapter_spec":{}}"#;
    let id = |suite: &str| {
        let (stats, spec_path) =
            (format!("{suite}/mmlu:model=m/per_instance_stats.json"), format!("{suite}/mmlu:model=m/run_spec.json"));
        one(&[(&stats, HELM_ENTRIES), (&spec_path, spec)], "helm").run.id
    };
    assert_eq!((id("v1").as_str(), id("v2").as_str()), ("v1/mmlu:model=m", "v2/mmlu:model=m"));
}

const HELM_SEPARATE: &str = r#"{"request_states":[{"instance":{"input":{"text":"Q"},"references":[{"output":{"text":"A"},"tags":["correct"]}],"id":"a"},"reference_index":0,"train_trial_index":0,"request":{"prompt":"Q A"},"result":{"completions":[{"text":"Q A"}]}},
{"instance":{"input":{"text":"Q"},"references":[],"id":"b"},"train_trial_index":0,"request":{"prompt":"Q"},"result":{"completions":[{"text":"B"}]}}]}"#;

#[test]
fn a_helm_request_for_a_reference_is_no_answer() {
    let files = [("per_instance_stats.json", HELM_ENTRIES), ("scenario_state.json", HELM_SEPARATE)];
    let run = one(&files, "helm");
    assert_eq!((run.root("a_0000").output.as_deref(), run.root("b_0000").output.as_deref()), (None, Some("\"B\"")));
}

#[test]
fn helm_states_that_break_off_leave_the_rest() {
    let cut = &HELM_SEPARATE[..HELM_SEPARATE.len() - 30];
    let run = one(&[("per_instance_stats.json", HELM_ENTRIES), ("scenario_state.json", cut)], "helm");
    assert_eq!((run.roots().count(), run.is_partial(), noted(&run, reason::CUT_OFF)), (2, true, 1));
}

#[test]
fn every_list_of_a_submission_is_an_outcome() {
    let results = r#"{"no_generation":["a__a-1"],"no_logs":["a__a-2"],"no_apply":["a__a-3"],"test_timeout":["a__a-4"],"applied":["a__a-5","a__a-6"],"generated":["a__a-5","a__a-6"],"lost_ids":["a__a-7"],"resolved":["a__a-5"]}"#;
    let predictions =
        "{\"instance_id\":\"a__a-5\",\"model_patch\":\"d\"}\n{\"instance_id\":\"a__a-8\",\"model_patch\":\"e\"}\n";
    let files = [("lite/x/results/results.json", results), ("lite/x/all_preds.jsonl", predictions)];
    let run = one(&files, "swe-bench");
    assert_eq!((run.run.id.as_str(), run.roots().count(), run.mean("resolved")), ("x", 8, 0.25));
    let states: Vec<String> = (1..=8).map(|n| run.state(&format!("a__a-{n}"), "resolved").0).collect();
    assert_eq!(states, ["ok", "missing", "ok", "error", "ok", "ok", "missing", "missing"]);
    assert_eq!(run.root("a__a-8").output.as_deref(), Some("\"e\""));
    assert!(!run.is_partial());
}

#[test]
fn an_instance_on_no_list_of_outcomes_is_missing() {
    let report = r#"{"total_instances":9,"resolved_ids":["a__a-1"],"completed_ids":["a__a-1","a__a-2"],"unremoved_images":["sweb.eval.a__a-3:latest"]}"#;
    let run = one(&[("m.run.json", report)], "swe-bench");
    assert_eq!((run.roots().count(), run.state("a__a-2", "resolved").0.as_str()), (2, "missing"));
    assert!(!run.is_partial());
}

#[test]
fn submissions_are_called_after_their_folders() {
    let id = |folder: &str| {
        let path = format!("{folder}/results/results.json");
        one(&[(&path, r#"{"no_generation":["a__a-1"],"resolved":[]}"#)], "swe-bench").run.id
    };
    assert_eq!(id("evaluation/lite/20240101_x"), "lite/20240101_x");
    assert_eq!(id("20240101_y"), "20240101_y");
}

#[test]
fn passes_alone_are_no_run() {
    let run = one(&[("x/results/results.json", r#"{"resolved":["a__a-1"]}"#)], "swe-bench");
    assert_eq!((run.is_partial(), noted(&run, reason::UNFINISHED_RUN)), (true, 1));
}

const DEEPEVAL: &str = r#"{"testCases":[{"name":"t","input":"q","metricsData":[{"name":"C","score":1.0},{"name":"C","score":0.0}]}],"metricsScores":[],"identifier":"mine"}"#;

#[test]
fn the_latest_run_of_deepeval_is_told_by_its_content() {
    let latest = |text: &str| one(&[(".latest_run_full.json", text)], "deepeval").run;
    let (first, second) = (latest(DEEPEVAL), latest(&DEEPEVAL.replace("mine", "other")));
    assert_eq!((first.name.as_str(), second.name.as_str()), ("mine", "other"));
    assert_ne!(first.id, second.id);
    let stamped = one(&[("test_run_20250101_000000.json", DEEPEVAL)], "deepeval").run;
    assert_eq!((stamped.id.as_str(), stamped.name.as_str()), ("test_run_20250101_000000", "mine"));
}

#[test]
fn deepeval_conversations_may_be_long() {
    let long = "x".repeat(1 << 20);
    let text = format!(
        r#"{{"testCases":[],"conversationalTestCases":[{{"name":"c","turns":[{{"role":"user","content":"{long}"}}],"metricsData":[{{"name":"M","score":1.0}}]}}],"metricsScores":[]}}"#
    );
    assert_eq!(values(&one(&[("run.json", &text)], "deepeval"), "M"), [Some(1.0)]);
}

#[test]
fn two_scores_of_one_name_are_two() {
    let sum = |run: &Collection, name: &str| -> f64 {
        let scores = run.spans.iter().flat_map(|span| &span.scores);
        scores.filter(|(known, _)| &**known == name).filter_map(|(_, value)| *value).sum()
    };
    let count = |run: &Collection| run.spans.iter().filter(|span| !span.scores.is_empty()).count();
    let deepeval = one(&[("run.json", DEEPEVAL)], "deepeval");
    assert_eq!((count(&deepeval), sum(&deepeval, "C")), (2, 1.0));
    let opik = r#"[{"id":"i","experiment_id":"x","dataset_item_id":"d","feedback_scores":[{"name":"acc","value":1},{"name":"acc","value":0}]}]"#;
    assert_eq!(count(&one(&[("items.json", opik)], "opik")), 2);
    let phoenix = r#"[{"example_id":"e","repetition_number":1,"input":{},"reference_output":{},"output":"x","annotations":[{"name":"good","annotator_kind":"LLM","score":1},{"name":"good","annotator_kind":"HUMAN","score":0}]}]"#;
    assert_eq!(count(&one(&[("experiment.json", phoenix)], "phoenix")), 2);
    let langfuse = r#"{"id":"o","experimentId":"x","experimentItemId":"i","input":"q","scores":[{"name":"acc","value":1},{"name":"acc","value":0}]}"#;
    assert_eq!(count(&one(&[("items.jsonl", langfuse)], "langfuse")), 2);
}

fn observation(id: &str, trace: &str, parent: &str, output: &str, updated: &str) -> String {
    format!(
        "{{\"id\":\"{id}\",\"trace_id\":\"{trace}\",\"type\":\"SPAN\",\"parent_observation_id\":\"{parent}\",\"start_time\":\"2026-01-01 00:00:00\",\"end_time\":\"2026-01-01 00:00:02\",\"name\":\"n\",\"input\":\"q\",\"output\":\"{output}\",\"usage_details\":{{}},\"updated_at\":\"2026-01-01 {updated}\"}}\n"
    )
}

fn langfuse_score(id: &str, trace: &str, value: u8) -> String {
    format!(
        "{{\"id\":\"{id}\",\"trace_id\":\"{trace}\",\"observation_id\":null,\"name\":\"acc\",\"value\":{value},\"data_type\":\"NUMERIC\",\"string_value\":null,\"updated_at\":\"2026-01-01 00:00:00\"}}\n"
    )
}

#[test]
fn the_windows_of_a_langfuse_table_are_one_run() {
    let first = observation("o1", "t1", "", "old", "00:00:01") + &observation("o2", "t2", "", "x", "00:00:02");
    let second = observation("o2", "t2", "", "x", "00:00:02")
        + &observation("o3", "t2", "o2", "y", "00:00:03")
        + &observation("o1", "t1", "", "new", "00:00:04");
    let files = [
        ("p/observations_v2/1.jsonl", first.as_str()),
        ("p/observations_v2/2.jsonl", &second),
        ("p/scores/1.jsonl", &langfuse_score("s1", "t1", 1)),
        ("p/scores/3.jsonl", &langfuse_score("s2", "t2", 0)),
    ];
    let run = one(&files, "langfuse");
    assert_eq!((run.run.name.as_str(), run.roots().count(), run.spans.len()), ("p observations_v2", 2, 5));
    assert_eq!(run.root("t1:o1").output.as_deref(), Some("\"new\""));
    assert_eq!((noted(&run, reason::REPEATED_RECORD), values(&run, "acc")), (2, vec![Some(1.0), Some(0.0)]));

    // Every file of the export leads to the first one, under the name that its folder gives it.
    let bytes = files.map(|(name, text)| (name, text.as_bytes()));
    let files = Files::new(&bytes);
    let main = source(&files.folder.path().join("p/observations_v2/1.jsonl")).unwrap();
    for other in ["p/observations_v2/2.jsonl", "p/scores/1.jsonl", "p/scores/3.jsonl"] {
        let other = source(&files.folder.path().join(other)).unwrap();
        let Ok((_, Claim::PartOf(name))) = claimed(&other) else { panic!("{other:?}") };
        assert_eq!(other.sibling(&name).unwrap().label, main.label);
    }
}

#[test]
fn a_langfuse_score_may_be_of_a_trace_that_is_not_there() {
    let observations = observation("o1", "t1", "", "x", "00:00:01");
    let scores = langfuse_score("s1", "t1", 1) + &langfuse_score("s2", "gone", 0) + &langfuse_score("s3", "lost", 0);
    let run = one(&[("observations.jsonl", &observations), ("scores.jsonl", &scores)], "langfuse");
    assert_eq!((run.roots().count(), run.cases(), run.scores("acc").len()), (3, 3, 3));
}

#[test]
fn the_latency_tells_the_unit_of_the_time_to_the_first_token() {
    let wait = |latency: &str, wait: &str| {
        let row = observation("o1", "t1", "", "x", "00:00:01").replace(
            "\"usage_details\"",
            &format!("\"latency\":{latency},\"time_to_first_token\":{wait},\"usage_details\""),
        );
        one(&[("observations.jsonl", &row)], "langfuse").sum("time_to_first_token")
    };
    assert_eq!(
        (wait("2000", "2"), wait("2.0", "0.5"), wait("2.0", "3.5"), wait("null", "300")),
        (0.002, 0.5, 3.5, 0.3)
    );
}

#[test]
fn a_table_with_objects_of_python_keeps_what_was_expected() {
    let table = "trace_id,good/value,answer/value,state,request,response,assessments\ntr-1,yes,0.9,IN_PROGRESS,q,B,\"[{'assessment_name': 'answer', 'expectation': {'value': 0.9}}, {'assessment_name': 'good', 'feedback': {'value': True}, 'rationale': \"\"it's\"\"}]\"\n";
    let run = one(&[("table.csv", table)], "mlflow");
    assert_eq!((values(&run, "good"), values(&run, "answer").len()), (vec![Some(1.0)], 0));
    assert_eq!(run.root("tr-1").expected.as_deref(), Some("{\"answer\":0.9}"));
    assert!(run.is_partial());
}

fn mlflow(trace: &str, state: &str, feedback: &str) -> String {
    format!(
        "{{\"info\":{{\"trace_id\":\"{trace}\",\"state\":\"{state}\",\"trace_metadata\":{{\"mlflow.sourceRun\":\"r\"}},\"assessments\":[{{\"assessment_name\":\"f\",\"feedback\":{{\"value\":{feedback}}}}}]}},\"data\":{{\"spans\":[]}}}}\n"
    )
}

#[test]
fn a_text_of_mlflow_is_no_number() {
    let lines = mlflow("a", "OK", "\"3\"") + &mlflow("b", "OK", "3") + &mlflow("c", "OK", "\"Yes\"");
    let run = one(&[("traces.jsonl", &lines)], "mlflow");
    assert_eq!((values(&run, "f"), run.is_partial()), (vec![None, Some(3.0), Some(1.0)], false));
    assert!(one(&[("traces.jsonl", &mlflow("a", "IN_PROGRESS", "1"))], "mlflow").is_partial());
}

fn call(id: &str, parent: &str, operation: &str, rest: &str) -> String {
    format!(
        "{{\"id\":\"{id}\",\"op_name\":\"weave:///e/p/op/{operation}:h\",\"display_name\":\"{id}\",\"trace_id\":\"T\",\"parent_id\":\"{parent}\",\"started_at\":\"2026-01-01T00:00:00Z\",\"inputs\":{{}},{rest}}}\n"
    )
}

fn weave_case(id: &str, parent: &str, scores: &str) -> String {
    call(id, parent, "Evaluation.predict_and_score", &format!("\"output\":{{\"output\":\"x\",\"scores\":{scores}}}"))
}

#[test]
fn two_evaluations_of_one_trace_are_two() {
    let lines = call("m", "", "main", "\"output\":{}")
        + &call("A", "m", "Evaluation.evaluate", "\"output\":{}")
        + &weave_case("a1", "A", r#"{"s":{"ok":true}}"#)
        + &call("B", "m", "Evaluation.evaluate", "\"output\":{}")
        + &weave_case("b1", "B", r#"{"s":{"ok":false}}"#)
        + &call("sB", "B", "Evaluation.summarize", "\"output\":{\"n\":1}");
    let runs = several(&[("calls.jsonl", &lines)], "weave");
    let means: Vec<(&str, f64)> = runs.iter().map(|run| (run.run.name.as_str(), run.mean("s.ok"))).collect();
    assert_eq!(means, [("A", 1.0), ("B", 0.0)]);
    let reported = |run: &Collection| run.record.metadata.as_ref().is_some_and(|m| m.get("reported").is_some());
    assert_eq!((reported(&runs[0]), reported(&runs[1])), (false, true));
}

#[test]
fn a_null_where_others_have_a_score_is_missing() {
    let lines = call("A", "", "Evaluation.evaluate", "\"output\":{}")
        + &weave_case("a1", "A", r#"{"s":{"ok":true,"f1":0.5,"why":null}}"#)
        + &weave_case("a2", "A", r#"{"s":{"ok":null,"f1":0.5,"why":"x"},"t":{"v":null}}"#);
    let run = one(&[("calls.jsonl", &lines)], "weave");
    assert_eq!((run.state("a2", "s.ok").0.as_str(), run.state("a2", "t.v").0.as_str()), ("missing", "missing"));
    assert!(values(&run, "s.why").is_empty());
}

#[test]
fn usage_under_two_names_is_one_and_that_of_two_models_is_two() {
    let usage = r#""output":"x","summary":{"usage":{"a":{"prompt_tokens":10,"input_tokens":10,"completion_tokens":0,"output_tokens":2},"b":{"input_tokens":5}}}"#;
    let lines = call("A", "", "Evaluation.evaluate", "\"output\":{}")
        + &weave_case("a1", "A", "{}")
        + &call("l", "a1", "chat", usage);
    let run = one(&[("calls.jsonl", &lines)], "weave");
    assert_eq!((run.sum("prompt_tokens"), run.sum("completion_tokens")), (15.0, 2.0));
    let row = observation("o1", "t1", "", "x", "00:00:01")
        .replace("\"usage_details\":{}", "\"usage_details\":{\"input_cached_tokens\":3,\"input_cache_read\":3}");
    assert_eq!(one(&[("observations.jsonl", &row)], "langfuse").sum("prompt_cached_tokens"), 3.0);
}

#[test]
fn records_that_come_twice_count_once() {
    let item = |value: u8| {
        format!(
            r#"{{"id":"i","experiment_id":"x","dataset_item_id":"d","dataset_item_data":{{}},"feedback_scores":[{{"name":"acc","value":{value}}}]}}"#
        )
    };
    let opik = one(&[("items.jsonl", &format!("{}\n{}\n", item(0), item(1)))], "opik");
    assert_eq!((values(&opik, "acc"), noted(&opik, reason::REPEATED_RECORD)), (vec![Some(1.0)], 1));
    let lines = call("A", "", "Evaluation.evaluate", "\"output\":{}")
        + &weave_case("a1", "A", r#"{"s":0}"#)
        + &weave_case("a1", "A", r#"{"s":1}"#);
    let weave = one(&[("calls.jsonl", &lines)], "weave");
    assert_eq!((values(&weave, "s"), noted(&weave, reason::REPEATED_RECORD)), (vec![Some(1.0)], 1));
}

fn run(id: &str, example: &str, status: &str) -> String {
    format!(
        "{{\"id\":\"{id}\",\"run_type\":\"chain\",\"inputs\":{{\"q\":1}},\"outputs\":{{}},\"start_time\":\"2025-01-02T03:04:05\",\"trace_id\":\"{id}\",\"session_id\":\"s\",\"reference_example_id\":\"{example}\",\"status\":\"{status}\",\"extra\":{{}}}}\n"
    )
}

#[test]
fn examples_with_equal_inputs_are_two_cases() {
    let runs = one(&[("runs.jsonl", &(run("r1", "e1", "success") + &run("r2", "e2", "success")))], "langsmith");
    assert_eq!((runs.cases(), runs.is_partial()), (2, false));
    let table = "inputs.q,outputs.a,example_id,id\n1,2,e1,r1\n1,2,e2,r2\n";
    assert_eq!(one(&[("table.csv", table)], "langsmith").cases(), 2);
    let upload = r#"{"experiment_name":"x","results":[{"row_id":"a","inputs":{"q":1}},{"row_id":"b","inputs":{"q":1}},{"row_id":"a","inputs":{"q":1}}]}"#;
    assert_eq!(one(&[("upload.json", upload)], "langsmith").cases(), 2);
    let phoenix = |example: &str, repetition: u8| {
        format!(
            r#"{{"example_id":"{example}","repetition_number":{repetition},"input":{{"q":1}},"reference_output":{{}},"output":"x","annotations":[]}}"#
        )
    };
    let rows = format!("[{},{},{}]", phoenix("a", 2), phoenix("a", 1), phoenix("b", 1));
    let phoenix = one(&[("experiment.json", &rows)], "phoenix");
    assert_eq!(phoenix.cases(), 2);
    // Trials are ordered by their ids.
    assert!(phoenix.root("a_0001").id < phoenix.root("a_0002").id);
    let item = |id: &str| {
        format!("{{\"id\":\"{id}\",\"experimentId\":\"x\",\"experimentItemId\":\"{id}\",\"input\":\"q\"}}\n")
    };
    assert_eq!(one(&[("items.jsonl", &(item("a") + &item("b")))], "langfuse").cases(), 2);
}

#[test]
fn texts_that_look_like_json_stay_texts() {
    let phoenix = r#"[{"example_id":"e","repetition_number":1,"input":{},"reference_output":{},"output":"[1]","annotations":[]}]"#;
    let phoenix = one(&[("experiment.json", phoenix)], "phoenix");
    assert_eq!(phoenix.roots().next().unwrap().output.as_deref(), Some("\"[1]\""));
    let table = "inputs.q,outputs.a,example_id,id\n\"\"\"quoted\"\"\",\"[1]\",e1,r1\n";
    let table = one(&[("table.csv", table)], "langsmith");
    let case = table.root("r1");
    assert_eq!(case.input.as_deref(), Some(r#"{"example_id":"e1","inputs":{"q":"\"quoted\""}}"#));
    assert_eq!(case.output.as_deref(), Some("{\"a\":[1]}"));
}

#[test]
fn runs_that_did_not_end_are_partial() {
    assert!(one(&[("runs.jsonl", &run("r1", "e1", "pending"))], "langsmith").is_partial());
    let tau = |trials: u8| {
        let text = format!(
            r#"{{"info":{{"num_trials":{trials}}},"tasks":[{{"id":"1"}}],"simulations":[{{"task_id":"1","trial":0,"reward_info":{{"reward":1}},"messages":[]}}]}}"#
        );
        one(&[("tau.json", &text)], "tau-bench").is_partial()
    };
    assert_eq!((tau(1), tau(2)), (false, true));
}

#[test]
fn simulations_without_a_number_are_told_by_their_ids() {
    let text = r#"{"info":{"num_trials":2},"tasks":[{"id":"1"}],"simulations":[{"id":"a","task_id":"1","trial":null,"reward_info":{"reward":1}},{"id":"b","task_id":"1","trial":null,"reward_info":{"reward":0}}]}"#;
    let run = one(&[("tau.json", text)], "tau-bench");
    assert_eq!((run.roots().count(), run.cases(), run.mean("success")), (2, 1, 0.5));
}

#[test]
fn a_last_line_that_breaks_off_leaves_the_others() {
    let battle = "{\"model_a\":\"a\",\"model_b\":\"b\",\"winner\":\"model_a\",\"question_id\":\"q\"}\n".to_string();
    let opik = "{\"id\":\"i\",\"experiment_id\":\"x\",\"dataset_item_id\":\"d\",\"feedback_scores\":[]}\n".to_string();
    let item = "{\"id\":\"i\",\"experimentId\":\"x\",\"experimentItemId\":\"i\",\"input\":\"q\"}\n".to_string();
    for (line, format) in [
        (run("r1", "e1", "success"), "langsmith"),
        (mlflow("a", "OK", "1"), "mlflow"),
        (weave_case("a1", "A", r#"{"s":0}"#), "weave"),
        (opik, "opik"),
        (battle, "pairwise"),
        (item, "langfuse"),
    ] {
        let text = format!("{line}{}", &line[..line.len() - 10]);
        let run = one(&[("lines.jsonl", &text)], format);
        assert_eq!((run.roots().count(), run.is_partial(), noted(&run, reason::CUT_OFF)), (1, true, 1), "{format}");
    }
}

#[test]
fn every_open_experiment_may_have_lost_its_last_record() {
    let second = run("r2", "e1", "success").replace("\"s\"", "\"other\"");
    let text = run("r1", "e1", "success") + &second + "{\"id\":\"r3\"";
    let runs = several(&[("runs.jsonl", &text)], "langsmith");
    assert_eq!(runs.iter().map(Collection::is_partial).collect::<Vec<_>>(), [true, true]);
}

#[test]
fn what_storing_changes_is_counted_in_tables_and_in_files_of_several_experiments() {
    let table: &[u8] = b"inputs.q,outputs.a,example_id,id\n\xFF,2,e1,r1\n";
    assert_eq!(noted(&read_well(&[("table.csv", table)], "langsmith")[0], reason::REPLACED_UTF8), 1);
    let opik = b"{\"id\":\"i\",\"experiment_id\":\"x\",\"dataset_item_id\":\"\\ud800\",\"feedback_scores\":[],\"o\":\"\xFF\"}\n";
    let opik = &read_well(&[("items.jsonl", opik)], "opik")[0];
    assert_eq!((noted(opik, reason::REPLACED_UTF8), noted(opik, reason::LONE_SURROGATE)), (1, 1));
}

#[test]
fn a_fault_is_told_once_by_formats_that_walk_twice() {
    let opened = "{\"spec\":{\"run_id\":\"r\",\"completion_fns\":[]}}\n".to_string();
    for line in
        [run("r1", "e1", "success"), observation("o1", "t1", "", "x", "00:00:01"), weave_case("a1", "A", "{}"), opened]
    {
        let text = format!("{line}{{bad}}\n{line}");
        let (format, collected) = Files::new(&[("lines.jsonl", text.as_bytes())]).read();
        assert_eq!(collected.ok().unwrap().faults.len(), 1, "{format}");
    }
}
