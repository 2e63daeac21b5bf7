//! What can go wrong between a row and the disk.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An error of the journal. The message names the value; [`JournalError::hint`] names the way out.
#[derive(Debug, Clone, thiserror::Error)]
pub enum JournalError {
    /// Rows are written faster than they are released.
    #[error("the journal holds {bytes} bytes, and its limit is {limit}")]
    Full {
        /// Bytes held, on disk and on the way to it.
        bytes: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// Another process has the journal open.
    #[error("the journal in `{folder}` is in use by another process")]
    Locked {
        /// The journal's folder.
        folder: PathBuf,
    },
    /// A file is not what was written. Nothing is changed, since answered rows may be in it.
    #[error("the journal file `{file}` is damaged at byte {offset}: {reason}")]
    Corrupt {
        /// The file.
        file: PathBuf,
        /// Where in it.
        offset: u64,
        /// What is wrong.
        reason: &'static str,
    },
    /// A write or a flush failed. What is on disk since then is not known, so nothing more is written.
    #[error("the journal takes no rows since a write failed: {0}")]
    Poisoned(Arc<io::Error>),
    /// The disk.
    #[error("`{path}`: {source}")]
    Io {
        /// File or folder.
        path: PathBuf,
        /// Why.
        source: Arc<io::Error>,
    },
}

impl JournalError {
    /// What the user can do about it, where there is something.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Full { .. } => Some("send the request again in a moment"),
            Self::Locked { .. } => Some("stop the other server, or give this one another store"),
            Self::Corrupt { .. } => Some("restore the file, or move it away to go on without the rows in it"),
            Self::Poisoned(_) => Some("make sure that the disk works and has space, then start the server again"),
            Self::Io { .. } => None,
        }
    }

    /// Whether the user can mend it.
    pub fn is_users(&self) -> bool {
        matches!(self, Self::Locked { .. } | Self::Full { .. })
    }

    /// Turns an error of the disk into one that names the place.
    pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> Self {
        |source| Self::Io { path: path.to_owned(), source: Arc::new(source) }
    }
}
