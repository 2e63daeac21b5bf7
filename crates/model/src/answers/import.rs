//! What an import did.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ImportReport {
    /// Experiments stored.
    pub imported: Vec<ImportedExperiment>,
    /// Experiments already there, with the same content.
    pub unchanged: Vec<ImportedExperiment>,
    /// Experiments that a bad row stopped, or rows that `--keep-going` skipped.
    pub failed: Vec<SkippedFile>,
    /// Files of a folder that are no eval results.
    pub skipped: Vec<SkippedFile>,
    /// Files read.
    pub files: i64,
    /// Bytes of decoded text read.
    pub bytes: i64,
    /// Wall seconds.
    pub seconds: f64,
}

/// One experiment of an import.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ImportedExperiment {
    /// Project name.
    pub project: String,
    /// Experiment name.
    pub experiment: String,
    /// Experiment id.
    pub id: String,
    /// Root rows.
    pub rows: i64,
    /// Distinct comparison keys.
    pub cases: i64,
    /// Spans.
    pub spans: i64,
    /// What was tolerated or skipped, by reason.
    pub notes: IndexMap<String, i64>,
    /// The source file.
    pub source: String,
}

/// A file or experiment that was not stored, and why.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SkippedFile {
    /// The path as the user wrote it.
    pub path: String,
    /// Why, with line and field where there is one.
    pub reason: String,
}
