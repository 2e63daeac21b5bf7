//! What `agreement`, `cohen_kappa` and `weighted_kappa` share: pairs of categories, counted.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, ListArray, StringArray};
use arrow::datatypes::{DataType, FieldRef, Int64Type};
use datafusion::common::cast::{as_float64_array, as_list_array, as_string_array};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};

use super::groups::Member;
use super::state::{list_state_field, list_value, state_column};
use crate::arguments::{is_number, is_text};
use crate::kernels::agreement::{self, Agreement};

/// Categories beyond this are no categories but measurements.
const CATEGORIES_MAX: usize = 1_000;

/// From the agreement to the answer.
pub(super) type Choice = fn(Option<&Agreement>) -> Vec<ScalarValue>;

/// A category: a number, by value, or a text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Category {
    /// Bits of the number, turned so that they sort as the number does.
    Number(u64),
    Text(String),
}

impl Category {
    fn of_number(value: f64) -> Self {
        let bits = (value + 0.0).to_bits();
        Self::Number(if bits >> 63 == 0 { bits | 1 << 63 } else { !bits })
    }

    /// As it travels in a partial state: the number's sortable bits, or the text.
    fn written(&self) -> String {
        match self {
            Self::Number(bits) => format!("n{bits}"),
            Self::Text(text) => format!("t{text}"),
        }
    }

    fn read(text: &str) -> Option<Self> {
        match text.split_at_checked(1)? {
            ("n", bits) => bits.parse().ok().map(Self::Number),
            ("t", text) => Some(Self::Text(text.to_string())),
            _ => None,
        }
    }
}

/// How often each pair of categories was seen.
#[derive(Debug, Clone)]
pub(super) struct Judgements {
    counts: HashMap<(Category, Category), i64>,
    choice: Choice,
}

/// The types of the two judgements: both numbers, or both text.
pub(super) fn argument_types(function: &str, given: &[DataType]) -> Result<Vec<DataType>> {
    let [a, b] = given else {
        return plan_err!("`{function}` takes two judgements, got {}", given.len());
    };
    if is_number(a) && is_number(b) {
        Ok(vec![DataType::Float64; 2])
    } else if [a, b].into_iter().all(|one| is_text(one) || is_number(one)) {
        Ok(vec![DataType::Utf8; 2])
    } else {
        plan_err!("`{function}` takes numbers or texts, not {a} and {b}")
    }
}

pub(super) fn state_fields(aggregate: &str) -> Vec<FieldRef> {
    vec![
        list_state_field(aggregate, "first", DataType::Utf8),
        list_state_field(aggregate, "second", DataType::Utf8),
        list_state_field(aggregate, "counts", DataType::Int64),
    ]
}

impl Judgements {
    pub(super) fn new(choice: Choice) -> Self {
        Self { counts: HashMap::new(), choice }
    }

    fn agreement(&self) -> Result<Option<Agreement>> {
        let categories: BTreeSet<&Category> = self.counts.keys().flat_map(|(a, b)| [a, b]).collect();
        if categories.len() > CATEGORIES_MAX {
            return exec_err!(
                "agreement takes at most {CATEGORIES_MAX} categories, found {}: put the scores into bins, as in round(score, 1)",
                categories.len()
            );
        }
        let place: HashMap<&Category, usize> = categories.into_iter().enumerate().map(|(i, c)| (c, i)).collect();
        let mut table = vec![vec![0; place.len()]; place.len()];
        for ((a, b), count) in &self.counts {
            table[place[a]][place[b]] += count;
        }
        Ok(agreement::agreement(&table))
    }
}

/// The two argument columns.
pub(super) enum Pair<'a> {
    Numbers(&'a Float64Array, &'a Float64Array),
    Texts(&'a StringArray, &'a StringArray),
}

impl Member for Judgements {
    type Columns<'a> = Pair<'a>;
    type States<'a> = [&'a ListArray; 3];

    fn columns(values: &[ArrayRef]) -> Result<Pair<'_>> {
        Ok(match values[0].data_type() {
            DataType::Float64 => Pair::Numbers(as_float64_array(&values[0])?, as_float64_array(&values[1])?),
            _ => Pair::Texts(as_string_array(&values[0])?, as_string_array(&values[1])?),
        })
    }

    fn add(&mut self, columns: &Pair<'_>, row: usize) {
        let pair = match columns {
            Pair::Numbers(a, b) => {
                let is_there = |array: &Float64Array| array.is_valid(row) && !array.value(row).is_nan();
                if !is_there(a) || !is_there(b) {
                    return;
                }
                (Category::of_number(a.value(row)), Category::of_number(b.value(row)))
            }
            Pair::Texts(a, b) => {
                if a.is_null(row) || b.is_null(row) {
                    return;
                }
                (Category::Text(a.value(row).to_string()), Category::Text(b.value(row).to_string()))
            }
        };
        *self.counts.entry(pair).or_default() += 1;
    }

    fn state(&self) -> Result<Vec<ScalarValue>> {
        let pairs: Vec<(&(Category, Category), &i64)> = self.counts.iter().collect();
        let first: StringArray = pairs.iter().map(|((a, _), _)| Some(a.written())).collect();
        let second: StringArray = pairs.iter().map(|((_, b), _)| Some(b.written())).collect();
        let counts: Int64Array = pairs.iter().map(|(_, count)| Some(**count)).collect();
        Ok(vec![list_value(Arc::new(first))?, list_value(Arc::new(second))?, list_value(Arc::new(counts))?])
    }

    fn states(states: &[ArrayRef]) -> Result<Self::States<'_>> {
        let list = |place| as_list_array(state_column(states, place)?);
        Ok([list(0)?, list(1)?, list(2)?])
    }

    fn merge(&mut self, [first, second, counts]: &Self::States<'_>, row: usize) {
        if first.is_null(row) {
            return;
        }
        let (first, second, counts) = (first.value(row), second.value(row), counts.value(row));
        let (Some(first), Some(second), Some(counts)) =
            (first.as_string_opt::<i32>(), second.as_string_opt::<i32>(), counts.as_primitive_opt::<Int64Type>())
        else {
            return;
        };
        for i in 0..first.len() {
            if let (Some(a), Some(b)) = (Category::read(first.value(i)), Category::read(second.value(i))) {
                *self.counts.entry((a, b)).or_default() += counts.value(i);
            }
        }
    }

    fn answer(&self) -> Result<Vec<ScalarValue>> {
        Ok((self.choice)(self.agreement()?.as_ref()))
    }

    fn heap_size(&self) -> usize {
        self.counts.capacity() * size_of::<((Category, Category), i64)>() * 2
    }
}
