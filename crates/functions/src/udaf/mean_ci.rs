//! `mean_ci`: the mean of a score with its 95 % interval.
//!
//! | scores | interval | method |
//! |---|---|---|
//! | all 0 or 1 | Wilson | `wilson` |
//! | any | mean ± t·sd/√n, n − 1 degrees of freedom | `t` |
//! | in clusters | mean ± t·SE cluster-robust, clusters − 1 degrees of freedom | `cluster_t` |
//!
//! Nulls, not-a-number and infinities are left out. No scores give n = 0 and nulls; one gives no
//! standard deviation and, but for Wilson, no interval; one cluster gives no interval. A row without
//! a cluster is a cluster of its own.

use std::sync::LazyLock;

use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::datatypes::{DataType, FieldRef, Fields};
use datafusion::common::cast::{as_boolean_array, as_string_array};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, Documentation, GroupsAccumulator, Signature, Volatility,
};
use datafusion_macros::user_doc;

use super::groups::{Groups, Member};
use super::state::{
    MOMENT_COLUMNS, MomentColumns, answer_fields, cluster_fields, cluster_type, cluster_values, merge_clusters,
    moment_fields, moment_values, refuse_distinct, state_column, state_field, struct_value,
};
use crate::arguments::{Scores, number_type};
use crate::kernels::clusters::Clusters;
use crate::kernels::mean_sample::MeanSample;
use crate::kernels::moments::Moments;

static FIELDS: LazyLock<Fields> = LazyLock::new(|| answer_fields(&["mean", "sd", "se", "ci_low", "ci_high"]));

#[user_doc(
    doc_section(label = "Statistical Functions"),
    description = "The mean of a score with its standard deviation, standard error and 95 % confidence interval, as a struct `{n, mean, sd, se, ci_low, ci_high, method}`. Scores that are all 0 or 1 get a Wilson interval (`wilson`), others a Student t interval (`t`), scores in clusters a t interval with cluster-robust standard error (`cluster_t`). Null and non-finite scores are left out.",
    syntax_example = "mean_ci(score[, cluster])",
    sql_example = r#"```sql
> SELECT s['n'] AS n, s['mean'] AS mean, round(s['ci_low'], 4) AS ci_low, round(s['ci_high'], 4) AS ci_high, s['method'] AS method FROM (SELECT mean_ci(score) AS s FROM (VALUES (1.0), (1.0), (0.0), (1.0), (NULL)) AS cases(score));
+---+------+--------+---------+--------+
| n | mean | ci_low | ci_high | method |
+---+------+--------+---------+--------+
| 4 | 0.75 | 0.3006 | 0.9544  | wilson |
+---+------+--------+---------+--------+
```"#,
    argument(name = "score", description = "The score of a case."),
    argument(
        name = "cluster",
        description = "What makes cases alike (a document, a user, a conversation), of any type. A row without one is a cluster of its own."
    ),
    related_udf(name = "paired_diff")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct MeanCi {
    signature: Signature,
}

impl Default for MeanCi {
    fn default() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl AggregateUDFImpl for MeanCi {
    fn name(&self) -> &str {
        "mean_ci"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match given {
            [score] => Ok(vec![number_type(self.name(), "score", score)?]),
            [score, cluster] => {
                Ok(vec![number_type(self.name(), "score", score)?, cluster_type(self.name(), cluster)?])
            }
            _ => {
                plan_err!("`mean_ci` takes one or two arguments (score, cluster), got {}", given.len())
            }
        }
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Struct(FIELDS.clone()))
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        refuse_distinct(self.name(), args.is_distinct)?;
        Ok(Box::new(MeanCiAccumulator { sample: MeanSample::new(args.exprs.len() == 2) }))
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        args.exprs.len() == 1 && !args.is_distinct
    }

    fn create_groups_accumulator(&self, _args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        let empty = Plain { scores: Moments::default(), is_binary: true };
        Ok(Box::new(Groups::new(empty, Some(FIELDS.clone()))))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let mut fields = moment_fields(args.name, "score");
        fields.push(state_field(args.name, "is_binary", DataType::Boolean));
        if args.input_fields.len() == 2 {
            fields.extend(cluster_fields(args.name));
        }
        Ok(fields)
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn default_value(&self, _data_type: &DataType) -> Result<ScalarValue> {
        answer(&MeanSample::new(false))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

#[derive(Debug)]
struct MeanCiAccumulator {
    sample: MeanSample,
}

impl Accumulator for MeanCiAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let scores = Scores::try_new(&values[0])?;
        if self.sample.clusters.is_none() {
            for score in (0..values[0].len()).filter_map(|row| scores.get_finite(row)) {
                MeanSample::add(&mut self.sample, score);
            }
            return Ok(());
        }
        let clusters = as_string_array(&values[1])?;
        for (row, cluster) in clusters.iter().enumerate() {
            if let Some(score) = scores.get_finite(row) {
                self.sample.add_clustered(score, cluster);
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let mut values = moment_values(&self.sample.scores);
        values.push(ScalarValue::from(self.sample.is_binary));
        if let Some(clusters) = &self.sample.clusters {
            values.extend(cluster_values(clusters)?);
        }
        Ok(values)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let scores = MomentColumns::try_new(states, 0)?;
        let is_binary = as_boolean_array(state_column(states, MOMENT_COLUMNS)?)?;
        for row in 0..scores.len() {
            self.sample.scores.merge(&scores.get(row));
            self.sample.is_binary &= is_binary.value(row);
        }
        if let Some(clusters) = &mut self.sample.clusters {
            merge_clusters(clusters, states, MOMENT_COLUMNS + 1)?;
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        answer(&self.sample)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.sample.clusters.as_ref().map_or(0, Clusters::heap_size)
    }
}

/// The scores of one group without clusters. Kept small: there are many of them, and rows come in no
/// order.
#[derive(Debug, Clone)]
struct Plain {
    scores: Moments,
    is_binary: bool,
}

impl Member for Plain {
    type Columns<'a> = Scores<'a>;
    type States<'a> = (MomentColumns<'a>, &'a BooleanArray);

    fn columns(values: &[ArrayRef]) -> Result<Scores<'_>> {
        Scores::try_new(&values[0])
    }

    #[inline]
    fn add(&mut self, scores: &Scores<'_>, row: usize) {
        if let Some(score) = scores.get_finite(row) {
            self.scores.add(score);
            self.is_binary &= score == 0.0 || score == 1.0;
        }
    }

    fn state(&self) -> Result<Vec<ScalarValue>> {
        let mut values = moment_values(&self.scores);
        values.push(ScalarValue::from(self.is_binary));
        Ok(values)
    }

    fn states(states: &[ArrayRef]) -> Result<Self::States<'_>> {
        Ok((MomentColumns::try_new(states, 0)?, as_boolean_array(state_column(states, MOMENT_COLUMNS)?)?))
    }

    #[inline]
    fn merge(&mut self, (scores, is_binary): &Self::States<'_>, row: usize) {
        self.scores.merge(&scores.get(row));
        self.is_binary &= is_binary.value(row);
    }

    fn answer(&self) -> Result<Vec<ScalarValue>> {
        Ok(answer_values(&MeanSample { scores: self.scores, is_binary: self.is_binary, clusters: None }))
    }

    fn heap_size(&self) -> usize {
        0
    }
}

fn answer(sample: &MeanSample) -> Result<ScalarValue> {
    struct_value(&FIELDS, answer_values(sample))
}

fn answer_values(sample: &MeanSample) -> Vec<ScalarValue> {
    let interval = sample.interval();
    vec![
        ScalarValue::from(interval.n),
        ScalarValue::from(interval.mean),
        ScalarValue::from(interval.sd),
        ScalarValue::from(interval.se),
        ScalarValue::from(interval.ci_low),
        ScalarValue::from(interval.ci_high),
        ScalarValue::from(interval.method),
    ]
}
