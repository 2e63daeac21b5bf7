//! Scores over time, and where they changed.

use evalhouse_functions::kernels::change_point::change_points;
use evalhouse_model::{History, HistoryChange, HistoryPoint, ScoreHistory};
use evalhouse_session::Session;

use crate::answer::rfc3339;
use crate::case_means::case_means;
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

/// Finds the changes of a series, and the first bad experiment.
fn with_changes(points: Vec<HistoryPoint>, lower_is_better: bool) -> ScoreHistory {
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
    // The last fall, unless a later rise made it good again.
    let better = |change: &HistoryChange| if lower_is_better { -change.after } else { change.after };
    let level = |change: &HistoryChange| if lower_is_better { -change.before } else { change.before };
    let first_bad = changes
        .iter()
        .enumerate()
        .rev()
        .find(|(i, change)| change.worse && changes[i + 1..].iter().all(|later| better(later) < level(change)))
        .map(|(_, change)| change.experiment.clone());
    ScoreHistory { points, changes, first_bad, lower_is_better }
}
