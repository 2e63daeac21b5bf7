//! What a scorer says of cases: the value of an expression for each, as a stream.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::dataframe::DataFrame;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{ExprSchemable, cast, ident, lit, not, when};
use evalhouse_model::schema;
use evalhouse_session::Session;

use crate::answer::Answer;
use crate::scope::{cases_of, parse};
use crate::{AnalysisError, Selected};

/// The column with the score of a case, beside `id`, `span_id` and `root_span_id`.
pub const SCORE_VALUE: &str = "value";

/// What to score.
#[derive(Debug, Clone, Default)]
pub struct ScoringOptions {
    /// The scorer: an expression that gives a number, or true and false for 1 and 0.
    pub expression: String,
    /// Only cases that satisfy this condition.
    pub filter: Option<String>,
    /// Only the cases of these ids.
    pub ids: Option<Vec<String>>,
}

/// How many cases a scorer will be asked about.
///
/// # Errors
/// As [`score_values`].
pub async fn count_cases_to_score(
    session: &Session,
    experiment: &Selected,
    options: &ScoringOptions,
) -> Result<i64, AnalysisError> {
    let rows = scored(session, experiment, options).await?;
    Ok(Answer::of(rows.aggregate(vec![], vec![count(lit(1)).alias("total")])?).await?.int(0, "total"))
}

/// Streams the cases with what the scorer says of each; null where it has no answer.
///
/// # Errors
/// When an expression does not parse or gives no number, or the store cannot be read.
pub async fn score_values(
    session: &Session,
    experiment: &Selected,
    options: &ScoringOptions,
) -> Result<SendableRecordBatchStream, AnalysisError> {
    Ok(scored(session, experiment, options).await?.execute_stream().await?)
}

async fn scored(
    session: &Session,
    experiment: &Selected,
    options: &ScoringOptions,
) -> Result<DataFrame, AnalysisError> {
    let mut cases = cases_of(session, experiment, options.filter.as_deref()).await?;
    if let Some(ids) = &options.ids {
        let ids = ids.iter().map(|id| lit(ScalarValue::Utf8View(Some(id.clone())))).collect();
        cases = cases.filter(ident(schema::ID).in_list(ids, false))?;
    }
    let place = "the scorer";
    let expression = parse(session, place, &options.expression, cases.schema())?;
    let value = match expression.get_type(cases.schema())? {
        DataType::Boolean => when(expression.clone(), lit(1.0)).when(not(expression), lit(0.0)).end()?,
        given if given.is_numeric() || given.is_null() => cast(expression, DataType::Float64),
        given => {
            let message = format!("a scorer gives a number, or true and false, not {given}; to_number(…) makes one");
            return Err(AnalysisError::Expression { place, text: options.expression.clone(), message });
        }
    };
    let columns = [schema::ID, schema::SPAN_ID, schema::ROOT_SPAN_ID].map(ident);
    Ok(cases.select(columns.into_iter().chain([value.alias(SCORE_VALUE)]).collect::<Vec<_>>())?)
}
