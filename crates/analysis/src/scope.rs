//! The cases that an analysis looks at: one experiment, perhaps filtered.

use datafusion::common::{DFSchema, ScalarValue};
use datafusion::dataframe::DataFrame;
use datafusion::logical_expr::{Expr, ident, lit};
use evalhouse_model::{ExperimentSide, schema};
use evalhouse_session::{CASES, Session};

use crate::{AnalysisError, Selected};

/// The rows of `cases` that belong to an experiment and satisfy the filter.
pub(crate) async fn cases_of(
    session: &Session,
    experiment: &Selected,
    filter: Option<&str>,
) -> Result<DataFrame, AnalysisError> {
    let id = ScalarValue::Utf8View(Some(experiment.experiment.id.clone()));
    let cases = session.table(CASES).await?.filter(ident(schema::EXPERIMENT_ID).eq(lit(id)))?;
    match filter {
        Some(text) => {
            let condition = parse(session, "--where", text, cases.schema())?;
            Ok(cases.filter(condition)?)
        }
        None => Ok(cases),
    }
}

/// Parses a user's expression; errors name the option it came from.
pub(crate) fn parse(
    session: &Session,
    place: &'static str,
    text: &str,
    schema: &DFSchema,
) -> Result<Expr, AnalysisError> {
    let wrong = |message: String| AnalysisError::Expression { place, text: text.into(), message };
    let expression = session.expression(text, schema).map_err(|error| wrong(error.to_string()))?;
    for column in expression.column_refs() {
        if let Err(error) = schema.index_of_column(column) {
            return Err(wrong(evalhouse_session::SessionError::of(error).to_string()));
        }
    }
    Ok(expression)
}

/// How an experiment is named in an answer.
pub(crate) fn side(selected: &Selected) -> ExperimentSide {
    ExperimentSide {
        project: selected.experiment.project.clone(),
        experiment: selected.experiment.name.clone(),
        id: selected.experiment.id.clone(),
        rows: selected.experiment.rows,
        cases: selected.experiment.cases,
        rule: selected.rule.clone(),
    }
}

/// A column of a score or metric by its name.
pub(crate) fn number(field: &str, name: &str) -> Expr {
    ident(format!("{field}.{name}"))
}
