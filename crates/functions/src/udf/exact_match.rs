//! `exact_match`: whether two values are the same.

use arrow::array::{Array, ArrayRef, Float64Array};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::cast::as_string_array;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use datafusion_macros::user_doc;
use std::sync::Arc;

use crate::arguments::{map_rows, two_values};
use crate::kernels::likeness::{json_likeness, value_of};

#[user_doc(
    doc_section(label = "Scorers"),
    description = "1 where two values are the same, else 0. Texts that are JSON are compared as values, so that neither the order of fields nor the spelling of numbers matters. Null when one of the two is null.",
    syntax_example = "exact_match(output, expected)",
    sql_example = r#"```sql
> SELECT exact_match('{"a": 1, "b": 2}', '{"b": 2, "a": 1.0}') AS score;
+-------+
| score |
+-------+
| 1.0   |
+-------+
```"#,
    argument(name = "output", description = "What came out: any value."),
    argument(name = "expected", description = "What should have come out."),
    related_udf(name = "levenshtein_score")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct ExactMatch {
    signature: Signature,
}

impl Default for ExactMatch {
    fn default() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for ExactMatch {
    fn name(&self) -> &str {
        "exact_match"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        two_values(self.name(), given)
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        map_rows(&args.args, args.number_rows, |columns, rows| Ok(Arc::new(scores(columns, rows)?)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

fn scores(columns: &[ArrayRef], rows: usize) -> Result<Float64Array> {
    let (outputs, expected) = (as_string_array(&columns[0])?, as_string_array(&columns[1])?);
    let score = |row: usize| {
        let is_known = outputs.is_valid(row) && expected.is_valid(row);
        is_known.then(|| score(outputs.value(row), expected.value(row)))
    };
    Ok((0..rows).map(score).collect())
}

fn score(output: &str, expected: &str) -> f64 {
    let is_same = output == expected || json_likeness(&value_of(output), &value_of(expected)) == 1.0;
    f64::from(u8::from(is_same))
}
