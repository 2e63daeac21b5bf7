//! The fields of a row that say how it is to be stored, and are not stored themselves.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::fault::{FaultReason, RowFault};
use crate::row::Row;
use crate::text::is_object;

/// Names of the fields that never reach a stored row.
pub(crate) const FIELDS: [&str; 7] =
    ["_is_merge", "_merge_paths", "_array_delete", "_object_delete", "_parent_id", "_audit_source", "_audit_metadata"];

/// How a row is to be stored.
#[derive(Debug, Clone, Default)]
pub struct Controls {
    /// `_is_merge`: the row is merged into the stored one instead of replacing it.
    pub is_merge: bool,
    /// `_merge_paths`: where a merge replaces instead.
    pub merge_paths: Vec<Vec<String>>,
    /// `_array_delete`: values to take out of arrays.
    pub array_delete: Vec<ArrayDelete>,
    /// `_object_delete`: the row is hidden.
    pub object_delete: bool,
    /// `_parent_id`: id of the row that a new row is a child of.
    pub parent_id: Option<String>,
    /// `_audit_source`: where feedback came from.
    pub audit_source: Option<String>,
    /// `_audit_metadata`: what is said about the feedback, not about the row.
    pub audit_metadata: Option<Row>,
    /// The row is a comment on another row.
    pub is_comment: bool,
}

/// Values to take out of one array.
#[derive(Debug, Clone, Deserialize)]
pub struct ArrayDelete {
    /// Names of the fields that lead to the array.
    pub path: Vec<String>,
    /// The values.
    pub delete: Vec<Box<RawValue>>,
}

impl Controls {
    /// Reads the controls of a row.
    ///
    /// # Errors
    /// When one has the wrong type.
    pub fn of(row: &Row) -> Result<Self, RowFault> {
        let controls = Self {
            is_merge: row.value("_is_merge", "true or false")?.unwrap_or_default(),
            merge_paths: row.value("_merge_paths", "a list of paths, each a list of field names")?.unwrap_or_default(),
            array_delete: row
                .value("_array_delete", "a list of objects with a `path` of field names and a list `delete`")?
                .unwrap_or_default(),
            object_delete: row.value("_object_delete", "true or false")?.unwrap_or_default(),
            parent_id: row.name("_parent_id")?,
            audit_source: row.name("_audit_source")?,
            audit_metadata: row.value("_audit_metadata", "an object")?,
            is_comment: row.get("comment").is_some_and(is_object),
        };
        let non_empty = FaultReason::Expected("a list of paths that are not empty");
        if controls.merge_paths.iter().any(Vec::is_empty) {
            return Err(non_empty.of_field("_merge_paths"));
        }
        if controls.array_delete.iter().any(|delete| delete.path.is_empty()) {
            return Err(non_empty.of_field("_array_delete"));
        }
        Ok(controls)
    }
}
