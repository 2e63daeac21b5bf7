//! `max_score`: the largest of several scores of one case.
//!
//! Taken row by row and then averaged, which differs from the largest of the averages. A missing
//! component is left out, or under another policy makes the score null or counts as 0. When every
//! component is missing the score is null under any policy. Not-a-number reads as null.

use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use datafusion_macros::user_doc;

use super::missing_policy::{coerced_types, combine_unweighted, split_types};
use crate::kernels::components::Combination;

#[user_doc(
    doc_section(label = "Score Functions"),
    description = "The largest of several scores of one case. A last text says what a missing score means: `renormalise` (default) leaves it out, `null` makes the result null, `zero` counts it as 0. When every score is missing the result is null under any policy.",
    syntax_example = "max_score(score[, score ...][, policy])",
    sql_example = r#"```sql
> SELECT max_score(0.75, 0.25) AS both, max_score(0.75, NULL) AS one, max_score(0.75, NULL, 'zero') AS zero;
+------+------+------+
| both | one  | zero |
+------+------+------+
| 0.75 | 0.75 | 0.75 |
+------+------+------+
```"#,
    argument(name = "score", description = "A component score."),
    argument(
        name = "policy",
        description = "What a missing score means: `renormalise`, `null` or `zero`. A constant."
    ),
    related_udf(name = "min_score"),
    related_udf(name = "weighted_score")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct MaxScore {
    signature: Signature,
}

impl Default for MaxScore {
    fn default() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for MaxScore {
    fn name(&self) -> &str {
        "max_score"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let (components, has_policy) = split_types(given);
        coerced_types(self.name(), components, has_policy, |_| "score")
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        combine_unweighted(self.name(), &args, Combination::Maximum)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}
