//! `evalhouse import`

use std::fs;

use super::{Program, check};

#[test]
fn a_folder_is_imported_once() {
    let program = Program::new();
    check("import", program.run(&["import", "runs"]));
    check("import_again", program.run(&["import", "runs"]));
}

#[test]
fn the_report_is_json_too() {
    check("import_json", Program::new().run(&["import", "runs/baseline.jsonl.gz", "--format", "json"]));
}

#[test]
fn quiet_prints_the_report_alone() {
    let output = Program::new().run(&["import", "runs/baseline.jsonl.gz", "--quiet"]);
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output}");
}

#[test]
fn a_bad_row_stops_its_file() {
    let program = Program::new();
    let row = r#"{"id":"a","span_id":"a","root_span_id":"a","input":"q","scores":{"s":1}}"#;
    fs::write(program.path("good.jsonl"), format!("{row}\n")).unwrap();
    fs::write(
        program.path("bad.jsonl"),
        format!("{row}\n{{\"id\":\"b\",\"span_id\":\"b\",\"root_span_id\":\"b\",\"scores\":{{\"s\":\"x\"}}}}\n"),
    )
    .unwrap();
    check("import_bad_row", program.run(&["import", "good.jsonl", "bad.jsonl", "--project", "p"]));
    check("import_keep_going", program.run(&["import", "bad.jsonl", "--project", "p", "--keep-going"]));
}

#[test]
fn standard_input_is_a_file() {
    let program = Program::new();
    let row = r#"{"id":"a","span_id":"a","root_span_id":"a","input":"q","scores":{"s":1}}"#;
    check("import_stdin", program.run_with_input(&["import", "-", "--project", "p", "--experiment", "e"], row));
}

#[test]
fn what_is_not_there_is_an_error() {
    check("import_missing", Program::new().run(&["import", "nowhere.jsonl"]));
    check("import_store_url", Program::new().run(&["import", "runs", "--store", "http://example.org/x"]));
}

/// A small output of another tool.
const TAU_BENCH: &str = r#"[{"task_id":0,"reward":1.0,"info":{"task":{"instruction":"do"}},"traj":[],"trial":0},
{"task_id":0,"reward":0.0,"info":{"error":"boom"},"traj":[],"trial":1}]"#;

#[test]
fn an_explanation_stores_nothing() {
    let program = Program::new();
    fs::write(program.path("tau.json"), TAU_BENCH).unwrap();
    check("import_explain", program.run(&["import", "tau.json", "--explain"]));
    let output = program.run(&["experiments"]);
    assert_ne!(output.code, Some(0), "{output}");
}

#[test]
fn the_doctor_says_what_became_of_each_file() {
    let program = Program::new();
    fs::write(program.path("tau.json"), &TAU_BENCH[..TAU_BENCH.len() - 30]).unwrap();
    fs::write(program.path("own.csv"), "question,answer,good_score\nq,a,NaN\n").unwrap();
    check("import_foreign", program.run(&["import", "tau.json", "own.csv", "--project", "p"]));
    check("doctor", program.run(&["doctor"]));
    check("doctor_unknown", program.run(&["doctor", "nothing"]));
}

#[test]
fn columns_that_could_be_one_thing_are_asked_for() {
    let program = Program::new();
    fs::write(program.path("own.csv"), "question,prompt,answer\nq,p,a\n").unwrap();
    fs::write(program.path("columns.json"), r#"{"input": "prompt", "metadata.q": "question"}"#).unwrap();
    check("import_explain_ambiguous", program.run(&["import", "own.csv", "--explain"]));
    check("import_explain_columns", program.run(&["import", "own.csv", "--explain", "--columns-from", "columns.json"]));
    check("import_ambiguous", program.run(&["import", "own.csv", "--project", "p"]));
    let given = ["import", "own.csv", "--project", "p", "--columns-from", "columns.json"];
    assert_eq!(program.run(&given).code, Some(0));
    check("import_no_such_column", program.run(&["import", "own.csv", "--project", "p", "--column", "input=x"]));
}
