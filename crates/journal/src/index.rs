//! What the journal keeps in memory: where the rows of each object are, and which segments hold them.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::Instant;

use crate::error::JournalError;
use crate::object::ObjectRef;
use crate::record::RowPlace;
use crate::segment::SegmentFile;

/// What the journal holds of one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// Rows, counting each time one was written.
    pub rows: usize,
    /// Their bytes in the log.
    pub bytes: u64,
    /// Transaction of the oldest.
    pub first_xact: u64,
    /// Transaction of the newest.
    pub last_xact: u64,
    /// When the newest was written; for rows of an earlier process, when the journal was opened.
    pub last_write: Instant,
}

/// A pointer to a row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) segment: u64,
    pub(crate) offset: u64,
    pub(crate) length: u64,
    pub(crate) xact: u64,
    pub(crate) id: u64,
    pub(crate) trace: u64,
}

/// Pointers to the rows of an object, never none, in the order they were written.
#[derive(Debug)]
struct ObjectRows {
    entries: VecDeque<Entry>,
    bytes: u64,
    last_write: Instant,
}

#[derive(Debug)]
struct Segment {
    file: Arc<SegmentFile>,
    bytes: u64,
    /// Rows that are not released, those being written included.
    live_rows: usize,
}

/// Segments by their first transaction, and the rows in them by object.
#[derive(Debug, Default)]
pub(crate) struct Index {
    objects: HashMap<ObjectRef, ObjectRows>,
    segments: BTreeMap<u64, Segment>,
    /// The segment that is written to.
    active: Option<u64>,
    /// Bytes of requests that wait to be written.
    queued_bytes: u64,
    /// The last transaction that readers see.
    pub(crate) last_xact: u64,
    /// Set when a write failed; the writer then stops.
    pub(crate) poison: Option<Arc<io::Error>>,
}

/// Where a record is to be written.
#[derive(Debug)]
pub(crate) struct Space {
    pub(crate) segment: u64,
    pub(crate) file: Arc<SegmentFile>,
    pub(crate) offset: u64,
}

impl Index {
    /// Bytes of the log, on disk and on the way to it.
    pub(crate) fn bytes(&self) -> u64 {
        self.queued_bytes + self.segments.values().map(|segment| segment.bytes).sum::<u64>()
    }

    /// Lets a request in, unless the log is full or broken.
    pub(crate) fn admit(&mut self, bytes: u64, limit: u64) -> Result<(), JournalError> {
        if let Some(error) = &self.poison {
            return Err(JournalError::Poisoned(Arc::clone(error)));
        }
        let held = self.bytes();
        if held >= limit {
            return Err(JournalError::Full { bytes: held, limit });
        }
        self.queued_bytes += bytes;
        Ok(())
    }

    /// Adds a segment of an earlier process.
    pub(crate) fn add_segment(&mut self, first_xact: u64, file: SegmentFile, bytes: u64, live_rows: usize) {
        self.segments.insert(first_xact, Segment { file: Arc::new(file), bytes, live_rows });
    }

    /// Adds the new active segment, with space for its first record.
    pub(crate) fn start_segment(&mut self, first_xact: u64, file: SegmentFile, rows: usize, bytes: u64) -> Space {
        let offset = SegmentFile::HEADER_BYTES;
        let file = Arc::new(file);
        let segment = Segment { file: Arc::clone(&file), bytes: offset + bytes, live_rows: rows };
        self.segments.insert(first_xact, segment);
        self.active = Some(first_xact);
        Space { segment: first_xact, file, offset }
    }

    /// Space in the active segment for a record of so many rows and bytes, if there is as much.
    /// The rows count as live from here on, so that the segment stays while they are written.
    pub(crate) fn reserve(&mut self, rows: usize, bytes: u64, segment_bytes: u64) -> Option<Space> {
        let first_xact = self.active?;
        let segment = self.segments.get_mut(&first_xact)?;
        let offset = segment.bytes;
        if offset + bytes > segment_bytes {
            return None;
        }
        segment.bytes += bytes;
        segment.live_rows += rows;
        Some(Space { segment: first_xact, file: Arc::clone(&segment.file), offset })
    }

    /// Says that a request no longer waits.
    pub(crate) fn dequeue(&mut self, bytes: u64) {
        self.queued_bytes -= bytes;
    }

    /// Shows a row to readers.
    pub(crate) fn publish(&mut self, segment: u64, xact: u64, row: RowPlace, now: Instant) {
        let RowPlace { object, offset, length, id, trace } = row;
        let rows = self.objects.entry(object).or_insert_with(|| ObjectRows {
            entries: VecDeque::new(),
            bytes: 0,
            last_write: now,
        });
        rows.entries.push_back(Entry { segment, offset, length, xact, id, trace });
        rows.bytes += length;
        rows.last_write = now;
        self.last_xact = xact;
    }

    /// Forgets rows; returns the segments that nothing needs any more, oldest first.
    pub(crate) fn release(&mut self, object: &ObjectRef, through_xact: u64) -> Vec<Arc<SegmentFile>> {
        if let Some(rows) = self.objects.get_mut(object) {
            while let Some(entry) = rows.entries.pop_front_if(|entry| entry.xact <= through_xact) {
                rows.bytes -= entry.length;
                if let Some(segment) = self.segments.get_mut(&entry.segment) {
                    segment.live_rows -= 1;
                }
            }
            if rows.entries.is_empty() {
                self.objects.remove(object);
            }
        }
        let dead = self.segments.extract_if(.., |_, segment| segment.live_rows == 0);
        let dead: Vec<_> = dead.map(|(_, segment)| segment.file).collect();
        self.active = self.active.filter(|active| self.segments.contains_key(active));
        dead
    }

    /// The objects with rows, those with the oldest rows first.
    pub(crate) fn objects(&self) -> Vec<(ObjectRef, Stats)> {
        let mut objects: Vec<_> =
            self.objects.keys().filter_map(|object| Some((object.clone(), self.stats(object)?))).collect();
        objects.sort_unstable_by_key(|(_, stats)| stats.first_xact);
        objects
    }

    pub(crate) fn stats(&self, object: &ObjectRef) -> Option<Stats> {
        let rows = self.objects.get(object)?;
        Some(Stats {
            rows: rows.entries.len(),
            bytes: rows.bytes,
            first_xact: rows.entries.front()?.xact,
            last_xact: rows.entries.back()?.xact,
            last_write: rows.last_write,
        })
    }

    /// Pointers to the rows of an object up to a transaction that are `wanted`, and the files they point into.
    pub(crate) fn find(
        &self,
        object: &ObjectRef,
        up_to: u64,
        wanted: impl Fn(&Entry) -> bool,
    ) -> (Vec<Entry>, HashMap<u64, Arc<SegmentFile>>) {
        let Some(rows) = self.objects.get(object) else { return Default::default() };
        let seen = rows.entries.partition_point(|entry| entry.xact <= up_to);
        let entries: Vec<Entry> = rows.entries.range(..seen).filter(|entry| wanted(entry)).copied().collect();
        let segments = self.segments.iter().map(|(first_xact, segment)| (*first_xact, Arc::clone(&segment.file)));
        (entries, segments.collect())
    }
}
