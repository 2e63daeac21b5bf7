//! `change_points`: where the mean of a series of runs changed.

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, Documentation, GroupsAccumulator, Signature, Volatility,
};
use datafusion_macros::user_doc;

use std::sync::{Arc, LazyLock};

use arrow::array::Array;
use arrow::array::{ArrayRef, AsArray, Float64Array, ListArray, StructArray};
use arrow::datatypes::{Field, Fields, Float64Type};
use datafusion::common::cast::as_list_array;
use datafusion::common::plan_err;

use super::groups::{Groups, Member, Single};
use super::state::{list_state_field, list_value, refuse_distinct, state_column};
use crate::arguments::{Scores, number_type};
use crate::kernels::change_point::change_points;

static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
    ["position", "before", "after", "delta", "p"]
        .map(|name| Field::new(name, DataType::Float64, true))
        .into_iter()
        .collect()
});

#[user_doc(
    doc_section(label = "Statistical Functions"),
    description = "Where the mean of a series changed, as a list of `{position, before, after, delta, p}` in order: the position of the first run after each change, the weighted means of the stretches before and after it, and a p-value corrected for having looked everywhere. A series without a change is flagged in at most 5 % of cases. Rows without a value are left out.",
    syntax_example = "change_points(value, se, position)",
    sql_example = r#"```sql
> SELECT c['position'] AS position, round(c['delta'], 3) AS delta FROM (SELECT unnest(change_points(value, 0.01, run)) AS c FROM (VALUES (1, 0.8), (2, 0.81), (3, 0.8), (4, 0.79), (5, 0.5), (6, 0.51)) AS runs(run, value));
+----------+--------+
| position | delta  |
+----------+--------+
| 5.0      | -0.295 |
+----------+--------+
```"#,
    argument(name = "value", description = "The mean of a run."),
    argument(name = "se", description = "Its standard error; null where it is not known."),
    argument(name = "position", description = "A number that orders the runs.")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct ChangePoints {
    signature: Signature,
}

impl Default for ChangePoints {
    fn default() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl AggregateUDFImpl for ChangePoints {
    fn name(&self) -> &str {
        "change_points"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match given {
            [value, se, position] => Ok(vec![
                number_type(self.name(), "value", value)?,
                number_type(self.name(), "se", se)?,
                number_type(self.name(), "position", position)?,
            ]),
            _ => plan_err!("`change_points` takes three arguments (value, se, position), got {}", given.len()),
        }
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::new_list(DataType::Struct(FIELDS.clone()), true))
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        refuse_distinct(self.name(), args.is_distinct)?;
        Ok(Box::new(Single::new(Series::default(), None)))
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        !args.is_distinct
    }

    fn create_groups_accumulator(&self, _args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Groups::new(Series::default(), None)))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(["position", "value", "se"].map(|name| list_state_field(args.name, name, DataType::Float64)).to_vec())
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn default_value(&self, _data_type: &DataType) -> Result<ScalarValue> {
        found(&Series::default())
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

/// The runs seen: position, value, standard error.
#[derive(Debug, Clone, Default)]
struct Series(Vec<(f64, f64, f64)>);

impl Member for Series {
    type Columns<'a> = [Scores<'a>; 3];
    type States<'a> = [&'a ListArray; 3];

    fn columns(values: &[ArrayRef]) -> Result<Self::Columns<'_>> {
        Ok([Scores::try_new(&values[0])?, Scores::try_new(&values[1])?, Scores::try_new(&values[2])?])
    }

    fn add(&mut self, [value, se, position]: &Self::Columns<'_>, row: usize) {
        if let (Some(value), Some(position)) = (value.get_finite(row), position.get_finite(row)) {
            self.0.push((position, value, se.get_finite(row).unwrap_or(0.0).max(0.0)));
        }
    }

    fn state(&self) -> Result<Vec<ScalarValue>> {
        let column = |pick: fn(&(f64, f64, f64)) -> f64| {
            list_value(Arc::new(Float64Array::from_iter_values(self.0.iter().map(pick))))
        };
        Ok(vec![column(|run| run.0)?, column(|run| run.1)?, column(|run| run.2)?])
    }

    fn states(states: &[ArrayRef]) -> Result<Self::States<'_>> {
        let list = |place| as_list_array(state_column(states, place)?);
        Ok([list(0)?, list(1)?, list(2)?])
    }

    fn merge(&mut self, states: &Self::States<'_>, row: usize) {
        if states[0].is_null(row) {
            return;
        }
        let columns = states.map(|list| list.value(row));
        let [Some(position), Some(value), Some(se)] =
            columns.each_ref().map(|column| column.as_primitive_opt::<Float64Type>())
        else {
            return;
        };
        for i in 0..position.len() {
            self.0.push((position.value(i), value.value(i), se.value(i)));
        }
    }

    fn answer(&self) -> Result<Vec<ScalarValue>> {
        Ok(vec![found(self)?])
    }

    fn heap_size(&self) -> usize {
        self.0.capacity() * size_of::<(f64, f64, f64)>()
    }
}

fn found(series: &Series) -> Result<ScalarValue> {
    let mut runs = series.0.clone();
    runs.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    let values: Vec<f64> = runs.iter().map(|run| run.1).collect();
    let errors: Vec<f64> = runs.iter().map(|run| run.2).collect();
    let changes = change_points(&values, &errors);
    let column = |pick: &dyn Fn(&crate::kernels::change_point::ChangePoint) -> f64| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(changes.iter().map(pick)))
    };
    let columns = vec![
        column(&|change| runs[change.position].0),
        column(&|change| change.before),
        column(&|change| change.after),
        column(&|change| change.after - change.before),
        column(&|change| change.p),
    ];
    list_value(Arc::new(StructArray::try_new(FIELDS.clone(), columns, None)?))
}
