//! Comparison keys: a value out of JSON stays JSON (semantics, section 4).
//!
//! Elsewhere in the language such a value has no type until an operator gives it one. A key compares
//! values as they are: `{"a":0}` and `{"a":0.0}` are the same, `1` and `"1"` are not, and neither may
//! depend on how a file stores the path. So a path is read from the JSON even where it has a column.

use std::slice;

use datafusion::common::{Column, DFSchema, ExprSchema, ScalarValue};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Expr, lit, when};
use datafusion::prelude::coalesce;
use evalhouse_language::{BinaryOp, Expr as Tree, LanguageError, Node, Position, parse_expression};
use evalhouse_store::decode_path;

use super::size::check_size;
use super::{Kind, Lowering, Scope, Value, error, internal};
use crate::paths::{PATH_KEY, is_json};
use crate::{Session, SessionError};

impl Session {
    /// A comparison key over the columns of `schema`, one expression or several in brackets, as
    /// canonical JSON.
    ///
    /// # Errors
    /// [`SessionError::Language`] with what is wrong with it, and where.
    pub fn key_value(&self, text: &str, schema: &DFSchema) -> Result<Expr, SessionError> {
        self.key_call("comparison_key", text, schema)
    }

    /// The hash of [`Self::key_value`], which cases are matched by.
    ///
    /// # Errors
    /// As [`Self::key_value`].
    pub fn key_hash(&self, text: &str, schema: &DFSchema) -> Result<Expr, SessionError> {
        self.key_call("comparison_hash", text, schema)
    }

    fn key_call(&self, function: &str, text: &str, schema: &DFSchema) -> Result<Expr, SessionError> {
        let wrong = |error| SessionError::Language { text: text.into(), error };
        let tree = parse_expression(text).map_err(wrong)?;
        check_size(&tree).map_err(wrong)?;
        let scope = Scope::of(schema);
        let lowering = self.lowering(&scope);
        let parts = lowering.key_parts(&tree).map_err(wrong)?;
        Ok(Expr::ScalarFunction(ScalarFunction::new_udf(self.function(function)?, parts)))
    }
}

impl Lowering<'_> {
    /// The parts of a key: arguments that never meet as one type.
    fn key_parts(&self, tree: &Tree) -> Result<Vec<Expr>, LanguageError> {
        let parts = match &tree.node {
            Node::List(parts) => parts.as_slice(),
            _ => slice::from_ref(tree),
        };
        if parts.is_empty() {
            return error("a key needs at least one part", tree.position);
        }
        parts.iter().map(|part| self.key_part(part)).collect()
    }

    fn key_part(&self, tree: &Tree) -> Result<Expr, LanguageError> {
        let at = tree.position;
        match &tree.node {
            Node::List(_) => self.call("comparison_key", self.key_parts(tree)?, at),
            Node::Ternary { condition, then, otherwise } => self.key_choice(condition, then, otherwise, at),
            Node::Call(call) => match (call.name.as_str(), call.arguments.as_slice()) {
                ("if", [condition, then, otherwise]) => self.key_choice(condition, then, otherwise, at),
                ("coalesce", [_, ..]) => {
                    let values = call.arguments.iter().map(|value| self.key_json(value));
                    self.marked(coalesce(values.collect::<Result<Vec<_>, _>>()?), at)
                }
                ("nullif", [value, other]) => {
                    let is_other = self.comparison(BinaryOp::Eq, value, other)?.expr;
                    let chosen = when(is_other, lit(ScalarValue::Null)).otherwise(self.key_json(value)?);
                    self.marked(chosen.map_err(|e| internal(&e))?, at)
                }
                _ => self.as_json(self.lower(tree)?, at),
            },
            _ => self.as_json(self.lower(tree)?, at),
        }
    }

    fn key_choice(&self, condition: &Tree, then: &Tree, otherwise: &Tree, at: Position) -> Result<Expr, LanguageError> {
        let condition = self.lower_condition(condition)?.expr;
        let chosen = when(condition, self.key_json(then)?).otherwise(self.key_json(otherwise)?);
        self.marked(chosen.map_err(|e| internal(&e))?, at)
    }

    /// One of several values that a part may have: as canonical JSON, the one form that all have.
    fn key_json(&self, tree: &Tree) -> Result<Expr, LanguageError> {
        self.call("comparison_key", vec![self.key_part(tree)?], tree.position)
    }

    /// JSON text as a value that says that it is JSON.
    fn marked(&self, json: Expr, at: Position) -> Result<Expr, LanguageError> {
        self.call("canonical_json", vec![json], at)
    }

    /// A value out of JSON as JSON, any other as it is.
    fn as_json(&self, value: Value, at: Position) -> Result<Expr, LanguageError> {
        let Value { expr, kind, .. } = value.loosened();
        match (kind, &expr) {
            (Kind::Json, Expr::Literal(..)) => self.marked(expr, at),
            (Kind::Loose, Expr::ScalarFunction(read)) if ["json_as_text", "json_at"].contains(&read.func.name()) => {
                self.call("json_part", read.args.clone(), at)
            }
            (Kind::Loose, Expr::Column(column)) => {
                let field = self.scope.schema.field_from_column(column).map_err(|e| internal(&e))?;
                let Some(path) = field.metadata().get(PATH_KEY) else { return Ok(expr) };
                let (json, keys) = decode_path(path);
                let json = Column::new(column.relation.clone(), json);
                // A table without the JSON has nothing but the text.
                if !self.scope.schema.field_from_column(&json).is_ok_and(|field| is_json(field)) {
                    return Ok(expr);
                }
                let keys = keys.iter().map(|key| lit(key.as_str()));
                self.call("json_part", std::iter::once(Expr::Column(json)).chain(keys).collect(), at)
            }
            _ => Ok(expr),
        }
    }
}
