//! The rows of one source, from its bytes to spans.

use std::io::Read;
use std::rc::Rc;

use evalhouse_model::Span;

use crate::discover::Source;
use crate::error::{Extent, Fault};
use crate::read::{Document, Input, Meter, Shape, Verdict, Window, next_line, sniff};
use crate::reason;
use crate::row::{Row, RowParser};

/// The longest row that is read.
pub(crate) const ROW_BYTES_MAX: usize = 256 << 20;

/// How far the first row is followed to tell what a source is.
const SNIFF_BYTES_MAX: usize = 64 << 20;

/// An opened source, its shape known.
pub(crate) struct Rows {
    window: Window,
    finder: Finder,
    parser: RowParser,
    position: i64,
    /// Text of the first row, if it could be read whole.
    pub(crate) first_row: Option<String>,
}

enum Finder {
    Lines,
    Document(Document),
}

impl Rows {
    /// Opens a source and tells what it is. With `assume_rows` any JSON is taken for rows.
    pub(crate) fn open(source: impl Read + 'static, meter: Meter, assume_rows: bool) -> Result<Self, Fault> {
        let input = Input::open(source, meter)
            .map_err(|error| Fault::file(reason::UNREADABLE, format!("cannot be read: {error}")).at(1, None))?;
        let mut window = Window::new(input, ROW_BYTES_MAX);
        let (shape, first_row) = recognise(&mut window, assume_rows)?;
        let finder = match shape {
            Shape::Lines => Finder::Lines,
            Shape::Document => Finder::Document(Document::new(false)),
            Shape::Envelope => Finder::Document(Document::new(true)),
        };
        Ok(Self { window, finder, parser: RowParser::default(), position: 0, first_row })
    }

    /// Opens the rows of a file.
    pub(crate) fn open_source(source: &Source, meter: Meter, assume_rows: bool) -> Result<Self, Fault> {
        let content = source.open();
        let content = content
            .map_err(|error| Fault::file(reason::UNREADABLE, format!("cannot be opened: {error}")).at(1, None))?;
        Self::open(content.stream(0), meter, assume_rows)
    }

    /// The next row; none at the end. After a fault of [`Extent::Row`] the next one can be read.
    pub(crate) fn next_row(&mut self) -> Result<Option<Row>, Fault> {
        let piece = match &mut self.finder {
            Finder::Lines => next_line(&mut self.window),
            Finder::Document(document) => document.next_row(&mut self.window),
        };
        let Some(piece) = piece? else { return Ok(None) };
        let position = self.position;
        self.position += 1;
        let text = self.window.piece(&piece);
        let mut row = self.parser.parse(text, piece.terminated).map_err(|f| f.at(piece.line, piece.row))?;
        row.span.position = position;
        row.span.line = piece.line;
        Ok(Some(row))
    }

    /// Decoded bytes read so far.
    pub(crate) fn decoded_bytes(&self) -> u64 {
        self.window.decoded_bytes()
    }

    /// Hash of the raw bytes of the whole source; call it at the end of the rows.
    pub(crate) fn hash(&mut self) -> Result<String, Fault> {
        self.window.drain()?;
        Ok(self.window.hash())
    }
}

fn recognise(window: &mut Window, assume_rows: bool) -> Result<(Shape, Option<String>), Fault> {
    let mut wanted = 64 << 10;
    loop {
        let mut whole = false;
        while !whole && window.bytes().len() < wanted {
            whole = match window.fill() {
                Ok(more) => !more,
                // A source that breaks off may still hold rows, and then they say where it does.
                Err(fault) if fault.extent == Extent::Rest && !window.bytes().is_empty() => true,
                Err(fault) => return Err(fault),
            };
        }
        let refusal = match sniff(window.bytes(), whole) {
            Verdict::Rows(shape, first_row) => return Ok((shape, first_row)),
            Verdict::More if wanted < SNIFF_BYTES_MAX && !whole => {
                wanted *= 4;
                continue;
            }
            Verdict::More => "starts with JSON that does not look like rows of evals".to_string(),
            Verdict::Other(refusal) => refusal,
        };
        if assume_rows && !window.bytes().is_empty() {
            let is_array = window.bytes().trim_ascii_start().starts_with(b"[");
            return Ok((if is_array { Shape::Document } else { Shape::Lines }, None));
        }
        return Err(Fault::file(reason::NOT_RECOGNISED, refusal).at(1, None));
    }
}

/// Reads rows one at a time, as a server is given them: it knows what they belong to, and a row may be
/// part of one.
#[derive(Debug, Default)]
pub struct RowReader {
    parser: RowParser,
}

impl RowReader {
    /// Reads one row: its fields, each name once, with their JSON text.
    ///
    /// # Errors
    /// When a typed field has another type, or a number cannot be kept.
    pub fn read<'a>(&mut self, row: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Span, Fault> {
        self.parser.parse_logged(row)
    }
}

/// Reads all rows of a source and hands on each span, or what is wrong with its row.
///
/// This is the reader alone: nothing is checked between rows and nothing is stored. It stops where
/// the source cannot be followed any more, with the fault as its last item.
pub fn read_rows(source: impl Read + 'static, mut each: impl FnMut(Result<Span, Fault>)) {
    let mut rows = match Rows::open(source, Rc::new(|_| {}), false) {
        Ok(rows) => rows,
        Err(fault) => return each(Err(fault)),
    };
    loop {
        match rows.next_row() {
            Ok(Some(row)) => each(Ok(row.span)),
            Ok(None) => return,
            Err(fault) => {
                let is_last = fault.extent != Extent::Row;
                each(Err(fault));
                if is_last {
                    return;
                }
            }
        }
    }
}
