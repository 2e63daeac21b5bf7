//! `scores`: one row a case and score, long where `cases` is wide.
//!
//! A case has a row for every score that its experiment has; the value is null where the case was
//! not scored. The table is a view: the score columns of `cases`, unnested.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::{Column, JoinType, Result};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::functions::core::expr_fn::{get_field, named_struct};
use datafusion::functions_nested::expr_fn::make_array;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, col, ident, lit};
use evalhouse_model::schema;
use evalhouse_store::{Snapshot, decode_path};

use super::SpansTable;

/// The plan of the view.
pub(crate) fn scores(snapshot: &Snapshot, cases: Arc<SpansTable>) -> Result<LogicalPlan> {
    let names: Vec<(String, String)> = super::path_columns(snapshot)
        .into_iter()
        .filter(|(path, _)| path.starts_with("scores."))
        .map(|(path, field)| (decode_path(&path).1.concat(), field.column))
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let scan = LogicalPlanBuilder::scan("cases", provider_as_source(cases), None)?;
    let identity = [
        schema::PROJECT,
        schema::EXPERIMENT,
        schema::EXPERIMENT_ID,
        schema::ID,
        schema::ROOT_SPAN_ID,
        schema::CREATED,
        schema::COMPARISON_KEY_HASH,
        schema::TRIAL_INDEX,
    ];
    let pairs: Vec<Expr> = names
        .iter()
        .map(|(name, column)| {
            named_struct(vec![lit("name"), lit(name.as_str()), lit("score"), Expr::Column(Column::from_name(column))])
        })
        .collect();
    if pairs.is_empty() {
        // No experiment has a score yet: the same columns, no rows.
        let none = [lit("").alias("name"), cast(lit(0.0), DataType::Float64).alias("score")];
        return scan.filter(lit(false))?.project(identity.iter().map(|name| ident(*name)).chain(none))?.build();
    }
    let present = MemTable::try_new(present_schema(), vec![vec![present_batch(snapshot)?]])?;
    let present = LogicalPlanBuilder::scan("present", provider_as_source(Arc::new(present)), None)?.build()?;
    let pair = |field: &str| get_field(col("pair"), field);
    scan.project(identity.iter().map(|name| ident(*name)).chain([make_array(pairs).alias("pair")]))?
        .unnest_column("pair")?
        .project(
            identity.iter().map(|name| ident(*name)).chain([pair("name").alias("name"), pair("score").alias("score")]),
        )?
        .join(
            present,
            JoinType::LeftSemi,
            (
                vec![Column::from_name(schema::EXPERIMENT_ID), Column::from_name("name")],
                vec!["of_experiment", "score_name"],
            ),
            None,
        )?
        .build()
}

fn present_schema() -> Arc<Schema> {
    Arc::new(Schema::new(vec![
        Field::new("of_experiment", DataType::Utf8, true),
        Field::new("score_name", DataType::Utf8, true),
    ]))
}

/// Which experiment has which score, from the statistics of its files: a file has counted the nulls
/// of every score column that it has.
fn present_batch(snapshot: &Snapshot) -> Result<RecordBatch> {
    let mut present: BTreeSet<(String, String)> = BTreeSet::new();
    for file in snapshot.files().iter().filter(|file| file.is_root) {
        let Some(experiment) = file.experiment_id() else { continue };
        for (path, column) in snapshot.columns().iter().filter(|(path, _)| path.starts_with("scores.")) {
            if file.null_count(&column.name).is_some() {
                present.insert((experiment.to_string(), decode_path(path).1.concat()));
            }
        }
    }
    let texts = |pick: fn(&(String, String)) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(present.iter().map(pick)))
    };
    Ok(RecordBatch::try_new(present_schema(), vec![texts(|pair| &pair.0), texts(|pair| &pair.1)])?)
}
