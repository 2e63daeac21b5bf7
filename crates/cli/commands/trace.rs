//! `evalhouse trace`: the spans of one case.

use clap::Args;

use crate::arguments::ProjectArguments;
use crate::error::Exit;
use crate::output::print_answer;
use crate::printer::Printer;
use crate::settings::Settings;

const EXAMPLES: &str = "\
Examples:
  evalhouse trace prompt-v2 f0040972
  evalhouse trace prompt-v2 f0040972 --full | less

Ids of cases come from: evalhouse cases prompt-v2";

/// Options of `trace`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct TraceArguments {
    /// An experiment: id, name, PROJECT/NAME, latest, latest:BRANCH, baseline
    experiment: String,
    /// A case: the id of its row, span or trace, or the beginning of one
    case: String,
    /// Prints whole inputs, outputs, metadata and errors of every span
    #[arg(long)]
    full: bool,
    #[command(flatten)]
    project: ProjectArguments,
}

pub(crate) async fn run(arguments: TraceArguments, settings: &Settings, printer: &Printer) -> anyhow::Result<Exit> {
    let session = settings.open_session().await?;
    let project = arguments.project.project.as_deref();
    let experiment = evalhouse_analysis::select(&session, &arguments.experiment, project)?;
    let trace = evalhouse_analysis::trace(&session, &experiment, &arguments.case).await?;
    print_answer(&trace, arguments.full, settings, printer)?;
    Ok(Exit::Done)
}
