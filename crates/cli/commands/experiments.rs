//! `evalhouse experiments`: lists experiments.

use clap::Args;

use crate::arguments::ProjectArguments;
use crate::error::Exit;
use crate::output::print_answer;
use crate::printer::Printer;
use crate::settings::Settings;

const EXAMPLES: &str = "\
Examples:
  evalhouse experiments
  evalhouse experiments --project support-bot --format json";

/// Options of `experiments`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ExperimentsArguments {
    #[command(flatten)]
    project: ProjectArguments,
    /// Only experiments for which this is true: metadata.model = 'gpt-4o'
    #[arg(long = "where", value_name = "EXPR")]
    filter: Option<String>,
}

pub(crate) async fn run(
    arguments: ExperimentsArguments,
    settings: &Settings,
    printer: &Printer,
) -> anyhow::Result<Exit> {
    let session = settings.open_session().await?;
    let project = arguments.project.project.as_deref();
    let list = evalhouse_analysis::list(&session, project, arguments.filter.as_deref()).await?;
    print_answer(&list, false, settings, printer)?;
    Ok(Exit::Done)
}
