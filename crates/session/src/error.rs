//! What can go wrong between a query and its answer.

use datafusion::error::DataFusionError;
use evalhouse_store::StoreError;

/// An error of a query or of the engine.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The query is wrong: it does not parse, or names what does not exist.
    #[error("{message}")]
    Query {
        /// What is wrong, with the nearest valid name where there is one.
        message: String,
    },
    /// The query asks for more than reading.
    #[error("`{statement}` is not allowed: the store is read-only in SQL")]
    ReadOnly {
        /// The statement's kind.
        statement: String,
    },
    /// The query needs more memory than it may have, even when spilling.
    #[error("the query needs more memory than its limit of {limit_mib} MiB: {message}")]
    Resources {
        /// The limit.
        limit_mib: usize,
        /// What ran out.
        message: String,
    },
    /// The engine failed; our bug, or the store's data.
    #[error("engine: {0}")]
    Engine(DataFusionError),
}

impl SessionError {
    /// Sorts an engine error by who must act.
    pub fn of(error: DataFusionError) -> Self {
        match error.find_root() {
            DataFusionError::SQL(..)
            | DataFusionError::Plan(_)
            | DataFusionError::SchemaError(..)
            | DataFusionError::NotImplemented(_)
            | DataFusionError::Configuration(_) => Self::Query { message: readable(&error) },
            DataFusionError::ResourcesExhausted(message) => {
                Self::Resources { limit_mib: 0, message: message.clone() }
            }
            // A cast or an arithmetic fault comes from what the query asked of its data.
            DataFusionError::Execution(_) | DataFusionError::ArrowError(..) => Self::Query { message: readable(&error) },
            _ => Self::Engine(error),
        }
    }

    /// Whether the user can mend it by writing another query.
    pub fn is_users(&self) -> bool {
        matches!(self, Self::Query { .. } | Self::ReadOnly { .. } | Self::Resources { .. })
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Store(error) => error.hint(),
            Self::ReadOnly { .. } => Some("write results with `--format parquet -o FILE` or `export`"),
            Self::Resources { .. } => Some("raise --memory-limit, or ask for fewer columns or rows"),
            _ => None,
        }
    }
}

/// The message without the engine's own prefixes.
fn readable(error: &DataFusionError) -> String {
    let text = error.find_root().strip_backtrace();
    let known = ["Error during planning: ", "Schema error: ", "SQL error: ", "Execution error: ", "Arrow error: ", "This feature is not implemented: "];
    let mut text = text.as_str();
    while let Some(rest) = known.iter().find_map(|prefix| text.strip_prefix(prefix)) {
        text = rest;
    }
    match text.strip_prefix("ParserError(\"").and_then(|rest| rest.strip_suffix("\")")) {
        Some(inner) => format!("syntax error: {}", inner.replace("\\\"", "\"")),
        None => text.to_string(),
    }
}
