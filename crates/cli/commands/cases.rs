//! `evalhouse cases`: the cases of one experiment.

use clap::{Args, ValueEnum};
use evalhouse_analysis::{Aggregate, Alignment, CasesOptions, GroupOptions, Reducer, Selected};
use evalhouse_language::split_at_commas;
use evalhouse_report::Format;

use crate::arguments::{CaseArguments, ProjectArguments};
use crate::error::Exit;
use crate::output::print_answer;
use crate::phrase;
use crate::printer::Printer;
use crate::settings::Settings;

/// Rows that text shows unless told otherwise; files get all of them.
const TEXT_ROWS: usize = 50;
/// More rows than any table of cases has.
const ALL_ROWS: usize = u32::MAX as usize;

const EXAMPLES: &str = "\
Examples:
  evalhouse cases prompt-v2 --where \"scores.Factuality < 0.5\"
  evalhouse cases prompt-v2 --against baseline --sort regressions:Factuality
  evalhouse cases prompt-v2 --sort 'metrics.duration desc' --limit 5
  evalhouse cases prompt-v2 --against baseline --where \"regressed(Factuality)\"
  evalhouse cases prompt-v2 --group-by metadata.category --group-by metadata.tier
  evalhouse cases prompt-v2 --columns input,output,scores.Factuality
  evalhouse cases prompt-v2 --format csv > cases.csv

Show what happened in one of them with: evalhouse trace prompt-v2 ID";

/// Options of `cases`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct CasesArguments {
    /// An experiment: id, name, PROJECT/NAME, latest, latest:BRANCH, baseline
    experiment: String,
    /// Experiment to compare each case with
    #[arg(long, value_name = "BASE")]
    against: Option<String>,
    #[command(flatten)]
    cases: CaseArguments,
    #[command(flatten)]
    groups: GroupArguments,
    #[command(flatten)]
    shown: ShownCases,
    #[command(flatten)]
    project: ProjectArguments,
}

/// Which cases are shown, in which order, and what of them.
#[derive(Debug, Default, Args)]
pub(crate) struct ShownCases {
    /// Order: regressions:SCORE, improvements:SCORE, or EXPR [asc|desc], by commas
    #[arg(long, value_name = "ORDER")]
    pub(super) sort: Vec<String>,
    /// Expressions to show, by commas: input.question,scores.Factuality
    #[arg(long, value_name = "EXPR", conflicts_with = "group_by")]
    columns: Vec<String>,
    /// Which trial of the base each row is held against
    #[arg(long, value_name = "TRIAL", default_value = "index", conflicts_with = "group_by")]
    align: AlignmentName,
    /// Rows to show [default: 50 as text, all otherwise]
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
}

/// Which trial of the base lines up.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(crate) enum AlignmentName {
    /// The one of the same index, else the mean
    #[default]
    Index,
    /// The one whose scores are nearest
    Closest,
    /// The one against which the row does worst
    Worst,
}

impl From<AlignmentName> for Alignment {
    fn from(name: AlignmentName) -> Self {
        match name {
            AlignmentName::Index => Self::Index,
            AlignmentName::Closest => Self::Closest,
            AlignmentName::Worst => Self::Worst,
        }
    }
}

/// How cases are grouped instead of listed.
#[derive(Debug, Default, Args)]
pub(crate) struct GroupArguments {
    /// Sums up groups of cases instead: metadata.category; repeat to nest
    #[arg(long, value_name = "EXPR")]
    pub(crate) group_by: Vec<String>,
    /// How the scores of a group are summed up: avg, min, max, sum, median, count, stddev, p90
    #[arg(long, value_name = "NAME", default_value = "avg", requires = "group_by")]
    pub(crate) aggregate: Aggregate,
}

impl GroupArguments {
    /// What to ask for, if groups are asked for.
    pub(crate) fn options(
        &self,
        cases: &CaseArguments,
        shown: &ShownCases,
        cluster: Option<String>,
        reducer: Option<Reducer>,
    ) -> Option<GroupOptions> {
        if self.group_by.is_empty() {
            return None;
        }
        Some(GroupOptions {
            by: expressions(&self.group_by),
            aggregate: self.aggregate,
            key: cases.key.clone(),
            filter: cases.filter.clone(),
            cluster,
            reducer,
            sort: shown.sort.first().cloned(),
            limit: shown.limit,
            pooled: false,
        })
    }
}

impl ShownCases {
    /// Takes the order that a phrase asks for, where no other one is given.
    pub(crate) fn order_by(&mut self, order: Option<String>) {
        if self.sort.is_empty() {
            self.sort.extend(order);
        }
    }

    /// What to ask for, in this format.
    pub(crate) fn options(self, against: Option<Selected>, cases: CaseArguments, format: Format) -> CasesOptions {
        let is_text = matches!(format, Format::Table | Format::Markdown);
        let columns = expressions(&self.columns);
        CasesOptions {
            against,
            key: cases.key,
            filter: cases.filter,
            sort: expressions(&self.sort),
            columns: if columns.is_empty() { None } else { Some(columns) },
            align: self.align.into(),
            filter_base: false,
            limit: self.limit.or(Some(if is_text { TEXT_ROWS } else { ALL_ROWS })),
            ..CasesOptions::default()
        }
    }
}

/// The expressions of a list with commas between them; commas inside brackets and quotes stay.
pub(super) fn expressions(texts: &[String]) -> Vec<String> {
    let parts = texts.iter().flat_map(|text| split_at_commas(text));
    parts.map(str::trim).filter(|part| !part.is_empty()).map(str::to_string).collect()
}

pub(crate) async fn run(mut arguments: CasesArguments, settings: &Settings, printer: &Printer) -> anyhow::Result<Exit> {
    let session = settings.open_session().await?;
    let project = arguments.project.project.as_deref();
    let experiment = evalhouse_analysis::select(&session, &arguments.experiment, project)?;
    let against = match &arguments.against {
        Some(base) => Some(evalhouse_analysis::select_baseline(&session, base, &experiment)?),
        None => None,
    };
    let sides: Vec<&Selected> = against.iter().chain([&experiment]).collect();
    let sort = phrase::resolve(&session, &mut arguments.cases.filter, &sides, printer).await?;
    arguments.shown.order_by(sort);
    if let Some(options) = arguments.groups.options(&arguments.cases, &arguments.shown, None, None) {
        let groups = evalhouse_analysis::groups(&session, &sides, &options).await?;
        print_answer(&groups, false, settings, printer)?;
        return Ok(Exit::Done);
    }
    let options = arguments.shown.options(against, arguments.cases, settings.format.unwrap_or_default());
    let table = evalhouse_analysis::cases(&session, &experiment, &options).await?;
    print_answer(&table, false, settings, printer)?;
    Ok(Exit::Done)
}
