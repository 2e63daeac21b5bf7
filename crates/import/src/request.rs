//! What a caller asks for, and what it hears meanwhile.

use crate::formats::FORMATS;

/// A format of eval results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    name: &'static str,
}

impl Format {
    /// Spans in the row shape that Braintrust's SDKs log.
    pub const NATIVE: Self = Self { name: "braintrust" };

    /// Every format, in the order in which help lists them.
    pub fn all() -> impl Iterator<Item = Self> {
        let foreign = FORMATS.into_iter().map(|format| Self { name: format.name() });
        std::iter::once(Self::NATIVE).chain(foreign)
    }

    /// The name that users write, and that an experiment keeps.
    pub fn name(self) -> &'static str {
        self.name
    }
}

impl std::str::FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::all().find(|format| format.name() == text);
        let names = || Self::all().map(Self::name).collect::<Vec<_>>().join("`, `");
        known.ok_or_else(|| format!("`{text}` is no format; the formats are `{}`", names()))
    }
}

/// What to import, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportRequest {
    /// Files, folders, globs; `-` is standard input.
    pub paths: Vec<String>,
    /// Project of everything imported; else the rows say, else the folder's name.
    pub project: Option<String>,
    /// Name of the one experiment imported; else the rows say, else the file's name.
    pub experiment: Option<String>,
    /// Format of everything imported; else each file's content tells.
    pub from: Option<Format>,
    /// What columns of rows are: pairs of a role and a column's name. Guessed where none is given.
    pub columns: Vec<(String, String)>,
    /// Skips bad rows and counts them, instead of storing nothing of their file.
    pub keep_going: bool,
}

/// Hears how an import proceeds; called from worker threads.
///
/// Every method does nothing unless it is overridden.
pub trait Progress: Send + Sync {
    /// What there is to read: files of eval results, and their bytes on disk.
    fn planned(&self, files: usize, bytes: u64) {
        let _ = (files, bytes);
    }
    /// A file is being read.
    fn file_started(&self, path: &str) {
        let _ = path;
    }
    /// More bytes were read from disk.
    fn bytes_read(&self, bytes: u64) {
        let _ = bytes;
    }
    /// More rows were read.
    fn rows_read(&self, rows: u64) {
        let _ = rows;
    }
    /// A file is done, well or not; unchanged files too.
    fn file_finished(&self, path: &str) {
        let _ = path;
    }
    /// Experiments are being committed to the store.
    fn committing(&self, experiments: usize) {
        let _ = experiments;
    }
}

/// A progress that nobody watches.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {}
