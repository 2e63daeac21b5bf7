//! `evalhouse settings`: shows and changes how a project is read.

use clap::{Args, Subcommand};
use evalhouse_model::{ProjectSettings, SettingsAnswer};

use crate::error::{Exit, InputError};
use crate::output::print_answer;
use crate::printer::Printer;
use crate::settings::Settings;

const EXAMPLES: &str = "\
Examples:
  evalhouse settings support-bot
  evalhouse settings support-bot set comparison_key \"[input.question, metadata.tier]\"
  evalhouse settings support-bot set scores.latency.direction lower
  evalhouse settings support-bot set scores.Factuality.tolerance 0.01
  evalhouse settings support-bot set columns.tier metadata.tier
  evalhouse settings support-bot set aggregate_scores.Overall \\
    '{\"type\": \"weighted\", \"categories\": {\"Factuality\": 2, \"Style\": 1}}'
  evalhouse settings support-bot set baselines.release prompt-v7
  evalhouse settings support-bot unset comparison_key

Settings: comparison_key, reducer, baseline.experiment, baseline.overrides_recorded,
baselines.NAME, scores.NAME.direction, scores.NAME.tolerance, metrics.NAME.direction,
metrics.NAME.tolerance, aggregate_scores.NAME, columns.NAME, columns.NAME.type,
language_model.base_url, language_model.model, language_model.api_key_variable.";

/// Options of `settings`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct SettingsArguments {
    /// The project
    project: String,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Prints one setting
    Get {
        /// Its name
        name: String,
    },
    /// Makes a setting
    Set {
        /// Its name
        name: String,
        /// Its value: text, a number, or JSON
        #[arg(allow_hyphen_values = true)]
        value: String,
    },
    /// Takes a setting back to its default
    Unset {
        /// Its name
        name: String,
    },
}

pub(crate) async fn run(arguments: SettingsArguments, settings: &Settings, printer: &Printer) -> anyhow::Result<Exit> {
    let session = settings.open_session().await?;
    let project = arguments.project;
    known_project(&session, &project)?;
    let store = session.store();
    match arguments.action {
        None => {
            let answer = SettingsAnswer { settings: session.settings(&project), project };
            print_answer(&answer, true, settings, printer)?;
        }
        Some(Action::Get { name }) => {
            let value = session.settings(&project).get(&name).map_err(|error| InputError::new(error.to_string()))?;
            match value {
                Some(serde_json::Value::String(text)) => printer.text(&text)?,
                Some(value) => printer.text(&value.to_string())?,
                None => printer.line(&format!("`{name}` is not set: it has its default")),
            }
        }
        Some(Action::Set { name, value }) => {
            let mut changed = session.settings(&project);
            changed.set(&name, &value).map_err(|error| InputError::new(error.to_string()))?;
            check(&session, &project, &changed).await?;
            let changed = store.change_settings(&project, |current| current.set(&name, &value)).await?;
            changed.map_err(|error| InputError::new(error.to_string()))?;
            printer.line(&format!("{project}: {name} is {value}"));
        }
        Some(Action::Unset { name }) => {
            let changed = store.change_settings(&project, |current| current.unset(&name)).await?;
            match changed.map_err(|error| InputError::new(error.to_string()))? {
                true => printer.line(&format!("{project}: {name} has its default again")),
                false => printer.line(&format!("{project}: {name} was not set")),
            }
        }
    }
    Ok(Exit::Done)
}

/// A setting that means nothing is refused before it is stored.
async fn check(session: &evalhouse_session::Session, project: &str, changed: &ProjectSettings) -> anyhow::Result<()> {
    session.check_settings(changed).await?;
    if let Some(text) = &changed.reducer {
        text.parse::<evalhouse_analysis::Reducer>()
            .map_err(|message| InputError::new(format!("setting `reducer`: {message}")))?;
    }
    let experiments = || session.experiments().iter().filter(|e| e.project == project);
    let references = changed.baseline.experiment.iter().map(|target| ("baseline.experiment".to_string(), target));
    let named = changed.baselines.iter().map(|(name, target)| (format!("baselines.{name}"), target));
    for (name, target) in references.chain(named) {
        if !experiments().any(|e| &e.id == target || &e.name == target) {
            let message = format!("setting `{name}`: project `{project}` has no experiment `{target}`");
            return Err(InputError::with_hint(message, "`evalhouse experiments` lists them").into());
        }
    }
    Ok(())
}

fn known_project(session: &evalhouse_session::Session, project: &str) -> anyhow::Result<()> {
    if session.experiments().iter().any(|experiment| experiment.project == project) {
        return Ok(());
    }
    let mut known: Vec<&str> = session.experiments().iter().map(|experiment| experiment.project.as_str()).collect();
    known.dedup();
    let hint = match known.is_empty() {
        true => "the store is empty: `evalhouse import` fills it".to_string(),
        false => format!("projects are {}", known.join(", ")),
    };
    Err(InputError::with_hint(format!("there is no project `{project}`"), hint).into())
}
