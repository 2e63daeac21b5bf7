//! Rows out, as a stream.

use std::collections::BTreeMap;

use datafusion::common::ScalarValue;
use datafusion::common::metadata::FieldMetadata;
use datafusion::dataframe::DataFrame;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::functions_aggregate::expr_fn::min;
use datafusion::logical_expr::{Expr, ident, lit, when};
use evalhouse_model::{Experiment, schema};
use evalhouse_session::{SPANS, Session};

use crate::answer::Answer;
use crate::measures::number;
use crate::scope::cases_of;
use crate::{AnalysisError, Selected};

/// What a row of an export is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ExportShape {
    /// A span, in the row shape that `import` reads.
    #[default]
    Spans,
    /// A case, flat: one column a score and metric. For spreadsheets.
    Cases,
}

/// How to export.
#[derive(Debug, Clone, Copy, Default)]
pub struct ExportOptions {
    /// What a row is.
    pub shape: ExportShape,
    /// Every stored field, not only those that people read.
    pub all_fields: bool,
}

/// Streams the rows of an experiment in source order.
///
/// Rows of spans import again as the same experiment: `import` gives back identical tables.
///
/// # Errors
/// When the store cannot be read.
pub async fn export(
    session: &Session,
    experiment: &Selected,
    options: &ExportOptions,
) -> Result<SendableRecordBatchStream, AnalysisError> {
    let rows = match options.shape {
        ExportShape::Spans => spans(session, experiment).await?,
        ExportShape::Cases => flat_cases(session, experiment, options.all_fields).await?,
    };
    Ok(rows.execute_stream().await?)
}

async fn spans(session: &Session, experiment: &Selected) -> Result<DataFrame, AnalysisError> {
    let id = ScalarValue::Utf8View(Some(experiment.experiment.id.clone()));
    let columns = [
        schema::PROJECT,
        schema::EXPERIMENT,
        schema::EXPERIMENT_ID,
        schema::ID,
        schema::SPAN_ID,
        schema::ROOT_SPAN_ID,
        schema::IS_ROOT,
        schema::SPAN_PARENTS,
        schema::CREATED,
        schema::SPAN_ATTRIBUTES,
        schema::INPUT,
        schema::OUTPUT,
        schema::EXPECTED,
        schema::ERROR,
        schema::SCORES,
        schema::METADATA,
        schema::METRICS,
        schema::TAGS,
        schema::CONTEXT,
        schema::ORIGIN,
        schema::EXTRA,
    ];
    let spans = session.table(SPANS).await?.filter(ident(schema::EXPERIMENT_ID).eq(lit(id)))?;
    let first = Answer::of(spans.clone().aggregate(vec![], vec![min(ident(schema::POSITION)).alias("first")])?).await?;
    // What is known of the run as a whole travels on its first row.
    let is_first = ident(schema::POSITION).eq(lit(first.int(0, "first")));
    let record = when(is_first, lit(record_of(&experiment.experiment).to_string())).end()?;
    let rows = spans
        .sort(vec![ident(schema::POSITION).sort(true, false)])?
        .select(columns.into_iter().map(ident).chain([as_json(record, "experiment_record")]))?;
    Ok(rows)
}

/// The parts of an experiment's record that its rows do not tell.
fn record_of(experiment: &Experiment) -> serde_json::Value {
    let mut record = serde_json::to_value(experiment).unwrap_or_default();
    let kept = [
        "metadata",
        "tags",
        "branch",
        "commit",
        "base_experiment_id",
        "dataset",
        "dataset_version",
        "declared_total",
        "status",
        "format",
    ];
    if let Some(fields) = record.as_object_mut() {
        fields.retain(|name, _| kept.contains(&name.as_str()));
    }
    record
}

/// Marks a text expression as JSON, so that JSON output embeds it as the value that it is.
fn as_json(text: Expr, name: &str) -> Expr {
    let metadata = BTreeMap::from([("ARROW:extension:name".to_string(), "arrow.json".to_string())]);
    text.alias_with_metadata(name, Some(FieldMetadata::from(metadata)))
}

async fn flat_cases(session: &Session, experiment: &Selected, all_fields: bool) -> Result<DataFrame, AnalysisError> {
    let mut columns: Vec<Expr> = Vec::new();
    if all_fields {
        columns.extend([schema::PROJECT, schema::EXPERIMENT, schema::EXPERIMENT_ID].map(ident));
    }
    columns.extend(
        [schema::ID, schema::CREATED, schema::INPUT, schema::OUTPUT, schema::EXPECTED, schema::ERROR].map(ident),
    );
    columns.extend(session.score_names(&experiment.experiment).iter().map(|name| number(schema::SCORES, name)));
    columns.extend(session.metric_names(&experiment.experiment).iter().map(|name| number(schema::METRICS, name)));
    columns.extend([schema::METADATA, schema::TAGS].map(ident));
    if all_fields {
        columns.extend(
            [
                schema::SPAN_ID,
                schema::ROOT_SPAN_ID,
                schema::TRIAL_INDEX,
                schema::SPAN_COUNT,
                schema::START,
                schema::END,
                schema::SPAN_ATTRIBUTES,
                schema::CONTEXT,
                schema::ORIGIN,
                schema::EXTRA,
            ]
            .map(ident),
        );
    }
    let rows = cases_of(session, experiment, None)
        .await?
        .sort(vec![ident(schema::POSITION).sort(true, false)])?
        .select(columns)?;
    Ok(rows)
}
