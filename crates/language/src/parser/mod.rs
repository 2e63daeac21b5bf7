//! Tokens to a tree.
//!
//! - here: the tokens that come next, and the limits of an expression
//! - `operators`: operators by precedence, climbed, and comparisons that are words
//! - `values`: what stands between operators, and steps into it

mod operators;
mod values;

use crate::ast::{Expr, Node, Position};
use crate::error::LanguageError;
use crate::lexer::{Kind, Token, tokens};

/// Brackets within brackets.
const DEPTH_MAX: usize = 100;
/// Parts of one expression.
const NODES_MAX: usize = 10_000;

/// Operators in one expression.
const LINKS_MAX: usize = 500;
/// Comparisons that are words and may follow `not`.
const PREDICATES: [&str; 11] =
    ["in", "like", "ilike", "match", "includes", "contains", "include", "contain", "between", "regexp", "rlike"];

/// Words that begin or end something and so are no names, unless quoted or after a dot.
pub(crate) const RESERVED: [&str; 31] = [
    "and",
    "or",
    "not",
    "in",
    "is",
    "like",
    "ilike",
    "match",
    "includes",
    "contains",
    "between",
    "case",
    "when",
    "then",
    "else",
    "end",
    "null",
    "true",
    "false",
    "as",
    "from",
    "where",
    "isnull",
    "isnotnull",
    "notnull",
    "distinct",
    "select",
    "escape",
    "asc",
    "desc",
    "regexp",
];

/// Reads one expression.
///
/// # Errors
/// [`LanguageError`] with the place of what is not understood.
pub fn parse_expression(text: &str) -> Result<Expr, LanguageError> {
    let mut parser = Parser::new(text)?;
    let found = parser.expression()?;
    parser.end()?;
    Ok(found)
}

pub(crate) struct Parser {
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
    nodes: usize,
    links: usize,
}

type Parsed = Result<Expr, LanguageError>;

impl Parser {
    pub(crate) fn new(text: &str) -> Result<Self, LanguageError> {
        Ok(Self { tokens: tokens(text)?, next: 0, depth: 0, nodes: 0, links: 0 })
    }

    /// A parser of tokens that are cut already; the last one is the end.
    pub(crate) fn of(tokens: Vec<Token>) -> Self {
        Self { tokens, next: 0, depth: 0, nodes: 0, links: 0 }
    }

    /// A name, bare or quoted.
    pub(crate) fn name(&mut self) -> Result<String, LanguageError> {
        match &self.peek().kind {
            Kind::Word(name) | Kind::Quoted(name) => {
                let name = name.clone();
                self.take();
                Ok(name)
            }
            _ => Err(self.expected("a name")),
        }
    }

    /// A name or a text.
    pub(crate) fn name_or_text(&mut self) -> Result<String, LanguageError> {
        match &self.peek().kind {
            Kind::Text(text) => {
                let text = text.clone();
                self.take();
                Ok(text)
            }
            _ => self.name(),
        }
    }

    pub(crate) fn peek(&self) -> &Token {
        // The last token is the end, and nothing is taken past it.
        &self.tokens[self.next.min(self.tokens.len() - 1)]
    }

    fn peek_at(&self, ahead: usize) -> &Kind {
        &self.tokens[(self.next + ahead).min(self.tokens.len() - 1)].kind
    }

    fn take(&mut self) -> Token {
        let token = self.peek().clone();
        self.next = (self.next + 1).min(self.tokens.len() - 1);
        token
    }

    pub(crate) fn position(&self) -> Position {
        self.peek().position
    }

    fn last_end(&self) -> usize {
        self.next.checked_sub(1).and_then(|i| self.tokens.get(i)).map_or(0, |token| token.position.end)
    }

    pub(crate) fn is_symbol(&self, symbol: &str) -> bool {
        matches!(self.peek_at(0), Kind::Symbol(found) if *found == symbol)
    }

    pub(crate) fn take_symbol(&mut self, symbol: &str) -> bool {
        let found = self.is_symbol(symbol);
        if found {
            self.take();
        }
        found
    }

    pub(crate) fn word_at(&self, ahead: usize) -> Option<String> {
        match self.peek_at(ahead) {
            Kind::Word(word) => Some(word.to_ascii_lowercase()),
            _ => None,
        }
    }

    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.word_at(0).as_deref() == Some(word)
    }

    pub(crate) fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        if found {
            self.take();
        }
        found
    }

    pub(crate) fn expected(&self, what: &str) -> LanguageError {
        let found = self.peek();
        LanguageError::new(format!("expected {what}, found {}", found.kind.shown()), found.position)
    }

    pub(crate) fn expect_symbol(&mut self, symbol: &str) -> Result<(), LanguageError> {
        if self.take_symbol(symbol) { Ok(()) } else { Err(self.expected(&format!("`{symbol}`"))) }
    }

    fn expect_word(&mut self, word: &str) -> Result<(), LanguageError> {
        if self.take_word(word) { Ok(()) } else { Err(self.expected(&format!("`{word}`"))) }
    }

    /// Nothing follows.
    pub(crate) fn end(&self) -> Result<(), LanguageError> {
        let found = self.peek();
        match &found.kind {
            Kind::End => Ok(()),
            Kind::Word(word) => {
                let error = LanguageError::new(format!("`{word}` is not expected here"), found.position);
                Err(error.suggest(
                    word,
                    ["and", "or", "is", "in", "like", "ilike", "match", "includes", "contains", "between", "not"],
                ))
            }
            other => Err(LanguageError::new(format!("{} is not expected here", other.shown()), found.position)),
        }
    }

    fn node(&mut self, node: Node, start: usize) -> Parsed {
        self.nodes += 1;
        let position = Position { start, end: self.last_end().max(start) };
        if self.nodes > NODES_MAX {
            return Err(LanguageError::new(format!("an expression has at most {NODES_MAX} parts"), position));
        }
        Ok(Expr { node, position })
    }

    pub(crate) fn expression(&mut self) -> Parsed {
        self.climb(operators::LOOSEST)
    }

    /// One level down; the depth is what the stack can take, also where the tree is walked later.
    fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T, LanguageError>) -> Result<T, LanguageError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(LanguageError::new(format!("nested deeper than {DEPTH_MAX} levels"), self.position()));
        }
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }
}
