//! Whether two experiments should be compared at all.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::common::ScalarValue;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{Expr, ident, lit};
use evalhouse_model::{Diff, Experiment, ExperimentStatus, schema};
use evalhouse_session::{SPANS, Session};

use crate::answer::Answer;
use crate::measures::TOLERANCE;
use crate::{AnalysisError, Selected};

/// Clusters below which a clustered interval is unreliable.
const CLUSTERS_MIN: f64 = 30.0;
/// Where a scorer's span says which scorer it was.
const SCORER_IDENTITY: [&str; 5] =
    ["metadata.scorer_version", "metadata.scorer_hash", "metadata.version", "metadata.hash", "metadata.code_hash"];

/// What the reader should know before trusting a diff. `clusters` is the fewest clusters that an
/// interval rests on, when there are any.
pub(crate) async fn warnings(
    session: &Session,
    diff: &Diff,
    base: &Selected,
    candidate: &Selected,
    clusters: Option<f64>,
) -> Result<Vec<String>, AnalysisError> {
    let (b, c) = (&base.experiment, &candidate.experiment);
    let mut warnings = Vec::new();
    matching(diff, b, c, &mut warnings);
    warnings.extend(of_experiments(session, base, candidate).await?);
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
        match score.lost_score {
            0 => {}
            1 => warnings.push(format!("`{name}`: 1 case lost its score and is in no delta")),
            lost => warnings.push(format!("`{name}`: {lost} cases lost their score and are in no delta")),
        }
    }
    if let Some(clusters) = clusters.filter(|clusters| *clusters < CLUSTERS_MIN) {
        warnings.push(format!("only {clusters} clusters: clustered intervals are unreliable below {CLUSTERS_MIN}"));
    }
    Ok(warnings)
}

/// What the reader should know of experiments that are held against the first one: of one candidate
/// what a diff says of both, of several what sets them apart.
pub(crate) async fn of_sides(session: &Session, experiments: &[&Selected]) -> Result<Vec<String>, AnalysisError> {
    match experiments {
        [base, candidate] => of_experiments(session, base, candidate).await,
        several => of_many(session, several).await,
    }
}

/// That intervals of groups rest on few clusters, by the clusters of each group.
pub(crate) fn of_clusters(clusters: &[f64]) -> Option<String> {
    let few = clusters.iter().filter(|clusters| **clusters < CLUSTERS_MIN).count();
    let fewest = clusters.iter().copied().min_by(f64::total_cmp)?;
    (few > 0).then(|| {
        format!(
            "{few} of {} groups have fewer than {CLUSTERS_MIN} clusters ({fewest} at the fewest): their clustered intervals are unreliable",
            clusters.len()
        )
    })
}

/// What the reader should know of two experiments, whatever is asked of them: that they are one, ran on
/// other data, are cut off, or were scored by another version of a scorer.
pub(crate) async fn of_experiments(
    session: &Session,
    base: &Selected,
    candidate: &Selected,
) -> Result<Vec<String>, AnalysisError> {
    let (base, candidate) = (&base.experiment, &candidate.experiment);
    let mut warnings = Vec::new();
    if base.id == candidate.id {
        warnings.push("base and candidate are the same experiment".to_string());
    }
    origin(base, candidate, &mut warnings);
    if base.id != candidate.id {
        for (scorer, versions) in scorers(session, &[base, candidate]).await? {
            warnings.extend(changed(&scorer, &versions, base, candidate));
        }
    }
    Ok(warnings)
}

/// What the reader should know of several experiments that are ranked, or of one.
pub(crate) async fn of_many(session: &Session, experiments: &[&Selected]) -> Result<Vec<String>, AnalysisError> {
    let mut warnings = Vec::new();
    let ran_on = |selected: &&Selected| {
        let experiment = &selected.experiment;
        experiment.dataset.clone().map(|dataset| (dataset, experiment.dataset_version.clone()))
    };
    let datasets: BTreeSet<_> = experiments.iter().filter_map(ran_on).collect();
    if datasets.len() > 1 {
        warnings.push(format!("the experiments ran on {} different datasets or dataset versions", datasets.len()));
    }
    let totals: BTreeSet<i64> = experiments.iter().filter_map(|one| one.experiment.declared_total).collect();
    if let (Some(least), Some(most)) = (totals.first(), totals.last())
        && least != most
    {
        warnings.push(format!("the sources declared different totals: from {least} to {most}"));
    }
    let partial = experiments.iter().filter(|one| one.experiment.status == ExperimentStatus::Partial).count();
    match partial {
        0 => {}
        1 => warnings.push("1 experiment is partial: its source was cut off, or rows of it were skipped".into()),
        _ => warnings.push(format!("{partial} experiments are partial: their sources were cut off, or rows skipped")),
    }
    let all: Vec<&Experiment> = experiments.iter().map(|one| &one.experiment).collect();
    for (scorer, versions) in scorers(session, &all).await? {
        let different: BTreeSet<&Vec<String>> = versions.values().collect();
        if different.len() > 1 {
            warnings.push(format!(
                "scorer `{scorer}` ran in {} versions: its scores may not be comparable",
                different.len()
            ));
        }
    }
    Ok(warnings)
}

fn matching(diff: &Diff, base: &Experiment, candidate: &Experiment, warnings: &mut Vec<String>) {
    let counts = diff.counts;
    if counts.matched == 0 {
        warnings.push(format!(
            "no case of `{}` has the key of a case of `{}`: try another key with --key, such as metadata.case_id",
            candidate.name, base.name
        ));
    } else if counts.base_only + counts.candidate_only > counts.matched {
        warnings.push(format!(
            "most cases are in one experiment only ({} matched): the comparison speaks for the matched ones",
            counts.matched
        ));
    }
    match counts.null_key {
        0 => {}
        1 => warnings.push("1 row has a null key and matches nothing".to_string()),
        rows => warnings.push(format!("{rows} rows have a null key and match nothing")),
    }
}

fn origin(base: &Experiment, candidate: &Experiment, warnings: &mut Vec<String>) {
    if base.dataset.is_some()
        && candidate.dataset.is_some()
        && (&base.dataset, &base.dataset_version) != (&candidate.dataset, &candidate.dataset_version)
    {
        warnings.push("the experiments ran on different datasets or dataset versions".into());
    }
    if let (Some(base_total), Some(candidate_total)) = (base.declared_total, candidate.declared_total)
        && base_total != candidate_total
    {
        warnings.push(format!("the sources declared different totals: {base_total} and {candidate_total}"));
    }
    for experiment in [base, candidate] {
        if experiment.status == ExperimentStatus::Partial {
            warnings
                .push(format!("`{}` is partial: its source was cut off, or rows of it were skipped", experiment.name));
        }
    }
}

/// The versions or hashes that the spans of each scorer name: scorer → experiment → versions. Reads child
/// spans only where a scorer's version is a column of the store at all, and there is more to compare.
async fn scorers(
    session: &Session,
    experiments: &[&Experiment],
) -> Result<BTreeMap<String, BTreeMap<String, Vec<String>>>, AnalysisError> {
    let mut versions = BTreeMap::new();
    let spans = session.table(SPANS).await?;
    let known: Vec<&str> =
        SCORER_IDENTITY.into_iter().filter(|name| spans.schema().has_column_with_unqualified_name(name)).collect();
    let some = known.iter().map(|name| ident(*name).is_not_null()).reduce(Expr::or);
    let (Some(some), true) = (some, experiments.len() > 1) else { return Ok(versions) };
    let ids = experiments.iter().map(|one| lit(ScalarValue::Utf8View(Some(one.id.clone())))).collect();
    let scoring = spans
        .filter(ident(schema::EXPERIMENT_ID).in_list(ids, false))?
        .filter(ident(schema::IS_ROOT).eq(lit(false)).and(ident(schema::PURPOSE).eq(lit("scorer"))))?
        .filter(some)?;
    let by = [schema::NAME, schema::EXPERIMENT_ID].into_iter().chain(known.iter().copied()).map(ident).collect();
    let answer = Answer::of(scoring.aggregate(by, vec![count(lit(1)).alias("spans")])?).await?;
    for row in 0..answer.rows() {
        let text = |name: &str| answer.text(row, name);
        let names: Vec<String> = known.iter().filter_map(|name| text(name)).collect();
        let of_scorer: &mut BTreeMap<String, Vec<String>> =
            versions.entry(text(schema::NAME).unwrap_or_default()).or_default();
        of_scorer.entry(text(schema::EXPERIMENT_ID).unwrap_or_default()).or_default().push(names.join(" "));
    }
    versions.values_mut().flat_map(BTreeMap::values_mut).for_each(|names| names.sort());
    Ok(versions)
}

/// That a scorer names another version in one experiment than in the other.
fn changed(
    scorer: &str,
    versions: &BTreeMap<String, Vec<String>>,
    base: &Experiment,
    candidate: &Experiment,
) -> Option<String> {
    match (versions.get(&base.id), versions.get(&candidate.id)) {
        (Some(before), Some(after)) => (before != after).then(|| {
            format!(
                "scorer `{scorer}` changed between the experiments ({} → {}): its scores may not be comparable",
                before.join(", "),
                after.join(", ")
            )
        }),
        (before, _) => {
            let (with, without) = if before.is_some() { (base, candidate) } else { (candidate, base) };
            Some(format!(
                "scorer `{scorer}` names its version in `{}` and not in `{}`: it may have been another",
                with.name, without.name
            ))
        }
    }
}
