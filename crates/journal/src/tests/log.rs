//! Written rows come back: after a restart, after a torn tail, and not after their release.

use std::collections::BTreeSet;
use std::path::Path;

use crate::{Incoming, Journal, JournalError, JournalOptions, ObjectKind, ObjectRef, Row, Selection, incoming};

fn object(id: &str) -> ObjectRef {
    ObjectRef { kind: ObjectKind::Experiment, id: id.into() }
}

fn row(of: &str, id: &str, trace: &str) -> Incoming {
    let text = format!(r#"{{"id":"{id}","root_span_id":"{trace}","input":{}}}"#, 2_f64.powi(70));
    incoming(object(of), Row::parse(&text).unwrap()).unwrap()
}

fn open(folder: &Path) -> (Journal, crate::Recovered) {
    reopen(folder, JournalOptions::default())
}

/// The thread of a journal that went out of scope lets go of the lock a moment later.
fn reopen(folder: &Path, options: JournalOptions) -> (Journal, crate::Recovered) {
    for _ in 0..500 {
        match Journal::open(folder, options.clone()) {
            Err(JournalError::InUse { .. }) => std::thread::sleep(std::time::Duration::from_millis(10)),
            other => return other.unwrap(),
        }
    }
    panic!("the lock was never given back");
}

fn ids(journal: &Journal, of: &str, selection: Selection<'_>) -> Vec<String> {
    journal.rows(&object(of), selection, None).map(|row| row.unwrap().id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_requests_get_growing_transactions_and_survive() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = open(folder.path());
    let mut tasks = Vec::new();
    for task in 0..8 {
        let journal = journal.clone();
        tasks.push(tokio::spawn(async move {
            let mut xacts = Vec::new();
            for i in 0..50 {
                let rows = [row("e", &format!("{task}-{i}"), "t"), row("f", &format!("{task}-{i}"), "u")];
                xacts.push(journal.append(&rows).await.unwrap().xact);
            }
            assert!(xacts.windows(2).all(|pair| pair[0] < pair[1]));
            xacts
        }));
    }
    let mut all = BTreeSet::new();
    for task in tasks {
        all.extend(task.await.unwrap());
    }
    assert_eq!(all.len(), 400);
    let before = ids(&journal, "e", Selection::All);
    let stats = journal.stats(&object("e")).unwrap();
    assert_eq!((stats.rows, Some(&stats.last_xact)), (400, all.last()));
    assert!(matches!(Journal::open(folder.path(), JournalOptions::default()), Err(JournalError::InUse { .. })));
    drop(journal);
    let (journal, recovered) = open(folder.path());
    assert_eq!((recovered.rows, recovered.torn_bytes), (800, 0));
    assert_eq!(ids(&journal, "e", Selection::All), before);
    assert!(journal.append(&[row("e", "new", "t")]).await.unwrap().xact > *all.last().unwrap());
}

#[tokio::test]
async fn rows_are_found_by_trace_and_id() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = open(folder.path());
    journal.append(&[row("e", "a", "t1"), row("e", "b", "t2")]).await.unwrap();
    let first = journal.append(&[row("e", "c", "t1")]).await.unwrap().xact;
    journal.append(&[row("e", "a", "t1")]).await.unwrap();
    assert_eq!(ids(&journal, "e", Selection::Trace("t1")), ["a", "c", "a"]);
    assert_eq!(ids(&journal, "e", Selection::Row("b")), ["b"]);
    assert_eq!(journal.rows(&object("e"), Selection::All, Some(first)).count(), 3);
    assert!(ids(&journal, "none", Selection::All).is_empty());
}

#[tokio::test]
async fn a_tail_torn_anywhere_loses_only_the_request_that_was_not_answered() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = open(folder.path());
    journal.append(&[row("e", "a", "t")]).await.unwrap();
    let file = folder.path().join(format!("wal-{:020}.log", 1));
    let whole = std::fs::metadata(&file).unwrap().len();
    journal.append(&[row("e", "b", "t")]).await.unwrap();
    let bytes = std::fs::read(&file).unwrap();
    for cut in whole..bytes.len() as u64 {
        let copy = tempfile::tempdir().unwrap();
        std::fs::write(copy.path().join(file.file_name().unwrap()), &bytes[..cut as usize]).unwrap();
        let (journal, recovered) = open(copy.path());
        assert_eq!((recovered.rows, recovered.torn_bytes), (1, cut - whole), "cut at {cut}");
        assert_eq!(ids(&journal, "e", Selection::All), ["a"]);
        drop(journal);
        assert_eq!(open(copy.path()).1.torn_bytes, 0);
    }
}

#[tokio::test]
async fn a_flipped_bit_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let options = JournalOptions { segment_bytes: 1, ..JournalOptions::default() };
    let (journal, _) = reopen(folder.path(), options.clone());
    for id in ["a", "b", "c"] {
        journal.append(&[row("e", id, "t")]).await.unwrap();
    }
    drop(journal);
    let file = folder.path().join(format!("wal-{:020}.log", 2));
    let good = std::fs::read(&file).unwrap();
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        std::fs::write(&file, &bad).unwrap();
        match Journal::open(folder.path(), options.clone()) {
            Err(JournalError::Corrupt { file: named, .. }) => assert_eq!(named, file, "byte {at}"),
            Err(JournalError::InUse { .. }) => std::thread::sleep(std::time::Duration::from_millis(5)),
            other => panic!("byte {at}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn released_rows_are_forgotten_and_their_files_removed() {
    let folder = tempfile::tempdir().unwrap();
    let options = JournalOptions { segment_bytes: 1, bytes_max: 1000 };
    let (journal, _) = reopen(folder.path(), options.clone());
    let mut last = 0;
    let full = loop {
        match journal.append(&[row("e", "a", "t"), row("f", "a", "t")]).await {
            Ok(receipt) => last = receipt.xact,
            Err(error) => break error,
        }
    };
    assert!(matches!(full, JournalError::Full { .. }), "{full}");
    let files = || std::fs::read_dir(folder.path()).unwrap().count();
    journal.release(&object("none"), last);
    let before = files();
    journal.release(&object("e"), last);
    assert_eq!(files(), before, "`f` still needs every file");
    journal.release(&object("f"), last);
    journal.release(&object("f"), last);
    assert_eq!(files(), 2, "the lock and the file that is written to");
    assert_eq!((journal.bytes(), journal.objects().len()), (0, 0));
    journal.append(&[row("e", "b", "t")]).await.unwrap();
    drop(journal);
    let (journal, _) = reopen(folder.path(), options);
    assert!(ids(&journal, "e", Selection::All).contains(&"b".to_string()));
}
