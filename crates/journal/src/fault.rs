//! Why a request is refused.

use std::fmt;

/// A row, or a whole request, that cannot be taken. Nothing of the request is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFault {
    /// Index of the row in the request, from 0; none when the request as a whole is at fault.
    pub row: Option<usize>,
    /// The field at fault, where it is one.
    pub field: Option<String>,
    /// What is wrong.
    pub reason: FaultReason,
}

/// What can be wrong with a row or a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultReason {
    /// No JSON, or text that is no UTF-8.
    #[error("is no JSON: {0}")]
    Syntax(String),
    /// A value of another type.
    #[error("must be {0}")]
    Expected(&'static str),
    /// A string with half a surrogate pair: it stands for no text.
    #[error("has an unpaired surrogate escape, which is no Unicode text")]
    LoneSurrogate,
    /// Arrays and objects too deep.
    #[error("makes the row deeper than {limit} levels")]
    TooDeep {
        /// Levels allowed.
        limit: usize,
    },
    /// Too many bytes.
    #[error("has {bytes} bytes, which is more than {limit}")]
    TooLarge {
        /// Bytes of the row.
        bytes: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Too many rows.
    #[error("has {rows} rows, which is more than {limit}")]
    TooMany {
        /// Rows of the request.
        rows: usize,
        /// Rows allowed.
        limit: usize,
    },
    /// No object to log to.
    #[error("names no object: it needs experiment_id, dataset_id, prompt_session_id, or project_id with log_id \"g\"")]
    NoObject,
    /// More than one object to log to.
    #[error("names a second object")]
    SeveralObjects,
    /// The rows are said to be in an uploaded file.
    #[error("refers to an uploaded file (logs3_overflow), which this server does not offer: send the rows themselves")]
    Overflow,
}

impl RowFault {
    /// The fault of the row with this index.
    #[must_use]
    pub fn at(self, row: usize) -> Self {
        Self { row: Some(row), ..self }
    }
}

impl From<FaultReason> for RowFault {
    fn from(reason: FaultReason) -> Self {
        Self { row: None, field: None, reason }
    }
}

impl FaultReason {
    /// The fault of a field.
    pub(crate) fn of_field(self, field: &str) -> RowFault {
        RowFault { row: None, field: Some(field.to_owned()), reason: self }
    }
}

impl fmt::Display for RowFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Field names are the user's and may be of any length.
        match (self.row, &self.field) {
            (Some(row), Some(field)) => write!(f, "row {row}: field `{field:.100}`"),
            (Some(row), None) => write!(f, "row {row}"),
            (None, Some(field)) => write!(f, "field `{field:.100}`"),
            (None, None) => f.write_str("the request"),
        }?;
        write!(f, " {}", self.reason)
    }
}

impl std::error::Error for RowFault {}
