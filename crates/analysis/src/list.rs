//! The experiments of a store or project, with their mean scores.

use std::collections::HashSet;

use datafusion::common::ScalarValue;
use datafusion::functions_aggregate::expr_fn::{avg, count};
use datafusion::logical_expr::{Expr, ident, lit};
use evalhouse_model::{Experiment, ExperimentList, ExperimentRow, ExperimentStatus, schema};
use evalhouse_session::{CASES, EXPERIMENTS, Session};
use indexmap::{IndexMap, IndexSet};

use crate::AnalysisError;
use crate::answer::{Answer, rfc3339};
use crate::measures::number;
use crate::scope::parse_condition;

/// Lists experiments, newest first, with the row mean of every score.
///
/// `filter` is a condition over the columns of the `experiments` table.
///
/// # Errors
/// When the filter does not parse or the store cannot be read.
pub async fn list(
    session: &Session,
    project: Option<&str>,
    filter: Option<&str>,
) -> Result<ExperimentList, AnalysisError> {
    let kept = kept_ids(session, filter).await?;
    let mut chosen: Vec<&Experiment> = session
        .experiments()
        .iter()
        .filter(|e| project.is_none_or(|project| e.project == project))
        .filter(|e| kept.as_ref().is_none_or(|kept| kept.contains(&e.id)))
        .collect();
    chosen.sort_by(|a, b| (b.created, &a.project, &a.name).cmp(&(a.created, &b.project, &b.name)));

    let names: Vec<Vec<String>> = chosen.iter().map(|e| session.score_names(e)).collect();
    let all_names: IndexSet<&String> = names.iter().flatten().collect();
    let narrowed = chosen.len() < session.experiments().len();
    let mut cases = session.table(CASES).await?;
    if narrowed {
        let ids = chosen.iter().map(|e| lit(ScalarValue::Utf8View(Some(e.id.clone())))).collect();
        cases = cases.filter(ident(schema::EXPERIMENT_ID).in_list(ids, false))?;
    }
    let means = all_names.iter().enumerate().map(|(i, name)| avg(number(schema::SCORES, name)).alias(format!("s{i}")));
    let aggregates: Vec<Expr> = means.chain([count(ident(schema::ERROR)).alias("errors")]).collect();
    let answer = Answer::of(cases.aggregate(vec![ident(schema::EXPERIMENT_ID)], aggregates)?).await?;
    let by_id: IndexMap<String, usize> =
        (0..answer.rows()).filter_map(|row| Some((answer.text(row, schema::EXPERIMENT_ID)?, row))).collect();

    let experiments = chosen.into_iter().zip(&names).map(|(record, names)| {
        let row = by_id.get(&record.id).copied();
        let mean = |name: &String| {
            let i = all_names.get_index_of(name)?;
            answer.float(row?, &format!("s{i}"))
        };
        ExperimentRow {
            project: record.project.clone(),
            experiment: record.name.clone(),
            id: record.id.clone(),
            created: record.created.and_then(rfc3339),
            rows: record.rows,
            cases: record.cases,
            spans: record.spans,
            errors: row.map_or(0, |row| answer.int(row, "errors")),
            status: if record.status == ExperimentStatus::Partial { "partial" } else { "complete" }.into(),
            scores: names.iter().map(|name| (name.clone(), mean(name))).collect(),
        }
    });
    Ok(ExperimentList { experiments: experiments.collect() })
}

async fn kept_ids(session: &Session, filter: Option<&str>) -> Result<Option<HashSet<String>>, AnalysisError> {
    let Some(text) = filter else { return Ok(None) };
    let experiments = session.table(EXPERIMENTS).await?;
    let condition = parse_condition(session, "--where", text, experiments.schema())?;
    let answer = Answer::of(experiments.filter(condition)?.select(vec![ident(schema::EXPERIMENT_ID)])?).await?;
    Ok(Some((0..answer.rows()).filter_map(|row| answer.text(row, schema::EXPERIMENT_ID)).collect()))
}
