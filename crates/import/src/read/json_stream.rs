//! A walk through one large JSON document, value by value: only the value that is taken is in memory.

use super::document::{next_byte, value_length};
use super::{Piece, Window};
use crate::error::Fault;
use crate::json::unquote;
use crate::reason;

/// A reader that stands somewhere in a document.
pub(crate) struct JsonStream {
    window: Window,
    /// Of each open container, whether its next member is the first.
    is_first: Vec<bool>,
    /// Of each open container, whether it is an object.
    is_object: Vec<bool>,
}

/// How deep a value that is passed is taken apart.
const SKIPPED_LEVELS: usize = 3;

impl JsonStream {
    pub(crate) fn new(window: Window) -> Self {
        Self { window, is_first: Vec::new(), is_object: Vec::new() }
    }

    /// The first byte of what comes next.
    pub(crate) fn peek(&mut self) -> Result<Option<u8>, Fault> {
        next_byte(&mut self.window)
    }

    /// Enters the object that comes next: false when something else does.
    pub(crate) fn enter_object(&mut self) -> Result<bool, Fault> {
        self.enter(b'{')
    }

    /// Enters the array that comes next: false when something else does.
    pub(crate) fn enter_array(&mut self) -> Result<bool, Fault> {
        self.enter(b'[')
    }

    fn enter(&mut self, open: u8) -> Result<bool, Fault> {
        if self.peek()? != Some(open) {
            return Ok(false);
        }
        self.window.consume(1);
        self.is_first.push(true);
        self.is_object.push(open == b'{');
        Ok(true)
    }

    /// The next key of the object that was entered; none at its end, which is passed.
    pub(crate) fn key(&mut self) -> Result<Option<String>, Fault> {
        if !self.member(b'}')? {
            return Ok(None);
        }
        if self.peek()? != Some(b'"') {
            return Err(self.lost());
        }
        let piece = self.piece()?;
        let key = unquote(&String::from_utf8_lossy(self.window.piece(&piece))).into_owned();
        if self.peek()? != Some(b':') {
            return Err(self.lost());
        }
        self.window.consume(1);
        Ok(Some(key))
    }

    /// Whether the array that was entered has another element; its end is passed.
    pub(crate) fn element(&mut self) -> Result<bool, Fault> {
        self.member(b']')
    }

    fn member(&mut self, close: u8) -> Result<bool, Fault> {
        let is_first = self.is_first.last().copied().unwrap_or(true);
        match self.peek()? {
            Some(byte) if byte == close => {
                self.window.consume(1);
                self.is_first.pop();
                self.is_object.pop();
                return Ok(false);
            }
            Some(b',') if !is_first => self.window.consume(1),
            Some(_) if is_first => {}
            _ => return Err(self.lost()),
        }
        if let Some(first) = self.is_first.last_mut() {
            *first = false;
        }
        Ok(true)
    }

    /// Takes the value that comes next, whole.
    pub(crate) fn piece(&mut self) -> Result<Piece, Fault> {
        if self.peek()?.is_none() {
            return Err(self.lost());
        }
        let length = value_length(&mut self.window, None)?;
        if length == 0 {
            return Err(self.lost());
        }
        let (range, line) = (self.window.range(length), self.window.line);
        self.window.consume_lines(length);
        Ok(Piece { range, line, row: None, terminated: true })
    }

    /// The bytes of a value that was just taken.
    pub(crate) fn bytes(&self, piece: &Piece) -> &[u8] {
        self.window.piece(piece)
    }

    /// Passes the value that comes next; of large containers one member at a time.
    pub(crate) fn skip(&mut self) -> Result<(), Fault> {
        let outside = self.is_first.len();
        loop {
            let inside = self.is_first.len() - outside;
            let is_entered = inside < SKIPPED_LEVELS && (self.enter_object()? || self.enter_array()?);
            if !is_entered {
                self.piece()?;
            }
            // On to the next member, out of every container that ends here.
            while self.is_first.len() > outside {
                if self.is_object.last() == Some(&true) {
                    if self.key()?.is_some() {
                        break;
                    }
                } else if self.element()? {
                    break;
                }
            }
            if self.is_first.len() == outside {
                return Ok(());
            }
        }
    }

    /// The line that is being read.
    pub(crate) fn line(&self) -> u64 {
        self.window.line
    }

    fn lost(&mut self) -> Fault {
        let line = self.window.line;
        match self.window.bytes().first() {
            None => Fault::truncated("the text ends inside the document").at(line, None),
            Some(&byte) => {
                let message = format!("unexpected {:?} where JSON goes on", char::from(byte));
                Fault::rest(reason::BAD_JSON, message).at(line, None)
            }
        }
    }
}
