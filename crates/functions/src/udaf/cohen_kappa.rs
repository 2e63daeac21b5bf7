//! `cohen_kappa`: agreement of two judges beyond chance.

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, Documentation, GroupsAccumulator, Signature, Volatility,
};
use datafusion_macros::user_doc;

use super::groups::{Groups, Single};
use super::judgements::{self, Judgements};
use super::state::refuse_distinct;
use crate::kernels::agreement::Agreement;

#[user_doc(
    doc_section(label = "Statistical Functions"),
    description = "Cohen's κ of two judgements: the agreement beyond what independent judges would reach, 1 when they always agree, 0 when no better than chance. Null when all judgements are one category.",
    syntax_example = "cohen_kappa(a, b)",
    sql_example = r#"```sql
> SELECT cohen_kappa(a, b) AS kappa FROM (VALUES (1, 1), (1, 0), (0, 0), (0, 0)) AS judged(a, b);
+-------+
| kappa |
+-------+
| 0.5   |
+-------+
```"#,
    argument(name = "a", description = "The first judgement: a number or a text."),
    argument(name = "b", description = "The second judgement of the same thing. A pair with a null is left out."),
    related_udf(name = "weighted_kappa"),
    related_udf(name = "agreement")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct CohenKappa {
    signature: Signature,
}

impl Default for CohenKappa {
    fn default() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl AggregateUDFImpl for CohenKappa {
    fn name(&self) -> &str {
        "cohen_kappa"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        judgements::argument_types(self.name(), given)
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        refuse_distinct(self.name(), args.is_distinct)?;
        Ok(Box::new(Single::new(Judgements::new(kappa), None)))
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        !args.is_distinct
    }

    fn create_groups_accumulator(&self, _args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Groups::new(Judgements::new(kappa), None)))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(judgements::state_fields(args.name))
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

fn kappa(found: Option<&Agreement>) -> Vec<ScalarValue> {
    vec![ScalarValue::Float64(found.and_then(|found| found.kappa))]
}
