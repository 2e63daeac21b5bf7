//! `evalhouse cases`

use super::{Program, check};

#[test]
fn cases_are_listed() {
    let program = Program::with_bundled_data();
    check("cases", program.run(&["cases", "prompt-v2", "--limit", "4"]));
    check("cases_json", program.run(&["cases", "prompt-v2", "--limit", "2", "--format", "json"]).rounded());
    check("cases_csv", program.run(&["cases", "prompt-v2", "--limit", "2", "--format", "csv"]));
}

#[test]
fn cases_are_held_against_a_baseline() {
    let arguments = ["cases", "prompt-v2", "--against", "baseline", "--limit", "5", "--sort", "regressions:Factuality"];
    check("cases_against", Program::with_bundled_data().run(&arguments));
}

#[test]
fn columns_are_expressions() {
    let columns = "metadata.case_id,coalesce(scores.Factuality, 0),metrics.duration";
    let arguments = ["cases", "prompt-v2", "--columns", columns, "--sort", "metadata.case_id desc", "--limit", "3"];
    check("cases_columns", Program::with_bundled_data().run(&arguments));
}

#[test]
fn a_row_format_gets_every_row() {
    let output = Program::with_bundled_data().run(&["cases", "baseline", "--format", "jsonl"]);
    assert!(output.stdout.lines().count() > 50, "{output}");
}

#[test]
fn a_bad_expression_has_its_place() {
    let program = Program::with_bundled_data();
    check("cases_bad_where", program.run(&["cases", "prompt-v2", "--where", "scores.Factuality <"]));
    check("cases_bad_sort", program.run(&["cases", "prompt-v2", "--sort", "regressions:Factuality"]));
}
