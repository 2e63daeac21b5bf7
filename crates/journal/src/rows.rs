//! Reading rows back.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::vec;

use crate::error::JournalError;
use crate::index::{Entry, Index};
use crate::object::ObjectRef;
use crate::record::{RowFrame, hash};
use crate::segment::SegmentFile;

/// Bytes read at once when all rows of an object are wanted, which are mostly side by side.
const READ_AHEAD: usize = 256 << 10;

/// Which rows of an object are read.
#[derive(Debug, Clone, Copy)]
pub enum Selection<'a> {
    /// All of them.
    All,
    /// Those that name this trace in `root_span_id`, and those that name none and have its id. That leaves out
    /// rows that are in the trace only by another row: changes that do not name it, as feedback, and children
    /// by `_parent_id`. [`Rows`](Self::Rows) of the ids that the trace has here and in the table finds the first.
    Trace(&'a str),
    /// Those with one of these ids.
    Rows(&'a HashSet<&'a str>),
}

/// A row as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedRow {
    /// The transaction that wrote it.
    pub xact: u64,
    /// Its id.
    pub id: String,
    /// The row, controls included.
    pub json: String,
}

/// Rows of an object, oldest first, read from disk as they are asked for. What is written, released or
/// deleted meanwhile changes nothing: these are the rows there were at the start.
#[derive(Debug)]
pub struct Rows<'a> {
    selection: Selection<'a>,
    entries: vec::IntoIter<Entry>,
    files: HashMap<u64, Arc<SegmentFile>>,
    window: Window,
}

/// Bytes of a segment that were read.
#[derive(Debug, Default)]
struct Window {
    segment: u64,
    offset: u64,
    bytes: Vec<u8>,
}

impl<'a> Rows<'a> {
    pub(crate) fn find(index: &Index, object: &ObjectRef, selection: Selection<'a>, up_to: u64) -> Self {
        let (entries, files) = match selection {
            Selection::All => index.find(object, up_to, |_| true),
            Selection::Trace(id) => {
                let trace = hash(id);
                index.find(object, up_to, |entry| entry.trace == trace)
            }
            Selection::Rows(ids) => {
                let ids: HashSet<u64> = ids.iter().map(|id| hash(id)).collect();
                index.find(object, up_to, |entry| ids.contains(&entry.id))
            }
        };
        Self { selection, entries: entries.into_iter(), files, window: Window::default() }
    }

    /// Reads a row, none if only its hash is wanted.
    fn read(&mut self, entry: &Entry) -> Result<Option<LoggedRow>, JournalError> {
        // A segment stays for as long as the index points into it.
        let file = &self.files[&entry.segment];
        let read_ahead = if matches!(self.selection, Selection::All) { READ_AHEAD } else { 0 };
        let bytes = self.window.slide_to(file, entry, read_ahead)?;
        let frame = bytes.and_then(|mut bytes| RowFrame::read(&mut bytes)).filter(|frame| hash(frame.id) == entry.id);
        let frame = frame.ok_or_else(|| file.corrupt(entry.offset, "a row is not what was written"))?;
        let is_wanted = match self.selection {
            Selection::All => true,
            Selection::Trace(id) => frame.trace() == id,
            Selection::Rows(ids) => ids.contains(frame.id),
        };
        Ok(is_wanted.then(|| LoggedRow { xact: entry.xact, id: frame.id.to_owned(), json: frame.json.to_owned() }))
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<LoggedRow, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let entry = self.entries.next()?;
            if let Some(row) = self.read(&entry).transpose() {
                return Some(row);
            }
        }
    }
}

impl Window {
    /// The bytes of a row, read if they are not here; none when the file ends before them.
    fn slide_to(
        &mut self,
        file: &SegmentFile,
        entry: &Entry,
        read_ahead: usize,
    ) -> Result<Option<&[u8]>, JournalError> {
        if self.get(entry).is_none() {
            let length = usize::try_from(entry.length).unwrap_or(usize::MAX);
            self.bytes.resize(length.max(read_ahead), 0);
            file.read(&mut self.bytes, entry.offset)?;
            (self.segment, self.offset) = (entry.segment, entry.offset);
        }
        Ok(self.get(entry))
    }

    fn get(&self, entry: &Entry) -> Option<&[u8]> {
        let start = usize::try_from(entry.offset.checked_sub(self.offset)?).ok()?;
        let end = start.checked_add(usize::try_from(entry.length).ok()?)?;
        self.bytes.get(start..end).filter(|_| self.segment == entry.segment)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::record::{Record, Transaction};
    use crate::{Incoming, ObjectKind, Row};

    #[test]
    fn a_row_that_only_has_the_hash_is_not_found() {
        let folder = tempfile::tempdir().unwrap();
        let object = ObjectRef { kind: ObjectKind::Dataset, id: "d".into() };
        let row = Row::parse(r#"{"id":"1","root_span_id":"t"}"#).unwrap();
        let mut transaction = Transaction::new(&[Incoming::new(object.clone(), row).unwrap()]);
        let mut record = Record::with_capacity(0);
        let start = record.push(1, &transaction);
        let mut index = Index::default();
        let space = index.start_segment(1, SegmentFile::create(folder.path(), 1).unwrap(), 1, 0);
        space.file.write(&record.into_bytes(), space.offset).unwrap();
        let mut place = transaction.rows.remove(0);
        place.offset += space.offset + start;
        place.trace = hash("same hash");
        index.publish(1, 1, place, Instant::now());

        let found = |selection| Rows::find(&index, &object, selection, 1).map(Result::unwrap).count();
        assert_eq!((found(Selection::All), found(Selection::Trace("same hash"))), (1, 0));
    }
}
