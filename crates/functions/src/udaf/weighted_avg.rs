//! `weighted_avg`: Σ w·v / Σ w.
//!
//! ```text
//! value   1.0  0.5  null
//! weight  1    3    9     →  0.625
//! ```
//!
//! A row counts when value and weight are finite numbers. Weights are 0 or more; when they sum to 0,
//! there is no row, or a sum is beyond the range of a double, the answer is null.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Float64Array};
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, Documentation, EmitTo, GroupsAccumulator, Signature, Volatility,
};
use datafusion_macros::user_doc;

use super::state::{SUM_FIELDS, SumColumns, refuse_distinct, sum_fields, sum_values};
use crate::arguments::{Scores, number_type};
use crate::kernels::compensated::CompensatedSum;
use crate::kernels::moments::finite;

#[user_doc(
    doc_section(label = "Statistical Functions"),
    description = "The weighted mean Σ weight·value / Σ weight over rows. A row counts when value and weight are finite numbers. Weights are 0 or more; when they sum to 0 the result is null.",
    syntax_example = "weighted_avg(value, weight)",
    sql_example = r#"```sql
> SELECT weighted_avg(score, weight) AS score FROM (VALUES (1.0, 1), (0.5, 3), (NULL, 9)) AS cases(score, weight);
+-------+
| score |
+-------+
| 0.625 |
+-------+
```"#,
    argument(name = "value", description = "The value of a row."),
    argument(name = "weight", description = "Its weight, 0 or more."),
    related_udf(name = "weighted_score")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct WeightedAvg {
    signature: Signature,
}

impl Default for WeightedAvg {
    fn default() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl AggregateUDFImpl for WeightedAvg {
    fn name(&self) -> &str {
        "weighted_avg"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let [value, weight] = given else {
            return plan_err!("`weighted_avg` takes two arguments (value, weight), got {}", given.len());
        };
        Ok(vec![number_type(self.name(), "value", value)?, number_type(self.name(), "weight", weight)?])
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        refuse_distinct(self.name(), args.is_distinct)?;
        Ok(Box::new(WeightedAvgAccumulator::default()))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let mut fields = sum_fields(args.name, "value");
        fields.extend(sum_fields(args.name, "weight"));
        Ok(fields)
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        !args.is_distinct
    }

    fn create_groups_accumulator(&self, _args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(WeightedAvgGroups::default()))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

/// The sums of one group.
#[derive(Debug, Clone, Copy, Default)]
struct WeightedSums {
    value: CompensatedSum,
    weight: CompensatedSum,
}

impl WeightedSums {
    fn of(value: f64, weight: f64) -> Self {
        Self { value: CompensatedSum::of_product(value, weight), weight: CompensatedSum::of(weight) }
    }

    fn merge(&mut self, other: Self) {
        self.value.merge(other.value);
        self.weight.merge(other.weight);
    }

    fn average(self) -> Option<f64> {
        let weight = self.weight.value();
        if weight > 0.0 { finite(self.value.value() / weight) } else { None }
    }
}

/// The rows of a batch.
struct WeightedRows<'a> {
    values: Scores<'a>,
    weights: Scores<'a>,
    filter: Option<&'a BooleanArray>,
    rows: usize,
}

impl<'a> WeightedRows<'a> {
    fn try_new(columns: &'a [ArrayRef], filter: Option<&'a BooleanArray>) -> Result<Self> {
        Ok(Self {
            values: Scores::try_new(&columns[0])?,
            weights: Scores::try_new(&columns[1])?,
            filter,
            rows: columns[0].len(),
        })
    }

    /// The sums of one row; none when it does not count.
    #[inline]
    fn get(&self, row: usize) -> Result<Option<WeightedSums>> {
        if self.filter.is_some_and(|filter| filter.is_null(row) || !filter.value(row)) {
            return Ok(None);
        }
        let (Some(value), Some(weight)) = (self.values.get_finite(row), self.weights.get_finite(row)) else {
            return Ok(None);
        };
        if weight < 0.0 {
            return exec_err!("`weighted_avg` takes weights of 0 or more, not {weight}");
        }
        Ok(Some(WeightedSums::of(value, weight)))
    }
}

/// The partial states of a batch.
struct WeightedStates<'a> {
    value: SumColumns<'a>,
    weight: SumColumns<'a>,
}

impl<'a> WeightedStates<'a> {
    fn try_new(states: &'a [ArrayRef]) -> Result<Self> {
        Ok(Self { value: SumColumns::try_new(states, 0)?, weight: SumColumns::try_new(states, SUM_FIELDS.len())? })
    }

    fn get(&self, row: usize) -> WeightedSums {
        WeightedSums { value: self.value.get(row), weight: self.weight.get(row) }
    }
}

#[derive(Debug, Default)]
struct WeightedAvgAccumulator {
    sums: WeightedSums,
}

impl Accumulator for WeightedAvgAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let rows = WeightedRows::try_new(values, None)?;
        for row in 0..rows.rows {
            if let Some(sums) = rows.get(row)? {
                self.sums.merge(sums);
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok([sum_values(self.sums.value), sum_values(self.sums.weight)].concat())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let columns = WeightedStates::try_new(states)?;
        for row in 0..states[0].len() {
            self.sums.merge(columns.get(row));
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::from(self.sums.average()))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}

/// All groups at once.
#[derive(Debug, Default)]
struct WeightedAvgGroups {
    groups: Vec<WeightedSums>,
}

impl GroupsAccumulator for WeightedAvgGroups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.groups.resize(total_num_groups, WeightedSums::default());
        let rows = WeightedRows::try_new(values, filter)?;
        for (row, group) in group_indices.iter().enumerate() {
            if let Some(sums) = rows.get(row)? {
                self.groups[*group].merge(sums);
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.groups.resize(total_num_groups, WeightedSums::default());
        let columns = WeightedStates::try_new(states)?;
        for (row, group) in group_indices.iter().enumerate() {
            self.groups[*group].merge(columns.get(row));
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let groups = emit_to.take_needed(&mut self.groups);
        let averages: Float64Array = groups.into_iter().map(WeightedSums::average).collect();
        Ok(Arc::new(averages))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(state_columns(&emit_to.take_needed(&mut self.groups)))
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let rows = WeightedRows::try_new(values, filter)?;
        let states =
            (0..rows.rows).map(|row| Ok(rows.get(row)?.unwrap_or_default())).collect::<Result<Vec<WeightedSums>>>()?;
        Ok(state_columns(&states))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.groups.capacity() * size_of::<WeightedSums>()
    }
}

fn state_columns(groups: &[WeightedSums]) -> Vec<ArrayRef> {
    let column = |number: fn(&WeightedSums) -> f64| -> ArrayRef {
        Arc::new(groups.iter().map(|group| Some(number(group))).collect::<Float64Array>())
    };
    vec![
        column(|group| group.value.high),
        column(|group| group.value.low),
        column(|group| group.weight.high),
        column(|group| group.weight.low),
    ]
}
