//! `numeric_diff`: how near two numbers are.

use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use datafusion_macros::user_doc;

use crate::arguments::{score_rows, two_values};
use crate::kernels::likeness::number_likeness;

#[user_doc(
    doc_section(label = "Scorers"),
    description = "How near two numbers are: 1 − |a − b| / (|a| + |b|), and 1 for two zeros. Null when one of the two is null or no number.",
    syntax_example = "numeric_diff(output, expected)",
    sql_example = r#"```sql
> SELECT numeric_diff(1, 3) AS score;
+-------+
| score |
+-------+
| 0.5   |
+-------+
```"#,
    argument(name = "output", description = "What came out: a number."),
    argument(name = "expected", description = "What should have come out."),
    related_udf(name = "json_diff")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct NumericDiff {
    signature: Signature,
}

impl Default for NumericDiff {
    fn default() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for NumericDiff {
    fn name(&self) -> &str {
        "numeric_diff"
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
        score_rows(&args, score)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

fn score(output: &str, expected: &str) -> Option<f64> {
    let number = |text: &str| text.trim().trim_matches('"').parse::<f64>().ok().filter(|number| number.is_finite());
    Some(number_likeness(number(output)?, number(expected)?))
}
