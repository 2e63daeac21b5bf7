//! `scores`: one row a case and score, long where `cases` is wide.
//!
//! A case has a row for every score that its experiment has; the value is null where the case was
//! not scored. The table is a view: the score columns of `cases`, unnested.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, StringBuilder};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::{Column, JoinType, Result};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::functions::core::expr_fn::{get_field, named_struct};
use datafusion::functions_nested::expr_fn::make_array;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, col, ident, lit};
use evalhouse_model::schema;
use evalhouse_store::decode_path;

use crate::Session;
use crate::paths::PATH_KEY;

/// The plan of the view over the cases.
pub(crate) fn scores(session: &Session, scan: LogicalPlan) -> Result<LogicalPlan> {
    let names: Vec<(String, String)> = scan
        .schema()
        .fields()
        .iter()
        .filter_map(|field| {
            let written = field.name().strip_prefix("scores.")?;
            let name = match field.metadata().get(PATH_KEY) {
                Some(path) => decode_path(path).1.concat(),
                None => written.to_string(),
            };
            Some((name, field.name().clone()))
        })
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let scan = LogicalPlanBuilder::from(scan);
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
    let present = MemTable::try_new(present_schema(), vec![vec![present_batch(session)?]])?;
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

/// Which experiment has which score.
fn present_batch(session: &Session) -> Result<RecordBatch> {
    let (mut ids, mut scores) = (StringBuilder::new(), StringBuilder::new());
    for experiment in session.experiments() {
        for name in session.score_names(experiment) {
            ids.append_value(&experiment.id);
            scores.append_value(name);
        }
    }
    let arrays: Vec<ArrayRef> = vec![Arc::new(ids.finish()), Arc::new(scores.finish())];
    Ok(RecordBatch::try_new(present_schema(), arrays)?)
}
