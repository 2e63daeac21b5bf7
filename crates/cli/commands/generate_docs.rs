//! `evalhouse generate-docs`: the reference pages that are made from the program.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Command, CommandFactory};

use crate::arguments::Arguments;
use crate::error::Exit;
use crate::printer::Printer;

/// Columns that help is laid out for.
const WIDTH: usize = 80;

/// Options of `generate-docs`.
#[derive(Debug, Args)]
pub(crate) struct GenerateDocsArguments {
    /// Folder to write cli.md, functions.md and openapi.json to
    folder: PathBuf,
}

pub(crate) fn run(arguments: GenerateDocsArguments, printer: &Printer) -> anyhow::Result<Exit> {
    write(&arguments.folder, "cli.md", &command_line_page(), printer)?;
    write(&arguments.folder, "functions.md", &evalhouse_functions::documentation_markdown(), printer)?;
    write(&arguments.folder, "openapi.json", &format!("{:#}\n", evalhouse_server::openapi_description()), printer)?;
    Ok(Exit::Done)
}

fn write(folder: &Path, name: &str, text: &str, printer: &Printer) -> anyhow::Result<()> {
    let path = folder.join(name);
    fs::write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
    printer.note(&format!("wrote {}", path.display()));
    Ok(())
}

/// The help of every command that is listed.
fn command_line_page() -> String {
    let mut root = Arguments::command().term_width(WIDTH).max_term_width(WIDTH);
    root.build();
    let mut page = String::from(
        "# Command line\n\nWhat `evalhouse --help` and `evalhouse COMMAND --help` print. This page is generated \
         from the code.\n",
    );
    push_command(&mut root.clone(), &mut page);
    for command in root.get_subcommands().filter(|command| !command.is_hide_set() && command.get_name() != "help") {
        push_command(&mut command.clone(), &mut page);
    }
    page
}

fn push_command(command: &mut Command, page: &mut String) {
    let name = command.get_bin_name().unwrap_or(command.get_name()).to_string();
    let help = command.render_long_help().to_string();
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    page.push_str(&format!("\n## `{name}`\n\n```text\n{}\n```\n", lines.join("\n").trim_end()));
}
