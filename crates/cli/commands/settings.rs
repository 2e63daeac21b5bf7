//! `evalhouse settings`: shows and changes how a project is read.

use clap::{Args, Subcommand};
use evalhouse_analysis::SettingChange;
use evalhouse_model::SettingsAnswer;
use evalhouse_session::Session;

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
views.NAME, language_model.base_url, language_model.model, language_model.api_key_variable.";

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
    match arguments.action {
        None => {
            let current = session.settings(&project);
            for problem in session.settings_problems(&project, &current)? {
                printer.line(&format!("warning: {problem}"));
            }
            print_answer(&SettingsAnswer { settings: current, project }, true, settings, printer)?;
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
            let line = format!("{project}: {name} is {value}");
            change(&session, &project, SettingChange::Set { name, value }).await?;
            printer.line(&line);
        }
        Some(Action::Unset { name }) => {
            match change(&session, &project, SettingChange::Unset { name: name.clone() }).await? {
                true => printer.line(&format!("{project}: {name} has its default again")),
                false => printer.line(&format!("{project}: {name} was not set")),
            }
        }
    }
    Ok(Exit::Done)
}

async fn change(session: &Session, project: &str, change: SettingChange) -> anyhow::Result<bool> {
    evalhouse_analysis::check_changes(session, project, std::slice::from_ref(&change))?;
    let changed = session.store().change_settings(project, |current| change.apply(current)).await?;
    Ok(changed.map_err(|error| InputError::new(error.to_string()))?)
}

fn known_project(session: &Session, project: &str) -> anyhow::Result<()> {
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
