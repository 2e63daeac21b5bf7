//! Changes to how a project is read, checked before they are stored.

use evalhouse_model::{ProjectSettings, SettingError};
use evalhouse_session::Session;

use crate::{AnalysisError, Reducer};

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingChange {
    /// Gives a setting a value.
    Set {
        /// Its name: `scores.Factuality.tolerance`.
        name: String,
        /// Text, a number, or JSON.
        value: String,
    },
    /// Takes a setting back to its default.
    Unset {
        /// Its name.
        name: String,
    },
}

impl SettingChange {
    /// Makes the change. True when it changed something.
    ///
    /// # Errors
    /// When there is no such setting or the value does not fit it.
    pub fn apply(&self, settings: &mut ProjectSettings) -> Result<bool, SettingError> {
        match self {
            Self::Set { name, value } => settings.set(name, value).map(|()| true),
            Self::Unset { name } => settings.unset(name),
        }
    }
}

/// Checks changes as they would stand together: a change that means nothing, or takes its meaning from
/// another setting, is refused. What was wrong before is not held against it: else nothing could be
/// set right.
///
/// # Errors
/// [`AnalysisError::UnknownProject`], and [`AnalysisError::SettingChange`] with what is wrong.
pub fn check_changes(session: &Session, project: &str, changes: &[SettingChange]) -> Result<(), AnalysisError> {
    if !session.experiments().iter().any(|experiment| experiment.project == project) {
        return Err(AnalysisError::UnknownProject { project: project.into(), detail: String::new() });
    }
    let wrong = |message: String| AnalysisError::SettingChange { message, hint: None };
    let current = session.settings(project);
    let mut changed = current.clone();
    for change in changes {
        change.apply(&mut changed).map_err(|error| wrong(error.to_string()))?;
        if let SettingChange::Set { name, .. } = change {
            check_reference(session, project, name, &changed)?;
        }
    }
    let before = session.settings_problems(project, &current)?;
    let after = session.settings_problems(project, &changed)?;
    match after.into_iter().find(|problem| !before.contains(problem)) {
        Some(problem) => Err(wrong(problem)),
        None => Ok(()),
    }
}

/// What a setting names must exist.
fn check_reference(
    session: &Session,
    project: &str,
    name: &str,
    changed: &ProjectSettings,
) -> Result<(), AnalysisError> {
    let wrong = |message, hint| AnalysisError::SettingChange { message, hint };
    if let (Some(text), "reducer") = (&changed.reducer, name) {
        text.parse::<Reducer>().map_err(|message| wrong(format!("setting `reducer`: {message}"), None))?;
    }
    let target = match name.strip_prefix("baselines.") {
        Some(baseline) => changed.baselines.get(baseline),
        None => changed.baseline.experiment.as_ref().filter(|_| name == "baseline.experiment"),
    };
    let mut experiments = session.experiments().iter().filter(|e| e.project == project);
    match target.filter(|target| !experiments.any(|e| &e.id == *target || &e.name == *target)) {
        Some(target) => {
            let message = format!("setting `{name}`: project `{project}` has no experiment `{target}`");
            Err(wrong(message, Some("`evalhouse experiments` lists them")))
        }
        None => Ok(()),
    }
}
