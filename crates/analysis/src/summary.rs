//! One experiment in numbers (semantics, sections 1, 12 and 16).

use datafusion::functions_aggregate::expr_fn::{avg, count, max, min, percentile_cont, sum};
use datafusion::logical_expr::{Expr, ident, lit, when};
use evalhouse_model::{ExperimentStatus, MetricSummary, ScoreSummary, Summary, schema};
use evalhouse_session::Session;

use crate::answer::{Answer, rfc3339};
use crate::key::{DEFAULT_KEY, key_hash};
use crate::scope::{cases_of, number};
use crate::{AnalysisError, Selected};

/// Name of the key's column in the plans below.
const KEY: &str = "__key";

/// How to summarise.
#[derive(Debug, Clone, Default)]
pub struct SummaryOptions {
    /// Comparison key; default `input`.
    pub key: Option<String>,
    /// Only cases that satisfy this condition.
    pub filter: Option<String>,
}

/// Summarises one experiment.
///
/// Row means weigh a case by its trials; case means take each case once, as the mean of its trials,
/// and carry a 95 % interval over cases (Wilson for 0/1 scores, Student's t otherwise). Cases without
/// a key are in the row means alone.
///
/// # Errors
/// When the key or filter does not parse, or the store cannot be read.
pub async fn summary(
    session: &Session,
    experiment: &Selected,
    options: &SummaryOptions,
) -> Result<Summary, AnalysisError> {
    let record = &experiment.experiment;
    let scores = session.snapshot().score_names(&record.id);
    let metrics = session.snapshot().metric_names(&record.id);
    let cases = cases_of(session, experiment, options.filter.as_deref()).await?;
    let key = key_hash(session, options.key.as_deref(), cases.schema())?;
    let keyed = cases.with_column(KEY, key)?;

    let ones = |condition: Expr| -> Result<Expr, AnalysisError> {
        Ok(sum(when(condition, lit(1_i64)).otherwise(lit(0_i64))?))
    };
    let mut row_aggregates = vec![
        count(lit(1)).alias("rows"),
        ones(ident(KEY).is_null())?.alias("null_key"),
        ones(ident(schema::ERROR).is_not_null())?.alias("errors"),
        sum(ident(schema::SPAN_COUNT)).alias("spans"),
    ];
    for (i, name) in scores.iter().enumerate() {
        let value = || number(schema::SCORES, name);
        row_aggregates.extend([
            avg(value()).alias(format!("s{i}_mean")),
            count(value()).alias(format!("s{i}_n")),
            min(value()).alias(format!("s{i}_min")),
            max(value()).alias(format!("s{i}_max")),
        ]);
    }
    for (i, name) in metrics.iter().enumerate() {
        let value = || number(schema::METRICS, name);
        let percentile = |share: f64| percentile_cont(value().sort(true, false), lit(share));
        row_aggregates.extend([
            avg(value()).alias(format!("m{i}_mean")),
            count(value()).alias(format!("m{i}_n")),
            sum(value()).alias(format!("m{i}_sum")),
            percentile(0.5).alias(format!("m{i}_p50")),
            percentile(0.9).alias(format!("m{i}_p90")),
        ]);
    }
    let rows = Answer::of(keyed.clone().aggregate(vec![], row_aggregates)?).await?;

    let mean_ci = session.aggregate("mean_ci")?;
    let per_case = scores.iter().enumerate().map(|(i, name)| avg(number(schema::SCORES, name)).alias(format!("s{i}")));
    let over_cases = (0..scores.len()).map(|i| mean_ci.call(vec![ident(format!("s{i}"))]).alias(format!("s{i}_ci")));
    let by_case = keyed
        .filter(ident(KEY).is_not_null())?
        .aggregate(vec![ident(KEY)], per_case.collect())?
        .aggregate(vec![], over_cases.chain([count(lit(1)).alias("cases")]).collect())?;
    let by_case = Answer::of(by_case).await?;

    let row_count = rows.int(0, "rows");
    let mut summary = Summary {
        project: record.project.clone(),
        experiment: record.name.clone(),
        id: record.id.clone(),
        created: record.created.and_then(rfc3339),
        status: if record.status == ExperimentStatus::Partial { "partial" } else { "complete" }.into(),
        rows: row_count,
        cases: by_case.int(0, "cases"),
        null_key: rows.int(0, "null_key"),
        spans: rows.int(0, "spans"),
        errors: rows.int(0, "errors"),
        declared_total: record.declared_total,
        dataset: record.dataset.clone(),
        metadata: record.metadata.clone(),
        tags: record.tags.clone(),
        key: options.key.clone().unwrap_or_else(|| DEFAULT_KEY.into()),
        filter: options.filter.clone(),
        ..Summary::default()
    };
    for (i, name) in scores.iter().enumerate() {
        let n = rows.int(0, &format!("s{i}_n"));
        let interval = by_case.fields(0, &format!("s{i}_ci"));
        let score = ScoreSummary {
            row_mean: rows.float(0, &format!("s{i}_mean")),
            case_mean: interval.float("mean"),
            n,
            missing: row_count - n,
            se: interval.float("se"),
            ci_low: interval.float("ci_low"),
            ci_high: interval.float("ci_high"),
            min: rows.float(0, &format!("s{i}_min")),
            max: rows.float(0, &format!("s{i}_max")),
        };
        summary.scores.insert(name.clone(), score);
    }
    for (i, name) in metrics.iter().enumerate() {
        let metric = MetricSummary {
            mean: rows.float(0, &format!("m{i}_mean")),
            p50: rows.float(0, &format!("m{i}_p50")),
            p90: rows.float(0, &format!("m{i}_p90")),
            sum: rows.float(0, &format!("m{i}_sum")),
            n: rows.int(0, &format!("m{i}_n")),
            unit: schema::metric_unit(name).into(),
        };
        summary.metrics.insert(name.clone(), metric);
    }
    summary.warnings = warnings(&summary, experiment);
    Ok(summary)
}

fn warnings(summary: &Summary, experiment: &Selected) -> Vec<String> {
    let mut warnings = Vec::new();
    if summary.status == "partial" {
        warnings.push("the experiment is partial: its source was cut off, or rows of it were skipped".to_string());
    }
    if let Some(declared) = summary.declared_total
        && summary.filter.is_none()
        && declared != summary.rows
    {
        warnings.push(format!("the source declared {declared} rows, but {} are stored", summary.rows));
    }
    if summary.null_key > 0 {
        warnings.push(format!(
            "{} rows have no comparison key (`{}` is null): they are in the row means alone",
            summary.null_key, summary.key
        ));
    }
    for (name, score) in &summary.scores {
        if let (Some(low), Some(high)) = (score.min, score.max)
            && (low < 0.0 || high > 1.0)
        {
            warnings.push(format!("score `{name}` has values outside 0 to 1: from {low} to {high}"));
        }
    }
    for (reason, rows) in &experiment.experiment.notes {
        warnings.push(format!("import: {reason}: {rows}"));
    }
    warnings
}
