//! `canonical_json`: one text per JSON value, so that equal values are equal texts.
//!
//! ```text
//! {"b": 2.0, "a": 1e0}  →  {"a":1,"b":2}
//! ```
//!
//! Null, text that is not JSON and nesting deeper than 128 levels give null. JSON `null` gives the text `null`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::cast::as_string_array;
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use datafusion_macros::user_doc;

use crate::arguments::{is_text, map_rows};
use crate::canonical_text::canonical_json_text;
use crate::json_field::json_field;

#[user_doc(
    doc_section(label = "Comparison Functions"),
    description = "The canonical text of a JSON text: object keys sorted, the last of a repeated key kept, `1`, `1.0` and `1e0` written alike, no white space. Two JSON values are equal when their canonical texts are. Null, text that is not JSON and nesting deeper than 128 levels give null.",
    syntax_example = "canonical_json(json)",
    sql_example = r#"```sql
> SELECT canonical_json('{"b": 2.0, "a": 1e0}') AS json;
+---------------+
| json          |
+---------------+
| {"a":1,"b":2} |
+---------------+
```"#,
    argument(name = "json", description = "Text that holds one JSON value.")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct CanonicalJson {
    signature: Signature,
}

impl Default for CanonicalJson {
    fn default() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for CanonicalJson {
    fn name(&self) -> &str {
        "canonical_json"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match given {
            [text] if is_text(text) => Ok(vec![text.clone()]),
            [DataType::Null] => Ok(vec![DataType::Utf8]),
            [other] => plan_err!("`canonical_json` takes a text as `json`, not {other}"),
            _ => plan_err!("`canonical_json` takes one argument (json), got {}", given.len()),
        }
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn return_field_from_args(&self, _args: ReturnFieldArgs) -> Result<FieldRef> {
        Ok(Arc::new(json_field(self.name())))
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        map_rows(&args.args, args.number_rows, |columns, _| Ok(Arc::new(canonical(&columns[0])?)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

fn canonical(column: &ArrayRef) -> Result<StringArray> {
    if matches!(column.data_type(), DataType::Dictionary(_, _)) {
        // Each distinct value is written once.
        let dictionary = column.as_any_dictionary();
        let texts = canonical(dictionary.values())?;
        return Ok(as_string_array(&take(&texts, dictionary.keys(), None)?)?.clone());
    }
    let texts = cast(column, &DataType::Utf8)?;
    Ok(as_string_array(&texts)?.iter().map(|text| text.and_then(canonical_json_text)).collect())
}
