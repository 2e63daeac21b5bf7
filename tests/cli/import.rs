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
