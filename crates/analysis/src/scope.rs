//! The cases that an analysis looks at: one experiment, perhaps filtered.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::dataframe::DataFrame;
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::{Expr, ExprFunctionExt, WindowFunctionDefinition, cast, ident, lit};
use evalhouse_model::{ExperimentSide, schema};
use evalhouse_session::{CASES, GROUP_SIZE, Session, SessionError, Spelled};

use crate::filter::Filter;
use crate::key::Key;
use crate::{AnalysisError, Selected};

/// The rows of `cases` that belong to an experiment and satisfy the filter.
pub(crate) async fn cases_of(
    session: &Session,
    experiment: &Selected,
    filter: Option<&str>,
) -> Result<DataFrame, AnalysisError> {
    cases_of_all(session, &[experiment], filter).await
}

/// The rows of `cases` that belong to any of the experiments and satisfy the filter.
pub(crate) async fn cases_of_all(
    session: &Session,
    experiments: &[&Selected],
    filter: Option<&str>,
) -> Result<DataFrame, AnalysisError> {
    kept(session, session.table(CASES).await?, experiments, filter)
}

/// Those of the cases that belong to any of the experiments and satisfy the filter.
pub(crate) fn kept(
    session: &Session,
    mut cases: DataFrame,
    experiments: &[&Selected],
    filter: Option<&str>,
) -> Result<DataFrame, AnalysisError> {
    if let Some(condition) = is_one_of(session, experiments) {
        cases = cases.filter(condition)?;
    }
    match filter {
        Some(text) => {
            let columns: Vec<Expr> = cases.schema().fields().iter().map(|field| ident(field.name())).collect();
            let asks_size = Filter::read(text)?.counts_trials();
            if asks_size {
                cases = with_group_size(session, cases, &Key::of(session, None, experiments))?;
            }
            let condition = parse_condition(session, "--where", text, cases.schema())?;
            let kept = cases.filter(condition)?;
            Ok(if asks_size { kept.select(columns)? } else { kept })
        }
        None => Ok(cases),
    }
}

/// The cases with how many trials each has: what `group_size()` reads.
pub(crate) fn with_group_size(session: &Session, cases: DataFrame, key: &Key) -> Result<DataFrame, AnalysisError> {
    if has_group_size(&cases) {
        return Ok(cases);
    }
    let size = WindowFunctionDefinition::AggregateUDF(count_udaf());
    let size = Expr::from(WindowFunction::new(size, vec![lit(1_i64)]))
        .partition_by(vec![ident(schema::EXPERIMENT_ID), key.hash(session, cases.schema())?])
        .build()?;
    Ok(cases.window(vec![size.alias(GROUP_SIZE)])?)
}

/// The cases with their trials numbered under the key in use, from 0: the default key's numbers are stored,
/// any other's are counted.
pub(crate) fn with_trials(session: &Session, cases: DataFrame, key: &Key) -> Result<DataFrame, AnalysisError> {
    if key.is_default() {
        return Ok(cases);
    }
    let number = row_number()
        .partition_by(vec![ident(schema::EXPERIMENT_ID), key.hash(session, cases.schema())?])
        .order_by(key.trial_order())
        .build()?;
    Ok(cases.with_column(schema::TRIAL_INDEX, cast(number, DataType::Int64) - lit(1_i64))?)
}

pub(crate) fn has_group_size(cases: &DataFrame) -> bool {
    cases.schema().has_column_with_unqualified_name(GROUP_SIZE)
}

/// The condition that a case is of one of the experiments; none when they are all there are.
fn is_one_of(session: &Session, experiments: &[&Selected]) -> Option<Expr> {
    let mut ids: Vec<&str> = experiments.iter().map(|selected| selected.experiment.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    let id = |id: &str| lit(ScalarValue::Utf8View(Some(id.to_string())));
    match ids.as_slice() {
        [one] => Some(ident(schema::EXPERIMENT_ID).eq(id(one))),
        all if all.len() == session.experiments().len() => None,
        all => Some(ident(schema::EXPERIMENT_ID).in_list(all.iter().map(|one| id(one)).collect(), false)),
    }
}

/// Reads a user's expression; errors name the option it came from.
pub(crate) fn parse(
    session: &Session,
    place: &'static str,
    text: &str,
    schema: &DFSchema,
) -> Result<Expr, AnalysisError> {
    session.expression(text, schema).map_err(|error| wrong(place, text, &error))
}

/// Reads a user's expression that cases are grouped or sliced by.
pub(crate) fn spelled(
    session: &Session,
    place: &'static str,
    text: &str,
    schema: &DFSchema,
) -> Result<Spelled, AnalysisError> {
    session.spelled(text, schema).map_err(|error| wrong(place, text, &error))
}

/// Reads a user's condition.
pub(crate) fn parse_condition(
    session: &Session,
    place: &'static str,
    text: &str,
    schema: &DFSchema,
) -> Result<Expr, AnalysisError> {
    session.condition(text, schema).map_err(|error| wrong(place, text, &error))
}

/// An error in an expression that a user gave.
pub(crate) fn wrong(place: &'static str, text: &str, error: &SessionError) -> AnalysisError {
    AnalysisError::Expression { place, text: text.into(), message: error.to_string() }
}

/// How an experiment is named in an answer.
pub fn side(selected: &Selected) -> ExperimentSide {
    ExperimentSide {
        project: selected.experiment.project.clone(),
        experiment: selected.experiment.name.clone(),
        id: selected.experiment.id.clone(),
        rows: selected.experiment.rows,
        cases: selected.experiment.cases,
        rule: selected.rule.clone(),
    }
}
