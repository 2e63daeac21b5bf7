//! Means over the rows of experiments, trials and cases without a key included.

use std::collections::HashMap;

use datafusion::dataframe::DataFrame;
use datafusion::functions_aggregate::expr_fn::{avg, count, max, min};
use datafusion::logical_expr::{ident, lit};
use evalhouse_model::schema;

use crate::AnalysisError;
use crate::answer::Answer;
use crate::measures::Measure;

/// Of each experiment its rows, and of each measure what its rows say.
pub(crate) struct RowStatistics {
    answer: Answer,
    /// Row of the answer by experiment id.
    by_id: HashMap<String, usize>,
}

/// One measure over the rows of one experiment.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct RowStatistic {
    pub(crate) mean: Option<f64>,
    pub(crate) min: Option<f64>,
    pub(crate) max: Option<f64>,
}

/// Runs the plan over rows of `cases`.
pub(crate) async fn row_statistics(cases: DataFrame, measures: &[Measure]) -> Result<RowStatistics, AnalysisError> {
    let mut aggregates = vec![count(lit(1)).alias("rows")];
    for (i, measure) in measures.iter().enumerate() {
        aggregates.push(avg(measure.value()).alias(format!("mean{i}")));
        // The range says whether a score is a share; a metric has a unit.
        if measure.is_score() {
            aggregates.push(min(measure.value()).alias(format!("min{i}")));
            aggregates.push(max(measure.value()).alias(format!("max{i}")));
        }
    }
    let answer = Answer::of(cases.aggregate(vec![ident(schema::EXPERIMENT_ID)], aggregates)?).await?;
    let by_id = (0..answer.rows()).filter_map(|row| Some((answer.text(row, schema::EXPERIMENT_ID)?, row))).collect();
    Ok(RowStatistics { answer, by_id })
}

impl RowStatistics {
    /// Rows of an experiment; 0 where the filter keeps none.
    pub(crate) fn rows(&self, id: &str) -> i64 {
        self.by_id.get(id).map_or(0, |row| self.answer.int(*row, "rows"))
    }

    /// The i-th measure over the rows of an experiment.
    pub(crate) fn of(&self, id: &str, i: usize) -> RowStatistic {
        let Some(row) = self.by_id.get(id).copied() else { return RowStatistic::default() };
        let float = |part: &str| self.answer.float(row, &format!("{part}{i}"));
        RowStatistic { mean: float("mean"), min: float("min"), max: float("max") }
    }
}
