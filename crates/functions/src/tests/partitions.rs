//! Any split of the rows over partitions gives the same answer.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, RecordBatch, StringArray, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{DataType, Field, Fields, Float64Type, Schema};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::function::AccumulatorArgs;
use datafusion::logical_expr::{Accumulator, AggregateUDF};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{Literal, col};
use proptest::prelude::*;

use super::{query, register, session, uniform};
use crate::kernels::random::SplitMix64;

const TOLERANCE: f64 = 1e-12;

fn aggregate(name: &str) -> Arc<AggregateUDF> {
    crate::aggregate_functions().into_iter().find(|function| function.name() == name).unwrap()
}

/// A call: the columns of the batch, then constants.
fn accumulator(function: &AggregateUDF, batch: &RecordBatch, constants: &[ScalarValue]) -> Box<dyn Accumulator> {
    let schema = batch.schema();
    let literals = constants.iter().enumerate().map(|(i, value)| Field::new(i.to_string(), value.data_type(), true));
    let fields: Fields = schema.fields().iter().cloned().chain(literals.map(Arc::new)).collect();
    let types: Vec<_> = fields.iter().map(|field| field.data_type().clone()).collect();
    let columns = schema.fields().iter().map(|field| col(field.name(), &schema).unwrap());
    let literals = constants.iter().map(|value| Arc::new(Literal::new(value.clone())) as Arc<dyn PhysicalExpr>);
    let exprs: Vec<_> = columns.chain(literals).collect();
    let return_type = function.return_type(&types).unwrap();
    function
        .accumulator(AccumulatorArgs {
            return_field: Arc::new(Field::new("answer", return_type, true)),
            schema: &schema,
            ignore_nulls: false,
            order_bys: &[],
            is_reversed: false,
            name: "answer",
            is_distinct: false,
            exprs: &exprs,
            expr_fields: &fields,
        })
        .unwrap()
}

/// The answer of all rows at once.
fn at_once(function: &AggregateUDF, batch: &RecordBatch, constants: &[ScalarValue]) -> ScalarValue {
    let mut accumulator = accumulator(function, batch, constants);
    accumulator.update_batch(batch.columns()).unwrap();
    accumulator.evaluate().unwrap()
}

/// The answer of rows dealt to partitions, whose states are merged in the order given.
fn in_parts(
    function: &AggregateUDF,
    batch: &RecordBatch,
    constants: &[ScalarValue],
    parts: &[usize],
    order: &[usize],
) -> ScalarValue {
    let part_count = order.len();
    let mut states: Vec<Vec<ScalarValue>> = Vec::new();
    for part in 0..part_count {
        let rows: UInt32Array =
            (0..batch.num_rows()).filter(|row| parts[*row] % part_count == part).map(|row| row as u32).collect();
        let rows = take_record_batch(batch, &rows).unwrap();
        let mut accumulator = accumulator(function, batch, constants);
        // In two batches, as they come.
        let half = rows.num_rows() / 2;
        accumulator.update_batch(rows.slice(0, half).columns()).unwrap();
        accumulator.update_batch(rows.slice(half, rows.num_rows() - half).columns()).unwrap();
        states.push(accumulator.state().unwrap());
    }
    let mut merged = accumulator(function, batch, constants);
    for part in order {
        let columns: Vec<ArrayRef> = states[*part].iter().map(|value| value.to_array_of_size(1).unwrap()).collect();
        merged.merge_batch(&columns).unwrap();
    }
    merged.evaluate().unwrap()
}

/// The answer's fields as texts and numbers.
fn fields(answer: &ScalarValue) -> Vec<(String, Option<f64>, String)> {
    let answer = match answer {
        ScalarValue::Struct(answer) => answer,
        // A list is made of sorted values, so it is the same to the last digit.
        ScalarValue::List(list) => return vec![("value".into(), None, format!("{list:?}"))],
        number_or_none => return vec![("value".into(), number(&number_or_none.to_array().unwrap()), String::new())],
    };
    answer
        .fields()
        .iter()
        .zip(answer.columns())
        .map(|(field, column)| match field.data_type() {
            DataType::Float64 => (field.name().clone(), number(column), String::new()),
            _ => {
                let value = ScalarValue::try_from_array(column, 0).unwrap();
                (field.name().clone(), None, value.to_string())
            }
        })
        .collect()
}

fn number(column: &ArrayRef) -> Option<f64> {
    let column = column.as_primitive::<Float64Type>();
    column.is_valid(0).then(|| column.value(0))
}

fn assert_same(expected: &ScalarValue, actual: &ScalarValue) {
    for (left, right) in fields(expected).iter().zip(fields(actual)) {
        assert_eq!((&left.0, &left.2, left.1.is_some()), (&right.0, &right.2, right.1.is_some()));
        if let (Some(left_number), Some(right_number)) = (left.1, right.1) {
            let scale = left_number.abs().max(right_number.abs());
            assert!(
                (left_number - right_number).abs() <= TOLERANCE * scale,
                "{}: {left_number:e} and {right_number:e}",
                left.0
            );
        }
    }
}

fn score() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        1 => Just(None),
        1 => Just(Some(f64::NAN)),
        6 => (0_u8..=10).prop_map(|tenths| Some(f64::from(tenths) / 10.0)),
        6 => (0.0..1.0_f64).prop_map(Some),
    ]
}

fn bit() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![1 => Just(None), 4 => Just(Some(0.0)), 4 => Just(Some(1.0))]
}

/// Scores whose mean is a million times their spread.
fn far_score() -> impl Strategy<Value = Option<f64>> {
    (0.0..1.0_f64).prop_map(|score| Some(1e6 + score))
}

type Row = (Option<f64>, Option<f64>, Option<u8>);

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let cluster = || prop::option::weighted(0.9, 0_u8..6);
    prop_oneof![
        prop::collection::vec((score(), score(), cluster()), 0..80),
        prop::collection::vec((bit(), bit(), cluster()), 0..80),
        prop::collection::vec((far_score(), far_score(), cluster()), 0..80),
    ]
}

/// Rows with the partition of each, and the order to merge the partitions in.
fn dealt_rows() -> impl Strategy<Value = (Vec<Row>, Vec<usize>, Vec<usize>)> {
    (rows(), 1..9_usize).prop_flat_map(|(rows, part_count)| {
        let parts = prop::collection::vec(0..part_count, rows.len());
        let order = Just((0..part_count).collect::<Vec<_>>()).prop_shuffle();
        (Just(rows), parts, order)
    })
}

fn batch(rows: &[Row], columns: &[&str]) -> RecordBatch {
    let column = |name: &str| -> ArrayRef {
        match name {
            "base" => Arc::new(rows.iter().map(|row| row.0).collect::<Float64Array>()),
            "candidate" => Arc::new(rows.iter().map(|row| row.1).collect::<Float64Array>()),
            "json" => {
                let text = |row: &Row| match row.2 {
                    None => "null".to_string(),
                    Some(cluster) => {
                        format!(r#"{{"base": {:?}, "k{cluster}": [{cluster}, "x"]}}"#, row.0.unwrap_or(0.0))
                    }
                };
                Arc::new(rows.iter().map(|row| Some(text(row))).collect::<StringArray>())
            }
            "weight" => Arc::new(rows.iter().map(|row| row.1.map(f64::abs)).collect::<Float64Array>()),
            _ => Arc::new(rows.iter().map(|row| row.2.map(|cluster| format!("c{cluster}"))).collect::<StringArray>()),
        }
    };
    let arrays: Vec<_> = columns.iter().map(|name| column(name)).collect();
    let fields: Vec<_> =
        columns.iter().zip(&arrays).map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap()
}

proptest! {
    #[test]
    fn states_merge_to_the_answer_of_all_rows((rows, parts, order) in dealt_rows()) {
        let passes = [ScalarValue::from(2.0), ScalarValue::from(0.5)];
        let name = [ScalarValue::from("m")];
        for (name, columns, constants) in [
            ("paired_diff", &["base", "candidate"][..], &[][..]),
            ("paired_diff", &["base", "candidate", "cluster"], &[]),
            ("mean_ci", &["base"], &[]),
            ("mean_ci", &["base", "cluster"], &[]),
            ("weighted_avg", &["base", "weight"], &[]),
            ("score_diff", &["base", "candidate"], &[]),
            ("mode", &["base"], &[]),
            ("majority", &["base"], &[]),
            ("at_least", &["base"], &passes),
            ("pass_at_k", &["base"], &passes),
            ("pass_hat_k", &["base"], &passes),
            ("cohen_kappa", &["base", "candidate"], &[]),
            ("weighted_kappa", &["base", "candidate"], &[]),
            ("agreement", &["base", "candidate"], &[]),
            ("change_points", &["base", "weight", "candidate"], &[]),
            ("infer_fields", &["json"], &name),
        ] {
            let (function, batch) = (aggregate(name), batch(&rows, columns));
            let expected = at_once(&function, &batch, constants);
            assert_same(&expected, &in_parts(&function, &batch, constants, &parts, &order));
        }
    }
}

/// Rows of 40 groups, from a few pairs to some hundred, in eight partitions.
fn grouped_batches() -> Vec<RecordBatch> {
    let mut random = SplitMix64::new(11);
    (0..8)
        .map(|_| {
            let rows: Vec<Row> = (0..1_000)
                .map(|_| {
                    let base = (uniform(&mut random) * 10.0).round() / 10.0;
                    let candidate = (uniform(&mut random) < 0.9).then(|| base + uniform(&mut random) / 5.0);
                    (Some(base), candidate, Some((uniform(&mut random) * 30.0) as u8))
                })
                .collect();
            let groups: StringArray =
                (0..rows.len()).map(|_| Some(format!("g{:02}", (uniform(&mut random).powi(3) * 40.0) as u8))).collect();
            let batch = batch(&rows, &["base", "candidate", "weight", "cluster"]);
            let mut fields: Vec<_> = batch.schema().fields().to_vec();
            fields.push(Arc::new(Field::new("grp", DataType::Utf8, true)));
            let mut columns = batch.columns().to_vec();
            columns.push(Arc::new(groups));
            RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
        })
        .collect()
}

#[tokio::test]
async fn plans_of_one_and_of_eight_partitions_agree() {
    let calls = [
        "paired_diff(base, candidate)",
        "paired_diff(base, candidate) FILTER (WHERE base > 0.5)",
        "paired_diff(base, candidate, cluster)",
        "score_diff(base, candidate, 0.05, 'lower')",
        "score_diff(base, candidate, 0.0, 'higher', cluster)",
        "mean_ci(candidate)",
        "mean_ci(candidate, cluster)",
        "weighted_avg(base, weight)",
        "mode(base)",
        "majority(base)",
        "at_least(base, 3, 0.5)",
        "pass_at_k(base, 2, 0.5)",
        "pass_hat_k(base, 2, 0.5)",
        "cohen_kappa(round(base, 0), round(candidate, 0))",
        "weighted_kappa(round(base, 1), round(candidate, 1), 'quadratic')",
        "agreement(round(base, 0), round(candidate, 0))",
        "change_points(base, weight / 10, candidate) FILTER (WHERE base > 0.8)",
        "infer_fields('{\"b\": ' || cast(base as varchar) || ', \"c\": [\"' || coalesce(cluster, '') || '\"]}', 'm')",
    ];
    let mut answers = Vec::new();
    for target_partitions in [1, 8] {
        let session = session(target_partitions);
        let mut batches = grouped_batches();
        if target_partitions == 1 {
            let schema = batches[0].schema();
            batches = vec![arrow::compute::concat_batches(&schema, &batches).unwrap()];
        }
        register(&session, batches);
        for call in calls {
            for sql in [
                format!("SELECT {call} AS answer FROM t"),
                format!("SELECT {call} AS answer, grp FROM t GROUP BY grp ORDER BY grp"),
            ] {
                let batches = query(&session, &sql).await.unwrap();
                let schema = batches[0].schema();
                answers.push((sql, arrow::compute::concat_batches(&schema, &batches).unwrap()));
            }
        }
    }
    let (one, eight) = answers.split_at(answers.len() / 2);
    for ((sql, left), (_, right)) in one.iter().zip(eight) {
        assert_eq!(left.num_rows(), right.num_rows(), "{sql}");
        assert!(left.num_rows() == 1 || left.num_rows() > 30, "{sql}");
        for row in 0..left.num_rows() {
            let value = |batch: &RecordBatch| ScalarValue::try_from_array(batch.column(0), row).unwrap();
            assert_same(&value(left), &value(right));
        }
    }
}
