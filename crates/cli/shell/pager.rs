//! Output that a pager takes when it is larger than the terminal.

use std::io::{self, Write};
use std::process::{Child, Command, Stdio};

use unicode_width::UnicodeWidthStr;

use crate::printer::Printer;

/// The pager where `$PAGER` names none: leaves short text alone, cuts long lines, keeps colours.
const DEFAULT_PAGER: &str = "less -SRFX";

/// Holds text back until it is clear whether it fits the terminal; then it goes there, or to a
/// pager. Dropping it waits for the pager.
pub(super) struct PagedOutput {
    printer: Printer,
    held: Vec<u8>,
    lines: usize,
    /// Bytes of `held` whose lines are counted.
    counted: usize,
    pager: Option<Child>,
    /// Set once text goes straight to the terminal.
    is_direct: bool,
}

impl PagedOutput {
    pub(super) fn new(printer: Printer) -> Self {
        Self { printer, held: Vec::new(), lines: 0, counted: 0, pager: None, is_direct: false }
    }

    /// Whether a whole line held back is too wide, or there are too many of them.
    fn is_too_large(&mut self, columns: usize, lines: usize) -> bool {
        while let Some(length) = self.held[self.counted..].iter().position(|byte| *byte == b'\n') {
            let line = String::from_utf8_lossy(&self.held[self.counted..self.counted + length]);
            let is_too_wide = anstream::adapter::strip_str(&line).to_string().width() > columns;
            self.counted += length + 1;
            self.lines += 1;
            if is_too_wide || self.lines + 1 > lines {
                return true;
            }
        }
        false
    }

    /// Starts the pager and gives it what was held back.
    fn start(&mut self) -> io::Result<()> {
        let command = std::env::var("PAGER").ok().filter(|pager| !pager.trim().is_empty());
        let command = command.unwrap_or_else(|| DEFAULT_PAGER.to_string());
        let child = Command::new("sh").arg("-c").arg(&command).stdin(Stdio::piped()).spawn();
        match child {
            Ok(child) => self.pager = Some(child),
            Err(_) => self.is_direct = true,
        }
        let held = std::mem::take(&mut self.held);
        self.write_on(&held)
    }

    /// Writes to the pager, or to the terminal.
    fn write_on(&mut self, bytes: &[u8]) -> io::Result<()> {
        let text = String::from_utf8_lossy(bytes);
        let bytes = match self.printer.has_colour() {
            true => text.into_owned(),
            false => anstream::adapter::strip_str(&text).to_string(),
        };
        match self.pager.as_mut().and_then(|pager| pager.stdin.as_mut()) {
            Some(stdin) => stdin.write_all(bytes.as_bytes()),
            None => io::stdout().write_all(bytes.as_bytes()),
        }
    }
}

impl Write for PagedOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_direct || self.pager.is_some() {
            self.write_on(bytes)?;
            return Ok(bytes.len());
        }
        self.held.extend_from_slice(bytes);
        match self.printer.size() {
            Some((columns, lines)) if self.is_too_large(columns, lines) => self.start()?,
            _ => {}
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for PagedOutput {
    fn drop(&mut self) {
        let held = std::mem::take(&mut self.held);
        // A terminal that is gone has nobody to tell.
        let _ = self.write_on(&held);
        let _ = io::stdout().flush();
        if let Some(mut pager) = self.pager.take() {
            drop(pager.stdin.take());
            let _ = pager.wait();
        }
    }
}
