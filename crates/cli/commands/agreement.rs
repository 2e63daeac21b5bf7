//! `evalhouse agreement`: how far two judgements of the same cases agree.

use clap::Args;
use evalhouse_analysis::AgreementOptions;

use crate::arguments::ProjectArguments;
use crate::error::Exit;
use crate::output::print_answer;
use crate::phrase;
use crate::printer::Printer;
use crate::settings::Settings;

const EXAMPLES: &str = "\
Examples:
  evalhouse agreement latest scores.Factuality scores.HumanReview
  evalhouse agreement latest Factuality Helpfulness --bin 0.25
  evalhouse agreement latest metadata.label output.label

Agreement is Cohen's kappa with its 95% interval, and weighted kappa for categories
in order. Numbers with many values are put into bins first.";

/// Options of `agreement`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct AgreementArguments {
    /// An experiment: id, name, PROJECT/NAME, latest, latest:BRANCH, baseline
    experiment: String,
    /// The first judgement: a score, or any expression
    first: String,
    /// The second judgement
    second: String,
    /// Width of the bins that numbers are put into
    #[arg(long, value_name = "WIDTH", value_parser = parse_width)]
    bin: Option<f64>,
    /// Only cases for which this is true
    #[arg(long = "where", value_name = "EXPR")]
    filter: Option<String>,
    #[command(flatten)]
    project: ProjectArguments,
}

pub(crate) async fn run(
    mut arguments: AgreementArguments,
    settings: &Settings,
    printer: &Printer,
) -> anyhow::Result<Exit> {
    let session = settings.open_session().await?;
    let project = arguments.project.project.as_deref();
    let experiment = evalhouse_analysis::select(&session, &arguments.experiment, project)?;
    phrase::resolve_unordered(&session, &mut arguments.filter, &[&experiment], printer).await?;
    let options = AgreementOptions { filter: arguments.filter, bin: arguments.bin };
    let (first, second) = (&arguments.first, &arguments.second);
    let report = evalhouse_analysis::agreement(&session, &experiment, first, second, &options).await?;
    print_answer(&report, false, settings, printer)?;
    Ok(Exit::Done)
}

fn parse_width(text: &str) -> Result<f64, String> {
    let width = text.parse::<f64>().ok().filter(|width| *width > 0.0 && width.is_finite());
    width.ok_or_else(|| "expected a number above 0".to_string())
}
