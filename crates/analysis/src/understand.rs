//! What a user means by a filter: an expression, or a phrase that becomes one.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{DFSchema, TableReference};
use evalhouse_language::{Names, parse_expression, translate};
use evalhouse_session::{BASE, CANDIDATE, CASES, GROUP_SIZE, Reading, Scope, Session, SessionError};

use crate::filter::Filter;
use crate::measures::{TOLERANCE, measures};
use crate::scope::wrong;
use crate::{AnalysisError, Selected};

/// A filter as understood.
#[derive(Debug, Clone, PartialEq)]
pub enum Understood {
    /// The text is an expression.
    Expression,
    /// The text is a phrase that became this expression, and perhaps an order.
    Phrase {
        /// The condition.
        expression: String,
        /// An order such as `metrics.duration desc`.
        sort: Option<String>,
    },
}

/// Reads a filter over the cases of some experiments: as an expression, and where that has no meaning,
/// as a phrase.
///
/// # Errors
/// [`AnalysisError::Expression`] of the text read as an expression, when it is neither.
pub async fn understand(session: &Session, text: &str, experiments: &[&Selected]) -> Result<Understood, AnalysisError> {
    let Err(error) = check_condition(session, text).await else { return Ok(Understood::Expression) };
    match translate(text, &names(session, experiments)) {
        Some(phrase) => {
            let order = |descending| if descending { "desc" } else { "asc" };
            Ok(Understood::Phrase {
                expression: phrase.expr.to_string(),
                sort: phrase.sort.map(|sort| format!("{} {}", sort.expr, order(sort.descending))),
            })
        }
        None => Err(error),
    }
}

/// Whether a text is a condition over cases: it parses, and every name and type in it fits.
///
/// # Errors
/// [`AnalysisError::Expression`] with what is wrong with it.
pub async fn check_condition(session: &Session, text: &str) -> Result<(), AnalysisError> {
    let filter = Filter::read(text)?;
    let language = |error| wrong("--where", text, &SessionError::Language { text: text.into(), error });
    let tree = parse_expression(text).map_err(language)?;
    let cases = session.table(CASES).await?;
    let size: FieldRef = Arc::new(Field::new(GROUP_SIZE, DataType::Int64, true));
    let side = |name: Option<&'static str>| {
        let own = cases.schema().iter().map(|(own, field)| (own.cloned(), field.clone()));
        own.chain([(None, size.clone())]).map(move |(own, field)| (name.map(TableReference::from).or(own), field))
    };
    // The rows that it will be asked of: cases, or pairs of them; with the number of trials.
    let mut columns: Vec<(Option<TableReference>, FieldRef)> = match filter.is_paired() {
        true => side(Some(CANDIDATE)).chain(side(Some(BASE))).collect(),
        false => side(None).collect(),
    };
    columns.push((None, Arc::new(Field::new("presence", DataType::Utf8, false))));
    let schema = DFSchema::new_with_metadata(columns, HashMap::new())?;
    let reading = |_: &str, _: &str| (TOLERANCE, false);
    let baseline = filter.is_paired().then_some(&reading as Reading<'_>);
    session.lower_condition(&tree, &Scope { baseline, ..Scope::of(&schema) }).map_err(language)?;
    Ok(())
}

/// What phrases may name.
pub fn names(session: &Session, experiments: &[&Selected]) -> Names {
    let (scores, metrics) = measures(session, experiments).into_iter().partition::<Vec<_>, _>(|one| one.is_score());
    let table = session.catalog().tables().iter().find(|table| table.name == CASES);
    let columns = table.into_iter().flat_map(|table| &table.columns).map(|column| column.name.clone());
    let is_field = |name: &String| !name.starts_with("scores.") && !name.starts_with("metrics.");
    Names {
        lower_is_better: scores.iter().filter(|one| one.lower_is_better).map(|one| one.name.clone()).collect(),
        scores: scores.into_iter().map(|one| one.name).collect(),
        metrics: metrics.into_iter().map(|one| one.name).collect(),
        fields: columns.filter(is_field).collect(),
    }
}
