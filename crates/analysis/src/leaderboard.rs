//! Many experiments ranked by a score, with what they cost.

use evalhouse_functions::kernels::mover::{self, Estimate};
use evalhouse_functions::kernels::two_means::{MeanOf, difference_p};
use evalhouse_model::{Leaderboard, LeaderboardRow};
use evalhouse_session::Session;

use crate::answer::Fields;
use crate::case_means::{case_means, mean_of};
use crate::diff::ALPHA;
use crate::key::Key;
use crate::measures::{Measure, measures};
use crate::reducer::Reducer;
use crate::rows::row_statistics;
use crate::scope::cases_of_all;
use crate::{AnalysisError, Selected, comparable};

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

/// Ranks experiments. Those that noise could explain share a rank, which is 1 + the number of
/// experiments that are better beyond noise; see [`Standing::differs`] for when two are.
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
    let mut standings = Vec::new();
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
        let mean = |i: usize| means.interval(&record.id, i).and_then(|interval| interval.float("mean"));
        standings.push(interval.as_ref().and_then(Standing::read));
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
            scores: scores.iter().enumerate().map(|(i, score)| (score.name.clone(), mean(i))).collect(),
            cost: cost.as_ref().and_then(|_| costs.of(&record.id, 0).mean),
            on_frontier: false,
        });
    }
    rank(&mut answer.rows, &standings, lower_is_better);
    frontier(&mut answer.rows, lower_is_better);
    answer.warnings.extend(comparable::of_many(session, experiments).await?);
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

/// What is known of the mean of one experiment.
#[derive(Debug, Clone, Copy)]
struct Standing {
    mean: MeanOf,
    /// Its interval, where it has a width: values that happen to be equal are no certainty.
    interval: Option<Estimate>,
}

impl Standing {
    fn read(answer: &Fields<'_>) -> Option<Self> {
        let mean = mean_of(answer)?;
        let ends = answer.float("ci_low").zip(answer.float("ci_high")).filter(|(low, high)| low < high);
        Some(Self { mean, interval: ends.map(|(low, high)| Estimate { value: mean.mean, low, high }) })
    }

    /// Whether two experiments, taken as independent, differ beyond noise: when the interval of the
    /// difference, made of the intervals that are shown, leaves out 0. The Wilson intervals of a few
    /// passes and failures are too narrow for that (3 cases against 500 that pass alike would differ in
    /// 13 % of draws), and equal values have none: there the test of the two means has to agree.
    fn differs(&self, other: &Self) -> bool {
        let is_tested = || difference_p(&self.mean, &other.mean).is_some_and(|p| p < ALPHA);
        match self.interval.zip(other.interval) {
            Some((own, others)) => {
                let (low, high) = mover::difference(&own, &others);
                let is_binary = self.mean.is_binary || other.mean.is_binary;
                (low > 0.0 || high < 0.0) && (!is_binary || is_tested())
            }
            None => is_tested(),
        }
    }
}

/// Gives every row its rank, of the standing at the same place, and sorts the best first.
fn rank(rows: &mut [LeaderboardRow], standings: &[Option<Standing>], lower_is_better: bool) {
    let goodness_of = |standing: &Standing| if lower_is_better { -standing.mean.mean } else { standing.mean.mean };
    for (row, own) in rows.iter_mut().zip(standings) {
        let Some(own) = own else { continue };
        let is_better = |other: &&Standing| goodness_of(other) > goodness_of(own) && other.differs(own);
        row.rank = 1 + standings.iter().flatten().filter(is_better).count() as i64;
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
    use evalhouse_functions::kernels::interval::{student_t_95, wilson_95};
    use evalhouse_functions::kernels::random::SplitMix64;

    use super::*;

    fn row(name: &str, mean: f64, cost: f64) -> LeaderboardRow {
        let named = LeaderboardRow { experiment: name.into(), ..LeaderboardRow::default() };
        LeaderboardRow { mean: Some(mean), cost: Some(cost), ..named }
    }

    /// As `mean_ci` gives it of scores of any kind.
    fn plain(mean: f64, sd: f64, count: f64) -> Option<Standing> {
        let standard_error = sd / count.sqrt();
        let ends = student_t_95(mean, standard_error, count - 1.0).filter(|(low, high)| low < high);
        let interval = ends.map(|(low, high)| Estimate { value: mean, low, high });
        Some(Standing { mean: MeanOf { mean, standard_error, count, is_binary: false }, interval })
    }

    /// As `mean_ci` gives it of passes and failures.
    fn binary(passes: f64, count: f64) -> Option<Standing> {
        let mean = passes / count;
        let (low, high) = wilson_95(mean, count)?;
        let spread = if count > 1.0 { (mean * (1.0 - mean) / (count - 1.0)).sqrt() } else { 0.0 };
        let mean = MeanOf { mean, standard_error: spread, count, is_binary: true };
        Some(Standing { mean, interval: Some(Estimate { value: mean.mean, low, high }) })
    }

    fn ranks(standings: &[Option<Standing>], lower_is_better: bool) -> Vec<i64> {
        let mean = |standing: &Option<Standing>| standing.map_or(0.0, |standing| standing.mean.mean);
        // Sorting keeps the names; the ranks are told in the order given.
        let mut rows: Vec<LeaderboardRow> =
            standings.iter().enumerate().map(|(i, one)| row(&i.to_string(), mean(one), 1.0)).collect();
        rank(&mut rows, standings, lower_is_better);
        rows.sort_by(|a, b| a.experiment.cmp(&b.experiment));
        rows.iter().map(|row| row.rank).collect()
    }

    #[test]
    fn what_noise_does_not_tell_apart_shares_a_rank() {
        let standings =
            [plain(0.5, 0.1, 100.0), plain(0.90, 0.2, 100.0), plain(0.88, 0.2, 100.0), plain(0.5, 0.1, 100.0)];
        assert_eq!(ranks(&standings, false), [3, 1, 1, 3]);
        assert_eq!(ranks(&standings, true), [1, 3, 3, 1]);
    }

    #[test]
    fn few_cases_beat_nobody() {
        let many = binary(475.0, 500.0);
        assert_eq!(ranks(&[binary(1.0, 1.0), many], false), [1, 1]);
        assert_eq!(ranks(&[binary(3.0, 3.0), many], false), [1, 1]);
        assert_eq!(ranks(&[plain(1.0, 0.0, 1.0), many], false), [1, 1]);
        assert_eq!(ranks(&[binary(2.0, 2.0), binary(0.0, 2.0)], false), [1, 1]);
        assert_eq!(ranks(&[binary(2.0, 3.0), plain(0.95, 0.2, 500.0)], false), [1, 1]);
        // Two values that happen to be equal are no certainty, five hundred are.
        assert_eq!(ranks(&[plain(0.5, 0.0, 2.0), plain(0.45, 0.2, 500.0)], false), [1, 1]);
        assert_eq!(ranks(&[plain(0.5, 0.0, 500.0), plain(0.45, 0.2, 500.0)], false), [1, 2]);
        assert_eq!(ranks(&[binary(500.0, 500.0), many], false), [1, 2]);
    }

    #[test]
    fn equal_experiments_are_rarely_told_apart() {
        const DRAWS: usize = 20_000;
        let mut random = SplitMix64::new(3);
        let mut passes = |cases: u32, chance: f64| {
            let passes = (0..cases).filter(|_| random.uniform() < chance).count() as f64;
            binary(passes, f64::from(cases))
        };
        for (cases, others, chance) in
            [(10, 10, 0.8), (3, 500, 0.95), (5, 50, 0.9), (2, 2, 0.5), (1, 100, 0.5), (100, 100, 0.97)]
        {
            let told = (0..DRAWS)
                .filter(|_| {
                    let (a, b) = (passes(cases, chance), passes(others, chance));
                    a.zip(b).is_some_and(|(a, b)| a.differs(&b))
                })
                .count();
            assert!(told <= DRAWS * 5 / 100, "{cases} and {others} cases of {chance}: {told}");
        }
    }

    #[test]
    fn the_frontier_is_what_nothing_beats_at_its_cost() {
        let mut rows = [row("a", 0.90, 3.0), row("b", 0.88, 2.0), row("c", 0.5, 1.0), row("d", 0.5, 4.0)];
        frontier(&mut rows, false);
        assert_eq!(rows.map(|row| row.on_frontier), [true, true, true, false]);
    }
}
