//! How the trials of a case become one value (semantics, section 6).

use std::fmt;
use std::str::FromStr;

use datafusion::functions_aggregate::expr_fn::{avg, count, max, median, min};
use datafusion::functions_aggregate::first_last::{first_value_udaf, last_value_udaf};
use datafusion::logical_expr::expr::{NullTreatment, Sort};
use datafusion::logical_expr::{Expr, ExprFunctionExt, lit, when};
use evalhouse_session::Session;

use crate::{AnalysisError, Selected};

/// How the scores of a case's trials become one value. A trial without the score is no trial of it.
///
/// Metrics are always averaged: their reducers would answer another question.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
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
    /// The first trial's, of those that have the score.
    First,
    /// The last trial's, of those that have the score.
    Last,
    /// 1 when at least one trial passes (has a score of the threshold or more), else 0.
    Any(f64),
    /// 1 when every trial passes, else 0.
    All(f64),
    /// 1 when at least k trials pass, else 0.
    AtLeast(u32, f64),
    /// The chance that at least one of k trials passes: 1 − C(n−c,k)/C(n,k).
    PassAt(u32, f64),
    /// The chance that k trials all pass: C(c,k)/C(n,k).
    PassHat(u32, f64),
}

/// A trial passes with this score or more, unless a reducer says another.
const THRESHOLD: f64 = 1.0;

/// What is written for each reducer, for help and errors.
pub const REDUCERS: &str = "mean, median, min, max, mode, majority, first, last, any, all, at_least(K), pass@K or \
     pass^K, the last five with another threshold than 1 as any(0.5), at_least(K, 0.5), pass@K(0.5)";

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
            Self::AtLeast(k, THRESHOLD) => write!(f, "at_least({k})"),
            Self::AtLeast(k, threshold) => write!(f, "at_least({k}, {threshold})"),
            Self::Any(threshold) => with_threshold(f, "any", *threshold),
            Self::All(threshold) => with_threshold(f, "all", *threshold),
            Self::PassAt(k, threshold) => with_threshold(f, &format!("pass@{k}"), *threshold),
            Self::PassHat(k, threshold) => with_threshold(f, &format!("pass^{k}"), *threshold),
        }
    }
}

fn with_threshold(f: &mut fmt::Formatter<'_>, name: &str, threshold: f64) -> fmt::Result {
    if threshold == THRESHOLD { f.write_str(name) } else { write!(f, "{name}({threshold})") }
}

impl FromStr for Reducer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no reducer, expected {REDUCERS}");
        let word = text.trim().to_ascii_lowercase();
        let number = |digits: &str| digits.trim().parse::<u32>().ok().filter(|k| *k > 0).ok_or_else(wrong);
        let (name, arguments) = match word.strip_suffix(')').and_then(|rest| rest.split_once('(')) {
            Some((name, arguments)) => (name.trim(), arguments.split(',').map(str::trim).collect::<Vec<_>>()),
            None => (word.as_str(), Vec::new()),
        };
        let threshold = |place: usize| match arguments.get(place) {
            None => Ok(THRESHOLD),
            Some(text) => text.parse().ok().filter(|threshold: &f64| threshold.is_finite()).ok_or_else(wrong),
        };
        match (name, arguments.len()) {
            ("any", 0 | 1) => return Ok(Self::Any(threshold(0)?)),
            ("all", 0 | 1) => return Ok(Self::All(threshold(0)?)),
            ("at_least", 1 | 2) => return Ok(Self::AtLeast(number(arguments[0])?, threshold(1)?)),
            (_, 0 | 1) if name.starts_with("pass@") => return Ok(Self::PassAt(number(&name[5..])?, threshold(0)?)),
            (_, 0 | 1) if name.starts_with("pass^") => return Ok(Self::PassHat(number(&name[5..])?, threshold(0)?)),
            _ => {}
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
        let k = |name: &str, k: u32, threshold: f64| -> Result<Expr, AnalysisError> {
            Ok(session.aggregate(name)?.call(vec![value.clone(), lit(i64::from(k)), lit(threshold)]))
        };
        Ok(match self {
            Self::Mean => avg(value),
            Self::Median => median(value),
            Self::Min => min(value),
            Self::Max => max(value),
            Self::Mode => session.aggregate("mode")?.call(vec![value]),
            Self::Majority => session.aggregate("majority")?.call(vec![value]),
            Self::First | Self::Last => {
                let function = if self == Self::First { first_value_udaf() } else { last_value_udaf() };
                let of_scored = function.call(vec![value]).null_treatment(NullTreatment::IgnoreNulls);
                of_scored.order_by(by_trial).build()?
            }
            Self::Any(threshold) => k("at_least", 1, threshold)?,
            Self::All(threshold) => {
                when(count(value.clone()).eq(lit(0_i64)), lit(datafusion::common::ScalarValue::Float64(None)))
                    .when(min(value).gt_eq(lit(threshold)), lit(1.0))
                    .otherwise(lit(0.0))?
            }
            Self::AtLeast(n, threshold) => k("at_least", n, threshold)?,
            Self::PassAt(n, threshold) => k("pass_at_k", n, threshold)?,
            Self::PassHat(n, threshold) => k("pass_hat_k", n, threshold)?,
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
            "any(0.5)",
            "all(0.25)",
            "at_least(2, 0.8)",
            "pass@3(0.5)",
            "pass^8(0.9)",
        ] {
            assert_eq!(text.parse::<Reducer>().map(|reducer| reducer.to_string()), Ok(text.to_string()));
        }
        for text in
            ["", "pass@", "pass@0", "pass@-1", "at_least()", "best", "any(x)", "mean(0.5)", "pass@2(nan)", "all(1"]
        {
            assert!(text.parse::<Reducer>().is_err(), "{text}");
        }
    }
}
