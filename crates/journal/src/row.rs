//! One row: its fields in order, each as the JSON text that was sent.

use indexmap::IndexMap;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use crate::RowFault;

/// The fields of a row.
#[derive(Debug, Clone, Default)]
pub struct Row {
    fields: IndexMap<String, Box<RawValue>>,
}

/// What a row asks the server to do with it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Controls {
    /// Merge into the stored row instead of replacing it.
    pub is_merge: bool,
    /// Paths below which the new value replaces the old one.
    pub merge_paths: Vec<Vec<String>>,
    /// Values to take out of arrays.
    pub array_delete: Vec<ArrayDelete>,
    /// Remove the row.
    pub object_delete: bool,
    /// Row whose child this one becomes.
    pub parent_id: Option<String>,
    /// Who sends feedback.
    pub audit_source: Option<String>,
    /// What is said of feedback.
    pub audit_metadata: Option<Value>,
    /// The row is a comment on another row.
    pub is_comment: bool,
}

/// Values to take out of the array at a path.
#[derive(Debug, Clone, PartialEq, serde::Deserialize)]
pub struct ArrayDelete {
    /// Keys from the row to the array.
    pub path: Vec<String>,
    /// The values.
    pub delete: Vec<Value>,
}

impl Row {
    /// Reads a row.
    ///
    /// # Errors
    /// When the text is no JSON object.
    pub fn parse(text: &str) -> Result<Self, RowFault> {
        let fields =
            serde_json::from_str(text).map_err(|error| RowFault::new(format!("is no JSON object: {error}")))?;
        Ok(Self { fields })
    }

    /// The row, or one without fields where there is no text.
    pub fn parse_or_default(text: Option<&str>) -> Self {
        text.and_then(|text| Self::parse(text).ok()).unwrap_or_default()
    }

    /// The value of a field, also where it is null.
    pub fn get(&self, name: &str) -> Option<&RawValue> {
        self.fields.get(name).map(|value| &**value)
    }

    /// The value of a field that is text.
    pub fn text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(|raw| serde_json::from_str(raw.get()).ok())
    }

    /// Sets a field; a field that is there keeps its place.
    pub fn insert(&mut self, name: &str, value: Box<RawValue>) {
        self.fields.insert(name.to_string(), value);
    }

    /// Sets a field to a value.
    pub fn set(&mut self, name: &str, value: &Value) {
        if let Ok(raw) = to_raw_value(value) {
            self.insert(name, raw);
        }
    }

    /// Keeps some fields.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &RawValue) -> bool) {
        self.fields.retain(|name, value| keep(name, value));
    }

    /// Names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), &**value))
    }

    /// The row as JSON text.
    pub fn to_json(&self) -> String {
        object(&self.fields)
    }

    /// What the row asks for.
    ///
    /// # Errors
    /// When a control field has the wrong type.
    pub fn controls(&self) -> Result<Controls, RowFault> {
        Ok(Controls {
            is_merge: self.read("_is_merge", "true or false")?.unwrap_or_default(),
            merge_paths: self.read("_merge_paths", "a list of paths, each a list of keys")?.unwrap_or_default(),
            array_delete: self.read("_array_delete", "a list of objects with `path` and `delete`")?.unwrap_or_default(),
            object_delete: self.read("_object_delete", "true or false")?.unwrap_or_default(),
            parent_id: self.read("_parent_id", "a row id")?,
            audit_source: self.read("_audit_source", "text")?,
            audit_metadata: self.read::<Value>("_audit_metadata", "JSON")?.filter(|value| !value.is_null()),
            is_comment: self.get("comment").is_some_and(|comment| comment.get().starts_with('{'))
                && self.get("origin").is_some_and(|origin| origin.get().starts_with('{'))
                && self.get("input").is_none(),
        })
    }

    fn read<T: serde::de::DeserializeOwned>(&self, name: &str, expected: &str) -> Result<Option<T>, RowFault> {
        match self.get(name).filter(|raw| raw.get() != "null") {
            None => Ok(None),
            Some(raw) => {
                serde_json::from_str(raw.get()).map(Some).map_err(|_| RowFault::field(name, format!("is {expected}")))
            }
        }
    }
}

impl IntoIterator for Row {
    type Item = (String, Box<RawValue>);
    type IntoIter = indexmap::map::IntoIter<String, Box<RawValue>>;

    fn into_iter(self) -> Self::IntoIter {
        self.fields.into_iter()
    }
}

/// An object's text.
pub(crate) fn object(fields: &IndexMap<String, Box<RawValue>>) -> String {
    let length: usize = fields.iter().map(|(name, value)| name.len() + value.get().len() + 4).sum();
    let mut text = String::with_capacity(length + 2);
    text.push('{');
    for (name, value) in fields {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&Value::from(name.as_str()).to_string());
        text.push(':');
        text.push_str(value.get());
    }
    text.push('}');
    text
}
