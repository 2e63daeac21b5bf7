//! The record of one experiment, as the registry keeps it.

use serde::{Deserialize, Serialize};

/// Whether the source says that the run ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExperimentStatus {
    /// Everything that the source holds was stored.
    #[default]
    Complete,
    /// The source was cut off, or rows of it were skipped.
    Partial,
}

/// What the rows under an id are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    /// Traces of an eval run.
    #[default]
    Experiment,
    /// Records that experiments run on, each a row without children.
    Dataset,
    /// Traces logged to a project outside of any experiment.
    Logs,
}

impl ObjectKind {
    fn is_experiment(&self) -> bool {
        *self == Self::Experiment
    }
}

/// One eval run: its name, where it came from, and what its source declared.
///
/// Counts are of what was stored; `declared_total` is what the source said it would hold.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Experiment {
    /// Stable id; the same source gives the same id.
    pub id: String,
    /// What the rows are. Datasets and logs are stored as experiments are, and listed apart.
    #[serde(default, skip_serializing_if = "ObjectKind::is_experiment")]
    pub kind: ObjectKind,
    /// Project name.
    pub project: String,
    /// Experiment name, unique within the project.
    pub name: String,
    /// Creation time in microseconds since the Unix epoch, UTC: the earliest span's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<i64>,
    /// Metadata of the run (model, parameters, …).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<serde_json::Value>,
    /// Tags of the run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Git branch of the run, for the baseline rule "latest on this branch".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// Git commit of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Recorded base experiment (id).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_experiment_id: Option<String>,
    /// Dataset id or name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    /// Dataset version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset_version: Option<String>,
    /// Number of root rows the source declared, if it declared one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared_total: Option<i64>,
    /// Complete or partial.
    #[serde(default)]
    pub status: ExperimentStatus,
    /// Root rows stored.
    #[serde(default)]
    pub rows: i64,
    /// Distinct comparison keys (default key) among them.
    #[serde(default)]
    pub cases: i64,
    /// Spans stored, roots included.
    #[serde(default)]
    pub spans: i64,
    /// Import format, `braintrust` for native rows.
    #[serde(default)]
    pub format: String,
    /// File name the rows came from, as the user wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Hash of the source file's bytes, 32 hex digits: equal hash means nothing to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_hash: Option<String>,
    /// The newest transaction whose rows are in the table, of what a server has logged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub xact: Option<u64>,
    /// What people wrote of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Fields of the API's object that evalhouse keeps and has no use for: `repo_info`, `public`, …
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub details: serde_json::Map<String, serde_json::Value>,
    /// What the import tolerated, by reason: `nan_score`, `lone_surrogate`, `skipped_row`, …
    #[serde(default, skip_serializing_if = "indexmap::IndexMap::is_empty")]
    pub notes: indexmap::IndexMap<String, i64>,
}
