//! `evalhouse btql`: runs a BTQL query.

use std::path::PathBuf;

use clap::Args;
use evalhouse_language::{is_sql, parse_query, query_from_json};
use evalhouse_report::Format;
use evalhouse_session::SessionError;

use crate::error::{Exit, InputError};
use crate::output::Target;
use crate::printer::Printer;
use crate::settings::Settings;

const EXAMPLES: &str = "\
Examples:
  evalhouse btql \"select: id, scores.Factuality | from: experiment('v2') | filter: error is null | limit: 5\"
  evalhouse btql \"dimensions: metadata.category | measures: avg(scores.Factuality) as f, count(1) as n
                  | from: experiment('v2') summary | sort: f\"
  evalhouse btql '{\"select\": [{\"op\": \"star\"}], \"from\": {\"op\": \"function\", …}}' --format jsonl

A query in text or in the JSON form that the Braintrust SDKs send. Rows come newest
first; _pagination_key of the last row is the cursor of the next page. A query that
begins with SELECT is run as SQL.";

/// Options of `btql`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct BtqlArguments {
    /// The query
    query: String,
    /// File to write the rows to; its ending chooses the format
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(crate) async fn run(arguments: BtqlArguments, settings: &Settings, printer: &Printer) -> anyhow::Result<Exit> {
    let text = arguments.query.as_str();
    let session = settings.open_session().await?;
    let target = Target::resolve(arguments.output, Format::Table, settings, printer)?;
    if is_sql(text) {
        let rows = crate::query::start(&session, text).await?;
        target.write(rows, settings, printer).await?;
        return Ok(Exit::Done);
    }
    let wrong = |error| SessionError::Language { text: text.into(), error };
    let query = if text.trim_start().starts_with('{') {
        let json: serde_json::Value =
            serde_json::from_str(text).map_err(|error| InputError::new(format!("the query is no JSON: {error}")))?;
        query_from_json(&json)
    } else {
        parse_query(text)
    };
    let frame = session.btql(&query.map_err(wrong)?).await.map_err(|error| match error {
        SessionError::Language { error, .. } => wrong(error),
        other => other,
    })?;
    let rows = frame.execute_stream().await.map_err(|error| session.run_error(error))?;
    target.write(rows, settings, printer).await?;
    Ok(Exit::Done)
}
