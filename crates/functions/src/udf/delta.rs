//! `delta`: candidate − base.
//!
//! ```text
//! delta(0.5, 0.75)  →  0.25
//! ```
//!
//! Null where either is null or not a number: a missing score is never 0.

use std::sync::Arc;

use arrow::array::Float64Array;
use arrow::compute::kernels::numeric::sub;
use arrow::datatypes::DataType;
use datafusion::common::cast::as_float64_array;
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use datafusion_macros::user_doc;

use crate::arguments::{map_rows, number_type};

#[user_doc(
    doc_section(label = "Score Functions"),
    description = "The difference candidate − base of two scores. Null where either is null: a missing score is never 0.",
    syntax_example = "delta(base, candidate)",
    sql_example = r#"```sql
> SELECT delta(0.5, 0.75) AS delta, delta(NULL, 0.75) AS none;
+-------+------+
| delta | none |
+-------+------+
| 0.25  |      |
+-------+------+
```"#,
    argument(name = "base", description = "The score of the baseline."),
    argument(name = "candidate", description = "The score of the candidate."),
    related_udf(name = "regression"),
    related_udf(name = "paired_diff")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Delta {
    signature: Signature,
}

impl Default for Delta {
    fn default() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Delta {
    fn name(&self) -> &str {
        "delta"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let [base, candidate] = given else {
            return plan_err!("`delta` takes two arguments (base, candidate), got {}", given.len());
        };
        Ok(vec![number_type(self.name(), "base", base)?, number_type(self.name(), "candidate", candidate)?])
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        map_rows(&args.args, args.number_rows, |columns, _| {
            let difference = sub(&columns[1], &columns[0])?;
            let values = as_float64_array(&difference)?;
            if !values.values().iter().any(|value| value.is_nan()) {
                return Ok(difference);
            }
            let numbers = values.iter().map(|value| value.filter(|v| !v.is_nan()));
            Ok(Arc::new(numbers.collect::<Float64Array>()))
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}
