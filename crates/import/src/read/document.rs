//! Rows that are values inside larger JSON: elements of an array, the events of fetch pages, or
//! objects that span lines. Only one row is in memory at a time.

use super::{Piece, Window};
use crate::error::Fault;
use crate::json::unquote;
use crate::reason;

/// Where the reader stands between two rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Between top-level values.
    Top,
    /// In an array of rows, before its first element.
    ArrayStart,
    /// In an array of rows, after an element.
    ArrayNext,
    /// In an envelope object, before its first key.
    KeyStart,
    /// In an envelope object, after a value.
    KeyNext,
}

/// A walk over documents that hold rows.
#[derive(Debug)]
pub(crate) struct Document {
    state: State,
    /// Objects at the top are envelopes around an array of rows, not rows themselves.
    enveloped: bool,
    in_envelope: bool,
    rows: u64,
}

impl Document {
    pub(crate) fn new(enveloped: bool) -> Self {
        Self { state: State::Top, enveloped, in_envelope: false, rows: 0 }
    }

    /// The next row's text, whatever it is: its own syntax is checked by who reads the row.
    pub(crate) fn next_row(&mut self, window: &mut Window) -> Result<Option<Piece>, Fault> {
        loop {
            let Some(byte) = next_byte(window)? else {
                return if self.state == State::Top { Ok(None) } else { Err(self.cut_off(window)) };
            };
            match (self.state, byte) {
                (State::Top, b'[') => self.step(window, State::ArrayStart),
                (State::Top, b'{') if self.enveloped => {
                    self.in_envelope = true;
                    self.step(window, State::KeyStart);
                }
                (State::ArrayStart | State::ArrayNext, b']') => {
                    let after = if self.in_envelope { State::KeyNext } else { State::Top };
                    self.step(window, after);
                }
                (State::KeyStart | State::KeyNext, b'}') => {
                    self.in_envelope = false;
                    self.step(window, State::Top);
                }
                (State::ArrayNext, b',') => {
                    window.consume(1);
                    next_byte(window)?;
                    return self.row(window, State::ArrayNext).map(Some);
                }
                (State::ArrayStart, _) => return self.row(window, State::ArrayNext).map(Some),
                (State::Top, b'{') => return self.row(window, State::Top).map(Some),
                (State::KeyNext, b',') => {
                    window.consume(1);
                    self.envelope_field(window)?;
                }
                (State::KeyStart, _) => self.envelope_field(window)?,
                _ => return Err(self.lost(window)),
            }
        }
    }

    fn step(&mut self, window: &mut Window, state: State) {
        window.consume(1);
        self.state = state;
    }

    fn row(&mut self, window: &mut Window, then: State) -> Result<Piece, Fault> {
        let length = self.value_length(window)?;
        self.state = then;
        self.rows += 1;
        let (range, line) = (window.range(length), window.line);
        window.consume_lines(length);
        Ok(Piece { range, line, row: Some(self.rows), terminated: true })
    }

    /// A key of the envelope: its array of rows is entered, anything else is passed.
    fn envelope_field(&mut self, window: &mut Window) -> Result<(), Fault> {
        if next_byte(window)? != Some(b'"') {
            return Err(self.lost_or_cut(window));
        }
        let length = self.value_length(window)?;
        let key = String::from_utf8_lossy(&window.bytes()[..length]).into_owned();
        window.consume_lines(length);
        if next_byte(window)? != Some(b':') {
            return Err(self.lost_or_cut(window));
        }
        window.consume(1);
        let first = next_byte(window)?;
        if first == Some(b'[') && matches!(&*unquote(&key), "events" | "data") {
            self.step(window, State::ArrayStart);
            return Ok(());
        }
        let length = self.value_length(window)?;
        window.consume_lines(length);
        self.state = State::KeyNext;
        Ok(())
    }

    fn value_length(&self, window: &mut Window) -> Result<usize, Fault> {
        match value_length(window, Some(self.rows + 1))? {
            0 => Err(self.lost_or_cut(window)),
            length => Ok(length),
        }
    }

    fn lost_or_cut(&self, window: &Window) -> Fault {
        if window.bytes().is_empty() { self.cut_off(window) } else { self.lost(window) }
    }

    fn cut_off(&self, window: &Window) -> Fault {
        Fault::truncated("the text ends inside the document").at(window.line, Some(self.rows + 1))
    }

    fn lost(&self, window: &Window) -> Fault {
        let found = String::from_utf8_lossy(&window.bytes()[..window.bytes().len().min(4)]).into_owned();
        let found = found.chars().next().unwrap_or(char::REPLACEMENT_CHARACTER);
        Fault::rest(reason::BAD_JSON, format!("unexpected {found:?} between rows"))
            .at(window.line, Some(self.rows + 1))
            .with_hint("rows behind this place cannot be found")
    }
}

/// Fills the window with one value and gives its length; zero means that no value starts here.
pub(super) fn value_length(window: &mut Window, row: Option<u64>) -> Result<usize, Fault> {
    let mut boundary = Boundary::default();
    loop {
        if let Some(length) = boundary.find(window.bytes()) {
            return Ok(length);
        }
        if window.is_row_too_long() {
            let message = format!("the row is longer than {} MiB", window.row_bytes_max() >> 20);
            return Err(Fault::rest(reason::TOO_LONG, message).at(window.line, row));
        }
        if !window.fill()? {
            return Err(Fault::truncated("the text ends inside the document").at(window.line, row));
        }
    }
}

/// Passes white space and shows the next byte; none at the end of the source.
pub(super) fn next_byte(window: &mut Window) -> Result<Option<u8>, Fault> {
    loop {
        let bytes = window.bytes();
        let space = bytes.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
        let found = space.and_then(|at| bytes.get(at).copied());
        window.consume_lines(space.unwrap_or(window.bytes().len()));
        if found.is_some() || !window.fill()? {
            return Ok(found);
        }
    }
}

/// Finds the end of a value by its brackets and quotes alone, over several fills of a window.
#[derive(Debug, Default)]
struct Boundary {
    at: usize,
    depth: usize,
    in_string: bool,
}

impl Boundary {
    /// The length of the value that `bytes` start with, once all of it is there. Zero means that no
    /// value starts here.
    fn find(&mut self, bytes: &[u8]) -> Option<usize> {
        loop {
            if self.in_string && !self.pass_string(bytes) {
                return None;
            }
            if self.at > 0 && self.depth == 0 && matches!(bytes[0], b'"' | b'{' | b'[') {
                return Some(self.at);
            }
            let byte = *bytes.get(self.at)?;
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' if self.depth > 0 => self.depth -= 1,
                b',' | b':' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r' if self.depth == 0 => {
                    return Some(self.at);
                }
                _ => {}
            }
            self.at += 1;
        }
    }

    /// Moves past the closing quote: false when it is not there yet.
    fn pass_string(&mut self, bytes: &[u8]) -> bool {
        while let Some(offset) = memchr::memchr2(b'"', b'\\', &bytes[self.at..]) {
            let at = self.at + offset;
            if bytes[at] == b'"' {
                self.at = at + 1;
                self.in_string = false;
                return true;
            }
            if at + 2 > bytes.len() {
                self.at = at;
                return false;
            }
            self.at = at + 2;
        }
        self.at = bytes.len();
        false
    }
}
