//! How the trials of a case become one value (semantics, section 6).

use std::fmt;
use std::str::FromStr;

use datafusion::functions_aggregate::expr_fn::{avg, count, first_value, last_value, max, median, min};
use datafusion::logical_expr::expr::Sort;
use datafusion::logical_expr::{Expr, lit, when};
use evalhouse_session::Session;

use crate::{AnalysisError, Selected};

/// How the scores of a case's trials become one value. A trial without the score is no trial of it.
///
/// Metrics are always averaged: their reducers would answer another question.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reducer {
    /// Their mean.
    #[default]
    Mean,
    /// Their median.
    Median,
    /// The worst.
    Min,
    /// The best.
    Max,
    /// The most frequent value; the smallest of several.
    Mode,
    /// The value of more than half of the trials, or none.
    Majority,
    /// The first trial's.
    First,
    /// The last trial's.
    Last,
    /// 1 when at least one trial passes (has a score of 1 or more), else 0.
    Any,
    /// 1 when every trial passes, else 0.
    All,
    /// 1 when at least k trials pass, else 0.
    AtLeast(u32),
    /// The chance that at least one of k trials passes: 1 − C(n−c,k)/C(n,k).
    PassAt(u32),
    /// The chance that k trials all pass: C(c,k)/C(n,k).
    PassHat(u32),
}

/// What is written for each reducer, for help and errors.
pub const REDUCERS: &str =
    "mean, median, min, max, mode, majority, first, last, any, all, at_least(K), pass@K or pass^K";

impl fmt::Display for Reducer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mean => f.write_str("mean"),
            Self::Median => f.write_str("median"),
            Self::Min => f.write_str("min"),
            Self::Max => f.write_str("max"),
            Self::Mode => f.write_str("mode"),
            Self::Majority => f.write_str("majority"),
            Self::First => f.write_str("first"),
            Self::Last => f.write_str("last"),
            Self::Any => f.write_str("any"),
            Self::All => f.write_str("all"),
            Self::AtLeast(k) => write!(f, "at_least({k})"),
            Self::PassAt(k) => write!(f, "pass@{k}"),
            Self::PassHat(k) => write!(f, "pass^{k}"),
        }
    }
}

impl FromStr for Reducer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no reducer, expected {REDUCERS}");
        let word = text.trim().to_ascii_lowercase();
        let number = |digits: &str| digits.trim().parse::<u32>().ok().filter(|k| *k > 0).ok_or_else(wrong);
        if let Some(k) = word.strip_prefix("pass@") {
            return Ok(Self::PassAt(number(k)?));
        }
        if let Some(k) = word.strip_prefix("pass^") {
            return Ok(Self::PassHat(number(k)?));
        }
        if let Some(k) = word.strip_prefix("at_least(").and_then(|rest| rest.strip_suffix(')')) {
            return Ok(Self::AtLeast(number(k)?));
        }
        match word.as_str() {
            "mean" | "avg" | "average" => Ok(Self::Mean),
            "median" => Ok(Self::Median),
            "min" => Ok(Self::Min),
            "max" => Ok(Self::Max),
            "mode" => Ok(Self::Mode),
            "majority" => Ok(Self::Majority),
            "first" => Ok(Self::First),
            "last" => Ok(Self::Last),
            "any" => Ok(Self::Any),
            "all" => Ok(Self::All),
            _ => Err(wrong()),
        }
    }
}

impl Reducer {
    /// The reducer of a call, or of the experiment's project, or the mean.
    pub(crate) fn of(session: &Session, given: Option<Self>, experiment: &Selected) -> Result<Self, AnalysisError> {
        let project = &experiment.experiment.project;
        match (given, session.settings(project).reducer) {
            (Some(given), _) => Ok(given),
            (None, None) => Ok(Self::default()),
            (None, Some(text)) => text.parse().map_err(|message| AnalysisError::Setting {
                project: project.clone(),
                name: "reducer".into(),
                message,
            }),
        }
    }

    /// Whether the mean over trials of one trial is not that trial's value: then even a case with a
    /// single trial has to be reduced.
    pub(crate) fn keeps_single_trials(self) -> bool {
        matches!(
            self,
            Self::Mean | Self::Median | Self::Min | Self::Max | Self::Mode | Self::Majority | Self::First | Self::Last
        )
    }

    /// The aggregate over the trials of one case.
    pub(crate) fn aggregate(self, session: &Session, value: Expr, by_trial: Vec<Sort>) -> Result<Expr, AnalysisError> {
        let k = |name: &str, k: u32| -> Result<Expr, AnalysisError> {
            Ok(session.aggregate(name)?.call(vec![value.clone(), lit(i64::from(k))]))
        };
        Ok(match self {
            Self::Mean => avg(value),
            Self::Median => median(value),
            Self::Min => min(value),
            Self::Max => max(value),
            Self::Mode => session.aggregate("mode")?.call(vec![value]),
            Self::Majority => session.aggregate("majority")?.call(vec![value]),
            Self::First => first_value(value, by_trial),
            Self::Last => last_value(value, by_trial),
            Self::Any => k("at_least", 1)?,
            Self::All => when(count(value.clone()).eq(lit(0_i64)), lit(datafusion::common::ScalarValue::Float64(None)))
                .when(min(value).gt_eq(lit(1.0)), lit(1.0))
                .otherwise(lit(0.0))?,
            Self::AtLeast(n) => k("at_least", n)?,
            Self::PassAt(n) => k("pass_at_k", n)?,
            Self::PassHat(n) => k("pass_hat_k", n)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reducer_reads_what_it_writes() {
        for text in [
            "mean",
            "median",
            "min",
            "max",
            "mode",
            "majority",
            "first",
            "last",
            "any",
            "all",
            "at_least(2)",
            "pass@3",
            "pass^8",
        ] {
            assert_eq!(text.parse::<Reducer>().map(|reducer| reducer.to_string()), Ok(text.to_string()));
        }
        for text in ["", "pass@", "pass@0", "pass@-1", "at_least()", "best"] {
            assert!(text.parse::<Reducer>().is_err(), "{text}");
        }
    }
}
