//! Many small accumulators as one grouped accumulator.
//!
//! The engine's own adapter cuts every batch into one slice a group before it calls an accumulator;
//! with thousands of groups that costs more than the sums. Here rows go straight to their group's
//! member, and answers are built column by column.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, StructArray};
use arrow::datatypes::Fields;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};

use super::state::struct_value;

/// One group's part: something that takes rows, travels as a partial state, and answers.
pub(super) trait Member: Clone + std::fmt::Debug + Send + Sync + 'static {
    /// The argument columns, opened once a batch.
    type Columns<'a>;
    /// The columns of a partial state, opened once a batch.
    type States<'a>;

    fn columns(values: &[ArrayRef]) -> Result<Self::Columns<'_>>;
    fn add(&mut self, columns: &Self::Columns<'_>, row: usize);
    fn state(&self) -> Result<Vec<ScalarValue>>;
    fn states(states: &[ArrayRef]) -> Result<Self::States<'_>>;
    fn merge(&mut self, states: &Self::States<'_>, row: usize);
    /// The answer: one value, or the fields of the answer's struct.
    fn answer(&self) -> Result<Vec<ScalarValue>>;
    fn heap_size(&self) -> usize;
}

/// The members of all groups.
pub(super) struct Groups<M> {
    empty: M,
    members: Vec<M>,
    /// Fields of the answer's struct; none for a plain value.
    fields: Option<Fields>,
    heap: usize,
}

impl<M: Member> Groups<M> {
    pub(super) fn new(empty: M, fields: Option<Fields>) -> Self {
        Self { empty, members: Vec::new(), fields, heap: 0 }
    }

    fn for_each(
        &mut self,
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
        mut visit: impl FnMut(&mut M, usize),
    ) {
        self.members.resize(total, self.empty.clone());
        for (row, group) in groups.iter().enumerate() {
            if filter.is_none_or(|keep| keep.is_valid(row) && keep.value(row)) {
                visit(&mut self.members[*group], row);
            }
        }
    }

    fn take(&mut self, emit: EmitTo) -> Vec<M> {
        emit.take_needed(&mut self.members)
    }
}

/// One member as an accumulator of its own.
#[derive(Debug)]
pub(super) struct Single<M> {
    member: M,
    fields: Option<Fields>,
}

impl<M: Member> Single<M> {
    pub(super) fn new(member: M, fields: Option<Fields>) -> Self {
        Self { member, fields }
    }
}

/// The answer of one member.
pub(super) fn single_answer<M: Member>(member: &M, fields: Option<&Fields>) -> Result<ScalarValue> {
    let mut values = member.answer()?;
    match fields {
        Some(fields) => struct_value(fields, values),
        None => Ok(values.swap_remove(0)),
    }
}

impl<M: Member> Accumulator for Single<M> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let columns = M::columns(values)?;
        (0..values[0].len()).for_each(|row| self.member.add(&columns, row));
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.member.state()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let columns = M::states(states)?;
        (0..states[0].len()).for_each(|row| self.member.merge(&columns, row));
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        single_answer(&self.member, self.fields.as_ref())
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.member.heap_size()
    }
}

/// Rows of scalars as columns; `sample` gives the types where there are no rows.
fn transposed(
    mut rows: Vec<Vec<ScalarValue>>,
    sample: impl FnOnce() -> Result<Vec<ScalarValue>>,
) -> Result<Vec<ArrayRef>> {
    let is_empty = rows.is_empty();
    if is_empty {
        rows.push(sample()?);
    }
    let width = rows.first().map_or(0, Vec::len);
    let mut columns: Vec<Vec<ScalarValue>> = (0..width).map(|_| Vec::with_capacity(rows.len())).collect();
    for row in rows {
        for (column, value) in columns.iter_mut().zip(row) {
            column.push(value);
        }
    }
    let arrays = columns.into_iter().map(ScalarValue::iter_to_array);
    arrays.map(|array| Ok(if is_empty { array?.slice(0, 0) } else { array? })).collect()
}

impl<M: Member> GroupsAccumulator for Groups<M> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        let columns = M::columns(values)?;
        self.for_each(group_indices, opt_filter, total_num_groups, |member, row| member.add(&columns, row));
        Ok(())
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        let states = M::states(values)?;
        self.for_each(group_indices, None, total_num_groups, |member, row| member.merge(&states, row));
        self.heap = self.members.iter().map(Member::heap_size).sum();
        Ok(())
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let rows = self.take(emit_to).iter().map(Member::state).collect::<Result<Vec<_>>>()?;
        transposed(rows, || self.empty.state())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let rows = self.take(emit_to).iter().map(Member::answer).collect::<Result<Vec<_>>>()?;
        let mut columns = transposed(rows, || self.empty.answer())?;
        match &self.fields {
            Some(fields) => Ok(Arc::new(StructArray::try_new(fields.clone(), columns, None)?)),
            None => Ok(columns.swap_remove(0)),
        }
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let columns = M::columns(values)?;
        let of_row = |row: usize| {
            let mut member = self.empty.clone();
            if opt_filter.is_none_or(|keep| keep.is_valid(row) && keep.value(row)) {
                member.add(&columns, row);
            }
            member.state()
        };
        let rows = (0..values[0].len()).map(of_row).collect::<Result<Vec<_>>>()?;
        transposed(rows, || self.empty.state())
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.members.capacity() * size_of::<M>() + self.heap
    }
}
