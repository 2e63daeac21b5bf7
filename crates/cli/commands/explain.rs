//! `evalhouse explain`: which slices of the cases carry the change of a score.

use clap::Args;
use evalhouse_analysis::{ExplainOptions, Reducer};

use crate::arguments::{CaseArguments, ProjectArguments};
use crate::error::Exit;
use crate::output::print_answer;
use crate::phrase;
use crate::printer::Printer;
use crate::settings::Settings;

const EXAMPLES: &str = "\
Examples:
  evalhouse explain baseline prompt-v2 --score Factuality
  evalhouse explain v1 v2 --score Factuality --by metadata.category --by \"len(output) > 500\"

A slice is the cases with a certain value of a metadata field, tag or custom column,
or with two such values: of two fields, a field and a tag, or two tags. Slices are
ranked by what they add to the change beyond their share of the cases; p-values
compare inside with elsewhere and are corrected for the number of slices searched.
Pairs are searched of 12 fields at most, and of the 50 most frequent tags; a warning
says what is left out. Each slice is a filter for --where.";

/// Options of `explain`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ExplainArguments {
    /// The experiment to compare with; baseline lets the candidate's rule choose
    base: String,
    /// The experiment to judge
    candidate: String,
    /// The score to explain
    #[arg(long, value_name = "NAME")]
    score: String,
    /// What to slice by; repeat for several [default: metadata, tags and custom columns]
    #[arg(long, value_name = "EXPR")]
    by: Vec<String>,
    #[command(flatten)]
    cases: CaseArguments,
    /// How trials become one value: mean, median, min, max, mode, majority, first, last, any, all,
    /// at_least(K), pass@K, pass^K [default: the project's, else mean]
    #[arg(long, value_name = "REDUCER")]
    reducer: Option<Reducer>,
    /// Slices to show
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    #[command(flatten)]
    project: ProjectArguments,
    /// Shows the worst cases of every slice
    #[arg(long)]
    all: bool,
}

pub(crate) async fn run(
    mut arguments: ExplainArguments,
    settings: &Settings,
    printer: &Printer,
) -> anyhow::Result<Exit> {
    let session = settings.open_session().await?;
    let project = arguments.project.project.as_deref();
    let candidate = evalhouse_analysis::select(&session, &arguments.candidate, project)?;
    let base = evalhouse_analysis::select_baseline(&session, &arguments.base, &candidate)?;
    phrase::resolve_unordered(&session, &mut arguments.cases.filter, &[&base, &candidate], printer).await?;
    let options = ExplainOptions {
        score: arguments.score,
        key: arguments.cases.key,
        filter: arguments.cases.filter,
        reducer: arguments.reducer,
        by: (!arguments.by.is_empty()).then_some(arguments.by),
        limit: arguments.limit,
    };
    let explanation = evalhouse_analysis::explain(&session, &base, &candidate, &options).await?;
    print_answer(&explanation, arguments.all, settings, printer)?;
    Ok(Exit::Done)
}
