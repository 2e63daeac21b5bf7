//! `evalhouse export`: the rows of one experiment, as a file.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use evalhouse_analysis::{ExportOptions, ExportShape};
use evalhouse_report::Format;

use crate::arguments::ProjectArguments;
use crate::error::Exit;
use crate::output::Target;
use crate::printer::Printer;
use crate::settings::Settings;

const EXAMPLES: &str = "\
Examples:
  evalhouse export prompt-v2 -o prompt-v2.parquet
  evalhouse export prompt-v2 --format csv --spreadsheet-safe > rows.csv
  evalhouse export prompt-v2 --all-fields | gzip > prompt-v2.jsonl.gz

A row is a span, with scores and metrics as JSON; an export of spans as JSON lines
can be imported again and gives the same tables. In csv, table and markdown a row
is a case instead, with a column for each score and metric.";

/// Options of `export`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ExportArguments {
    /// An experiment: id, name, PROJECT/NAME, latest, latest:BRANCH, baseline
    experiment: String,
    /// File to write; its ending chooses the format [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Writes every stored field, not only the usual ones
    #[arg(long)]
    all_fields: bool,
    /// What a row is [default: cases as csv, table or markdown, spans otherwise]
    #[arg(long, value_name = "WHAT", value_parser = shape_parser())]
    rows: Option<ExportShape>,
    #[command(flatten)]
    project: ProjectArguments,
}

pub(crate) async fn run(arguments: ExportArguments, settings: &Settings, printer: &Printer) -> anyhow::Result<Exit> {
    let target = Target::resolve(arguments.output, Format::Jsonl, settings, printer)?;
    let session = settings.open_session().await?;
    let project = arguments.project.project.as_deref();
    let experiment = evalhouse_analysis::select(&session, &arguments.experiment, project)?;
    let shape = arguments.rows.unwrap_or(usual_shape(target.format()));
    let options = ExportOptions { shape, all_fields: arguments.all_fields };
    let rows = evalhouse_analysis::export(&session, &experiment, &options).await?;
    target.write(rows, settings, printer).await?;
    Ok(Exit::Done)
}

fn shape_parser() -> impl TypedValueParser<Value = ExportShape> {
    PossibleValuesParser::new(["spans", "cases"]).map(|name| match name.as_str() {
        "cases" => ExportShape::Cases,
        _ => ExportShape::Spans,
    })
}

/// Formats that people read in rows and columns get flat rows.
fn usual_shape(format: Format) -> ExportShape {
    match format {
        Format::Csv | Format::Table | Format::Markdown => ExportShape::Cases,
        Format::Json | Format::Jsonl | Format::Parquet | Format::Arrow => ExportShape::Spans,
    }
}
