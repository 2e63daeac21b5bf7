//! `evalhouse diff`: compares two experiments.

use clap::Args;
use evalhouse_analysis::{DiffOptions, Reducer};
use evalhouse_report::DiffWithCases;

use super::cases::ShownCases;
use crate::arguments::{CaseArguments, ProjectArguments};
use crate::error::Exit;
use crate::output::print_answer;
use crate::printer::Printer;
use crate::settings::Settings;

const EXAMPLES: &str = "\
Examples:
  evalhouse diff baseline prompt-v2
  evalhouse diff baseline latest --project support-bot
  evalhouse diff v1 v2 --key input.question --where \"metadata.tier = 'pro'\"
  evalhouse diff v1 v2 --cluster metadata.category
  evalhouse diff v1 v2 --cases --sort regressions:Factuality

Cases are matched by key. The delta is the mean difference over matched cases,
with its 95% interval; p-values are corrected for the number of scores (Holm).
A difference that noise explains is called not distinguishable. \"Detectable\" is
the smallest true effect that this comparison would see 4 times out of 5.";

/// Options of `diff`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct DiffArguments {
    /// The experiment to compare with; baseline lets the candidate's rule choose
    base: String,
    /// The experiment to judge
    candidate: String,
    #[command(flatten)]
    cases: CaseArguments,
    /// Cases with equal values of this are not independent: metadata.document
    #[arg(long, value_name = "EXPR")]
    cluster: Option<String>,
    /// How trials become one value: mean, median, min, max, mode, majority, first, last, any, all,
    /// at_least(K), pass@K, pass^K [default: the project's, else mean]
    #[arg(long, value_name = "REDUCER")]
    reducer: Option<Reducer>,
    /// Lists the cases below the comparison
    #[arg(long = "cases")]
    with_cases: bool,
    #[command(flatten)]
    shown: ShownCases,
    #[command(flatten)]
    project: ProjectArguments,
    /// Shows metrics and counts that are zero or unchanged, too
    #[arg(long)]
    all: bool,
}

pub(crate) async fn run(arguments: DiffArguments, settings: &Settings, printer: &Printer) -> anyhow::Result<Exit> {
    let session = settings.open_session().await?;
    let project = arguments.project.project.as_deref();
    let candidate = evalhouse_analysis::select(&session, &arguments.candidate, project)?;
    let base = evalhouse_analysis::select_baseline(&session, &arguments.base, &candidate)?;
    let options = DiffOptions {
        key: arguments.cases.key.clone(),
        filter: arguments.cases.filter.clone(),
        cluster: arguments.cluster,
        reducer: arguments.reducer,
    };
    let diff = evalhouse_analysis::diff(&session, &base, &candidate, &options).await?;
    if !arguments.with_cases {
        print_answer(&diff, arguments.all, settings, printer)?;
        return Ok(Exit::Done);
    }
    let format = settings.format.unwrap_or_default();
    let options = arguments.shown.options(Some(base), arguments.cases, format);
    let cases = evalhouse_analysis::cases(&session, &candidate, &options).await?;
    print_answer(&DiffWithCases { diff, cases }, arguments.all, settings, printer)?;
    Ok(Exit::Done)
}
