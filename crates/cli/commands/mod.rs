//! One file a command: its options, and what it does.

mod agreement;
mod bench_analyses;
mod bench_queries;
mod btql;
mod cases;
mod diff;
mod doctor;
mod experiments;
mod explain;
mod export;
mod fields;
mod generate_docs;
mod history;
mod import;
mod keys;
mod optimize;
mod query;
mod serve;
mod settings;
mod show;
mod sql;
mod summary;
mod trace;
mod trials;
mod vacuum;

use clap::Subcommand;

use crate::cancel::interruptible;
use crate::error::Exit;
use crate::printer::Printer;
use crate::settings::Settings;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Stores eval results: files, folders, globs, standard input
    Import(import::ImportArguments),
    /// Lists experiments with the mean of each score
    Experiments(experiments::ExperimentsArguments),
    /// Sums up one experiment: scores, metrics, where it came from
    Show(show::ShowArguments),
    /// Lists the cases of an experiment, perhaps against a baseline
    Cases(cases::CasesArguments),
    /// Compares two experiments case by case, with intervals and p-values
    Diff(diff::DiffArguments),
    /// Ranks experiments by a score, ties shown as ties, with what they cost
    Summary(summary::SummaryArguments),
    /// Shows the scores of a project over time, and where they changed
    History(history::HistoryArguments),
    /// Finds the slices of the cases that carry the change of a score
    Explain(explain::ExplainArguments),
    /// Shows how much the trials of each case agree, flaky cases first
    Trials(trials::TrialArguments),
    /// Shows how far two scores agree: kappa and the confusion matrix
    Agreement(agreement::AgreementArguments),
    /// Lists what filters, keys and columns can name: the fields of the cases
    Fields(fields::FieldsArguments),
    /// Shows what happened in one case: the tree of its spans
    Trace(trace::TraceArguments),
    /// Runs SQL over all experiments; without a query, opens a shell
    Sql(sql::SqlArguments),
    /// Runs a BTQL query, in text or JSON
    Btql(btql::BtqlArguments),
    /// Runs a query that has a name; without one, lists them
    Query(query::QueryArguments),
    /// Writes the rows of an experiment to a file
    Export(export::ExportArguments),
    /// Shows or changes how a project is read: its key, baselines, scores, columns
    Settings(settings::SettingsArguments),
    /// Tries comparison keys; makes, lists and revokes the API keys of the server
    Keys(keys::KeyArguments),
    /// Serves the store over HTTP: to the Braintrust SDKs, and every answer as JSON
    Serve(serve::ServeArguments),
    /// Says of each experiment what was imported, what was skipped, and why
    Doctor(doctor::DoctorArguments),
    /// Merges small files into large ones, for quick questions over many experiments
    Optimize(optimize::OptimizeArguments),
    /// Removes files that nothing needs any more
    Vacuum(vacuum::VacuumArguments),
    /// Times queries
    #[command(hide = true)]
    BenchQueries(bench_queries::BenchQueriesArguments),
    /// Times whole answers
    #[command(hide = true)]
    BenchAnalyses(bench_analyses::BenchAnalysesArguments),
    /// Writes the reference pages that are made from the program
    #[command(hide = true)]
    GenerateDocs(generate_docs::GenerateDocsArguments),
}

/// Runs a command to its end, or until Ctrl-C. The shell and the server handle Ctrl-C themselves.
pub(crate) async fn run(command: Command, settings: &Settings, printer: &Printer) -> anyhow::Result<Exit> {
    match command {
        Command::Sql(arguments) => sql::run(arguments, settings, printer).await,
        Command::Serve(arguments) => serve::run(arguments, settings, printer).await,
        command => interruptible(run_one(command, settings, printer)).await,
    }
}

async fn run_one(command: Command, settings: &Settings, printer: &Printer) -> anyhow::Result<Exit> {
    match command {
        Command::Import(arguments) => import::run(arguments, settings, printer).await,
        Command::Experiments(arguments) => experiments::run(arguments, settings, printer).await,
        Command::Show(arguments) => show::run(arguments, settings, printer).await,
        Command::Cases(arguments) => cases::run(arguments, settings, printer).await,
        Command::Diff(arguments) => diff::run(arguments, settings, printer).await,
        Command::Trace(arguments) => trace::run(arguments, settings, printer).await,
        Command::Sql(arguments) => sql::run(arguments, settings, printer).await,
        Command::Export(arguments) => export::run(arguments, settings, printer).await,
        Command::Settings(arguments) => settings::run(arguments, settings, printer).await,
        Command::Summary(arguments) => summary::run(arguments, settings, printer).await,
        Command::History(arguments) => history::run(arguments, settings, printer).await,
        Command::Explain(arguments) => explain::run(arguments, settings, printer).await,
        Command::Trials(arguments) => trials::run(arguments, settings, printer).await,
        Command::Agreement(arguments) => agreement::run(arguments, settings, printer).await,
        Command::Keys(arguments) => keys::run(arguments, settings, printer).await,
        Command::Serve(arguments) => serve::run(arguments, settings, printer).await,
        Command::Doctor(arguments) => doctor::run(arguments, settings, printer).await,
        Command::Optimize(arguments) => optimize::run(arguments, settings, printer).await,
        Command::Vacuum(arguments) => vacuum::run(arguments, settings, printer).await,
        Command::Query(arguments) => query::run(arguments, settings, printer).await,
        Command::Fields(arguments) => fields::run(arguments, settings, printer).await,
        Command::Btql(arguments) => btql::run(arguments, settings, printer).await,
        Command::BenchAnalyses(arguments) => bench_analyses::run(arguments, settings, printer).await,
        Command::BenchQueries(arguments) => bench_queries::run(arguments, settings, printer).await,
        Command::GenerateDocs(arguments) => generate_docs::run(arguments, printer),
    }
}
