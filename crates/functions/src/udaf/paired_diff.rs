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

use arrow::array::{Array, ArrayRef, Float64Array};
use arrow::datatypes::{DataType, FieldRef, Fields};
use datafusion::common::cast::{as_boolean_array, as_float64_array, as_int64_array, as_list_array, as_string_array};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Documentation, Signature, Volatility};
use datafusion_macros::user_doc;

use super::state::{
    MOMENT_COLUMNS, MomentColumns, SUM_FIELDS, SumColumns, answer_fields, cluster_fields, cluster_type, cluster_values,
    list_state_field, list_value, merge_clusters, moment_fields, moment_values, refuse_distinct, state_column,
    state_field, struct_value, sum_fields, sum_values,
};
use crate::arguments::{Scores, number_type};
use crate::kernels::paired_sample::{PairedSample, PairedSums};

static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
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
        Ok(Box::new(PairedDiffAccumulator { sample: PairedSample::new(args.exprs.len() == 3) }))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let mut fields = moment_fields(args.name, "difference");
        fields.extend(sum_fields(args.name, "base"));
        fields.extend(sum_fields(args.name, "candidate"));
        fields.extend([
            state_field(args.name, "lost", DataType::Int64),
            state_field(args.name, "won", DataType::Int64),
            state_field(args.name, "is_binary", DataType::Boolean),
            list_state_field(args.name, "few", DataType::Float64),
        ]);
        if args.input_fields.len() == 3 {
            fields.extend(cluster_fields(args.name));
        }
        Ok(fields)
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

// Where each part of the partial state begins, in the order of `state_fields`.
const BASE: usize = MOMENT_COLUMNS;
const CANDIDATE: usize = BASE + SUM_FIELDS.len();
const LOST: usize = CANDIDATE + SUM_FIELDS.len();
const WON: usize = LOST + 1;
const IS_BINARY: usize = WON + 1;
const FEW: usize = IS_BINARY + 1;
const CLUSTERS: usize = FEW + 1;

#[derive(Debug)]
struct PairedDiffAccumulator {
    sample: PairedSample,
}

impl Accumulator for PairedDiffAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let (base, candidate) = (Scores::try_new(&values[0])?, Scores::try_new(&values[1])?);
        let pair = |row| Some((base.get_finite(row)?, candidate.get_finite(row)?));
        if self.sample.clusters.is_none() {
            self.sample.extend((0..values[0].len()).filter_map(pair));
            return Ok(());
        }
        let clusters = as_string_array(&values[2])?;
        for (row, cluster) in clusters.iter().enumerate() {
            if let Some((base, candidate)) = pair(row) {
                self.sample.add_clustered(base, candidate, cluster);
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let sums = &self.sample.sums;
        let mut values = moment_values(&sums.differences);
        values.extend(sum_values(sums.base));
        values.extend(sum_values(sums.candidate));
        values.extend([
            ScalarValue::from(sums.lost),
            ScalarValue::from(sums.won),
            ScalarValue::from(sums.is_binary),
            match self.sample.few() {
                Some(few) => list_value(Arc::new(Float64Array::from(few.to_vec())))?,
                None => ScalarValue::new_null_list(DataType::Float64, true, 1),
            },
        ]);
        if let Some(clusters) = &self.sample.clusters {
            values.extend(cluster_values(clusters)?);
        }
        Ok(values)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let differences = MomentColumns::try_new(states, 0)?;
        let base = SumColumns::try_new(states, BASE)?;
        let candidate = SumColumns::try_new(states, CANDIDATE)?;
        let lost = as_int64_array(state_column(states, LOST)?)?;
        let won = as_int64_array(state_column(states, WON)?)?;
        let is_binary = as_boolean_array(state_column(states, IS_BINARY)?)?;
        let few = as_list_array(state_column(states, FEW)?)?;
        for row in 0..differences.len() {
            self.sample.sums.merge(&PairedSums {
                differences: differences.get(row),
                base: base.get(row),
                candidate: candidate.get(row),
                lost: lost.value(row),
                won: won.value(row),
                is_binary: is_binary.value(row),
            });
            if few.is_null(row) {
                self.sample.merge_few(None);
            } else {
                let few = few.value(row);
                self.sample.merge_few(Some(as_float64_array(&few)?.values()));
            }
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

fn answer(sample: &PairedSample) -> Result<ScalarValue> {
    let difference = sample.difference();
    let values = vec![
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
    ];
    struct_value(&FIELDS, values)
}
