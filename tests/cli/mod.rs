//! The program, seen from outside: every command in a fresh folder, its exit status, standard output
//! and standard error compared with a snapshot.

mod analyses;
mod cases;
mod diff;
mod experiments;
mod export;
mod help;
mod import;
mod language_model;
mod projects;
mod shell;
mod show;
mod sql;
mod trace;

use std::fmt;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use serde_json::Value;
use tempfile::TempDir;

/// The bundled experiments, imported once for all tests that only read.
pub(crate) static BUNDLED: LazyLock<PathBuf> = LazyLock::new(|| {
    let store = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli-bundled-store");
    if store.exists() {
        fs::remove_dir_all(&store).unwrap();
    }
    let program = Program::at(store.clone());
    let output = program.run(&["import", "runs", "--project", "support-assistant"]);
    assert_eq!(output.code, Some(0), "{output}");
    store
});

/// The program in a folder of its own, which holds the bundled files as `runs/`.
pub(crate) struct Program {
    folder: TempDir,
    store: PathBuf,
}

impl Program {
    /// With an empty store.
    fn new() -> Self {
        let mut program = Self::at(PathBuf::new());
        program.store = program.folder.path().join("store");
        program
    }

    /// With a store that has the bundled experiments. Nothing may be written to it.
    pub(crate) fn with_bundled_data() -> Self {
        Self::at(BUNDLED.clone())
    }

    fn at(store: PathBuf) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runs = folder.path().join("runs");
        fs::create_dir(&runs).unwrap();
        let bundled = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/support-assistant");
        for entry in fs::read_dir(bundled).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, runs.join(path.file_name().unwrap())).unwrap();
        }
        Self { folder, store }
    }

    /// A path in the program's folder.
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.run_with_input(arguments, "")
    }

    /// Standard output of a run that goes well, as bytes.
    pub(crate) fn bytes(&self, arguments: &[&str]) -> Vec<u8> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_evalhouse"));
        let output = command.args(arguments).env("EVALHOUSE_STORE", &self.store).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    fn run_with_input(&self, arguments: &[&str], input: &str) -> Output {
        self.run_with(arguments, input, &[])
    }

    fn run_with_environment(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        self.run_with(arguments, "", variables)
    }

    fn run_with(&self, arguments: &[&str], input: &str, variables: &[(&str, &str)]) -> Output {
        let mut child = Command::new(env!("CARGO_BIN_EXE_evalhouse"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("EVALHOUSE_STORE", &self.store)
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        Output {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).replace(&self.store.display().to_string(), "[STORE]"),
            stderr: String::from_utf8_lossy(&output.stderr).replace(&self.store.display().to_string(), "[STORE]"),
        }
    }
}

/// What a run gave.
struct Output {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Output {
    /// Standard output as JSON.
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {self}"))
    }

    /// The same with every number rounded to 9 digits, so that the order of additions plays no part.
    fn rounded(mut self) -> Self {
        let mut value = self.json();
        round(&mut value);
        self.stdout = format!("{value:#}\n");
        self
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code.map_or_else(|| "none".to_string(), |code| code.to_string());
        writeln!(f, "exit status: {code}")?;
        writeln!(f, "----- stdout -----\n{}", self.stdout)?;
        write!(f, "----- stderr -----\n{}", self.stderr)
    }
}

/// Rounds what is a number in lines of CSV that have no quotes.
fn round_csv(text: &str) -> String {
    let cell = |cell: &str| match cell.parse::<f64>() {
        Ok(number) if cell.contains('.') => format!("{number:.8e}").parse::<f64>().unwrap().to_string(),
        _ => cell.to_string(),
    };
    let lines = text.lines().map(|line| line.split(',').map(cell).collect::<Vec<_>>().join(","));
    lines.map(|line| line + "\n").collect()
}

/// Rounds every number to 9 digits, so that the order of additions plays no part.
pub(crate) fn round(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            let rounded = number.as_f64().and_then(|number| format!("{number:.8e}").parse::<f64>().ok());
            *value = Value::from(rounded);
        }
        Value::Array(values) => values.iter_mut().for_each(round),
        Value::Object(fields) => fields.values_mut().for_each(round),
        _ => {}
    }
}

/// Compares a run with the snapshot of this name; times are left out.
#[track_caller]
fn check(name: &str, output: Output) {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"\bin \d[\d,.]* (ms|s|min \d\d s)\b", "in [TIME]");
    settings.add_filter(r#""seconds": [\d.e-]+"#, r#""seconds": "[TIME]""#);
    settings.add_filter(r"evalhouse \d+\.\d+\.\d+", "evalhouse [VERSION]");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, output));
}
