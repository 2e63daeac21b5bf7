//! `evalhouse trials`: how much the trials of each case agree.

use clap::Args;
use evalhouse_analysis::TrialOptions;

use crate::arguments::{CaseArguments, ProjectArguments};
use crate::error::Exit;
use crate::output::print_answer;
use crate::phrase;
use crate::printer::Printer;
use crate::settings::Settings;

const EXAMPLES: &str = "\
Examples:
  evalhouse trials baseline
  evalhouse trials agent-v3 --threshold 0.5 --where \"metadata.domain = 'retail'\"
  evalhouse trials agent-v3 --key metadata.task_id --format json

Rows with an equal key are trials of one case. pass@k is the chance that at least
one of k trials passes, pass^k that all do; both are averaged over cases with at
least k trials. A trial without a score is no trial of it. The 95 % intervals take
cases as drawn at random, and are rather too wide than too narrow near 0 and 100 %.";

/// Options of `trials`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct TrialArguments {
    /// An experiment: id, name, PROJECT/NAME, latest, latest:BRANCH, baseline
    experiment: String,
    #[command(flatten)]
    cases: CaseArguments,
    /// The score from which a trial passes
    #[arg(long, value_name = "SCORE", default_value_t = 1.0)]
    threshold: f64,
    /// Cases to show
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    #[command(flatten)]
    project: ProjectArguments,
}

pub(crate) async fn run(mut arguments: TrialArguments, settings: &Settings, printer: &Printer) -> anyhow::Result<Exit> {
    let session = settings.open_session().await?;
    let project = arguments.project.project.as_deref();
    let experiment = evalhouse_analysis::select(&session, &arguments.experiment, project)?;
    phrase::resolve_unordered(&session, &mut arguments.cases.filter, &[&experiment], printer).await?;
    let options = TrialOptions {
        key: arguments.cases.key,
        filter: arguments.cases.filter,
        threshold: Some(arguments.threshold),
        limit: arguments.limit,
    };
    let report = evalhouse_analysis::trials(&session, &experiment, &options).await?;
    print_answer(&report, false, settings, printer)?;
    Ok(Exit::Done)
}
