//! The command line of evalhouse.
//!
//! [`arguments`] says what may be typed, [`commands`] has one file a command, and [`shell`] is what
//! `evalhouse sql` opens on a terminal. A command resolves its arguments, asks the crates below, and
//! hands the answer to [`output`]; everything that is printed goes through the [`printer`].

mod arguments;
mod cancel;
mod commands;
mod error;
mod output;
mod phrase;
mod printer;
mod progress;
mod query;
mod settings;
mod shell;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::arguments::Arguments;
use crate::error::Exit;
use crate::printer::Printer;
use crate::settings::Settings;

/// Bytes of stack of a thread: plans nest.
const STACK_BYTES: usize = 32 << 20;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let settings = Settings::new(&arguments.global);
    let printer = Printer::new(settings.quiet);
    let exit = run(arguments, &settings, &printer).unwrap_or_else(|error| error::report(&error, &printer));
    ExitCode::from(exit.code())
}

fn run(arguments: Arguments, settings: &Settings, printer: &Printer) -> anyhow::Result<Exit> {
    let Some(command) = arguments.command else {
        printer.line(&Arguments::command().render_help().to_string());
        return Ok(Exit::Input);
    };
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    if let Some(threads) = settings.threads {
        runtime.worker_threads(threads);
    }
    let runtime = runtime.thread_stack_size(STACK_BYTES).enable_all().build()?;
    let result = runtime.block_on(commands::run(command, settings, printer));
    match &result {
        Err(error) if cancel::is_interruption(error) => runtime.shutdown_timeout(cancel::CLEAN_UP_TIME),
        _ => runtime.shutdown_background(),
    }
    result
}
