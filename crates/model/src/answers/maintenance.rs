//! What the upkeep of a store did.

use serde::{Deserialize, Serialize};

/// What `optimize` did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct OptimizeReport {
    /// Data files before.
    pub files_before: i64,
    /// Data files after.
    pub files_after: i64,
    /// Files that were merged or rewritten.
    pub merged: i64,
    /// Their bytes.
    pub bytes_before: i64,
    /// Bytes of the files that took their place.
    pub bytes_after: i64,
    /// Experiments that have the hash of their project's comparison key stored now.
    pub keyed: i64,
    /// Wall seconds.
    pub seconds: f64,
    /// Comparison keys that could not be stored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// What `vacuum` did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct VacuumReport {
    /// Files that no version within the retention needs.
    pub files: i64,
    /// Their bytes.
    pub bytes: i64,
    /// True when they are still there.
    pub dry_run: bool,
}
