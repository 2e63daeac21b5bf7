//! `evalhouse query`: runs a named query.

use std::path::PathBuf;

use clap::Args;
use evalhouse_analysis::{find_query, named_queries, query_values};
use evalhouse_model::QueryList;
use evalhouse_report::Format;

use crate::error::{Exit, InputError};
use crate::output::{Target, print_answer};
use crate::printer::Printer;
use crate::settings::Settings;

const EXAMPLES: &str = "\
Examples:
  evalhouse query
  evalhouse query hardest-cases project=support-bot score=Factuality
  evalhouse query regressions base=v1 candidate=v2 --format csv -o regressions.csv
  evalhouse query score-trend --show

A file NAME.sql in a folder given with --queries is a query of your own; see
queries/README.md for its header. Values are bound, never pasted into the query.";

/// Options of `query`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct QueryArguments {
    /// The query; without a name, lists them all
    name: Option<String>,
    /// Its parameters
    #[arg(value_name = "KEY=VALUE")]
    values: Vec<String>,
    /// Prints the query instead of running it
    #[arg(long)]
    show: bool,
    /// A folder with queries of your own
    #[arg(long, value_name = "DIR", env = "EVALHOUSE_QUERIES", hide_env_values = true)]
    queries: Vec<PathBuf>,
    /// Writes the answer to a file
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(crate) async fn run(arguments: QueryArguments, settings: &Settings, printer: &Printer) -> anyhow::Result<Exit> {
    let queries = named_queries(&arguments.queries).map_err(|error| InputError::new(error.to_string()))?;
    let Some(name) = arguments.name else {
        print_answer(&QueryList { queries }, false, settings, printer)?;
        return Ok(Exit::Done);
    };
    let query = find_query(&queries, &name)
        .map_err(|error| InputError::with_hint(error.to_string(), "`evalhouse query` lists them"))?;
    if arguments.show {
        printer.text(query.sql.trim_end())?;
        return Ok(Exit::Done);
    }
    let values = query_values(query, &arguments.values).map_err(|error| {
        InputError::with_hint(error.to_string(), format!("`evalhouse query {name} --show` prints it"))
    })?;
    let session = settings.open_session().await?;
    let target = Target::resolve(arguments.output, Format::Table, settings, printer)?;
    let rows = crate::query::start_with(&session, &query.sql, &values).await?;
    target.write(rows, settings, printer).await?;
    Ok(Exit::Done)
}
