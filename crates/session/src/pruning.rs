//! Choosing files by the statistics in the table's log, before any file is opened.

use std::collections::HashSet;

use datafusion::arrow::array::{ArrayRef, BooleanArray, UInt64Array};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, ScalarValue};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use evalhouse_model::schema;
use evalhouse_store::DataFile;
use serde_json::Value;
use std::sync::Arc;

use crate::adapter::STORED_NAME_KEY;

/// Which files can hold rows that satisfy the predicate. A predicate that statistics cannot judge
/// keeps every file.
pub(crate) fn keep_files(files: &[DataFile], schema: SchemaRef, predicate: Arc<dyn PhysicalExpr>) -> Vec<bool> {
    let keep_all = || vec![true; files.len()];
    if collect_columns(&predicate).is_empty() {
        return keep_all();
    }
    let statistics = LogStatistics { files, schema: &schema };
    match PruningPredicateBuilder::new().with_file_schema(Arc::clone(&schema)).try_build(predicate) {
        Ok(pruning) => pruning.prune(&statistics).unwrap_or_else(|_| keep_all()),
        Err(_) => keep_all(),
    }
}

/// Delta's statistics as the engine wants them. Columns go by whole names: a dot in `scores.f` is
/// part of the name and no nesting.
struct LogStatistics<'a> {
    files: &'a [DataFile],
    schema: &'a Schema,
}

impl LogStatistics<'_> {
    fn field(&self, column: &Column) -> Option<(&Field, &str)> {
        let field = self.schema.field_with_name(&column.name).ok()?;
        let stored = field.metadata().get(STORED_NAME_KEY).unwrap_or(field.name());
        Some((field, stored))
    }

    fn bounds(&self, column: &Column, pick: impl Fn(&DataFile, &str) -> Option<Value>) -> Option<ArrayRef> {
        let (field, stored) = self.field(column)?;
        let data_type = field.data_type();
        let unknown = ScalarValue::try_from(data_type).ok()?;
        let values = self.files.iter().map(|file| {
            if stored == schema::IS_ROOT {
                // The partition: one value a file, known without statistics.
                return ScalarValue::Boolean(Some(file.is_root));
            }
            pick(file, stored).and_then(|value| scalar(&value, data_type)).unwrap_or_else(|| unknown.clone())
        });
        ScalarValue::iter_to_array(values).ok()
    }
}

impl PruningStatistics for LogStatistics<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(column, |file, stored| file.minimum(stored).cloned())
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(column, |file, stored| file.maximum(stored).cloned())
    }

    fn num_containers(&self) -> usize {
        self.files.len()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let (_, stored) = self.field(column)?;
        let counts: UInt64Array = self.files.iter().map(|file| file.null_count(stored)).collect();
        Some(Arc::new(counts))
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        let counts: UInt64Array = self.files.iter().map(DataFile::rows).collect();
        Some(Arc::new(counts))
    }

    fn contained(&self, _column: &Column, _values: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}

/// A statistic as a value of the column's type; nothing when it is of another type.
fn scalar(value: &Value, data_type: &DataType) -> Option<ScalarValue> {
    match data_type {
        DataType::Utf8View => value.as_str().map(|text| ScalarValue::Utf8View(Some(text.to_string()))),
        DataType::Int64 => value.as_i64().map(|int| ScalarValue::Int64(Some(int))),
        DataType::Float64 => value.as_f64().map(|float| ScalarValue::Float64(Some(float))),
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            let time = chrono::DateTime::parse_from_rfc3339(value.as_str()?).ok()?;
            Some(ScalarValue::TimestampMicrosecond(Some(time.timestamp_micros()), zone.clone()))
        }
        _ => None,
    }
}
