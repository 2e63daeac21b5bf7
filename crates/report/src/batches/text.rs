//! The values of a batch as text for people.

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::is_json;
use crate::grid::Column;
use crate::number::NONE;
use crate::{Cell, ReportError, Tone};

/// More characters than any column shows; the rest of a long text is not even looked at.
const CHARACTERS_MAX: usize = 2_000;

/// The columns of a table of these fields.
pub(crate) fn columns(schema: &Schema) -> Vec<Column> {
    schema.fields().iter().map(|field| column(field)).collect()
}

fn column(field: &Field) -> Column {
    match plain_type(field.data_type()) {
        data_type if data_type.is_numeric() => Column::number(field.name()),
        DataType::Boolean | DataType::Null => Column::name(field.name()),
        data_type if data_type.is_temporal() => Column::name(field.name()),
        _ => Column::text(field.name()),
    }
}

fn plain_type(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::Dictionary(_, values) => values,
        other => other,
    }
}

/// How values look in tables.
pub(crate) fn options() -> FormatOptions<'static> {
    FormatOptions::default().with_null(NONE).with_display_error(true)
}

/// The rows of a batch as cells, long texts cut to what a terminal could show.
pub(crate) fn short_rows(batch: &RecordBatch) -> Result<Vec<Vec<Cell>>, ReportError> {
    rows(batch, |text| Cell::plain(shorten(text)))
}

/// The rows of a batch as whole cells.
pub(crate) fn whole_rows(batch: &RecordBatch) -> Result<Vec<Vec<Cell>>, ReportError> {
    rows(batch, Cell::plain)
}

fn rows(batch: &RecordBatch, cell: impl Fn(String) -> Cell) -> Result<Vec<Vec<Cell>>, ReportError> {
    let options = options();
    let columns = batch.columns().iter();
    let formatters =
        columns.map(|column| ArrayFormatter::try_new(column.as_ref(), &options)).collect::<Result<Vec<_>, _>>()?;
    let holds_json: Vec<bool> = batch.schema_ref().fields().iter().map(|field| is_json(field)).collect();
    let mut rows = Vec::with_capacity(batch.num_rows());
    for row in 0..batch.num_rows() {
        let mut cells = Vec::with_capacity(formatters.len());
        for ((formatter, column), holds_json) in formatters.iter().zip(batch.columns()).zip(&holds_json) {
            let text = || formatter.value(row).to_string();
            cells.push(match (column.is_null(row), holds_json) {
                (true, _) => Cell::new(NONE, Tone::Quiet),
                (false, true) => cell(unquoted(text())),
                (false, false) => cell(text()),
            });
        }
        rows.push(cells);
    }
    Ok(rows)
}

/// JSON text for people: a string is its content, anything else stays JSON.
pub(crate) fn unquoted(json: String) -> String {
    let string = json.starts_with('"').then(|| serde_json::from_str(&json).ok()).flatten();
    string.unwrap_or(json)
}

fn shorten(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(CHARACTERS_MAX) {
        text.truncate(end);
    }
    text
}
