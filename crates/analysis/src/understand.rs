//! What a user means by a filter: an expression, or a phrase that becomes one.

use evalhouse_language::{Names, parse_expression, translate};
use evalhouse_session::{CASES, Scope, Session, SessionError};

use crate::filter::Filter;
use crate::measures::measures;
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
    // A part about pairs is checked where there is a baseline.
    if Filter::read(text)?.is_paired() {
        return Ok(());
    }
    let cases = session.table(CASES).await?;
    let language = |error| wrong("--where", text, &SessionError::Language { text: text.into(), error });
    let tree = parse_expression(text).map_err(language)?;
    let counts_trials = Filter::read(text)?.counts_trials();
    match session.lower_condition(&tree, &Scope::of(cases.schema())) {
        Ok(_) => Ok(()),
        // The size of a group is known only where cases are listed.
        Err(_) if counts_trials => Ok(()),
        Err(error) => Err(language(error)),
    }
}

/// What phrases may name.
pub fn names(session: &Session, experiments: &[&Selected]) -> Names {
    let (scores, metrics) = measures(session, experiments).into_iter().partition::<Vec<_>, _>(|one| one.is_score());
    let table = session.catalog().tables().iter().find(|table| table.name == CASES);
    let columns = table.into_iter().flat_map(|table| &table.columns).map(|column| column.name.clone());
    let is_field = |name: &String| !name.starts_with("scores.") && !name.starts_with("metrics.");
    Names {
        scores: scores.into_iter().map(|one| one.name).collect(),
        metrics: metrics.into_iter().map(|one| one.name).collect(),
        fields: columns.filter(is_field).collect(),
    }
}
