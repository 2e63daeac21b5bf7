//! Record batches as bytes: one writer a format, each batch written as it comes.

mod csv;
mod expanded;
mod ipc;
mod json;
mod markdown;
mod parquet;
mod table;
mod text;

use std::collections::HashMap;
use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema};

pub use self::expanded::expanded_writer;
pub use self::json::json_rows;

use crate::{Format, ReportError};

/// Writes the batches of one result. Memory does not grow with the number of rows.
pub trait BatchWriter: Send {
    /// Writes the rows of one batch.
    fn write(&mut self, batch: &RecordBatch) -> Result<(), ReportError>;

    /// Writes what comes after the last row and flushes. Nothing is written after it.
    fn finish(&mut self) -> Result<(), ReportError>;
}

/// How rows are written, apart from the format.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BatchOptions {
    /// Columns of the terminal, where text is laid out for one.
    pub width: Option<usize>,
    /// Puts `'` before CSV text that a spreadsheet would run as a formula.
    pub spreadsheet_safe: bool,
}

/// A writer of rows with this schema in this format.
pub fn batch_writer<'a>(
    format: Format,
    schema: &Schema,
    options: BatchOptions,
    out: Box<dyn Write + Send + 'a>,
) -> Result<Box<dyn BatchWriter + 'a>, ReportError> {
    Ok(match format {
        Format::Table if is_plan(schema) => expanded_writer(schema, out),
        Format::Table => Box::new(table::TableWriter::new(schema, options.width, out)),
        Format::Markdown => Box::new(markdown::MarkdownWriter::new(schema, out)),
        Format::Json => json::array_writer(out),
        Format::Jsonl => json::lines_writer(out),
        Format::Csv => Box::new(csv::CsvWriter::new(schema, options.spreadsheet_safe, out)),
        Format::Parquet => Box::new(parquet::ParquetWriter::try_new(schema, out)?),
        Format::Arrow => Box::new(ipc::IpcWriter::try_new(schema, out)?),
    })
}

/// Whether the rows are the answer of `EXPLAIN`: texts of many lines, which a table would cut.
fn is_plan(schema: &Schema) -> bool {
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    names == ["plan_type", "plan"]
}

const EXTENSION_NAME: &str = "ARROW:extension:name";
const JSON_EXTENSION: &str = "arrow.json";

/// A text column that holds JSON.
pub(crate) fn json_field(name: &str) -> Field {
    let metadata = HashMap::from([
        (EXTENSION_NAME.to_string(), JSON_EXTENSION.to_string()),
        ("ARROW:extension:metadata".to_string(), String::new()),
    ]);
    Field::new(name, DataType::Utf8, true).with_metadata(metadata)
}

fn is_json(field: &Field) -> bool {
    field.metadata().get(EXTENSION_NAME).is_some_and(|name| name == JSON_EXTENSION)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use arrow::array::{Array, Decimal128Array, Float64Array, Int64Array, ListArray, StringArray};
    use arrow::datatypes::Int32Type;

    use super::*;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn batch() -> RecordBatch {
        let fields = vec![
            Field::new("name", DataType::Utf8, true),
            json_field("input"),
            Field::new("score", DataType::Float64, true),
            Field::new("n", DataType::Int64, true),
            Field::new_list("list", Field::new_list_field(DataType::Int32, true), true),
        ];
        let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), Some(2)]), None]);
        RecordBatch::try_new(
            Arc::new(Schema::new(fields)),
            vec![
                Arc::new(StringArray::from(vec![Some("=a,\"b\""), Some("")])),
                Arc::new(StringArray::from(vec![Some("{\"q\": [1,\n2]}"), None])),
                Arc::new(Float64Array::from(vec![Some(0.5), None])),
                Arc::new(Int64Array::from(vec![1, 20])),
                Arc::new(list),
            ],
        )
        .unwrap()
    }

    fn written(format: Format, options: BatchOptions) -> Vec<u8> {
        let sink = Sink::default();
        let batch = batch();
        let mut writer = batch_writer(format, batch.schema_ref(), options, Box::new(sink.clone())).unwrap();
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
        drop(writer);
        sink.0.lock().unwrap().clone()
    }

    fn text(format: Format) -> String {
        String::from_utf8(written(format, BatchOptions::default())).unwrap()
    }

    #[test]
    fn json_is_embedded_not_quoted() {
        let line = r#"{"name":"=a,\"b\"","input":{"q": [1, 2]},"score":0.5,"n":1,"list":[1,2]}"#;
        let next = r#"{"name":"","input":null,"score":null,"n":20,"list":null}"#;
        assert_eq!(text(Format::Jsonl), format!("{line}\n{next}\n"));
        assert_eq!(text(Format::Json), format!("[\n{line},\n{next}\n]\n"));
    }

    #[test]
    fn csv_tells_empty_from_null() {
        let expected =
            "name,input,score,n,list\n\"=a,\"\"b\"\"\",\"{\"\"q\"\": [1,\n2]}\",0.5,1,\"[1,2]\"\n\"\",,,20,\n";
        assert_eq!(text(Format::Csv), expected);
        let options = BatchOptions { spreadsheet_safe: true, ..BatchOptions::default() };
        let safe = String::from_utf8(written(Format::Csv, options)).unwrap();
        assert!(safe.contains("\n\"'=a,\"\"b\"\"\","), "{safe}");
    }

    #[test]
    fn tables_show_null_and_align_numbers() {
        let quiet = crate::Tone::Quiet.paint(crate::number::NONE);
        let table = text(Format::Table).replace(&quiet, "–");
        let rows: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(rows[0], "=a,\"b\"  {\"q\": [1,↵2]}    0.5   1  [1, 2]");
        assert_eq!(rows[1], "        –                  –  20  –");
        assert!(text(Format::Markdown).contains("| =a,\"b\" | {\"q\": [1,↵2]} | 0.5 | 1 | [1, 2] |"));
    }

    #[test]
    fn rows_of_values_for_machines() {
        let rows = json_rows(&[batch()]).unwrap();
        assert_eq!(serde_json::to_string(&rows[1]).unwrap(), r#"["",null,null,20,null]"#);
    }

    #[test]
    fn long_decimals_keep_their_digits() {
        let hashes = Decimal128Array::from(vec![9740506941599792888598823415312300090]);
        let hashes = hashes.with_precision_and_scale(38, 0).unwrap();
        let field = Field::new("hash", hashes.data_type().clone(), true);
        let batch = RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![Arc::new(hashes)]).unwrap();
        let rows = json_rows(&[batch]).unwrap();
        assert_eq!(rows[0][0], "9740506941599792888598823415312300090");
    }

    #[test]
    fn binary_formats_have_their_magic() {
        let parquet = written(Format::Parquet, BatchOptions::default());
        assert!(parquet.starts_with(b"PAR1") && parquet.ends_with(b"PAR1"));
        assert!(written(Format::Arrow, BatchOptions::default()).starts_with(b"ARROW1"));
    }
}
