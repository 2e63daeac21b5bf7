//! The journal: rows in, safely on disk, and out again.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use tokio::sync::oneshot;

use crate::error::JournalError;
use crate::incoming::Incoming;
use crate::index::{Index, Stats};
use crate::object::ObjectRef;
use crate::record::Transaction;
use crate::rows::{Rows, Selection};
use crate::segment::{self, SegmentFile};
use crate::writer::{Request, Writer, lock};
use crate::xact::XactClock;

/// Held locked while the journal is open.
const LOCK_FILE: &str = "evalhouse-wal.lock";

/// How a journal is kept.
#[derive(Debug, Clone)]
pub struct JournalOptions {
    /// A segment that would grow beyond this is followed by a new one.
    pub segment_bytes: u64,
    /// The journal takes no rows while it holds as many bytes.
    pub bytes_max: u64,
    /// Transaction ids are greater than this. It is for the newest transaction of the table, since the
    /// journal forgets what it has released.
    pub after_xact: u64,
}

impl Default for JournalOptions {
    fn default() -> Self {
        Self { segment_bytes: 64 << 20, bytes_max: 1 << 30, after_xact: 0 }
    }
}

/// What was found when a journal was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Segment files with rows.
    pub segments: usize,
    /// Rows in them.
    pub rows: usize,
    /// Bytes cut off: of requests that were being written when the last process ended, and never answered.
    pub torn_bytes: u64,
}

/// The answer to a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// The transaction id of its rows.
    pub xact: u64,
}

/// A write-ahead log in a folder. Clones are the same journal; with the last one it is closed, which
/// waits for what is being written.
#[derive(Debug, Clone)]
pub struct Journal {
    open: Arc<Open>,
}

#[derive(Debug)]
struct Open {
    index: Arc<Mutex<Index>>,
    bytes_max: u64,
    /// None only while it is dropped.
    queue: Option<mpsc::Sender<Request>>,
    writer: Option<JoinHandle<()>>,
    /// Keeps other processes out; the last to be dropped.
    _lock: File,
}

impl Journal {
    /// Opens the journal in a folder, which is made if it is not there, and recovers the rows in it.
    /// Rows that were released come back if others in their segment were not: release them again.
    ///
    /// # Errors
    /// When another process has it open, a file is damaged, or the disk fails.
    pub fn open(folder: impl AsRef<Path>, options: JournalOptions) -> Result<(Self, Recovered), JournalError> {
        let folder = folder.as_ref();
        fs::create_dir_all(folder).map_err(JournalError::at(folder))?;
        let lock = exclusive(folder)?;
        let mut index = Index::default();
        let mut clock = XactClock::new(options.after_xact);
        let recovered = recover(folder, &mut index)?;
        clock.advance_to(index.last_xact);
        index.last_xact = clock.current();

        let index = Arc::new(Mutex::new(index));
        let (queue, requests) = mpsc::channel();
        let writer = Writer {
            folder: folder.to_owned(),
            segment_bytes: options.segment_bytes,
            clock,
            index: Arc::clone(&index),
        };
        let thread = thread::Builder::new().name("journal".into());
        let thread = thread.spawn(move || writer.run(requests)).map_err(JournalError::at(folder))?;
        let open = Open { index, bytes_max: options.bytes_max, queue: Some(queue), writer: Some(thread), _lock: lock };
        Ok((Self { open: Arc::new(open) }, recovered))
    }

    /// Writes the rows of one request. When this returns they are on disk and readers see them; all or
    /// none of them are there after a crash. They are written even if the answer is not awaited.
    ///
    /// # Errors
    /// When the journal is full or a write failed.
    pub async fn append(&self, rows: Vec<Incoming>) -> Result<Receipt, JournalError> {
        if rows.is_empty() {
            return Ok(Receipt { xact: self.last_xact() });
        }
        let transaction = Transaction::new(&rows);
        drop(rows);
        lock(&self.open.index).admit(transaction.byte_count(), self.open.bytes_max)?;
        let (answer, answered) = oneshot::channel();
        // A thread that is gone drops the request, and the answer with it.
        if let Some(queue) = &self.open.queue {
            drop(queue.send(Request { transaction, answer }));
        }
        match answered.await {
            Ok(xact) => Ok(Receipt { xact: xact? }),
            Err(_) => Err(JournalError::Poisoned(Arc::new(io::Error::other("the thread that writes is gone")))),
        }
    }

    /// The objects with rows, those with the oldest first. Disk space comes back when whole segments are
    /// released, so this is also the order to release in.
    pub fn objects(&self) -> Vec<(ObjectRef, Stats)> {
        lock(&self.open.index).objects()
    }

    /// What the journal holds of an object, none if no rows.
    pub fn stats(&self, object: &ObjectRef) -> Option<Stats> {
        lock(&self.open.index).stats(object)
    }

    /// Bytes of the journal, on disk and on the way to it: what [`JournalOptions::bytes_max`] limits.
    pub fn bytes(&self) -> u64 {
        lock(&self.open.index).bytes()
    }

    /// The newest transaction that readers see.
    pub fn last_xact(&self) -> u64 {
        lock(&self.open.index).last_xact
    }

    /// Rows of an object, oldest first, up to a transaction. They are read from disk as they are asked
    /// for, so the thread that asks is kept waiting.
    pub fn rows<'a>(&self, object: &ObjectRef, selection: Selection<'a>, up_to: Option<u64>) -> Rows<'a> {
        Rows::find(&lock(&self.open.index), object, selection, up_to.unwrap_or(u64::MAX))
    }

    /// Forgets the rows of an object up to a transaction, which are in the table now, and deletes the
    /// segments that nothing needs any more. It may be repeated.
    ///
    /// # Errors
    /// When a file cannot be deleted. Its rows are forgotten even so, until the journal is opened again.
    pub fn release(&self, object: &ObjectRef, through_xact: u64) -> Result<(), JournalError> {
        let dead = lock(&self.open.index).release(object, through_xact);
        dead.iter().map(|segment| segment.delete()).fold(Ok(()), Result::and)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(writer) = self.writer.take() {
            // It has panicked, or not; either way it writes no more.
            drop(writer.join());
        }
    }
}

/// Keeps other processes out for as long as the file is open.
fn exclusive(folder: &Path) -> Result<File, JournalError> {
    let path = folder.join(LOCK_FILE);
    let file =
        OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(JournalError::at(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(JournalError::Locked { folder: folder.to_owned() }),
        Err(TryLockError::Error(error)) => Err(JournalError::at(&path)(error)),
    }
}

/// Reads the segments in a folder. None of them is written to again: the first write begins a new one.
fn recover(folder: &Path, index: &mut Index) -> Result<Recovered, JournalError> {
    let mut recovered = Recovered::default();
    let now = Instant::now();
    let segments = segment::list(folder)?;
    let last = segments.last().map(|(first_xact, _)| *first_xact);
    for (first_xact, path) in segments {
        let mut rows = 0;
        let scanned = segment::scan(&path, Some(first_xact) == last, |xact, row| {
            rows += 1;
            index.publish(first_xact, xact, row, now);
        })?;
        recovered.torn_bytes += scanned.torn_bytes;
        if rows == 0 {
            fs::remove_file(&path).map_err(JournalError::at(&path))?;
            continue;
        }
        recovered.segments += 1;
        recovered.rows += rows;
        index.add_segment(first_xact, SegmentFile::open(path)?, scanned.bytes, rows);
    }
    Ok(recovered)
}
