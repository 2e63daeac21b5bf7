//! `weighted_kappa`: agreement of two judges, near misses counted as partial agreement.

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
use crate::arguments::text_type;
use crate::kernels::agreement::Agreement;
use datafusion::common::{exec_err, plan_err};
use datafusion::physical_expr::expressions::Literal;

#[user_doc(
    doc_section(label = "Statistical Functions"),
    description = "Cohen's weighted κ of two judgements: the farther apart the categories are in their order, the heavier a disagreement weighs, by distance (`linear`, default) or its square (`quadratic`). Categories are those that occur, in order of value.",
    syntax_example = "weighted_kappa(a, b[, 'linear' | 'quadratic'])",
    sql_example = r#"```sql
> SELECT weighted_kappa(a, b) AS kappa FROM (VALUES (1, 1), (1, 0), (0, 0), (0, 0)) AS judged(a, b);
+-------+
| kappa |
+-------+
| 0.5   |
+-------+
```"#,
    argument(name = "a", description = "The first judgement: a number or a text."),
    argument(name = "b", description = "The second judgement of the same thing. A pair with a null is left out."),
    argument(name = "weights", description = "`linear` or `quadratic`; a constant."),
    related_udf(name = "cohen_kappa"),
    related_udf(name = "agreement")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct WeightedKappa {
    signature: Signature,
}

impl Default for WeightedKappa {
    fn default() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl AggregateUDFImpl for WeightedKappa {
    fn name(&self) -> &str {
        "weighted_kappa"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match given {
            [a, b] => judgements::argument_types(self.name(), &[a.clone(), b.clone()]),
            [a, b, weights] => {
                let mut types = judgements::argument_types(self.name(), &[a.clone(), b.clone()])?;
                types.push(text_type(self.name(), "weights", weights)?);
                Ok(types)
            }
            _ => plan_err!("`weighted_kappa` takes two or three arguments (a, b, weights), got {}", given.len()),
        }
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        refuse_distinct(self.name(), args.is_distinct)?;
        Ok(Box::new(Single::new(Judgements::new(weights(&args)?), None)))
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        !args.is_distinct
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Groups::new(Judgements::new(weights(&args)?), None)))
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

fn weights(args: &AccumulatorArgs) -> Result<judgements::Choice> {
    let Some(argument) = args.exprs.get(2) else { return Ok(linear) };
    let Some(literal) = argument.downcast_ref::<Literal>() else {
        return exec_err!("`weighted_kappa` takes a constant as `weights`, not a column");
    };
    match literal.value().try_as_str().flatten() {
        None | Some("linear") => Ok(linear),
        Some("quadratic") => Ok(quadratic),
        Some(other) => exec_err!("`weighted_kappa` takes the weights `linear` or `quadratic`, got `{other}`"),
    }
}

fn linear(found: Option<&Agreement>) -> Vec<ScalarValue> {
    vec![ScalarValue::Float64(found.and_then(|found| found.linear))]
}

fn quadratic(found: Option<&Agreement>) -> Vec<ScalarValue> {
    vec![ScalarValue::Float64(found.and_then(|found| found.quadratic))]
}
