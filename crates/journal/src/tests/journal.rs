//! The journal while it runs: order, visibility, selection, release, limits.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use super::{experiment, incoming};
use crate::{Incoming, Journal, JournalError, JournalOptions, LoggedRow, Selection};

fn open(folder: &Path, options: JournalOptions) -> Journal {
    Journal::open(folder, options).unwrap().0
}

fn small_segments() -> JournalOptions {
    JournalOptions { segment_bytes: 1, ..JournalOptions::default() }
}

fn one(object: &str, id: &str) -> Vec<Incoming> {
    vec![incoming(object, &format!(r#"{{"id":"{id}"}}"#))]
}

fn all(journal: &Journal, object: &str) -> Vec<LoggedRow> {
    journal.rows(&experiment(object), Selection::All, None).collect::<Result<_, _>>().unwrap()
}

fn ids(journal: &Journal, object: &str, selection: Selection<'_>) -> Vec<String> {
    journal.rows(&experiment(object), selection, None).map(|row| row.unwrap().id).collect()
}

fn segment_files(folder: &Path) -> usize {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("evalhouse-wal-")).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_writes_get_growing_ids_and_survive() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path(), JournalOptions { segment_bytes: 20_000, ..JournalOptions::default() });
    let tasks: Vec<_> = (0..16)
        .map(|task| {
            let journal = journal.clone();
            tokio::spawn(async move {
                let mut xacts = Vec::new();
                for request in 0..25 {
                    let id = format!("{task}-{request}");
                    let mut rows = one(if task % 2 == 0 { "even" } else { "odd" }, &id);
                    rows.extend(one("both", &id));
                    let receipt = journal.append(rows).await.unwrap();
                    let set = HashSet::from([id.as_str()]);
                    assert!(ids(&journal, "both", Selection::Rows(&set)).contains(&id));
                    assert!(journal.last_xact() >= receipt.xact);
                    xacts.push(receipt.xact);
                }
                assert!(xacts.is_sorted_by(|a, b| a < b));
                xacts
            })
        })
        .collect();
    let mut xacts = HashSet::new();
    for task in tasks {
        xacts.extend(task.await.unwrap());
    }
    assert_eq!(xacts.len(), 400);
    let before = ["even", "odd", "both"].map(|object| all(&journal, object));
    assert_eq!(before.each_ref().map(Vec::len), [200, 200, 400]);
    assert!(before.iter().all(|rows| rows.is_sorted_by(|a, b| a.xact < b.xact)));
    assert!(segment_files(folder.path()) > 1);
    let last_xact = journal.last_xact();
    drop(journal);

    let (journal, recovered) = Journal::open(folder.path(), JournalOptions::default()).unwrap();
    assert_eq!((recovered.rows, recovered.torn_bytes), (800, 0));
    assert_eq!(["even", "odd", "both"].map(|object| all(&journal, object)), before);
    assert_eq!(journal.last_xact(), last_xact);
    assert!(journal.append(one("even", "new")).await.unwrap().xact > last_xact);
}

#[tokio::test]
async fn rows_come_back_as_they_were_written() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path(), JournalOptions::default());
    let big = format!(r#"{{"id":"big","input":"{}"}}"#, "é".repeat(400_000));
    let texts = [r#"{"id":"1","n":1180591620717411303424,"_is_merge":true}"#, &big, r#"{"id":"\u0000"}"#];
    for text in texts {
        journal.append(vec![incoming("e", text)]).await.unwrap();
    }
    let read: Vec<_> = all(&journal, "e").into_iter().map(|row| row.json).collect();
    assert_eq!(read, texts);
}

#[tokio::test]
async fn rows_are_selected_by_trace_id_and_transaction() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path(), JournalOptions::default());
    let rows = [
        r#"{"id":"1","root_span_id":"t"}"#,
        r#"{"id":"2","root_span_id":"u"}"#,
        r#"{"id":"3","root_span_id":"t"}"#,
        r#"{"id":"t"}"#,
        r#"{"id":"1","_is_merge":true}"#,
    ];
    let rows: Vec<_> = rows.iter().map(|row| incoming("e", row)).collect();
    let first = journal.append(rows).await.unwrap().xact;
    let second = journal.append(one("e", "2")).await.unwrap().xact;
    assert_eq!(ids(&journal, "e", Selection::Trace("t")), ["1", "3", "t"]);
    assert_eq!(ids(&journal, "e", Selection::Rows(&HashSet::from(["1", "t", "none"]))), ["1", "t", "1"]);
    assert_eq!(ids(&journal, "e", Selection::Trace("none")), [""; 0]);
    assert_eq!(ids(&journal, "none", Selection::All), [""; 0]);
    for (up_to, count) in [(first - 1, 0), (first, 5), (second, 6)] {
        assert_eq!(journal.rows(&experiment("e"), Selection::All, Some(up_to)).count(), count);
    }
    let stats = journal.stats(&experiment("e")).unwrap();
    assert_eq!((stats.rows, stats.first_xact, stats.last_xact), (6, first, second));
    assert_eq!(journal.append(Vec::new()).await.unwrap().xact, second);
}

#[tokio::test]
async fn released_rows_are_forgotten_and_their_segments_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path(), small_segments());
    let (a, b) = (experiment("a"), experiment("b"));
    let a1 = journal.append(one("a", "1")).await.unwrap().xact;
    journal.append([one("a", "2"), one("b", "2")].concat()).await.unwrap();
    let a3 = journal.append(one("a", "3")).await.unwrap().xact;
    assert_eq!(segment_files(folder.path()), 3);
    assert_eq!(journal.objects().into_iter().map(|(object, _)| object).collect::<Vec<_>>(), [a.clone(), b.clone()]);

    let mut reader = journal.rows(&a, Selection::All, None);
    for _ in 0..2 {
        journal.release(&a, a1).unwrap();
        assert_eq!(ids(&journal, "a", Selection::All), ["2", "3"]);
        assert_eq!(segment_files(folder.path()), 2);
    }
    journal.release(&a, a3).unwrap();
    assert_eq!((journal.stats(&a), segment_files(folder.path())), (None, 1));
    assert_eq!(reader.by_ref().map(|row| row.unwrap().id).collect::<Vec<_>>(), ["1", "2", "3"]);

    // What shares a segment with a row that is not released comes back, once.
    drop((journal, reader));
    let journal = open(folder.path(), small_segments());
    assert_eq!(ids(&journal, "a", Selection::All), ["2"]);
    journal.release(&a, a3).unwrap();
    assert!(segment_files(folder.path()) == 1 && journal.stats(&a).is_none());
    journal.release(&b, u64::MAX).unwrap();
    assert_eq!((journal.bytes(), segment_files(folder.path())), (0, 0));
    journal.append(one("b", "4")).await.unwrap();
    assert_eq!(ids(&journal, "b", Selection::All), ["4"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_while_everything_is_released() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path(), JournalOptions { segment_bytes: 2_000, ..JournalOptions::default() });
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let journal = journal.clone();
            tokio::spawn(async move {
                for row in 0..100 {
                    journal.append(one("e", &format!("{writer}-{row}"))).await.unwrap();
                }
            })
        })
        .collect();
    let mut seen = Vec::new();
    while seen.len() < 400 {
        if let Some(stats) = journal.stats(&experiment("e")) {
            let rows = journal.rows(&experiment("e"), Selection::All, Some(stats.last_xact));
            seen.extend(rows.map(|row| row.unwrap().id));
            journal.release(&experiment("e"), stats.last_xact).unwrap();
        }
        tokio::task::yield_now().await;
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!((seen.len(), seen.iter().collect::<HashSet<_>>().len()), (400, 400));
    assert_eq!((journal.bytes(), segment_files(folder.path())), (0, 0));
}

#[tokio::test]
async fn a_full_journal_takes_rows_again_after_a_release() {
    let folder = tempfile::tempdir().unwrap();
    let options = JournalOptions { bytes_max: 1_000, ..JournalOptions::default() };
    let journal = open(folder.path(), options.clone());
    let refused = loop {
        if let Err(error) = journal.append(one("e", "1")).await {
            break error;
        }
    };
    let held = journal.bytes();
    assert!(matches!(refused, JournalError::Full { bytes, limit: 1_000 } if bytes == held && held >= 1_000));
    drop(journal);
    let journal = open(folder.path(), options);
    assert!(matches!(journal.append(one("e", "1")).await, Err(JournalError::Full { .. })));
    journal.release(&experiment("e"), journal.last_xact()).unwrap();
    journal.append(one("e", "1")).await.unwrap();
}

#[tokio::test]
async fn ids_go_on_from_what_the_table_knows() {
    let folder = tempfile::tempdir().unwrap();
    let after_xact = 0x0DE1_F000_0000_0000;
    let journal = open(folder.path(), JournalOptions { after_xact, ..JournalOptions::default() });
    assert_eq!(journal.last_xact(), after_xact);
    assert!(journal.append(one("e", "1")).await.unwrap().xact > after_xact);
}

#[tokio::test]
async fn only_one_at_a_time_has_a_folder_open() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path(), JournalOptions::default());
    let clone = journal.clone();
    drop(journal);
    let second = Journal::open(folder.path(), JournalOptions::default());
    assert!(matches!(second, Err(JournalError::Locked { folder: named }) if named == folder.path()));
    drop(clone);
    Journal::open(folder.path(), JournalOptions::default()).unwrap();
}

#[tokio::test]
async fn after_a_failed_write_nothing_more_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path(), JournalOptions::default());
    fs::remove_dir_all(folder.path()).unwrap();
    for _ in 0..2 {
        assert!(matches!(journal.append(one("e", "1")).await, Err(JournalError::Poisoned(_))));
    }
    assert!(journal.objects().is_empty());
}

#[tokio::test]
async fn what_nobody_waits_for_is_written_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path(), JournalOptions::default());
    let mut write = Box::pin(journal.append(one("e", "1")));
    let waker = std::task::Waker::noop();
    assert!(write.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());
    drop(write);
    drop(journal);
    assert_eq!(ids(&open(folder.path(), JournalOptions::default()), "e", Selection::All), ["1"]);
}
