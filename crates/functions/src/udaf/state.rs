//! What the aggregate functions share: how their partial states travel between partitions, and how
//! their answers become structs.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array, Int64Array, ListArray, StringArray, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::compute::can_cast_types;
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::cast::{as_float64_array, as_int64_array, as_list_array, as_string_array};
use datafusion::common::{Result, ScalarValue, exec_err, not_impl_err, plan_err};
use datafusion::logical_expr::utils::format_state_name;

use crate::kernels::clusters::{ClusterSum, Clusters};
use crate::kernels::compensated::CompensatedSum;
use crate::kernels::moments::Moments;

/// A nullable field of a partial state.
pub(super) fn state_field(aggregate: &str, name: &str, data_type: DataType) -> FieldRef {
    Arc::new(Field::new(format_state_name(aggregate, name), data_type, true))
}

/// A field of a partial state that holds a list.
pub(super) fn list_state_field(aggregate: &str, name: &str, item: DataType) -> FieldRef {
    state_field(aggregate, name, DataType::new_list(item, true))
}

/// Refuses `DISTINCT`: equal scores of different cases are different observations.
pub(super) fn refuse_distinct(function: &str, is_distinct: bool) -> Result<()> {
    if is_distinct {
        return not_impl_err!("`{function}` does not take DISTINCT");
    }
    Ok(())
}

/// The type that a cluster is coerced to: its text, whatever its type.
pub(super) fn cluster_type(function: &str, given: &DataType) -> Result<DataType> {
    if can_cast_types(given, &DataType::Utf8) {
        Ok(DataType::Utf8)
    } else {
        plan_err!("`{function}` cannot tell clusters of type {given} apart")
    }
}

/// A struct of one answer.
pub(super) fn struct_value(fields: &Fields, values: Vec<ScalarValue>) -> Result<ScalarValue> {
    let columns = values.iter().map(|value| value.to_array_of_size(1)).collect::<Result<Vec<ArrayRef>>>()?;
    Ok(ScalarValue::Struct(Arc::new(StructArray::try_new(fields.clone(), columns, None)?)))
}

/// The fields of a struct: `n`, numbers, `method`.
pub(super) fn answer_fields(numbers: &[&str]) -> Fields {
    let numbers = numbers.iter().map(|name| Field::new(*name, DataType::Float64, true));
    std::iter::once(Field::new("n", DataType::Int64, true))
        .chain(numbers)
        .chain([Field::new("method", DataType::Utf8, true)])
        .collect()
}

/// The column at a place of a partial state.
pub(super) fn state_column(states: &[ArrayRef], place: usize) -> Result<&ArrayRef> {
    match states.get(place) {
        Some(column) => Ok(column),
        None => exec_err!("internal: a partial state has no column {place}"),
    }
}

pub(super) const SUM_FIELDS: [&str; 2] = ["high", "low"];

/// The two fields of a sum.
pub(super) fn sum_fields(aggregate: &str, prefix: &str) -> Vec<FieldRef> {
    SUM_FIELDS.iter().map(|name| state_field(aggregate, &format!("{prefix}_{name}"), DataType::Float64)).collect()
}

pub(super) fn sum_values(sum: CompensatedSum) -> [ScalarValue; 2] {
    [ScalarValue::from(sum.high), ScalarValue::from(sum.low)]
}

/// A sum as it comes from other partitions.
#[derive(Debug)]
pub(super) struct SumColumns<'a> {
    high: &'a Float64Array,
    low: &'a Float64Array,
}

impl<'a> SumColumns<'a> {
    pub(super) fn try_new(states: &'a [ArrayRef], place: usize) -> Result<Self> {
        Ok(Self {
            high: as_float64_array(state_column(states, place)?)?,
            low: as_float64_array(state_column(states, place + 1)?)?,
        })
    }

    pub(super) fn get(&self, row: usize) -> CompensatedSum {
        CompensatedSum { high: self.high.value(row), low: self.low.value(row) }
    }
}

/// How many columns [`moment_fields`] gives.
pub(super) const MOMENT_COLUMNS: usize = 7;

/// The fields of a set of values.
pub(super) fn moment_fields(aggregate: &str, prefix: &str) -> Vec<FieldRef> {
    let number = |name: &str| state_field(aggregate, &format!("{prefix}_{name}"), DataType::Float64);
    let mut fields = vec![state_field(aggregate, &format!("{prefix}_count"), DataType::Int64)];
    fields.extend(sum_fields(aggregate, &format!("{prefix}_sum")));
    fields.extend(sum_fields(aggregate, &format!("{prefix}_squares")));
    fields.extend([number("min"), number("max")]);
    fields
}

pub(super) fn moment_values(moments: &Moments) -> Vec<ScalarValue> {
    let mut values = vec![ScalarValue::from(moments.count)];
    values.extend(sum_values(moments.sum));
    values.extend(sum_values(moments.squares));
    values.extend([ScalarValue::from(moments.min), ScalarValue::from(moments.max)]);
    values
}

/// Sets of values as they come from other partitions.
#[derive(Debug)]
pub(super) struct MomentColumns<'a> {
    count: &'a Int64Array,
    sum: SumColumns<'a>,
    squares: SumColumns<'a>,
    min: &'a Float64Array,
    max: &'a Float64Array,
}

impl<'a> MomentColumns<'a> {
    pub(super) fn try_new(states: &'a [ArrayRef], place: usize) -> Result<Self> {
        Ok(Self {
            count: as_int64_array(state_column(states, place)?)?,
            sum: SumColumns::try_new(states, place + 1)?,
            squares: SumColumns::try_new(states, place + 3)?,
            min: as_float64_array(state_column(states, place + 5)?)?,
            max: as_float64_array(state_column(states, place + 6)?)?,
        })
    }

    pub(super) fn len(&self) -> usize {
        self.count.len()
    }

    pub(super) fn get(&self, row: usize) -> Moments {
        Moments {
            count: self.count.value(row),
            sum: self.sum.get(row),
            squares: self.squares.get(row),
            min: self.min.value(row),
            max: self.max.value(row),
        }
    }
}

/// The fields of clusters: the values without one, then four lists, one entry a cluster.
pub(super) fn cluster_fields(aggregate: &str) -> Vec<FieldRef> {
    let mut fields = moment_fields(aggregate, "unclustered");
    fields.extend([
        list_state_field(aggregate, "cluster_name", DataType::Utf8),
        list_state_field(aggregate, "cluster_count", DataType::Int64),
        list_state_field(aggregate, "cluster_high", DataType::Float64),
        list_state_field(aggregate, "cluster_low", DataType::Float64),
    ]);
    fields
}

pub(super) fn cluster_values(clusters: &Clusters) -> Result<Vec<ScalarValue>> {
    let named = clusters.sorted();
    let names: StringArray = named.iter().map(|(name, _)| Some(*name)).collect();
    let counts: Int64Array = named.iter().map(|(_, cluster)| Some(cluster.count)).collect();
    let high: Float64Array = named.iter().map(|(_, cluster)| Some(cluster.sum.high)).collect();
    let low: Float64Array = named.iter().map(|(_, cluster)| Some(cluster.sum.low)).collect();
    let mut values = moment_values(clusters.unnamed());
    values.extend([
        list_value(Arc::new(names))?,
        list_value(Arc::new(counts))?,
        list_value(Arc::new(high))?,
        list_value(Arc::new(low))?,
    ]);
    Ok(values)
}

/// A list of the items of a column.
pub(super) fn list_value(items: ArrayRef) -> Result<ScalarValue> {
    let field = Arc::new(Field::new_list_field(items.data_type().clone(), true));
    let offsets = OffsetBuffer::from_lengths([items.len()]);
    Ok(ScalarValue::List(Arc::new(ListArray::try_new(field, offsets, items, None)?)))
}

/// Adds the clusters of other partitions.
pub(super) fn merge_clusters(clusters: &mut Clusters, states: &[ArrayRef], place: usize) -> Result<()> {
    let unnamed = MomentColumns::try_new(states, place)?;
    let list = |offset| as_list_array(state_column(states, place + MOMENT_COLUMNS + offset)?);
    let (names, counts, high, low) = (list(0)?, list(1)?, list(2)?, list(3)?);
    for row in 0..unnamed.len() {
        clusters.merge_unnamed(&unnamed.get(row));
        if names.is_null(row) {
            continue;
        }
        let (names, counts) = (names.value(row), counts.value(row));
        let (high, low) = (high.value(row), low.value(row));
        let (names, counts) = (as_string_array(&names)?, as_int64_array(&counts)?);
        let (high, low) = (as_float64_array(&high)?, as_float64_array(&low)?);
        for cluster in 0..names.len() {
            let sum = CompensatedSum { high: high.value(cluster), low: low.value(cluster) };
            let part = ClusterSum { count: counts.value(cluster), sum };
            clusters.merge_named(names.value(cluster), part);
        }
    }
    Ok(())
}
