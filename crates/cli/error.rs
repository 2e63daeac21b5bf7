//! Errors, rendered once: what happened, why, and what to do; and the exit status.

use evalhouse_analysis::AnalysisError;
use evalhouse_import::ImportError;
use evalhouse_live::LiveError;
use evalhouse_report::{ReportError, Tone};
use evalhouse_server::ServeError;
use evalhouse_session::SessionError;
use evalhouse_store::StoreError;

use crate::cancel;
use crate::printer::Printer;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// What was asked for is done.
    Done,
    /// The user's input is at fault.
    Input,
    /// We are, or the store is.
    Fault,
    /// The user pressed Ctrl-C.
    Interrupted,
}

impl Exit {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Input => 2,
            Self::Fault => 4,
            Self::Interrupted => 130,
        }
    }
}

/// Something the user typed that cannot be done.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct InputError {
    message: String,
    hint: Option<String>,
}

impl InputError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    pub(crate) fn with_hint(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: Some(hint.into()) }
    }
}

/// Prints an error and says how the program ends with it.
pub(crate) fn report(error: &anyhow::Error, printer: &Printer) -> Exit {
    let exit = exit(error);
    if matches!(exit, Exit::Done | Exit::Interrupted) {
        return exit;
    }
    let mut above = error.to_string();
    printer.error(&above);
    for cause in error.chain().skip(1).map(ToString::to_string) {
        // A source is often quoted by the error above it.
        if !above.contains(&cause) {
            printer.line(&format!("  because {cause}"));
        }
        above = cause;
    }
    if let Some(hint) = hint(error) {
        printer.line(&format!("\n{} {hint}", Tone::Strong.paint("hint:")));
    }
    exit
}

/// Whether the reader of a pipe went away, which is no failure: it has seen enough.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let is_closed = |error: &std::io::Error| error.kind() == std::io::ErrorKind::BrokenPipe;
    error.chain().any(|cause| cause.downcast_ref().is_some_and(is_closed))
}

fn exit(error: &anyhow::Error) -> Exit {
    if cancel::is_interruption(error) {
        return Exit::Interrupted;
    }
    if is_closed_pipe(error) {
        return Exit::Done;
    }
    if error.is::<InputError>() || error.chain().any(is_users) {
        return Exit::Input;
    }
    Exit::Fault
}

/// Whether the user can mend it.
fn is_users(error: &(dyn std::error::Error + 'static)) -> bool {
    if let Some(error) = error.downcast_ref::<StoreError>() {
        return is_users_store(error);
    }
    if let Some(error) = error.downcast_ref::<ImportError>() {
        return match error {
            ImportError::Store(error) => is_users_store(error),
            ImportError::Internal(_) => false,
            _ => true,
        };
    }
    if let Some(error) = error.downcast_ref::<SessionError>() {
        return match error {
            SessionError::Store(error) => is_users_store(error),
            error => error.is_users(),
        };
    }
    if let Some(error) = error.downcast_ref::<AnalysisError>() {
        return error.is_users();
    }
    if let Some(error) = error.downcast_ref::<ServeError>() {
        return match error {
            ServeError::Store(error) => is_users_store(error),
            error => error.is_users(),
        };
    }
    if let Some(LiveError::Journal(error)) = error.downcast_ref::<LiveError>() {
        return error.is_users();
    }
    // A column of a type that the chosen format cannot hold.
    matches!(error.downcast_ref::<ReportError>(), Some(ReportError::Arrow(_) | ReportError::Parquet(_)))
}

fn is_users_store(error: &StoreError) -> bool {
    matches!(error, StoreError::InvalidUrl { .. } | StoreError::NotFound { .. } | StoreError::NewerFormat { .. })
}

fn hint(error: &anyhow::Error) -> Option<String> {
    if let Some(error) = error.downcast_ref::<InputError>() {
        return error.hint.clone();
    }
    error.chain().find_map(|cause| {
        let hint = if let Some(error) = cause.downcast_ref::<StoreError>() {
            error.hint()
        } else if let Some(error) = cause.downcast_ref::<SessionError>() {
            error.hint()
        } else if let Some(error) = cause.downcast_ref::<AnalysisError>() {
            error.hint()
        } else if let Some(error) = cause.downcast_ref::<ServeError>() {
            error.hint()
        } else if let Some(error) = cause.downcast_ref::<LiveError>() {
            error.hint()
        } else if let Some(ImportError::Store(error)) = cause.downcast_ref::<ImportError>() {
            error.hint()
        } else {
            None
        };
        hint.map(str::to_string)
    })
}
