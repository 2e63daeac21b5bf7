//! The language of filters, keys, custom columns and BTQL queries: text or JSON to a syntax tree.
//!
//! Nothing here knows an engine or a table; the session gives the tree its meaning.

mod ast;
mod error;
mod lexer;
mod parser;
mod print;
#[cfg(test)]
mod tests;

pub use ast::{
    BinaryOp, Call, Case, Expr, Literal, Named, Node, Position, Query, Sample, Shape, SortItem, Source, Step, UnaryOp,
    Unpivot,
};
pub use error::LanguageError;
pub use parser::parse_expression;
