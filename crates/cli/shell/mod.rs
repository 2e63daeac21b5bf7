//! The shell that `evalhouse sql` opens on a terminal.
//!
//! [`editor`] reads statements with history, completion and colours; [`lexer`] says where they end;
//! [`completion`] what may follow; [`meta`] has the commands that begin with a backslash and
//! [`describe`] what they show; [`pager`] takes what is larger than the terminal. Ctrl-C cancels the
//! running query and leaves the shell alone.

mod completion;
mod describe;
mod editor;
mod lexer;
mod meta;
mod pager;

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use datafusion::arrow::datatypes::Schema;
use evalhouse_report::{BatchOptions, BatchWriter, Document, Format, batch_writer, expanded_writer, number};
use evalhouse_session::Session;

pub(crate) use self::lexer::statements;

use self::editor::{Editor, Input};
use self::meta::Meta;
use self::pager::PagedOutput;
use crate::cancel::{self, interruptible_among_others};
use crate::error::{self, Exit, InputError};
use crate::output::{file_sink, write_rows};
use crate::printer::Printer;
use crate::query;
use crate::settings::Settings;

/// A session with a person in front of it.
pub(crate) struct Shell {
    session: Session,
    settings: Settings,
    printer: Printer,
    has_timing: bool,
    display: Display,
}

/// How results are shown, and where.
#[derive(Debug, Clone)]
struct Display {
    printer: Printer,
    format: Format,
    is_expanded: bool,
    spreadsheet_safe: bool,
    /// A file instead of the terminal.
    output: Option<Arc<File>>,
}

/// Whether the shell goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Read,
    Leave,
}

impl Shell {
    pub(crate) fn new(session: Session, settings: Settings, printer: Printer) -> Self {
        let display = Display {
            printer,
            format: settings.format.unwrap_or_default(),
            is_expanded: false,
            spreadsheet_safe: settings.spreadsheet_safe,
            output: None,
        };
        Self { session, settings, printer, has_timing: true, display }
    }

    /// Reads and runs statements until the user leaves.
    pub(crate) async fn run(mut self) -> anyhow::Result<Exit> {
        let catalog = self.session.catalog();
        let count = number::counted(catalog.experiments().len() as i64, "experiment");
        let mut editor = Editor::open(describe::vocabulary(catalog), &self.printer)?;
        self.printer.note(&format!("{} in {}. \\? for help, \\q to leave.", count, self.settings.store));
        loop {
            let next = match tokio::task::block_in_place(|| editor.read())? {
                Input::Text(text) => self.run_input(&text).await,
                Input::Interrupted => Next::Read,
                Input::End => Next::Leave,
            };
            if next == Next::Leave {
                return Ok(Exit::Done);
            }
        }
    }

    /// Runs what was typed; what goes wrong is reported and forgotten.
    async fn run_input(&mut self, text: &str) -> Next {
        match self.run_script(text).await {
            Ok(next) => next,
            Err(error) if cancel::is_interruption(&error) => {
                self.printer.line("cancelled");
                Next::Read
            }
            Err(error) => {
                error::report(&error, &self.printer);
                Next::Read
            }
        }
    }

    /// Runs statements and commands up to the first that fails.
    async fn run_script(&mut self, text: &str) -> anyhow::Result<Next> {
        let mut waiting = String::new();
        for line in text.lines() {
            if line.trim_start().starts_with('\\') && waiting.trim().is_empty() {
                if self.run_meta(line).await? == Next::Leave {
                    return Ok(Next::Leave);
                }
                continue;
            }
            waiting.push_str(line);
            waiting.push('\n');
            if lexer::is_complete(&waiting) {
                self.run_statements(&waiting).await?;
                waiting.clear();
            }
        }
        self.run_statements(&waiting).await?;
        Ok(Next::Read)
    }

    async fn run_statements(&mut self, text: &str) -> anyhow::Result<()> {
        for statement in statements(text) {
            let (session, display, sql) = (self.session.clone(), self.display.clone(), statement.to_string());
            let run = interruptible_among_others(async move { run_statement(&session, &display, &sql).await });
            if let Some(finished) = run.await? {
                self.note_finished(finished);
            }
        }
        Ok(())
    }

    fn note_finished(&self, finished: Finished) {
        let count = number::counted(finished.rows as i64, "row");
        match self.has_timing {
            true => {
                let time = number::duration(Some(finished.elapsed.as_secs_f64()));
                self.printer.note(&format!("{count} in {time}"));
            }
            false => self.printer.note(&count),
        }
    }

    async fn run_meta(&mut self, line: &str) -> anyhow::Result<Next> {
        match meta::parse(line).map_err(InputError::new)? {
            Meta::Quit => return Ok(Next::Leave),
            Meta::Help => self.show(&describe::help())?,
            Meta::Tables => self.show(&describe::tables(self.session.catalog()))?,
            Meta::Table(name) => self.show(&describe::table(self.session.catalog(), &name)?)?,
            Meta::Functions(prefix) => {
                self.show(&describe::functions(self.session.catalog(), prefix.as_deref())?)?;
            }
            Meta::Experiments => self.show(&describe::experiments(self.session.catalog()))?,
            Meta::Timing(wanted) => {
                self.has_timing = wanted.unwrap_or(!self.has_timing);
                self.confirm("timing", self.has_timing);
            }
            Meta::Expanded(wanted) => {
                self.display.is_expanded = wanted.unwrap_or(!self.display.is_expanded);
                self.confirm("expanded display", self.display.is_expanded);
            }
            Meta::Format(wanted) => self.set_format(wanted.as_deref())?,
            Meta::Output(path) => self.set_output(path.as_deref())?,
            Meta::Include(path) => {
                let cannot = || InputError::new(format!("cannot read `{}`", path.display()));
                let text = std::fs::read_to_string(&path).with_context(cannot)?;
                return Box::pin(self.run_script(&text)).await;
            }
        }
        Ok(Next::Read)
    }

    fn show(&self, document: &Document) -> io::Result<()> {
        let text = document.to_text(self.printer.width());
        PagedOutput::new(self.printer).write_all(text.as_bytes())
    }

    fn confirm(&self, what: &str, is_on: bool) {
        self.printer.note(&format!("{what} is {}", if is_on { "on" } else { "off" }));
    }

    fn set_format(&mut self, wanted: Option<&str>) -> anyhow::Result<()> {
        if let Some(name) = wanted {
            self.display.format = name.parse().map_err(InputError::new)?;
        }
        self.printer.note(&format!("format is {}", self.display.format));
        Ok(())
    }

    fn set_output(&mut self, path: Option<&Path>) -> anyhow::Result<()> {
        self.display.output = match path {
            Some(path) => {
                let cannot = || InputError::new(format!("cannot write `{}`", path.display()));
                let file = OpenOptions::new().create(true).write(true).truncate(true).open(path);
                Some(Arc::new(file.with_context(cannot)?))
            }
            None => None,
        };
        Ok(())
    }
}

/// What a statement gave.
struct Finished {
    rows: u64,
    elapsed: Duration,
}

/// Runs one statement and shows its rows; nothing comes back when the user left the pager early.
async fn run_statement(session: &Session, display: &Display, sql: &str) -> anyhow::Result<Option<Finished>> {
    let begin = Instant::now();
    let rows = query::start(session, sql).await?;
    let mut writer = display.writer(&rows.schema())?;
    let written = write_rows(rows, writer.as_mut()).await;
    let elapsed = begin.elapsed();
    // Closes the pager, or waits for it.
    drop(writer);
    match written {
        Ok(rows) => Ok(Some(Finished { rows, elapsed })),
        Err(error) if error::is_closed_pipe(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Display {
    /// The writer for a result with this schema.
    fn writer(&self, schema: &Schema) -> anyhow::Result<Box<dyn BatchWriter>> {
        let out = self.result_output()?;
        if self.is_expanded {
            return Ok(expanded_writer(schema, out));
        }
        let options = BatchOptions { width: None, spreadsheet_safe: self.spreadsheet_safe };
        Ok(batch_writer(self.format, schema, options, out)?)
    }

    fn result_output(&self) -> anyhow::Result<Box<dyn Write + Send>> {
        let Some(file) = &self.output else {
            if self.format.is_binary() && !self.is_expanded {
                let message = format!("`{}` is binary and results go to the terminal", self.format);
                return Err(InputError::with_hint(message, "send them to a file with \\o FILE").into());
            }
            return Ok(Box::new(PagedOutput::new(self.printer)));
        };
        let file = file.try_clone().context("cannot write to the file of \\o")?;
        Ok(file_sink(if self.is_expanded { Format::Table } else { self.format }, file))
    }
}
