//! The one buffer of a source: a window on its decoded text that moves forward.

use std::io::{self, Read};
use std::ops::Range;

use super::Input;
use crate::error::Fault;
use crate::reason;

const FIRST_BYTES: usize = 512 << 10;

/// A window on the decoded text. It grows only while a single row does not fit.
pub(crate) struct Window {
    input: Input,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    at_end: bool,
    at_begin: bool,
    /// What ended the source before its end.
    failure: Option<Fault>,
    decoded_bytes: u64,
    row_bytes_max: usize,
    /// Line of the first byte of the window, from 1.
    pub(crate) line: u64,
}

/// Where a row lies in the window's buffer, until the window moves.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    pub(crate) range: Range<usize>,
    /// Line where it starts, from 1.
    pub(crate) line: u64,
    /// Ordinal of the row, from 1, where lines do not tell rows apart.
    pub(crate) row: Option<u64>,
    /// False when the source ended before the row's line did.
    pub(crate) terminated: bool,
}

impl Window {
    pub(crate) fn new(input: Input, row_bytes_max: usize) -> Self {
        Self {
            input,
            buffer: vec![0; FIRST_BYTES.min(row_bytes_max.max(64))],
            start: 0,
            end: 0,
            at_end: false,
            at_begin: true,
            failure: None,
            decoded_bytes: 0,
            row_bytes_max,
            line: 1,
        }
    }

    /// What is buffered and not consumed.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// The bytes of a row that was found since the window last moved.
    pub(crate) fn piece(&self, piece: &Piece) -> &[u8] {
        &self.buffer[piece.range.clone()]
    }

    /// The range of the first `length` bytes of the window.
    pub(crate) fn range(&self, length: usize) -> Range<usize> {
        self.start..self.start + length
    }

    /// Moves past bytes. The caller keeps [`Self::line`].
    pub(crate) fn consume(&mut self, length: usize) {
        self.start = (self.start + length).min(self.end);
    }

    /// Moves past bytes and counts their line breaks.
    pub(crate) fn consume_lines(&mut self, length: usize) {
        let passed = &self.bytes()[..length.min(self.end - self.start)];
        self.line += memchr::memchr_iter(b'\n', passed).count() as u64;
        self.consume(length);
    }

    /// Decoded bytes read from the source.
    pub(crate) fn decoded_bytes(&self) -> u64 {
        self.decoded_bytes
    }

    /// True when the window holds as much of one row as a row may have.
    pub(crate) fn is_row_too_long(&self) -> bool {
        self.end - self.start >= self.row_bytes_max
    }

    pub(crate) fn row_bytes_max(&self) -> usize {
        self.row_bytes_max
    }

    /// Reads more behind what is buffered: false at the end of the source. A source that failed
    /// fails again at each call.
    pub(crate) fn fill(&mut self) -> Result<bool, Fault> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone().at(self.line, None));
        }
        if self.at_end {
            return Ok(false);
        }
        self.make_room();
        let length = match self.read_some() {
            Ok(length) => length,
            Err(fault) => {
                self.failure = Some(fault.clone());
                return Err(fault.at(self.line, None));
            }
        };
        self.at_end = length == 0;
        self.end += length;
        self.decoded_bytes += length as u64;
        if self.at_begin {
            self.check_begin()?;
        }
        Ok(!self.at_end)
    }

    /// Reads the rest of the source without looking at it, so that its hash is of all of it.
    pub(crate) fn drain(&mut self) -> Result<(), Fault> {
        self.consume(self.end);
        while self.fill()? {
            self.consume(self.end);
        }
        Ok(())
    }

    /// Hash of the raw bytes read so far.
    pub(crate) fn hash(&self) -> String {
        self.input.hash()
    }

    fn make_room(&mut self) {
        if self.buffer.len() - self.end >= self.buffer.len() / 4 {
            return;
        }
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.end * 2 > self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
    }

    fn read_some(&mut self) -> Result<usize, Fault> {
        loop {
            let error = match self.input.read(&mut self.buffer[self.end..]) {
                Ok(length) => return Ok(length),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => error,
            };
            return Err(if self.input.source_failed() {
                Fault::file(reason::UNREADABLE, format!("cannot read on: {error}"))
            } else if error.kind() == io::ErrorKind::UnexpectedEof {
                Fault::truncated("the compressed data ends too early")
            } else {
                Fault::rest(reason::CORRUPT_COMPRESSION, format!("the compressed data is damaged: {error}"))
            });
        }
    }

    /// Passes a UTF-8 byte order mark and refuses UTF-16, once the first bytes are there.
    fn check_begin(&mut self) -> Result<(), Fault> {
        let first = self.bytes();
        if first.len() < 4 && !self.at_end {
            return Ok(());
        }
        let utf16 =
            matches!(first, [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [0, b'{' | b'[', 0, ..] | [b'{' | b'[', 0, _, 0, ..]);
        if utf16 {
            let fault = Fault::file(reason::UTF16, "the text is UTF-16 or UTF-32, and only UTF-8 is read");
            return Err(fault.at(1, None).with_hint("convert it, for example with `iconv -t UTF-8`"));
        }
        let mark = if first.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
        self.consume(mark);
        self.at_begin = false;
        Ok(())
    }
}
