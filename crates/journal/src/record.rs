//! The bytes of a segment. Integers are little-endian u64; a text is its length and its UTF-8 bytes.
//!
//! - A *record* is what one group commit wrote: a mark, length and xxh3 of its payload, then the payload.
//!   It is written only after the record before is safely on disk. So a bad record that a good one follows
//!   is damage, and a bad record at the end is a write that was cut short.
//! - A payload is a sequence of *transactions*, one a request: transaction id, number of rows, rows.
//! - A *row* is the object's kind (one byte) and id, the row's id, its `root_span_id` (empty for none), its JSON.

use std::ops::Range;

use xxhash_rust::xxh3::xxh3_64;

use crate::incoming::Incoming;
use crate::object::{ObjectKind, ObjectRef};

/// Begins every record, so that one can be found behind damage. No text has these bytes: 0xFF is not UTF-8.
const MARK: [u8; 8] = *b"\xFFrecord\xFF";
/// Bytes before the payload: mark, length, checksum.
const HEADER_BYTES: usize = 24;

/// A row as it is in a segment.
#[derive(Debug)]
pub(crate) struct RowFrame<'a> {
    kind: ObjectKind,
    object_id: &'a str,
    pub(crate) id: &'a str,
    pub(crate) root_span_id: Option<&'a str>,
    pub(crate) json: &'a str,
}

/// What the index is told of a row: where it is, and what it is found by.
#[derive(Debug)]
pub(crate) struct RowPlace {
    pub(crate) object: ObjectRef,
    /// From the start of the transaction, or of the segment once it is written.
    pub(crate) offset: u64,
    pub(crate) length: u64,
    pub(crate) id: u64,
    pub(crate) trace: u64,
}

/// The hash that a row is found by.
pub(crate) fn hash(name: &str) -> u64 {
    xxh3_64(name.as_bytes())
}

impl<'a> RowFrame<'a> {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(self.kind.code());
        for text in [self.object_id, self.id, self.root_span_id.unwrap_or_default(), self.json] {
            out.extend((text.len() as u64).to_le_bytes());
            out.extend(text.as_bytes());
        }
    }

    /// Reads the row at the start of `bytes`, which then begins behind it.
    pub(crate) fn read(bytes: &mut &'a [u8]) -> Option<Self> {
        let kind = ObjectKind::from_code(*bytes.split_off_first()?)?;
        let [object_id, id, root_span_id, json] = [text(bytes)?, text(bytes)?, text(bytes)?, text(bytes)?];
        let root_span_id = Some(root_span_id).filter(|id| !id.is_empty());
        Some(Self { kind, object_id, id, root_span_id, json })
    }

    /// The trace the row is in; one that names none is its own.
    pub(crate) fn trace(&self) -> &'a str {
        self.root_span_id.unwrap_or(self.id)
    }

    fn place(&self, at: Range<usize>) -> RowPlace {
        RowPlace {
            object: ObjectRef { kind: self.kind, id: self.object_id.to_owned() },
            offset: at.start as u64,
            length: at.len() as u64,
            id: hash(self.id),
            trace: hash(self.trace()),
        }
    }
}

/// One request, ready to be written once it has a transaction id.
#[derive(Debug)]
pub(crate) struct Transaction {
    bytes: Vec<u8>,
    pub(crate) rows: Vec<RowPlace>,
}

impl Transaction {
    pub(crate) fn new(rows: &[Incoming]) -> Self {
        let mut bytes = Vec::from((rows.len() as u64).to_le_bytes());
        let places = rows.iter().map(|row| {
            let frame = RowFrame {
                kind: row.object.kind,
                object_id: &row.object.id,
                id: &row.id,
                root_span_id: row.root_span_id.as_deref(),
                json: &row.row.to_json(),
            };
            let start = bytes.len();
            frame.write(&mut bytes);
            frame.place(start..bytes.len())
        });
        Self { rows: places.collect(), bytes }
    }

    pub(crate) fn byte_count(&self) -> u64 {
        self.bytes.len() as u64
    }
}

/// A record being made.
#[derive(Debug)]
pub(crate) struct Record(Vec<u8>);

impl Record {
    pub(crate) fn with_capacity(payload_bytes: usize) -> Self {
        let mut bytes = Vec::with_capacity(HEADER_BYTES + payload_bytes);
        bytes.resize(HEADER_BYTES, 0);
        Self(bytes)
    }

    /// Adds a transaction; its bytes begin at the offset that is returned.
    pub(crate) fn push(&mut self, xact: u64, transaction: &Transaction) -> u64 {
        self.0.extend(xact.to_le_bytes());
        let start = self.0.len() as u64;
        self.0.extend(&transaction.bytes);
        start
    }

    pub(crate) fn into_bytes(mut self) -> Vec<u8> {
        let (header, payload) = self.0.split_at_mut(HEADER_BYTES);
        let numbers = [payload.len() as u64, xxh3_64(payload)].map(u64::to_le_bytes);
        header.copy_from_slice(&[MARK, numbers[0], numbers[1]].concat());
        self.0
    }
}

/// The payload of the record at the start of `bytes`, none unless the record is whole and sound.
fn payload(mut bytes: &[u8]) -> Option<&[u8]> {
    let bytes = &mut bytes;
    bytes.split_off(..MARK.len()).filter(|mark| *mark == MARK)?;
    let [length, checksum] = [number(bytes)?, number(bytes)?];
    let payload = bytes.split_off(..usize::try_from(length).ok()?)?;
    (xxh3_64(payload) == checksum).then_some(payload)
}

/// Reads the record at `at`, with the transaction id and place of every row; returns where it ends.
/// None when it is not whole and sound.
pub(crate) fn read(segment: &[u8], at: usize, mut visit: impl FnMut(u64, RowPlace)) -> Option<usize> {
    let payload = payload(segment.get(at..)?)?;
    let end = at + HEADER_BYTES + payload.len();
    let mut rest = payload;
    while !rest.is_empty() {
        let [xact, rows] = [number(&mut rest)?, number(&mut rest)?];
        for _ in 0..rows {
            let start = end - rest.len();
            let frame = RowFrame::read(&mut rest)?;
            visit(xact, frame.place(start..end - rest.len()));
        }
    }
    Some(end)
}

/// Whether a sound record begins anywhere in `bytes`.
pub(crate) fn is_in(bytes: &[u8]) -> bool {
    (0..bytes.len()).any(|at| payload(&bytes[at..]).is_some())
}

fn number(bytes: &mut &[u8]) -> Option<u64> {
    let (number, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u64::from_le_bytes(*number))
}

fn text<'a>(bytes: &mut &'a [u8]) -> Option<&'a str> {
    let length = usize::try_from(number(bytes)?).ok()?;
    str::from_utf8(bytes.split_off(..length)?).ok()
}
