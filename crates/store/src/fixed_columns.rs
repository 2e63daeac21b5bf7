//! The columns that every file has, whatever its rows: their types, and rows as their arrays.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Decimal128Builder, Float64Builder, Int64Builder, ListBuilder, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field, TimeUnit};
use evalhouse_model::canonical::{canonical_number, canonical_string};
use evalhouse_model::{Experiment, Span, schema};

use crate::StoreError;
use crate::encode::Rows;

fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

fn text_list() -> DataType {
    DataType::List(Arc::new(Field::new("element", DataType::Utf8, true)))
}

/// The fixed columns a file holds. `is_root` is the partition and so not in the file; what only a
/// case has is not in a file of spans.
pub(crate) fn fixed_arrow_fields(is_root: bool) -> Vec<Field> {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let mut fields = vec![
        text(schema::PROJECT),
        text(schema::EXPERIMENT),
        text(schema::EXPERIMENT_ID),
        Field::new(schema::CREATED, timestamp(), true),
        text(schema::ID),
        text(schema::SPAN_ID),
        text(schema::ROOT_SPAN_ID),
        Field::new(schema::SPAN_PARENTS, text_list(), true),
        Field::new(schema::POSITION, DataType::Int64, true),
        text(schema::NAME),
        text(schema::TYPE),
        text(schema::PURPOSE),
        Field::new(schema::START, DataType::Float64, true),
        Field::new(schema::END, DataType::Float64, true),
    ];
    if is_root {
        fields.push(Field::new(schema::COMPARISON_KEY_HASH, DataType::Decimal128(38, 0), true));
        fields.push(Field::new(schema::TRIAL_INDEX, DataType::Int64, true));
        fields.push(Field::new(schema::SPAN_COUNT, DataType::Int64, true));
    }
    fields.extend([
        text(schema::INPUT),
        text(schema::OUTPUT),
        text(schema::EXPECTED),
        text(schema::ERROR),
        text(schema::METADATA),
        Field::new(schema::TAGS, text_list(), true),
        text(schema::SCORES),
        text(schema::METRICS),
        text(schema::SPAN_ATTRIBUTES),
        text(schema::CONTEXT),
        text(schema::ORIGIN),
        text(schema::EXTRA),
        Field::new(schema::XACT, DataType::Int64, true),
    ]);
    fields
}

/// Rows as the arrays of [`fixed_arrow_fields`].
pub(crate) fn fixed_arrays(rows: &Rows, owner: &Experiment, is_root: bool) -> Result<Vec<ArrayRef>, StoreError> {
    let spans = || (0..rows.len()).map(|row| rows.span(row));
    let constant = |value: &str| text_array((0..rows.len()).map(|_| Some(value)));
    let mut created = TimestampMicrosecondBuilder::new().with_timezone("UTC");
    spans().for_each(|span| created.append_option(span.created));
    let mut arrays: Vec<ArrayRef> = vec![
        constant(&owner.project),
        constant(&owner.name),
        constant(&owner.id),
        Arc::new(created.finish()),
        text_array(spans().map(|span| Some(span.id.as_str()))),
        text_array(spans().map(|span| Some(span.span_id.as_str()))),
        text_array(spans().map(|span| Some(span.root_span_id.as_str()))),
        list_array(spans().map(|span| Some(&span.span_parents).filter(|parents| !parents.is_empty()))),
        int_array(spans().map(|span| Some(span.position))),
        text_array(spans().map(|span| span.name.as_deref())),
        text_array(spans().map(|span| span.span_type.as_deref())),
        text_array(spans().map(|span| span.purpose.as_deref())),
        float_array(spans().map(|span| span.start)),
        float_array(spans().map(|span| span.end)),
    ];
    if is_root {
        let cases = || (0..rows.len()).map(|row| rows.case(row));
        let mut hashes = Decimal128Builder::with_capacity(rows.len()).with_precision_and_scale(38, 0)?;
        cases().for_each(|case| hashes.append_option(case.and_then(|case| case.key_hash)));
        arrays.push(Arc::new(hashes.finish()));
        arrays.push(int_array(cases().map(|case| case.map(|case| case.trial_index))));
        arrays.push(int_array(cases().map(|case| case.map(|case| case.span_count))));
    }
    let own_scores: Vec<Option<String>> = spans().map(own_scores).collect();
    let own_metrics: Vec<Option<String>> = spans().map(own_metrics).collect();
    arrays.extend([
        text_array(spans().map(|span| span.input.as_deref())),
        text_array(spans().map(|span| span.output.as_deref())),
        text_array(spans().map(|span| span.expected.as_deref())),
        text_array(spans().map(|span| span.error.as_deref())),
        text_array(spans().map(|span| span.metadata.as_deref())),
        list_array(spans().map(|span| span.tags.as_ref())),
        text_array(own_scores.iter().map(Option::as_deref)),
        text_array(own_metrics.iter().map(Option::as_deref)),
        text_array(spans().map(|span| span.span_attributes.as_deref())),
        text_array(spans().map(|span| span.context.as_deref())),
        text_array(spans().map(|span| span.origin.as_deref())),
        text_array(spans().map(|span| span.extra.as_deref())),
        // An import's versions are its source's transactions, and none of this store.
        int_array(
            spans().map(|span| i64::try_from(span.version).ok().filter(|version| *version > 0 && owner.xact.is_some())),
        ),
    ]);
    Ok(arrays)
}

/// A span's own scores as a JSON object: the one place that tells "null" from "not there".
fn own_scores(span: &Span) -> Option<String> {
    json_object(span.scores.iter().map(|(name, value)| (&**name, value.map_or("null".into(), canonical_number))))
}

fn own_metrics(span: &Span) -> Option<String> {
    json_object(span.metrics.iter().map(|(name, value)| (&**name, canonical_number(*value))))
}

/// An object of numbers, those that are whole as integers: counts of tokens come back as they were logged.
fn json_object<'a>(entries: impl Iterator<Item = (&'a str, String)>) -> Option<String> {
    let mut object = String::new();
    for (name, number) in entries {
        object.push(if object.is_empty() { '{' } else { ',' });
        object.push_str(&canonical_string(name));
        object.push(':');
        object.push_str(&number);
    }
    object.push('}');
    (object.len() > 1).then_some(object)
}

fn text_array<'a>(values: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    let mut builder = StringBuilder::new();
    values.for_each(|value| builder.append_option(value));
    Arc::new(builder.finish())
}

fn int_array(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    let mut builder = Int64Builder::new();
    values.for_each(|value| builder.append_option(value));
    Arc::new(builder.finish())
}

pub(crate) fn float_array(values: impl Iterator<Item = Option<f64>>) -> ArrayRef {
    let mut builder = Float64Builder::new();
    values.for_each(|value| builder.append_option(value));
    Arc::new(builder.finish())
}

fn list_array<'a>(values: impl Iterator<Item = Option<&'a Vec<String>>>) -> ArrayRef {
    let mut builder = ListBuilder::new(StringBuilder::new()).with_field(Field::new("element", DataType::Utf8, true));
    for value in values {
        for text in value.into_iter().flatten() {
            builder.values().append_value(text);
        }
        builder.append(value.is_some());
    }
    Arc::new(builder.finish())
}
