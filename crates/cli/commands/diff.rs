//! `evalhouse diff`: compares two experiments.

use clap::Args;
use evalhouse_analysis::{DiffOptions, Reducer, Selected};
use evalhouse_model::{Diff, Diffs};
use evalhouse_report::DiffWithCases;

use super::cases::{GroupArguments, ShownCases};
use crate::arguments::{CaseArguments, ProjectArguments};
use crate::error::{Exit, InputError};
use crate::output::print_answer;
use crate::phrase;
use crate::printer::Printer;
use crate::settings::Settings;

const EXAMPLES: &str = "\
Examples:
  evalhouse diff baseline prompt-v2
  evalhouse diff baseline latest --project support-bot
  evalhouse diff v1 v2 --key input.question --where \"metadata.tier = 'pro'\"
  evalhouse diff v1 v2 --cluster metadata.category
  evalhouse diff v1 v2 --cases --sort regressions:Factuality
  evalhouse diff v1 v2 v3 --group-by metadata.category --sort regressions:Factuality:v3

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
    /// The experiments to judge
    #[arg(required = true)]
    candidates: Vec<String>,
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
    #[arg(long = "cases", conflicts_with = "group_by")]
    with_cases: bool,
    #[command(flatten)]
    groups: GroupArguments,
    #[command(flatten)]
    shown: ShownCases,
    #[command(flatten)]
    project: ProjectArguments,
    /// Shows metrics and counts that are zero or unchanged, too
    #[arg(long)]
    all: bool,
}

pub(crate) async fn run(mut arguments: DiffArguments, settings: &Settings, printer: &Printer) -> anyhow::Result<Exit> {
    let session = settings.open_session().await?;
    let project = arguments.project.project.as_deref();
    let mut candidates = Vec::new();
    for text in &arguments.candidates {
        candidates.push(evalhouse_analysis::select(&session, text, project)?);
    }
    let judged: Vec<&Selected> = candidates.iter().collect();
    if arguments.with_cases || !arguments.groups.group_by.is_empty() {
        let sort = phrase::resolve(&session, &mut arguments.cases.filter, &judged, printer).await?;
        arguments.shown.order_by(sort);
    } else {
        phrase::resolve_unordered(&session, &mut arguments.cases.filter, &judged, printer).await?;
    }
    let options = DiffOptions {
        key: arguments.cases.key.clone(),
        filter: arguments.cases.filter.clone(),
        cluster: arguments.cluster.clone(),
        reducer: arguments.reducer,
    };
    if let Some(options) =
        arguments.groups.options(&arguments.cases, &arguments.shown, arguments.cluster, arguments.reducer)
    {
        let Some(first) = candidates.first() else { return Ok(Exit::Input) };
        let base = evalhouse_analysis::select_baseline(&session, &arguments.base, first)?;
        let sides: Vec<&Selected> = std::iter::once(&base).chain(&candidates).collect();
        let groups = evalhouse_analysis::groups(&session, &sides, &options).await?;
        print_answer(&groups, arguments.all, settings, printer)?;
        return Ok(Exit::Done);
    }
    let mut diffs = Vec::new();
    for candidate in &candidates {
        let base = evalhouse_analysis::select_baseline(&session, &arguments.base, candidate)?;
        diffs.push((evalhouse_analysis::diff(&session, &base, candidate, &options).await?, base));
    }
    if arguments.with_cases {
        let format = settings.format.unwrap_or_default();
        let (Some(candidate), Some((diff, base)), true) = (candidates.first(), diffs.pop(), candidates.len() == 1)
        else {
            return Err(InputError::new("--cases lists the cases of one candidate, not of several").into());
        };
        let mut options = arguments.shown.options(Some(base), arguments.cases, format);
        options.filter_base = true;
        let cases = evalhouse_analysis::cases(&session, candidate, &options).await?;
        print_answer(&DiffWithCases { diff, cases }, arguments.all, settings, printer)?;
        return Ok(Exit::Done);
    }
    let mut diffs: Vec<Diff> = diffs.into_iter().map(|(diff, _)| diff).collect();
    match (diffs.pop(), diffs.is_empty()) {
        (Some(only), true) => print_answer(&only, arguments.all, settings, printer)?,
        (last, _) => {
            diffs.extend(last);
            print_answer(&Diffs { diffs }, arguments.all, settings, printer)?;
        }
    }
    Ok(Exit::Done)
}
