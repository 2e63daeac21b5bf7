//! Functions that make or do as much as an argument says: refused where that is beyond reason.
//!
//! What a function allocates for one batch is in no memory pool, so no limit of a query holds it back; and it
//! does not give way within a batch, so no limit of time does.

use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, FieldRef, Int64Type};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};

/// Bytes that one call may make of one batch.
const BYTES_MAX: u128 = 256 << 20;

/// Pairs of characters that one call may compare for one batch: some twenty seconds.
const STEPS_MAX: u128 = 20_000_000_000;

/// The functions, and what says how much they make or do.
const FUNCTIONS: [(&str, Size); 8] = [
    ("repeat", Size::TextTimes),
    ("lpad", Size::Length),
    ("rpad", Size::Length),
    ("array_repeat", Size::Length),
    ("array_resize", Size::Length),
    ("range", Size::Range),
    ("generate_series", Size::Range),
    ("levenshtein", Size::Pairs),
];

/// What the size of a call follows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Size {
    /// The first argument's, as many times as the second says.
    TextTimes,
    /// What the second argument says.
    Length,
    /// The distance of the first two arguments, in steps of the third.
    Range,
    /// Each character of the first argument with each of the second.
    Pairs,
}

/// A function with an end to what it makes and does.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Bounded {
    inner: Arc<ScalarUDF>,
    size: Size,
}

/// The functions of a session that need an end, with one.
pub(crate) fn bounded<'a>(
    functions: impl IntoIterator<Item = (&'a String, &'a Arc<ScalarUDF>)>,
) -> Vec<Arc<ScalarUDF>> {
    let size_of = |name: &str| FUNCTIONS.iter().find(|(known, _)| *known == name).map(|(_, size)| *size);
    functions
        .into_iter()
        .filter_map(|(name, inner)| {
            let size = size_of(name)?;
            Some(Arc::new(ScalarUDF::new_from_impl(Bounded { inner: Arc::clone(inner), size })))
        })
        .collect()
}

impl Bounded {
    /// Bytes of the result, or steps on the way to it, about.
    fn size(&self, args: &ScalarFunctionArgs) -> Result<u128> {
        let number = |at: usize, row: usize| integer(args.args.get(at)?, row);
        // One row stands for all where no argument differs.
        let is_constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if is_constant { 1 } else { args.number_rows };
        let length = |at: usize, row: usize| args.args.get(at).map_or(0, |text| text_length(text, row)) as u128;
        let of_row = |row: usize| match self.size {
            Size::TextTimes => length(0, row) * number(1, row).map_or(0, |times| times.max(0) as u128),
            Size::Length => number(1, row).map_or(0, |length| length.max(0) as u128),
            Size::Range => {
                let (first, second) = (number(0, row), number(1, row));
                let (start, stop) = if args.args.len() == 1 { (Some(0), first) } else { (first, second) };
                let step = number(2, row).map_or(1, i64::unsigned_abs).max(1);
                match (start, stop) {
                    (Some(start), Some(stop)) => 8 * u128::from(start.abs_diff(stop) / step),
                    // Of dates there are not that many.
                    _ => 0,
                }
            }
            Size::Pairs => length(0, row) * length(1, row),
        };
        Ok((0..rows).map(of_row).sum())
    }
}

fn integer(value: &ColumnarValue, row: usize) -> Option<i64> {
    match value {
        ColumnarValue::Scalar(scalar) => match scalar.cast_to(&DataType::Int64).ok()? {
            datafusion::common::ScalarValue::Int64(number) => number,
            _ => None,
        },
        ColumnarValue::Array(array) if array.data_type().is_integer() => {
            let one = cast(&array.slice(row, 1), &DataType::Int64).ok()?;
            let one = one.as_primitive_opt::<Int64Type>()?;
            one.is_valid(0).then(|| one.value(0))
        }
        ColumnarValue::Array(_) => None,
    }
}

fn text_length(value: &ColumnarValue, row: usize) -> usize {
    match value {
        ColumnarValue::Scalar(scalar) => scalar.try_as_str().flatten().map_or(0, str::len),
        ColumnarValue::Array(array) => match array.data_type() {
            DataType::Utf8 => array.as_string::<i32>().value(row).len(),
            DataType::LargeUtf8 => array.as_string::<i64>().value(row).len(),
            DataType::Utf8View => array.as_string_view().value(row).len(),
            _ => 0,
        },
    }
}

impl ScalarUDFImpl for Bounded {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(arg_types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        self.inner.return_field_from_args(args)
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(arg_types)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let (name, size) = (self.name(), self.size(&args)?);
        match self.size {
            Size::Pairs if size > STEPS_MAX => exec_err!(
                "`{name}` would compare {size} pairs of characters in one batch of rows, at most {STEPS_MAX}; compare \
                 beginnings, `{name}(left(a, 1000), left(b, 1000))`, or use `levenshtein_score`"
            ),
            Size::TextTimes | Size::Length | Size::Range if size > BYTES_MAX => {
                exec_err!("`{name}` would make {size} bytes of one batch of rows, at most {BYTES_MAX}")
            }
            _ => self.inner.invoke_with_args(args),
        }
    }
}
