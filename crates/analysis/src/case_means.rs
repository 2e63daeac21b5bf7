//! Means over cases, each case once: its trials consolidated first (semantics, sections 6 and 16).

use std::collections::HashMap;

use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{ident, lit};
use evalhouse_functions::kernels::two_means::MeanOf;
use evalhouse_model::schema;
use evalhouse_session::Session;

use crate::answer::{Answer, Fields};
use crate::key::Key;
use crate::measures::{Measure, in_plans};
use crate::reducer::Reducer;
use crate::scope::cases_of_all;
use crate::{AnalysisError, Selected};

/// Name of the key's column in the plans below.
const KEY: &str = "__key";

/// Of each experiment its cases, and of each score its mean over them with an interval.
pub(crate) struct CaseMeans {
    /// In the order of the scores.
    plans: Vec<Means>,
}

/// What one plan says of some of the scores.
struct Means {
    answer: Answer,
    scores: usize,
    /// Row of the answer by experiment id.
    by_id: HashMap<String, usize>,
}

/// Runs the plans: one row a case, then one an experiment. Rows without a key are in no case.
pub(crate) async fn case_means(
    session: &Session,
    experiments: &[&Selected],
    scores: &[Measure],
    key: &Key,
    reducer: Reducer,
    filter: Option<&str>,
) -> Result<CaseMeans, AnalysisError> {
    let mut plans = Vec::new();
    for some in in_plans(scores) {
        plans.push(means_of(session, experiments, some, key, reducer, filter).await?);
    }
    Ok(CaseMeans { plans })
}

async fn means_of(
    session: &Session,
    experiments: &[&Selected],
    scores: &[Measure],
    key: &Key,
    reducer: Reducer,
    filter: Option<&str>,
) -> Result<Means, AnalysisError> {
    let cases = cases_of_all(session, experiments, filter).await?;
    let hash = key.hash(session, cases.schema())?;
    let mut columns = vec![ident(schema::EXPERIMENT_ID)];
    let no_trials = experiments.iter().all(|one| one.experiment.rows == one.experiment.cases);
    let consolidated = if no_trials && key.is_default() && reducer.keeps_single_trials() {
        columns.extend(scores.iter().enumerate().map(|(i, score)| score.value().alias(format!("s{i}"))));
        cases.select(columns)?
    } else {
        let mut reduced = Vec::new();
        for (i, score) in scores.iter().enumerate() {
            reduced.push(reducer.aggregate(session, score.value(), key.trial_order())?.alias(format!("s{i}")));
        }
        if reduced.is_empty() {
            reduced.push(count(lit(1)).alias("trials"));
        }
        cases
            .filter(hash.clone().is_not_null())?
            .aggregate(vec![ident(schema::EXPERIMENT_ID), hash.alias(KEY)], reduced)?
    };
    let mean_ci = session.aggregate("mean_ci")?;
    let mut means = vec![count(lit(1)).alias("cases")];
    means.extend((0..scores.len()).map(|i| mean_ci.call(vec![ident(format!("s{i}"))]).alias(format!("s{i}_ci"))));
    let answer = Answer::of(consolidated.aggregate(vec![ident(schema::EXPERIMENT_ID)], means)?).await?;
    let by_id = (0..answer.rows()).filter_map(|row| Some((answer.text(row, schema::EXPERIMENT_ID)?, row))).collect();
    Ok(Means { answer, scores: scores.len(), by_id })
}

impl CaseMeans {
    /// Cases of an experiment; 0 where the filter keeps none.
    pub(crate) fn cases(&self, id: &str) -> i64 {
        let plan = self.plans.first().and_then(|plan| Some((plan, *plan.by_id.get(id)?)));
        plan.map_or(0, |(plan, row)| plan.answer.int(row, "cases"))
    }

    /// What `mean_ci` says of the i-th score; nothing where the filter keeps no case.
    pub(crate) fn interval(&self, id: &str, i: usize) -> Option<Fields<'_>> {
        let mut i = i;
        for plan in &self.plans {
            if i < plan.scores {
                return plan.by_id.get(id).map(|row| plan.answer.fields(*row, &format!("s{i}_ci")));
            }
            i -= plan.scores;
        }
        None
    }
}

/// A mean as the tests of two means take it, from what `mean_ci` says; none without a value.
pub(crate) fn mean_of(interval: &Fields<'_>) -> Option<MeanOf> {
    Some(MeanOf {
        mean: interval.float("mean")?,
        standard_error: interval.float("se").unwrap_or(0.0),
        count: interval.int("n") as f64,
        is_binary: interval.text("method").is_some_and(|method| method == "wilson"),
    })
}
