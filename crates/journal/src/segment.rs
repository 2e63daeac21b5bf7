//! One file of the log: a header, then records, each a write request.
//!
//! ```text
//! file     "EVHWAL01", record…
//! record   length u32, xxh3-64 of the payload u64, payload
//! payload  xact u64, rows u32, row…
//! row      kind u8, then object id, row id, trace id, JSON, each length u32 and bytes
//! ```
//!
//! Numbers are little-endian. A row without a trace id has an empty one.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_64;

use crate::split::{Incoming, ObjectKind, ObjectRef};
use crate::{JournalError, Logged};

const MAGIC: &[u8; 8] = b"EVHWAL01";
const RECORD_HEADER: usize = 12;
const XACT_BYTES: usize = 8;

/// A file of the log, open for reading.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) number: u64,
    pub(crate) path: PathBuf,
    pub(crate) file: File,
}

/// Where a row is, and enough of it to find it again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) segment: u64,
    pub(crate) offset: u64,
    pub(crate) length: u32,
    pub(crate) xact: u64,
    pub(crate) id: u64,
    pub(crate) trace: u64,
}

/// A row of a record that is about to be written, or was read.
#[derive(Debug, Clone)]
pub(crate) struct Mark {
    pub(crate) object: ObjectRef,
    pub(crate) id: u64,
    pub(crate) trace: u64,
    /// From the beginning of the record.
    pub(crate) offset: usize,
    pub(crate) length: usize,
}

/// A record, its transaction still open.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) bytes: Vec<u8>,
    pub(crate) marks: Vec<Mark>,
}

impl Record {
    pub(crate) fn of(rows: &[Incoming]) -> Self {
        let mut bytes = vec![0; RECORD_HEADER + XACT_BYTES];
        bytes.extend_from_slice(&count(rows.len()).to_le_bytes());
        let mut marks = Vec::with_capacity(rows.len());
        for row in rows {
            let offset = bytes.len();
            bytes.push(kind_byte(row.object.kind));
            let json = row.row.to_json();
            for text in [&row.object.id, &row.id, row.root_span_id.as_ref().unwrap_or(&String::new()), &json] {
                bytes.extend_from_slice(&count(text.len()).to_le_bytes());
                bytes.extend_from_slice(text.as_bytes());
            }
            marks.push(Mark {
                object: row.object.clone(),
                id: hash(&row.id),
                trace: row.root_span_id.as_deref().map(hash).unwrap_or_default(),
                offset,
                length: bytes.len() - offset,
            });
        }
        Self { bytes, marks }
    }

    /// Gives the record its transaction, its length and its checksum.
    pub(crate) fn seal(&mut self, xact: u64) {
        self.bytes[RECORD_HEADER..RECORD_HEADER + XACT_BYTES].copy_from_slice(&xact.to_le_bytes());
        let length = count(self.bytes.len() - RECORD_HEADER);
        let checksum = xxh3_64(&self.bytes[RECORD_HEADER..]);
        self.bytes[..4].copy_from_slice(&length.to_le_bytes());
        self.bytes[4..RECORD_HEADER].copy_from_slice(&checksum.to_le_bytes());
    }
}

/// What the scan of a segment found.
pub(crate) struct Scanned {
    /// Each record's transaction and rows, with the offset of the record in the file.
    pub(crate) records: Vec<(u64, u64, Vec<Mark>)>,
    /// Where the good records end.
    pub(crate) good: u64,
    /// Why the rest is no record, when there is a rest.
    pub(crate) torn: Option<String>,
}

impl Segment {
    fn path_of(folder: &Path, number: u64) -> PathBuf {
        folder.join(format!("wal-{number:020}.log"))
    }

    /// The numbers of the segments in a folder, oldest first.
    pub(crate) fn list(folder: &Path) -> Result<Vec<u64>, JournalError> {
        let mut numbers = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(JournalError::io(folder))? {
            let name = entry.map_err(JournalError::io(folder))?.file_name();
            let number: Option<u64> =
                name.to_str().and_then(|name| name.strip_prefix("wal-")?.strip_suffix(".log")?.parse().ok());
            numbers.extend(number);
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Makes a new segment, on disk with its name when this returns.
    pub(crate) fn create(folder: &Path, number: u64) -> Result<(Self, File), JournalError> {
        let path = Self::path_of(folder, number);
        let mut file = OpenOptions::new().create_new(true).append(true).open(&path).map_err(JournalError::io(&path))?;
        file.write_all(MAGIC).map_err(JournalError::io(&path))?;
        file.sync_all().map_err(JournalError::io(&path))?;
        sync_folder(folder)?;
        let reader = File::open(&path).map_err(JournalError::io(&path))?;
        Ok((Self { number, path, file: reader }, file))
    }

    pub(crate) fn open(folder: &Path, number: u64) -> Result<Self, JournalError> {
        let path = Self::path_of(folder, number);
        let file = File::open(&path).map_err(JournalError::io(&path))?;
        Ok(Self { number, path, file })
    }

    /// Reads all records and checks them.
    pub(crate) fn scan(&self) -> Result<Scanned, JournalError> {
        let length = self.file.metadata().map_err(JournalError::io(&self.path))?.len();
        let mut file = &self.file;
        file.seek(SeekFrom::Start(0)).map_err(JournalError::io(&self.path))?;
        let mut input = std::io::BufReader::with_capacity(1 << 20, file);
        let mut scanned = Scanned { records: Vec::new(), good: 0, torn: None };
        let mut magic = [0; MAGIC.len()];
        if length < MAGIC.len() as u64 {
            scanned.torn = Some("the file ends in its header".into());
            return Ok(scanned);
        }
        input.read_exact(&mut magic).map_err(JournalError::io(&self.path))?;
        if &magic != MAGIC {
            let reason = "it is no log of this version".to_string();
            return Err(JournalError::Corrupt { file: self.path.clone(), offset: 0, reason });
        }
        scanned.good = MAGIC.len() as u64;
        while scanned.good < length {
            match self.record(&mut input, length - scanned.good)? {
                Ok((xact, bytes, marks)) => {
                    scanned.records.push((xact, scanned.good, marks));
                    scanned.good += bytes;
                }
                Err(reason) => {
                    scanned.torn = Some(reason);
                    break;
                }
            }
        }
        Ok(scanned)
    }

    /// One record, or why there is none.
    #[allow(clippy::type_complexity, reason = "read once, beside where it is made")]
    fn record(&self, input: &mut impl Read, left: u64) -> Result<Result<(u64, u64, Vec<Mark>), String>, JournalError> {
        if left < RECORD_HEADER as u64 {
            return Ok(Err("the file ends in the header of a record".into()));
        }
        let mut header = [0; RECORD_HEADER];
        input.read_exact(&mut header).map_err(JournalError::io(&self.path))?;
        let length = u64::from(u32_at(&header, 0).unwrap_or_default());
        let checksum = header[4..].try_into().map(u64::from_le_bytes).unwrap_or_default();
        if length > left - RECORD_HEADER as u64 {
            return Ok(Err(format!("a record of {length} bytes is cut off")));
        }
        let mut bytes = header.to_vec();
        input.take(length).read_to_end(&mut bytes).map_err(JournalError::io(&self.path))?;
        if xxh3_64(&bytes[RECORD_HEADER..]) != checksum {
            return Ok(Err("the checksum of a record does not match".into()));
        }
        match decode(&bytes) {
            Some((xact, marks)) => Ok(Ok((xact, bytes.len() as u64, marks))),
            None => Ok(Err("a record does not read as rows".into())),
        }
    }

    /// Cuts off what is no record.
    pub(crate) fn truncate(&self, good: u64) -> Result<(), JournalError> {
        let file = OpenOptions::new().write(true).open(&self.path).map_err(JournalError::io(&self.path))?;
        file.set_len(good).map_err(JournalError::io(&self.path))?;
        file.sync_all().map_err(JournalError::io(&self.path))
    }

    /// Reads one row.
    pub(crate) fn row(&self, place: &Place) -> Result<(Logged, Option<String>), JournalError> {
        let mut bytes = vec![0; place.length as usize];
        self.file.read_exact_at(&mut bytes, place.offset).map_err(JournalError::io(&self.path))?;
        let mut at = 1;
        let mut text = || text_at(&bytes, &mut at).map(str::to_string);
        let (_, id, trace, json) = (text(), text(), text(), text());
        match (id, json) {
            (Some(id), Some(json)) => {
                Ok((Logged { xact: place.xact, id, json }, trace.filter(|trace| !trace.is_empty())))
            }
            _ => Err(JournalError::Corrupt {
                file: self.path.clone(),
                offset: place.offset,
                reason: "a row does not read back".into(),
            }),
        }
    }
}

fn decode(record: &[u8]) -> Option<(u64, Vec<Mark>)> {
    let xact = record.get(RECORD_HEADER..RECORD_HEADER + XACT_BYTES)?.try_into().map(u64::from_le_bytes).ok()?;
    let mut at = RECORD_HEADER + XACT_BYTES;
    let rows = u32_at(record, at)?;
    at += 4;
    let mut marks = Vec::new();
    for _ in 0..rows {
        let offset = at;
        let kind = kind_of(*record.get(at)?)?;
        at += 1;
        let object = ObjectRef { kind, id: text_at(record, &mut at)?.to_string() };
        let id = hash(text_at(record, &mut at)?);
        let trace = Some(text_at(record, &mut at)?).filter(|trace| !trace.is_empty()).map(hash).unwrap_or_default();
        text_at(record, &mut at)?;
        marks.push(Mark { object, id, trace, offset, length: at - offset });
    }
    (at == record.len()).then_some((xact, marks))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().map(u32::from_le_bytes).ok()
}

fn text_at<'a>(bytes: &'a [u8], at: &mut usize) -> Option<&'a str> {
    let length = u32_at(bytes, *at)? as usize;
    let start = at.checked_add(4)?;
    let text = bytes.get(start..start.checked_add(length)?)?;
    *at = start + length;
    std::str::from_utf8(text).ok()
}

fn kind_byte(kind: ObjectKind) -> u8 {
    match kind {
        ObjectKind::Experiment => 1,
        ObjectKind::Dataset => 2,
        ObjectKind::ProjectLogs => 3,
    }
}

fn kind_of(byte: u8) -> Option<ObjectKind> {
    match byte {
        1 => Some(ObjectKind::Experiment),
        2 => Some(ObjectKind::Dataset),
        3 => Some(ObjectKind::ProjectLogs),
        _ => None,
    }
}

/// A row id or trace id in the index.
pub(crate) fn hash(id: &str) -> u64 {
    xxh3_64(id.as_bytes())
}

/// Requests are bounded far below 4 GiB.
fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Makes the names in a folder survive a crash.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), JournalError> {
    File::open(folder).and_then(|file| file.sync_all()).map_err(JournalError::io(folder))
}
