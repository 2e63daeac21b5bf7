//! One experiment in numbers (semantics, sections 1, 12 and 16).

use datafusion::functions_aggregate::expr_fn::{avg, count, max, min, percentile_cont, sum};
use datafusion::logical_expr::{Expr, ident, lit, when};
use evalhouse_model::{ExperimentStatus, MetricSummary, ScoreSummary, Summary, schema};
use evalhouse_session::{CASES, Session, coverage_column};

use crate::answer::{Answer, rfc3339};
use crate::case_means::case_means;
use crate::key::Key;
use crate::measures::measures;
use crate::reducer::Reducer;
use crate::scope::kept;
use crate::{AnalysisError, Selected};

/// How to summarise.
#[derive(Debug, Clone, Default)]
pub struct SummaryOptions {
    /// Comparison key; default the project's, else `input`.
    pub key: Option<String>,
    /// Only cases that satisfy this condition.
    pub filter: Option<String>,
    /// How trials are consolidated; default the project's, else their mean.
    pub reducer: Option<Reducer>,
}

/// Summarises one experiment.
///
/// Row means weigh a case by its trials; case means take each case once, its trials consolidated,
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
    let measures = measures(session, &[experiment]);
    let (scores, metrics) = measures.split_at(measures.iter().filter(|measure| measure.is_score()).count());
    let key = Key::of(session, options.key.as_deref(), &[experiment]);
    let reducer = Reducer::of(session, options.reducer, experiment)?;
    let covered = session.settings(&record.project).aggregate_scores;
    let cases = match covered.is_empty() {
        true => session.table(CASES).await?,
        false => session.cases_with_coverage(&record.project)?,
    };
    let cases = kept(session, cases, &[experiment], options.filter.as_deref())?;
    let null_key = key.hash(session, cases.schema())?.is_null();

    let ones = |condition: Expr| -> Result<Expr, AnalysisError> {
        Ok(sum(when(condition, lit(1_i64)).otherwise(lit(0_i64))?))
    };
    let mut row_aggregates = vec![
        count(lit(1)).alias("rows"),
        ones(null_key)?.alias("null_key"),
        ones(ident(schema::ERROR).is_not_null())?.alias("errors"),
        sum(ident(schema::SPAN_COUNT)).alias("spans"),
    ];
    for (i, score) in scores.iter().enumerate() {
        row_aggregates.extend([
            avg(score.value()).alias(format!("s{i}_mean")),
            count(score.value()).alias(format!("s{i}_n")),
            min(score.value()).alias(format!("s{i}_min")),
            max(score.value()).alias(format!("s{i}_max")),
        ]);
        if covered.contains_key(&score.name) {
            row_aggregates.push(avg(ident(coverage_column(&score.name))).alias(format!("s{i}_coverage")));
        }
    }
    for (i, metric) in metrics.iter().enumerate() {
        let percentile = |share: f64| percentile_cont(metric.value().sort(true, false), lit(share));
        row_aggregates.extend([
            avg(metric.value()).alias(format!("m{i}_mean")),
            count(metric.value()).alias(format!("m{i}_n")),
            sum(metric.value()).alias(format!("m{i}_sum")),
            percentile(0.5).alias(format!("m{i}_p50")),
            percentile(0.9).alias(format!("m{i}_p90")),
        ]);
    }
    let rows = Answer::of_aggregates(cases, &row_aggregates).await?;
    let by_case = case_means(session, &[experiment], scores, &key, reducer, options.filter.as_deref()).await?;

    let row_count = rows.int(0, "rows");
    let mut summary = Summary {
        project: record.project.clone(),
        experiment: record.name.clone(),
        id: record.id.clone(),
        created: record.created.and_then(rfc3339),
        status: if record.status == ExperimentStatus::Partial { "partial" } else { "complete" }.into(),
        rows: row_count,
        cases: by_case.cases(&record.id),
        null_key: rows.int(0, "null_key"),
        spans: rows.int(0, "spans"),
        errors: rows.int(0, "errors"),
        declared_total: record.declared_total,
        dataset: record.dataset.clone(),
        metadata: record.metadata.clone(),
        tags: record.tags.clone(),
        key: key.text,
        reducer: reducer.to_string(),
        filter: options.filter.clone(),
        ..Summary::default()
    };
    for (i, measure) in scores.iter().enumerate() {
        let n = rows.int(0, &format!("s{i}_n"));
        let interval = by_case.interval(&record.id, i);
        let of_cases = |part: &str| interval.as_ref().and_then(|interval| interval.float(part));
        let score = ScoreSummary {
            row_mean: rows.float(0, &format!("s{i}_mean")),
            case_mean: of_cases("mean"),
            n,
            missing: row_count - n,
            se: of_cases("se"),
            ci_low: of_cases("ci_low"),
            ci_high: of_cases("ci_high"),
            min: rows.float(0, &format!("s{i}_min")),
            max: rows.float(0, &format!("s{i}_max")),
            coverage: rows.float(0, &format!("s{i}_coverage")),
        };
        summary.scores.insert(measure.name.clone(), score);
    }
    for (i, measure) in metrics.iter().enumerate() {
        let metric = MetricSummary {
            mean: rows.float(0, &format!("m{i}_mean")),
            p50: rows.float(0, &format!("m{i}_p50")),
            p90: rows.float(0, &format!("m{i}_p90")),
            sum: rows.float(0, &format!("m{i}_sum")),
            n: rows.int(0, &format!("m{i}_n")),
            unit: schema::metric_unit(&measure.name).into(),
        };
        summary.metrics.insert(measure.name.clone(), metric);
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
