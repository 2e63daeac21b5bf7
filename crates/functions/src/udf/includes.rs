//! `includes`: whether a JSON value holds another.

use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::datatypes::DataType;
use datafusion::common::cast::as_string_array;
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use datafusion_macros::user_doc;
use std::sync::Arc;

use evalhouse_model::canonical::canonical_json;
use serde_json::Value;

use crate::arguments::{map_rows, text_type};

#[user_doc(
    doc_section(label = "JSON and Text Functions"),
    description = "True when a JSON list has the item as an element, a JSON object has every field of the item with an equal value, or a JSON text contains the item's text. The item is JSON; text that is not JSON stands for itself. Null when one of the two is null; false for any other container.",
    syntax_example = "includes(container, item)",
    sql_example = r#"```sql
> SELECT includes('["a", "b"]', 'b') AS found;
+-------+
| found |
+-------+
| true  |
+-------+
```"#,
    argument(name = "container", description = "JSON text: a list, an object or a text."),
    argument(name = "item", description = "What it may hold."),
    related_udf(name = "match_words")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Includes {
    signature: Signature,
}

impl Default for Includes {
    fn default() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Includes {
    fn name(&self) -> &str {
        "includes"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match given {
            [container, item] => {
                Ok(vec![text_type(self.name(), "container", container)?, text_type(self.name(), "item", item)?])
            }
            _ => plan_err!("`includes` takes two arguments (container, item), got {}", given.len()),
        }
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        map_rows(&args.args, args.number_rows, |columns, rows| Ok(Arc::new(found(columns, rows)?)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

fn found(columns: &[ArrayRef], rows: usize) -> Result<BooleanArray> {
    let (containers, items) = (as_string_array(&columns[0])?, as_string_array(&columns[1])?);
    let one = |row: usize| {
        let is_there = containers.is_valid(row) && items.is_valid(row);
        is_there.then(|| holds(containers.value(row), items.value(row)))
    };
    Ok((0..rows).map(one).collect())
}

fn holds(container: &str, item: &str) -> bool {
    let item_value = serde_json::from_str(item).unwrap_or_else(|_| Value::String(item.to_string()));
    match serde_json::from_str(container) {
        Ok(Value::Array(elements)) => elements.iter().any(|element| {
            // `includes(ids, '7')` finds 7 and "7".
            is_equal(element, &item_value) || element.as_str() == Some(item)
        }),
        Ok(Value::Object(fields)) => match item_value.as_object() {
            Some(part) => part.iter().all(|(key, value)| fields.get(key).is_some_and(|known| is_equal(known, value))),
            None => false,
        },
        Ok(Value::String(text)) => text.contains(item_value.as_str().unwrap_or(item)),
        Ok(_) => false,
        Err(_) => container.contains(item_value.as_str().unwrap_or(item)),
    }
}

fn is_equal(a: &Value, b: &Value) -> bool {
    match (canonical_json(&a.to_string()), canonical_json(&b.to_string())) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}
