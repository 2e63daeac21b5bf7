//! What the options of every command came to.

use evalhouse_report::{BatchOptions, Format, View};
use evalhouse_session::{Session, SessionOptions};
use evalhouse_store::Store;

use crate::arguments::GlobalArguments;
use crate::printer::Printer;

/// The options of every command, resolved once.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// URL or folder of the store.
    pub(crate) store: String,
    /// The format asked for; a command has its own default.
    pub(crate) format: Option<Format>,
    /// Whether CSV text is made safe for spreadsheets.
    pub(crate) spreadsheet_safe: bool,
    /// Whether only answers and errors are printed.
    pub(crate) quiet: bool,
    /// Bytes that queries may take.
    pub(crate) memory_limit: Option<usize>,
    /// Threads that work on a query.
    pub(crate) threads: Option<usize>,
}

impl Settings {
    pub(crate) fn new(arguments: &GlobalArguments) -> Self {
        Self {
            store: arguments.store.clone(),
            format: arguments.format,
            spreadsheet_safe: arguments.spreadsheet_safe,
            quiet: arguments.quiet,
            memory_limit: arguments.memory_limit,
            threads: arguments.threads,
        }
    }

    /// Opens the store for reading.
    pub(crate) async fn open_session(&self) -> anyhow::Result<Session> {
        let store = Store::open(&self.store).await?;
        let options =
            SessionOptions { memory_limit: self.memory_limit, threads: self.threads, ..SessionOptions::default() };
        Ok(evalhouse_analysis::with_table_functions(Session::open(store, options).await?))
    }

    /// How an answer is shown on this printer.
    pub(crate) fn view(&self, printer: &Printer, all: bool) -> View {
        View { width: printer.width(), all, spreadsheet_safe: self.spreadsheet_safe }
    }

    /// How rows are written on this printer.
    pub(crate) fn batch_options(&self, printer: &Printer) -> BatchOptions {
        BatchOptions { width: printer.width(), spreadsheet_safe: self.spreadsheet_safe }
    }
}
