//! `evalhouse export`

use super::{Program, check};

#[test]
fn an_export_imports_again_as_the_same_tables() {
    let program = Program::new();
    let imported = program.run(&["import", "runs/baseline.jsonl.gz", "--quiet"]);
    assert_eq!(imported.code, Some(0), "{imported}");
    check("export", program.run(&["export", "baseline", "-o", "out.jsonl"]));

    let copy = Program::new();
    std::fs::copy(program.path("out.jsonl"), copy.path("out.jsonl")).unwrap();
    let imported = copy.run(&["import", "out.jsonl", "--quiet"]);
    assert_eq!(imported.code, Some(0), "{imported}");
    for table in ["cases", "spans", "scores"] {
        let query = format!("SELECT * FROM {table} ORDER BY ALL");
        let original = program.run(&["sql", &query, "--format", "jsonl"]).stdout;
        let again = copy.run(&["sql", &query, "--format", "jsonl"]).stdout;
        assert!(original.lines().count() > 100, "{table}");
        let differing = original.lines().zip(again.lines()).find(|(one, other)| one != other);
        assert_eq!(differing, None, "{table}");
        assert_eq!(original.lines().count(), again.lines().count(), "{table}");
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
