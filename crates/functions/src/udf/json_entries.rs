//! `json_entries`: the fields of a JSON object, or the elements of a list, as a list of pairs.

use arrow::array::{Array, ArrayRef, ListArray, ListBuilder, StringBuilder, StructBuilder};
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::cast::as_string_array;
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use datafusion_macros::user_doc;
use std::sync::Arc;

use serde_json::Value;

use crate::arguments::{map_rows, text_type};

#[user_doc(
    doc_section(label = "JSON and Text Functions"),
    description = "The fields of a JSON object as a list of `{key, value}`, values as text: a JSON text without its quotes, anything else as JSON, null as null. The elements of a JSON list have their index as key. Null for anything else. Use it with `unnest`.",
    syntax_example = "json_entries(json)",
    sql_example = r#"```sql
> SELECT e['key'] AS key, e['value'] AS value FROM (SELECT unnest(json_entries('{"a": 1, "b": "x"}')) AS e);
+-----+-------+
| key | value |
+-----+-------+
| a   | 1     |
| b   | x     |
+-----+-------+
```"#,
    argument(name = "json", description = "JSON text: an object or a list."),
    related_udf(name = "json_at")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct JsonEntries {
    signature: Signature,
}

impl Default for JsonEntries {
    fn default() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for JsonEntries {
    fn name(&self) -> &str {
        "json_entries"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match given {
            [json] => Ok(vec![text_type(self.name(), "json", json)?]),
            _ => plan_err!("`json_entries` takes one argument (json), got {}", given.len()),
        }
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::new_list(DataType::Struct(fields()), true))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        map_rows(&args.args, args.number_rows, |columns, rows| Ok(Arc::new(entries(columns, rows)?)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

fn fields() -> Fields {
    vec![Field::new("key", DataType::Utf8, true), Field::new("value", DataType::Utf8, true)].into()
}

fn entries(columns: &[ArrayRef], rows: usize) -> Result<ListArray> {
    let texts = as_string_array(&columns[0])?;
    let item = Field::new_list_field(DataType::Struct(fields()), true);
    let mut list = ListBuilder::new(StructBuilder::from_fields(fields(), 0)).with_field(item);
    for row in 0..rows {
        let value = if texts.is_valid(row) { serde_json::from_str(texts.value(row)).ok() } else { None };
        let pairs: Option<Vec<(String, Value)>> = match value {
            Some(Value::Object(fields)) => Some(fields.into_iter().collect()),
            Some(Value::Array(elements)) => {
                Some(elements.into_iter().enumerate().map(|(i, element)| (i.to_string(), element)).collect())
            }
            _ => None,
        };
        for (key, value) in pairs.iter().flatten() {
            let entry = list.values();
            if let Some(keys) = entry.field_builder::<StringBuilder>(0) {
                keys.append_value(key);
            }
            if let Some(values) = entry.field_builder::<StringBuilder>(1) {
                values.append_option(match value {
                    Value::Null => None,
                    Value::String(text) => Some(text.clone()),
                    other => Some(other.to_string()),
                });
            }
            entry.append(true);
        }
        list.append(pairs.is_some());
    }
    Ok(list.finish())
}
