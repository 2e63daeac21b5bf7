//! The commands of the shell that begin with a backslash.

use std::path::PathBuf;

use super::completion::{Completion, Vocabulary, has_prefix, sorted};

/// A command of the shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Meta {
    /// `\q`
    Quit,
    /// `\?`
    Help,
    /// `\d`
    Tables,
    /// `\d TABLE`
    Table(String),
    /// `\df [NAME]`
    Functions(Option<String>),
    /// `\e`
    Experiments,
    /// `\timing [on|off]`; nothing turns it over
    Timing(Option<bool>),
    /// `\x [on|off]`; nothing turns it over
    Expanded(Option<bool>),
    /// `\format [FORMAT]`; nothing shows it
    Format(Option<String>),
    /// `\o [FILE]`; nothing goes back to the terminal
    Output(Option<PathBuf>),
    /// `\i FILE`
    Include(PathBuf),
}

/// Names, arguments and what they do, in the order of help.
pub(crate) const COMMANDS: [(&str, &str, &str); 11] = [
    ("\\d", "", "tables"),
    ("\\d", "TABLE", "columns of a table"),
    ("\\df", "[NAME]", "functions, or those that begin with NAME"),
    ("\\e", "", "experiments"),
    ("\\format", "[FORMAT]", "how results are written: table, json, csv, …"),
    ("\\i", "FILE", "runs the statements of a file"),
    ("\\o", "[FILE]", "writes results to a file, or back to the terminal"),
    ("\\timing", "[on|off]", "time of each query"),
    ("\\x", "[on|off]", "a line for each column, for wide rows"),
    ("\\?", "", "this help"),
    ("\\q", "", "leaves the shell, as Ctrl-D does"),
];

/// Reads a line that begins with a backslash.
pub(crate) fn parse(line: &str) -> Result<Meta, String> {
    let line = line.trim().trim_end_matches(';').trim_end();
    let (name, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let argument = Some(argument.trim()).filter(|argument| !argument.is_empty());
    let text = argument.map(str::to_string);
    match name {
        "\\q" => Ok(Meta::Quit),
        "\\?" | "\\h" | "\\help" => Ok(Meta::Help),
        "\\d" => Ok(text.map_or(Meta::Tables, Meta::Table)),
        "\\df" => Ok(Meta::Functions(text)),
        "\\e" => Ok(Meta::Experiments),
        "\\timing" => Ok(Meta::Timing(switch(name, argument)?)),
        "\\x" => Ok(Meta::Expanded(switch(name, argument)?)),
        "\\format" => Ok(Meta::Format(text)),
        "\\o" => Ok(Meta::Output(text.map(PathBuf::from))),
        "\\i" => match text {
            Some(path) => Ok(Meta::Include(PathBuf::from(path))),
            None => Err("`\\i` needs the name of a file".to_string()),
        },
        _ => Err(format!("unknown command `{name}`, \\? lists them")),
    }
}

fn switch(name: &str, argument: Option<&str>) -> Result<Option<bool>, String> {
    match argument {
        None => Ok(None),
        Some("on") => Ok(Some(true)),
        Some("off") => Ok(Some(false)),
        Some(other) => Err(format!("`{name}` takes on or off, not `{other}`")),
    }
}

/// Completes a command or its argument. Names of files are not for us.
pub(crate) fn complete(line: &str, vocabulary: &Vocabulary) -> Completion {
    let Some((name, typed)) = line.trim_start().split_once(char::is_whitespace) else {
        let typed = line.trim_start();
        let matching = COMMANDS.iter().filter(|(name, _, _)| name.starts_with(typed));
        return sorted(line.len() - typed.len(), matching.map(|(name, _, _)| (*name).to_string()).collect());
    };
    let typed = typed.trim_start();
    let tables = || vocabulary.tables.iter().map(|(name, _)| name.clone()).collect();
    let functions = || [&vocabulary.functions[..], &vocabulary.table_functions[..]].concat();
    let switches = || vec!["on".to_string(), "off".to_string()];
    let formats = || evalhouse_report::Format::ALL.map(|format| format.name().to_string()).to_vec();
    let mut candidates: Vec<String> = match name {
        "\\d" => tables(),
        "\\df" => functions(),
        "\\timing" | "\\x" => switches(),
        "\\format" => formats(),
        _ => Vec::new(),
    };
    candidates.retain(|candidate| has_prefix(candidate, typed));
    sorted(line.len() - typed.len(), candidates)
}

/// Whether the argument of the command on this line is a file.
pub(crate) fn takes_file(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("\\i ") || line.starts_with("\\o ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read() {
        assert_eq!(parse("\\d"), Ok(Meta::Tables));
        assert_eq!(parse(" \\d cases ;"), Ok(Meta::Table("cases".into())));
        assert_eq!(parse("\\timing off"), Ok(Meta::Timing(Some(false))));
        assert_eq!(parse("\\o a b.csv"), Ok(Meta::Output(Some("a b.csv".into()))));
        assert!(parse("\\x maybe").is_err());
        assert!(parse("\\i").is_err());
        assert!(parse("\\wat").unwrap_err().contains("\\?"));
    }

    #[test]
    fn every_listed_command_is_known() {
        for (name, argument, _) in COMMANDS {
            let argument = argument.trim_matches(['[', ']']).split('|').next().unwrap_or_default();
            assert!(parse(&format!("{name} {argument}")).is_ok(), "{name}");
        }
    }

    #[test]
    fn commands_and_arguments_complete() {
        let vocabulary = Vocabulary { tables: vec![("cases".into(), Vec::new())], ..Vocabulary::default() };
        assert_eq!(complete("\\f", &vocabulary).candidates, ["\\format"]);
        assert_eq!(complete("\\d c", &vocabulary), Completion { start: 3, candidates: vec!["cases".into()] });
        assert_eq!(complete("\\format js", &vocabulary).candidates, ["json", "jsonl"]);
    }
}
