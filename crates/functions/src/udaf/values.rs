//! What `mode` and `majority` share: the different values of a set, counted.

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, ListArray};
use arrow::datatypes::{DataType, FieldRef, Float64Type, Int64Type};
use datafusion::common::cast::as_list_array;
use datafusion::common::{Result, ScalarValue, plan_err};
use std::sync::Arc;

use super::groups::Member;
use super::state::{list_state_field, list_value, state_column};
use crate::arguments::{Scores, number_type};

/// From counted values, smallest value first, to the answer.
pub(super) type Choice = fn(&[(f64, i64)]) -> Option<f64>;

/// Values and how often each was seen, smallest first. Trials are few, so a list does.
#[derive(Debug, Clone)]
pub(super) struct Values {
    counted: Vec<(f64, i64)>,
    choice: Choice,
}

pub(super) fn argument_types(function: &str, given: &[DataType]) -> Result<Vec<DataType>> {
    match given {
        [value] => Ok(vec![number_type(function, "value", value)?]),
        _ => plan_err!("`{function}` takes one argument (value), got {}", given.len()),
    }
}

pub(super) fn state_fields(aggregate: &str) -> Vec<FieldRef> {
    vec![
        list_state_field(aggregate, "values", DataType::Float64),
        list_state_field(aggregate, "counts", DataType::Int64),
    ]
}

impl Values {
    pub(super) fn new(choice: Choice) -> Self {
        Self { counted: Vec::new(), choice }
    }

    fn count(&mut self, value: f64, times: i64) {
        // 0 and −0 are one value.
        let value = value + 0.0;
        match self.counted.binary_search_by(|(known, _)| known.total_cmp(&value)) {
            Ok(place) => self.counted[place].1 += times,
            Err(place) => self.counted.insert(place, (value, times)),
        }
    }
}

impl Member for Values {
    type Columns<'a> = Scores<'a>;
    type States<'a> = (&'a ListArray, &'a ListArray);

    fn columns(values: &[ArrayRef]) -> Result<Scores<'_>> {
        Scores::try_new(&values[0])
    }

    fn add(&mut self, scores: &Scores<'_>, row: usize) {
        if let Some(value) = scores.get(row) {
            self.count(value, 1);
        }
    }

    fn state(&self) -> Result<Vec<ScalarValue>> {
        let values: Float64Array = self.counted.iter().map(|(value, _)| Some(*value)).collect();
        let counts: Int64Array = self.counted.iter().map(|(_, times)| Some(*times)).collect();
        Ok(vec![list_value(Arc::new(values))?, list_value(Arc::new(counts))?])
    }

    fn states(states: &[ArrayRef]) -> Result<Self::States<'_>> {
        Ok((as_list_array(state_column(states, 0)?)?, as_list_array(state_column(states, 1)?)?))
    }

    fn merge(&mut self, (values, counts): &Self::States<'_>, row: usize) {
        if values.is_null(row) {
            return;
        }
        let (values, counts) = (values.value(row), counts.value(row));
        if let (Some(values), Some(counts)) =
            (values.as_primitive_opt::<Float64Type>(), counts.as_primitive_opt::<Int64Type>())
        {
            for (value, times) in values.values().iter().zip(counts.values()) {
                self.count(*value, *times);
            }
        }
    }

    fn answer(&self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Float64((self.choice)(&self.counted))])
    }

    fn heap_size(&self) -> usize {
        self.counted.capacity() * size_of::<(f64, i64)>()
    }
}
