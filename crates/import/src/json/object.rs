//! JSON text, put together.

use super::{Kind, Value, push_json};

/// The text of an object that grows field by field.
#[derive(Debug, Clone, Default)]
pub(crate) struct ObjectText {
    text: String,
}

impl ObjectText {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a field; a null is left out.
    pub(crate) fn put(&mut self, name: &str, value: Option<Value<'_>>) {
        let Some(value) = value.filter(|v| !matches!(v.kind, Kind::Null | Kind::NotANumber | Kind::Infinity)) else {
            return;
        };
        self.key(name);
        push_json(&mut self.text, &value);
    }

    /// Adds a field whose value is JSON text already.
    pub(crate) fn put_json(&mut self, name: &str, json: Option<&str>) {
        if let Some(json) = json {
            self.key(name);
            self.text.push_str(json);
        }
    }

    /// Adds a field whose value is a string.
    pub(crate) fn put_text(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.put_json(name, Some(&quoted(text)));
        }
    }

    /// Adds a field whose value is a number; one that is not finite is left out.
    pub(crate) fn put_number(&mut self, name: &str, number: Option<f64>) {
        if let Some(number) = number.filter(|number| number.is_finite()) {
            self.put_json(name, Some(&number.to_string()));
        }
    }

    /// Adds every field of an object that is not among `except`.
    pub(crate) fn put_all(&mut self, object: Option<Value<'_>>, except: &[&str]) {
        for (name, value) in object.iter().flat_map(Value::fields) {
            if !except.contains(&&*name) {
                self.put(&name, Some(value));
            }
        }
    }

    fn key(&mut self, name: &str) {
        self.text.push(if self.text.is_empty() { '{' } else { ',' });
        self.text.push_str(&quoted(name));
        self.text.push(':');
    }

    /// The object; nothing if it has no field.
    pub(crate) fn finish(mut self) -> Option<String> {
        if self.text.is_empty() {
            return None;
        }
        self.text.push('}');
        Some(self.text)
    }
}

/// A string as JSON writes it.
pub(crate) fn quoted(text: &str) -> String {
    // Writing a string to a string cannot fail; the fallback is the string without its content.
    serde_json::to_string(text).unwrap_or_else(|_| "\"\"".into())
}

/// The text of an array of JSON texts.
pub(crate) fn array<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    let mut text = String::from("[");
    for item in items {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(item.as_ref());
    }
    text.push(']');
    text
}
