//! An answer as flat rows, for the formats that are rows.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use indexmap::IndexMap;

use crate::ReportError;
use crate::batches::json_field;

/// One flat row: values by name.
pub type Record = IndexMap<String, Datum>;

/// One typed value; the type is known where the value is not.
#[derive(Debug, Clone, PartialEq)]
pub enum Datum {
    /// Text.
    Text(Option<String>),
    /// A number.
    Number(Option<f64>),
    /// A whole number.
    Integer(Option<i64>),
    /// True or false.
    Flag(Option<bool>),
    /// Any JSON value.
    Json(Option<serde_json::Value>),
}

impl From<&str> for Datum {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_string()))
    }
}

impl From<Option<&str>> for Datum {
    fn from(text: Option<&str>) -> Self {
        Self::Text(text.map(str::to_string))
    }
}

impl From<Option<f64>> for Datum {
    fn from(number: Option<f64>) -> Self {
        Self::Number(number)
    }
}

impl From<i64> for Datum {
    fn from(number: i64) -> Self {
        Self::Integer(Some(number))
    }
}

impl From<bool> for Datum {
    fn from(flag: bool) -> Self {
        Self::Flag(Some(flag))
    }
}

/// The records as one batch: columns in the order in which names first appear.
///
/// A name has one type; where records disagree, the column is JSON.
pub fn record_batch(records: &[Record]) -> Result<RecordBatch, ReportError> {
    let mut kinds: IndexMap<&str, Kind> = IndexMap::new();
    for (name, datum) in records.iter().flatten() {
        let kind = Kind::of(datum);
        let known = kinds.entry(name).or_insert(kind);
        if *known != kind {
            *known = Kind::Json;
        }
    }
    let mut fields = Vec::with_capacity(kinds.len());
    let mut columns = Vec::with_capacity(kinds.len());
    for (name, kind) in kinds {
        let values = records.iter().map(|record| record.get(name));
        fields.push(kind.field(name));
        columns.push(kind.column(values));
    }
    if fields.is_empty() {
        return Ok(RecordBatch::new_empty(Arc::new(Schema::empty())));
    }
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Integer,
    Flag,
    Json,
}

impl Kind {
    fn of(datum: &Datum) -> Self {
        match datum {
            Datum::Text(_) => Self::Text,
            Datum::Number(_) => Self::Number,
            Datum::Integer(_) => Self::Integer,
            Datum::Flag(_) => Self::Flag,
            Datum::Json(_) => Self::Json,
        }
    }

    fn field(self, name: &str) -> Field {
        match self {
            Self::Text => Field::new(name, DataType::Utf8, true),
            Self::Number => Field::new(name, DataType::Float64, true),
            Self::Integer => Field::new(name, DataType::Int64, true),
            Self::Flag => Field::new(name, DataType::Boolean, true),
            Self::Json => json_field(name),
        }
    }

    fn column<'a>(self, values: impl Iterator<Item = Option<&'a Datum>>) -> ArrayRef {
        match self {
            Self::Text => Arc::new(values.map(as_text).collect::<StringArray>()),
            Self::Number => Arc::new(values.map(as_number).collect::<Float64Array>()),
            Self::Integer => Arc::new(values.map(as_integer).collect::<Int64Array>()),
            Self::Flag => Arc::new(values.map(as_flag).collect::<BooleanArray>()),
            Self::Json => Arc::new(values.map(as_json).collect::<StringArray>()),
        }
    }
}

fn as_text(datum: Option<&Datum>) -> Option<&str> {
    match datum {
        Some(Datum::Text(text)) => text.as_deref(),
        _ => None,
    }
}

fn as_number(datum: Option<&Datum>) -> Option<f64> {
    match datum {
        Some(Datum::Number(number)) => *number,
        _ => None,
    }
}

fn as_integer(datum: Option<&Datum>) -> Option<i64> {
    match datum {
        Some(Datum::Integer(number)) => *number,
        _ => None,
    }
}

fn as_flag(datum: Option<&Datum>) -> Option<bool> {
    match datum {
        Some(Datum::Flag(flag)) => *flag,
        _ => None,
    }
}

fn as_json(datum: Option<&Datum>) -> Option<String> {
    let value = match datum? {
        Datum::Text(text) => serde_json::Value::from(text.clone()?),
        Datum::Number(number) => serde_json::Value::from((*number)?),
        Datum::Integer(number) => serde_json::Value::from((*number)?),
        Datum::Flag(flag) => serde_json::Value::from((*flag)?),
        Datum::Json(value) => value.clone()?,
    };
    Some(value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_survive_missing_values() {
        let first = Record::from([("a".into(), Datum::Number(None)), ("b".into(), Datum::from("x"))]);
        let second = Record::from([("c".into(), Datum::from(2))]);
        let batch = record_batch(&[first, second]).unwrap();
        let types: Vec<&DataType> = batch.schema_ref().fields().iter().map(|field| field.data_type()).collect();
        assert_eq!(types, [&DataType::Float64, &DataType::Utf8, &DataType::Int64]);
        assert_eq!(batch.num_rows(), 2);
    }

    #[test]
    fn mixed_types_become_json() {
        let rows = [Datum::from("x"), Datum::from(2)].map(|datum| Record::from([("a".to_string(), datum)]));
        let batch = record_batch(&rows).unwrap();
        let column = batch.column(0).as_any().downcast_ref::<StringArray>().unwrap();
        assert_eq!((column.value(0), column.value(1)), ("\"x\"", "2"));
    }
}
