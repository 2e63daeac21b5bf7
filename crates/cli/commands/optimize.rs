//! `evalhouse optimize`: merges small files into large ones.

use std::time::Instant;

use clap::Args;
use evalhouse_model::OptimizeReport;
use evalhouse_store::OptimizeOptions;

use crate::arguments::{ProjectArguments, parse_size};
use crate::error::Exit;
use crate::output::print_answer;
use crate::printer::Printer;
use crate::settings::Settings;

const EXAMPLES: &str = "\
Examples:
  evalhouse optimize
  evalhouse optimize --project support-bot --target-size 256M

Every import writes files of its own; a question over a thousand experiments opens
a thousand of them. Merged, they are a few, and one experiment is still found
without reading the others. The project's comparison key is stored with its cases,
so that matching by it costs what the default key does.";

/// Options of `optimize`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct OptimizeArguments {
    #[command(flatten)]
    project: ProjectArguments,
    /// Bytes that make one file
    #[arg(long, value_name = "SIZE", value_parser = parse_size, default_value = "128M")]
    target_size: usize,
}

pub(crate) async fn run(arguments: OptimizeArguments, settings: &Settings, printer: &Printer) -> anyhow::Result<Exit> {
    let session = settings.open_session().await?;
    let options = OptimizeOptions { project: arguments.project.project, target_bytes: arguments.target_size as u64 };
    let started = Instant::now();
    let outcome = session.optimize(&options).await?;
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let bytes = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let report = OptimizeReport {
        files_before: count(outcome.files_before),
        files_after: count(outcome.files_after),
        merged: count(outcome.merged),
        bytes_before: bytes(outcome.bytes_before),
        bytes_after: bytes(outcome.bytes_after),
        keyed: count(outcome.keyed),
        seconds: started.elapsed().as_secs_f64(),
        warnings: outcome.warnings,
    };
    print_answer(&report, false, settings, printer)?;
    Ok(Exit::Done)
}
