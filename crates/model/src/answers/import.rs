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

/// What an import would do, told without storing anything.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ImportExplanation {
    /// Files that would be read.
    pub files: Vec<ExplainedFile>,
    /// Files that cannot be read.
    pub failed: Vec<SkippedFile>,
    /// Files of a folder that are no eval results.
    pub skipped: Vec<SkippedFile>,
}

/// What was told of a file, and what would become of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ExplainedFile {
    /// The path as the user wrote it.
    pub path: String,
    /// The format.
    pub format: String,
    /// What told the format.
    pub evidence: String,
    /// What becomes of what: our field, and what it is made of.
    pub mapping: Vec<FieldMapping>,
    /// The experiments, as far as the file was read.
    pub experiments: Vec<ExplainedExperiment>,
    /// Whether the file was read to its end.
    pub is_whole: bool,
}

/// One of our fields, and what of the source it is made of.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FieldMapping {
    /// Our field.
    pub field: String,
    /// Where it comes from.
    pub from: String,
}

/// An experiment that an import would store.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ExplainedExperiment {
    /// Experiment name.
    pub experiment: String,
    /// Cases that the source says there are.
    pub declared_total: Option<i64>,
    /// Whether the run ended.
    pub status: crate::ExperimentStatus,
    /// Root rows read.
    pub rows: i64,
    /// Spans read.
    pub spans: i64,
    /// Names of the scores.
    pub scores: Vec<String>,
    /// What was tolerated or skipped, by reason.
    pub notes: IndexMap<String, i64>,
    /// The first cases.
    pub preview: Vec<PreviewedCase>,
}

/// A case as it would be stored.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PreviewedCase {
    /// Row id.
    pub id: String,
    /// Input, JSON text.
    pub input: Option<String>,
    /// Output, JSON text.
    pub output: Option<String>,
    /// Expected output, JSON text.
    pub expected: Option<String>,
    /// Scores of the case's spans, null where there is no value.
    pub scores: IndexMap<String, Option<f64>>,
}

/// What the store holds of each experiment's source: what was imported, what was not, and why.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DoctorReport {
    /// Experiments, by project and name.
    pub experiments: Vec<ExperimentCheckup>,
}

/// What became of one experiment's source.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ExperimentCheckup {
    /// Project name.
    pub project: String,
    /// Experiment name.
    pub experiment: String,
    /// Experiment id.
    pub id: String,
    /// Import format.
    pub format: String,
    /// The source file.
    pub source: Option<String>,
    /// Whether the run ended and all of it is stored.
    pub status: crate::ExperimentStatus,
    /// Root rows stored.
    pub rows: i64,
    /// Distinct cases among them.
    pub cases: i64,
    /// Spans stored.
    pub spans: i64,
    /// Root rows that the source says there are.
    pub declared_total: Option<i64>,
    /// What was skipped or tolerated.
    pub findings: Vec<Finding>,
}

/// One thing that an import skipped or tolerated.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The outcome in one word, as `docs/import.md` lists it.
    pub reason: String,
    /// How many times.
    pub count: i64,
    /// Rows were left out for it.
    pub is_skipped: bool,
    /// What the word means.
    pub meaning: String,
}
