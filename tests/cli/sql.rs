//! `evalhouse sql`

use super::{Program, check};

const QUERY: &str = "SELECT experiment, count(*) AS rows, round(avg(scores.Factuality), 6) AS factuality \
                     FROM cases GROUP BY experiment ORDER BY experiment";

#[test]
fn a_query_is_answered_in_every_text_format() {
    let program = Program::with_bundled_data();
    for format in ["table", "markdown", "json", "jsonl", "csv"] {
        check(&format!("sql_{format}"), program.run(&["sql", QUERY, "--format", format]));
    }
}

#[test]
fn json_columns_are_json() {
    let query = "SELECT input, metadata.category, scores.Factuality IS NULL AS missing FROM cases \
                 WHERE experiment = 'baseline' ORDER BY position LIMIT 1";
    check("sql_json_column", Program::with_bundled_data().run(&["sql", query, "--format", "jsonl"]));
}

#[test]
fn queries_come_from_files_and_standard_input() {
    let program = Program::with_bundled_data();
    std::fs::write(program.path("two.sql"), "SELECT 1 AS one; -- and\nSELECT ';' AS two;").unwrap();
    check("sql_file", program.run(&["sql", "-f", "two.sql"]));
    check("sql_stdin", program.run_with_input(&["sql", "--format", "csv"], "SELECT 1 AS one;"));
    check("sql_empty", program.run_with_input(&["sql"], " -- nothing"));
}

#[test]
fn rows_go_to_a_file() {
    let program = Program::with_bundled_data();
    check("sql_output", program.run(&["sql", QUERY, "-o", "answer.parquet"]));
    let bytes = std::fs::read(program.path("answer.parquet")).unwrap();
    assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
    check("sql_output_unknown", program.run(&["sql", QUERY, "-o", "answer.xyz"]));
}

#[test]
fn plans_are_shown_whole() {
    let output = Program::with_bundled_data().run(&["sql", "EXPLAIN SELECT count(*) FROM scores"]);
    assert_eq!(output.code, Some(0), "{output}");
    assert!(output.stdout.lines().count() > 4 && !output.stdout.contains('↵'), "{output}");
}

#[test]
fn a_bad_query_is_the_users() {
    let program = Program::with_bundled_data();
    check("sql_syntax", program.run(&["sql", "SELEC 1"]));
    check("sql_unknown_column", program.run(&["sql", "SELECT nonsense FROM cases"]));
    check("sql_read_only", program.run(&["sql", "CREATE TABLE t AS SELECT 1"]));
}

#[test]
fn a_closed_pipe_is_a_success() {
    let program = Program::with_bundled_data();
    let command = format!("{} sql 'SELECT * FROM spans' --format jsonl | head -1", env!("CARGO_BIN_EXE_evalhouse"));
    let output = std::process::Command::new("bash")
        .args(["-c", &format!("set -o pipefail; {command}")])
        .env("EVALHOUSE_STORE", &program.store)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}
