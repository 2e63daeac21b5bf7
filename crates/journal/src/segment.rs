//! Segment files: a header, then records, never changed once written.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::error::JournalError;
use crate::record::{self, RowPlace};

/// The first bytes of every segment; the last of them is the version of the format.
const HEADER: [u8; 8] = *b"EVHJRNL\x01";
const PREFIX: &str = "evalhouse-wal-";
const SUFFIX: &str = ".log";

/// A segment, open for positioned reads and, if it is the active one, writes.
#[derive(Debug)]
pub(crate) struct SegmentFile {
    path: PathBuf,
    file: File,
}

/// What was found in a segment.
#[derive(Debug)]
pub(crate) struct Scanned {
    /// Bytes of its header and sound records.
    pub(crate) bytes: u64,
    /// Bytes at its end that a write left when it was cut short.
    pub(crate) torn_bytes: u64,
}

impl SegmentFile {
    /// Where the first record begins.
    pub(crate) const HEADER_BYTES: u64 = HEADER.len() as u64;

    /// Makes the segment that begins with this transaction, for good: its name is on disk, too.
    pub(crate) fn create(folder: &Path, first_xact: u64) -> io::Result<Self> {
        let path = folder.join(format!("{PREFIX}{first_xact:020}{SUFFIX}"));
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
        file.write_all_at(&HEADER, 0)?;
        file.sync_all()?;
        File::open(folder)?.sync_all()?;
        Ok(Self { path, file })
    }

    /// Opens a segment to read from it.
    pub(crate) fn open(path: PathBuf) -> Result<Self, JournalError> {
        let file = File::open(&path).map_err(JournalError::at(&path))?;
        Ok(Self { path, file })
    }

    /// Writes a record and waits until it is on disk.
    pub(crate) fn write(&self, record: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_all_at(record, offset)?;
        self.file.sync_data()
    }

    /// Fills `bytes` with what is at `offset`, up to the end of the file.
    pub(crate) fn read(&self, bytes: &mut Vec<u8>, offset: u64) -> Result<(), JournalError> {
        let mut filled = 0;
        while filled < bytes.len() {
            match self.file.read_at(&mut bytes[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(JournalError::at(&self.path)(error)),
            }
        }
        bytes.truncate(filled);
        Ok(())
    }

    /// Deletes the file. Readers that have it open go on reading.
    pub(crate) fn delete(&self) -> Result<(), JournalError> {
        fs::remove_file(&self.path).map_err(JournalError::at(&self.path))
    }

    /// The error of damage in this file.
    pub(crate) fn corrupt(&self, offset: u64, reason: &'static str) -> JournalError {
        JournalError::Corrupt { file: self.path.clone(), offset, reason }
    }
}

/// The segments in a folder with their first transaction ids, oldest first. Other files are left alone.
pub(crate) fn list(folder: &Path) -> Result<Vec<(u64, PathBuf)>, JournalError> {
    let mut segments = Vec::new();
    for entry in fs::read_dir(folder).map_err(JournalError::at(folder))? {
        let entry = entry.map_err(JournalError::at(folder))?;
        let name = entry.file_name();
        let digits = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX));
        if let Some(Ok(first_xact)) = digits.filter(|digits| digits.len() == 20).map(str::parse) {
            segments.push((first_xact, entry.path()));
        }
    }
    segments.sort_unstable();
    Ok(segments)
}

/// Reads every row of a segment. Only the last one may end in a torn write, which is then cut off.
pub(crate) fn scan(path: &Path, is_last: bool, mut visit: impl FnMut(u64, RowPlace)) -> Result<Scanned, JournalError> {
    let bytes = fs::read(path).map_err(JournalError::at(path))?;
    let corrupt = |at: usize, reason| Err(JournalError::Corrupt { file: path.to_owned(), offset: at as u64, reason });
    let mut at = 0;
    if bytes.starts_with(&HEADER) {
        at = HEADER.len();
        while let Some(end) = record::read(&bytes, at, &mut visit) {
            at = end;
        }
    } else if !HEADER.starts_with(&bytes) && bytes.iter().any(|byte| *byte != 0) {
        return corrupt(0, "it does not begin as a segment of this version does");
    }
    let torn_bytes = (bytes.len() - at) as u64;
    if torn_bytes > 0 {
        if !is_last {
            return corrupt(at, "a record is not what was written, and newer segments follow");
        }
        if record::is_in(&bytes[at..]) {
            return corrupt(at, "a record is not what was written, and it is not the last");
        }
        let file = OpenOptions::new().write(true).open(path).map_err(JournalError::at(path))?;
        file.set_len(at as u64).and_then(|()| file.sync_all()).map_err(JournalError::at(path))?;
    }
    Ok(Scanned { bytes: at as u64, torn_bytes })
}
