//! `evalhouse fields`: what filters, keys and columns can name.

use clap::Args;

use crate::arguments::ProjectArguments;
use crate::error::Exit;
use crate::output::print_answer;
use crate::phrase;
use crate::printer::Printer;
use crate::settings::Settings;

const EXAMPLES: &str = "\
Examples:
  evalhouse fields latest
  evalhouse fields prompt-v2 --where \"error is not null\" --format csv

Lists the paths inside input, output, expected and metadata: types, share of
rows, different values, an example. A path can be used in --where, --key,
--columns, --group-by and as a custom column. Those with [*], any element of a
list, only tell what is there: use [0], [-1] or `includes`.";

/// Options of `fields`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct FieldsArguments {
    /// An experiment: id, name, PROJECT/NAME, latest, latest:BRANCH, baseline
    experiment: String,
    /// Only cases for which this is true
    #[arg(long = "where", value_name = "EXPR")]
    filter: Option<String>,
    #[command(flatten)]
    project: ProjectArguments,
}

pub(crate) async fn run(
    mut arguments: FieldsArguments,
    settings: &Settings,
    printer: &Printer,
) -> anyhow::Result<Exit> {
    let session = settings.open_session().await?;
    let project = arguments.project.project.as_deref();
    let experiment = evalhouse_analysis::select(&session, &arguments.experiment, project)?;
    phrase::resolve_unordered(&session, &mut arguments.filter, &[&experiment], printer).await?;
    let list = evalhouse_analysis::fields(&session, &experiment, arguments.filter.as_deref()).await?;
    print_answer(&list, false, settings, printer)?;
    Ok(Exit::Done)
}
