//! What can go wrong in an analysis.

use datafusion::error::DataFusionError;
use evalhouse_session::SessionError;

/// An error of an analysis. Everything but [`AnalysisError::Session`] is the user's to mend.
#[derive(Debug, thiserror::Error)]
pub enum AnalysisError {
    /// No experiment has this id or name, and no rule this word.
    #[error("there is no experiment `{text}`{}", suggestion.as_ref().map(|name| format!("; did you mean `{name}`?")).unwrap_or_default())]
    UnknownExperiment {
        /// As the user wrote it.
        text: String,
        /// The nearest name.
        suggestion: Option<String>,
    },
    /// Several experiments have this name.
    #[error("`{text}` names several experiments: {}", candidates.join(", "))]
    AmbiguousExperiment {
        /// As the user wrote it.
        text: String,
        /// Names that are unambiguous.
        candidates: Vec<String>,
    },
    /// A rule found nothing to choose.
    #[error("the rule `{rule}` finds no experiment{detail}")]
    NoExperiment {
        /// The rule.
        rule: String,
        /// Why.
        detail: String,
    },
    /// No case has this id.
    #[error("experiment `{experiment}` has no case `{case}`")]
    UnknownCase {
        /// Experiment name.
        experiment: String,
        /// As the user wrote it.
        case: String,
    },
    /// Several cases have ids that begin like this.
    #[error("`{case}` is the beginning of several case ids: {}", candidates.join(", "))]
    AmbiguousCase {
        /// As the user wrote it.
        case: String,
        /// Some of the ids.
        candidates: Vec<String>,
    },
    /// A filter, key, sort or column does not parse or names what does not exist.
    #[error("{place}: {message}")]
    Expression {
        /// `--where`, `--key`, …
        place: &'static str,
        /// As the user wrote it.
        text: String,
        /// What is wrong.
        message: String,
    },
    /// No project has this name, or none of its experiments is looked at.
    #[error("there is no experiment in project `{project}`{detail}")]
    UnknownProject {
        /// As the user wrote it.
        project: String,
        /// What narrowed it.
        detail: String,
    },
    /// No experiment that is looked at has this score or metric.
    #[error("there is no score or metric `{score}`{}", known_names(known))]
    UnknownScore {
        /// As the user wrote it.
        score: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// A setting of a project cannot be used.
    #[error("setting `{name}` of project `{project}`: {message}")]
    Setting {
        /// Project name.
        project: String,
        /// Name of the setting.
        name: String,
        /// What is wrong.
        message: String,
    },
    /// A setting that somebody wants to make cannot be made.
    #[error("{message}")]
    SettingChange {
        /// What is wrong.
        message: String,
        /// The way out, where there is one.
        hint: Option<&'static str>,
    },
    /// The engine or the store.
    #[error(transparent)]
    Session(#[from] SessionError),
}

fn known_names(known: &[String]) -> String {
    if known.is_empty() { "; there are none".into() } else { format!("; there are {}", known.join(", ")) }
}

impl From<DataFusionError> for AnalysisError {
    fn from(error: DataFusionError) -> Self {
        Self::Session(SessionError::of(error))
    }
}

impl AnalysisError {
    /// Whether the user can mend it.
    pub fn is_users(&self) -> bool {
        match self {
            Self::Session(error) => error.is_users(),
            _ => true,
        }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::UnknownExperiment { .. } => Some(
                "`evalhouse experiments` lists them; an experiment is an id, a name, project/name, `latest`, `latest:BRANCH`, `baseline` or `baseline:NAME`",
            ),
            Self::AmbiguousExperiment { .. } => Some("write project/name, or the id"),
            Self::UnknownCase { .. } | Self::AmbiguousCase { .. } => {
                Some("a case is a row id, a trace id, the beginning of one, or #N for the N-th row")
            }
            Self::Expression { place: "--where", .. } => Some(
                "a filter is a condition, such as scores.Factuality < 0.5 and metadata.tier = 'pro'; `evalhouse fields EXPERIMENT` lists what it can name",
            ),
            Self::Expression { place: "--key", .. } => {
                Some("a key is an expression over a case, or several in brackets: [input.question, metadata.tier]")
            }
            Self::UnknownProject { .. } => Some("`evalhouse experiments` lists projects and their experiments"),
            Self::Setting { .. } => Some("`evalhouse settings PROJECT` shows and changes them"),
            Self::SettingChange { hint, .. } => *hint,
            Self::Session(error) => error.hint(),
            _ => None,
        }
    }
}
