//! `evalhouse sql`: SQL over all experiments.

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use evalhouse_report::Format;

use crate::cancel::interruptible;
use crate::error::{Exit, InputError};
use crate::output::Target;
use crate::printer::Printer;
use crate::query;
use crate::settings::Settings;
use crate::shell::{self, Shell};

const EXAMPLES: &str = "\
Examples:
  evalhouse sql
  evalhouse sql \"SELECT experiment, avg(scores.Factuality) FROM cases GROUP BY 1\"
  evalhouse sql -f report.sql --format csv
  echo 'SELECT count(*) FROM spans' | evalhouse sql

Tables: spans, cases, scores, experiments, projects, datasets. Fields of JSON are
written as paths: metadata.model, input.messages[0].content. Without a query on a
terminal a shell opens: \\? lists its commands.";

/// Options of `sql`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct SqlArguments {
    /// The query; several are separated by ;
    query: Option<String>,
    /// File to read queries from; - is standard input
    #[arg(long, short, value_name = "FILE", conflicts_with = "query")]
    file: Option<PathBuf>,
    /// File to write the rows to; its ending chooses the format
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(crate) async fn run(arguments: SqlArguments, settings: &Settings, printer: &Printer) -> anyhow::Result<Exit> {
    let has_query = arguments.query.is_some() || arguments.file.is_some();
    if !has_query && std::io::stdin().is_terminal() {
        let session = settings.open_session().await?;
        return Shell::new(session, settings.clone(), *printer).run().await;
    }
    let target = Target::resolve(arguments.output, Format::Table, settings, printer)?;
    let text = match (arguments.query, arguments.file) {
        (Some(query), _) => query,
        (None, Some(path)) if path.as_os_str() != "-" => read_file(&path)?,
        (None, _) => read_standard_input()?,
    };
    interruptible(run_statements(&text, &target, settings, printer)).await
}

fn read_file(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| InputError::new(format!("cannot read `{}`", path.display())))
}

fn read_standard_input() -> anyhow::Result<String> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
    Ok(text)
}

async fn run_statements(text: &str, target: &Target, settings: &Settings, printer: &Printer) -> anyhow::Result<Exit> {
    let statements = shell::statements(text);
    if statements.is_empty() {
        return Err(InputError::new("there is no query").into());
    }
    if statements.len() > 1 && target.takes_one() {
        let message = format!("{} queries do not fit in one file", statements.len());
        return Err(InputError::with_hint(message, "run them one by one").into());
    }
    let session = settings.open_session().await?;
    for statement in statements {
        let rows = query::start(&session, statement).await?;
        target.write(rows, settings, printer).await?;
    }
    Ok(Exit::Done)
}
