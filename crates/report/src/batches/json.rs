//! Rows as JSON: one array, one object a line, or bare lists of values.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, FieldRef};
use arrow::error::ArrowError;
use arrow::json::StructMode;
use arrow::json::writer::{
    Encoder, EncoderFactory, EncoderOptions, JsonFormat, LineDelimited, NullableEncoder, Writer, WriterBuilder,
};
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::{BatchWriter, is_json};
use crate::ReportError;

/// A writer of one array with a row a line.
pub(super) fn array_writer<'a>(out: Box<dyn Write + Send + 'a>) -> Box<dyn BatchWriter + 'a> {
    Box::new(JsonWriter::<RowsInArray>(builder().build(out)))
}

/// A writer of one object a line.
pub(super) fn lines_writer<'a>(out: Box<dyn Write + Send + 'a>) -> Box<dyn BatchWriter + 'a> {
    Box::new(JsonWriter::<LineDelimited>(builder().build(out)))
}

/// The rows as lists of values, column names left out.
pub fn json_rows(batches: &[RecordBatch]) -> Result<Vec<Vec<serde_json::Value>>, ReportError> {
    let mut out = Vec::new();
    let mut writer = builder().with_struct_mode(StructMode::ListOnly).build::<_, RowsInArray>(&mut out);
    for batch in batches {
        writer.write(batch)?;
    }
    writer.finish()?;
    Ok(serde_json::from_slice(&out)?)
}

fn builder() -> WriterBuilder {
    WriterBuilder::new().with_explicit_nulls(true).with_encoder_factory(Arc::new(EmbedJson))
}

struct JsonWriter<'a, F: JsonFormat>(Writer<Box<dyn Write + Send + 'a>, F>);

impl<F: JsonFormat + Send> BatchWriter for JsonWriter<'_, F> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), ReportError> {
        self.0.write(batch)?;
        Ok(self.0.get_mut().flush()?)
    }

    fn finish(&mut self) -> Result<(), ReportError> {
        self.0.finish()?;
        Ok(self.0.get_mut().flush()?)
    }
}

#[derive(Debug, Default)]
struct RowsInArray;

impl JsonFormat for RowsInArray {
    fn start_stream<W: Write>(&self, writer: &mut W) -> Result<(), ArrowError> {
        Ok(writer.write_all(b"[\n")?)
    }

    fn start_row<W: Write>(&self, writer: &mut W, is_first_row: bool) -> Result<(), ArrowError> {
        if !is_first_row {
            writer.write_all(b",\n")?;
        }
        Ok(())
    }

    fn end_stream<W: Write>(&self, writer: &mut W) -> Result<(), ArrowError> {
        Ok(writer.write_all(b"\n]\n")?)
    }
}

/// Writes text columns that hold JSON as the JSON they hold, and decimals as text: they have more
/// digits than readers of JSON numbers keep.
#[derive(Debug)]
struct EmbedJson;

impl EncoderFactory for EmbedJson {
    fn make_default_encoder<'a>(
        &self,
        field: &'a FieldRef,
        array: &'a dyn Array,
        _options: &'a EncoderOptions,
    ) -> Result<Option<NullableEncoder<'a>>, ArrowError> {
        let nulls = array.nulls().cloned();
        if array.data_type().is_decimal() {
            let options = FormatOptions::default();
            let encoder = Box::new(QuotedDecimal(ArrayFormatter::try_new(array, &options)?));
            return Ok(Some(NullableEncoder::new(encoder, nulls)));
        }
        if !is_json(field) {
            return Ok(None);
        }
        let encoder: Box<dyn Encoder + 'a> = match array.data_type() {
            DataType::Utf8 => Box::new(RawText(|row| array.as_string::<i32>().value(row))),
            DataType::LargeUtf8 => Box::new(RawText(|row| array.as_string::<i64>().value(row))),
            DataType::Utf8View => Box::new(RawText(|row| array.as_string_view().value(row))),
            _ => return Ok(None),
        };
        Ok(Some(NullableEncoder::new(encoder, nulls)))
    }
}

struct RawText<F>(F);

impl<'a, F: Fn(usize) -> &'a str> Encoder for RawText<F> {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        // A line break in JSON text is white space between tokens; one row has to stay one line.
        let bytes = (self.0)(row).bytes();
        out.extend(bytes.map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }));
    }
}

struct QuotedDecimal<'a>(ArrayFormatter<'a>);

impl Encoder for QuotedDecimal<'_> {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        out.extend_from_slice(format!("\"{}\"", self.0.value(row)).as_bytes());
    }
}

/// One column as JSON text, value by value: for nested values in formats that have none.
pub(super) fn column_as_json(field: &FieldRef, array: &ArrayRef) -> Result<Vec<Option<String>>, ReportError> {
    let options = EncoderOptions::default().with_explicit_nulls(true).with_encoder_factory(Arc::new(EmbedJson));
    let mut encoder = arrow::json::writer::make_encoder(field, array.as_ref(), &options)?;
    let mut values = Vec::with_capacity(array.len());
    for row in 0..array.len() {
        if encoder.is_null(row) {
            values.push(None);
            continue;
        }
        let mut bytes = Vec::new();
        encoder.encode(row, &mut bytes);
        values.push(Some(String::from_utf8_lossy(&bytes).into_owned()));
    }
    Ok(values)
}
