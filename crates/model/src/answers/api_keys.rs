//! API keys, as listed.

use serde::{Deserialize, Serialize};

/// The API keys of a store, without the keys themselves.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ApiKeyList {
    /// Oldest first.
    pub keys: Vec<ApiKeyRow>,
}

/// One API key.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ApiKeyRow {
    /// Name.
    pub name: String,
    /// `read`, `write` or `admin`.
    pub role: String,
    /// The only projects it may see; `None` for all.
    pub projects: Option<Vec<String>>,
    /// When it was made, RFC 3339 UTC.
    pub created: String,
    /// When it was revoked.
    pub revoked: Option<String>,
}
