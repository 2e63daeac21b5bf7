//! `comparison_key`: the text that says which cases are the same case.
//!
//! | arguments | key |
//! |---|---|
//! | JSON `{"q": 1.0}` | `{"q":1}` |
//! | text `hi`, number `2` | `["hi",2]` |
//! | null, number `2` | `[null,2]` |
//! | null, null | null |
//!
//! A null key never matches anything. Text is JSON where its field says so (`arrow.json`), and a
//! plain string elsewhere: `"1"` and `1` are different keys. JSON `null`, and text that is marked as
//! JSON and is not, count as null.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringArray, StringBuilder};
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use datafusion_macros::user_doc;

use crate::arguments::map_rows;
use crate::canonical_text::{canonical_texts, push_array, value_or_null};
use crate::json_field::json_field;

#[user_doc(
    doc_section(label = "Comparison Functions"),
    description = "The key that says which cases are the same case, as canonical JSON text. One argument gives its canonical text, several give a JSON array of theirs. A column of JSON is read as JSON, any other text is a plain string, so `'1'` and `1` are different keys. A null argument is `null` inside the array; when all are null the key is null and matches nothing. JSON `null` counts as null, and so does broken JSON.",
    syntax_example = "comparison_key(expression[, ...])",
    sql_example = r#"```sql
> SELECT comparison_key('hi', 2.0, NULL) AS several, comparison_key('hi') AS one, comparison_key(NULL) AS none;
+---------------+------+------+
| several       | one  | none |
+---------------+------+------+
| ["hi",2,null] | "hi" |      |
+---------------+------+------+
```"#,
    argument(
        name = "expression",
        description = "A part of the key, of any type: JSON, text, number, truth value, time, list, struct."
    ),
    related_udf(name = "comparison_hash"),
    related_udf(name = "canonical_json")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct ComparisonKey {
    signature: Signature,
}

impl Default for ComparisonKey {
    fn default() -> Self {
        Self { signature: Signature::variadic_any(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for ComparisonKey {
    fn name(&self) -> &str {
        "comparison_key"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn return_field_from_args(&self, _args: ReturnFieldArgs) -> Result<FieldRef> {
        Ok(Arc::new(json_field(self.name())))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        map_rows(&args.args, args.number_rows, |columns, rows| {
            Ok(Arc::new(comparison_keys(columns, &args.arg_fields, rows)?))
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

/// The key of each row.
pub(crate) fn comparison_keys(columns: &[ArrayRef], fields: &[FieldRef], rows: usize) -> Result<StringArray> {
    let mut parts = Vec::with_capacity(columns.len());
    for (column, field) in columns.iter().zip(fields) {
        parts.push(canonical_texts(column, field)?);
    }
    if parts.len() == 1 {
        return Ok(parts.swap_remove(0));
    }
    let mut keys = StringBuilder::new();
    let mut key = String::new();
    for row in 0..rows {
        if parts.iter().all(|part| part.is_null(row)) {
            keys.append_null();
            continue;
        }
        key.clear();
        push_array(&mut key, parts.iter().map(|part| value_or_null(part, row)));
        keys.append_value(&key);
    }
    Ok(keys.finish())
}
