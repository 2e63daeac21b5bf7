//! `json_at`: a value inside JSON, by keys and indexes.

use arrow::array::{Array, ArrayRef, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::cast::as_string_array;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use datafusion_macros::user_doc;
use std::sync::Arc;

use serde_json::Value;

use crate::arguments::{json_path_types, map_rows};

#[user_doc(
    doc_section(label = "JSON and Text Functions"),
    description = "The value inside JSON text under keys and indexes, as text: a JSON text without its quotes, anything else as JSON. Indexes count from 0, negative ones from the end. Without keys, the value itself. Null where there is nothing, where JSON says null, and for text that is not JSON.",
    syntax_example = "json_at(json[, key_or_index ...])",
    sql_example = r#"```sql
> SELECT json_at('{"m": [{"r": "user"}, {"r": "bot"}]}', 'm', -1, 'r') AS last;
+------+
| last |
+------+
| bot  |
+------+
```"#,
    argument(name = "json", description = "JSON text."),
    argument(name = "key_or_index", description = "A key, or an index into a list."),
    related_udf(name = "includes"),
    related_udf(name = "json_part")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct JsonAt {
    signature: Signature,
}

impl Default for JsonAt {
    fn default() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for JsonAt {
    fn name(&self) -> &str {
        "json_at"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        json_path_types(self.name(), given)
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        map_rows(&args.args, args.number_rows, |columns, rows| Ok(Arc::new(values(columns, rows)?)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

fn values(columns: &[ArrayRef], rows: usize) -> Result<StringArray> {
    let texts = as_string_array(&columns[0])?;
    let mut found = Vec::with_capacity(rows);
    for row in 0..rows {
        let mut value: Option<Value> = match texts.is_valid(row) {
            true => serde_json::from_str(texts.value(row)).ok(),
            false => None,
        };
        for column in &columns[1..] {
            value = match value {
                Some(value) => step(value, column, row)?,
                None => None,
            };
        }
        found.push(value.and_then(text_of));
    }
    Ok(found.into_iter().collect())
}

fn step(value: Value, column: &ArrayRef, row: usize) -> Result<Option<Value>> {
    if column.is_null(row) {
        return Ok(None);
    }
    if column.data_type() == &DataType::Int64 {
        let index = datafusion::common::cast::as_int64_array(column)?.value(row);
        let Value::Array(mut elements) = value else { return Ok(None) };
        let place = if index < 0 { elements.len() as i128 + i128::from(index) } else { i128::from(index) };
        return Ok(usize::try_from(place).ok().filter(|i| *i < elements.len()).map(|i| elements.swap_remove(i)));
    }
    let key = as_string_array(column)?.value(row);
    let Value::Object(mut fields) = value else { return Ok(None) };
    Ok(fields.remove(key))
}

fn text_of(value: Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}
