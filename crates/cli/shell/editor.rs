//! The line editor: history, completion, several lines up to a semicolon, colours.

use std::borrow::Cow;
use std::path::PathBuf;

use evalhouse_report::Tone;
use rustyline::completion::{Completer, FilenameCompleter, Pair};
use rustyline::config::ColorMode;
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Config, Context, Helper};

use super::completion::{self, Vocabulary};
use super::lexer::{self, Kind};
use super::meta;
use crate::printer::Printer;

const PROMPT: &str = "evalhouse> ";
const HISTORY_ENTRIES_MAX: usize = 10_000;

/// What the user did at the prompt.
pub(super) enum Input {
    /// Typed something that is complete.
    Text(String),
    /// Pressed Ctrl-C: what was typed is given up.
    Interrupted,
    /// Pressed Ctrl-D.
    End,
}

/// A prompt with a memory.
pub(super) struct Editor {
    editor: rustyline::Editor<Assistant, FileHistory>,
    history: Option<PathBuf>,
}

impl Editor {
    pub(super) fn open(vocabulary: Vocabulary, printer: &Printer) -> anyhow::Result<Self> {
        let colours = if printer.has_colour() { ColorMode::Enabled } else { ColorMode::Disabled };
        let config = Config::builder()
            .max_history_size(HISTORY_ENTRIES_MAX)?
            .history_ignore_space(true)
            .completion_type(CompletionType::List)
            .color_mode(colours)
            .build();
        let mut editor = rustyline::Editor::with_config(config)?;
        editor.set_helper(Some(Assistant { vocabulary, files: FilenameCompleter::new() }));
        let history = history_path();
        if let Some(path) = &history {
            // There is none the first time.
            let _ = editor.load_history(path);
        }
        Ok(Self { editor, history })
    }

    /// Reads one input.
    pub(super) fn read(&mut self) -> anyhow::Result<Input> {
        let prompt = Tone::Strong.paint(PROMPT);
        match self.editor.readline(&(PROMPT, prompt.as_str())) {
            Ok(text) => {
                self.remember(&text);
                Ok(Input::Text(text))
            }
            Err(ReadlineError::Interrupted) => Ok(Input::Interrupted),
            Err(ReadlineError::Eof) => Ok(Input::End),
            Err(error) => Err(error.into()),
        }
    }

    /// A history that cannot be written is no reason to stop.
    fn remember(&mut self, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        let _ = self.editor.add_history_entry(text);
        if let Some(path) = &self.history {
            let _ = path.parent().map(std::fs::create_dir_all);
            let _ = self.editor.append_history(path);
        }
    }
}

/// `$XDG_STATE_HOME/evalhouse/history`, by default below `~/.local/state`.
fn history_path() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = folder("XDG_STATE_HOME").or_else(|| Some(folder("HOME")?.join(".local/state")))?;
    Some(state.join("evalhouse/history"))
}

/// Helps with what is being typed.
struct Assistant {
    vocabulary: Vocabulary,
    files: FilenameCompleter,
}

impl Helper for Assistant {}

impl Hinter for Assistant {
    type Hint = String;
}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(&self, line: &str, position: usize, context: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let typed = &line[..position];
        if meta::takes_file(typed) {
            return self.files.complete(line, position, context);
        }
        let completion = completion::complete(typed, &self.vocabulary);
        let pair = |text: String| Pair { display: text.clone(), replacement: text };
        Ok((completion.start, completion.candidates.into_iter().map(pair).collect()))
    }
}

impl Validator for Assistant {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let text = context.input();
        let is_done = text.trim_start().starts_with('\\') || lexer::is_complete(text);
        Ok(if is_done { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}

impl Highlighter for Assistant {
    fn highlight<'l>(&self, line: &'l str, _position: usize) -> Cow<'l, str> {
        if line.trim_start().starts_with('\\') {
            return Cow::Borrowed(line);
        }
        let mut painted = String::with_capacity(line.len() * 2);
        for token in lexer::tokens(line) {
            let text = token.text(line);
            painted.push_str(&tone(token.kind, text).paint(text));
        }
        Cow::Owned(painted)
    }

    fn highlight_char(&self, _line: &str, _position: usize, kind: CmdKind) -> bool {
        kind != CmdKind::MoveCursor
    }
}

fn tone(kind: Kind, text: &str) -> Tone {
    match kind {
        Kind::Word if completion::is_keyword(text) => Tone::Strong,
        Kind::Text { .. } => Tone::Good,
        Kind::Comment { .. } => Tone::Quiet,
        _ => Tone::Plain,
    }
}
