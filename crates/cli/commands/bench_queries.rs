//! `evalhouse bench-queries`: times queries in one process, for `make bench`.

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use evalhouse_report::{Format, json_rows};
use evalhouse_session::Session;
use serde::{Deserialize, Serialize};

use crate::error::{Exit, InputError};
use crate::printer::Printer;
use crate::settings::Settings;

/// Options of `bench-queries`.
#[derive(Debug, Args)]
pub(crate) struct BenchQueriesArguments {
    /// JSON: [{"name": …, "sql": …}]
    file: PathBuf,
    /// Timed runs of each query, after one that is not
    #[arg(long, default_value_t = 5)]
    runs: usize,
}

#[derive(Debug, Deserialize)]
struct Query {
    name: String,
    sql: String,
}

/// The times of one query and its answer.
#[derive(Debug, Serialize)]
struct Timing {
    name: String,
    median_ms: f64,
    min_ms: f64,
    rows: Vec<Vec<serde_json::Value>>,
}

pub(crate) async fn run(
    arguments: BenchQueriesArguments,
    settings: &Settings,
    printer: &Printer,
) -> anyhow::Result<Exit> {
    let place = || InputError::new(format!("cannot read `{}`", arguments.file.display()));
    let text = std::fs::read_to_string(&arguments.file).with_context(place)?;
    let queries: Vec<Query> = serde_json::from_str(&text).with_context(place)?;
    if arguments.runs == 0 {
        return Err(InputError::new("--runs has to be above 0").into());
    }
    let session = settings.open_session().await?;
    let mut timings = Vec::with_capacity(queries.len());
    for query in queries {
        timings.push(time(&session, query, arguments.runs).await?);
    }
    let mut out = printer.answer(Format::Json);
    serde_json::to_writer_pretty(&mut out, &timings)?;
    writeln!(out)?;
    out.flush()?;
    Ok(Exit::Done)
}

async fn time(session: &Session, query: Query, runs: usize) -> anyhow::Result<Timing> {
    let batches = session.sql(&query.sql).await?.collect().await?;
    let mut times: Vec<Duration> = Vec::with_capacity(runs);
    for _ in 0..runs {
        let start = Instant::now();
        session.sql(&query.sql).await?.collect().await?;
        times.push(start.elapsed());
    }
    times.sort();
    let milliseconds = |time: Option<&Duration>| time.map_or(f64::NAN, |time| time.as_secs_f64() * 1000.0);
    Ok(Timing {
        name: query.name,
        median_ms: milliseconds(times.get(times.len() / 2)),
        min_ms: milliseconds(times.first()),
        rows: json_rows(&batches)?,
    })
}
