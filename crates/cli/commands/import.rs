//! `evalhouse import`: stores eval results.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use evalhouse_import::{Format, ImportRequest};
use evalhouse_store::Store;

use crate::error::Exit;
use crate::output::{print_answer, refuse_binary_on_terminal};
use crate::printer::Printer;
use crate::progress;
use crate::settings::Settings;

const EXAMPLES: &str = "\
Examples:
  evalhouse import results.jsonl
  evalhouse import runs/ --project support-bot
  evalhouse import 'runs/*.jsonl.gz' --keep-going
  curl -s https://example.org/rows.jsonl | evalhouse import - --experiment nightly

The format of each file is told from its content; .gz and .zst are read as they
are. Importing the same file again changes nothing. In a folder, files that are
no eval results are skipped and listed.

A bad row stops its experiment, and nothing of it is stored; the others are
imported all the same, and the exit status is 2.";

/// Options of `import`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ImportArguments {
    /// Files, folders or globs; - is standard input
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<String>,
    /// Project of everything imported [default: what the rows or the folder say]
    #[arg(long, short, value_name = "NAME")]
    project: Option<String>,
    /// Name of the experiment, for a single file [default: what the rows or the file say]
    #[arg(long, short, value_name = "NAME")]
    experiment: Option<String>,
    /// Format of the files [default: told from their content]
    #[arg(long, value_name = "FORMAT", value_parser = format_parser())]
    from: Option<Format>,
    /// Skips bad rows and counts them, instead of giving up their experiment
    #[arg(long)]
    keep_going: bool,
}

pub(crate) async fn run(arguments: ImportArguments, settings: &Settings, printer: &Printer) -> anyhow::Result<Exit> {
    refuse_binary_on_terminal(settings.format.unwrap_or_default(), printer)?;
    let store = Store::create(&settings.store).await?;
    let request = ImportRequest {
        paths: arguments.paths,
        project: arguments.project,
        experiment: arguments.experiment,
        from: arguments.from,
        keep_going: arguments.keep_going,
    };
    let progress = progress::start(printer);
    let report = evalhouse_import::import(&store, request, progress.watcher()).await;
    drop(progress);
    let report = report?;
    print_answer(&report, false, settings, printer)?;
    Ok(if report.failed.is_empty() { Exit::Done } else { Exit::Input })
}

fn format_parser() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.map(Format::name)).try_map(|name| name.parse::<Format>())
}
