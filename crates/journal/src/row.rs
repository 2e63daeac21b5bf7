//! A row: top-level fields in order, their values as JSON text.

use indexmap::IndexMap;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::fault::{FaultReason, RowFault};

/// Top-level fields in order. Values stay the text that was sent, so that numbers of any size, floats,
/// the order of keys and Unicode come back as they were. Of a name that is given twice, the last counts.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Row {
    pub(crate) fields: IndexMap<String, Box<RawValue>>,
}

impl Row {
    /// Reads a JSON object. How deep and large a row may be is asked by the entry points for requests.
    ///
    /// # Errors
    /// When the text is no JSON object.
    pub fn parse(json: &str) -> Result<Self, RowFault> {
        if !json.trim_ascii_start().starts_with('{') {
            return Err(FaultReason::Expected("an object").into());
        }
        serde_json::from_str(json).map_err(|error| FaultReason::Syntax(error.to_string()).into())
    }

    /// The row as a JSON object.
    pub fn to_json(&self) -> String {
        Box::<str>::from(crate::text::raw(self)).into_string()
    }

    /// The JSON text of a field.
    pub fn get(&self, field: &str) -> Option<&RawValue> {
        self.fields.get(field).map(AsRef::as_ref)
    }

    /// Gives a field a value: in its place if the row has it, otherwise as the last.
    pub fn set(&mut self, field: impl Into<String>, value: Box<RawValue>) {
        self.fields.insert(field.into(), value);
    }

    /// Takes a field out, keeping the order of the others.
    pub fn remove(&mut self, field: &str) -> Option<Box<RawValue>> {
        self.fields.shift_remove(field)
    }

    /// The fields in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.fields.iter().map(|(field, value)| (field.as_str(), value.as_ref()))
    }

    /// The value of a field, none where it is absent or null.
    ///
    /// # Errors
    /// When the value has another type, which `expected` describes.
    pub fn value<T: DeserializeOwned>(&self, field: &str, expected: &'static str) -> Result<Option<T>, RowFault> {
        let Some(value) = self.get(field) else { return Ok(None) };
        serde_json::from_str(value.get()).map_err(|_| FaultReason::Expected(expected).of_field(field))
    }

    /// The value of a field that names something.
    ///
    /// # Errors
    /// When it is no string, or an empty one.
    pub fn name(&self, field: &str) -> Result<Option<String>, RowFault> {
        const EXPECTED: &str = "a string that is not empty";
        match self.value::<String>(field, EXPECTED)? {
            Some(name) if name.is_empty() => Err(FaultReason::Expected(EXPECTED).of_field(field)),
            name => Ok(name),
        }
    }
}
