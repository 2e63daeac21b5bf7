//! `len`: how many elements, fields or characters.

use arrow::array::{Array, ArrayRef, Int64Array};
use arrow::datatypes::DataType;
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
    description = "The number of elements of a JSON list, of fields of a JSON object, or of characters of a text. Null of null.",
    syntax_example = "len(value)",
    sql_example = r#"```sql
> SELECT len('[1, 2, 3]') AS length;
+--------+
| length |
+--------+
| 3      |
+--------+
```"#,
    argument(name = "value", description = "JSON text, or plain text."),
    related_udf(name = "includes")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Len {
    signature: Signature,
}

impl Default for Len {
    fn default() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Len {
    fn name(&self) -> &str {
        "len"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match given {
            [value] => Ok(vec![text_type(self.name(), "value", value)?]),
            _ => plan_err!("`len` takes one argument (value), got {}", given.len()),
        }
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        map_rows(&args.args, args.number_rows, |columns, rows| Ok(Arc::new(lengths(columns, rows)?)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

fn lengths(columns: &[ArrayRef], rows: usize) -> Result<Int64Array> {
    let values = as_string_array(&columns[0])?;
    let length = |row: usize| values.is_valid(row).then(|| length(values.value(row)));
    Ok((0..rows).map(length).collect())
}

fn length(text: &str) -> i64 {
    let parsed = if text.trim_start().starts_with(['[', '{', '"']) { serde_json::from_str(text).ok() } else { None };
    let length = match parsed {
        Some(Value::Array(elements)) => elements.len(),
        Some(Value::Object(fields)) => fields.len(),
        Some(Value::String(text)) => text.chars().count(),
        _ => text.chars().count(),
    };
    i64::try_from(length).unwrap_or(i64::MAX)
}
