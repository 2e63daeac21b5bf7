//! `evalhouse history`: scores of a project over time.

use clap::Args;
use evalhouse_analysis::{HistoryOptions, Reducer, Selected};

use crate::arguments::CaseArguments;
use crate::error::Exit;
use crate::output::print_answer;
use crate::phrase;
use crate::printer::Printer;
use crate::settings::Settings;

const EXAMPLES: &str = "\
Examples:
  evalhouse history support-bot
  evalhouse history support-bot --score Factuality --branch main --last 50

Means are over cases, with 95% intervals. A change of the mean is flagged by binary
segmentation with simulated p-values: a history without a change is flagged in at
most 5% of cases. The first bad experiment is where the last fall that has not
been made good again began.";

/// Options of `history`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct HistoryArguments {
    /// The project
    project: String,
    /// Only this score
    #[arg(long, value_name = "NAME")]
    score: Option<String>,
    /// Only experiments of this branch
    #[arg(long, value_name = "NAME")]
    branch: Option<String>,
    /// Only the newest experiments
    #[arg(long, value_name = "N")]
    last: Option<usize>,
    #[command(flatten)]
    cases: CaseArguments,
    /// How trials become one value: mean, median, min, max, mode, majority, first, last, any, all,
    /// at_least(K), pass@K, pass^K [default: the project's, else mean]
    #[arg(long, value_name = "REDUCER")]
    reducer: Option<Reducer>,
    /// Shows every experiment of a long history
    #[arg(long)]
    all: bool,
}

pub(crate) async fn run(
    mut arguments: HistoryArguments,
    settings: &Settings,
    printer: &Printer,
) -> anyhow::Result<Exit> {
    let session = settings.open_session().await?;
    let all = evalhouse_analysis::select_all(&session, Some(&arguments.project))?;
    let all: Vec<&Selected> = all.iter().collect();
    phrase::resolve_unordered(&session, &mut arguments.cases.filter, &all, printer).await?;
    let options = HistoryOptions {
        score: arguments.score,
        branch: arguments.branch,
        key: arguments.cases.key,
        filter: arguments.cases.filter,
        reducer: arguments.reducer,
        last: arguments.last,
    };
    let history = evalhouse_analysis::history(&session, &arguments.project, &options).await?;
    print_answer(&history, arguments.all, settings, printer)?;
    Ok(Exit::Done)
}
