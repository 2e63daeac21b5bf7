//! What can go wrong while writing.

use thiserror::Error;

/// Why an answer or a batch could not be written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The output did not take the bytes; a closed pipe comes as this.
    #[error("cannot write the output")]
    Write(#[from] std::io::Error),
    /// The answer could not be put into JSON: our bug.
    #[error("cannot write the answer as JSON")]
    Json(#[source] serde_json::Error),
    /// A column has a type that the format cannot hold.
    #[error("cannot write the rows in this format")]
    Arrow(#[from] arrow::error::ArrowError),
    /// The Parquet file could not be written.
    #[error("cannot write the rows as Parquet")]
    Parquet(#[from] parquet::errors::ParquetError),
}

impl From<serde_json::Error> for ReportError {
    fn from(error: serde_json::Error) -> Self {
        // Of an output that took no bytes, JSON is not to blame.
        if error.is_io() { Self::Write(error.into()) } else { Self::Json(error) }
    }
}

impl ReportError {
    /// Whether the reader of a pipe went away, which is no failure: it has seen enough.
    pub fn is_closed_pipe(&self) -> bool {
        let mut source: Option<&(dyn std::error::Error + 'static)> = Some(self);
        while let Some(error) = source {
            if let Some(error) = error.downcast_ref::<std::io::Error>() {
                return error.kind() == std::io::ErrorKind::BrokenPipe;
            }
            source = error.source();
        }
        false
    }
}
