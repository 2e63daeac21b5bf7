//! Text that is JSON, told from plain text by the extension type of its field.

use arrow::datatypes::{DataType, Field};

const EXTENSION_NAME: &str = "ARROW:extension:name";
const EXTENSION_METADATA: &str = "ARROW:extension:metadata";
const JSON_EXTENSION: &str = "arrow.json";

/// True when the text of a field is JSON (Arrow's canonical extension `arrow.json`).
pub(crate) fn is_json(field: &Field) -> bool {
    field.metadata().get(EXTENSION_NAME).is_some_and(|name| name == JSON_EXTENSION)
}

/// A nullable text field that holds JSON.
pub(crate) fn json_field(name: &str) -> Field {
    Field::new(name, DataType::Utf8, true).with_metadata(
        [(EXTENSION_NAME.to_owned(), JSON_EXTENSION.to_owned()), (EXTENSION_METADATA.to_owned(), String::new())].into(),
    )
}
