//! `evalhouse summary`: experiments ranked by a score, with what they cost.

use clap::Args;
use evalhouse_analysis::{GroupOptions, LeaderboardOptions, Reducer, Selected};

use super::cases::expressions;
use crate::arguments::{CaseArguments, ProjectArguments};
use crate::error::Exit;
use crate::output::print_answer;
use crate::phrase;
use crate::printer::Printer;
use crate::settings::Settings;

const EXAMPLES: &str = "\
Examples:
  evalhouse summary --project support-bot
  evalhouse summary v1 v2 v3 --score Factuality --cost metrics.tokens
  evalhouse summary --project support-bot --frontier
  evalhouse summary --project support-bot --group-by metadata.category

Experiments that noise does not tell apart share a rank: the rank is 1 + the number
of experiments whose mean is better beyond noise: the 95% interval of the difference,
made of the two intervals, leaves out 0. The frontier holds the experiments that no
other one beats in both score and cost.";

/// Options of `summary`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct SummaryArguments {
    /// Experiments; without any, all of the project or store
    experiments: Vec<String>,
    /// The score that ranks [default: the first]
    #[arg(long, value_name = "NAME", conflicts_with = "group_by")]
    score: Option<String>,
    /// The metric that counts as cost [default: estimated_cost, cost, tokens or duration]
    #[arg(long, value_name = "METRIC", conflicts_with = "group_by")]
    cost: Option<String>,
    /// Sums up groups of cases of all the experiments together: metadata.category; repeat to nest
    #[arg(long, value_name = "EXPR")]
    group_by: Vec<String>,
    /// Only the experiments on the cost-quality frontier
    #[arg(long, conflicts_with = "group_by")]
    frontier: bool,
    #[command(flatten)]
    cases: CaseArguments,
    /// How trials become one value: mean, median, min, max, mode, majority, first, last, any, all,
    /// at_least(K), pass@K, pass^K [default: the project's, else mean]
    #[arg(long, value_name = "REDUCER")]
    reducer: Option<Reducer>,
    #[command(flatten)]
    project: ProjectArguments,
    /// Shows every experiment of a long list
    #[arg(long)]
    all: bool,
}

pub(crate) async fn run(
    mut arguments: SummaryArguments,
    settings: &Settings,
    printer: &Printer,
) -> anyhow::Result<Exit> {
    let session = settings.open_session().await?;
    let project = arguments.project.project.as_deref();
    let chosen: Vec<Selected> = if arguments.experiments.is_empty() {
        evalhouse_analysis::select_all(&session, project)?
    } else {
        let named = arguments.experiments.iter();
        named.map(|text| evalhouse_analysis::select(&session, text, project)).collect::<Result<_, _>>()?
    };
    let looked_at: Vec<&Selected> = chosen.iter().collect();
    phrase::resolve_unordered(&session, &mut arguments.cases.filter, &looked_at, printer).await?;
    if !arguments.group_by.is_empty() {
        let options = GroupOptions {
            by: expressions(&arguments.group_by),
            key: arguments.cases.key,
            filter: arguments.cases.filter,
            reducer: arguments.reducer,
            pooled: true,
            ..GroupOptions::default()
        };
        let experiments: Vec<&Selected> = chosen.iter().collect();
        let groups = evalhouse_analysis::groups(&session, &experiments, &options).await?;
        print_answer(&groups, arguments.all, settings, printer)?;
        return Ok(Exit::Done);
    }
    let options = LeaderboardOptions {
        score: arguments.score,
        cost: arguments.cost,
        key: arguments.cases.key,
        filter: arguments.cases.filter,
        reducer: arguments.reducer,
    };
    let experiments: Vec<&Selected> = chosen.iter().collect();
    let mut board = evalhouse_analysis::leaderboard(&session, &experiments, &options).await?;
    if arguments.frontier {
        board.rows.retain(|row| row.on_frontier);
    }
    print_answer(&board, arguments.all, settings, printer)?;
    Ok(Exit::Done)
}
