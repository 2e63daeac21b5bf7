//! `evalhouse bench-analyses`: times whole answers in one process, for `make bench`.

use std::io::Write;
use std::time::Instant;

use clap::Args;
use evalhouse_analysis::{
    DiffOptions, GroupOptions, HistoryOptions, LeaderboardOptions, Selected, diff, groups, history, leaderboard,
    select, select_all,
};
use evalhouse_report::Format;
use evalhouse_session::Session;
use indexmap::IndexMap;
use serde_json::Value;

use crate::error::{Exit, InputError};
use crate::printer::Printer;
use crate::settings::Settings;

/// Options of `bench-analyses`.
#[derive(Debug, Args)]
pub(crate) struct BenchAnalysesArguments {
    /// The project
    project: String,
    /// The experiment to compare with
    base: String,
    /// The experiment to judge
    candidate: String,
    /// Timed runs of each answer, after one that is not
    #[arg(long, default_value_t = 5)]
    runs: usize,
}

/// The answers that are timed.
const ANSWERS: [&str; 5] = ["history", "summary", "groups", "diff", "groups of all"];
/// The field that groups are made of.
const FIELD: &str = "metadata.category";

pub(crate) async fn run(
    arguments: BenchAnalysesArguments,
    settings: &Settings,
    printer: &Printer,
) -> anyhow::Result<Exit> {
    if arguments.runs == 0 {
        return Err(InputError::new("--runs has to be above 0").into());
    }
    let session = settings.open_session().await?;
    let (mut times, mut answers) = (IndexMap::new(), IndexMap::new());
    for name in ANSWERS {
        answers.insert(name, answer(&session, name, &arguments).await?);
        let mut of_runs = Vec::with_capacity(arguments.runs);
        for _ in 0..arguments.runs {
            let started = Instant::now();
            answer(&session, name, &arguments).await?;
            of_runs.push(started.elapsed().as_secs_f64() * 1_000.0);
        }
        of_runs.sort_by(f64::total_cmp);
        times.insert(name, of_runs[of_runs.len() / 2]);
    }
    let mut out = printer.answer(Format::Json);
    serde_json::to_writer(&mut out, &serde_json::json!({ "times": times, "answers": answers }))?;
    writeln!(out)?;
    out.flush()?;
    Ok(Exit::Done)
}

async fn answer(session: &Session, name: &str, arguments: &BenchAnalysesArguments) -> anyhow::Result<Value> {
    let project = Some(arguments.project.as_str());
    let pair = || -> anyhow::Result<(Selected, Selected)> {
        Ok((select(session, &arguments.base, project)?, select(session, &arguments.candidate, project)?))
    };
    let by_field = GroupOptions { by: vec![FIELD.into()], ..GroupOptions::default() };
    Ok(match name {
        "history" => serde_json::to_value(history(session, &arguments.project, &HistoryOptions::default()).await?)?,
        "summary" => {
            let all = select_all(session, project)?;
            let all: Vec<&Selected> = all.iter().collect();
            serde_json::to_value(leaderboard(session, &all, &LeaderboardOptions::default()).await?)?
        }
        "groups" => serde_json::to_value(groups(session, &[&pair()?.1], &by_field).await?)?,
        "diff" => {
            let (base, candidate) = pair()?;
            serde_json::to_value(diff(session, &base, &candidate, &DiffOptions::default()).await?)?
        }
        _ => {
            let all = select_all(session, project)?;
            let all: Vec<&Selected> = all.iter().collect();
            let pooled = GroupOptions { pooled: true, ..by_field };
            serde_json::to_value(groups(session, &all, &pooled).await?)?
        }
    })
}
