//! What may be typed: the options of every command, and the list of commands.

use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser};
use evalhouse_report::Format;

use crate::commands::Command;

const EXAMPLES: &str = "\
Examples:
  evalhouse import results/ --project support-bot
  evalhouse experiments
  evalhouse diff baseline prompt-v2
  evalhouse sql \"SELECT experiment, avg(scores.Factuality) FROM cases GROUP BY 1\"

An EXPERIMENT is an id, a name, PROJECT/NAME, or a rule: latest, latest:BRANCH,
baseline.

Exit status: 0 done, 2 your input, 4 our fault or the store's, 130 interrupted.";

/// Analytics for LLM eval experiments: import, compare, query
#[derive(Debug, Parser)]
#[command(name = "evalhouse", version, after_long_help = EXAMPLES, max_term_width = 100)]
#[command(override_usage = "evalhouse [OPTIONS] <COMMAND>")]
pub(crate) struct Arguments {
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: GlobalArguments,
    /// What to do; nothing shows what there is.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArguments {
    /// Where the store is: a folder, or a URL (s3://, gs://, az://)
    #[arg(long, global = true, value_name = "URL", env = "EVALHOUSE_STORE", default_value = "./.evalhouse")]
    #[arg(hide_env_values = true)]
    pub(crate) store: String,
    /// How the answer is written
    #[arg(long, global = true, value_parser = format_parser(), hide_possible_values = false)]
    pub(crate) format: Option<Format>,
    /// Writes ' before CSV text that a spreadsheet would run as a formula
    #[arg(long, global = true)]
    pub(crate) spreadsheet_safe: bool,
    /// Prints the answer and errors, nothing else
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Memory that queries may take before they use the disk: 500M, 4G
    #[arg(long, global = true, value_name = "SIZE", value_parser = parse_size, hide_short_help = true)]
    pub(crate) memory_limit: Option<usize>,
    /// Threads that work on a query [default: all cores]
    #[arg(long, global = true, value_name = "N", value_parser = parse_threads, hide_short_help = true)]
    pub(crate) threads: Option<usize>,
}

/// Which cases are compared, and which are the same case.
#[derive(Debug, Default, Args)]
pub(crate) struct CaseArguments {
    /// Expression that says which rows are the same case [default: input]
    #[arg(long, value_name = "EXPR")]
    pub(crate) key: Option<String>,
    /// Only cases for which this is true: scores.Factuality < 0.5
    #[arg(long = "where", value_name = "EXPR")]
    pub(crate) filter: Option<String>,
}

/// Where experiments are looked for.
#[derive(Debug, Default, Args)]
pub(crate) struct ProjectArguments {
    /// Only experiments of this project
    #[arg(long, short, value_name = "NAME")]
    pub(crate) project: Option<String>,
}

fn format_parser() -> impl TypedValueParser<Value = Format> {
    let values = Format::ALL.map(|format| PossibleValue::new(format.name()).help(format.description()));
    PossibleValuesParser::new(values).try_map(|name| name.parse::<Format>())
}

/// Reads `500M`, `4G`, `1073741824`.
pub(crate) fn parse_size(text: &str) -> Result<usize, String> {
    let digits_end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(digits_end);
    let number: usize = digits.parse().map_err(|_| "expected a number like 500M or 4G".to_string())?;
    let factor: usize = match unit.to_ascii_uppercase().trim_end_matches('B') {
        "" => 1,
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        _ => return Err(format!("unknown unit `{unit}`, expected K, M or G")),
    };
    number.checked_mul(factor).filter(|size| *size > 0).ok_or_else(|| "out of range".to_string())
}

/// Reads `30s`, `12h`, `7d`.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let digits_end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(digits_end);
    let number: u64 = digits.parse().map_err(|_| "expected a time such as 30s, 12h or 7d".to_string())?;
    let seconds: u64 = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return Err(format!("unknown unit `{unit}`, expected s, m, h, d or w")),
    };
    number.checked_mul(seconds).map(Duration::from_secs).ok_or_else(|| "out of range".to_string())
}

fn parse_threads(text: &str) -> Result<usize, String> {
    let threads = text.parse::<usize>().ok().filter(|threads| *threads > 0);
    threads.ok_or_else(|| "expected a number above 0".to_string())
}
