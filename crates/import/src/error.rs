//! What can stop a row, a file or a whole import.

use std::borrow::Cow;
use std::fmt;

use evalhouse_store::StoreError;

use crate::reason;

/// Why an import could not be done at all. What is wrong with single files is in the report.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Nothing was named.
    #[error("nothing to import: name a file, a folder, a glob, or `-` for standard input")]
    NothingNamed,
    /// A named path is not there.
    #[error("`{path}`: {source}")]
    Path {
        /// As the user wrote it.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// A pattern cannot be read.
    #[error("`{pattern}` is no valid pattern: {message}")]
    Pattern {
        /// As the user wrote it.
        pattern: String,
        /// What is wrong with it.
        message: String,
    },
    /// Folders and patterns that hold no file of eval results.
    #[error("no eval results in {places}{}", .first_skipped.as_ref().map(|s| format!(" (`{s}`)")).unwrap_or_default())]
    NothingRecognised {
        /// The paths as the user wrote them, in backticks.
        places: String,
        /// One file that was looked at, and why it is none.
        first_skipped: Option<String>,
    },
    /// One experiment name for several files.
    #[error(
        "an experiment name is for one file, and these are {files}; leave it out to name each experiment after its file"
    )]
    ExperimentNameForMany {
        /// How many files were recognised.
        files: usize,
    },
    /// A role that two columns are given for.
    #[error("two columns are given for `{role}`: `{first}` and `{second}`")]
    RoleTwice {
        /// The role.
        role: String,
        /// The first column.
        first: String,
        /// The second column.
        second: String,
    },
    /// A project or experiment name that cannot be one.
    #[error("{what} name is empty")]
    EmptyName {
        /// `project` or `experiment`.
        what: &'static str,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A fault of ours.
    #[error("internal error in the importer, please report it: {0}")]
    Internal(String),
}

/// Why a row, or everything from it on, cannot be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Line of the source where the row starts, from 1.
    pub line: u64,
    /// Ordinal of the row, from 1, where lines do not tell rows apart.
    pub row: Option<u64>,
    /// The field, with its key where it has one: `scores.Factuality`.
    pub field: Option<Cow<'static, str>>,
    /// The outcome in one word, as `docs/import.md` lists it.
    pub reason: Cow<'static, str>,
    /// What is wrong, lower case, no full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<&'static str>,
    /// How much is lost with it.
    pub extent: Extent,
}

/// How much of the source a [`Fault`] takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// This row; the next one can be read.
    Row,
    /// This row and all that follow: the source ends or cannot be followed any more.
    Rest,
    /// Everything: no row of this source may be stored, whatever the user wants.
    File,
}

impl Fault {
    pub(crate) fn row(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            line: 0,
            row: None,
            field: None,
            reason: Cow::Borrowed(reason),
            message: message.into(),
            hint: None,
            extent: Extent::Row,
        }
    }

    pub(crate) fn field(field: impl Into<Cow<'static, str>>, reason: &'static str, message: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..Self::row(reason, message) }
    }

    pub(crate) fn rest(reason: &'static str, message: impl Into<String>) -> Self {
        Self { extent: Extent::Rest, ..Self::row(reason, message) }
    }

    pub(crate) fn file(reason: &'static str, message: impl Into<String>) -> Self {
        Self { extent: Extent::File, ..Self::row(reason, message) }
    }

    pub(crate) fn at(mut self, line: u64, row: Option<u64>) -> Self {
        self.line = line;
        self.row = row;
        self
    }

    pub(crate) fn with_hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }

    /// The system gives no bytes of the source.
    pub(crate) fn unreadable(error: &std::io::Error) -> Self {
        Self::file(reason::UNREADABLE, format!("cannot be read: {error}")).at(1, None)
    }

    /// The compressed or plain text ends too early.
    pub(crate) fn truncated(message: impl Into<String>) -> Self {
        Self::rest(reason::TRUNCATED, message)
            .with_hint("the run may have died while writing; `--keep-going` stores the rows before it")
    }

    /// The message without word and hint, for a list of counted words.
    pub(crate) fn described(&self) -> String {
        let field = self.field.as_ref().map(|field| format!("field `{field}`: ")).unwrap_or_default();
        format!("line {}: {field}{}", self.line, self.message)
    }

    /// The whole message: `FILE:LINE: field `scores.f`: …; hint`.
    pub fn render(&self, path: &str) -> String {
        format!("{path}:{}: {self}", self.line)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(row) = self.row {
            write!(f, "row {row}: ")?;
        }
        if let Some(field) = &self.field {
            write!(f, "field `{field}`: ")?;
        }
        write!(f, "{} [{}]", self.message, self.reason)?;
        match self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Fault {}
