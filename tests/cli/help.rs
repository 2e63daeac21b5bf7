//! Help of the program and of every command.

use super::{Program, check};

const COMMANDS: [&str; 8] = ["import", "experiments", "show", "cases", "diff", "trace", "sql", "export"];

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
