//! Experiments ranked.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// Many experiments, ranked by one score, with what they cost.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Leaderboard {
    /// The score that ranks.
    pub score: String,
    /// True when less of it is better.
    pub lower_is_better: bool,
    /// The metric that counts as cost, where the experiments have it.
    pub cost: Option<String>,
    /// The comparison key.
    pub key: String,
    /// How trials were consolidated.
    pub reducer: String,
    /// The filter, if any.
    #[serde(rename = "where")]
    pub filter: Option<String>,
    /// Best first.
    pub rows: Vec<LeaderboardRow>,
    /// Warnings.
    pub warnings: Vec<String>,
}

/// One experiment of a leaderboard.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LeaderboardRow {
    /// 1 + the experiments that are better beyond noise. Experiments that noise does not tell apart
    /// share a rank.
    pub rank: i64,
    /// Project name.
    pub project: String,
    /// Experiment name.
    pub experiment: String,
    /// Experiment id.
    pub id: String,
    /// Cases.
    pub cases: i64,
    /// Mean of the ranking score over cases.
    pub mean: Option<f64>,
    /// Its standard error.
    pub se: Option<f64>,
    /// Lower end of its 95 % interval.
    pub ci_low: Option<f64>,
    /// Upper end of it.
    pub ci_high: Option<f64>,
    /// Mean of every score over cases, by name.
    pub scores: IndexMap<String, Option<f64>>,
    /// Mean cost of a row.
    pub cost: Option<f64>,
    /// No other experiment is both as good and as cheap, and better in one of the two.
    pub on_frontier: bool,
}
