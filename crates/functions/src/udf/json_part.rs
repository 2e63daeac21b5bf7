//! `json_part`: a value inside JSON as JSON, by keys and indexes.
//!
//! Unlike [`json_at`](super::json_at) it keeps what the value is: `"1"` and `1` stay two values. It is
//! what a comparison key reads below a column of JSON.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringArray};
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result;
use datafusion::common::cast::{as_int64_array, as_string_array};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use datafusion_macros::user_doc;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::arguments::{json_path_types, map_rows};
use crate::json_field::json_field;

#[user_doc(
    doc_section(label = "JSON and Text Functions"),
    description = "The value inside JSON text under keys and indexes, as JSON: a text keeps its quotes. Indexes count from 0, negative ones from the end. Without keys, the value itself. The last of a repeated key counts. Null where there is nothing and for text that is not JSON.",
    syntax_example = "json_part(json[, key_or_index ...])",
    sql_example = r#"```sql
> SELECT json_part('{"m": [{"r": "user"}, {"r": "bot"}]}', 'm', -1, 'r') AS last, comparison_key(json_part('{"n": 1.0}', 'n')) AS key;
+-------+-----+
| last  | key |
+-------+-----+
| "bot" | 1   |
+-------+-----+
```"#,
    argument(name = "json", description = "JSON text."),
    argument(name = "key_or_index", description = "A key, or an index into a list."),
    related_udf(name = "json_at"),
    related_udf(name = "comparison_key")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct JsonPart {
    signature: Signature,
}

impl Default for JsonPart {
    fn default() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for JsonPart {
    fn name(&self) -> &str {
        "json_part"
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

    fn return_field_from_args(&self, _args: ReturnFieldArgs) -> Result<FieldRef> {
        Ok(Arc::new(json_field(self.name())))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        map_rows(&args.args, args.number_rows, |columns, rows| Ok(Arc::new(parts(columns, rows)?)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

fn parts(columns: &[ArrayRef], rows: usize) -> Result<StringArray> {
    let texts = as_string_array(&columns[0])?;
    let mut found = Vec::with_capacity(rows);
    for row in 0..rows {
        let whole = texts.is_valid(row).then(|| texts.value(row));
        let mut part = whole.and_then(|text| serde_json::from_str(text).ok()).map(RawValue::get);
        for column in &columns[1..] {
            part = match part {
                Some(part) => step(part, column, row)?,
                None => break,
            };
        }
        found.push(part);
    }
    Ok(found.into_iter().collect())
}

fn step<'a>(json: &'a str, column: &ArrayRef, row: usize) -> Result<Option<&'a str>> {
    if column.is_null(row) {
        return Ok(None);
    }
    Ok(match column.data_type() {
        DataType::Int64 => element(json, as_int64_array(column)?.value(row)),
        _ => member(json, as_string_array(column)?.value(row)),
    })
}

fn element(json: &str, index: i64) -> Option<&str> {
    let elements: Vec<&RawValue> = serde_json::from_str(json).ok()?;
    let place = if index < 0 { elements.len() as i128 + i128::from(index) } else { i128::from(index) };
    elements.get(usize::try_from(place).ok()?).map(|value| value.get())
}

fn member<'a>(json: &'a str, key: &str) -> Option<&'a str> {
    let found = serde_json::Deserializer::from_str(json).deserialize_map(Member(key)).ok()?;
    found.map(RawValue::get)
}

/// Finds the value under one key; the others are skipped unread.
struct Member<'k>(&'k str);

/// A key, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Visitor<'a> for Member<'_> {
    type Value = Option<&'a RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> std::result::Result<Self::Value, M::Error> {
        let mut found = None;
        while let Some(key) = map.next_key::<Key<'a>>()? {
            match key.0 == self.0 {
                true => found = Some(map.next_value()?),
                false => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }
}
