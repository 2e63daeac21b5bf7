//! `evalhouse show`: the summary of one experiment.

use clap::Args;
use evalhouse_analysis::{Reducer, SummaryOptions};

use crate::arguments::{CaseArguments, ProjectArguments};
use crate::error::Exit;
use crate::output::print_answer;
use crate::phrase;
use crate::printer::Printer;
use crate::settings::Settings;

const EXAMPLES: &str = "\
Examples:
  evalhouse show prompt-v2
  evalhouse show latest --where \"metadata.category = 'refunds'\"

The row mean weights a case by its trials; the case mean counts each case once,
and its interval is over cases.";

/// Options of `show`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ShowArguments {
    /// An experiment: id, name, PROJECT/NAME, latest, latest:BRANCH, baseline
    experiment: String,
    #[command(flatten)]
    cases: CaseArguments,
    /// How trials become one value: mean, median, min, max, mode, majority, first, last, any, all,
    /// at_least(K), pass@K, pass^K [default: the project's, else mean]
    #[arg(long, value_name = "REDUCER")]
    reducer: Option<Reducer>,
    #[command(flatten)]
    project: ProjectArguments,
    /// Shows metrics that are zero, too
    #[arg(long)]
    all: bool,
}

pub(crate) async fn run(mut arguments: ShowArguments, settings: &Settings, printer: &Printer) -> anyhow::Result<Exit> {
    let session = settings.open_session().await?;
    let project = arguments.project.project.as_deref();
    let experiment = evalhouse_analysis::select(&session, &arguments.experiment, project)?;
    phrase::resolve_unordered(&session, &mut arguments.cases.filter, &[&experiment], printer).await?;
    let options =
        SummaryOptions { key: arguments.cases.key, filter: arguments.cases.filter, reducer: arguments.reducer };
    let summary = evalhouse_analysis::summary(&session, &experiment, &options).await?;
    print_answer(&summary, arguments.all, settings, printer)?;
    Ok(Exit::Done)
}
