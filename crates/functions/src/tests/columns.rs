//! The scalar functions over every encoding of a column.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, DictionaryArray, Float32Array, Int32Array, ListArray, RecordBatch, StringArray,
    StructArray, TimestampMillisecondArray, UnionArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type, Field, Int32Type, Schema, UnionFields};
use datafusion::prelude::SessionContext;

use super::{query, register, session};

/// A session with the table `t` of these columns, a few rows in each of two partitions.
fn table(columns: Vec<(Field, ArrayRef)>) -> SessionContext {
    let (fields, arrays): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap();
    let session = session(1);
    let half = batch.num_rows() / 2;
    register(&session, vec![batch.slice(0, half), batch.slice(half, batch.num_rows() - half)]);
    session
}

/// A column of one result, as text.
async fn texts(session: &SessionContext, expression: &str) -> Vec<Option<String>> {
    let batches = query(session, &format!("SELECT {expression} AS answer FROM t")).await.unwrap();
    let mut texts = Vec::new();
    for batch in batches {
        let column = cast(batch.column(0), &DataType::Utf8).unwrap();
        texts.extend(column.as_string::<i32>().iter().map(|text| text.map(str::to_owned)));
    }
    texts
}

fn plain(name: &str, array: ArrayRef) -> (Field, ArrayRef) {
    (Field::new(name, array.data_type().clone(), true), array)
}

fn json(name: &str, array: ArrayRef) -> (Field, ArrayRef) {
    let metadata = HashMap::from([("ARROW:extension:name".to_owned(), "arrow.json".to_owned())]);
    (Field::new(name, array.data_type().clone(), true).with_metadata(metadata), array)
}

const JSON_TEXTS: [Option<&str>; 6] =
    [Some(r#"{"b": 2.0, "a": 1}"#), Some("\"hi\""), Some(" 1e0 "), Some("null"), Some("{broken"), None];

fn encodings() -> Vec<(&'static str, DataType)> {
    vec![
        ("utf8", DataType::Utf8),
        ("large_utf8", DataType::LargeUtf8),
        ("utf8_view", DataType::Utf8View),
        ("dictionary", DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))),
    ]
}

fn some(texts: &[Option<&str>]) -> Vec<Option<String>> {
    texts.iter().map(|text| text.map(str::to_owned)).collect()
}

#[tokio::test]
async fn json_text_of_any_encoding() {
    let source: ArrayRef = Arc::new(StringArray::from(JSON_TEXTS.to_vec()));
    let columns = encodings()
        .into_iter()
        .flat_map(|(name, data_type)| {
            let array = cast(&source, &data_type).unwrap();
            [json(name, Arc::clone(&array)), plain(&format!("{name}_plain"), array)]
        })
        .collect();
    let session = table(columns);
    for (name, _) in encodings() {
        assert_eq!(
            texts(&session, &format!("comparison_key({name})")).await,
            some(&[Some(r#"{"a":1,"b":2}"#), Some("\"hi\""), Some("1"), None, None, None]),
            "{name}"
        );
        assert_eq!(
            texts(&session, &format!("comparison_key({name}, 7)")).await[3..],
            some(&[Some("[null,7]"), Some("[null,7]"), Some("[null,7]")]),
            "{name}"
        );
        assert_eq!(
            texts(&session, &format!("comparison_key({name}_plain)")).await[1..],
            some(&[Some(r#""\"hi\"""#), Some("\" 1e0 \""), Some("\"null\""), Some("\"{broken\""), None]),
            "{name}"
        );
        assert_eq!(
            texts(&session, &format!("canonical_json({name})")).await,
            some(&[Some(r#"{"a":1,"b":2}"#), Some("\"hi\""), Some("1"), Some("null"), None, None]),
            "{name}"
        );
        let hashes = texts(&session, &format!("comparison_hash({name}) IS NULL")).await;
        let nulls = [false, false, false, true, true, true].map(|null| Some(null.to_string()));
        assert_eq!(hashes, nulls, "{name}");
    }
}

#[tokio::test]
async fn keys_of_other_types() {
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None]), None]);
    let members = StructArray::from(vec![
        (Arc::new(Field::new("z", DataType::Int32, true)), Arc::new(Int32Array::from(vec![1, 2])) as ArrayRef),
        (Arc::new(Field::new("a", DataType::Utf8, true)), Arc::new(StringArray::from(vec![Some("x"), None]))),
    ]);
    let numbers =
        DictionaryArray::<Int32Type>::new(Int32Array::from(vec![Some(0), None]), Arc::new(Int32Array::from(vec![5])));
    let session = table(vec![
        plain("list", Arc::new(list)),
        plain("members", Arc::new(members)),
        plain("numbers", Arc::new(numbers)),
        plain("float", Arc::new(Float32Array::from(vec![2.0, f32::NAN]))),
        plain("instant", Arc::new(TimestampMillisecondArray::from(vec![Some(0), None]))),
    ]);
    for (column, expected) in [
        ("list", [Some("[1,null]"), None]),
        ("members", [Some(r#"{"a":"x","z":1}"#), Some(r#"{"a":null,"z":2}"#)]),
        ("numbers", [Some("5"), None]),
        ("float", [Some("2"), None]),
        ("instant", [Some("\"1970-01-01T00:00:00\""), None]),
        ("float > 1", [Some("true"), Some("true")]),
        ("arrow_cast(float, 'Float64')", [Some("2"), None]),
        ("CAST(members['z'] AS DECIMAL(10, 2))", [Some("1"), Some("2")]),
    ] {
        assert_eq!(texts(&session, &format!("comparison_key({column})")).await, some(&expected), "{column}");
    }
}

#[tokio::test]
async fn keys_and_canonical_json_are_json_fields() {
    let session = session(1);
    for call in ["comparison_key(1)", "canonical_json('1')"] {
        let frame = session.sql(&format!("SELECT {call} AS answer")).await.unwrap();
        let metadata = frame.schema().field(0).metadata();
        assert_eq!(metadata.get("ARROW:extension:name").map(String::as_str), Some("arrow.json"), "{call}");
    }
    let key_of_key = query(&session, "SELECT comparison_key(comparison_key('hi')) AS answer").await.unwrap();
    assert_eq!(key_of_key[0].column(0).as_string::<i32>().value(0), "\"hi\"");
}

#[tokio::test]
async fn hashes_are_those_of_the_model() {
    let session = session(1);
    let batches = query(&session, "SELECT comparison_hash('hi', 2.0) AS answer").await.unwrap();
    let hash = batches[0].column(0).as_primitive::<Decimal128Type>();
    assert_eq!(hash.value(0), evalhouse_model::canonical::canonical_hash(r#"["hi",2]"#));
    assert_eq!(hash.data_type(), &DataType::Decimal128(38, 0));
}

#[tokio::test]
async fn policies_and_directions_of_any_encoding() {
    let source: ArrayRef = Arc::new(StringArray::from(vec![Some("lower"), Some("higher"), None, Some("lower")]));
    let columns = encodings().into_iter().map(|(name, kind)| plain(name, cast(&source, &kind).unwrap())).collect();
    let session = table(columns);
    for (name, _) in encodings() {
        assert_eq!(
            texts(&session, &format!("regression(1, 2, 0, {name})")).await,
            some(&[Some("regressed"), Some("improved"), Some("improved"), Some("regressed")]),
            "{name}"
        );
    }
    for kind in ["Utf8", "LargeUtf8", "Utf8View"] {
        let call = format!("min_score(1, NULL, arrow_cast('zero', '{kind}'))");
        assert_eq!(texts(&session, &call).await, vec![Some("0.0".to_owned()); 4], "{kind}");
    }
}

#[tokio::test]
async fn weights_may_be_columns() {
    let session = table(vec![
        plain("weight", Arc::new(Int32Array::from(vec![1, 3]))),
        plain("score", Arc::new(Float32Array::from(vec![0.5, f32::NAN]))),
    ]);
    assert_eq!(texts(&session, "weighted_score(score, weight, 1.0, 1)").await, some(&[Some("0.75"), Some("1.0")]));
}

/// JSON path functions give a union of number, text and JSON.
#[tokio::test]
async fn keys_of_unions() {
    let members = vec![
        plain("number", Arc::new(Int32Array::from(vec![Some(5), None, None, None])) as ArrayRef),
        plain("text", Arc::new(StringArray::from(vec![None, Some("{}"), None, None]))),
        json("json", Arc::new(StringArray::from(vec![None, None, Some("{ }"), None]))),
    ];
    let (fields, children): (Vec<_>, Vec<_>) = members.into_iter().unzip();
    let fields = UnionFields::try_new([0, 1, 2], fields).unwrap();
    let union = UnionArray::try_new(fields, vec![0_i8, 1, 2, 0].into(), None, children).unwrap();
    let session = table(vec![plain("value", Arc::new(union))]);
    assert_eq!(texts(&session, "comparison_key(value)").await, some(&[Some("5"), Some("\"{}\""), Some("{}"), None]));
}
