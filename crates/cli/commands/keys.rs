//! `evalhouse keys`: tries a comparison key before it is saved.

use clap::{Args, Subcommand};

use crate::error::Exit;
use crate::output::print_answer;
use crate::printer::Printer;
use crate::settings::Settings;

const EXAMPLES: &str = "\
Examples:
  evalhouse keys check support-bot input.question
  evalhouse keys check support-bot \"[input.question, metadata.tier]\"
  evalhouse settings support-bot set comparison_key input.question";

/// Options of `keys`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct KeyArguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Shows how many cases of the newest experiments would match, and what would go wrong
    Check {
        /// The project
        project: String,
        /// The key: an expression over a case, or several in brackets
        key: String,
    },
}

pub(crate) async fn run(arguments: KeyArguments, settings: &Settings, printer: &Printer) -> anyhow::Result<Exit> {
    let session = settings.open_session().await?;
    let Action::Check { project, key } = arguments.action;
    let check = evalhouse_analysis::check_key(&session, &project, &key).await?;
    print_answer(&check, false, settings, printer)?;
    Ok(Exit::Done)
}
