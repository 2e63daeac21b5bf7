//! Runs of other tools, from their files into a store.

use std::io::Write;
use std::sync::Arc;

use datafusion::arrow::array::{Array, Float64Array, RecordBatch, StringArray};
use evalhouse_analysis::{SummaryOptions, summary};
use evalhouse_import::{Format, ImportRequest, explain_import};
use evalhouse_model::ExperimentStatus;
use evalhouse_report::{BatchOptions, batch_writer};

use super::Sandbox;
use crate::analysis::{chosen, open};

/// A task of two trials, one of which crashed, and one more task.
const TAU_BENCH: &[u8] = br#"[{"task_id":0,"reward":1.0,"info":{},"traj":[],"trial":0},{"task_id":0,"reward":0.0,"info":{"error":"boom"},"traj":[],"trial":1},{"task_id":1,"reward":0.0,"info":{},"traj":[],"trial":0}]"#;

fn inspect(eval_id: &str, grade: &str) -> String {
    format!(
        r#"{{"version":2,"status":"success","eval":{{"eval_id":"{eval_id}","created":"2025-01-02T03:04:05Z","task":"t","model":"m","dataset":{{"samples":2}}}},"results":{{"total_samples":2}},"samples":[{{"id":1,"epoch":2,"input":"q","scores":{{"match":{{"value":"{grade}"}}}}}},{{"id":1,"epoch":1,"input":"q","scores":{{"match":{{"value":"C"}}}}}}]}}"#
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_import_changes_nothing() {
    let sandbox = Sandbox::new(&[("a.json", TAU_BENCH), ("log.json", inspect("e", "C").as_bytes())]).await;
    let first = sandbox.import(&[""]).await;
    assert_eq!((first.imported.len(), first.failed.len()), (2, 0), "{first:?}");
    let before = sandbox.experiments().await;
    let second = sandbox.import(&[""]).await;
    assert_eq!((second.imported.len(), second.unchanged.len()), (0, 2));
    assert_eq!(sandbox.experiments().await, before);
    // The same run again, with other scores: it replaces itself.
    sandbox.write("log.json", inspect("e", "I").as_bytes());
    let third = sandbox.import(&[""]).await;
    assert_eq!((third.imported.len(), third.unchanged.len()), (1, 1));
    let ids = |list: &[evalhouse_model::Experiment]| list.iter().map(|one| one.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&sandbox.experiments().await), ids(&before));
}

#[tokio::test(flavor = "multi_thread")]
async fn scores_that_are_missing_failed_or_zero_stay_apart() {
    let sandbox = Sandbox::new(&[("tau.json", TAU_BENCH)]).await;
    sandbox.import(&["tau.json"]).await;
    let session = open(sandbox.store.clone()).await;
    let found = summary(&session, &chosen(&session, "tau"), &SummaryOptions::default()).await.unwrap();
    assert_eq!((found.rows, found.cases), (3, 2));
    let reward = &found.scores["reward"];
    assert_eq!((reward.row_mean, reward.n, reward.missing), (Some(0.5), 2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn trials_are_numbered_as_the_source_numbers_them() {
    let sandbox = Sandbox::new(&[("log.json", inspect("e", "I").as_bytes())]).await;
    sandbox.import(&["log.json"]).await;
    let session = open(sandbox.store.clone()).await;
    let batches = session.sql("SELECT id FROM cases ORDER BY trial_index").await.unwrap().collect().await.unwrap();
    let text = format!("{batches:?}");
    assert!(text.find("1_epoch_0001") < text.find("1_epoch_0002"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_files_of_one_run_are_one_experiment() {
    let (first, second) = (inspect("e", "C"), inspect("e", "I"));
    let sandbox = Sandbox::new(&[("a.json", first.as_bytes()), ("b.json", second.as_bytes())]).await;
    let report = sandbox.import(&[""]).await;
    assert_eq!((report.imported.len(), report.skipped.len(), report.failed.len()), (1, 1, 0));
    assert_eq!(report.imported[0].experiment, "a");
    assert!(report.skipped[0].reason.contains("same run"), "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_the_files_of_a_run_the_one_that_holds_most_of_it_counts() {
    let whole = inspect("e", "C");
    let part = &whole.as_bytes()[..whole.len() - 40];
    let sandbox = Sandbox::new(&[("a.json", part), ("b.json", whole.as_bytes()), ("c.json", part)]).await;
    let report = sandbox.import(&[""]).await;
    assert_eq!((report.imported.len(), report.skipped.len(), report.failed.len()), (1, 2, 0), "{report:?}");
    assert!(report.imported[0].source.ends_with("b.json") && report.imported[0].rows == 2, "{report:?}");
    assert!(report.skipped.iter().all(|file| file.reason.contains("as `") && file.reason.contains("b.json`")));
    assert_eq!(sandbox.import(&[""]).await.unchanged.len(), 1);
    // A part that was stored before gives way to the whole.
    let sandbox = Sandbox::new(&[("a.json", part)]).await;
    sandbox.import(&[""]).await;
    sandbox.write("b.json", whole.as_bytes());
    sandbox.import(&[""]).await;
    let stored = &sandbox.experiments().await;
    assert_eq!((stored.len(), stored[0].rows, stored[0].status), (1, 2, ExperimentStatus::Complete));
    // And so does one that cannot be read.
    let bad = whole.replace("\"epoch\":2", "\"epoch\":\"two\"");
    let sandbox = Sandbox::new(&[("a.json", bad.as_bytes()), ("b.json", whole.as_bytes())]).await;
    let report = sandbox.import(&[""]).await;
    assert_eq!((report.imported.len(), report.failed.len()), (1, 1), "{report:?}");
    // In another project the run is another experiment.
    let sandbox = Sandbox::new(&[("x/log.json", whole.as_bytes()), ("y/log.json", whole.as_bytes())]).await;
    let report = sandbox.import_with(&[""], ImportRequest::default()).await.unwrap();
    assert_eq!(report.imported.len(), 2, "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_files_are_experiments_of_their_own() {
    let table = b"question,answer\nq,a\n";
    let sandbox = Sandbox::new(&[("a.csv", table), ("b.csv", table)]).await;
    assert_eq!(sandbox.import(&["a.csv"]).await.imported.len(), 1);
    assert_eq!(sandbox.import(&["b.csv"]).await.imported.len(), 1);
    let again = sandbox.import(&[""]).await;
    let names: Vec<&str> = again.unchanged.iter().map(|one| one.experiment.as_str()).collect();
    assert_eq!((names, again.imported.len()), (vec!["a", "b"], 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_and_formats_are_asked_of_the_files_of_a_folder_that_have_them() {
    let log = inspect("e", "C");
    let files: [(&str, &[u8]); 3] =
        [("README.md", b"# Read me, please"), ("r.csv", b"q,a\n1,2\n"), ("log.json", log.as_bytes())];
    let sandbox = Sandbox::new(&files).await;
    let columns = vec![("input".to_string(), "q".to_string()), ("output".to_string(), "a".to_string())];
    let request = ImportRequest { columns: columns.clone(), ..Default::default() };
    let report = sandbox.import_with(&[""], request).await.unwrap();
    assert_eq!((report.imported.len(), report.skipped.len(), report.failed.len()), (2, 1, 0), "{report:?}");
    let request = ImportRequest { from: Some("inspect".parse().unwrap()), ..Default::default() };
    let report = Sandbox::new(&files).await.import_with(&[""], request).await.unwrap();
    assert_eq!((report.imported.len(), report.skipped.len(), report.failed.len()), (1, 2, 0), "{report:?}");
    let twice = ImportRequest { columns: [&columns[..], &columns[..1]].concat(), ..Default::default() };
    let error = sandbox.import_with(&["r.csv"], twice).await.unwrap_err();
    assert_eq!(error.to_string(), "two columns are given for `input`: `q` and `q`");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_other_programs_in_a_folder_are_skipped() {
    let sandbox =
        Sandbox::new(&[("a.csv", b"question,answer\nq,a\n"), ("n.docx", b"PK\x03\x04broken"), ("p", b"PAR1x")]).await;
    let report = sandbox.import(&[""]).await;
    assert_eq!((report.imported.len(), report.skipped.len(), report.failed.len()), (1, 2, 0), "{report:?}");
    assert_eq!(sandbox.import(&["n.docx"]).await.failed.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_or_header_without_end_takes_no_memory() {
    let zipped = |bytes: &[u8]| zstd::encode_all(bytes, 1).unwrap();
    let mut table = b"question,answer\nq,a\nq2,\"".to_vec();
    table.resize(80 << 20, b'a');
    // A tar header that names the next member, whose name is 4 MiB long.
    let mut tar = tar_archive(&[("././@LongLink", &vec![b'a'; 4 << 20])]);
    tar[156] = b'L';
    tar[148..156].fill(b' ');
    let checksum: u32 = tar[..512].iter().map(|&byte| u32::from(byte)).sum();
    write!(&mut tar[148..155], "{checksum:06o}\0").unwrap();
    let sandbox = Sandbox::new(&[("t.csv.zst", &zipped(&table)), ("t.tar.zst", &zipped(&tar))]).await;
    let reason = |report: &evalhouse_model::ImportReport| report.failed[0].reason.clone();
    let found = reason(&sandbox.import(&["t.csv.zst"]).await);
    assert!(found.contains("too_long"), "{found}");
    let found = reason(&sandbox.import(&["t.tar.zst"]).await);
    assert!(found.contains("a header has more than 1 MiB"), "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_breaks_off_is_read_up_to_there() {
    let mut table = b"\n\nquestion,answer\n".to_vec();
    (0..100).for_each(|i| writeln!(table, "q{i},a{i}").unwrap());
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    gzip.write_all(&table).unwrap();
    let packed = gzip.finish().unwrap();
    let sandbox = Sandbox::new(&[("t.csv.gz", &packed[..packed.len() - 100]), ("whole.csv", &table)]).await;
    let request = ImportRequest { keep_going: true, ..Default::default() };
    let report = sandbox.import_with(&["t.csv.gz"], request).await.unwrap();
    assert!(report.imported[0].rows > 80, "{report:?}");
    let report = sandbox.import(&["whole.csv"]).await;
    assert_eq!(report.imported[0].rows, 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_costs_no_other() {
    let columns: Vec<(&str, Arc<dyn Array>)> = vec![
        ("question", Arc::new(StringArray::from(vec!["q"; 50]))),
        (
            "answer",
            Arc::new(StringArray::from((0..50).map(|i| (i % 3 > 0).then(|| format!("a{i}"))).collect::<Vec<_>>())),
        ),
        ("score", Arc::new(Float64Array::from((0..50).map(|i| (i % 5 > 0).then_some(0.5)).collect::<Vec<_>>()))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut parquet = Vec::new();
    let mut writer = batch_writer(
        evalhouse_report::Format::Parquet,
        &batch.schema(),
        BatchOptions::default(),
        Box::new(&mut parquet),
    )
    .unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    drop(writer);
    let mut random = fastrand::Rng::with_seed(3);
    for _ in 0..60 {
        let mut damaged = parquet.clone();
        (0..3).for_each(|_| damaged[4 + random.usize(..parquet.len() - 12)] ^= 1 << random.usize(..8));
        let sandbox = Sandbox::new(&[("a.csv", b"question,answer\nq,a\n"), ("b.parquet", &damaged)]).await;
        let report = sandbox.import(&[""]).await;
        assert_eq!(report.imported[0].experiment, "a");
        assert_eq!(report.imported.len() + report.failed.len() + report.skipped.len(), 2, "{report:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_explanation_says_what_the_import_would() {
    let rows = b"{\"input\":1,\"output\":2,\"experiment\":\"x\"}\n{\"input\":3,\"output\":4,\"experiment\":\"y\"}\n";
    let bad = b"{\"input\":1,\"output\":2}\n{\"input\":1,\"output\":2,\"tags\":3}\n";
    let sandbox = Sandbox::new(&[("two.jsonl", rows), ("bad.jsonl", bad)]).await;
    let explain = async |name: &str, keep_going: bool| {
        let paths = vec![sandbox.folder.path().join(name).display().to_string()];
        explain_import(ImportRequest { paths, keep_going, ..Default::default() }).await.unwrap()
    };
    let two = explain("two.jsonl", false).await;
    let names: Vec<&str> = two.files[0].experiments.iter().map(|one| one.experiment.as_str()).collect();
    assert_eq!(names, ["x", "y"]);
    assert!(two.files[0].experiments.iter().all(|one| !one.preview[0].id.is_empty()));
    let refused = explain("bad.jsonl", false).await;
    assert!(refused.failed[0].reason.contains("tags") && refused.failed[0].reason.contains("--keep-going"));
    let kept = explain("bad.jsonl", true).await;
    assert_eq!((kept.failed.len(), kept.files[0].experiments[0].rows), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_of_one_name_are_told_apart_by_their_ids() {
    let (first, second) = (inspect("e", "C"), inspect("f", "I"));
    let sandbox = Sandbox::new(&[("x/log.json", first.as_bytes()), ("y/log.json", second.as_bytes())]).await;
    let report = sandbox.import(&[""]).await;
    let names: Vec<&str> = report.imported.iter().map(|one| one.experiment.as_str()).collect();
    assert_eq!((names[0], &names[1][..4]), ("log", "log-"));
}

#[tokio::test(flavor = "multi_thread")]
async fn archives_hold_files() {
    let mut tar = tar_archive(&[("runs/tau.json", TAU_BENCH), ("runs/README.md", b"# Runs")]);
    let sandbox = Sandbox::new(&[("all.tar", &tar)]).await;
    let report = sandbox.import(&["all.tar"]).await;
    assert_eq!((report.imported.len(), report.skipped.len(), report.failed.len()), (1, 1, 0), "{report:?}");
    assert!(report.imported[0].source.ends_with("all.tar/runs/tau.json"), "{report:?}");
    tar = zstd::encode_all(tar.as_slice(), 1).unwrap();
    let sandbox = Sandbox::new(&[("all.tar.zst", &tar)]).await;
    assert_eq!(sandbox.import(&["all.tar.zst"]).await.imported.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_that_unpacks_without_end_is_refused() {
    let zeros = vec![b' '; 300 << 20];
    let tar = tar_archive(&[("bomb.json", &zeros)]);
    let packed = zstd::encode_all(tar.as_slice(), 1).unwrap();
    let sandbox = Sandbox::new(&[("bomb.tar.zst", &packed)]).await;
    let report = sandbox.import_with(&["bomb.tar.zst"], ImportRequest::default()).await.unwrap();
    assert!(report.failed[0].reason.contains("archive_too_large"), "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_named_by_urls() {
    let table = b"question,answer\nq,a\n";
    let odd = ["odd/100%.csv", "odd/a#b.csv", "odd/a b.csv", "odd/a~b.csv", "odd/ü.csv", "odd/sub/n.csv"];
    let mut files: Vec<(&str, &[u8])> = odd.iter().map(|name| (*name, &table[..])).collect();
    files.extend([("runs/tau.json", TAU_BENCH), ("runs/own.csv", table)]);
    let sandbox = Sandbox::new(&files).await;
    let url = |path: &str| format!("file://{}/{path}", sandbox.folder.path().display());
    for (path, count) in
        [("runs/tau.json", 1), ("runs", 2), ("runs/*.csv", 1), ("odd", 6), ("odd/*.csv", 5), ("odd/**/*.csv", 6)]
    {
        let request = ImportRequest { paths: vec![url(path)], project: Some(path.into()), ..Default::default() };
        let store = sandbox.store.clone();
        let report = evalhouse_import::import(&store, request, std::sync::Arc::new(evalhouse_import::NoProgress)).await;
        let report = report.unwrap();
        assert_eq!((report.imported.len(), report.failed.len()), (count, 0), "{path}: {report:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_cut_off_is_partial_and_imported_once() {
    let log = inspect("e", "C");
    let cut = &log.as_bytes()[..log.len() - 40];
    let sandbox = Sandbox::new(&[("log.json", cut)]).await;
    let report = sandbox.import(&["log.json"]).await;
    assert_eq!((report.imported.len(), report.failed.len()), (1, 0), "{report:?}");
    let stored = &sandbox.experiments().await[0];
    assert_eq!((stored.status, stored.rows, stored.declared_total), (ExperimentStatus::Partial, 1, Some(2)));
    assert_eq!(sandbox.import(&["log.json"]).await.unchanged.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_sample_stops_its_file_unless_it_may_be_skipped() {
    let log = inspect("e", "C").replace("\"epoch\":2", "\"epoch\":\"two\"");
    let sandbox = Sandbox::new(&[("log.json", log.as_bytes())]).await;
    let report = sandbox.import(&["log.json"]).await;
    assert!(report.imported.is_empty() && report.failed[0].reason.contains("epoch"), "{report:?}");
    let request = ImportRequest { keep_going: true, ..Default::default() };
    let report = sandbox.import_with(&["log.json"], request).await.unwrap();
    assert_eq!((report.imported[0].rows, report.imported[0].notes["wrong_type"]), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_explanation_reads_and_stores_nothing() {
    let sandbox = Sandbox::new(&[("tau.json", TAU_BENCH)]).await;
    let paths = vec![sandbox.folder.path().join("tau.json").display().to_string()];
    let explained = explain_import(ImportRequest { paths, ..Default::default() }).await.unwrap();
    let [file] = explained.files.as_slice() else { panic!("{explained:?}") };
    assert_eq!((file.format.as_str(), file.is_whole, file.experiments[0].rows), ("tau-bench", true, 3));
    assert_eq!(file.experiments[0].scores, ["reward", "success"]);
    assert_eq!(file.experiments[0].preview[1].scores["reward"], None);
    assert!(sandbox.experiments().await.is_empty());
}

#[test]
fn every_format_has_a_page() {
    let index = include_str!("../../docs/import.md");
    for format in Format::all().filter(|format| *format != Format::NATIVE) {
        let name = format.name().trim_end_matches("-table");
        assert!(index.contains(&format!("(import/{name}.md)")), "{name}");
        let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/import/{name}.md"));
        assert!(page.exists(), "{}", page.display());
    }
}

/// A tar archive, written by hand: a header of 512 bytes and padded content for each file.
fn tar_archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, content) in files {
        let mut header = [0_u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[100..107].copy_from_slice(b"0000644");
        write!(&mut header[124..135], "{:011o}", content.len()).unwrap();
        header[136..147].copy_from_slice(b"00000000000");
        header[148..156].fill(b' ');
        header[156] = b'0';
        header[257..263].copy_from_slice(b"ustar\0");
        header[263..265].copy_from_slice(b"00");
        let checksum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
        write!(&mut header[148..155], "{checksum:06o}\0").unwrap();
        archive.extend(header);
        archive.extend(*content);
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive.resize(archive.len() + 1024, 0);
    archive
}
