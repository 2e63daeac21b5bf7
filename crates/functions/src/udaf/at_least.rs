//! `at_least`: whether at least k trials of a case pass.

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, Documentation, GroupsAccumulator, Signature, Volatility,
};
use datafusion_macros::user_doc;

use super::groups::{Groups, Single};
use super::passes::{self, Passes};
use super::state::refuse_distinct;

#[user_doc(
    doc_section(label = "Trial Functions"),
    description = "1 when at least k of the trials pass, else 0; null without a trial. `at_least(score, 1)` says whether any trial passes.",
    syntax_example = "at_least(score, k[, threshold])",
    sql_example = r#"```sql
> SELECT at_least(score, 2) AS value FROM (VALUES (1.0), (0.0), (1.0)) AS trials(score);
+-------+
| value |
+-------+
| 1.0   |
+-------+
```"#,
    argument(name = "score", description = "The score of a trial; a null is no trial."),
    argument(name = "k", description = "How many trials; a constant of 1 or more."),
    argument(name = "threshold", description = "The score from which a trial passes; a constant. Default 1."),
    related_udf(name = "pass_at_k"),
    related_udf(name = "pass_hat_k")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct AtLeast {
    signature: Signature,
}

impl Default for AtLeast {
    fn default() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl AggregateUDFImpl for AtLeast {
    fn name(&self) -> &str {
        "at_least"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        passes::argument_types(self.name(), given)
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        refuse_distinct(self.name(), args.is_distinct)?;
        Ok(Box::new(Single::new(Passes::new(self.name(), args.exprs, at_least)?, None)))
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        !args.is_distinct
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Groups::new(Passes::new(self.name(), args.exprs, at_least)?, None)))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(passes::state_fields(args.name))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn default_value(&self, _data_type: &DataType) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64(None))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

/// 1 when at least k trials passed; none without a trial.
fn at_least(trials: u64, passes: u64, k: u64) -> Option<f64> {
    (trials > 0).then_some(if passes >= k { 1.0 } else { 0.0 })
}
