//! The comparison key: which cases are the same case (semantics, section 4).

use datafusion::common::DFSchema;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Expr, ident};
use evalhouse_model::schema;
use evalhouse_session::Session;

use crate::AnalysisError;
use crate::scope::parse;

/// The key when none is given.
pub(crate) const DEFAULT_KEY: &str = "input";

/// The expression whose value is the key's hash. The default key's hash is stored; any other is
/// computed: one expression, or several in brackets.
pub(crate) fn key_hash(session: &Session, key: Option<&str>, cases: &DFSchema) -> Result<Expr, AnalysisError> {
    let Some(text) = key.map(str::trim).filter(|text| *text != DEFAULT_KEY) else {
        return Ok(ident(schema::COMPARISON_KEY_HASH));
    };
    let parsed = parse(session, "--key", text, cases)?;
    let parts = match parsed {
        Expr::ScalarFunction(list) if list.func.name() == "make_array" => list.args,
        one => vec![one],
    };
    let function = session.function("comparison_hash")?;
    Ok(Expr::ScalarFunction(ScalarFunction::new_udf(function, parts)))
}
