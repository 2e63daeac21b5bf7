//! `paired_diff`: the mean difference of paired scores, with its interval and its test.
//!
//! ```text
//! base       0.5  0.25  0.75   null
//! candidate  1.0  0.5   0.75   1.0
//!
//! {n: 3, base_mean: 0.5, candidate_mean: 0.75, delta: 0.25, …, p: 0.5, method: sign_flip_exact}
//! ```
//!
//! A pair counts when both scores are finite numbers. No pairs give n = 0 and nulls; one gives no
//! spread and no interval; one cluster gives neither interval nor p. A pair without a cluster is a
//! cluster of its own. Which test is taken is said in
//! [`paired_sample`](crate::kernels::paired_sample).

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, ListArray};
use arrow::datatypes::{DataType, FieldRef, Fields, Float64Type};
use datafusion::common::cast::{as_boolean_array, as_int64_array, as_list_array, as_string_array};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, Documentation, GroupsAccumulator, Signature, Volatility,
};
use datafusion_macros::user_doc;

use super::groups::{Groups, Member};
use super::state::{
    MOMENT_COLUMNS, MomentColumns, SUM_FIELDS, SumColumns, answer_fields, cluster_fields, cluster_type, cluster_values,
    list_state_field, list_value, merge_clusters, moment_fields, moment_values, refuse_distinct, state_column,
    state_field, struct_value, sum_fields, sum_values,
};
use crate::arguments::{Scores, number_type};
use crate::kernels::paired_sample::{PairedSample, PairedSums};

pub(super) static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
    answer_fields(&["base_mean", "candidate_mean", "delta", "sd", "se", "ci_low", "ci_high", "t", "df", "p", "mde"])
});

#[user_doc(
    doc_section(label = "Statistical Functions"),
    description = "The mean difference candidate − base over pairs of scores, with its 95 % confidence interval, two-sided p-value and minimal detectable effect (80 % power at the 5 % level), as a struct `{n, base_mean, candidate_mean, delta, sd, se, ci_low, ci_high, t, df, p, mde, method}`. A pair counts when both scores are finite. The interval is a Student t interval. The p-value comes from `cluster_t` with clusters, else `mcnemar_exact` when all scores are 0 or 1, else `sign_flip_exact` up to 16 pairs, `sign_flip` (10,000 seeded draws) up to 29, and `paired_t` from 30.",
    syntax_example = "paired_diff(base, candidate[, cluster])",
    sql_example = r#"```sql
> SELECT d['n'] AS n, d['delta'] AS delta, round(d['ci_low'], 4) AS ci_low, round(d['ci_high'], 4) AS ci_high, d['p'] AS p, d['method'] AS method FROM (SELECT paired_diff(base, candidate) AS d FROM (VALUES (0.5, 1.0), (0.25, 0.5), (0.75, 0.75), (NULL, 1.0)) AS pairs(base, candidate));
+---+-------+--------+---------+-----+-----------------+
| n | delta | ci_low | ci_high | p   | method          |
+---+-------+--------+---------+-----+-----------------+
| 3 | 0.25  | -0.371 | 0.871   | 0.5 | sign_flip_exact |
+---+-------+--------+---------+-----+-----------------+
```"#,
    argument(name = "base", description = "The score of a case in the baseline."),
    argument(name = "candidate", description = "The score of the same case in the candidate."),
    argument(
        name = "cluster",
        description = "What makes cases alike (a document, a user, a conversation), of any type. A pair without one is a cluster of its own."
    ),
    related_udf(name = "mean_ci"),
    related_udf(name = "regression")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct PairedDiff {
    signature: Signature,
}

impl Default for PairedDiff {
    fn default() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl AggregateUDFImpl for PairedDiff {
    fn name(&self) -> &str {
        "paired_diff"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        if !(2..=3).contains(&given.len()) {
            return plan_err!(
                "`paired_diff` takes two or three arguments (base, candidate, cluster), got {}",
                given.len()
            );
        }
        let mut types =
            vec![number_type(self.name(), "base", &given[0])?, number_type(self.name(), "candidate", &given[1])?];
        if let Some(cluster) = given.get(2) {
            types.push(cluster_type(self.name(), cluster)?);
        }
        Ok(types)
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Struct(FIELDS.clone()))
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        refuse_distinct(self.name(), args.is_distinct)?;
        Ok(Box::new(PairedDiffAccumulator::new(args.exprs.len() == 3)))
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        args.exprs.len() == 2 && !args.is_distinct
    }

    fn create_groups_accumulator(&self, _args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Groups::new(PairedSample::new(false), Some(FIELDS.clone()))))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(paired_state_fields(args.name, args.input_fields.len() == 3))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn default_value(&self, _data_type: &DataType) -> Result<ScalarValue> {
        answer(&PairedSample::new(false))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

/// The fields of the partial state of pairs.
pub(super) fn paired_state_fields(aggregate: &str, is_clustered: bool) -> Vec<FieldRef> {
    let mut fields = moment_fields(aggregate, "difference");
    fields.extend(sum_fields(aggregate, "base"));
    fields.extend(sum_fields(aggregate, "candidate"));
    fields.extend([
        state_field(aggregate, "lost", DataType::Int64),
        state_field(aggregate, "won", DataType::Int64),
        state_field(aggregate, "is_binary", DataType::Boolean),
        list_state_field(aggregate, "few", DataType::Float64),
    ]);
    if is_clustered {
        fields.extend(cluster_fields(aggregate));
    }
    fields
}

// Where each part of the partial state begins, in the order of `state_fields`.
const BASE: usize = MOMENT_COLUMNS;
const CANDIDATE: usize = BASE + SUM_FIELDS.len();
const LOST: usize = CANDIDATE + SUM_FIELDS.len();
const WON: usize = LOST + 1;
const IS_BINARY: usize = WON + 1;
const FEW: usize = IS_BINARY + 1;
const CLUSTERS: usize = FEW + 1;

/// How many columns the partial state of pairs without clusters has.
pub(super) const PAIRED_COLUMNS: usize = CLUSTERS;

#[derive(Debug)]
pub(super) struct PairedDiffAccumulator {
    pub(super) sample: PairedSample,
}

impl PairedDiffAccumulator {
    pub(super) fn new(is_clustered: bool) -> Self {
        Self { sample: PairedSample::new(is_clustered) }
    }

    /// Adds pairs; the clusters come last where there are any.
    pub(super) fn add(
        &mut self,
        base: Scores<'_>,
        candidate: Scores<'_>,
        clusters: Option<&ArrayRef>,
        rows: usize,
    ) -> Result<()> {
        let pair = |row| Some((base.get_finite(row)?, candidate.get_finite(row)?));
        let Some(clusters) = clusters.filter(|_| self.sample.clusters.is_some()) else {
            self.sample.extend((0..rows).filter_map(pair));
            return Ok(());
        };
        for (row, cluster) in as_string_array(clusters)?.iter().enumerate() {
            if let Some((base, candidate)) = pair(row) {
                self.sample.add_clustered(base, candidate, cluster);
            }
        }
        Ok(())
    }
}

impl Accumulator for PairedDiffAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let (base, candidate) = (Scores::try_new(&values[0])?, Scores::try_new(&values[1])?);
        self.add(base, candidate, values.get(2), values[0].len())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let mut values = paired_values(&self.sample)?;
        if let Some(clusters) = &self.sample.clusters {
            values.extend(cluster_values(clusters)?);
        }
        Ok(values)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let columns = PairedColumns::try_new(states)?;
        for row in 0..columns.differences.len() {
            columns.merge_into(&mut self.sample, row);
        }
        if let Some(clusters) = &mut self.sample.clusters {
            merge_clusters(clusters, states, CLUSTERS)?;
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        answer(&self.sample)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.sample.heap_size()
    }
}

/// The partial state of pairs, clusters aside.
pub(super) fn paired_values(sample: &PairedSample) -> Result<Vec<ScalarValue>> {
    let sums = &sample.sums;
    let mut values = moment_values(&sums.differences);
    values.extend(sum_values(sums.base));
    values.extend(sum_values(sums.candidate));
    values.extend([
        ScalarValue::from(sums.lost),
        ScalarValue::from(sums.won),
        ScalarValue::from(sums.is_binary),
        match sample.few() {
            Some(few) => list_value(Arc::new(Float64Array::from(few.to_vec())))?,
            None => ScalarValue::new_null_list(DataType::Float64, true, 1),
        },
    ]);
    Ok(values)
}

/// Partial states of pairs as they come from other partitions.
pub(super) struct PairedColumns<'a> {
    differences: MomentColumns<'a>,
    base: SumColumns<'a>,
    candidate: SumColumns<'a>,
    lost: &'a Int64Array,
    won: &'a Int64Array,
    is_binary: &'a BooleanArray,
    few: &'a ListArray,
}

impl<'a> PairedColumns<'a> {
    pub(super) fn try_new(states: &'a [ArrayRef]) -> Result<Self> {
        Ok(Self {
            differences: MomentColumns::try_new(states, 0)?,
            base: SumColumns::try_new(states, BASE)?,
            candidate: SumColumns::try_new(states, CANDIDATE)?,
            lost: as_int64_array(state_column(states, LOST)?)?,
            won: as_int64_array(state_column(states, WON)?)?,
            is_binary: as_boolean_array(state_column(states, IS_BINARY)?)?,
            few: as_list_array(state_column(states, FEW)?)?,
        })
    }

    pub(super) fn merge_into(&self, sample: &mut PairedSample, row: usize) {
        sample.sums.merge(&PairedSums {
            differences: self.differences.get(row),
            base: self.base.get(row),
            candidate: self.candidate.get(row),
            lost: self.lost.value(row),
            won: self.won.value(row),
            is_binary: self.is_binary.value(row),
        });
        if self.few.is_null(row) {
            sample.merge_few(None);
        } else {
            let few = self.few.value(row);
            sample.merge_few(few.as_primitive_opt::<Float64Type>().map(|few| few.values().as_ref()));
        }
    }
}

impl Member for PairedSample {
    type Columns<'a> = (Scores<'a>, Scores<'a>);
    type States<'a> = PairedColumns<'a>;

    fn columns(values: &[ArrayRef]) -> Result<Self::Columns<'_>> {
        Ok((Scores::try_new(&values[0])?, Scores::try_new(&values[1])?))
    }

    #[inline]
    fn add(&mut self, (base, candidate): &Self::Columns<'_>, row: usize) {
        if let (Some(base), Some(candidate)) = (base.get_finite(row), candidate.get_finite(row)) {
            PairedSample::add(self, base, candidate);
        }
    }

    fn state(&self) -> Result<Vec<ScalarValue>> {
        paired_values(self)
    }

    fn states(states: &[ArrayRef]) -> Result<PairedColumns<'_>> {
        PairedColumns::try_new(states)
    }

    fn merge(&mut self, states: &PairedColumns<'_>, row: usize) {
        states.merge_into(self, row);
    }

    fn answer(&self) -> Result<Vec<ScalarValue>> {
        Ok(answer_values(self))
    }

    fn heap_size(&self) -> usize {
        PairedSample::heap_size(self)
    }
}

fn answer(sample: &PairedSample) -> Result<ScalarValue> {
    struct_value(&FIELDS, answer_values(sample))
}

/// What is said of pairs, in the order of the struct's fields.
pub(super) fn answer_values(sample: &PairedSample) -> Vec<ScalarValue> {
    let difference = sample.difference();
    vec![
        ScalarValue::from(difference.n),
        ScalarValue::from(difference.base_mean),
        ScalarValue::from(difference.candidate_mean),
        ScalarValue::from(difference.delta),
        ScalarValue::from(difference.sd),
        ScalarValue::from(difference.se),
        ScalarValue::from(difference.ci_low),
        ScalarValue::from(difference.ci_high),
        ScalarValue::from(difference.t),
        ScalarValue::from(difference.df),
        ScalarValue::from(difference.p),
        ScalarValue::from(difference.mde),
        ScalarValue::from(difference.method),
    ]
}
