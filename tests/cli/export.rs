//! `evalhouse export`

use super::{Program, check};

#[test]
fn an_export_imports_again_as_the_same_tables() {
    let program = Program::with_bundled_data();
    check("export", program.run(&["export", "support-assistant/baseline", "-o", "out.jsonl"]));
    let copy = Program::new();
    let text = std::fs::read(program.path("out.jsonl")).unwrap();
    std::fs::write(copy.path("out.jsonl"), text).unwrap();
    let imported = copy.run(&["import", "out.jsonl", "--quiet"]);
    assert_eq!(imported.code, Some(0), "{imported}");

    for table in ["cases", "spans", "scores"] {
        let query = format!("SELECT * FROM {table} WHERE experiment = 'baseline' ORDER BY ALL");
        let original = program.run(&["sql", &query, "--format", "jsonl"]);
        let again = copy.run(&["sql", &query, "--format", "jsonl"]);
        assert!(!original.stdout.is_empty(), "{original}");
        assert_eq!(original.stdout, again.stdout, "{table}");
    }
}

#[test]
fn the_first_rows_of_each_shape() {
    let program = Program::with_bundled_data();
    let mut jsonl = program.run(&["export", "support-assistant/baseline", "--format", "jsonl"]);
    jsonl.stdout = jsonl.stdout.lines().take(2).map(|line| format!("{line}\n")).collect();
    check("export_jsonl", jsonl);
    let mut csv = program.run(&["export", "support-assistant/baseline", "--format", "csv", "--all-fields"]);
    csv.stdout = csv.stdout.lines().take(2).map(|line| format!("{line}\n")).collect();
    check("export_csv", csv);
}

#[test]
fn binary_files_have_their_magic() {
    let program = Program::with_bundled_data();
    for (name, magic) in [("out.parquet", "PAR1"), ("out.arrow", "ARROW1")] {
        let output = program.run(&["export", "support-assistant/baseline", "-o", name]);
        assert_eq!(output.code, Some(0), "{output}");
        assert!(std::fs::read(program.path(name)).unwrap().starts_with(magic.as_bytes()), "{name}");
    }
}

#[test]
fn a_file_without_a_format_is_the_users() {
    check("export_unknown_format", Program::with_bundled_data().run(&["export", "prompt-v2", "-o", "out.dat"]));
}
