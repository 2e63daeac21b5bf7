//! The canonical JSON text of each row of a column of any type.

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, StringArray, StringBuilder, UnionArray, new_null_array};
use arrow::compute::{can_cast_types, cast, take};
use arrow::datatypes::{DataType, Field, UnionMode};
use datafusion::common::cast::{
    as_boolean_array, as_fixed_size_list_array, as_float64_array, as_large_list_array, as_list_array, as_string_array,
    as_string_view_array, as_struct_array, as_union_array,
};
use datafusion::common::{Result, exec_err};
use evalhouse_model::canonical::{canonical_json, canonical_number, canonical_string};

use crate::json_field::is_json;

/// The canonical text of each row; null for null, for JSON `null` and for text that is marked as
/// JSON and is not. The field says whether a text is JSON.
pub(crate) fn canonical_texts(column: &ArrayRef, field: &Field) -> Result<StringArray> {
    match column.data_type() {
        DataType::Null => text_array(new_null_array(&DataType::Utf8, column.len())),
        DataType::Boolean => {
            let values = as_boolean_array(column)?;
            Ok(values.iter().map(|value| value.map(|v| if v { "true" } else { "false" })).collect())
        }
        integer if integer.is_integer() => text_array(cast(column, &DataType::Utf8)?),
        float if float.is_floating() => {
            let values = cast(column, &DataType::Float64)?;
            Ok(number_texts(as_float64_array(&values)?))
        }
        decimal if decimal.is_decimal() => Ok(json_texts(&text_array(cast(column, &DataType::Utf8)?)?)),
        DataType::Utf8 => Ok(string_texts(as_string_array(column)?.iter(), field)),
        DataType::LargeUtf8 => Ok(string_texts(column.as_string::<i64>().iter(), field)),
        DataType::Utf8View => Ok(string_texts(as_string_view_array(column)?.iter(), field)),
        DataType::Dictionary(_, _) => {
            // Each distinct value is written once.
            let dictionary = column.as_any_dictionary();
            let texts: ArrayRef = Arc::new(canonical_texts(dictionary.values(), field)?);
            text_array(take(&texts, dictionary.keys(), None)?)
        }
        DataType::List(item) => {
            let lists = as_list_array(column)?;
            let items = canonical_texts(lists.values(), item)?;
            let offsets = lists.value_offsets();
            Ok(list_texts(lists, &items, |row| offsets[row] as usize..offsets[row + 1] as usize))
        }
        DataType::LargeList(item) => {
            let lists = as_large_list_array(column)?;
            let items = canonical_texts(lists.values(), item)?;
            let offsets = lists.value_offsets();
            Ok(list_texts(lists, &items, |row| offsets[row] as usize..offsets[row + 1] as usize))
        }
        DataType::FixedSizeList(item, size) => {
            let lists = as_fixed_size_list_array(column)?;
            let items = canonical_texts(lists.values(), item)?;
            let size = *size as usize;
            Ok(list_texts(lists, &items, |row| row * size..(row + 1) * size))
        }
        DataType::Struct(_) => struct_texts(column),
        DataType::Union(_, _) => union_texts(as_union_array(column)?),
        other if can_cast_types(other, &DataType::Utf8) => {
            let texts = text_array(cast(column, &DataType::Utf8)?)?;
            Ok(texts.iter().map(|text| text.map(canonical_string)).collect())
        }
        other => exec_err!("a value of type {other} has no JSON text"),
    }
}

/// The canonical text of each JSON text; null for null, for JSON `null` and for text that is not
/// JSON.
pub(crate) fn json_texts(texts: &StringArray) -> StringArray {
    texts.iter().map(|text| text.and_then(json_text)).collect()
}

fn json_text(text: &str) -> Option<String> {
    canonical_json_text(text).filter(|canonical| canonical != "null")
}

/// The canonical text of a JSON text; none when it is not JSON.
pub(crate) fn canonical_json_text(text: &str) -> Option<String> {
    if nesting(text) > NESTING_MAX {
        return None;
    }
    canonical_json(text).ok()
}

/// The deepest nesting that counts as JSON: a value from outside must not exhaust the stack.
const NESTING_MAX: usize = 128;

/// How deep the brackets of a JSON text go.
fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut is_text, mut is_escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            _ if is_text => {}
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn text_array(column: ArrayRef) -> Result<StringArray> {
    Ok(as_string_array(&column)?.clone())
}

fn number_texts(values: &Float64Array) -> StringArray {
    values.iter().map(|value| value.filter(|v| v.is_finite()).map(canonical_number)).collect()
}

fn string_texts<'a>(texts: impl Iterator<Item = Option<&'a str>>, field: &Field) -> StringArray {
    if is_json(field) {
        texts.map(|text| text.and_then(json_text)).collect()
    } else {
        texts.map(|text| text.map(canonical_string)).collect()
    }
}

fn list_texts(lists: &dyn Array, items: &StringArray, range: impl Fn(usize) -> std::ops::Range<usize>) -> StringArray {
    let mut texts = StringBuilder::new();
    let mut text = String::new();
    for row in 0..lists.len() {
        if lists.is_null(row) {
            texts.append_null();
            continue;
        }
        text.clear();
        push_array(&mut text, range(row).map(|item| value_or_null(items, item)));
        texts.append_value(&text);
    }
    texts.finish()
}

/// Writes canonical texts as one JSON array.
pub(crate) fn push_array<'a>(text: &mut String, items: impl Iterator<Item = &'a str>) {
    text.push('[');
    for (position, item) in items.enumerate() {
        if position > 0 {
            text.push(',');
        }
        text.push_str(item);
    }
    text.push(']');
}

/// The canonical text of one row, `null` for null.
pub(crate) fn value_or_null(texts: &StringArray, row: usize) -> &str {
    if texts.is_null(row) { "null" } else { texts.value(row) }
}

fn struct_texts(column: &ArrayRef) -> Result<StringArray> {
    let structs = as_struct_array(column)?;
    let mut members = Vec::with_capacity(structs.num_columns());
    for (field, values) in structs.fields().iter().zip(structs.columns()) {
        members.push((field.name(), canonical_texts(values, field)?));
    }
    members.sort_by_key(|(name, _)| *name);
    let mut texts = StringBuilder::new();
    let mut text = String::new();
    for row in 0..structs.len() {
        if structs.is_null(row) {
            texts.append_null();
            continue;
        }
        text.clear();
        text.push('{');
        for (position, (name, values)) in members.iter().enumerate() {
            let comma = if position > 0 { "," } else { "" };
            // Writing to a string cannot fail.
            let _ = write!(text, "{comma}{}:{}", canonical_string(name), value_or_null(values, row));
        }
        text.push('}');
        texts.append_value(&text);
    }
    Ok(texts.finish())
}

/// The JSON unions of the JSON path functions, and any other.
fn union_texts(column: &UnionArray) -> Result<StringArray> {
    let DataType::Union(fields, mode) = column.data_type() else {
        return exec_err!("a value of type {} is not a union", column.data_type());
    };
    let mut children: [Option<StringArray>; 128] = [const { None }; 128];
    for (type_id, field) in fields.iter() {
        children[type_id as usize] = Some(canonical_texts(column.child(type_id), field)?);
    }
    let mut texts = StringBuilder::new();
    for row in 0..column.len() {
        let slot = if *mode == UnionMode::Dense { column.value_offset(row) } else { row };
        match &children[column.type_id(row) as usize] {
            Some(child) if child.is_valid(slot) => texts.append_value(child.value(slot)),
            _ => texts.append_null(),
        }
    }
    Ok(texts.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_count_outside_texts() {
        assert_eq!(nesting(r#"{"a[[": [1, {"b": "\"[["}]}"#), 3);
        assert_eq!(nesting("1"), 0);
        assert_eq!(nesting("]]["), 1);
    }

    #[test]
    fn too_deep_is_not_json() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(canonical_json_text(&nested(128)), Some(nested(128)));
        assert_eq!(canonical_json_text(&nested(129)), None);
        assert_eq!(canonical_json_text(&nested(1_000_000)), None);
    }
}
