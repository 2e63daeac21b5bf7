//! `score_diff`: everything a comparison says of one score, in one pass.
//!
//! The counts of the classes of [`regression`](crate::kernels::score_class) and the statistics of
//! `paired_diff`, over the same pairs: what a diff needs of each score is one aggregate.

use std::sync::LazyLock;

use arrow::array::{Array, ArrayRef, Int64Array};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::cast::as_int64_array;
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, Documentation, GroupsAccumulator, Signature, Volatility,
};
use datafusion::physical_expr::expressions::Literal;
use datafusion::physical_plan::PhysicalExpr;
use datafusion_macros::user_doc;
use std::sync::Arc;

use super::groups::{Groups, Member};
use super::paired_diff::{
    FIELDS as PAIRED_FIELDS, PAIRED_COLUMNS, PairedColumns, answer_values, paired_state_fields, paired_values,
};
use super::state::{
    cluster_type, cluster_values, merge_clusters, refuse_distinct, state_column, state_field, struct_value,
};
use crate::arguments::{Scores, number_type, text_type};
use crate::kernels::paired_sample::PairedSample;
use crate::kernels::score_class::{DEFAULT_TOLERANCE, Direction, ScoreClass};

static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
    let counts = ScoreClass::ALL.map(|class| Arc::new(Field::new(class.name(), DataType::Int64, true)));
    counts.into_iter().chain(PAIRED_FIELDS.iter().cloned()).collect()
});

#[user_doc(
    doc_section(label = "Statistical Functions"),
    description = "What became of one score from base to candidate, over pairs: how many pairs are in each class of `regression`, and what `paired_diff` says of them, as one struct `{improved, regressed, unchanged, lost_score, gained_score, no_score, n, base_mean, candidate_mean, delta, sd, se, ci_low, ci_high, t, df, p, mde, method}`. The classes add up to the rows; `n` counts the pairs with both scores.",
    syntax_example = "score_diff(base, candidate[, tolerance[, direction[, cluster]]])",
    sql_example = r#"```sql
> SELECT d['improved'] AS improved, d['regressed'] AS regressed, d['lost_score'] AS lost, d['delta'] AS delta FROM (SELECT score_diff(base, candidate) AS d FROM (VALUES (0.5, 1.0), (0.75, 0.5), (1.0, NULL)) AS pairs(base, candidate));
+----------+-----------+------+-------+
| improved | regressed | lost | delta |
+----------+-----------+------+-------+
| 1        | 1         | 1    | 0.125 |
+----------+-----------+------+-------+
```"#,
    argument(name = "base", description = "The score of a case in the baseline."),
    argument(name = "candidate", description = "The score of the same case in the candidate."),
    argument(
        name = "tolerance",
        description = "The largest difference that still counts as unchanged, absolute; a constant. Default 1e-9, also where it is null."
    ),
    argument(
        name = "direction",
        description = "`higher` (default, also where it is null) or `lower`: which way is better; a constant."
    ),
    argument(
        name = "cluster",
        description = "What makes cases alike, of any type. A pair without one is a cluster of its own."
    ),
    related_udf(name = "paired_diff"),
    related_udf(name = "regression")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct ScoreDiff {
    signature: Signature,
}

impl Default for ScoreDiff {
    fn default() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

const TOLERANCE: usize = 2;
const DIRECTION: usize = 3;
const CLUSTER: usize = 4;

impl AggregateUDFImpl for ScoreDiff {
    fn name(&self) -> &str {
        "score_diff"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        if !(2..=5).contains(&given.len()) {
            return plan_err!(
                "`score_diff` takes two to five arguments (base, candidate, tolerance, direction, cluster), got {}",
                given.len()
            );
        }
        let names = ["base", "candidate", "tolerance", "direction", "cluster"];
        let coerce = |(place, given): (usize, &DataType)| match place {
            DIRECTION => text_type(self.name(), names[place], given),
            CLUSTER => cluster_type(self.name(), given),
            _ => number_type(self.name(), names[place], given),
        };
        given.iter().enumerate().map(coerce).collect()
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Struct(FIELDS.clone()))
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        refuse_distinct(self.name(), args.is_distinct)?;
        Ok(Box::new(ScoreDiffAccumulator { compared: Compared::new(args.exprs)? }))
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        args.exprs.len() <= CLUSTER && !args.is_distinct
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Groups::new(Compared::new(args.exprs)?, Some(FIELDS.clone()))))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let mut fields = paired_state_fields(args.name, false);
        fields.extend(ScoreClass::ALL.map(|class| state_field(args.name, class.name(), DataType::Int64)));
        if args.input_fields.len() > CLUSTER {
            // Clusters come last: their columns are read from a fixed place on.
            let with_clusters = paired_state_fields(args.name, true);
            fields.extend(with_clusters.into_iter().skip(PAIRED_COLUMNS));
        }
        Ok(fields)
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn default_value(&self, _data_type: &DataType) -> Result<ScalarValue> {
        struct_value(&FIELDS, Compared::new(&[])?.answer()?)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

/// Where the counts of the classes begin in the partial state, and where the clusters do.
const CLASSES: usize = PAIRED_COLUMNS;
const CLUSTERS: usize = CLASSES + ScoreClass::ALL.len();

/// The pairs of one comparison.
#[derive(Debug, Clone)]
struct Compared {
    sample: PairedSample,
    classes: [i64; ScoreClass::ALL.len()],
    tolerance: f64,
    direction: Direction,
}

impl Compared {
    fn new(arguments: &[Arc<dyn PhysicalExpr>]) -> Result<Self> {
        let constant = |place: usize, name: &str| match arguments.get(place) {
            None => Ok(ScalarValue::Null),
            Some(argument) => match argument.downcast_ref::<Literal>() {
                Some(literal) => Ok(literal.value().clone()),
                None => exec_err!("`score_diff` takes a constant as `{name}`, not a column"),
            },
        };
        let tolerance = match constant(TOLERANCE, "tolerance")? {
            ScalarValue::Float64(Some(tolerance)) if tolerance >= 0.0 => tolerance,
            ScalarValue::Float64(None) | ScalarValue::Null => DEFAULT_TOLERANCE,
            other => return exec_err!("`score_diff` takes a tolerance of 0 or more, got {other}"),
        };
        let direction = match constant(DIRECTION, "direction")?.try_as_str().flatten() {
            None => Direction::default(),
            Some(name) => match Direction::from_name(name) {
                Some(direction) => direction,
                None => return exec_err!("`score_diff` takes the direction `higher` or `lower`, got `{name}`"),
            },
        };
        let sample = PairedSample::new(arguments.len() > CLUSTER);
        Ok(Self { sample, classes: [0; ScoreClass::ALL.len()], tolerance, direction })
    }

    #[inline]
    fn count(&mut self, base: Option<f64>, candidate: Option<f64>) {
        self.classes[ScoreClass::of(base, candidate, self.tolerance, self.direction) as usize] += 1;
    }
}

impl Member for Compared {
    type Columns<'a> = (Scores<'a>, Scores<'a>);
    type States<'a> = (PairedColumns<'a>, Vec<&'a Int64Array>);

    fn columns(values: &[ArrayRef]) -> Result<Self::Columns<'_>> {
        Ok((Scores::try_new(&values[0])?, Scores::try_new(&values[1])?))
    }

    #[inline]
    fn add(&mut self, (base, candidate): &Self::Columns<'_>, row: usize) {
        self.count(base.get(row), candidate.get(row));
        if let (Some(base), Some(candidate)) = (base.get_finite(row), candidate.get_finite(row)) {
            self.sample.add(base, candidate);
        }
    }

    fn state(&self) -> Result<Vec<ScalarValue>> {
        let mut values = paired_values(&self.sample)?;
        values.extend(self.classes.map(ScalarValue::from));
        Ok(values)
    }

    fn states(states: &[ArrayRef]) -> Result<Self::States<'_>> {
        let classes = (0..ScoreClass::ALL.len()).map(|i| as_int64_array(state_column(states, CLASSES + i)?));
        Ok((PairedColumns::try_new(states)?, classes.collect::<Result<_>>()?))
    }

    fn merge(&mut self, (paired, classes): &Self::States<'_>, row: usize) {
        paired.merge_into(&mut self.sample, row);
        for (count, other) in self.classes.iter_mut().zip(classes) {
            *count += other.value(row);
        }
    }

    fn answer(&self) -> Result<Vec<ScalarValue>> {
        let counts = self.classes.map(ScalarValue::from);
        Ok(counts.into_iter().chain(answer_values(&self.sample)).collect())
    }

    fn heap_size(&self) -> usize {
        self.sample.heap_size()
    }
}

#[derive(Debug)]
struct ScoreDiffAccumulator {
    compared: Compared,
}

impl Accumulator for ScoreDiffAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let columns = Compared::columns(values)?;
        let Some(clusters) = values.get(CLUSTER) else {
            (0..values[0].len()).for_each(|row| self.compared.add(&columns, row));
            return Ok(());
        };
        let (base, candidate) = columns;
        let clusters = datafusion::common::cast::as_string_array(clusters)?;
        for (row, cluster) in clusters.iter().enumerate() {
            self.compared.count(base.get(row), candidate.get(row));
            if let (Some(base), Some(candidate)) = (base.get_finite(row), candidate.get_finite(row)) {
                self.compared.sample.add_clustered(base, candidate, cluster);
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let mut values = self.compared.state()?;
        if let Some(clusters) = &self.compared.sample.clusters {
            values.extend(cluster_values(clusters)?);
        }
        Ok(values)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let columns = Compared::states(states)?;
        (0..states[0].len()).for_each(|row| self.compared.merge(&columns, row));
        if let Some(clusters) = &mut self.compared.sample.clusters {
            merge_clusters(clusters, states, CLUSTERS)?;
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        struct_value(&FIELDS, self.compared.answer()?)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.compared.sample.heap_size()
    }
}
