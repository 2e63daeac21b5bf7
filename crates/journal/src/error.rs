//! What can go wrong.

use std::path::PathBuf;

/// A row that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{}{reason}", row.map(|row| format!("row {row}: ")).unwrap_or_default(), field.as_ref().map(|field| format!("`{field}` ")).unwrap_or_default())]
pub struct RowFault {
    /// Place of the row in the request, from 0; none when the request itself is wrong.
    pub row: Option<usize>,
    /// The field, if one is to blame.
    pub field: Option<String>,
    /// What is wrong, and what would be right.
    pub reason: String,
}

impl RowFault {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self { row: None, field: None, reason: reason.into() }
    }

    pub(crate) fn field(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { row: None, field: Some(field.into()), reason: reason.into() }
    }

    pub(crate) fn at(mut self, row: usize) -> Self {
        self.row = Some(row);
        self
    }
}

/// An error of the log.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The log holds as much as it may: what it has must reach the table first.
    #[error("the log holds {bytes} bytes that are not in the table yet, and may hold {limit}: try again in a moment")]
    Full {
        /// Bytes that wait.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// Another server uses the folder.
    #[error("`{}` is in use by another server: stop it, or choose another folder", folder.display())]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
    /// A record in the middle of the log does not read back.
    #[error("the log is damaged: `{}` at byte {offset}: {reason}", file.display())]
    Corrupt {
        /// The segment.
        file: PathBuf,
        /// Where its record begins.
        offset: u64,
        /// What is wrong.
        reason: String,
    },
    /// An earlier write failed: what reached the disk is not known, so nothing more is taken.
    #[error("the log stopped after a failed write ({reason}): restart the server when the disk is well")]
    Stopped {
        /// What failed.
        reason: String,
    },
    /// The disk.
    #[error("{}: {source}", file.display())]
    Io {
        /// The file or folder.
        file: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

impl JournalError {
    pub(crate) fn io(file: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let file = file.into();
        |source| Self::Io { file, source }
    }
}
