//! Agreement of two judgements.

use serde::{Deserialize, Serialize};

use super::ExperimentSide;

/// How far two judgements of the same cases agree.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AgreementReport {
    /// The experiment.
    pub experiment: ExperimentSide,
    /// The first judgement.
    pub first: String,
    /// The second judgement.
    pub second: String,
    /// The filter, if any.
    #[serde(rename = "where")]
    pub filter: Option<String>,
    /// Rows with both.
    pub n: i64,
    /// Share of equal judgements.
    pub observed: Option<f64>,
    /// That share if the judges were independent.
    pub expected: Option<f64>,
    /// Cohen's κ.
    pub kappa: Option<f64>,
    /// Its standard error.
    pub se: Option<f64>,
    /// Lower end of its 95 % interval.
    pub ci_low: Option<f64>,
    /// Upper end of it.
    pub ci_high: Option<f64>,
    /// κ weighted by distance.
    pub linear_kappa: Option<f64>,
    /// κ weighted by squared distance.
    pub quadratic_kappa: Option<f64>,
    /// The categories, in order.
    pub categories: Vec<serde_json::Value>,
    /// `matrix[i][j]`: rows that the first puts in category i and the second in j.
    pub matrix: Vec<Vec<i64>>,
    /// Warnings.
    pub warnings: Vec<String>,
}
