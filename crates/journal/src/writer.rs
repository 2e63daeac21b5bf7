//! The thread that writes: whatever requests wait are written at once, flushed once, and then answered.

use std::io;
use std::path::PathBuf;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::oneshot;

use crate::error::JournalError;
use crate::index::{Index, Space};
use crate::record::{Record, Transaction};
use crate::segment::SegmentFile;
use crate::xact::XactClock;

/// A record is not made longer than this by adding requests, so that the first is not kept waiting.
const RECORD_BYTES: u64 = 8 << 20;

/// A request that waits to be written, and whom to tell the transaction id.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) transaction: Transaction,
    pub(crate) answer: oneshot::Sender<Result<u64, JournalError>>,
}

/// Everything the thread needs.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) folder: PathBuf,
    pub(crate) segment_bytes: u64,
    pub(crate) clock: XactClock,
    pub(crate) index: Arc<Mutex<Index>>,
}

impl Writer {
    /// Writes until all who could ask are gone and answered.
    pub(crate) fn run(mut self, queue: Receiver<Request>) {
        while let Ok(first) = queue.recv() {
            let mut bytes = first.transaction.byte_count();
            let mut batch = vec![first];
            while bytes < RECORD_BYTES
                && let Ok(request) = queue.try_recv()
            {
                bytes += request.transaction.byte_count();
                batch.push(request);
            }
            self.commit(batch, bytes);
        }
    }

    fn commit(&mut self, batch: Vec<Request>, bytes: u64) {
        let mut record = Record::with_capacity(usize::try_from(bytes).unwrap_or_default() + 8 * batch.len());
        let before = self.clock.current();
        let placed: Vec<_> = batch
            .into_iter()
            .map(|request| {
                let xact = self.clock.tick();
                (xact, record.push(xact, &request.transaction), request)
            })
            .collect();
        let rows = placed.iter().map(|(.., request)| request.transaction.rows.len()).sum();
        let first_xact = placed.first().map_or(before, |(xact, ..)| *xact);
        let written = self.write(&record.into_bytes(), first_xact, rows);

        let mut index = lock(&self.index);
        index.dequeue(bytes);
        match written {
            Ok(space) => {
                let now = Instant::now();
                let mut answers = Vec::with_capacity(placed.len());
                for (xact, start, Request { transaction, answer }) in placed {
                    for mut row in transaction.rows {
                        row.offset += space.offset + start;
                        index.publish(space.segment, xact, row, now);
                    }
                    answers.push((xact, answer));
                }
                drop(index);
                // Who has gone away meanwhile does not want the answer.
                answers.into_iter().for_each(|(xact, answer)| drop(answer.send(Ok(xact))));
            }
            Err(error) => {
                index.poison = Some(Arc::clone(&error));
                drop(index);
                for (.., request) in placed {
                    drop(request.answer.send(Err(JournalError::Poisoned(Arc::clone(&error)))));
                }
            }
        }
    }

    /// Puts a record on disk.
    fn write(&self, record: &[u8], first_xact: u64, rows: usize) -> Result<Space, Arc<io::Error>> {
        if let Some(error) = &lock(&self.index).poison {
            return Err(Arc::clone(error));
        }
        let reserve = || lock(&self.index).reserve(rows, record.len() as u64, self.segment_bytes);
        let space = match reserve() {
            Some(space) => space,
            None => {
                let file = SegmentFile::create(&self.folder, first_xact)?;
                lock(&self.index).start_segment(first_xact, file, rows, record.len() as u64)
            }
        };
        space.file.write(record, space.offset)?;
        Ok(space)
    }
}

/// The index. A thread that panicked while it held the lock left it usable: it is changed in small steps.
pub(crate) fn lock(index: &Mutex<Index>) -> std::sync::MutexGuard<'_, Index> {
    index.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::{Incoming, ObjectKind, ObjectRef, Row, record};

    /// Requests that already wait, and their answers.
    fn waiting(count: usize) -> (Receiver<Request>, Vec<oneshot::Receiver<Result<u64, JournalError>>>) {
        let (queue, requests) = mpsc::channel();
        let answers = (0..count).map(|_| {
            let object = ObjectRef { kind: ObjectKind::Dataset, id: "d".into() };
            let row = Incoming::new(object, Row::parse(r#"{"id":"1"}"#).unwrap()).unwrap();
            let (answer, answered) = oneshot::channel();
            queue.send(Request { transaction: Transaction::new(&[row]), answer }).unwrap();
            answered
        });
        let answers = answers.collect();
        (requests, answers)
    }

    fn run(folder: &std::path::Path, index: Index, requests: Receiver<Request>) -> Arc<Mutex<Index>> {
        let index = Arc::new(Mutex::new(index));
        // As `Journal::append` does when it lets them in.
        lock(&index).admit(1 << 20, u64::MAX).unwrap();
        let writer = Writer {
            folder: folder.to_owned(),
            segment_bytes: u64::MAX,
            clock: XactClock::new(0),
            index: Arc::clone(&index),
        };
        writer.run(requests);
        index
    }

    #[test]
    fn requests_that_wait_share_one_record() {
        let folder = tempfile::tempdir().unwrap();
        let (requests, answers) = waiting(20);
        run(folder.path(), Index::default(), requests);
        let xacts: Vec<u64> = answers.into_iter().map(|answer| answer.blocking_recv().unwrap().unwrap()).collect();
        let segments = crate::segment::list(folder.path()).unwrap();
        let bytes = std::fs::read(&segments[0].1).unwrap();
        let mut found = Vec::new();
        let end = record::read(&bytes, 8, |xact, _| found.push(xact));
        assert_eq!((end, found, segments[0].0), (Some(bytes.len()), xacts.clone(), xacts[0]));
    }

    #[test]
    fn a_failed_write_fails_all_who_wait() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("read-only");
        std::fs::write(&path, "").unwrap();
        let mut index = Index::default();
        index.start_segment(1, SegmentFile::open(path).unwrap(), 0, 0);
        let (requests, answers) = waiting(3);
        let index = run(folder.path(), index, requests);
        for answer in answers {
            assert!(matches!(answer.blocking_recv().unwrap(), Err(JournalError::Poisoned(_))));
        }
        assert!(lock(&index).objects().is_empty());
        assert!(matches!(lock(&index).admit(1, u64::MAX), Err(JournalError::Poisoned(_))));
    }
}
