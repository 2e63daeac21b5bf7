//! What the functions share about their arguments: types, options, rows.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array};
use arrow::datatypes::DataType;
use datafusion::common::cast::{as_float64_array, as_string_array};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};

/// The type that an argument holding a number is coerced to.
pub(crate) fn number_type(function: &str, argument: &str, given: &DataType) -> Result<DataType> {
    if is_number(given) {
        Ok(DataType::Float64)
    } else {
        plan_err!("`{function}` takes a number as `{argument}`, not {given}")
    }
}

/// True where [`number_type`] takes the type; truth values count as 0 and 1.
pub(crate) fn is_number(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => is_number(values),
        DataType::Null | DataType::Boolean => true,
        other => other.is_numeric(),
    }
}

/// The type that an argument holding a text option is coerced to.
pub(crate) fn text_type(function: &str, argument: &str, given: &DataType) -> Result<DataType> {
    if is_text(given) || given.is_null() {
        Ok(DataType::Utf8)
    } else {
        plan_err!("`{function}` takes a text as `{argument}`, not {given}")
    }
}

/// The types of two values that are compared as text: texts, numbers and truth values.
pub(crate) fn two_values(function: &str, given: &[DataType]) -> Result<Vec<DataType>> {
    let [output, expected] = given else {
        return plan_err!("`{function}` takes two arguments (output, expected), got {}", given.len());
    };
    let is_value = |given: &DataType| is_text(given) || is_number(given);
    match [output, expected].into_iter().find(|given| !is_value(given)) {
        Some(other) => plan_err!("`{function}` takes texts, numbers and JSON, not {other}"),
        None => Ok(vec![DataType::Utf8, DataType::Utf8]),
    }
}

/// True for text in any encoding.
pub(crate) fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => is_text(values),
        other => other.is_string(),
    }
}

/// The types that JSON text and the keys and indexes into it are coerced to.
pub(crate) fn json_path_types(function: &str, given: &[DataType]) -> Result<Vec<DataType>> {
    let Some((json, steps)) = given.split_first() else {
        return plan_err!("`{function}` takes at least one argument (json)");
    };
    let mut types = vec![text_type(function, "json", json)?];
    for step in steps {
        types.push(if step.is_integer() {
            DataType::Int64
        } else if is_text(step) {
            DataType::Utf8
        } else {
            return plan_err!("`{function}` takes keys and whole numbers, not {step}");
        });
    }
    Ok(types)
}

/// Runs a function over columns; constants alone give a constant.
pub(crate) fn map_rows(
    arguments: &[ColumnarValue],
    rows: usize,
    function: impl FnOnce(&[ArrayRef], usize) -> Result<ArrayRef>,
) -> Result<ColumnarValue> {
    let is_constant = arguments.iter().all(|value| matches!(value, ColumnarValue::Scalar(_)));
    let rows = if is_constant { 1 } else { rows };
    let columns = arguments.iter().map(|value| value.to_array(rows)).collect::<Result<Vec<ArrayRef>>>()?;
    let result = function(&columns, rows)?;
    if is_constant {
        return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?));
    }
    Ok(ColumnarValue::Array(result))
}

/// Scores two columns of [`two_values`] row by row; null where one of them is.
pub(crate) fn score_rows(
    args: &ScalarFunctionArgs,
    score: impl Fn(&str, &str) -> Option<f64>,
) -> Result<ColumnarValue> {
    map_rows(&args.args, args.number_rows, |columns, _| {
        let (outputs, expected) = (as_string_array(&columns[0])?, as_string_array(&columns[1])?);
        let scores = outputs.iter().zip(expected).map(|(output, expected)| score(output?, expected?));
        Ok(Arc::new(scores.collect::<Float64Array>()))
    })
}

/// A column of scores: not-a-number reads as null.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scores<'a>(&'a Float64Array);

impl<'a> Scores<'a> {
    pub(crate) fn try_new(column: &'a dyn Array) -> Result<Self> {
        Ok(Self(as_float64_array(column)?))
    }

    #[inline]
    pub(crate) fn get(self, row: usize) -> Option<f64> {
        let value = self.0.value(row);
        (self.0.is_valid(row) && !value.is_nan()).then_some(value)
    }

    /// The score where it is a finite number.
    #[inline]
    pub(crate) fn get_finite(self, row: usize) -> Option<f64> {
        let value = self.0.value(row);
        (self.0.is_valid(row) && value.is_finite()).then_some(value)
    }
}

/// A text option, which is one for all rows; none when it is null.
pub(crate) fn constant_text<'a>(function: &str, argument: &str, value: &'a ColumnarValue) -> Result<Option<&'a str>> {
    let ColumnarValue::Scalar(scalar) = value else {
        return exec_err!("`{function}` takes a constant as `{argument}`, not a column");
    };
    match scalar.try_as_str() {
        Some(text) => Ok(text),
        None => exec_err!("`{function}` takes a text as `{argument}`, not {}", scalar.data_type()),
    }
}
