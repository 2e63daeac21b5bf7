//! `agreement`: everything that is said of two judges: agreement, κ and its interval.

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, Documentation, GroupsAccumulator, Signature, Volatility,
};
use datafusion_macros::user_doc;

use arrow::datatypes::{Field, Fields};
use std::sync::LazyLock;

use super::groups::{Groups, Single, single_answer};
use super::judgements::{self, Judgements};
use super::state::refuse_distinct;
use crate::kernels::agreement::Agreement;

static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
    let numbers = ["observed", "expected", "kappa", "se", "ci_low", "ci_high", "linear_kappa", "quadratic_kappa"];
    let numbers = numbers.map(|name| Field::new(name, DataType::Float64, true));
    std::iter::once(Field::new("n", DataType::Int64, true)).chain(numbers).collect()
});

#[user_doc(
    doc_section(label = "Statistical Functions"),
    description = "How far two judgements agree, as a struct `{n, observed, expected, kappa, se, ci_low, ci_high, linear_kappa, quadratic_kappa}`: the share of equal judgements, that share under independence, Cohen's κ with its large-sample standard error (Fleiss, Cohen and Everitt) and 95 % interval, and the weighted κ.",
    syntax_example = "agreement(a, b)",
    sql_example = r#"```sql
> SELECT g['n'] AS n, g['observed'] AS observed, g['kappa'] AS kappa FROM (SELECT agreement(a, b) AS g FROM (VALUES (1, 1), (1, 0), (0, 0), (0, 0)) AS judged(a, b));
+---+----------+-------+
| n | observed | kappa |
+---+----------+-------+
| 4 | 0.75     | 0.5   |
+---+----------+-------+
```"#,
    argument(name = "a", description = "The first judgement: a number or a text."),
    argument(name = "b", description = "The second judgement of the same thing. A pair with a null is left out."),
    related_udf(name = "cohen_kappa"),
    related_udf(name = "weighted_kappa")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Agree {
    signature: Signature,
}

impl Default for Agree {
    fn default() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl AggregateUDFImpl for Agree {
    fn name(&self) -> &str {
        "agreement"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        judgements::argument_types(self.name(), given)
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Struct(FIELDS.clone()))
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        refuse_distinct(self.name(), args.is_distinct)?;
        Ok(Box::new(Single::new(Judgements::new(fields), Some(FIELDS.clone()))))
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        !args.is_distinct
    }

    fn create_groups_accumulator(&self, _args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Groups::new(Judgements::new(fields), Some(FIELDS.clone()))))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(judgements::state_fields(args.name))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn default_value(&self, _data_type: &DataType) -> Result<ScalarValue> {
        single_answer(&Judgements::new(fields), Some(&FIELDS))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

fn fields(found: Option<&Agreement>) -> Vec<ScalarValue> {
    let number = |pick: fn(&Agreement) -> Option<f64>| ScalarValue::Float64(found.and_then(pick));
    vec![
        ScalarValue::Int64(Some(found.map_or(0, |found| found.n))),
        number(|found| Some(found.observed)),
        number(|found| Some(found.expected)),
        number(|found| found.kappa),
        number(|found| found.se),
        number(|found| found.ci_low),
        number(|found| found.ci_high),
        number(|found| found.linear),
        number(|found| found.quadratic),
    ]
}
