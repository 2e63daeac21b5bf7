//! What can go wrong between a query and its answer.

use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;
use datafusion::parquet::errors::ParquetError;
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
    /// An expression of the filter language is wrong.
    #[error("{}", error.render(text))]
    Language {
        /// The text.
        text: String,
        /// What is wrong, and where.
        error: evalhouse_language::LanguageError,
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
            DataFusionError::ResourcesExhausted(message) => Self::Resources { limit_mib: 0, message: message.clone() },
            // The same, found while the Parquet reader filtered.
            DataFusionError::ParquetError(source) if filter_fault(source).is_some() => {
                Self::Query { message: filter_fault(source).unwrap_or_default() }
            }
            // A cast or an arithmetic fault comes from what the query asked of its data.
            DataFusionError::Execution(_) | DataFusionError::ArrowError(..) => {
                Self::Query { message: readable(&error) }
            }
            _ => Self::Engine(error),
        }
    }

    /// Whether the user can mend it by writing another query.
    pub fn is_users(&self) -> bool {
        matches!(self, Self::Query { .. } | Self::Language { .. } | Self::ReadOnly { .. } | Self::Resources { .. })
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

/// Names the nearest columns; all of them would be a page.
fn unknown_column<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let mut nearest: Vec<(f64, &str)> = known
        .map(|column| (strsim::jaro_winkler(&column.to_lowercase(), &name.to_lowercase()), column))
        .filter(|(similarity, _)| *similarity > 0.8)
        .collect();
    nearest.sort_by(|a, b| b.0.total_cmp(&a.0));
    let names: Vec<String> = nearest.iter().take(3).map(|(_, column)| format!("`{column}`")).collect();
    match names.is_empty() {
        true => format!("there is no column `{name}`"),
        false => format!("there is no column `{name}`; did you mean {}?", names.join(" or ")),
    }
}

/// What went wrong with a value that a filter looked at, when that is why reading failed. The engine
/// passes it on as the debug text of an error.
fn filter_fault(error: &ParquetError) -> Option<String> {
    let text = error.to_string();
    let (_, fault) = text.split_once("Error evaluating filter predicate: ArrowError(")?;
    let fault = fault.rsplit_once(", Some(").map_or(fault, |(fault, _)| fault);
    match fault.split_once("(\"").and_then(|(_, quoted)| quoted.strip_suffix("\")")) {
        Some(message) => Some(message.replace("\\\"", "\"")),
        None if fault == "DivideByZero" => Some("division by zero".to_string()),
        None => Some(fault.to_string()),
    }
}

/// The message without the engine's own prefixes.
fn readable(error: &DataFusionError) -> String {
    let text = error.find_root().strip_backtrace();
    let known = [
        "Error during planning: ",
        "Schema error: ",
        "SQL error: ",
        "Execution error: ",
        "Arrow error: ",
        "This feature is not implemented: ",
    ];
    let mut text = text.as_str();
    while let Some(rest) = known.iter().find_map(|prefix| text.strip_prefix(prefix)) {
        text = rest;
    }
    if let DataFusionError::SchemaError(schema, _) = error.find_root()
        && let SchemaError::FieldNotFound { field, valid_fields } = schema.as_ref()
    {
        return unknown_column(&field.name, valid_fields.iter().map(|column| column.name.as_str()));
    }
    match text.strip_prefix("ParserError(\"").and_then(|rest| rest.strip_suffix("\")")) {
        Some(inner) => format!("syntax error: {}", inner.replace("\\\"", "\"")),
        None => text.to_string(),
    }
}
