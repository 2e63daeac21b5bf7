//! Every word of `docs/import.md`: what leads to it, and what then is stored.

use std::collections::BTreeSet;

use evalhouse_import::ImportRequest;
use evalhouse_model::ExperimentStatus;

use super::{Sandbox, child, lines, read, root};
use crate::analysis::open;

/// What makes a row unusable: word, the bad text on line 2, part of the message.
fn bad_rows() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let row = |more: &str| root("bad", more).into_bytes();
    vec![
        ("bad_json", row(",}"), "no JSON at column 66: expected a key"),
        ("bad_json", row(r#","output":tru"#), "no JSON"),
        ("bad_json", b"hello".to_vec(), "no JSON at column 1"),
        ("bad_json", br#"{"id":"bad","input":"#.to_vec(), "ends inside a value"),
        ("invalid_utf8", [row("").as_slice(), b"\xFF"].concat(), "no UTF-8 at byte"),
        ("not_an_object", b"[1,2]".to_vec(), "this is an array"),
        ("not_a_row", br#"{"experiment":"x"}"#.to_vec(), "neither `span_id`"),
        (
            "wrong_type",
            br#"{"id":7,"input":1,"output":2}"#.to_vec(),
            "field `id`: expected a string, found a number (`7`)",
        ),
        ("wrong_type", row(r#","tags":["a",1]"#), "field `tags[1]`"),
        ("wrong_type", row(r#","metadata":"m""#), "field `metadata`: expected an object"),
        ("wrong_type", row(r#","scores":[1]"#), "field `scores`"),
        ("wrong_type", row(r#","metrics":1"#), "field `metrics`"),
        ("wrong_type", row(r#","span_parents":"r""#), "field `span_parents`"),
        ("wrong_type", row(r#","span_attributes":{"type":1}"#), "field `span_attributes.type`"),
        ("wrong_type", row(r#","is_root":"yes""#), "field `is_root`"),
        ("wrong_type", row(r#","_xact_id":"new""#), "field `_xact_id`"),
        ("wrong_type", row(r#","experiment_id":{}"#), "field `experiment_id`"),
        ("wrong_type", br#"{"_object_delete":true}"#.to_vec(), "field `id`"),
        (
            "score_not_number",
            row(r#","scores":{"f":"yes"}"#),
            "field `scores.f`: a score is a number or null, and this is a string (`\"yes\"`)",
        ),
        ("score_not_finite", row(r#","scores":{"f":-Infinity}"#), "field `scores.f`"),
        ("score_not_finite", row(r#","scores":{"f":1e999}"#), "field `scores.f`"),
        ("metric_not_number", row(r#","metrics":{"tokens":"7"}"#), "field `metrics.tokens`"),
        ("bad_time", row(r#","created":"yesterday""#), "field `created`: no time"),
        ("too_deep", row(&format!(r#","output":{}{}"#, "[".repeat(128), "]".repeat(128))), "128 levels"),
        ("missing_root_span_id", br#"{"span_id":"bad","span_parents":["nobody"]}"#.to_vec(), "field `root_span_id`"),
        ("merge_row", row(r#","_is_merge":true"#), "partial update"),
        ("duplicate_id", root("a", "").into_bytes(), "field `id`"),
        (
            "duplicate_span_id",
            br#"{"id":"b","span_id":"a","root_span_id":"a","span_parents":["a"]}"#.to_vec(),
            "field `span_id`",
        ),
        ("no_root", child("b", "nowhere", "").into_bytes(), "field `span_parents`"),
        ("second_root", br#"{"id":"b","span_id":"b","root_span_id":"a"}"#.to_vec(), "field `span_parents`"),
        (
            "unknown_parent",
            br#"{"id":"b","span_id":"b","root_span_id":"a","span_parents":["x"]}"#.to_vec(),
            "field `span_parents`",
        ),
        (
            "cycle",
            br#"{"id":"b","span_id":"b","root_span_id":"a","span_parents":["b"]}"#.to_vec(),
            "field `span_parents`",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_row_stops_its_file_or_is_skipped() {
    for (word, bad, message) in bad_rows() {
        let source = [root("a", "").as_bytes(), b"\n", &bad, b"\n", root("z", "").as_bytes(), b"\n"].concat();
        let sandbox = Sandbox::new(&[("run.jsonl", &source)]).await;

        let report = sandbox.import(&["run.jsonl"]).await;
        let reason = &report.failed[0].reason;
        assert!(reason.starts_with("run.jsonl:2: "), "{word}: {reason}");
        assert!(reason.contains(message) && reason.contains(&format!("[{word}]")), "{word}: {reason}");
        assert!(report.imported.is_empty() && sandbox.experiments().await.is_empty(), "{word}");

        let keep_going = ImportRequest { keep_going: true, ..Default::default() };
        let report = sandbox.import_with(&["run.jsonl"], keep_going).await.unwrap();
        assert_eq!(report.imported[0].rows, 2, "{word}: {report:?}");
        assert_eq!(report.imported[0].notes.get(word), Some(&1), "{word}: {report:?}");
        assert!(report.failed[0].reason.contains("1 row skipped"), "{word}: {report:?}");
        assert_eq!(sandbox.experiments().await[0].status, ExperimentStatus::Partial, "{word}");
    }
}

/// What is tolerated: word, the rows, what the import says of them.
fn tolerated() -> Vec<(&'static str, Vec<String>)> {
    vec![
        ("nan_score", vec![root("a", r#","scores":{"f":NaN}"#)]),
        ("boolean_score", vec![root("a", r#","scores":{"f":true}"#)]),
        ("score_out_of_range", vec![root("a", r#","scores":{"f":7}"#)]),
        ("nan_metric", vec![root("a", r#","metrics":{"m":NaN}"#)]),
        ("caller_metric", vec![root("a", r#","metrics":{"caller_filename":"x.py"}"#)]),
        ("nan_value", vec![root("a", r#","output":[Infinity]"#)]),
        ("lone_surrogate", vec![root("a", r#","output":"\ud800""#)]),
        ("duplicate_key", vec![root("a", r#","output":1,"output":2"#)]),
        ("older_version", vec![root("a", r#","_xact_id":"5""#), root("a", r#","_xact_id":"4""#)]),
        ("older_version", vec![root("a", r#","_xact_id":"4""#), root("a", r#","_xact_id":5"#)]),
        ("repeated_row", vec![root("a", r#","_xact_id":"5""#), root("a", r#","_xact_id":"5""#)]),
        (
            "deleted",
            vec![
                root("a", ""),
                root("b", r#","_xact_id":"4""#),
                r#"{"id":"b","_xact_id":"5","_object_delete":true}"#.into(),
            ],
        ),
        ("deleted", vec![root("a", ""), root("b", ""), r#"{"id":"b","_object_delete":true}"#.into()]),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fetch_that_ends_at_the_tools_limit_is_told() {
    let of = |count: usize, more: &str| lines(&(0..count).map(|i| root(&format!("r{i}"), more)).collect::<Vec<_>>());
    let table = |count: usize| {
        let rows = (0..count).map(|i| format!("q{i},a,a,\"{{\"\"f\"\":1}}\"\n"));
        format!("input,output,expected,scores\n{}", rows.collect::<String>()).into_bytes()
    };
    let version = r#","_xact_id":"7""#;
    let children: Vec<String> = (0..500)
        .flat_map(|i| [root(&format!("r{i}"), version), child(&format!("c{i}"), &format!("r{i}"), version)])
        .collect();
    for (name, content, is_told) in [
        ("fetch.jsonl", of(1_000, version), true),
        ("spans.jsonl", lines(&children), true),
        ("more.jsonl", of(1_001, version), false),
        ("own.jsonl", of(1_000, ""), false),
        ("download.csv", table(1_000), true),
        ("small.csv", table(999), false),
    ] {
        let sandbox = Sandbox::new(&[(name, &content)]).await;
        let report = sandbox.import(&[name]).await;
        assert_eq!(report.imported[0].notes.contains_key("rows_at_limit"), is_told, "{name}: {report:?}");
        assert_eq!(sandbox.experiments().await[0].status, ExperimentStatus::Complete, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_tolerated_is_counted() {
    for (word, rows) in tolerated() {
        let sandbox = Sandbox::new(&[("run.jsonl", &lines(&rows))]).await;
        let report = sandbox.import(&["run.jsonl"]).await;
        assert_eq!(report.failed, [], "{word}");
        assert_eq!(report.imported[0].rows, 1, "{word}: {report:?}");
        assert_eq!(report.imported[0].notes.get(word), Some(&1), "{word}: {report:?}");
        let stored = &sandbox.experiments().await[0];
        assert_eq!(stored.notes.get(word), Some(&1), "{word}");
        assert_eq!(stored.status, ExperimentStatus::Complete, "{word}");
    }
}

#[test]
fn what_tolerated_values_become() {
    let row = r#"{"span_id":"a","input":{"x":NaN , "y":"\ud800"},"output":NaN,"expected":null,"error":"\u0000",
        "scores":{"n":NaN,"t":true,"z":0,"u":null,"d":0.1,"d":0.2},"metrics":{"i":Infinity,"start":1.5,"k":null},
        "tags":[],"metadata":{"big":123456789012345678901234567890},"facets":{"f":1},"comments":null,"_xact_id":"12"}"#;
    let (spans, faults) = read(row.replace("\n        ", ""));
    assert_eq!(faults, []);
    let span = &spans[0];
    assert_eq!(span.input.as_deref(), Some(r#"{"x":null,"y":"\ufffd"}"#));
    assert_eq!((span.output.as_deref(), span.expected.as_deref()), (None, None));
    assert_eq!(span.error.as_deref(), Some(r#""\u0000""#));
    let scores: Vec<(&str, Option<f64>)> = span.scores.iter().map(|(name, score)| (&**name, *score)).collect();
    assert_eq!(scores, [("n", None), ("t", Some(1.0)), ("z", Some(0.0)), ("u", None), ("d", Some(0.2))]);
    let metrics: Vec<(&str, f64)> = span.metrics.iter().map(|(name, metric)| (&**name, *metric)).collect();
    assert_eq!((metrics.as_slice(), span.start), ([("start", 1.5)].as_slice(), Some(1.5)));
    assert_eq!(span.tags.as_deref(), Some([].as_slice()));
    assert_eq!(span.metadata.as_deref(), Some(r#"{"big":123456789012345678901234567890}"#));
    assert_eq!(span.extra.as_deref(), Some(r#"{"facets":{"f":1},"_xact_id":"12"}"#));
    assert_eq!(span.version, 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_breaks_off_is_partial_when_asked() {
    let rows = lines(&(0..2000).map(|i| root(&format!("r{i}"), "")).collect::<Vec<_>>());
    let cut_text = &rows[..rows.len() - 10];
    let zst = zstd::encode_all(rows.as_slice(), 1).unwrap();
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gz, &rows).unwrap();
    let mut damaged = gz.finish().unwrap();
    let checksum = damaged.len() - 8;
    damaged[checksum] ^= 1;
    let array = [b"[", rows.strip_suffix(b"\n").unwrap().to_vec().as_slice()].concat();
    let array = String::from_utf8(array).unwrap().replace('\n', ",\n");

    for (word, content, line) in [
        ("truncated", cut_text, 2000),
        ("truncated", &zst[..zst.len() - 20], 0),
        ("truncated", array.as_bytes(), 2000),
        ("corrupt_compression", damaged.as_slice(), 0),
    ] {
        let sandbox = Sandbox::new(&[("run.jsonl", content)]).await;
        let report = sandbox.import(&["run.jsonl"]).await;
        let reason = &report.failed[0].reason;
        assert!(reason.contains(&format!("[{word}]")) && reason.starts_with("run.jsonl:"), "{reason}");
        assert!(line == 0 || reason.starts_with(&format!("run.jsonl:{line}: ")), "{reason}");
        assert_eq!(sandbox.experiments().await, []);

        let keep_going = ImportRequest { keep_going: true, ..Default::default() };
        let report = sandbox.import_with(&["run.jsonl"], keep_going.clone()).await.unwrap();
        let rows = report.imported.first().map_or(0, |one| one.rows);
        assert!((1000..=2000).contains(&rows), "{word}: {report:?}");
        assert_eq!(report.imported[0].notes.get(word), Some(&1), "{report:?}");
        assert_eq!(sandbox.experiments().await[0].status, ExperimentStatus::Partial);
        let again = sandbox.import_with(&["run.jsonl"], keep_going).await.unwrap();
        assert_eq!(again.unchanged.len(), 1, "{again:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_cannot_be_imported() {
    let utf16: Vec<u8> = root("a", "").encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (word, content) in [
        ("not_recognised", b"# Notes".as_slice()),
        ("not_recognised", br#"[{"experiment":"x","file":"y"}]"#),
        ("not_recognised", b""),
        ("utf16", &utf16),
        ("no_rows", br#"{"id":"a","_object_delete":true}"#),
    ] {
        let sandbox = Sandbox::new(&[("file.json", content)]).await;
        let report = sandbox.import(&["file.json"]).await;
        let reason = report.failed.first().map(|file| file.reason.as_str()).unwrap_or_default();
        assert!(reason.starts_with("file.json:1: ") && reason.contains(&format!("[{word}]")), "{word}: {report:?}");
        assert_eq!(sandbox.experiments().await, []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_too_long_is_passed() {
    let long = format!(r#"{{"span_id":"b","input":"{}"}}"#, "x".repeat(257 << 20));
    let source = [root("a", ""), long, root("c", "")].join("\n");
    let (spans, faults) = read(source);
    let ids: Vec<&str> = spans.iter().map(|span| span.id.as_str()).collect();
    assert_eq!(ids, ["a", "c"]);
    assert_eq!((faults.len(), &*faults[0].reason, faults[0].line), (1, "too_long", 2));
}

/// Words whose tests are elsewhere or that no test can bring about.
const ELSEWHERE: [&str; 17] = [
    "truncated",
    "corrupt_compression",
    "too_long",
    "name_taken",
    "duplicate_experiment",
    "experiment_elsewhere",
    "many_experiments",
    // Of the formats of other tools: tests/import/foreign.rs, crates/import/src/formats/tests/.
    "ambiguous_column",
    "archive_too_large",
    "cut_off",
    "newer_version",
    "no_such_column",
    "repeated_record",
    "rows_at_limit",
    "replaced_utf8",
    "score_is_label",
    "unfinished_run",
];

#[test]
fn every_documented_word_has_a_test() {
    let documented: BTreeSet<&str> = include_str!("../../docs/import.md")
        .split_once("## What can be wrong")
        .unwrap()
        .1
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(word, _)| word)
        .collect();
    let mut tested: BTreeSet<&str> = bad_rows().iter().map(|(word, ..)| *word).collect();
    tested.extend(tolerated().iter().map(|(word, _)| *word));
    tested.extend(ELSEWHERE);
    tested.extend(["not_recognised", "utf16", "no_rows", "unreadable"]);
    assert_eq!(documented, tested);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_with_a_dot_is_not_the_path_of_its_name() {
    let text = lines(&[
        root("a", r#","output":{"a.b":1,"a":{"b":2}},"expected":{"a.b":"key"}"#),
        root("b", r#","output":{"a.b":3,"a":{"b":4}},"expected":{"a":{"b":"path"}}"#),
    ]);
    let sandbox = Sandbox::new(&[("run.jsonl", &text)]).await;
    sandbox.import(&["run.jsonl"]).await;
    let session = open(sandbox.store.clone()).await;
    let sql = r#"SELECT output.a.b, output."a.b", expected.a.b, expected."a.b" FROM cases ORDER BY id"#;
    let batches = session.sql(sql).await.unwrap().collect().await.unwrap();
    let found = evalhouse_report::json_rows(&batches).unwrap();
    let expected = serde_json::json!([[2, 1, null, "key"], [4, 3, "path", null]]);
    assert_eq!(serde_json::json!(found), expected);
    // Both are there to be seen, under names of their own.
    let all = session.sql("SELECT * FROM cases").await.unwrap().collect().await.unwrap();
    let schema = all[0].schema();
    assert!(["output.a.b", "output.a%2Eb"].iter().all(|name| schema.index_of(name).is_ok()), "{schema}");
}
