//! The one place that prints: answers to standard output, everything else to standard error.

use std::io::{self, BufWriter, IsTerminal, Write};

use anstream::AutoStream;
use evalhouse_report::{Format, Tone};

/// Prints, and knows what it prints to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Printer {
    quiet: bool,
    is_terminal: bool,
}

impl Printer {
    pub(crate) fn new(quiet: bool) -> Self {
        Self { quiet, is_terminal: io::stdout().is_terminal() }
    }

    /// Whether answers go to a terminal.
    pub(crate) fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Whether notes are left out.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Columns of the terminal that answers go to; text that goes elsewhere is not cut to one.
    pub(crate) fn width(&self) -> Option<usize> {
        if self.is_terminal { self.size().map(|(columns, _)| columns) } else { None }
    }

    /// Columns and lines of the terminal.
    pub(crate) fn size(&self) -> Option<(usize, usize)> {
        let (width, height) = terminal_size::terminal_size()?;
        Some((usize::from(width.0), usize::from(height.0)))
    }

    /// Standard output for an answer in this format.
    ///
    /// Colours are taken out of text where they do not belong; the bytes of other formats are data.
    pub(crate) fn answer(&self, format: Format) -> Box<dyn Write + Send> {
        match format {
            Format::Table | Format::Markdown => Box::new(BufWriter::new(anstream::stdout())),
            _ => Box::new(BufWriter::new(io::stdout())),
        }
    }

    /// One line as the answer.
    pub(crate) fn text(&self, text: &str) -> io::Result<()> {
        let mut out = self.answer(Format::Table);
        writeln!(out, "{text}")?;
        out.flush()
    }

    /// Whether text for standard output keeps its colours.
    pub(crate) fn has_colour(&self) -> bool {
        AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
    }

    /// A line beside the answer: left out when quiet.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            self.line(text);
        }
    }

    /// A line that the user has to see.
    pub(crate) fn error(&self, text: &str) {
        self.line(&format!("{} {text}", Tone::Bad.paint("error:")));
    }

    /// A line on standard error, whatever happens to it.
    pub(crate) fn line(&self, text: &str) {
        let mut stderr = anstream::stderr();
        // There is nowhere left to report that standard error is closed.
        let _ = writeln!(stderr, "{text}");
    }
}
