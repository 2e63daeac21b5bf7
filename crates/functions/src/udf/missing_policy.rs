//! The last, optional argument of the functions over component scores.

use std::sync::Arc;

use arrow::array::Float64Array;
use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};

use crate::arguments::{Scores, constant_text, is_text, map_rows, number_type};
use crate::kernels::components::{Combination, CombinedScore, MissingPolicy};

/// The component types of a call, and whether a policy follows them.
pub(crate) fn split_types(given: &[DataType]) -> (&[DataType], bool) {
    match given.split_last() {
        Some((last, components)) if is_text(last) => (components, true),
        _ => (given, false),
    }
}

/// The types that components and policy are coerced to.
pub(crate) fn coerced_types(
    function: &str,
    components: &[DataType],
    has_policy: bool,
    component_name: impl Fn(usize) -> &'static str,
) -> Result<Vec<DataType>> {
    if components.is_empty() {
        return plan_err!("`{function}` takes at least one `{}`", component_name(0));
    }
    let mut types = Vec::with_capacity(components.len() + 1);
    for (position, given) in components.iter().enumerate() {
        types.push(number_type(function, component_name(position), given)?);
    }
    if has_policy {
        types.push(DataType::Utf8);
    }
    Ok(types)
}

/// The component values of a call and its policy.
pub(crate) fn split_values<'a>(
    function: &str,
    values: &'a [ColumnarValue],
) -> Result<(&'a [ColumnarValue], MissingPolicy)> {
    match values.split_last() {
        Some((last, components)) if is_text(&last.data_type()) => Ok((components, policy(function, last)?)),
        _ => Ok((values, MissingPolicy::default())),
    }
}

/// Combines components that have no weights.
pub(crate) fn combine_unweighted(function: &str, args: &ScalarFunctionArgs, how: Combination) -> Result<ColumnarValue> {
    let (components, policy) = split_values(function, &args.args)?;
    map_rows(components, args.number_rows, |columns, rows| {
        let mut combined = vec![CombinedScore::EMPTY; rows];
        for column in columns {
            let scores = Scores::try_new(column)?;
            for (row, combined) in combined.iter_mut().enumerate() {
                combined.add(how, policy, scores.get(row), 1.0);
            }
        }
        let scores = combined.into_iter().map(|row| row.finish(how, policy));
        Ok(Arc::new(scores.collect::<Float64Array>()))
    })
}

fn policy(function: &str, value: &ColumnarValue) -> Result<MissingPolicy> {
    let Some(name) = constant_text(function, "policy", value)? else {
        return Ok(MissingPolicy::default());
    };
    match name.parse() {
        Ok(policy) => Ok(policy),
        Err(_) => {
            exec_err!("`{function}` knows no policy `{name}`; it is one of `{}`", MissingPolicy::NAMES.join("`, `"))
        }
    }
}
