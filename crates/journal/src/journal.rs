//! The log as its users see it: rows in, rows of an object out, until they are released.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::oneshot;

use crate::JournalError;
use crate::segment::{Place, Record, Segment, hash};
use crate::split::{Incoming, ObjectRef};
use crate::writer::{Request, Writer};
use crate::xact::XactClock;

/// How the log is kept.
#[derive(Debug, Clone)]
pub struct JournalOptions {
    /// Bytes after which a new file is begun.
    pub segment_bytes: u64,
    /// Bytes of rows that may wait for the table.
    pub bytes_max: u64,
}

impl Default for JournalOptions {
    fn default() -> Self {
        Self { segment_bytes: 64 << 20, bytes_max: 1 << 30 }
    }
}

/// What a request became.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// The transaction of all its rows.
    pub xact: u64,
}

/// What was found on opening.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Rows.
    pub rows: u64,
    /// Bytes at the end of the last file that were no whole record: a request that was never answered.
    pub torn_bytes: u64,
}

/// One row as it was logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// Its transaction.
    pub xact: u64,
    /// Its id.
    pub id: String,
    /// Its JSON text.
    pub json: String,
}

/// Which rows of an object.
#[derive(Debug, Clone, Copy)]
pub enum Selection<'a> {
    /// All.
    All,
    /// Those that name this trace.
    Trace(&'a str),
    /// Those with this id.
    Row(&'a str),
}

/// What waits of an object.
#[derive(Debug, Clone, Copy)]
pub struct Stats {
    /// Rows.
    pub rows: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Their oldest transaction.
    pub first_xact: u64,
    /// Their newest transaction.
    pub last_xact: u64,
    /// When the newest was written.
    pub last_write: Instant,
}

/// The log. Cheap to clone; the last handle to go ends its thread.
#[derive(Debug, Clone)]
pub struct Journal {
    shared: Arc<Shared>,
    requests: Sender<Request>,
}

/// What the writer and the readers share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) clock: XactClock,
    state: Mutex<State>,
    /// Bytes on their way to the disk or waiting for the table.
    bytes: AtomicU64,
    bytes_max: u64,
    /// Held as long as the log is open.
    _lock: File,
}

#[derive(Debug, Default)]
struct State {
    objects: HashMap<ObjectRef, Waiting>,
    segments: BTreeMap<u64, Kept>,
}

#[derive(Debug)]
struct Waiting {
    /// In the order of their transactions.
    places: Vec<Place>,
    bytes: u64,
    last_write: Instant,
}

#[derive(Debug)]
struct Kept {
    segment: Arc<Segment>,
    /// Rows that are not released.
    rows: u64,
}

impl Journal {
    /// Opens the log in a folder, making it where there is none. Call it outside of async code: it
    /// reads the whole log.
    ///
    /// # Errors
    /// [`JournalError::InUse`] and [`JournalError::Corrupt`].
    pub fn open(folder: &Path, options: JournalOptions) -> Result<(Self, Recovered), JournalError> {
        std::fs::create_dir_all(folder).map_err(JournalError::io(folder))?;
        let lock = lock(folder)?;
        let shared = Shared {
            clock: XactClock::after(0),
            state: Mutex::default(),
            bytes: AtomicU64::new(0),
            bytes_max: options.bytes_max,
            _lock: lock,
        };
        let numbers = Segment::list(folder)?;
        let mut recovered = Recovered::default();
        for (i, &number) in numbers.iter().enumerate() {
            let is_last = i + 1 == numbers.len();
            recover(folder, number, is_last, &shared, &mut recovered)?;
        }
        let number = numbers.last().map_or(1, |last| last + 1);
        let (segment, file) = Segment::create(folder, number)?;
        let length = segment.file.metadata().map_err(JournalError::io(&segment.path))?.len();
        shared.add_segment(segment);
        shared.drop_segments();
        let shared = Arc::new(shared);
        let writer = Writer {
            folder: folder.to_path_buf(),
            segment_bytes: options.segment_bytes,
            number,
            file,
            length,
            shared: Arc::clone(&shared),
        };
        let (requests, received) = channel();
        std::thread::Builder::new()
            .name("evalhouse-journal".into())
            .spawn(move || writer.run(&received))
            .map_err(JournalError::io(folder))?;
        Ok((Self { shared, requests }, recovered))
    }

    /// Writes the rows of one request; they are on disk, and can be read, when this returns.
    ///
    /// # Errors
    /// [`JournalError::Full`] when too much waits for the table, [`JournalError::Stopped`] after a
    /// failed write. Nothing is logged then.
    pub async fn append(&self, rows: &[Incoming]) -> Result<Receipt, JournalError> {
        if rows.is_empty() {
            return Ok(Receipt { xact: self.last_xact() });
        }
        let record = Record::of(rows);
        let bytes = record.bytes.len() as u64;
        let before = self.shared.bytes.fetch_add(bytes, Ordering::SeqCst);
        // One request always fits: else nothing would ever clear the way for it.
        if before > 0 && before + bytes > self.shared.bytes_max {
            self.shared.forget_bytes(bytes);
            return Err(JournalError::Full { bytes: before, limit: self.shared.bytes_max });
        }
        let stopped = || JournalError::Stopped { reason: "its thread has ended".into() };
        let (reply, answer) = oneshot::channel();
        self.requests.send(Request { record, reply }).map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }

    /// The newest transaction.
    pub fn last_xact(&self) -> u64 {
        self.shared.clock.current()
    }

    /// Makes later transactions larger than `xact`.
    pub fn advance_to(&self, xact: u64) {
        self.shared.clock.advance_to(xact);
    }

    /// Bytes that wait for the table.
    pub fn bytes(&self) -> u64 {
        self.shared.bytes.load(Ordering::SeqCst)
    }

    /// The objects that have rows here.
    pub fn objects(&self) -> Vec<ObjectRef> {
        self.shared.state().objects.keys().cloned().collect()
    }

    /// What waits of an object; nothing when it has no rows here.
    pub fn stats(&self, object: &ObjectRef) -> Option<Stats> {
        let state = self.shared.state();
        let waiting = state.objects.get(object)?;
        Some(Stats {
            rows: waiting.places.len() as u64,
            bytes: waiting.bytes,
            first_xact: waiting.places.first()?.xact,
            last_xact: waiting.places.last()?.xact,
            last_write: waiting.last_write,
        })
    }

    /// Rows of an object in the order of their transactions, up to one; read from the disk one by one.
    pub fn rows<'a>(
        &self,
        object: &ObjectRef,
        selection: Selection<'a>,
        up_to: Option<u64>,
    ) -> impl Iterator<Item = Result<Logged, JournalError>> + use<'a> {
        let wanted = match selection {
            Selection::All => None,
            Selection::Trace(text) | Selection::Row(text) => Some(hash(text)),
        };
        let is_candidate = |place: &&Place| {
            up_to.is_none_or(|up_to| place.xact <= up_to)
                && match selection {
                    Selection::All => true,
                    Selection::Trace(_) => wanted == Some(place.trace),
                    Selection::Row(_) => wanted == Some(place.id),
                }
        };
        let state = self.shared.state();
        let places = state.objects.get(object).map(|waiting| waiting.places.as_slice()).unwrap_or_default();
        let found: Vec<(Arc<Segment>, Place)> = places
            .iter()
            .filter(is_candidate)
            .filter_map(|place| Some((Arc::clone(&state.segments.get(&place.segment)?.segment), *place)))
            .collect();
        drop(state);
        found.into_iter().filter_map(move |(segment, place)| match segment.row(&place) {
            Err(error) => Some(Err(error)),
            Ok((row, trace)) => {
                let is_it = match selection {
                    Selection::All => true,
                    Selection::Trace(wanted) => trace.as_deref() == Some(wanted),
                    Selection::Row(wanted) => row.id == wanted,
                };
                is_it.then_some(Ok(row))
            }
        })
    }

    /// Forgets the rows of an object up to a transaction: the table has them. Files without a row that
    /// is still needed are removed. Again is the same as once.
    pub fn release(&self, object: &ObjectRef, through: u64) {
        let mut released = 0;
        let mut state = self.shared.state();
        let State { objects, segments } = &mut *state;
        if let Some(waiting) = objects.get_mut(object) {
            let count = waiting.places.partition_point(|place| place.xact <= through);
            for place in waiting.places.drain(..count) {
                released += u64::from(place.length);
                if let Some(kept) = segments.get_mut(&place.segment) {
                    kept.rows -= 1;
                }
            }
            waiting.bytes -= released;
            waiting.places.shrink_to(waiting.places.len() * 2);
            if waiting.places.is_empty() {
                objects.remove(object);
            }
        }
        drop(state);
        self.shared.forget_bytes(released);
        self.shared.drop_segments();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn forget_bytes(&self, bytes: u64) {
        self.bytes.fetch_sub(bytes, Ordering::SeqCst);
    }

    pub(crate) fn path_of(&self, number: u64) -> PathBuf {
        self.state().segments.get(&number).map(|kept| kept.segment.path.clone()).unwrap_or_default()
    }

    pub(crate) fn add_segment(&self, segment: Segment) {
        self.state().segments.insert(segment.number, Kept { segment: Arc::new(segment), rows: 0 });
    }

    /// Makes rows readable; they come in the order of their transactions.
    pub(crate) fn publish(&self, places: Vec<(ObjectRef, Place)>) {
        let mut state = self.state();
        let State { objects, segments } = &mut *state;
        let now = Instant::now();
        for (object, place) in places {
            if let Some(kept) = segments.get_mut(&place.segment) {
                kept.rows += 1;
            }
            let waiting =
                objects.entry(object).or_insert_with(|| Waiting { places: Vec::new(), bytes: 0, last_write: now });
            waiting.bytes += u64::from(place.length);
            waiting.last_write = now;
            waiting.places.push(place);
        }
    }

    /// Removes files whose rows are all released, except the one that is written to.
    fn drop_segments(&self) {
        let mut state = self.state();
        let Some(active) = state.segments.keys().next_back().copied() else { return };
        let done: Vec<u64> = state
            .segments
            .iter()
            .filter(|(number, kept)| **number != active && kept.rows == 0)
            .map(|(n, _)| *n)
            .collect();
        for number in done {
            if let Some(kept) = state.segments.remove(&number) {
                // A file that stays is read again at the next start, and its rows released again.
                let _ = std::fs::remove_file(&kept.segment.path);
            }
        }
    }
}

fn lock(folder: &Path) -> Result<File, JournalError> {
    let path = folder.join("lock");
    let file = File::create(&path).map_err(JournalError::io(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(JournalError::InUse { folder: folder.to_path_buf() }),
        Err(std::fs::TryLockError::Error(source)) => Err(JournalError::Io { file: path, source }),
    }
}

fn recover(
    folder: &Path,
    number: u64,
    is_last: bool,
    shared: &Shared,
    recovered: &mut Recovered,
) -> Result<(), JournalError> {
    let segment = Segment::open(folder, number)?;
    let scanned = segment.scan()?;
    if let Some(reason) = scanned.torn {
        // Only the file that was being written can end in the middle of a record.
        if !is_last {
            return Err(JournalError::Corrupt { file: segment.path, offset: scanned.good, reason });
        }
        let length = segment.file.metadata().map_err(JournalError::io(&segment.path))?.len();
        recovered.torn_bytes += length - scanned.good;
        if scanned.good == 0 {
            return std::fs::remove_file(&segment.path).map_err(JournalError::io(&segment.path));
        }
        segment.truncate(scanned.good)?;
    }
    shared.add_segment(segment);
    for (xact, offset, marks) in scanned.records {
        shared.clock.advance_to(xact);
        let places: Vec<(ObjectRef, Place)> = marks
            .into_iter()
            .map(|mark| {
                let place = Place {
                    segment: number,
                    offset: offset + mark.offset as u64,
                    length: u32::try_from(mark.length).unwrap_or(u32::MAX),
                    xact,
                    id: mark.id,
                    trace: mark.trace,
                };
                (mark.object, place)
            })
            .collect();
        recovered.rows += places.len() as u64;
        shared.bytes.fetch_add(places.iter().map(|(_, place)| u64::from(place.length)).sum(), Ordering::SeqCst);
        shared.publish(places);
    }
    Ok(())
}
