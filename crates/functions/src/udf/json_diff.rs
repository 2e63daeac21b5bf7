//! `json_diff`: how alike two JSON values are.

use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use datafusion_macros::user_doc;

use crate::arguments::{score_rows, two_values};
use crate::kernels::likeness::{json_likeness, value_of};

#[user_doc(
    doc_section(label = "Scorers"),
    description = "How alike two JSON values are: objects by the mean over the fields of both, lists by the mean over their places, numbers as `numeric_diff`, texts as `levenshtein_score`; other values are the same or not. Null when one of the two is null.",
    syntax_example = "json_diff(output, expected)",
    sql_example = r#"```sql
> SELECT json_diff('[1, 2, 3, 4]', '[1, 2]') AS score;
+-------+
| score |
+-------+
| 0.5   |
+-------+
```"#,
    argument(name = "output", description = "What came out: a JSON value."),
    argument(name = "expected", description = "What should have come out."),
    related_udf(name = "exact_match")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct JsonDiff {
    signature: Signature,
}

impl Default for JsonDiff {
    fn default() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for JsonDiff {
    fn name(&self) -> &str {
        "json_diff"
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
        score_rows(&args, |output, expected| Some(json_likeness(&value_of(output), &value_of(expected))))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}
