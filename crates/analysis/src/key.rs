//! The comparison key: which cases are the same case (semantics, section 4).

use datafusion::common::DFSchema;
use datafusion::logical_expr::expr::Sort;
use datafusion::logical_expr::{Expr, ident};
use evalhouse_model::schema;
use evalhouse_session::Session;

use crate::scope::wrong;
use crate::{AnalysisError, Selected};

/// The key when none is given or set.
pub(crate) const DEFAULT_KEY: &str = "input";
/// The column of the hash of the key that was saved when the experiment was optimized.
const SAVED_KEY_HASH: &str = "saved_key_hash";

/// The key in use, and where its hash is to be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    /// As the user or the project's settings say it.
    pub(crate) text: String,
    stored: Stored,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stored {
    /// The default key's hash is with every case.
    Default,
    /// `optimize` has stored this key's hash with every case of these experiments.
    Saved,
    /// It is computed.
    No,
}

impl Key {
    /// The key of a call, or of the project's settings, or `input`.
    pub(crate) fn of(session: &Session, given: Option<&str>, experiments: &[&Selected]) -> Self {
        let set = || {
            let last = experiments.last()?;
            session.settings(&last.experiment.project).comparison_key
        };
        let text = given.map(str::to_string).or_else(set).unwrap_or_else(|| DEFAULT_KEY.into()).trim().to_string();
        let ids = experiments.iter().map(|selected| selected.experiment.id.as_str());
        let stored = if text == DEFAULT_KEY {
            Stored::Default
        } else if !experiments.is_empty() && session.has_saved_key(&text, ids) {
            Stored::Saved
        } else {
            Stored::No
        };
        Self { text, stored }
    }

    pub(crate) fn is_default(&self) -> bool {
        self.stored == Stored::Default
    }

    /// The expression whose value is the key's hash: a stored column, or one computed from one
    /// expression or several in brackets.
    pub(crate) fn hash(&self, session: &Session, cases: &DFSchema) -> Result<Expr, AnalysisError> {
        match self.stored {
            Stored::Default => Ok(ident(schema::COMPARISON_KEY_HASH)),
            Stored::Saved => Ok(ident(SAVED_KEY_HASH)),
            Stored::No => session.key_hash(&self.text, cases).map_err(|error| wrong("--key", &self.text, &error)),
        }
    }

    /// The order of the trials of a case: the stored index for the default key, else what the index
    /// is made of.
    pub(crate) fn trial_order(&self) -> Vec<Sort> {
        let by: &[&str] = if self.is_default() { &[schema::TRIAL_INDEX] } else { &[schema::CREATED, schema::ID] };
        by.iter().map(|column| ident(*column).sort(true, true)).collect()
    }

    /// The expression whose value is the key's canonical JSON.
    pub(crate) fn value(&self, session: &Session, cases: &DFSchema) -> Result<Expr, AnalysisError> {
        session.key_value(&self.text, cases).map_err(|error| wrong("--key", &self.text, &error))
    }
}
