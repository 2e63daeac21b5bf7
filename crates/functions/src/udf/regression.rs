//! `regression`: what became of one score of one case.
//!
//! | base | candidate | class |
//! |---|---|---|
//! | number | number | `improved`, `regressed`, or `unchanged` within the tolerance |
//! | number | null | `lost_score` |
//! | null | number | `gained_score` |
//! | null | null | `no_score` |
//!
//! The classes partition the pairs, so counts of them add up. Not-a-number reads as null. A
//! difference equal to the tolerance is `unchanged`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::DataType;
use datafusion::common::cast::as_string_array;
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use datafusion_macros::user_doc;

use crate::arguments::{Scores, map_rows, number_type, text_type};
use crate::kernels::score_class::{DEFAULT_TOLERANCE, Direction, ScoreClass};

#[user_doc(
    doc_section(label = "Score Functions"),
    description = "What became of a score from base to candidate: `improved`, `regressed`, `unchanged`, `lost_score` (only the base has it), `gained_score` (only the candidate has it) or `no_score` (neither has it). Every pair is in exactly one class.",
    syntax_example = "regression(base, candidate[, tolerance[, direction]])",
    sql_example = r#"```sql
> SELECT regression(0.5, 0.4) AS score, regression(0.5, 0.4, 0.2) AS tolerant, regression(1.5, 1.2, 0, 'lower') AS seconds, regression(0.5, NULL) AS lost;
+-----------+-----------+----------+------------+
| score     | tolerant  | seconds  | lost       |
+-----------+-----------+----------+------------+
| regressed | unchanged | improved | lost_score |
+-----------+-----------+----------+------------+
```"#,
    argument(name = "base", description = "The score of the baseline."),
    argument(name = "candidate", description = "The score of the candidate."),
    argument(
        name = "tolerance",
        description = "The largest difference that still counts as unchanged, absolute. Default 1e-9, also where it is null."
    ),
    argument(
        name = "direction",
        description = "`higher` (default, also where it is null) or `lower`: which way is better."
    ),
    related_udf(name = "delta")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Regression {
    signature: Signature,
}

impl Default for Regression {
    fn default() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Regression {
    fn name(&self) -> &str {
        "regression"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        if !(2..=4).contains(&given.len()) {
            return plan_err!(
                "`regression` takes two to four arguments (base, candidate, tolerance, direction), got {}",
                given.len()
            );
        }
        let names = ["base", "candidate", "tolerance", "direction"];
        let coerce = |(name, given)| match name {
            "direction" => text_type(self.name(), name, given),
            _ => number_type(self.name(), name, given),
        };
        names.into_iter().zip(given).map(coerce).collect()
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        map_rows(&args.args, args.number_rows, classes)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

fn classes(columns: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
    let (base, candidate) = (Scores::try_new(&columns[0])?, Scores::try_new(&columns[1])?);
    let tolerances = columns.get(2).map(|column| Scores::try_new(column)).transpose()?;
    let directions = columns.get(3).map(|column| as_string_array(column)).transpose()?;
    let mut names = ClassNames::with_capacity(rows);
    for row in 0..rows {
        let tolerance = match tolerances {
            Some(column) => checked_tolerance(column.get(row))?,
            None => DEFAULT_TOLERANCE,
        };
        let direction = match directions {
            Some(column) if column.is_valid(row) => checked_direction(column.value(row))?,
            _ => Direction::default(),
        };
        names.push(ScoreClass::of(base.get(row), candidate.get(row), tolerance, direction));
    }
    names.finish()
}

/// Each class's name, filled up to the length of the longest.
const PADDED_NAMES: [[u8; ScoreClass::NAME_MAX]; ScoreClass::ALL.len()] = {
    let mut padded = [[0; ScoreClass::NAME_MAX]; ScoreClass::ALL.len()];
    let mut class = 0;
    while class < ScoreClass::ALL.len() {
        let name = ScoreClass::ALL[class].name().as_bytes();
        let mut byte = 0;
        while byte < name.len() {
            padded[class][byte] = name[byte];
            byte += 1;
        }
        class += 1;
    }
    padded
};

/// A text column of classes. A filled-up name is copied, a copy of fixed size, and the next one
/// overwrites what is too much.
struct ClassNames {
    bytes: Vec<u8>,
    offsets: Vec<i32>,
    end: usize,
}

impl ClassNames {
    fn with_capacity(rows: usize) -> Self {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        Self { bytes: vec![0; rows * ScoreClass::NAME_MAX], offsets, end: 0 }
    }

    #[inline]
    fn push(&mut self, class: ScoreClass) {
        let room = &mut self.bytes[self.end..self.end + ScoreClass::NAME_MAX];
        room.copy_from_slice(&PADDED_NAMES[class as usize]);
        self.end += class.name().len();
        self.offsets.push(self.end as i32);
    }

    fn finish(mut self) -> Result<ArrayRef> {
        if i32::try_from(self.end).is_err() {
            return exec_err!("`regression` takes fewer rows in one batch");
        }
        self.bytes.truncate(self.end);
        let offsets = OffsetBuffer::new(self.offsets.into());
        Ok(Arc::new(StringArray::try_new(offsets, self.bytes.into(), None)?))
    }
}

fn checked_tolerance(tolerance: Option<f64>) -> Result<f64> {
    match tolerance {
        None => Ok(DEFAULT_TOLERANCE),
        Some(tolerance) if tolerance >= 0.0 => Ok(tolerance),
        Some(tolerance) => {
            exec_err!("`regression` takes a tolerance of 0 or more, not {tolerance}")
        }
    }
}

fn checked_direction(name: &str) -> Result<Direction> {
    match Direction::from_name(name) {
        Some(direction) => Ok(direction),
        None => exec_err!("`regression` knows no direction `{name}`; it is one of `{}`", Direction::NAMES.join("`, `")),
    }
}
