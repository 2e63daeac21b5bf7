//! `majority`: the value that more than half have.

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, Documentation, GroupsAccumulator, Signature, Volatility,
};
use datafusion_macros::user_doc;

use super::groups::{Groups, Single};
use super::state::refuse_distinct;
use super::values::{self, Values};

#[user_doc(
    doc_section(label = "Trial Functions"),
    description = "The number that more than half of the values are; null where none is.",
    syntax_example = "majority(value)",
    sql_example = r#"```sql
> SELECT majority(score) AS value FROM (VALUES (1.0), (0.0), (1.0)) AS trials(score);
+-------+
| value |
+-------+
| 1.0   |
+-------+
```"#,
    argument(name = "value", description = "A number; nulls are left out."),
    related_udf(name = "mode")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Majority {
    signature: Signature,
}

impl Default for Majority {
    fn default() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl AggregateUDFImpl for Majority {
    fn name(&self) -> &str {
        "majority"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        values::argument_types(self.name(), given)
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        refuse_distinct(self.name(), args.is_distinct)?;
        Ok(Box::new(Single::new(Values::new(majority), None)))
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        !args.is_distinct
    }

    fn create_groups_accumulator(&self, _args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Groups::new(Values::new(majority), None)))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(values::state_fields(args.name))
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

fn majority(counted: &[(f64, i64)]) -> Option<f64> {
    let total: i64 = counted.iter().map(|(_, times)| times).sum();
    counted.iter().find(|(_, times)| 2 * times > total).map(|(value, _)| *value)
}
