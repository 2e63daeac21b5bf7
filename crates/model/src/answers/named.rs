//! Named queries.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// The queries that have a name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct QueryList {
    /// By name.
    pub queries: Vec<NamedQuery>,
}

/// A query with a name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NamedQuery {
    /// Name.
    pub name: String,
    /// What it answers.
    pub question: String,
    /// What it takes.
    pub parameters: Vec<QueryParameter>,
    /// What it gives: column → meaning.
    pub columns: IndexMap<String, String>,
    /// `shipped`, or the file.
    pub source: String,
    /// The query, header included.
    pub sql: String,
}

/// A parameter of a named query.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct QueryParameter {
    /// Name; `$name` in the query.
    pub name: String,
    /// `text`, `integer`, `number` or `boolean`.
    #[serde(rename = "type")]
    pub data_type: String,
    /// Value when none is given; required without one.
    pub default: Option<String>,
    /// What it means.
    pub meaning: String,
}
