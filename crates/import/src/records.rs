//! Records: the objects of a file of rows, whatever the rows are written in.
//!
//! JSON lines, the elements of an array, the lines of a CSV table and the rows of a Parquet file all
//! come out as JSON objects, one at a time. A cell of a table is a string.

use std::borrow::Cow;
use std::cell::Cell;
use std::io::{self, Read, Write};
use std::rc::Rc;
use std::sync::Arc;

use arrow::array::{Array, AsArray, PrimitiveArray, RecordBatch};
use arrow::datatypes::{ArrowPrimitiveType, DataType, FieldRef, Float32Type, Float64Type};
use arrow::error::ArrowError;
use arrow::json::writer::{LineDelimited, NullableEncoder};
use arrow::json::{Encoder, EncoderFactory, EncoderOptions, WriterBuilder};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use crate::discover::Source;
use crate::error::{Extent, Fault};
use crate::json::{Kind, ScanErrorKind, Value, quoted};
use crate::load::Stop;
use crate::look::{Container, Look, Shape};
use crate::read::{Document, Input, JsonStream, Piece, Window, next_line};
use crate::reason;
use crate::receive::{Deaf, Receiver};
use crate::rows::ROW_BYTES_MAX;
use crate::table;

/// Rows of a Parquet file that are decoded at a time.
const BATCH_ROWS: usize = 256;

/// Bytes of a row of a table: its cells are copied as JSON and as fields before they are stored.
const TABLE_ROW_BYTES_MAX: u64 = 64 << 20;

/// Bytes of a table that are looked at to find what stands between two cells.
const DELIMITER_BYTES: u64 = 64 << 10;

/// One record: a checked object, and where it stands.
pub(crate) struct Record<'a> {
    pub(crate) value: Value<'a>,
    /// Line of the file, from 1; of a Parquet file the row.
    pub(crate) line: u64,
    /// The file is a table of texts, whose cells are strings whatever they mean.
    pub(crate) is_text: bool,
    /// Bytes of it were no UTF-8.
    pub(crate) is_replaced: bool,
}

impl Record<'_> {
    /// Counts what storing the record changes, for readers that learn from it which experiment it is of.
    pub(crate) fn note_rewrites(&self, receiver: &mut dyn Receiver, experiment: usize) {
        note_rewrites(receiver, experiment, &self.value, self.is_replaced);
    }
}

/// Visits the records of a file. `each` also hears of the receiver, so that it can hand on what it
/// makes. With `experiment`, rewritten texts and a file that ends too early are noted there; without,
/// `each` notes rewrites itself, and a file that ends too early is noted at all experiments.
pub(crate) fn each_record(
    source: &Source,
    receiver: &mut dyn Receiver,
    experiment: Option<usize>,
    each: &mut dyn FnMut(&mut dyn Receiver, Record<'_>) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let look = Look::at(source)?;
    let mut walk = Walk { receiver, experiment, each };
    match look.container {
        Container::Json(Shape::Lines, _) => walk.lines(window(source)?),
        Container::Json(..) => walk.document(window(source)?, Document::new(false)),
        Container::Parquet(_) => walk.parquet(source),
        Container::Table(_) => walk.table(source),
        Container::Zip { .. } | Container::Other => {
            let message = "holds no rows: neither JSON, nor a table with a header, nor Parquet";
            Err(Fault::file(reason::NOT_RECOGNISED, message).at(1, None).into())
        }
    }
}

/// Visits the records of a file to learn of them, before a second visit hands them on. What is wrong
/// with the file is met again, and reported, then.
pub(crate) fn learn(source: &Source, each: &mut dyn FnMut(Value<'_>)) {
    let walked = each_record(source, &mut Deaf::default(), None, &mut |_, record| {
        each(record.value);
        Ok(())
    });
    drop(walked);
}

/// A walk through one large JSON document.
pub(crate) fn json_stream(source: &Source) -> Result<JsonStream, Fault> {
    window(source).map(JsonStream::new)
}

/// A window on the decoded text of a file.
fn window(source: &Source) -> Result<Window, Fault> {
    Ok(Window::new(input(source)?, ROW_BYTES_MAX))
}

/// The decoded bytes of a file.
fn input(source: &Source) -> Result<Input, Fault> {
    let content = source.open().map_err(|error| Fault::unreadable(&error))?;
    Input::open(content.stream(0), Rc::new(|_| {})).map_err(|error| Fault::unreadable(&error))
}

/// Bytes as text; what is no UTF-8 becomes U+FFFD.
pub(crate) fn text_of(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(bytes),
    }
}

/// Checks the text of a value.
pub(crate) fn checked(text: &str, line: u64, terminated: bool) -> Result<Value<'_>, Fault> {
    Value::parse(text).map_err(|error| {
        let fault = match error.kind {
            ScanErrorKind::End if !terminated => Fault::truncated("the text ends inside the record"),
            ScanErrorKind::End => Fault::row(reason::BAD_JSON, "the record ends inside a value"),
            ScanErrorKind::TooDeep => Fault::row(reason::TOO_DEEP, "values nest deeper than 128 levels"),
            ScanErrorKind::Syntax(expected) => {
                Fault::row(reason::BAD_JSON, format!("no JSON at column {}: {expected}", error.at + 1))
            }
        };
        fault.at(line, None)
    })
}

/// Counts what storing a value's text changes.
pub(crate) fn note_rewrites(receiver: &mut dyn Receiver, experiment: usize, value: &Value<'_>, is_replaced: bool) {
    receiver.note(experiment, reason::NAN_VALUE, value.nan);
    receiver.note(experiment, reason::LONE_SURROGATE, value.lone_surrogates);
    receiver.note(experiment, reason::REPLACED_UTF8, u32::from(is_replaced));
}

struct Walk<'a> {
    receiver: &'a mut dyn Receiver,
    experiment: Option<usize>,
    each: &'a mut dyn FnMut(&mut dyn Receiver, Record<'_>) -> Result<(), Stop>,
}

impl Walk<'_> {
    fn lines(&mut self, mut window: Window) -> Result<(), Stop> {
        loop {
            match next_line(&mut window) {
                Ok(Some(piece)) => self.piece(&window, &piece)?,
                Ok(None) => return Ok(()),
                Err(fault) => {
                    if self.is_end(fault)? {
                        return Ok(());
                    }
                }
            }
        }
    }

    fn document(&mut self, mut window: Window, mut document: Document) -> Result<(), Stop> {
        loop {
            match document.next_row(&mut window) {
                Ok(Some(piece)) => self.piece(&window, &piece)?,
                Ok(None) => return Ok(()),
                Err(fault) => {
                    if self.is_end(fault)? {
                        return Ok(());
                    }
                }
            }
        }
    }

    fn piece(&mut self, window: &Window, piece: &Piece) -> Result<(), Stop> {
        let text = text_of(window.piece(piece));
        let value = match checked(&text, piece.line, piece.terminated) {
            Ok(value) if value.kind == Kind::Object => value,
            Ok(value) => {
                let message = format!("a record is an object, and this is {}", value.kind.described());
                return self.receiver.fault(Fault::row(reason::NOT_AN_OBJECT, message).at(piece.line, piece.row));
            }
            Err(fault) => return self.is_end(fault).map(|_| ()),
        };
        let is_replaced = matches!(text, Cow::Owned(_));
        self.hand_on(Record { value, line: piece.line, is_text: false, is_replaced })
    }

    fn hand_on(&mut self, record: Record<'_>) -> Result<(), Stop> {
        if let Some(experiment) = self.experiment {
            record.note_rewrites(self.receiver, experiment);
        }
        (self.each)(self.receiver, record)
    }

    /// Reports a fault, and says whether nothing can follow it.
    fn is_end(&mut self, fault: Fault) -> Result<bool, Stop> {
        let is_end = fault.extent != Extent::Row;
        self.receiver.cut_off(self.experiment, fault)?;
        Ok(is_end)
    }

    fn table(&mut self, source: &Source) -> Result<(), Stop> {
        let mut text = input(source)?;
        let mut begin = Vec::new();
        let ended = text.by_ref().take(DELIMITER_BYTES).read_to_end(&mut begin);
        let begin = begin.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&begin);
        let blank = begin.len() - begin.trim_ascii_start().len();
        let (blank, begin) = begin.split_at(blank);
        let first_line = blank.iter().filter(|byte| **byte == b'\n').count() as u64;
        let Some(delimiter) = table::delimiter(&String::from_utf8_lossy(begin)) else { return Ok(()) };
        // Rows before the place where the source breaks off are read all the same.
        let rest = Rest { error: ended.err(), text };
        let of_row = Rc::new(Cell::new(0));
        let reader = Counted { text: begin.chain(rest), of_row: Rc::clone(&of_row) };
        let mut reader = table::reader(reader, delimiter);
        let header = reader.byte_headers().map_err(broken_table)?.clone();
        let names: Vec<String> = header.iter().map(|name| quoted(&String::from_utf8_lossy(name))).collect();
        let mut cells = csv::ByteRecord::new();
        let mut row = String::new();
        loop {
            of_row.set(0);
            match reader.read_byte_record(&mut cells) {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(error) => return self.receiver.fault(broken_table(error)),
            }
            let line = first_line + cells.position().map_or(1, csv::Position::line);
            // Which cells belong under which names cannot be known: a text has a delimiter in it.
            if cells.iter().skip(names.len()).any(|cell| !cell.is_empty()) {
                let (count, header) = (cells.len(), names.len());
                let message =
                    format!("{count} cells under a header of {header}; a cell that holds the delimiter needs quotes");
                self.receiver.fault(Fault::row(reason::NOT_A_ROW, message).at(line, None))?;
                continue;
            }
            row.clear();
            let mut is_replaced = false;
            for (at, name) in names.iter().enumerate() {
                // The end of a short row is empty cells.
                let cell = text_of(cells.get(at).unwrap_or_default());
                is_replaced |= matches!(cell, Cow::Owned(_));
                row.push(if row.is_empty() { '{' } else { ',' });
                row.push_str(name);
                row.push(':');
                row.push_str(&quoted(&cell));
            }
            row.push('}');
            let value =
                Value::parse(&row).map_err(|_| Fault::row(reason::BAD_JSON, "a cell cannot be read").at(line, None))?;
            self.hand_on(Record { value, line, is_text: true, is_replaced })?;
        }
    }

    fn parquet(&mut self, source: &Source) -> Result<(), Stop> {
        let broken = |error: &dyn std::fmt::Display| {
            Fault::rest(reason::CORRUPT_COMPRESSION, format!("the Parquet file cannot be read: {error}")).at(1, None)
        };
        let mut line = 0;
        for batch in batches(source)? {
            let batch = match batch {
                Ok(batch) => batch,
                Err(error) => return self.receiver.fault(broken(&error)),
            };
            for text in rows_of(&batch).map_err(|error| broken(&error))? {
                line += 1;
                let value = Value::parse(&text).map_err(|_| broken(&"a row is no JSON"))?;
                self.hand_on(Record { value, line, is_text: false, is_replaced: false })?;
            }
        }
        Ok(())
    }
}

/// The rows of a batch as JSON. A column without a value is a null, so that a row without a score is not
/// mistaken for one of a file without it; a `NaN` is a bare one.
fn rows_of(batch: &RecordBatch) -> Result<Vec<String>, ArrowError> {
    let builder = WriterBuilder::new().with_encoder_factory(Arc::new(Floats));
    let mut writer = builder.build::<_, LineDelimited>(Vec::new());
    writer.write(batch)?;
    writer.finish()?;
    let text = String::from_utf8_lossy(&writer.into_inner()).into_owned();
    let schema = batch.schema();
    let names: Vec<String> = schema.fields().iter().map(|field| quoted(field.name())).collect();
    let rows = text.lines().enumerate().map(|(at, row)| {
        let mut row = row.trim_end().strip_suffix('}').unwrap_or(row).to_string();
        for (name, _) in names.iter().zip(batch.columns()).filter(|(_, column)| column.is_null(at)) {
            row.push_str(if row.len() > 1 { "," } else { "" });
            row.push_str(name);
            row.push_str(":null");
        }
        row.push('}');
        row
    });
    Ok(rows.collect())
}

/// Writes floats that are not finite as JSON of Python does; the default is a null.
#[derive(Debug)]
struct Floats;

impl EncoderFactory for Floats {
    fn make_default_encoder<'a>(
        &self,
        _field: &'a FieldRef,
        array: &'a dyn Array,
        _options: &'a EncoderOptions,
    ) -> Result<Option<NullableEncoder<'a>>, ArrowError> {
        let encoder: Box<dyn Encoder + 'a> = match array.data_type() {
            DataType::Float64 => Box::new(FloatEncoder(array.as_primitive::<Float64Type>())),
            DataType::Float32 => Box::new(FloatEncoder(array.as_primitive::<Float32Type>())),
            _ => return Ok(None),
        };
        Ok(Some(NullableEncoder::new(encoder, array.nulls().cloned())))
    }
}

struct FloatEncoder<'a, T: ArrowPrimitiveType>(&'a PrimitiveArray<T>);

impl<T: ArrowPrimitiveType> Encoder for FloatEncoder<'_, T>
where
    T::Native: Into<f64>,
{
    fn encode(&mut self, at: usize, out: &mut Vec<u8>) {
        let value = self.0.value(at);
        let wide: f64 = value.into();
        // Writing into memory cannot fail.
        let _ = match wide {
            _ if wide.is_nan() => out.write_all(b"NaN"),
            _ if wide.is_infinite() => out.write_all(if wide > 0.0 { b"Infinity" } else { b"-Infinity" }),
            _ => write!(out, "{value:?}"),
        };
    }
}

fn batches(source: &Source) -> Result<ParquetRecordBatchReader, Fault> {
    let unreadable = |error: &dyn std::fmt::Display| {
        Fault::file(reason::CORRUPT_COMPRESSION, format!("the Parquet file cannot be read: {error}")).at(1, None)
    };
    let content = source.open().map_err(|error| unreadable(&error))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(content).map_err(|error| unreadable(&error))?;
    builder.with_batch_size(BATCH_ROWS).build().map_err(|error| unreadable(&error))
}

/// The bytes of a table that come after its begin, or why none do.
struct Rest {
    error: Option<io::Error>,
    text: Input,
}

impl Read for Rest {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.error.take() {
            Some(error) => Err(error),
            None => self.text.read(buffer),
        }
    }
}

/// Counts the bytes of a row: the reader of a table keeps it whole, however long it is.
struct Counted<R> {
    text: R,
    of_row: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.of_row.get() > TABLE_ROW_BYTES_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let length = self.text.read(buffer)?;
        self.of_row.set(self.of_row.get() + length as u64);
        Ok(length)
    }
}

fn broken_table(error: csv::Error) -> Fault {
    let kind = match error.kind() {
        csv::ErrorKind::Io(error) => error.kind(),
        _ => io::ErrorKind::InvalidData,
    };
    let fault = match kind {
        io::ErrorKind::FileTooLarge => {
            let message = format!("a row has more than {TABLE_ROW_BYTES_MAX} bytes; perhaps a quote is not closed");
            Fault::rest(reason::TOO_LONG, message)
        }
        io::ErrorKind::UnexpectedEof => Fault::truncated("the table ends too early"),
        _ => Fault::rest(reason::CORRUPT_COMPRESSION, format!("the table cannot be read on: {error}")),
    };
    fault.at(1, None)
}
