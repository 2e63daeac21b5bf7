//! The parts of the shell that need no terminal, with their own tests.

#[path = "../../crates/cli/shell/completion.rs"]
mod completion;
#[path = "../../crates/cli/shell/lexer.rs"]
mod lexer;
#[path = "../../crates/cli/shell/meta.rs"]
#[expect(dead_code, reason = "the program uses the rest")]
mod meta;
