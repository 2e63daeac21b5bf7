//! A filter on its way from what was asked to an expression.

use evalhouse_analysis::{Selected, Understood, understand};
use evalhouse_session::Session;

use crate::error::ApiError;

/// Turns a filter into the expression that it means; the answer says which. Returns the order that a
/// phrase asks for, if any. No language model is asked: the server calls nobody.
pub(super) async fn resolve(
    session: &Session,
    filter: &mut Option<String>,
    experiments: &[&Selected],
) -> Result<Option<String>, ApiError> {
    let Some(text) = filter.as_deref() else { return Ok(None) };
    match understand(session, text, experiments).await? {
        Understood::Expression => Ok(None),
        Understood::Phrase { expression, sort } => {
            *filter = Some(expression);
            Ok(sort)
        }
    }
}
