//! The trials of an experiment: how much they agree (semantics, section 6).

use datafusion::arrow::datatypes::DataType;
use datafusion::functions_aggregate::expr_fn::{avg, count, first_value, max, min, stddev, sum, var_sample};
use datafusion::logical_expr::{Expr, ident, lit, when};
use evalhouse_functions::kernels::interval::chance_95;
use evalhouse_model::{PassRate, TrialCase, TrialReport, TrialScore, TrialSpread, schema};
use evalhouse_session::Session;

use crate::answer::{Answer, Fields};
use crate::key::Key;
use crate::measures::{Measure, scores};
use crate::rows::row_statistics;
use crate::scope::{cases_of, side};
use crate::{AnalysisError, Selected};

/// Largest k of pass@k and pass^k.
const K_MAX: i64 = 8;
/// Cases shown when no limit is given.
const LIMIT_DEFAULT: usize = 20;

/// What to look at.
#[derive(Debug, Clone, Default)]
pub struct TrialOptions {
    /// Comparison key; default the project's, else `input`.
    pub key: Option<String>,
    /// Only cases that satisfy this condition.
    pub filter: Option<String>,
    /// The score from which a trial passes; default 1.
    pub threshold: Option<f64>,
    /// Cases to show; default 20.
    pub limit: Option<usize>,
}

/// Sums up the trials of every case, then the cases; the flakiest cases come first.
///
/// # Errors
/// When the key or filter does not parse, or the store cannot be read.
pub async fn trials(
    session: &Session,
    experiment: &Selected,
    options: &TrialOptions,
) -> Result<TrialReport, AnalysisError> {
    let scores = scores(session, &[experiment]);
    let key = Key::of(session, options.key.as_deref(), &[experiment]);
    let threshold = options.threshold.unwrap_or(1.0);
    let cases = cases_of(session, experiment, options.filter.as_deref()).await?;
    let hash = key.hash(session, cases.schema())?;
    // Rows without a key are trials of nothing, but their scores are scores.
    let rows = row_statistics(cases.clone(), &scores).await?;
    let keyed = cases.filter(hash.clone().is_not_null())?;

    let first = |column: &str| first_value(ident(column), key.trial_order());
    let mut aggregates = vec![
        count(lit(1)).alias("trials"),
        first(schema::ID).alias("id"),
        first(schema::INPUT).alias("input"),
        min(ident(schema::POSITION)).alias("position"),
    ];
    let pass = |score: &Measure| -> Result<Expr, AnalysisError> {
        Ok(sum(when(score.value().gt_eq(lit(threshold)), lit(1_i64)).otherwise(lit(0_i64))?))
    };
    for (i, score) in scores.iter().enumerate() {
        aggregates.extend([
            count(score.value()).alias(format!("n{i}")),
            avg(score.value()).alias(format!("mean{i}")),
            stddev(score.value()).alias(format!("sd{i}")),
            var_sample(score.value()).alias(format!("var{i}")),
            min(score.value()).alias(format!("min{i}")),
            max(score.value()).alias(format!("max{i}")),
            pass(score)?.alias(format!("pass{i}")),
        ]);
    }
    let by_case = keyed.clone().aggregate(vec![hash.clone().alias("key")], aggregates)?;

    let is_flaky = |i: usize| ident(format!("max{i}")).gt(ident(format!("min{i}")));
    let flag = |condition: Expr| when(condition, lit(1_i64)).otherwise(lit(0_i64));
    let mut over_cases = vec![
        min(ident("trials")).alias("trials_min"),
        max(ident("trials")).alias("trials_max"),
        sum(ident("trials")).alias("keyed"),
        count(lit(1)).alias("cases"),
    ];
    for i in 0..scores.len() {
        let column = |name: &str| ident(format!("{name}{i}"));
        let double = |expr: Expr| datafusion::logical_expr::cast(expr, DataType::Float64);
        // Pooled: each case's variance weighs as its degrees of freedom.
        let freedom = double(column("n")) - lit(1.0);
        let several = column("n").gt(lit(1_i64));
        over_cases.extend([
            count(column("mean")).alias(format!("cases{i}")),
            avg(column("mean")).alias(format!("mean{i}")),
            stddev(column("mean")).alias(format!("between{i}")),
            sum(when(several.clone(), column("var") * freedom.clone()).end()?).alias(format!("within{i}")),
            sum(when(several, freedom).end()?).alias(format!("freedom{i}")),
            sum(flag(is_flaky(i))?).alias(format!("flaky{i}")),
        ]);
    }
    let totals = Answer::of(by_case.clone().aggregate(vec![], over_cases)?).await?;

    let flaky = (0..scores.len()).map(|i| flag(is_flaky(i))).collect::<Result<Vec<_>, _>>()?;
    let spread = (0..scores.len())
        .map(|i| datafusion::prelude::coalesce(vec![ident(format!("sd{i}")), lit(0.0)]))
        .reduce(|a, b| a + b)
        .unwrap_or_else(|| lit(0.0));
    let flakiness = flaky.into_iter().reduce(|a, b| a + b).unwrap_or_else(|| lit(0_i64));
    let sorted = by_case
        .with_column("flakiness", flakiness)?
        .with_column("spread", spread)?
        .sort(vec![
            ident("flakiness").sort(false, false),
            ident("spread").sort(false, false),
            ident("position").sort(true, false),
        ])?
        .limit(0, Some(options.limit.unwrap_or(LIMIT_DEFAULT)))?;
    let shown = Answer::of(sorted).await?;

    let trials_max = totals.int(0, "trials_max");
    let rates = pass_rates(session, keyed, &hash, &scores, threshold, trials_max.min(K_MAX)).await?;
    let mut report = TrialReport {
        experiment: side(experiment),
        key: key.text,
        filter: options.filter.clone(),
        threshold,
        trials_min: totals.int(0, "trials_min"),
        trials_max,
        ..TrialReport::default()
    };
    report.experiment.rows = rows.rows(&experiment.experiment.id);
    report.experiment.cases = totals.int(0, "cases");
    for ((i, score), pass) in scores.iter().enumerate().zip(rates) {
        let float = |name: &str| totals.float(0, &format!("{name}{i}"));
        let entry = TrialScore {
            row_mean: rows.of(&experiment.experiment.id, i).mean,
            case_mean: float("mean"),
            within_sd: float("within")
                .zip(float("freedom"))
                .filter(|(_, df)| *df > 0.0)
                .map(|(ss, df)| (ss / df).sqrt()),
            between_sd: float("between"),
            flaky: totals.int(0, &format!("flaky{i}")),
            cases: totals.int(0, &format!("cases{i}")),
            pass,
        };
        report.scores.insert(score.name.clone(), entry);
    }
    report.cases = (0..shown.rows()).map(|row| trial_case(&shown, row, &scores)).collect();
    let keyless = report.experiment.rows - totals.int(0, "keyed");
    if keyless > 0 {
        let rows = if keyless == 1 { "row has" } else { "rows have" };
        report
            .warnings
            .push(format!("{keyless} {rows} no key (`{}` is null) and count as trials of no case", report.key));
    }
    if trials_max <= 1 {
        report.warnings.push(format!(
            "no case has several trials: no two rows have an equal `{}`; another key may tell, see --key",
            report.key
        ));
    }
    Ok(report)
}

fn trial_case(answer: &Answer, row: usize, scores: &[Measure]) -> TrialCase {
    let spread = |i: usize| {
        let float = |name: &str| answer.float(row, &format!("{name}{i}"));
        TrialSpread {
            n: answer.int(row, &format!("n{i}")),
            passes: answer.int(row, &format!("pass{i}")),
            mean: float("mean"),
            sd: float("sd"),
            min: float("min"),
            max: float("max"),
        }
    };
    TrialCase {
        id: answer.text(row, "id").unwrap_or_default(),
        input: Some(answer.value_of(row, "input")).filter(|value| !value.is_null()),
        trials: answer.int(row, "trials"),
        scores: scores.iter().enumerate().map(|(i, score)| (score.name.clone(), spread(i))).collect(),
    }
}

/// pass@k and pass^k of each score, for k from 1 to `k_max`.
async fn pass_rates(
    session: &Session,
    cases: datafusion::dataframe::DataFrame,
    hash: &Expr,
    scores: &[Measure],
    threshold: f64,
    k_max: i64,
) -> Result<Vec<Vec<PassRate>>, AnalysisError> {
    if scores.is_empty() || k_max < 1 {
        return Ok(vec![Vec::new(); scores.len()]);
    }
    let (at, hat) = (session.aggregate("pass_at_k")?, session.aggregate("pass_hat_k")?);
    let mean_ci = session.aggregate("mean_ci")?;
    let (mut of_case, mut over_cases) = (Vec::new(), Vec::new());
    for (i, score) in scores.iter().enumerate() {
        for k in 1..=k_max {
            for (word, function) in [("at", &at), ("hat", &hat)] {
                let name = format!("{word}{i}_{k}");
                of_case.push(function.call(vec![score.value(), lit(k), lit(threshold)]).alias(&name));
                over_cases.push(mean_ci.call(vec![ident(&name)]).alias(name));
            }
        }
    }
    // `mean_ci` does not know that the values are chances, unless all of them are 0 or 1.
    let ends = |chance: &Fields<'_>| match chance.text("method").as_deref() {
        Some("wilson") => chance.float("ci_low").zip(chance.float("ci_high")),
        _ => chance.float("mean").and_then(|mean| chance_95(mean, chance.float("se")?, chance.int("n") as f64)),
    };
    let by_case = cases.aggregate(vec![hash.clone().alias("key")], of_case)?;
    let answer = Answer::of(by_case.aggregate(vec![], over_cases)?).await?;
    let rate = |i: usize, k: i64| {
        let (at, hat) = (answer.fields(0, &format!("at{i}_{k}")), answer.fields(0, &format!("hat{i}_{k}")));
        let (at_ends, hat_ends) = (ends(&at), ends(&hat));
        PassRate {
            k,
            cases: at.int("n"),
            at_least_one: at.float("mean"),
            at_least_one_low: at_ends.map(|(low, _)| low),
            at_least_one_high: at_ends.map(|(_, high)| high),
            all: hat.float("mean"),
            all_low: hat_ends.map(|(low, _)| low),
            all_high: hat_ends.map(|(_, high)| high),
        }
    };
    Ok((0..scores.len()).map(|i| (1..=k_max).map(|k| rate(i, k)).filter(|rate| rate.cases > 0).collect()).collect())
}
