//! `numeric_diff`: how near two numbers are.

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
        is_known.then(|| score(outputs.value(row), expected.value(row))).flatten()
    };
    Ok((0..rows).map(score).collect())
}

fn score(output: &str, expected: &str) -> Option<f64> {
    let number = |text: &str| text.trim().trim_matches('"').parse::<f64>().ok().filter(|number| number.is_finite());
    Some(number_likeness(number(output)?, number(expected)?))
}
