//! `evalhouse doctor`: what became of the sources of experiments.

use clap::Args;
use evalhouse_import::{is_skipping, meaning_of};
use evalhouse_model::{DoctorReport, Experiment, ExperimentCheckup, Finding};
use evalhouse_store::Store;

use crate::error::{Exit, InputError};
use crate::output::print_answer;
use crate::printer::Printer;
use crate::settings::Settings;

const EXAMPLES: &str = "\
Examples:
  evalhouse doctor
  evalhouse doctor --project nightly
  evalhouse doctor my-run --format json

Lists experiments with the file that they came from, how many of the declared
rows are stored, and each thing that the import skipped or tolerated, with its
meaning. docs/import.md lists all of them.";

/// Options of `doctor`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct DoctorArguments {
    /// Name or id of one experiment [default: all]
    #[arg(value_name = "EXPERIMENT")]
    experiment: Option<String>,
    /// Experiments of this project alone
    #[arg(long, short, value_name = "NAME")]
    project: Option<String>,
}

pub(crate) async fn run(arguments: DoctorArguments, settings: &Settings, printer: &Printer) -> anyhow::Result<Exit> {
    let store = Store::open(&settings.store).await?;
    let mut experiments = store.experiments().await?;
    experiments.retain(|one| is_wanted(one, &arguments));
    if experiments.is_empty() && (arguments.experiment.is_some() || arguments.project.is_some()) {
        let name = arguments.experiment.or(arguments.project).unwrap_or_default();
        let message = format!("there is no experiment or project `{name}` in the store");
        return Err(InputError::with_hint(&message, "`evalhouse experiments` lists them").into());
    }
    experiments.sort_by(|a, b| (&a.project, &a.name).cmp(&(&b.project, &b.name)));
    let report = DoctorReport { experiments: experiments.into_iter().map(checkup).collect() };
    print_answer(&report, false, settings, printer)?;
    Ok(Exit::Done)
}

fn is_wanted(experiment: &Experiment, arguments: &DoctorArguments) -> bool {
    let is_named = |name: &String| {
        *name == experiment.name
            || *name == experiment.id
            || *name == format!("{}/{}", experiment.project, experiment.name)
    };
    arguments.experiment.as_ref().is_none_or(is_named)
        && arguments.project.as_ref().is_none_or(|project| *project == experiment.project)
}

fn checkup(experiment: Experiment) -> ExperimentCheckup {
    let finding = |(reason, count): (String, i64)| Finding {
        is_skipped: is_skipping(&reason),
        meaning: meaning_of(&reason).unwrap_or_default().to_string(),
        reason,
        count,
    };
    ExperimentCheckup {
        project: experiment.project,
        experiment: experiment.name,
        id: experiment.id,
        format: experiment.format,
        source: experiment.source,
        status: experiment.status,
        rows: experiment.rows,
        cases: experiment.cases,
        spans: experiment.spans,
        declared_total: experiment.declared_total,
        findings: experiment.notes.into_iter().map(finding).collect(),
    }
}
