//! The language of filters, keys, custom columns and BTQL queries: text or JSON to a syntax tree.
//!
//! Nothing here knows an engine or a table; the session gives the tree its meaning.

mod ast;
mod btql;
mod error;
mod json;
mod lexer;
mod lists;
mod parser;
mod phrase;
mod print;
#[cfg(test)]
mod tests;

pub use ast::{
    BinaryOp, Call, Case, Expr, Literal, Named, Node, Position, Query, Sample, Shape, SortItem, Source, Step, UnaryOp,
    Unpivot,
};
pub use btql::{is_sql, parse_query};
pub use error::LanguageError;
pub use json::{expression_from_json, query_from_json};
pub use lists::split_at_commas;
pub use parser::parse_expression;
pub use phrase::{Names, Phrase, translate};
