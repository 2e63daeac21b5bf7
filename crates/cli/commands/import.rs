//! `evalhouse import`: stores eval results.

use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use evalhouse_import::{Format, ImportRequest};
use evalhouse_store::Store;

use crate::error::{Exit, InputError};
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

  evalhouse import 's3://bucket/logs/*.eval' --project nightly
  evalhouse import results.csv --explain

The format of each file is told from its content; .gz, .zst, .zip and .tar are
read as they are. Importing the same file again changes nothing. In a folder,
files that are no eval results are skipped and listed.

A bad row stops its experiment, and nothing of it is stored; the others are
imported all the same, and the exit status is 2.";

/// Options of `import`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ImportArguments {
    /// Files, folders, globs, URLs of object stores; - is standard input
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
    /// What a column is: input=question, scores.f1=F1, metadata.split=split [default: guessed]
    #[arg(long = "column", value_name = "ROLE=NAME", value_parser = parse_column)]
    columns: Vec<(String, String)>,
    /// JSON file of such pairs: {"input": "question", "scores.f1": "F1"}
    #[arg(long, value_name = "FILE")]
    columns_from: Option<PathBuf>,
    /// Says what each file is, what becomes of what, and shows the first cases; stores nothing
    #[arg(long)]
    explain: bool,
    /// Skips bad rows and counts them, instead of giving up their experiment
    #[arg(long)]
    keep_going: bool,
}

pub(crate) async fn run(arguments: ImportArguments, settings: &Settings, printer: &Printer) -> anyhow::Result<Exit> {
    refuse_binary_on_terminal(settings.format.unwrap_or_default(), printer)?;
    let mut columns = arguments.columns;
    if let Some(file) = &arguments.columns_from {
        let given: Vec<String> = columns.iter().map(|(role, _)| role.clone()).collect();
        columns.extend(read_columns(file)?.into_iter().filter(|(role, _)| !given.contains(role)));
    }
    let request = ImportRequest {
        columns,
        paths: arguments.paths,
        project: arguments.project,
        experiment: arguments.experiment,
        from: arguments.from,
        keep_going: arguments.keep_going,
    };
    if arguments.explain {
        let explanation = evalhouse_import::explain_import(request).await?;
        print_answer(&explanation, false, settings, printer)?;
        return Ok(if explanation.failed.is_empty() { Exit::Done } else { Exit::Input });
    }
    let store = Store::create(&settings.store).await?;
    let progress = progress::start(printer);
    let report = evalhouse_import::import(&store, request, progress.watcher()).await;
    drop(progress);
    let report = report?;
    print_answer(&report, false, settings, printer)?;
    Ok(if report.failed.is_empty() { Exit::Done } else { Exit::Input })
}

fn format_parser() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::all().map(Format::name).collect::<Vec<_>>())
        .try_map(|name| name.parse::<Format>())
}

fn parse_column(text: &str) -> Result<(String, String), String> {
    let (role, column) = text.split_once('=').ok_or("expected ROLE=NAME, such as input=question")?;
    Ok((role.to_string(), column.to_string()))
}

/// The pairs of a file; a role that the command line gives is its own.
fn read_columns(file: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let refused = |problem: String| {
        InputError::with_hint(
            format!("{}: {problem}", file.display()),
            r#"write an object of roles and columns: {"input": "question", "scores.f1": "F1"}"#,
        )
    };
    let text = std::fs::read_to_string(file).map_err(|error| refused(error.to_string()))?;
    let pairs: indexmap::IndexMap<String, String> =
        serde_json::from_str(&text).map_err(|error| refused(error.to_string()))?;
    Ok(pairs.into_iter().collect())
}
