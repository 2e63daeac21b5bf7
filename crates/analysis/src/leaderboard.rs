//! Many experiments ranked by a score, with what they cost.

use evalhouse_model::{Leaderboard, LeaderboardRow};
use evalhouse_session::Session;

use crate::case_means::case_means;
use crate::key::Key;
use crate::measures::{Measure, measures};
use crate::reducer::Reducer;
use crate::rows::row_statistics;
use crate::scope::cases_of_all;
use crate::{AnalysisError, Selected, comparable};

/// Two means farther apart than this many standard errors of their difference are told apart.
const Z_975: f64 = 1.959_963_984_540_054;
/// Metrics that count as cost, the first that the experiments have.
const COSTS: [&str; 4] = ["estimated_cost", "cost", "tokens", "duration"];

/// How to rank.
#[derive(Debug, Clone, Default)]
pub struct LeaderboardOptions {
    /// The score that ranks; default the first.
    pub score: Option<String>,
    /// The metric that counts as cost; default the first of estimated cost, cost, tokens, duration.
    pub cost: Option<String>,
    /// Comparison key; default the project's, else `input`.
    pub key: Option<String>,
    /// Only cases that satisfy this condition.
    pub filter: Option<String>,
    /// How trials are consolidated.
    pub reducer: Option<Reducer>,
}

/// Ranks experiments. Two experiments are told apart when the difference of their means is larger
/// than 1.96 standard errors of that difference, taken as independent; those that are not share a
/// rank, which is 1 + the number of experiments that are better beyond noise.
///
/// # Errors
/// When the score or cost does not exist, or an expression does not parse.
pub async fn leaderboard(
    session: &Session,
    experiments: &[&Selected],
    options: &LeaderboardOptions,
) -> Result<Leaderboard, AnalysisError> {
    let all = measures(session, experiments);
    let (scores, metrics): (Vec<Measure>, Vec<Measure>) = all.into_iter().partition(Measure::is_score);
    let score_names = || scores.iter().map(|score| score.name.clone()).collect::<Vec<_>>();
    let unknown = |name: &str| AnalysisError::UnknownScore { score: name.into(), known: score_names() };
    let ranking = match &options.score {
        Some(name) => {
            let name = name.strip_prefix("scores.").unwrap_or(name);
            scores.iter().position(|score| score.name == name).ok_or_else(|| unknown(name))?
        }
        None if scores.is_empty() => return Err(unknown("")),
        None => 0,
    };
    let cost = match &options.cost {
        Some(name) => {
            let name = name.strip_prefix("metrics.").unwrap_or(name);
            let known = metrics.iter().map(|metric| metric.name.clone()).collect();
            let found = metrics.iter().find(|metric| metric.name == name);
            Some(found.cloned().ok_or(AnalysisError::UnknownScore { score: name.into(), known })?)
        }
        None => COSTS.iter().find_map(|name| metrics.iter().find(|metric| &metric.name == name)).cloned(),
    };
    let key = Key::of(session, options.key.as_deref(), experiments);
    let reducer = match experiments.last() {
        Some(last) => Reducer::of(session, options.reducer, last)?,
        None => Reducer::default(),
    };
    let means = case_means(session, experiments, &scores, &key, reducer, options.filter.as_deref()).await?;
    let cost_measures: Vec<Measure> = cost.iter().cloned().collect();
    let rows = cases_of_all(session, experiments, options.filter.as_deref()).await?;
    let costs = row_statistics(rows, &cost_measures).await?;

    let lower_is_better = scores[ranking].lower_is_better;
    let mut answer = Leaderboard {
        score: scores[ranking].name.clone(),
        lower_is_better,
        cost: cost.as_ref().map(|metric| metric.name.clone()),
        key: key.text.clone(),
        reducer: reducer.to_string(),
        filter: options.filter.clone(),
        ..Leaderboard::default()
    };
    for one in experiments {
        let record = &one.experiment;
        let interval = means.interval(&record.id, ranking);
        let float = |part: &str| interval.as_ref().and_then(|interval| interval.float(part));
        let mean_of = |i: usize| means.interval(&record.id, i).and_then(|interval| interval.float("mean"));
        answer.rows.push(LeaderboardRow {
            rank: 0,
            project: record.project.clone(),
            experiment: record.name.clone(),
            id: record.id.clone(),
            cases: means.cases(&record.id),
            mean: float("mean"),
            se: float("se"),
            ci_low: float("ci_low"),
            ci_high: float("ci_high"),
            scores: scores.iter().enumerate().map(|(i, score)| (score.name.clone(), mean_of(i))).collect(),
            cost: cost.as_ref().and_then(|_| costs.of(&record.id, 0).mean),
            on_frontier: false,
        });
    }
    rank(&mut answer.rows, lower_is_better);
    frontier(&mut answer.rows, lower_is_better);
    answer.warnings.extend(comparable::of_many(experiments));
    let unscored = answer.rows.iter().filter(|row| row.mean.is_none()).count();
    if unscored > 0 {
        answer
            .warnings
            .push(format!("{unscored} experiments have no `{}`: they come last, without a rank", answer.score));
    }
    Ok(answer)
}

fn goodness(row: &LeaderboardRow, lower_is_better: bool) -> Option<f64> {
    row.mean.map(|mean| if lower_is_better { -mean } else { mean })
}

fn rank(rows: &mut [LeaderboardRow], lower_is_better: bool) {
    let standing: Vec<Option<(f64, f64)>> =
        rows.iter().map(|row| Some((goodness(row, lower_is_better)?, row.se.unwrap_or(0.0)))).collect();
    for (row, own) in rows.iter_mut().zip(&standing) {
        let Some((mean, se)) = own else { continue };
        let is_better = |other: &(f64, f64)| other.0 - mean > Z_975 * (se * se + other.1 * other.1).sqrt();
        row.rank = 1 + standing.iter().flatten().filter(|other| is_better(other)).count() as i64;
    }
    rows.sort_by(|a, b| {
        let order = |row: &LeaderboardRow| goodness(row, lower_is_better).unwrap_or(f64::NEG_INFINITY);
        order(b).total_cmp(&order(a)).then_with(|| a.experiment.cmp(&b.experiment))
    });
}

fn frontier(rows: &mut [LeaderboardRow], lower_is_better: bool) {
    let points: Vec<Option<(f64, f64)>> =
        rows.iter().map(|row| Some((goodness(row, lower_is_better)?, row.cost?))).collect();
    for (row, own) in rows.iter_mut().zip(&points) {
        let Some((good, cost)) = own else { continue };
        let beats = |other: &(f64, f64)| other.0 >= *good && other.1 <= *cost && (other.0 > *good || other.1 < *cost);
        row.on_frontier = !points.iter().flatten().any(beats);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, mean: f64, se: f64, cost: f64) -> LeaderboardRow {
        let named = LeaderboardRow { experiment: name.into(), ..LeaderboardRow::default() };
        LeaderboardRow { mean: Some(mean), se: Some(se), cost: Some(cost), ..named }
    }

    #[test]
    fn what_noise_does_not_tell_apart_shares_a_rank() {
        let mut rows = vec![
            row("c", 0.5, 0.01, 1.0),
            row("a", 0.90, 0.02, 3.0),
            row("b", 0.88, 0.02, 2.0),
            row("d", 0.5, 0.01, 4.0),
        ];
        rank(&mut rows, false);
        let ranks: Vec<(&str, i64)> = rows.iter().map(|row| (row.experiment.as_str(), row.rank)).collect();
        assert_eq!(ranks, [("a", 1), ("b", 1), ("c", 3), ("d", 3)]);
        frontier(&mut rows, false);
        let on: Vec<bool> = rows.iter().map(|row| row.on_frontier).collect();
        assert_eq!(on, [true, true, true, false]);
    }
}
