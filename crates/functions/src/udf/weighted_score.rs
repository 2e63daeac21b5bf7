//! `weighted_score`: the weighted mean of several scores of one case, Σ w·s / Σ w.
//!
//! | call | score |
//! |---|---|
//! | `weighted_score(1, 1, NULL, 3)` | 1: over the components that are there |
//! | `weighted_score(1, 1, NULL, 3, 'null')` | null |
//! | `weighted_score(1, 1, NULL, 3, 'zero')` | 0.25 |
//!
//! Weights are above 0 and need not sum to 1. Not-a-number reads as null. When every component is
//! missing the score is null under any policy.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array};
use arrow::datatypes::DataType;
use datafusion::common::cast::as_float64_array;
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use datafusion_macros::user_doc;

use super::missing_policy::{coerced_types, split_types, split_values};
use crate::arguments::{Scores, map_rows};
use crate::kernels::components::{Combination, CombinedScore, MissingPolicy};

#[user_doc(
    doc_section(label = "Score Functions"),
    description = "The weighted mean of several scores of one case, as pairs of score and weight. Weights are above 0 and need not sum to 1. A last text says what a missing score means: `renormalise` (default) takes the mean over the scores that are there, `null` makes the result null, `zero` counts it as 0. When every score is missing the result is null under any policy.",
    syntax_example = "weighted_score(score, weight[, score, weight ...][, policy])",
    sql_example = r#"```sql
> SELECT weighted_score(1.0, 1, 0.5, 3) AS both, weighted_score(1.0, 1, NULL, 3) AS one, weighted_score(1.0, 1, NULL, 3, 'zero') AS zero;
+-------+-----+------+
| both  | one | zero |
+-------+-----+------+
| 0.625 | 1.0 | 0.25 |
+-------+-----+------+
```"#,
    argument(name = "score", description = "A component score."),
    argument(name = "weight", description = "Its weight, above 0."),
    argument(
        name = "policy",
        description = "What a missing score means: `renormalise`, `null` or `zero`. A constant."
    ),
    related_udf(name = "weighted_avg"),
    related_udf(name = "min_score"),
    related_udf(name = "max_score")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct WeightedScore {
    signature: Signature,
}

impl Default for WeightedScore {
    fn default() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for WeightedScore {
    fn name(&self) -> &str {
        "weighted_score"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let (components, has_policy) = split_types(given);
        if !components.len().is_multiple_of(2) {
            return plan_err!("`weighted_score` takes pairs of score and weight, got {} numbers", components.len());
        }
        let name = |position: usize| {
            if position.is_multiple_of(2) { "score" } else { "weight" }
        };
        coerced_types(self.name(), components, has_policy, name)
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let (components, policy) = split_values(self.name(), &args.args)?;
        map_rows(components, args.number_rows, |columns, rows| weighted(columns, rows, policy))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

fn weighted(columns: &[ArrayRef], rows: usize, policy: MissingPolicy) -> Result<ArrayRef> {
    let how = Combination::Weighted;
    let mut combined = vec![CombinedScore::EMPTY; rows];
    for pair in columns.chunks_exact(2) {
        let scores = Scores::try_new(&pair[0])?;
        let weights = checked_weights(&pair[1])?;
        for (row, combined) in combined.iter_mut().enumerate() {
            combined.add(how, policy, scores.get(row), weights.value(row));
        }
    }
    let scores = combined.into_iter().map(|row| row.finish(how, policy));
    Ok(Arc::new(scores.collect::<Float64Array>()))
}

fn checked_weights(column: &ArrayRef) -> Result<&Float64Array> {
    let weights = as_float64_array(column)?;
    if weights.null_count() > 0 {
        return exec_err!("`weighted_score` takes weights above 0, not NULL");
    }
    match weights.values().iter().find(|weight| !(weight.is_finite() && **weight > 0.0)) {
        Some(weight) => exec_err!("`weighted_score` takes weights above 0, not {weight}"),
        None => Ok(weights),
    }
}
