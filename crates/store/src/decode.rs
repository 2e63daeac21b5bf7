//! Stored rows become spans again, to be changed.

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{Float64Type, Int64Type, TimestampMicrosecondType};
use evalhouse_model::{Span, schema};
use indexmap::IndexMap;
use serde_json::value::RawValue;

/// The rows of a batch of one of our files, as they were logged.
pub(crate) fn spans_of(batch: &RecordBatch) -> Vec<Span> {
    let column = |name: &str| batch.column_by_name(name);
    let texts = |name: &str| column(name).and_then(|array| array.as_string_opt::<i32>());
    let text = |array: Option<&StringArray>, row: usize| -> Option<String> {
        array.filter(|array| array.is_valid(row)).map(|array| array.value(row).to_string())
    };
    let list = |name: &str, row: usize| -> Option<Vec<String>> {
        let lists = column(name)?.as_list_opt::<i32>().filter(|lists| lists.is_valid(row))?;
        let items = lists.value(row);
        let items = items.as_string_opt::<i32>()?;
        Some(items.iter().flatten().map(str::to_string).collect())
    };
    let int = |name: &str, row: usize| {
        column(name)
            .and_then(|array| array.as_primitive_opt::<Int64Type>())
            .filter(|array| array.is_valid(row))
            .map(|array| array.value(row))
    };
    let float = |name: &str, row: usize| {
        column(name)
            .and_then(|array| array.as_primitive_opt::<Float64Type>())
            .filter(|array| array.is_valid(row))
            .map(|array| array.value(row))
    };
    let created = column(schema::CREATED).and_then(|array| array.as_primitive_opt::<TimestampMicrosecondType>());
    let rows = 0..batch.num_rows();
    rows.map(|row| {
        let of = |name: &str| text(texts(name), row);
        let span_parents = list(schema::SPAN_PARENTS, row).unwrap_or_default();
        let span_attributes = of(schema::SPAN_ATTRIBUTES);
        Span {
            id: of(schema::ID).unwrap_or_default(),
            span_id: of(schema::SPAN_ID).unwrap_or_default(),
            root_span_id: of(schema::ROOT_SPAN_ID).unwrap_or_default(),
            is_root: span_parents.is_empty(),
            span_parents,
            position: int(schema::POSITION, row).unwrap_or_default(),
            line: 0,
            version: int(schema::XACT, row).and_then(|xact| u64::try_from(xact).ok()).unwrap_or_default(),
            deleted: false,
            created: created.filter(|array| array.is_valid(row)).map(|array| array.value(row)),
            name: of(schema::NAME),
            span_type: of(schema::TYPE),
            // The column has what the span inherited; what it said itself is in its attributes.
            purpose: of(schema::PURPOSE).filter(|_| says_purpose(span_attributes.as_deref())),
            span_attributes,
            start: float(schema::START, row),
            end: float(schema::END, row),
            input: of(schema::INPUT),
            output: of(schema::OUTPUT),
            expected: of(schema::EXPECTED),
            error: of(schema::ERROR),
            metadata: of(schema::METADATA),
            context: of(schema::CONTEXT),
            origin: of(schema::ORIGIN),
            tags: list(schema::TAGS, row),
            scores: numbers(of(schema::SCORES).as_deref()),
            metrics: numbers(of(schema::METRICS).as_deref())
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?)))
                .collect(),
            extra: of(schema::EXTRA),
        }
    })
    .collect()
}

fn says_purpose(attributes: Option<&str>) -> bool {
    let attributes = attributes.and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
    attributes.is_some_and(|attributes| attributes[schema::PURPOSE].is_string())
}

fn numbers(object: Option<&str>) -> Vec<(Arc<str>, Option<f64>)> {
    let object = object.and_then(|text| serde_json::from_str::<IndexMap<String, &RawValue>>(text).ok());
    let entries = object.into_iter().flatten();
    // Parsed here: the JSON parser's numbers may be off by the last bit.
    entries.map(|(name, value)| (Arc::from(name), value.get().parse().ok())).collect()
}
