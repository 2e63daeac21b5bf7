//! What a row is held against.

use serde::{Deserialize, Serialize};

use super::ExperimentSide;

/// The trials of a case, and the one of the baseline that a row is held against.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Lineup {
    /// The experiment.
    pub experiment: ExperimentSide,
    /// Row id.
    pub id: String,
    /// Which trial of its case the row is, from 0.
    pub trial: Option<i64>,
    /// All trials of the case in their order, the row itself among them.
    pub trials: Vec<LineupTrial>,
    /// The case in the baseline, when one is named.
    pub against: Option<LineupSide>,
}

/// The case in the baseline.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LineupSide {
    /// The baseline.
    pub experiment: ExperimentSide,
    /// Row id of the trial that the row is held against; `None` where the baseline lacks the case, and where
    /// the mean of its trials is what the row is held against.
    pub matched: Option<String>,
    /// All trials of the case in their order.
    pub trials: Vec<LineupTrial>,
}

/// One trial of a case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineupTrial {
    /// Row id.
    pub id: String,
    /// Which trial, from 0.
    pub trial: i64,
}
