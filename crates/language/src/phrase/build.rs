//! The expressions that phrases become.

use crate::ast::{BinaryOp, Call, Expr, Literal, Node, Position, Step, UnaryOp};

pub(super) fn here(node: Node) -> Expr {
    Expr { node, position: Position::default() }
}

pub(super) fn path(text: &str) -> Expr {
    let key = |name: &str| Step::Key { name: name.to_string(), quoted: false };
    here(Node::Path(text.split('.').map(key).collect()))
}

pub(super) fn number_path(field: &str, name: &str) -> Expr {
    let key = |name: &str| Step::Key { name: name.to_string(), quoted: false };
    here(Node::Path(vec![key(field), key(name)]))
}

pub(super) fn binary(op: BinaryOp, left: Expr, right: Expr) -> Expr {
    here(Node::Binary { op, left: Box::new(left), right: Box::new(right) })
}

pub(super) fn literal(literal: Literal) -> Expr {
    here(Node::Literal(literal))
}

pub(super) fn text(value: &str) -> Expr {
    literal(Literal::Text(value.to_string()))
}

pub(super) fn is_null(operand: Expr, negated: bool) -> Expr {
    here(Node::IsNull { operand: Box::new(operand), negated })
}

pub(super) fn not(operand: Expr) -> Expr {
    here(Node::Unary { op: UnaryOp::Not, operand: Box::new(operand) })
}

pub(super) fn call(name: &str, arguments: Vec<Expr>) -> Expr {
    here(Node::Call(Call {
        name: name.into(),
        name_position: Position::default(),
        arguments,
        distinct: false,
        filter: None,
    }))
}

pub(super) fn any_of(parts: Vec<Expr>) -> Option<Expr> {
    parts.into_iter().reduce(|a, b| binary(BinaryOp::Or, a, b))
}

pub(super) fn like(operand: Box<Expr>, pattern: &str) -> Expr {
    here(Node::Like { operand, pattern: Box::new(text(pattern)), ignore_case: true, escape: None, negated: false })
}

pub(super) fn number(amount: f64) -> Expr {
    let is_whole = amount.fract() == 0.0 && amount.abs() < 1e15;
    literal(if is_whole { Literal::Int(amount as i64) } else { Literal::Float(amount) })
}
