//! Reading the few rows of an answer out of record batches.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StructArray};
use datafusion::arrow::compute::{cast, concat_batches};
use datafusion::arrow::datatypes::{DataType, Field, Float64Type, Int64Type, Schema, TimeUnit};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::Expr;
use serde_json::Value;

use crate::AnalysisError;

/// Aggregates that are planned at once.
const AGGREGATES_OF_A_PLAN: usize = 1_024;

/// All rows of an answer. Only for answers that are small by their nature.
pub(crate) struct Answer {
    batch: RecordBatch,
    /// Where each column is: an answer may have thousands, and is read cell by cell.
    columns: HashMap<String, usize>,
}

impl Answer {
    /// One row of aggregates over all rows of a frame. The planner looks each name up among all others, so
    /// thousands are many plans.
    pub(crate) async fn of_aggregates(frame: DataFrame, aggregates: &[Expr]) -> Result<Self, AnalysisError> {
        let (mut fields, mut values) = (Vec::new(), Vec::new());
        for some in aggregates.chunks(AGGREGATES_OF_A_PLAN) {
            let part = Self::of(frame.clone().aggregate(vec![], some.to_vec())?).await?.batch;
            fields.extend(part.schema().fields().iter().cloned());
            values.extend(part.columns().iter().cloned());
        }
        Ok(Self::new(RecordBatch::try_new(Arc::new(Schema::new(fields)), values).map_err(DataFusionError::from)?))
    }

    /// Runs a plan to its end.
    pub(crate) async fn of(frame: DataFrame) -> Result<Self, AnalysisError> {
        let schema = Arc::new(frame.schema().as_arrow().clone());
        let batches = frame.collect().await?;
        let schema = batches.first().map_or(schema, |batch| batch.schema());
        Ok(Self::new(concat_batches(&schema, &batches).map_err(DataFusionError::from)?))
    }

    fn new(batch: RecordBatch) -> Self {
        let names = batch.schema_ref().fields().iter().enumerate();
        let columns = names.map(|(at, field)| (field.name().clone(), at)).collect();
        Self { batch, columns }
    }

    pub(crate) fn rows(&self) -> usize {
        self.batch.num_rows()
    }

    fn column(&self, name: &str) -> Option<&ArrayRef> {
        self.columns.get(name).map(|at| self.batch.column(*at))
    }

    pub(crate) fn float(&self, row: usize, name: &str) -> Option<f64> {
        float_at(self.column(name)?, row)
    }

    pub(crate) fn int(&self, row: usize, name: &str) -> i64 {
        self.column(name).and_then(|array| int_at(array, row)).unwrap_or_default()
    }

    pub(crate) fn text(&self, row: usize, name: &str) -> Option<String> {
        text_at(self.column(name)?, row)
    }

    /// The fields of a struct value, such as the answer of `paired_diff`.
    pub(crate) fn fields(&self, row: usize, name: &str) -> Fields<'_> {
        let array = self.column(name).and_then(|array| array.as_struct_opt());
        Fields { array: array.filter(|array| array.is_valid(row)), row }
    }

    /// A value as JSON: JSON columns are parsed, times are RFC 3339.
    pub(crate) fn value(&self, row: usize, column: usize) -> Value {
        value_at(self.batch.schema_ref().field(column), self.batch.column(column), row)
    }

    pub(crate) fn value_of(&self, row: usize, name: &str) -> Value {
        self.columns.get(name).map(|column| self.value(row, *column)).unwrap_or_default()
    }
}

/// One struct value.
pub(crate) struct Fields<'a> {
    array: Option<&'a StructArray>,
    row: usize,
}

impl Fields<'_> {
    pub(crate) fn is_null(&self) -> bool {
        self.array.is_none()
    }

    pub(crate) fn float(&self, name: &str) -> Option<f64> {
        float_at(self.array?.column_by_name(name)?, self.row)
    }

    pub(crate) fn int(&self, name: &str) -> i64 {
        self.array.and_then(|array| int_at(array.column_by_name(name)?, self.row)).unwrap_or_default()
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        text_at(self.array?.column_by_name(name)?, self.row)
    }
}

fn float_at(array: &ArrayRef, row: usize) -> Option<f64> {
    let (floats, row) = of_type(array, row, &DataType::Float64)?;
    let floats = floats.as_primitive::<Float64Type>();
    floats.is_valid(row).then(|| floats.value(row)).filter(|value| value.is_finite())
}

fn int_at(array: &ArrayRef, row: usize) -> Option<i64> {
    let (ints, row) = of_type(array, row, &DataType::Int64)?;
    let ints = ints.as_primitive::<Int64Type>();
    ints.is_valid(row).then(|| ints.value(row))
}

fn text_at(array: &ArrayRef, row: usize) -> Option<String> {
    let (texts, row) = of_type(array, row, &DataType::Utf8View)?;
    let texts = texts.as_string_view();
    texts.is_valid(row).then(|| texts.value(row).to_string())
}

/// An array of the type that has the value, and where: the array itself, or the one value.
fn of_type(array: &ArrayRef, row: usize, kind: &DataType) -> Option<(ArrayRef, usize)> {
    if array.data_type() == kind {
        return Some((Arc::clone(array), row));
    }
    cast(&array.slice(row, 1), kind).ok().map(|one| (one, 0))
}

fn value_at(field: &Field, array: &ArrayRef, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Boolean => Value::Bool(array.as_boolean().value(row)),
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => {
            let text = text_at(array, row).unwrap_or_default();
            let is_json = field.metadata().get("ARROW:extension:name").is_some_and(|name| name == "arrow.json");
            if is_json { serde_json::from_str(&text).unwrap_or(Value::String(text)) } else { Value::String(text) }
        }
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns().iter();
            let entry =
                |(field, column): (&Arc<Field>, &ArrayRef)| (field.name().clone(), value_at(field, column, row));
            Value::Object(fields.iter().zip(columns).map(entry).collect())
        }
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            let item = Field::new("item", items.data_type().clone(), true);
            (0..items.len()).map(|i| value_at(&item, &items, i)).collect()
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            int_at(array, row).and_then(rfc3339).map_or(Value::Null, Value::String)
        }
        kind if kind.is_integer() => int_at(array, row).map_or(Value::Null, Value::from),
        kind if kind.is_floating() => float_at(array, row).map_or(Value::Null, Value::from),
        _ => {
            let options = FormatOptions::default();
            let formatted = ArrayFormatter::try_new(array, &options).map(|f| f.value(row).to_string());
            formatted.map_or(Value::Null, Value::String)
        }
    }
}

/// A time in microseconds since the Unix epoch as RFC 3339.
pub(crate) fn rfc3339(micros: i64) -> Option<String> {
    let time = chrono::DateTime::from_timestamp_micros(micros)?;
    Some(time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
}
