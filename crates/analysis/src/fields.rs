//! The fields that the cases of an experiment have (semantics, section 9).

use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{ident, lit};
use evalhouse_model::{FieldList, InferredField, schema};
use evalhouse_session::Session;
use serde_json::Value;

use crate::answer::Answer;
use crate::scope::{cases_of, side};
use crate::{AnalysisError, Selected};

/// Rows that are looked at before rows are left out.
const ROWS_MAX: i64 = 100_000;
/// Fields that are kept, most present first.
const FIELDS_MAX: usize = 500;

/// Walks the JSON of the cases and lists its paths, most present first. Of more than 100,000 rows,
/// one in every so many is looked at.
///
/// # Errors
/// When the filter does not parse or the store cannot be read.
pub async fn fields(
    session: &Session,
    experiment: &Selected,
    filter: Option<&str>,
) -> Result<FieldList, AnalysisError> {
    let mut cases = cases_of(session, experiment, filter).await?;
    let one_in = ((experiment.experiment.rows + ROWS_MAX - 1) / ROWS_MAX).max(1);
    if one_in > 1 {
        cases = cases.filter((ident(schema::POSITION) % lit(one_in)).eq(lit(0_i64)))?;
    }
    let infer = session.aggregate("infer_fields")?;
    let mut aggregates = vec![count(lit(1_i64)).alias("rows")];
    for field in schema::SHREDDED_COLUMNS {
        aggregates.push(infer.call(vec![ident(field), lit(field)]).alias(format!("fields_of_{field}")));
    }
    let answer = Answer::of(cases.aggregate(vec![], aggregates)?).await?;
    let rows = answer.int(0, "rows");
    let mut list = FieldList {
        experiment: side(experiment),
        filter: filter.map(str::to_string),
        rows,
        one_in,
        ..FieldList::default()
    };
    for field in schema::SHREDDED_COLUMNS {
        if let Value::Array(found) = answer.value_of(0, &format!("fields_of_{field}")) {
            list.fields.extend(found.iter().map(|found| inferred(found, rows)));
        }
    }
    list.fields.sort_by(|a, b| b.presence.total_cmp(&a.presence).then_with(|| a.path.cmp(&b.path)));
    if list.fields.len() >= FIELDS_MAX {
        list.fields.truncate(FIELDS_MAX);
        list.warnings.push(format!("more than {FIELDS_MAX} fields: the rest are left out"));
    }
    if one_in > 1 {
        list.warnings.push(format!("one in {one_in} rows was looked at"));
    }
    Ok(list)
}

fn inferred(found: &Value, rows: i64) -> InferredField {
    let text = |name: &str| found[name].as_str().map(str::to_string);
    let types = found["types"].as_array().into_iter().flatten();
    InferredField {
        path: text("path").unwrap_or_default(),
        types: types.filter_map(|kind| kind.as_str().map(str::to_string)).collect(),
        presence: found["rows"].as_i64().unwrap_or_default() as f64 / rows.max(1) as f64,
        distinct: found["distinct"].as_i64().unwrap_or_default(),
        distinct_is_exact: found["is_exact"].as_bool().unwrap_or(true),
        example: text("example"),
    }
}
