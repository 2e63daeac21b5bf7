//! A candidate against a baseline, key by key (semantics, sections 2, 4, 6 and 16).

use datafusion::dataframe::DataFrame;
use datafusion::functions_aggregate::expr_fn::sum;
use datafusion::logical_expr::{Expr, ExprFunctionExt, lit, when};
use datafusion::prelude::coalesce;
use evalhouse_functions::holm_adjusted;
use evalhouse_model::{Diff, DiffCounts, MetricDelta, ScoreDelta, Verdict, schema};
use evalhouse_session::{CASES, Session};
use indexmap::IndexMap;

use crate::answer::{Answer, Fields};
use crate::filter::{Filter, of_kept_pairs};
use crate::key::Key;
use crate::measures::{Measure, in_plans, measures};
use crate::pairs::{PairRequest, Side, is_matched, pairs};
use crate::reducer::Reducer;
use crate::rows::row_statistics;
use crate::scope::{cases_of_all, parse, side};
use crate::{AnalysisError, Selected, comparable};

/// Significance level, after correction.
pub(crate) const ALPHA: f64 = 0.05;

/// How to compare.
#[derive(Debug, Clone, Default)]
pub struct DiffOptions {
    /// Comparison key; default the project's, else `input`.
    pub key: Option<String>,
    /// Only cases that satisfy this condition, on both sides.
    pub filter: Option<String>,
    /// What makes cases alike: intervals and tests treat a cluster as one observation.
    pub cluster: Option<String>,
    /// How trials are consolidated; default the project's, else their mean.
    pub reducer: Option<Reducer>,
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
    let all = measures(session, &[base, candidate]);
    let is_paired = options.filter.as_deref().map(Filter::read).transpose()?.is_some_and(|filter| filter.is_paired());
    // A condition on pairs may name any measure.
    let plans = if is_paired { vec![all.as_slice()] } else { in_plans(&all) };
    let mut whole: Option<(Diff, Option<f64>)> = None;
    for some in plans {
        let (diff, fewest) = diff_of(session, base, candidate, options, some).await?;
        match &mut whole {
            Some((known, known_fewest)) => {
                known.scores.extend(diff.scores);
                known.metrics.extend(diff.metrics);
                *known_fewest = [*known_fewest, fewest].into_iter().flatten().min_by(f64::total_cmp);
            }
            None => whole = Some((diff, fewest)),
        }
    }
    let (mut diff, fewest) = whole.unwrap_or_default();
    adjust_for_family(&mut diff.scores);
    diff.warnings = comparable::warnings(session, &diff, base, candidate, fewest).await?;
    Ok(diff)
}

/// The diff of some measures, each for itself, and the fewest clusters that one of them has.
async fn diff_of(
    session: &Session,
    base: &Selected,
    candidate: &Selected,
    options: &DiffOptions,
    measures: &[Measure],
) -> Result<(Diff, Option<f64>), AnalysisError> {
    let Planned { key, reducer, pairs, rows } = planned(session, base, candidate, options, measures).await?;
    let compared = pairs.aggregate(vec![], comparisons(session, measures, options.cluster.is_some())?)?;
    let compared = Answer::of(compared).await?;
    let rows = row_statistics(rows, measures).await?;

    let int = |name: &str| compared.int(0, name);
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
        key: key.text,
        filter: options.filter.clone(),
        reducer: reducer.to_string(),
        cluster: options.cluster.clone(),
        counts,
        ..Diff::default()
    };
    diff.base.rows = rows.rows(&base.experiment.id);
    diff.base.cases = counts.matched + counts.base_only;
    diff.candidate.rows = rows.rows(&candidate.experiment.id);
    diff.candidate.cases = counts.matched + counts.candidate_only;
    for (i, measure) in measures.iter().enumerate() {
        let paired = compared.fields(0, &format!("d{i}"));
        let ends = |id: &str| rows.of(id, i);
        let (base, candidate) = (ends(&base.experiment.id), ends(&candidate.experiment.id));
        if measure.is_score() {
            let delta = ScoreDelta {
                min: [base.min, candidate.min].into_iter().flatten().min_by(f64::total_cmp),
                max: [base.max, candidate.max].into_iter().flatten().max_by(f64::total_cmp),
                ..score_delta(&paired, base.mean, candidate.mean, measure)
            };
            diff.scores.insert(measure.name.clone(), delta);
        } else {
            let delta = metric_delta(score_delta(&paired, base.mean, candidate.mean, measure), measure);
            diff.metrics.insert(measure.name.clone(), delta);
        }
    }
    let clusters = (0..measures.len()).filter_map(|i| compared.fields(0, &format!("d{i}")).float("df"));
    let fewest = clusters.map(|df| df + 1.0).min_by(f64::total_cmp).filter(|_| options.cluster.is_some());
    Ok((diff, fewest))
}

/// The plan of a diff's one row of counts and statistics, not run: for those who want to see what it
/// reads.
///
/// # Errors
/// As [`diff`].
pub async fn diff_plan(
    session: &Session,
    base: &Selected,
    candidate: &Selected,
    options: &DiffOptions,
) -> Result<DataFrame, AnalysisError> {
    let all = measures(session, &[base, candidate]);
    let planned = planned(session, base, candidate, options, &all).await?;
    let compared = comparisons(session, &all, options.cluster.is_some())?;
    Ok(planned.pairs.aggregate(vec![], compared)?)
}

/// What a diff is made of.
struct Planned {
    key: Key,
    reducer: Reducer,
    /// The cases of both sides, matched.
    pairs: DataFrame,
    /// The rows of both sides.
    rows: DataFrame,
}

async fn planned(
    session: &Session,
    base: &Selected,
    candidate: &Selected,
    options: &DiffOptions,
    measures: &[Measure],
) -> Result<Planned, AnalysisError> {
    let both = [base, candidate];
    let key = Key::of(session, options.key.as_deref(), &both);
    let reducer = Reducer::of(session, options.reducer, candidate)?;
    let cluster = match &options.cluster {
        Some(text) => vec![parse(session, "--cluster", text, session.table(CASES).await?.schema())?],
        None => Vec::new(),
    };
    let filter = options.filter.as_deref().map(Filter::read).transpose()?;
    let request = PairRequest { key: &key, filter: filter.as_ref(), reducer, measures, extras: &cluster };
    let pairs = pairs(session, base, candidate, &request).await?;
    let mut rows = cases_of_all(session, &both, None).await?;
    if let Some(filter) = &filter {
        rows = filter.keep_own(session, rows, &key)?;
        if filter.is_paired() {
            let hash = key.hash(session, rows.schema())?;
            rows = of_kept_pairs(rows, hash, base, [(candidate, pairs.clone())])?;
        }
    }
    Ok(Planned { key, reducer, pairs, rows })
}

/// What becomes of the joined cases: counts that add up to the union, and for each measure the
/// classes and paired statistics of the matched ones (`d0`, `d1`, …).
pub(crate) fn comparisons(
    session: &Session,
    measures: &[Measure],
    clustered: bool,
) -> Result<Vec<Expr>, AnalysisError> {
    let (base, candidate) = (Side::Base, Side::Candidate);
    let total = |condition: Expr, value: Expr| -> Result<Expr, AnalysisError> {
        Ok(coalesce(vec![sum(when(condition, value).otherwise(lit(0_i64))?), lit(0_i64)]))
    };
    let only = |here: Side, there: Side| here.is_present().and(there.rows().is_null()).and(here.key().is_not_null());
    let no_key = |side: Side| side.is_present().and(side.key().is_null());
    let mut aggregates = vec![
        total(is_matched(), lit(1_i64))?.alias("matched"),
        total(only(base, candidate), lit(1_i64))?.alias("base_only"),
        total(only(candidate, base), lit(1_i64))?.alias("candidate_only"),
        total(no_key(base), base.rows())?.alias("null_key_base"),
        total(no_key(candidate), candidate.rows())?.alias("null_key_candidate"),
    ];
    let score_diff = session.aggregate("score_diff")?;
    for (i, measure) in measures.iter().enumerate() {
        let mut arguments = vec![base.value(i), candidate.value(i), lit(measure.tolerance), lit(measure.direction())];
        if clustered {
            // All trials of a case share its cluster; the base says which.
            arguments.push(coalesce(vec![base.extra(0), candidate.extra(0)]));
        }
        aggregates.push(score_diff.call(arguments).filter(is_matched()).build()?.alias(format!("d{i}")));
    }
    Ok(aggregates)
}

/// One measure's share of a diff, from the struct that `score_diff` gives and the means over rows.
pub(crate) fn score_delta(
    paired: &Fields<'_>,
    base: Option<f64>,
    candidate: Option<f64>,
    measure: &Measure,
) -> ScoreDelta {
    ScoreDelta {
        base,
        candidate,
        delta_matched: paired.float("delta"),
        delta_all: base.zip(candidate).map(|(base, candidate)| candidate - base),
        improved: paired.int("improved"),
        regressed: paired.int("regressed"),
        unchanged: paired.int("unchanged"),
        lost_score: paired.int("lost_score"),
        gained_score: paired.int("gained_score"),
        no_score: paired.int("no_score"),
        n: paired.int("n"),
        sd: paired.float("sd"),
        se: paired.float("se"),
        ci_low: paired.float("ci_low"),
        ci_high: paired.float("ci_high"),
        p: paired.float("p"),
        method: paired.text("method"),
        mde: paired.float("mde"),
        lower_is_better: measure.lower_is_better,
        ..ScoreDelta::default()
    }
}

/// A metric is not tested, so it has no p-value and no verdict.
fn metric_delta(delta: ScoreDelta, measure: &Measure) -> MetricDelta {
    MetricDelta {
        base: delta.base,
        candidate: delta.candidate,
        delta_matched: delta.delta_matched,
        delta_all: delta.delta_all,
        improved: delta.improved,
        regressed: delta.regressed,
        unchanged: delta.unchanged,
        n: delta.n,
        se: delta.se,
        ci_low: delta.ci_low,
        ci_high: delta.ci_high,
        unit: schema::metric_unit(&measure.name).into(),
        lower_is_better: delta.lower_is_better,
    }
}

/// Corrects p-values for the number of scores looked at (Holm 1979: strong control of the
/// family-wise error) and draws the conclusions.
pub(crate) fn adjust_for_family(scores: &mut IndexMap<String, ScoreDelta>) {
    let tested: Vec<f64> = scores.values().filter_map(|score| score.p).collect();
    let adjusted = holm_adjusted(&tested);
    for (score, adjusted) in scores.values_mut().filter(|score| score.p.is_some()).zip(adjusted) {
        score.p_adjusted = Some(adjusted);
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
