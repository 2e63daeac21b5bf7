//! The shapes of bodies, for the description: what is looked at of them. A body may have more.

use serde_json::{Map, Value, json};

/// A text or null.
pub(super) const TEXT: &str = "string";
/// True, false or null.
pub(super) const FLAG: &str = "boolean";
/// An object or null.
pub(super) const OBJECT: &str = "object";

/// What is said of a new or known object; `describe` reads it.
pub(super) const DESCRIBED: [(&str, &str); 5] = [
    ("description", TEXT),
    ("base_exp_id", TEXT),
    ("dataset_id", TEXT),
    ("dataset_version", TEXT),
    ("metadata", OBJECT),
];

/// An object with texts that it needs and fields that it may have.
pub(super) fn body<'a>(needed: &[&str], fields: impl IntoIterator<Item = &'a (&'a str, &'a str)>) -> Value {
    let fields = fields.into_iter().map(|(name, kind)| (name.to_string(), json!({"type": [kind, "null"]})));
    let mut properties: Map<String, Value> = fields.collect();
    properties.extend(needed.iter().map(|name| (name.to_string(), json!({"type": "string", "minLength": 1}))));
    json!({"type": "object", "required": needed, "properties": properties})
}

/// An object with a list of rows.
pub(super) fn list(name: &str) -> Value {
    json!({
        "type": "object",
        "required": [name],
        "properties": {name: {"type": "array", "items": {"type": "object"}}},
    })
}
