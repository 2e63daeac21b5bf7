//! What `pass_at_k`, `pass_hat_k` and `at_least` share: counts of trials and of passes.
//!
//! A trial without a score is no trial. A trial passes with a score of the threshold or more; the
//! threshold is 1 unless the call says otherwise.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::cast::as_int64_array;
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::physical_expr::expressions::Literal;
use datafusion::physical_plan::PhysicalExpr;

use super::groups::Member;
use super::state::{state_column, state_field};
use crate::arguments::{Scores, number_type};

/// A pass, where the call does not say otherwise.
const THRESHOLD: f64 = 1.0;

/// From trials, passes and k to the answer.
pub(super) type Formula = fn(u64, u64, u64) -> Option<f64>;

/// The trials of one case.
#[derive(Debug, Clone)]
pub(super) struct Passes {
    trials: i64,
    passes: i64,
    k: u64,
    threshold: f64,
    formula: Formula,
}

pub(super) fn argument_types(function: &str, given: &[DataType]) -> Result<Vec<DataType>> {
    if !(2..=3).contains(&given.len()) {
        return plan_err!("`{function}` takes two or three arguments (score, k, threshold), got {}", given.len());
    }
    let names = ["score", "k", "threshold"];
    names.into_iter().zip(given).map(|(name, given)| number_type(function, name, given)).collect()
}

pub(super) fn state_fields(aggregate: &str) -> Vec<FieldRef> {
    vec![state_field(aggregate, "trials", DataType::Int64), state_field(aggregate, "passes", DataType::Int64)]
}

impl Passes {
    pub(super) fn new(function: &str, arguments: &[Arc<dyn PhysicalExpr>], formula: Formula) -> Result<Self> {
        let constant = |place: usize, name: &str| match arguments.get(place).map(|a| a.downcast_ref::<Literal>()) {
            None => Ok(None),
            Some(Some(literal)) => match literal.value() {
                ScalarValue::Float64(value) => Ok(*value),
                other => exec_err!("`{function}` takes a number as `{name}`, got {other}"),
            },
            Some(None) => exec_err!("`{function}` takes a constant as `{name}`, not a column"),
        };
        let k = match constant(1, "k")? {
            Some(k) if k >= 1.0 && k.fract() == 0.0 && k <= 1e9 => k as u64,
            Some(k) => return exec_err!("`{function}` takes a whole number of 1 or more as `k`, got {k}"),
            None => return exec_err!("`{function}` takes a whole number of 1 or more as `k`, got null"),
        };
        let threshold = constant(2, "threshold")?.unwrap_or(THRESHOLD);
        Ok(Self { trials: 0, passes: 0, k, threshold, formula })
    }

    fn value(&self) -> Option<f64> {
        (self.formula)(self.trials.unsigned_abs(), self.passes.unsigned_abs(), self.k)
    }
}

impl Member for Passes {
    type Columns<'a> = Scores<'a>;
    type States<'a> = (&'a Int64Array, &'a Int64Array);

    fn columns(values: &[ArrayRef]) -> Result<Scores<'_>> {
        Scores::try_new(&values[0])
    }

    #[inline]
    fn add(&mut self, scores: &Scores<'_>, row: usize) {
        if let Some(score) = scores.get(row) {
            self.trials += 1;
            self.passes += i64::from(score >= self.threshold);
        }
    }

    fn state(&self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::from(self.trials), ScalarValue::from(self.passes)])
    }

    fn states(states: &[ArrayRef]) -> Result<Self::States<'_>> {
        Ok((as_int64_array(state_column(states, 0)?)?, as_int64_array(state_column(states, 1)?)?))
    }

    #[inline]
    fn merge(&mut self, (trials, passes): &Self::States<'_>, row: usize) {
        self.trials += trials.value(row);
        self.passes += passes.value(row);
    }

    fn answer(&self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Float64(self.value())])
    }

    fn heap_size(&self) -> usize {
        0
    }
}
