//! The SQL functions against the same fixture, over two partitions, as a query asks them.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type, Schema};
use serde_json::Value;

use super::reference::{ANSWER_TOLERANCE, assert_near, clusters, fixture, floats, numbers};
use super::{register, session};

/// A column of numbers, some of them null.
fn column(values: &Value) -> ArrayRef {
    Arc::new(values.as_array().unwrap().iter().map(Value::as_f64).collect::<Float64Array>())
}

/// What a query says of the columns as `t`, as columns of its own.
async fn ask(columns: Vec<(&str, ArrayRef)>, sql: &str) -> RecordBatch {
    let fields: Vec<Field> =
        columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap();
    let session = session(2);
    let half = batch.num_rows() / 2;
    register(&session, vec![batch.slice(0, half), batch.slice(half, batch.num_rows() - half)]);
    let frame = session.sql(sql).await.unwrap();
    let schema = Arc::new(frame.schema().as_arrow().clone());
    arrow::compute::concat_batches(&schema, &frame.collect().await.unwrap()).unwrap()
}

/// The one answer of a call.
async fn answer(columns: Vec<(&str, ArrayRef)>, call: &str) -> ArrayRef {
    Arc::clone(ask(columns, &format!("SELECT {call} AS answer FROM t")).await.column(0))
}

fn number(array: &ArrayRef) -> Option<f64> {
    match array.data_type() {
        DataType::Int64 => array.as_primitive_opt::<Int64Type>().filter(|a| a.is_valid(0)).map(|a| a.value(0) as f64),
        _ => array.as_primitive_opt::<Float64Type>().filter(|a| a.is_valid(0)).map(|a| a.value(0)),
    }
}

fn field(answer: &ArrayRef, name: &str) -> Option<f64> {
    number(answer.as_struct().column_by_name(name)?)
}

fn assert_fields(answer: &ArrayRef, case: &Value, names: &[&str]) {
    for name in names {
        let what = format!("{} {name}", case["name"]);
        let found = field(answer, name).unwrap_or_else(|| panic!("{what} is missing"));
        assert_near(found, case[*name].as_f64().unwrap(), ANSWER_TOLERANCE, &what);
    }
}

/// The columns of a case, its clusters too where it has them, and the arguments that name them.
fn columns<'a>(case: &Value, names: &[&'a str]) -> (Vec<(&'a str, ArrayRef)>, String) {
    let mut columns: Vec<(&str, ArrayRef)> = names.iter().map(|name| (*name, column(&case[*name]))).collect();
    let mut arguments = names.join(", ");
    if let Some(clusters) = clusters(case) {
        columns.push(("cluster", Arc::new(StringArray::from(clusters))));
        arguments += ", cluster";
    }
    (columns, arguments)
}

#[tokio::test]
async fn mean_ci() {
    for case in fixture("means") {
        let (columns, arguments) = columns(&case, &["scores"]);
        let answer = answer(columns, &format!("mean_ci({arguments})")).await;
        assert_fields(&answer, &case, &["mean", "sd", "se", "ci_low", "ci_high"]);
    }
}

#[tokio::test]
async fn paired_diff() {
    for case in fixture("paired") {
        let (columns, arguments) = columns(&case, &["base", "candidate"]);
        let answer = answer(columns, &format!("paired_diff({arguments})")).await;
        let names = ["n", "base_mean", "candidate_mean", "delta", "sd", "se", "ci_low", "ci_high", "t", "df", "mde"];
        assert_fields(&answer, &case, &names);
        // `sign_flip` draws; the test of the kernel knows how near it has to come.
        if case["method"] != "sign_flip" {
            assert_fields(&answer, &case, &["p"]);
        }
    }
}

#[tokio::test]
async fn score_diff_of_clusters() {
    for case in fixture("classes") {
        let (columns, _) = columns(&case, &["base", "candidate"]);
        let (tolerance, direction) = (case["tolerance"].as_f64().unwrap(), case["direction"].as_str().unwrap());
        let call = format!("score_diff(base, candidate, {tolerance}, '{direction}', cluster)");
        let answer = answer(columns, &call).await;
        for (name, count) in case["counts"].as_object().unwrap() {
            assert_eq!(field(&answer, name), count.as_f64(), "{name}");
        }
        assert_fields(&answer, &case, &["delta", "sd", "se", "ci_low", "ci_high", "t", "df", "p", "mde"]);
    }
}

#[tokio::test]
async fn agreement() {
    for case in fixture("agreement") {
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for (i, row) in case["counts"].as_array().unwrap().iter().enumerate() {
            for (j, count) in floats(row).into_iter().enumerate() {
                first.extend(std::iter::repeat_n(i as f64, count as usize));
                second.extend(std::iter::repeat_n(j as f64, count as usize));
            }
        }
        let judged = || -> Vec<(&str, ArrayRef)> {
            let column = |judge: &[f64]| -> ArrayRef { Arc::new(Float64Array::from(judge.to_vec())) };
            vec![("a", column(&first)), ("b", column(&second))]
        };
        let near = |found: Option<f64>, name: &str| {
            let expected = case[name].as_f64().unwrap();
            assert!((found.unwrap() - expected).abs() < ANSWER_TOLERANCE, "{name}: {found:?}, {expected}");
        };
        let whole = answer(judged(), "agreement(a, b)").await;
        for name in ["observed", "expected", "kappa", "se", "ci_low", "ci_high"] {
            near(field(&whole, name), name);
        }
        near(field(&whole, "linear_kappa"), "linear");
        near(field(&whole, "quadratic_kappa"), "quadratic");
        near(number(&answer(judged(), "cohen_kappa(a, b)").await), "kappa");
        for weights in ["linear", "quadratic"] {
            near(number(&answer(judged(), &format!("weighted_kappa(a, b, '{weights}')")).await), weights);
        }
    }
}

#[tokio::test]
async fn weighted_avg() {
    for case in fixture("weighted") {
        let (columns, arguments) = columns(&case, &["values", "weights"]);
        let found =
            number(&answer(columns, &format!("weighted_avg({arguments})").replace("values", "\"values\"")).await);
        assert_near(found.unwrap(), case["mean"].as_f64().unwrap(), ANSWER_TOLERANCE, "weighted_avg");
    }
}

#[tokio::test]
async fn mode_majority_and_at_least() {
    for case in fixture("trials") {
        let ask = async |call: &str| number(&answer(columns(&case, &["scores"]).0, call).await);
        assert_eq!(ask("mode(scores)").await, case["mode"].as_f64(), "{case}");
        assert_eq!(ask("majority(scores)").await, case["majority"].as_f64(), "{case}");
        for (k, expected) in [1, 2, 3].into_iter().zip(floats(&case["at_least"])) {
            assert_eq!(ask(&format!("at_least(scores, {k}, 0.5)")).await, Some(expected), "{k} of {case}");
        }
    }
}

#[tokio::test]
async fn passes_of_k_trials() {
    for row in numbers("passes") {
        let [trials, passes] = [row[0] as usize, row[1] as usize];
        let scores = || -> Vec<(&str, ArrayRef)> {
            let scores = (0..trials).map(|i| if i < passes { 1.0 } else { 0.5 });
            vec![("score", Arc::new(Float64Array::from_iter_values(scores)))]
        };
        for (function, expected) in [("pass_at_k", row[3]), ("pass_hat_k", row[4])] {
            let found = number(&answer(scores(), &format!("{function}(score, {})", row[2])).await);
            assert!((found.unwrap() - expected).abs() < 1e-12, "{function} {row:?}: {found:?}");
        }
    }
}

#[tokio::test]
async fn change_points() {
    for case in fixture("changes") {
        let (mut columns, _) = columns(&case, &["means", "errors"]);
        let places = (0..columns[0].1.len()).map(|place| place as f64);
        columns.push(("place", Arc::new(Float64Array::from_iter_values(places))));
        let sql = "SELECT c['position'] AS position, c['before'] AS before, c['after'] AS after, c['p'] AS p
                   FROM (SELECT unnest(change_points(means, errors, place)) AS c FROM t) ORDER BY position";
        let found = ask(columns, sql).await;
        let expected = case["changes"].as_array().unwrap();
        assert_eq!(found.num_rows(), expected.len(), "{}", case["name"]);
        for (row, change) in expected.iter().enumerate() {
            let value = |name: &str| found.column_by_name(name).unwrap().as_primitive::<Float64Type>().value(row);
            let known = |name: &str| change[name].as_f64().unwrap();
            assert_eq!(value("position"), known("position"), "{}", case["name"]);
            for name in ["before", "after"] {
                assert_near(value(name), known(name), ANSWER_TOLERANCE, name);
            }
            // Both sides draw: theirs 100,000 series, ours 40,000, with two standard errors on top.
            let (ours, theirs) = (value("p"), known("p"));
            let error = (theirs.max(1e-4) / 40_000.0).sqrt();
            assert!((ours - theirs).abs() < 8.0 * error, "{}: p {ours}, {theirs}", case["name"]);
        }
    }
}
