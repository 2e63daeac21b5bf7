//! Help of the program and of every command.

use super::{Program, check};

const COMMANDS: [&str; 22] = [
    "import",
    "experiments",
    "show",
    "cases",
    "diff",
    "summary",
    "history",
    "explain",
    "trials",
    "agreement",
    "fields",
    "trace",
    "sql",
    "btql",
    "query",
    "export",
    "settings",
    "keys",
    "serve",
    "doctor",
    "optimize",
    "vacuum",
];
/// Commands of commands.
const SUBCOMMANDS: [[&str; 2]; 4] =
    [["settings", "get"], ["settings", "set"], ["settings", "unset"], ["keys", "check"]];

#[test]
fn the_program_lists_its_commands() {
    check("help", Program::new().run(&["--help"]));
    check("help_short", Program::new().run(&["-h"]));
    check("help_without_command", Program::new().run(&[]));
}

#[test]
fn every_command_has_help() {
    for command in COMMANDS {
        check(&format!("help_{command}"), Program::new().run(&[command, "--help"]));
    }
    for [command, subcommand] in SUBCOMMANDS {
        check(&format!("help_{command}_{subcommand}"), Program::new().run(&[command, subcommand, "--help"]));
    }
}

#[test]
fn no_command_is_forgotten_here() {
    let help = Program::new().run(&["-h"]).stdout;
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = listed.filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' '));
    let names: Vec<&str> = names.filter_map(|line| line.split(' ').next()).filter(|name| *name != "help").collect();
    assert_eq!(names, COMMANDS);
}

#[test]
fn first_lines_fit_a_terminal() {
    for command in COMMANDS {
        let help = Program::new().run(&[command, "-h"]).stdout;
        let first = help.lines().next().unwrap_or_default();
        assert!((1..=80).contains(&first.chars().count()), "{command}: {first}");
    }
}

#[test]
fn an_unknown_command_or_flag_names_the_nearest() {
    check("help_unknown_command", Program::new().run(&["experiment"]));
    check("help_unknown_flag", Program::new().run(&["diff", "a", "b", "--cluser", "x"]));
    check("help_unknown_format", Program::new().run(&["experiments", "--format", "xml"]));
}
