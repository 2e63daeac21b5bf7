//! `json_object`: a JSON object of numbers, texts and booleans.

use arrow::array::{Array, ArrayRef, StringArray};
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::cast::{as_boolean_array, as_float64_array, as_string_array};
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use datafusion_macros::user_doc;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::arguments::{is_number, is_text, map_rows};
use crate::json_field::json_field;

#[user_doc(
    doc_section(label = "JSON and Text Functions"),
    description = "A JSON object of keys and values, which are numbers, texts or booleans. A null value is left out.",
    syntax_example = "json_object(key, value[, key, value ...])",
    sql_example = r#"```sql
> SELECT json_object('a', 1.5, 'b', 'x', 'c', NULL) AS json;
+-------------------+
| json              |
+-------------------+
| {"a":1.5,"b":"x"} |
+-------------------+
```"#,
    argument(name = "key", description = "A key."),
    argument(name = "value", description = "Its value: a number, a text or a boolean."),
    related_udf(name = "json_entries")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct JsonObject {
    signature: Signature,
}

impl Default for JsonObject {
    fn default() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for JsonObject {
    fn name(&self) -> &str {
        "json_object"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        if given.is_empty() || given.len() % 2 == 1 {
            return plan_err!("`json_object` takes pairs of key and value, got {} arguments", given.len());
        }
        let coerce = |(place, given): (usize, &DataType)| match place % 2 {
            0 if is_text(given) => Ok(DataType::Utf8),
            0 => plan_err!("`json_object` takes texts as keys, not {given}"),
            _ if is_text(given) || given.is_null() => Ok(DataType::Utf8),
            _ if given == &DataType::Boolean => Ok(DataType::Boolean),
            _ if is_number(given) => Ok(DataType::Float64),
            _ => plan_err!("`json_object` takes numbers, texts and booleans as values, not {given}"),
        };
        given.iter().enumerate().map(coerce).collect()
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn return_field_from_args(&self, _args: ReturnFieldArgs) -> Result<FieldRef> {
        Ok(Arc::new(json_field(self.name())))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        map_rows(&args.args, args.number_rows, |columns, rows| Ok(Arc::new(objects(columns, rows)?)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

fn objects(columns: &[ArrayRef], rows: usize) -> Result<StringArray> {
    let mut objects = vec![Map::new(); rows];
    for pair in columns.chunks_exact(2) {
        let [keys, values] = pair else { return exec_err!("internal: a key without a value") };
        let keys = as_string_array(keys)?;
        for (row, object) in objects.iter_mut().enumerate() {
            if keys.is_null(row) || values.is_null(row) {
                continue;
            }
            let value = match values.data_type() {
                DataType::Float64 => number(as_float64_array(values)?.value(row)),
                DataType::Boolean => Value::from(as_boolean_array(values)?.value(row)),
                _ => Value::from(as_string_array(values)?.value(row)),
            };
            object.insert(keys.value(row).to_string(), value);
        }
    }
    Ok(objects.into_iter().map(|object| Some(Value::Object(object).to_string())).collect())
}

/// A whole number without a fraction, as people write it.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 9e15 { Value::from(value as i64) } else { Value::from(value) }
}
