//! What can go wrong below SQL.

use deltalake_core::DeltaTableError;

/// An error of the store. The message names the value; [`StoreError::hint`] names the way out.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store URL cannot be used.
    #[error("`{url}` is no store URL: {reason}")]
    InvalidUrl {
        /// As the user wrote it.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no store at the URL.
    #[error("there is no evalhouse store at `{url}`")]
    NotFound {
        /// As the user wrote it.
        url: String,
    },
    /// The store was written by a newer evalhouse.
    #[error("the store at `{url}` has format version {found}; this evalhouse reads up to {supported}")]
    NewerFormat {
        /// As the user wrote it.
        url: String,
        /// Version in the store.
        found: u32,
        /// Newest version this program knows.
        supported: u32,
    },
    /// Another writer changed the same experiment while this one was writing.
    #[error("experiment `{experiment}` was changed by another writer at the same time")]
    Conflict {
        /// Experiment id.
        experiment: String,
    },
    /// A file that cannot be shown to somebody who may see only one of its projects.
    #[error("`{file}` holds rows of several projects")]
    MixedFile {
        /// Path below the table.
        file: String,
    },
    /// Many writers: every attempt to commit found a newer table version.
    #[error("could not commit after {attempts} attempts: other writers were always first")]
    Contention {
        /// Attempts made.
        attempts: usize,
    },
    /// A registry record or file footer does not parse.
    #[error("the store holds a record that does not parse ({place}): {source}")]
    Corrupt {
        /// Where.
        place: String,
        /// Why.
        source: serde_json::Error,
    },
    /// The table format's library.
    #[error("table: {0}")]
    Delta(#[from] DeltaTableError),
    /// The object store.
    #[error("object store: {0}")]
    ObjectStore(#[from] object_store::Error),
    /// Parquet.
    #[error("parquet: {0}")]
    Parquet(#[from] parquet::errors::ParquetError),
    /// Arrow.
    #[error("arrow: {0}")]
    Arrow(#[from] arrow::error::ArrowError),
    /// A temporary file.
    #[error("temporary file: {0}")]
    Io(#[from] std::io::Error),
    /// Rows set aside on disk could not be written or read back.
    #[error("temporary rows: {0}")]
    Spill(#[from] postcard::Error),
}

impl StoreError {
    /// What the user can do about it, where there is something.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::InvalidUrl { .. } => {
                Some("use a folder, or a URL that starts with file://, s3://, gs://, az:// or memory://")
            }
            Self::NotFound { .. } => Some("import something first, or name another store with --store"),
            Self::NewerFormat { .. } => Some("install a newer evalhouse"),
            Self::MixedFile { .. } => {
                Some("an older evalhouse merged it; import its experiments again, or use a key for all projects")
            }
            Self::Conflict { .. } | Self::Contention { .. } => Some("run the command again"),
            _ => None,
        }
    }
}

/// A row, or the trace it belongs to, that cannot be stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: field `{field}`: {message}")]
pub struct RowError {
    /// Line of the source, from 1; 0 when there is none.
    pub line: u64,
    /// Field of the row.
    pub field: String,
    /// One word for counting: `duplicate_id`, `unknown_parent`, …
    pub reason: &'static str,
    /// What is wrong, with the value.
    pub message: String,
}

/// Why an experiment was not staged.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The source is at fault.
    #[error(transparent)]
    Row(#[from] RowError),
    /// The store is at fault.
    #[error(transparent)]
    Store(#[from] StoreError),
}
