//! A candidate against a baseline, key by key (semantics, sections 2, 4, 6 and 16).

use datafusion::arrow::datatypes::DataType;
use datafusion::common::JoinType;
use datafusion::dataframe::DataFrame;
use datafusion::functions_aggregate::expr_fn::{avg, count, max, min, sum};
use datafusion::logical_expr::{Expr, cast, ident, lit, when};
use datafusion::prelude::coalesce;
use evalhouse_model::{Diff, DiffCounts, ExperimentStatus, MetricDelta, ScoreDelta, Verdict, schema};
use evalhouse_session::Session;
use indexmap::{IndexMap, IndexSet};

use crate::answer::Answer;
use crate::key::{DEFAULT_KEY, key_hash};
use crate::scope::{cases_of, number, parse, side};
use crate::{AnalysisError, Selected};

/// Differences up to this are no difference.
const TOLERANCE: f64 = 1e-9;
/// Significance level, after correction.
const ALPHA: f64 = 0.05;
/// Clusters below which a clustered interval is unreliable.
const CLUSTERS_MIN: f64 = 30.0;

/// How the trials of a case become one value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reducer {
    /// Their mean.
    #[default]
    Mean,
}

impl Reducer {
    /// Name as users write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
        }
    }
}

/// How to compare.
#[derive(Debug, Clone, Default)]
pub struct DiffOptions {
    /// Comparison key; default `input`.
    pub key: Option<String>,
    /// Only cases that satisfy this condition, on both sides.
    pub filter: Option<String>,
    /// What makes cases alike: intervals and tests treat a cluster as one observation.
    pub cluster: Option<String>,
    /// How trials are consolidated.
    pub reducer: Reducer,
}

/// Compares two experiments.
///
/// Every key of the union is matched, only in the base, or only in the candidate; within matched
/// cases every score is improved, regressed, unchanged, lost, gained or absent on both sides, so the
/// counts add up. Rows with a null key match nothing and are counted apart; they are in the means
/// over all rows.
///
/// # Errors
/// When the key, filter or cluster does not parse, or the store cannot be read.
pub async fn diff(
    session: &Session,
    base: &Selected,
    candidate: &Selected,
    options: &DiffOptions,
) -> Result<Diff, AnalysisError> {
    let snapshot = session.snapshot();
    let (base_id, candidate_id) = (&base.experiment.id, &candidate.experiment.id);
    let union = |a: Vec<String>, b: Vec<String>| a.into_iter().chain(b).collect::<IndexSet<String>>();
    let scores = union(snapshot.score_names(base_id), snapshot.score_names(candidate_id));
    let metrics = union(snapshot.metric_names(base_id), snapshot.metric_names(candidate_id));
    let numbers: Vec<Number> = scores
        .iter()
        .map(|name| Number { field: schema::SCORES, name: name.clone(), lower_is_better: false })
        .chain(metrics.iter().map(|name| Number {
            field: schema::METRICS,
            name: name.clone(),
            lower_is_better: schema::lower_is_better(name),
        }))
        .collect();

    let base_side = consolidated(session, base, options, &numbers, "b").await?;
    let candidate_side = consolidated(session, candidate, options, &numbers, "c").await?;
    let joined = base_side.join(candidate_side, JoinType::Full, &["b_key"], &["c_key"], None)?;
    let answer = Answer::of(compared(session, joined, &numbers, options)?).await?;
    Ok(assemble(&answer, base, candidate, &numbers, options))
}

/// A score or metric to compare.
struct Number {
    field: &'static str,
    name: String,
    lower_is_better: bool,
}

/// One row a key: the case's consolidated values, and what the means over rows need.
async fn consolidated(
    session: &Session,
    experiment: &Selected,
    options: &DiffOptions,
    numbers: &[Number],
    prefix: &str,
) -> Result<DataFrame, AnalysisError> {
    let cases = cases_of(session, experiment, options.filter.as_deref()).await?;
    let key = key_hash(session, options.key.as_deref(), cases.schema())?.alias(format!("{prefix}_key"));
    let mut aggregates = vec![count(lit(1)).alias(format!("{prefix}_rows"))];
    if let Some(text) = &options.cluster {
        let cluster = parse(session, "--cluster", text, cases.schema())?;
        // All trials of a case share its cluster; of several the first by value stands for it.
        aggregates.push(min(cast(cluster, DataType::Utf8)).alias(format!("{prefix}_cluster")));
    }
    for (i, number_) in numbers.iter().enumerate() {
        let value = || number(number_.field, &number_.name);
        aggregates.extend([
            avg(value()).alias(format!("{prefix}{i}")),
            sum(value()).alias(format!("{prefix}{i}_sum")),
            count(value()).alias(format!("{prefix}{i}_n")),
            min(value()).alias(format!("{prefix}{i}_min")),
            max(value()).alias(format!("{prefix}{i}_max")),
        ]);
    }
    Ok(cases.aggregate(vec![key], aggregates)?)
}

/// One row: counts, and for each number its means, classes and paired statistics.
fn compared(
    session: &Session,
    joined: DataFrame,
    numbers: &[Number],
    options: &DiffOptions,
) -> Result<DataFrame, AnalysisError> {
    let in_base = || ident("b_rows").is_not_null();
    let in_candidate = || ident("c_rows").is_not_null();
    let matched = || in_base().and(in_candidate());
    let counted = |condition: Expr| -> Result<Expr, AnalysisError> {
        Ok(coalesce(vec![sum(when(condition, lit(1_i64)).otherwise(lit(0_i64))?), lit(0_i64)]))
    };
    let rows_where = |column: &str, condition: Expr| -> Result<Expr, AnalysisError> {
        Ok(sum(when(condition, ident(column)).otherwise(lit(0_i64))?))
    };
    let mut aggregates = vec![
        counted(matched())?.alias("matched"),
        counted(in_base().and(in_candidate().is_false()).and(ident("b_key").is_not_null()))?.alias("base_only"),
        counted(in_candidate().and(in_base().is_false()).and(ident("c_key").is_not_null()))?.alias("candidate_only"),
        rows_where("b_rows", in_base().and(ident("b_key").is_null()))?.alias("null_key_base"),
        rows_where("c_rows", in_candidate().and(ident("c_key").is_null()))?.alias("null_key_candidate"),
        sum(ident("b_rows")).alias("base_rows"),
        sum(ident("c_rows")).alias("candidate_rows"),
    ];
    let regression = session.function("regression")?;
    let paired_diff = session.aggregate("paired_diff")?;
    for (i, number) in numbers.iter().enumerate() {
        // A null key has its own row on one side only, so its values never form a pair.
        let (base, candidate) = (|| ident(format!("b{i}")), || ident(format!("c{i}")));
        let direction = if number.lower_is_better { "lower" } else { "higher" };
        let class = regression.call(vec![base(), candidate(), lit(TOLERANCE), lit(direction)]);
        for name in CLASSES {
            let in_class = matched().and(class.clone().eq(lit(name)));
            aggregates.push(counted(in_class)?.alias(format!("{name}{i}")));
        }
        let mut pair = vec![base(), candidate()];
        if options.cluster.is_some() {
            pair.push(coalesce(vec![ident("b_cluster"), ident("c_cluster")]));
        }
        aggregates.push(paired_diff.call(pair).alias(format!("paired{i}")));
        for prefix in ["b", "c"] {
            let total = |part: &str| sum(ident(format!("{prefix}{i}_{part}")));
            aggregates.push(total("sum").alias(format!("{prefix}{i}_sum")));
            aggregates.push(total("n").alias(format!("{prefix}{i}_n")));
            aggregates.push(min(ident(format!("{prefix}{i}_min"))).alias(format!("{prefix}{i}_min")));
            aggregates.push(max(ident(format!("{prefix}{i}_max"))).alias(format!("{prefix}{i}_max")));
        }
    }
    Ok(joined.aggregate(vec![], aggregates)?)
}

const CLASSES: [&str; 6] = ["improved", "regressed", "unchanged", "lost_score", "gained_score", "no_score"];

fn assemble(answer: &Answer, base: &Selected, candidate: &Selected, numbers: &[Number], options: &DiffOptions) -> Diff {
    let int = |name: &str| answer.int(0, name);
    let counts = DiffCounts {
        matched: int("matched"),
        base_only: int("base_only"),
        candidate_only: int("candidate_only"),
        null_key: int("null_key_base") + int("null_key_candidate"),
        null_key_base: int("null_key_base"),
        null_key_candidate: int("null_key_candidate"),
    };
    let mut diff = Diff {
        base: side(base),
        candidate: side(candidate),
        key: options.key.clone().unwrap_or_else(|| DEFAULT_KEY.into()),
        filter: options.filter.clone(),
        reducer: options.reducer.name().into(),
        cluster: options.cluster.clone(),
        counts,
        ..Diff::default()
    };
    diff.base.rows = int("base_rows");
    diff.base.cases = counts.matched + counts.base_only;
    diff.candidate.rows = int("candidate_rows");
    diff.candidate.cases = counts.matched + counts.candidate_only;
    for (i, number) in numbers.iter().enumerate() {
        if number.field == schema::SCORES {
            diff.scores.insert(number.name.clone(), score_delta(answer, i, number));
        } else {
            diff.metrics.insert(number.name.clone(), metric_delta(answer, i, number));
        }
    }
    adjust_for_family(&mut diff.scores);
    diff.warnings = warnings(&diff, base, candidate, answer, numbers);
    diff
}

fn row_mean(answer: &Answer, prefix: &str, i: usize) -> Option<f64> {
    let n = answer.int(0, &format!("{prefix}{i}_n"));
    (n > 0).then(|| answer.float(0, &format!("{prefix}{i}_sum")).map(|sum| sum / n as f64)).flatten()
}

fn score_delta(answer: &Answer, i: usize, number: &Number) -> ScoreDelta {
    let (base, candidate) = (row_mean(answer, "b", i), row_mean(answer, "c", i));
    let class = |name: &str| answer.int(0, &format!("{name}{i}"));
    let paired = answer.fields(0, &format!("paired{i}"));
    let ends =
        |end: &'static str| ["b", "c"].into_iter().filter_map(move |side| answer.float(0, &format!("{side}{i}_{end}")));
    ScoreDelta {
        base,
        candidate,
        delta_matched: paired.float("delta"),
        delta_all: base.zip(candidate).map(|(base, candidate)| candidate - base),
        improved: class("improved"),
        regressed: class("regressed"),
        unchanged: class("unchanged"),
        lost_score: class("lost_score"),
        gained_score: class("gained_score"),
        no_score: class("no_score"),
        min: ends("min").min_by(f64::total_cmp),
        max: ends("max").max_by(f64::total_cmp),
        n: paired.int("n"),
        sd: paired.float("sd"),
        se: paired.float("se"),
        ci_low: paired.float("ci_low"),
        ci_high: paired.float("ci_high"),
        p: paired.float("p"),
        p_adjusted: None,
        method: paired.text("method"),
        mde: paired.float("mde"),
        verdict: Verdict::NoData,
        lower_is_better: number.lower_is_better,
    }
}

fn metric_delta(answer: &Answer, i: usize, number: &Number) -> MetricDelta {
    let (base, candidate) = (row_mean(answer, "b", i), row_mean(answer, "c", i));
    let class = |name: &str| answer.int(0, &format!("{name}{i}"));
    let paired = answer.fields(0, &format!("paired{i}"));
    MetricDelta {
        base,
        candidate,
        delta_matched: paired.float("delta"),
        delta_all: base.zip(candidate).map(|(base, candidate)| candidate - base),
        improved: class("improved"),
        regressed: class("regressed"),
        unchanged: class("unchanged"),
        n: paired.int("n"),
        se: paired.float("se"),
        ci_low: paired.float("ci_low"),
        ci_high: paired.float("ci_high"),
        unit: schema::metric_unit(&number.name).into(),
        lower_is_better: number.lower_is_better,
    }
}

/// Corrects p-values for the number of scores looked at (Holm 1979: strong control of the
/// family-wise error) and draws the conclusions.
fn adjust_for_family(scores: &mut IndexMap<String, ScoreDelta>) {
    let mut tested: Vec<(usize, f64)> =
        scores.values().enumerate().filter_map(|(i, score)| Some((i, score.p?))).collect();
    tested.sort_by(|a, b| a.1.total_cmp(&b.1));
    let family = tested.len();
    let mut largest: f64 = 0.0;
    for (rank, (i, p)) in tested.into_iter().enumerate() {
        largest = largest.max(p * (family - rank) as f64).min(1.0);
        if let Some((_, score)) = scores.get_index_mut(i) {
            score.p_adjusted = Some(largest);
        }
    }
    for score in scores.values_mut() {
        score.verdict = verdict(score);
    }
}

fn verdict(score: &ScoreDelta) -> Verdict {
    let (Some(delta), Some(p)) = (score.delta_matched, score.p_adjusted) else { return Verdict::NoData };
    let better = if score.lower_is_better { -delta } else { delta };
    if p >= ALPHA || better == 0.0 {
        Verdict::NotDistinguishable
    } else if better > 0.0 {
        Verdict::Improved
    } else {
        Verdict::Regressed
    }
}

fn warnings(diff: &Diff, base: &Selected, candidate: &Selected, answer: &Answer, numbers: &[Number]) -> Vec<String> {
    let mut warnings = Vec::new();
    let (b, c) = (&base.experiment, &candidate.experiment);
    if b.id == c.id {
        warnings.push("base and candidate are the same experiment".to_string());
    }
    let counts = diff.counts;
    if counts.matched == 0 {
        warnings.push(format!(
            "no case of `{}` has the key of a case of `{}`: try another key with --key, such as metadata.case_id",
            c.name, b.name
        ));
    } else if counts.base_only + counts.candidate_only > counts.matched {
        warnings.push(format!(
            "most cases are in one experiment only ({} matched): the comparison speaks for the matched ones",
            counts.matched
        ));
    }
    if counts.null_key > 0 {
        warnings.push(format!("{} rows have a null key and match nothing", counts.null_key));
    }
    if b.dataset.is_some()
        && c.dataset.is_some()
        && (&b.dataset, &b.dataset_version) != (&c.dataset, &c.dataset_version)
    {
        warnings.push("the experiments ran on different datasets or dataset versions".into());
    }
    if let (Some(base_total), Some(candidate_total)) = (b.declared_total, c.declared_total)
        && base_total != candidate_total
    {
        warnings.push(format!("the sources declared different totals: {base_total} and {candidate_total}"));
    }
    for experiment in [b, c] {
        if experiment.status == ExperimentStatus::Partial {
            warnings
                .push(format!("`{}` is partial: its source was cut off, or rows of it were skipped", experiment.name));
        }
    }
    for (name, score) in &diff.scores {
        if let (Some(matched), Some(all)) = (score.delta_matched, score.delta_all)
            && matched * all < 0.0
            && matched.abs() > TOLERANCE
            && all.abs() > TOLERANCE
        {
            warnings.push(format!(
                "`{name}`: the change over matched cases ({matched:+.4}) and over all rows ({all:+.4}) differ in sign: different cases ran"
            ));
        }
        if score.lost_score > 0 {
            warnings.push(format!("`{name}`: {} cases lost their score and are in no delta", score.lost_score));
        }
    }
    let fewest = (diff.cluster.is_some()).then(|| {
        (0..numbers.len()).filter_map(|i| answer.fields(0, &format!("paired{i}")).float("df")).map(|df| df + 1.0)
    });
    if let Some(clusters) = fewest.and_then(|all| all.min_by(f64::total_cmp))
        && clusters < CLUSTERS_MIN
    {
        warnings.push(format!("only {clusters} clusters: clustered intervals are unreliable below {CLUSTERS_MIN}"));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holm_is_monotone_and_capped() {
        let score = |p| ScoreDelta { p, delta_matched: Some(-0.1), ..ScoreDelta::default() };
        let mut scores: IndexMap<String, ScoreDelta> =
            [("a", Some(0.01)), ("b", Some(0.04)), ("c", Some(0.03)), ("d", None)]
                .into_iter()
                .map(|(name, p)| (name.to_string(), score(p)))
                .collect();
        adjust_for_family(&mut scores);
        let adjusted: Vec<Option<f64>> = scores.values().map(|s| s.p_adjusted).collect();
        assert_eq!(adjusted, [Some(0.03), Some(0.06), Some(0.06), None]);
        assert_eq!(scores["a"].verdict, Verdict::Regressed);
        assert_eq!(scores["b"].verdict, Verdict::NotDistinguishable);
        assert_eq!(scores["d"].verdict, Verdict::NoData);
    }
}
