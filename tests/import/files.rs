//! What can be named, how it may be packed, and in which shapes rows may lie.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use evalhouse_import::{Format, ImportRequest, Progress, import};

use super::{Sandbox, child, lines, read, root};

fn three_rows() -> Vec<String> {
    vec![root("a", r#","output":{"k":[1, 2]}"#), child("b", "a", ""), root("c", "")]
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn every_shape_gives_the_same_spans() {
    let rows = three_rows();
    let (expected, faults) = read(lines(&rows));
    assert_eq!((expected.len(), faults), (3, vec![]));

    let pretty = rows.iter().map(|row| row.replace(',', ",\n  ").replace('{', "{\n  ")).collect::<Vec<_>>();
    for (shape, text) in [
        ("CRLF, blank lines, byte order mark", format!("\u{feff}\r\n{}\r\n\r\n  \n", rows.join("\r\n\r\n"))),
        ("no last line break", rows.join("\n")),
        ("array", format!("[{}]", rows.join(","))),
        ("array on many lines", format!("\n[\n  {}\n]\n", rows.join(",\n  "))),
        ("pretty array", format!("[ {} ]", pretty.join(" , "))),
        ("rows that span lines", pretty.join("\n")),
        ("fetch page", format!(r#"{{"events":[{}],"cursor":null}}"#, rows.join(","))),
        ("query answer", format!("{{\"schema\":{{\"data\":[1]}},\n\"data\":[\n{}\n]}}", rows.join(",\n"))),
        ("pages", format!("{{\"events\":[{}]}}\n{{\"cursor\":\"x\",\"events\":[{},{}]}}\n", rows[0], rows[1], rows[2])),
        ("an empty page first", format!("{{\"events\":[{}]}}{{\"events\":[]}}", rows.join(","))),
    ] {
        let (mut spans, faults) = read(text);
        assert_eq!(faults, [], "{shape}");
        assert!(spans.iter().all(|span| span.line > 0), "{shape}");
        for (span, expected) in spans.iter_mut().zip(&expected) {
            span.line = expected.line;
            span.output = span.output.as_ref().map(|output| output.replace(' ', ""));
            assert_eq!(span.output, expected.output.as_ref().map(|output| output.replace(' ', "")), "{shape}");
            span.output.clone_from(&expected.output);
        }
        assert_eq!(spans, expected, "{shape}");
    }
}

#[test]
fn a_row_knows_its_line() {
    let rows = three_rows();
    let lines_of = |text: String| read(text).0.iter().map(|span| span.line).collect::<Vec<_>>();
    assert_eq!(lines_of(rows.join("\n\n")), [1, 3, 5]);
    assert_eq!(lines_of(format!("[\n{}\n]", rows.join(",\n"))), [2, 3, 4]);
    assert_eq!(lines_of(format!("[{}]", rows.join(","))), [1, 1, 1]);
}

#[test]
fn compression_is_told_by_content() {
    let rows = three_rows();
    let (first, rest) = (lines(&rows[..1]), lines(&rows[1..]));
    let zst = |bytes: &[u8]| zstd::encode_all(bytes, 1).unwrap();
    for (packing, packed) in [
        ("gzip", gzip(&lines(&rows))),
        ("gzip members", [gzip(&first), gzip(&rest)].concat()),
        ("zstd", zst(&lines(&rows))),
        ("zstd frames", [zst(&first), zst(&rest)].concat()),
    ] {
        assert_eq!(read(packed), read(lines(&rows)), "{packing}");
    }
}

#[test]
fn rows_longer_than_the_buffer_are_whole() {
    let long = "x".repeat(3 << 20);
    let rows = vec![
        root("a", &format!(r#","output":"{long}""#)),
        child("b", "a", ""),
        root("c", &format!(r#","output":["{long}"]"#)),
    ];
    for text in [lines(&rows), format!("[{}]", rows.join(",\n")).into_bytes()] {
        let (spans, faults) = read(text);
        assert_eq!((spans.len(), faults), (3, vec![]));
        assert_eq!(spans[2].output.as_ref().unwrap().len(), long.len() + 4);
    }
}

#[test]
fn minimal_rows_are_roots_with_ids_of_their_own() {
    let (spans, faults) = read(r#"{"input":1,"output":2}"#);
    assert_eq!(faults, []);
    assert!(spans[0].is_root);
    let (spans, faults) = read(
        "{\"span_id\":\"r\"}\n{\"span_id\":\"t\",\"span_parents\":[\"r\"]}\n{\"span_id\":\"u\",\"span_parents\":[\"t\"]}",
    );
    assert_eq!(faults, []);
    assert!(spans.iter().all(|span| span.root_span_id == "r"), "{spans:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_skip_what_is_no_eval_result() {
    let rows = lines(&three_rows());
    let sandbox = Sandbox::new(&[
        ("runs/a.jsonl", &rows),
        ("runs/deep/b.jsonl.gz", &gzip(&rows)),
        ("runs/README.md", b"# Runs"),
        ("runs/experiments.json", br#"[{"experiment":"a","file":"a.jsonl"}]"#),
        ("runs/empty", b""),
        ("runs/.hidden.jsonl", &rows),
    ])
    .await;
    let report = sandbox.import_with(&["runs"], ImportRequest::default()).await.unwrap();
    let imported: Vec<(&str, &str)> = report.imported.iter().map(|one| (&*one.project, &*one.experiment)).collect();
    assert_eq!(imported, [("runs", "a"), ("deep", "b")]);
    assert_eq!((report.imported[0].rows, report.imported[0].spans, report.files), (2, 3, 2));
    let skipped: Vec<String> = report.skipped.iter().map(|file| format!("{} {}", file.path, file.reason)).collect();
    assert_eq!(
        skipped,
        [
            "runs/README.md is no JSON",
            "runs/empty is empty",
            "runs/experiments.json is JSON, but its objects are no rows of evals",
        ]
    );
    assert_eq!(report.failed, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn globs_name_files_and_folders() {
    let rows = lines(&three_rows());
    let sandbox =
        Sandbox::new(&[("x/a-1.jsonl", &rows), ("x/a-2.jsonl", &rows), ("x/b.jsonl", &rows), ("x/a-3.txt", b"no")])
            .await;
    let report = sandbox.import(&["x/a-*"]).await;
    let names: Vec<&str> = report.imported.iter().map(|one| one.experiment.as_str()).collect();
    assert_eq!((names, report.skipped.len()), (vec!["a-1", "a-2"], 1));
    let error = sandbox.import_with(&["x/zzz*"], ImportRequest::default()).await.unwrap_err();
    assert!(error.to_string().contains("no eval results"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_make_no_sense() {
    let rows = lines(&three_rows());
    let sandbox = Sandbox::new(&[("d/a.jsonl", &rows), ("d/b.jsonl", &rows), ("e/README.md", b"# x")]).await;
    for (paths, request, message) in [
        (vec![], ImportRequest::default(), "nothing to import"),
        (vec!["nowhere.jsonl"], ImportRequest::default(), "nowhere.jsonl`"),
        (vec!["e"], ImportRequest::default(), "no eval results in"),
        (vec!["d"], ImportRequest { experiment: Some("x".into()), ..Default::default() }, "these are 2"),
        (vec!["d"], ImportRequest { project: Some(String::new()), ..Default::default() }, "project name is empty"),
    ] {
        let error = sandbox.import_with(&paths, request).await.unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
    }
    assert_eq!(sandbox.experiments().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_format_that_is_given_is_not_guessed() {
    let sandbox = Sandbox::new(&[("run.json", br#"{"question":1}"#)]).await;
    let request = ImportRequest { from: Some(Format::NATIVE), ..Default::default() };
    let report = sandbox.import_with(&["run.json"], request).await.unwrap();
    assert!(report.failed[0].reason.contains("[not_a_row]"), "{report:?}");
    assert!("no-such-format".parse::<Format>().is_err());
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_pipe_is_read_like_a_file() {
    let sandbox = Sandbox::new(&[]).await;
    let pipe = sandbox.folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let writer = std::thread::spawn(move || std::fs::write(pipe, gzip(&lines(&three_rows()))).unwrap());
    let report = sandbox.import(&["pipe"]).await;
    writer.join().unwrap();
    assert_eq!((report.imported[0].rows, &*report.imported[0].experiment), (2, "stdin"));
}

#[derive(Default)]
struct Counts {
    planned: AtomicU64,
    bytes: AtomicU64,
    rows: AtomicU64,
    files: AtomicU64,
}

impl Progress for Counts {
    fn planned(&self, _files: usize, bytes: u64) {
        self.planned.store(bytes, Ordering::Relaxed);
    }
    fn bytes_read(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
    fn rows_read(&self, rows: u64) {
        self.rows.fetch_add(rows, Ordering::Relaxed);
    }
    fn file_finished(&self, _path: &str) {
        self.files.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_ends_where_it_was_planned() {
    let many = lines(&(0..5000).map(|i| root(&format!("r{i}"), "")).collect::<Vec<_>>());
    let sandbox =
        Sandbox::new(&[("d/a.jsonl", &many), ("d/b.jsonl.gz", &gzip(&many)), ("d/c.jsonl", &lines(&three_rows()))])
            .await;
    let counts = Arc::new(Counts::default());
    let paths = vec![sandbox.folder.path().join("d").display().to_string()];
    let progress = Arc::clone(&counts) as Arc<dyn Progress>;
    import(&sandbox.store, ImportRequest { paths, ..Default::default() }, progress).await.unwrap();
    let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    assert_eq!(read(&counts.bytes), read(&counts.planned));
    assert_eq!((read(&counts.rows), read(&counts.files)), (10_003, 3));
}
