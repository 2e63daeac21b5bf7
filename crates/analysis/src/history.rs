//! Scores over time, and where they changed.

use evalhouse_functions::holm_adjusted;
use evalhouse_functions::kernels::change_point::change_points;
use evalhouse_functions::kernels::welch::{MeanOf, welch};
use evalhouse_model::{History, HistoryChange, HistoryPoint, ScoreHistory};
use evalhouse_session::Session;

use crate::answer::rfc3339;
use crate::case_means::case_means;
use crate::key::Key;
use crate::measures::scores;
use crate::reducer::Reducer;
use crate::{AnalysisError, Selected};

/// Level at which a step is believed.
const SIGNIFICANT: f64 = 0.05;

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
        let points: Vec<HistoryPoint> = experiments
            .iter()
            .filter_map(|one| {
                let interval = means.interval(&one.experiment.id, i)?;
                let float = |part: &str| interval.float(part);
                Some(HistoryPoint {
                    experiment: one.experiment.name.clone(),
                    id: one.experiment.id.clone(),
                    created: one.experiment.created.and_then(rfc3339),
                    mean: Some(float("mean")?),
                    se: float("se"),
                    ci_low: float("ci_low"),
                    ci_high: float("ci_high"),
                    n: interval.int("n"),
                    ..HistoryPoint::default()
                })
            })
            .collect();
        let entry = with_changes(points, score.lower_is_better);
        answer.scores.insert(score.name.clone(), entry);
    }
    if chosen.iter().any(|one| one.experiment.created.is_none()) {
        answer.warnings.push("experiments without a time of creation come first, by name".into());
    }
    Ok(answer)
}

/// Finds the steps and the changes of a series, and the first bad experiment.
fn with_changes(mut points: Vec<HistoryPoint>, lower_is_better: bool) -> ScoreHistory {
    let means: Vec<f64> = points.iter().filter_map(|point| point.mean).collect();
    let errors: Vec<f64> = points.iter().map(|point| point.se.unwrap_or(0.0)).collect();
    let changes: Vec<HistoryChange> = change_points(&means, &errors)
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
    let steps: Vec<f64> = points.windows(2).map(|pair| step_p(&pair[0], &pair[1]).unwrap_or(f64::NAN)).collect();
    for (i, adjusted) in holm_adjusted(&steps).into_iter().enumerate() {
        points[i + 1].step = Some(means[i + 1] - means[i]);
        points[i + 1].step_p = Some(adjusted).filter(|p| !p.is_nan());
    }
    let goodness = |mean: f64| if lower_is_better { -mean } else { mean };
    let first_bad = if changes.is_empty() {
        // Too few experiments to tell a level: the last fall that is no noise, and that no later
        // experiment made good.
        let is_fall =
            |i: usize| goodness(means[i]) < goodness(means[i - 1]) && points[i].step_p.is_some_and(|p| p < SIGNIFICANT);
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

/// How surprising the step from one experiment to the next would be if there were none.
fn step_p(before: &HistoryPoint, after: &HistoryPoint) -> Option<f64> {
    let side =
        |point: &HistoryPoint| Some(MeanOf { mean: point.mean?, standard_error: point.se?, count: point.n as f64 });
    welch(side(before)?, side(after)?)
}
