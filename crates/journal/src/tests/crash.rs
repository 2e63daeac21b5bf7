//! What is found after a crash, and after damage.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::{experiment, incoming};
use crate::{Journal, JournalError, JournalOptions, Recovered, Selection};

/// A closed journal of three records in one segment: its bytes, and where the records end.
fn three_records(folder: &Path) -> (PathBuf, Vec<u8>, [usize; 3]) {
    let journal = Journal::open(folder, JournalOptions::default()).unwrap().0;
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let ends = ["1", "2", "3"].map(|id| {
        runtime.block_on(journal.append(vec![incoming("e", &format!(r#"{{"id":"{id}"}}"#))])).unwrap();
        usize::try_from(journal.bytes()).unwrap()
    });
    drop(journal);
    let path = segments(folder).pop().unwrap();
    let bytes = fs::read(&path).unwrap();
    assert_eq!(bytes.len(), ends[2]);
    (path, bytes, ends)
}

fn segments(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut segments: Vec<_> = paths.filter(|path| path.extension().is_some_and(|e| e == "log")).collect();
    segments.sort();
    segments
}

fn open(folder: &Path) -> Result<(Vec<String>, Recovered), JournalError> {
    let (journal, recovered) = Journal::open(folder, JournalOptions::default())?;
    let rows = journal.rows(&experiment("e"), Selection::All, None);
    Ok((rows.map(|row| row.map(|row| row.id)).collect::<Result<_, _>>()?, recovered))
}

#[test]
fn a_write_that_was_cut_short_anywhere_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let (path, bytes, ends) = three_records(folder.path());
    for cut in 0..ends[2] {
        let whole = ends.iter().filter(|end| **end <= cut).count();
        let good = [0, 8, ends[0], ends[1]].into_iter().rfind(|good| *good <= cut).unwrap();
        // A file may be longer than what was written to it.
        for tail in [vec![], vec![0; if good == 0 { 0 } else { 100 }]] {
            fs::write(&path, [&bytes[..cut], &tail].concat()).unwrap();
            let (ids, recovered) = open(folder.path()).unwrap();
            assert_eq!(ids, ["1", "2", "3"][..whole], "{cut}");
            assert_eq!(recovered.torn_bytes, (cut - good + tail.len()) as u64, "{cut}");
            // It is cut for good.
            assert_eq!(open(folder.path()).unwrap().1.torn_bytes, 0);
            assert_eq!(segments(folder.path()).len(), usize::from(whole > 0));
        }
    }
}

#[test]
fn a_flipped_bit_is_found_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let (path, bytes, ends) = three_records(folder.path());
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (at % 8);
        fs::write(&path, &damaged).unwrap();
        if at >= ends[1] {
            // The last record might as well have been cut short.
            let (ids, recovered) = open(folder.path()).unwrap();
            assert_eq!((ids.len(), recovered.torn_bytes), (2, (ends[2] - ends[1]) as u64));
            continue;
        }
        let record = [0, 8, ends[0]].into_iter().rfind(|start| *start <= at).unwrap() as u64;
        let error = open(folder.path()).unwrap_err();
        assert!(
            matches!(error, JournalError::Corrupt { file, offset, .. } if file == path && offset == record),
            "{at}"
        );
        assert_eq!(fs::read(&path).unwrap(), damaged, "nothing is changed");
    }
}

#[test]
fn damage_before_the_last_segment_is_never_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let (path, bytes, ends) = three_records(folder.path());
    fs::write(path.with_file_name("evalhouse-wal-09999999999999999999.log"), &bytes).unwrap();
    for damaged in [&bytes[..ends[2] - 1], &bytes[..5], &[&bytes[..], b"x"].concat()] {
        fs::write(&path, damaged).unwrap();
        assert!(matches!(open(folder.path()), Err(JournalError::Corrupt { file, .. }) if file == path));
        assert_eq!(fs::read(&path).unwrap(), damaged);
    }
}

#[test]
fn files_that_are_no_segments() {
    let folder = tempfile::tempdir().unwrap();
    let (path, ..) = three_records(folder.path());
    for name in ["notes.txt", "evalhouse-wal-1.log", "evalhouse-wal-0000000000000000000x.log"] {
        fs::write(path.with_file_name(name), "left alone").unwrap();
    }
    let last = path.with_file_name("evalhouse-wal-09999999999999999999.log");
    for (content, torn) in [(&b""[..], 0), (b"EVH", 3), (&[0; 50], 50), (b"EVHJRNL\x01", 0)] {
        fs::write(&last, content).unwrap();
        let (ids, recovered) = open(folder.path()).unwrap();
        assert_eq!((ids.len(), recovered.torn_bytes, last.exists()), (3, torn, false));
    }
    for content in ["hello", "a text that is longer than the header", "EVHJRNL\x02 of a later version"] {
        fs::write(&last, content).unwrap();
        assert!(matches!(open(folder.path()), Err(JournalError::Corrupt { file, offset: 0, .. }) if file == last));
        assert_eq!(fs::read(&last).unwrap(), content.as_bytes());
    }
}

#[test]
fn every_answered_row_is_in_a_copy_made_at_any_moment() {
    let folder = tempfile::tempdir().unwrap();
    let options = JournalOptions { segment_bytes: 5_000, ..JournalOptions::default() };
    let journal = Journal::open(folder.path(), options).unwrap().0;
    let answered = Arc::new(Mutex::new(Vec::new()));
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let (journal, answered) = (journal.clone(), Arc::clone(&answered));
            thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                for row in 0..250 {
                    let id = format!("{writer}-{row}");
                    let json = format!(r#"{{"id":"{id}","input":"{}"}}"#, "x".repeat(row * 7));
                    runtime.block_on(journal.append(vec![incoming("e", &json)])).unwrap();
                    answered.lock().unwrap().push(id);
                }
            })
        })
        .collect();
    while answered.lock().unwrap().len() < 1_000 {
        let expected = answered.lock().unwrap().clone();
        let copy = tempfile::tempdir().unwrap();
        // Newest first: a segment is complete before there is a newer one, as it is at a real crash.
        for path in segments(folder.path()).iter().rev() {
            fs::copy(path, copy.path().join(path.file_name().unwrap())).unwrap();
        }
        let (mut ids, _) = open(copy.path()).unwrap();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "each is there once");
        assert!(expected.iter().all(|id| ids.binary_search(id).is_ok()));
        thread::sleep(Duration::from_millis(1));
    }
    writers.into_iter().for_each(|writer| writer.join().unwrap());
}
