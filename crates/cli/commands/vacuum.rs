//! `evalhouse vacuum`: removes files that nothing needs.

use std::time::Duration;

use clap::Args;
use evalhouse_model::VacuumReport;
use evalhouse_store::Store;

use crate::arguments::parse_duration;
use crate::error::{Exit, InputError};
use crate::output::print_answer;
use crate::printer::Printer;
use crate::settings::Settings;

const EXAMPLES: &str = "\
Examples:
  evalhouse vacuum --dry-run
  evalhouse vacuum
  evalhouse vacuum --retain 1d

Removes data files that the store does not list any more and that are older than
the retention: those that were replaced or merged, and those of writers that died.
A reader or writer that started longer ago than the retention may miss its files.";

/// The retention below which running readers and writers are in danger.
const SAFE: Duration = Duration::from_secs(3_600);

/// Options of `vacuum`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct VacuumArguments {
    /// Keeps files younger than this: 30m, 12h, 7d
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "7d")]
    retain: Duration,
    /// Allows a retention of less than an hour: nobody else may be using the store
    #[arg(long)]
    force: bool,
    /// Says what would be removed, and removes nothing
    #[arg(long)]
    dry_run: bool,
}

pub(crate) async fn run(arguments: VacuumArguments, settings: &Settings, printer: &Printer) -> anyhow::Result<Exit> {
    if arguments.retain < SAFE && !arguments.force && !arguments.dry_run {
        return Err(InputError::with_hint(
            "a retention of less than an hour takes files from readers and writers that are running",
            "--force, if nobody else is using the store",
        )
        .into());
    }
    let store = Store::open(&settings.store).await?;
    let outcome = store.vacuum(arguments.retain, arguments.dry_run).await?;
    let report = VacuumReport {
        files: i64::try_from(outcome.files).unwrap_or(i64::MAX),
        bytes: i64::try_from(outcome.bytes).unwrap_or(i64::MAX),
        dry_run: arguments.dry_run,
    };
    print_answer(&report, false, settings, printer)?;
    Ok(Exit::Done)
}
