//! Scores over time, and where they changed.

use evalhouse_functions::holm_adjusted;
use evalhouse_functions::kernels::change_point::change_points;
use evalhouse_functions::kernels::interval::wilson_95;
use evalhouse_functions::kernels::normal::Z_975;
use evalhouse_functions::kernels::two_means::{MeanOf, difference_p};
use evalhouse_model::{History, HistoryChange, HistoryPoint, ScoreHistory};
use evalhouse_session::Session;

use crate::answer::rfc3339;
use crate::case_means::{case_means, mean_of};
use crate::diff::ALPHA;
use crate::key::Key;
use crate::measures::scores;
use crate::reducer::Reducer;
use crate::{AnalysisError, Selected};

/// What to look at.
#[derive(Debug, Clone, Default)]
pub struct HistoryOptions {
    /// Only this score.
    pub score: Option<String>,
    /// Only experiments on this branch.
    pub branch: Option<String>,
    /// Comparison key; default the project's, else `input`.
    pub key: Option<String>,
    /// Only cases that satisfy this condition.
    pub filter: Option<String>,
    /// How trials are consolidated.
    pub reducer: Option<Reducer>,
    /// Only the newest experiments, this many.
    pub last: Option<usize>,
}

/// Each score of a project's experiments, oldest first, with the changes of its mean.
///
/// # Errors
/// When the project or the score does not exist, or an expression does not parse.
pub async fn history(session: &Session, project: &str, options: &HistoryOptions) -> Result<History, AnalysisError> {
    let mut chosen: Vec<Selected> = session
        .experiments()
        .iter()
        .filter(|e| e.project == project)
        .filter(|e| options.branch.is_none() || e.branch == options.branch)
        .map(|e| Selected { experiment: e.clone(), rule: None })
        .collect();
    if chosen.is_empty() {
        return Err(AnalysisError::UnknownProject {
            project: project.into(),
            detail: options.branch.as_ref().map(|branch| format!(" on branch `{branch}`")).unwrap_or_default(),
        });
    }
    chosen.sort_by(|a, b| (a.experiment.created, &a.experiment.name).cmp(&(b.experiment.created, &b.experiment.name)));
    if let Some(last) = options.last {
        chosen.drain(..chosen.len().saturating_sub(last));
    }
    let experiments: Vec<&Selected> = chosen.iter().collect();
    let mut scores = scores(session, &experiments);
    if let Some(wanted) = &options.score {
        let wanted = wanted.strip_prefix("scores.").unwrap_or(wanted);
        let names: Vec<String> = scores.iter().map(|score| score.name.clone()).collect();
        scores.retain(|score| score.name == wanted);
        if scores.is_empty() {
            return Err(AnalysisError::UnknownScore { score: wanted.into(), known: names });
        }
    }
    let key = Key::of(session, options.key.as_deref(), &experiments);
    let reducer = match experiments.last() {
        Some(last) => Reducer::of(session, options.reducer, last)?,
        None => Reducer::default(),
    };
    let means = case_means(session, &experiments, &scores, &key, reducer, options.filter.as_deref()).await?;
    let mut answer = History {
        project: project.into(),
        key: key.text.clone(),
        reducer: reducer.to_string(),
        filter: options.filter.clone(),
        ..History::default()
    };
    for (i, score) in scores.iter().enumerate() {
        let runs: Vec<(HistoryPoint, MeanOf)> = experiments
            .iter()
            .filter_map(|one| {
                let interval = means.interval(&one.experiment.id, i)?;
                let float = |part: &str| interval.float(part);
                let mean = mean_of(&interval)?;
                let point = HistoryPoint {
                    experiment: one.experiment.name.clone(),
                    id: one.experiment.id.clone(),
                    created: one.experiment.created.and_then(rfc3339),
                    mean: Some(mean.mean),
                    se: float("se"),
                    ci_low: float("ci_low"),
                    ci_high: float("ci_high"),
                    n: interval.int("n"),
                    ..HistoryPoint::default()
                };
                Some((point, mean))
            })
            .collect();
        let entry = with_changes(runs, score.lower_is_better);
        answer.scores.insert(score.name.clone(), entry);
    }
    if chosen.iter().any(|one| one.experiment.created.is_none()) {
        answer.warnings.push("experiments without a time of creation come first, by name".into());
    }
    Ok(answer)
}

/// Finds the steps and the changes of a series, and the first bad experiment.
fn with_changes(runs: Vec<(HistoryPoint, MeanOf)>, lower_is_better: bool) -> ScoreHistory {
    let (mut points, runs): (Vec<HistoryPoint>, Vec<MeanOf>) = runs.into_iter().unzip();
    let means: Vec<f64> = runs.iter().map(|run| run.mean).collect();
    let changes: Vec<HistoryChange> = change_points(&means, &errors(&runs))
        .into_iter()
        .map(|change| HistoryChange {
            experiment: points[change.position].experiment.clone(),
            id: points[change.position].id.clone(),
            before: change.before,
            after: change.after,
            delta: change.after - change.before,
            p: change.p,
            worse: (change.after < change.before) != lower_is_better,
        })
        .collect();
    let steps: Vec<f64> = runs.windows(2).map(|pair| difference_p(&pair[0], &pair[1]).unwrap_or(f64::NAN)).collect();
    for (i, adjusted) in holm_adjusted(&steps).into_iter().enumerate() {
        points[i + 1].step = Some(means[i + 1] - means[i]);
        points[i + 1].step_p = Some(adjusted).filter(|p| !p.is_nan());
    }
    let goodness = |mean: f64| if lower_is_better { -mean } else { mean };
    let first_bad = if changes.is_empty() {
        // Too few experiments to tell a level: the last fall that is no noise, and that no later
        // experiment made good.
        let is_fall =
            |i: usize| goodness(means[i]) < goodness(means[i - 1]) && points[i].step_p.is_some_and(|p| p < ALPHA);
        let is_open = |i: usize| means[i..].iter().all(|later| goodness(*later) < goodness(means[i - 1]));
        (1..points.len()).rev().find(|i| is_fall(*i) && is_open(*i)).map(|i| points[i].experiment.clone())
    } else {
        let is_open = |i: usize| {
            let level = goodness(changes[i].before);
            changes[i + 1..].iter().all(|later| goodness(later.after) < level)
        };
        let last = (0..changes.len()).rev().find(|i| changes[*i].worse && is_open(*i));
        last.map(|i| changes[i].experiment.clone())
    };
    ScoreHistory { points, changes, first_bad, lower_is_better }
}

/// The standard error of each run for the search of changes. A run of few cases may show less spread
/// than there is, down to none at all, and would pass for a sure one: no run is taken to be surer
/// than its number of cases makes it with the spread that is typical of the runs, nor, of passes and
/// failures, than its Wilson interval is wide. 0 where nothing is known.
fn errors(runs: &[MeanOf]) -> Vec<f64> {
    let spread = |run: &MeanOf| run.standard_error * run.count.sqrt();
    let mut spreads: Vec<f64> = runs.iter().map(spread).filter(|spread| *spread > 0.0).collect();
    spreads.sort_by(f64::total_cmp);
    let typical = spreads.get(spreads.len() / 2).copied().unwrap_or(0.0);
    let wilson = |run: &MeanOf| wilson_95(run.mean, run.count).filter(|_| run.is_binary);
    let of_run = |run: &MeanOf| {
        let binary = wilson(run).map_or(0.0, |(low, high)| (high - low) / (2.0 * Z_975));
        run.standard_error.max(typical / run.count.sqrt()).max(binary)
    };
    runs.iter().map(of_run).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A history of experiments named by their place, of passes among cases.
    fn history(runs: &[(f64, f64)]) -> ScoreHistory {
        let run = |(i, (passes, count)): (usize, &(f64, f64))| {
            let mean = passes / count;
            let standard_error = if *count > 1.0 { (mean * (1.0 - mean) / (count - 1.0)).sqrt() } else { 0.0 };
            let point = HistoryPoint { experiment: i.to_string(), n: *count as i64, ..HistoryPoint::default() };
            (point, MeanOf { mean, standard_error, count: *count, is_binary: true })
        };
        with_changes(runs.iter().enumerate().map(run).collect(), false)
    }

    #[test]
    fn two_runs_of_two_cases_prove_nothing() {
        let answer = history(&[(2.0, 2.0), (0.0, 2.0)]);
        assert!((answer.points[1].step_p.unwrap() - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!((answer.points[1].step, answer.first_bad), (Some(-1.0), None));
        let answer = history(&[(2.0, 2.0), (2.0, 2.0), (2.0, 2.0), (0.0, 2.0)]);
        assert_eq!((answer.changes.len(), answer.first_bad), (0, None));
    }

    #[test]
    fn enough_cases_do() {
        let answer = history(&[(50.0, 50.0), (0.0, 50.0)]);
        assert_eq!(answer.first_bad.as_deref(), Some("1"));
        let good = [(90.0, 100.0), (91.0, 100.0), (89.0, 100.0), (90.0, 100.0), (92.0, 100.0), (90.0, 100.0)];
        let answer = history(&[&good[..], &[(40.0, 100.0), (42.0, 100.0)]].concat());
        assert_eq!(answer.first_bad.as_deref(), Some("6"));
        assert_eq!(answer.changes.len(), 1);
    }

    #[test]
    fn a_run_of_one_case_is_no_change() {
        let good = [(90.0, 100.0), (91.0, 100.0), (89.0, 100.0), (90.0, 100.0), (92.0, 100.0), (90.0, 100.0)];
        let answer = history(&[&good[..], &[(0.0, 1.0)]].concat());
        assert_eq!((answer.changes.len(), answer.first_bad), (0, None));
    }

    #[test]
    fn runs_without_a_spread_have_that_of_the_others() {
        let run = |standard_error, count| MeanOf { mean: 0.5, standard_error, count, is_binary: false };
        assert_eq!(errors(&[run(0.1, 4.0), run(0.0, 16.0), run(0.0, 1.0)]), [0.1, 0.05, 0.2]);
        assert_eq!(errors(&[run(0.0, 3.0), run(0.0, 1.0)]), [0.0, 0.0]);
    }
}
