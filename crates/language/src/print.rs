//! A tree as text that reads back as the same tree.

use std::fmt::{self, Display, Formatter, Write};

use crate::ast::{BinaryOp, Expr, Literal, Node, Step, UnaryOp};
use crate::lexer::starts_word;
use crate::parser::RESERVED;

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_node(f, &self.node)
    }
}

/// How tightly a node binds, as the parser climbs.
fn power(node: &Node) -> u8 {
    match node {
        Node::Ternary { .. } => 1,
        Node::Binary { op, .. } => binary_power(*op),
        Node::Unary { op: UnaryOp::Not, .. } => 4,
        Node::IsNull { .. }
        | Node::IsBool { .. }
        | Node::IsDistinct { .. }
        | Node::In { .. }
        | Node::Between { .. }
        | Node::Like { .. }
        | Node::Match { .. }
        | Node::Includes { .. }
        | Node::Regex { .. } => 5,
        Node::Unary { op: UnaryOp::Negate, .. } => 9,
        // A negative number is written with a sign.
        Node::Literal(Literal::Int(number)) if *number < 0 => 9,
        Node::Literal(Literal::Float(number) | Literal::Percent(number)) if number.is_sign_negative() => 9,
        _ => 10,
    }
}

fn binary_power(op: BinaryOp) -> u8 {
    match op {
        BinaryOp::Or => 2,
        BinaryOp::And => 3,
        BinaryOp::Eq
        | BinaryOp::NotEq
        | BinaryOp::Less
        | BinaryOp::LessEq
        | BinaryOp::Greater
        | BinaryOp::GreaterEq => 5,
        BinaryOp::Concat => 6,
        BinaryOp::Plus | BinaryOp::Minus => 7,
        BinaryOp::Times | BinaryOp::Divide | BinaryOp::Modulo => 8,
    }
}

impl Display for BinaryOp {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::And => "and",
            Self::Or => "or",
            Self::Eq => "=",
            Self::NotEq => "!=",
            Self::Less => "<",
            Self::LessEq => "<=",
            Self::Greater => ">",
            Self::GreaterEq => ">=",
            Self::Plus => "+",
            Self::Minus => "-",
            Self::Times => "*",
            Self::Divide => "/",
            Self::Modulo => "%",
            Self::Concat => "||",
        })
    }
}

/// A part that must bind at least as tightly as `least`, in brackets where it does not.
struct Part<'a>(&'a Expr, u8);

impl Display for Part<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if power(&self.0.node) >= self.1 { self.0.fmt(f) } else { write!(f, "({})", self.0) }
    }
}

/// Parts with commas between them.
struct List<'a>(&'a [Expr]);

impl Display for List<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (i, item) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            item.fmt(f)?;
        }
        Ok(())
    }
}

fn quoted(f: &mut Formatter<'_>, text: &str, quote: char) -> fmt::Result {
    f.write_char(quote)?;
    for c in text.chars() {
        if c == quote {
            f.write_char(quote)?;
        }
        f.write_char(c)?;
    }
    f.write_char(quote)
}

fn write_step(f: &mut Formatter<'_>, step: &Step, is_first: bool) -> fmt::Result {
    match step {
        Step::Index(index) => write!(f, "[{index}]"),
        Step::Key { name, quoted: is_quoted } => {
            if !is_first {
                f.write_char('.')?;
            }
            let starts = |c: char| starts_word(c) || (!is_first && c.is_ascii_digit());
            let is_plain = name.starts_with(starts)
                && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '@')
                && (!is_first || !RESERVED.contains(&name.to_ascii_lowercase().as_str()));
            // A word that is quoted stays so.
            if is_plain && !is_quoted { f.write_str(name) } else { quoted(f, name, '"') }
        }
    }
}

fn not(negated: bool) -> &'static str {
    if negated { "not " } else { "" }
}

fn write_node(f: &mut Formatter<'_>, node: &Node) -> fmt::Result {
    const OPERAND: u8 = 6;
    match node {
        Node::Literal(literal) => write_literal(f, literal),
        Node::Path(steps) => {
            for (i, step) in steps.iter().enumerate() {
                write_step(f, step, i == 0)?;
            }
            Ok(())
        }
        Node::Star => f.write_char('*'),
        Node::Parameter(name) => write!(f, "${name}"),
        Node::List(items) => write!(f, "[{}]", List(items)),
        Node::Unary { op: UnaryOp::Not, operand } => write!(f, "not {}", Part(operand, 4)),
        Node::Unary { op: UnaryOp::Negate, operand } => {
            // `--` would begin a comment, and a sign before a number would become part of it.
            if power(&operand.node) >= 10 && !matches!(operand.node, Node::Literal(_)) {
                write!(f, "-{operand}")
            } else {
                write!(f, "-({operand})")
            }
        }
        Node::Binary { op, left, right } => {
            let own = binary_power(*op);
            write!(f, "{} {op} {}", Part(left, own), Part(right, own + 1))
        }
        Node::IsNull { operand, negated } => write!(f, "{} is {}null", Part(operand, 5), not(*negated)),
        Node::IsBool { operand, value, negated } => write!(f, "{} is {}{value}", Part(operand, 5), not(*negated)),
        Node::IsDistinct { left, right, negated } => {
            write!(f, "{} is {}distinct from {}", Part(left, 5), not(*negated), Part(right, OPERAND))
        }
        Node::In { operand, set, negated } => {
            write!(f, "{} {}in {}", Part(operand, 5), not(*negated), Part(set, OPERAND))
        }
        Node::Between { operand, low, high, negated } => write!(
            f,
            "{} {}between {} and {}",
            Part(operand, 5),
            not(*negated),
            Part(low, OPERAND),
            Part(high, OPERAND)
        ),
        Node::Like { operand, pattern, ignore_case, escape, negated } => {
            let word = if *ignore_case { "ilike" } else { "like" };
            write!(f, "{} {}{word} {}", Part(operand, 5), not(*negated), Part(pattern, OPERAND))?;
            match escape {
                Some('\'') => f.write_str(" escape ''''"),
                Some(escape) => write!(f, " escape '{escape}'"),
                None => Ok(()),
            }
        }
        Node::Match { operand, words, negated } => {
            write!(f, "{} {}match {}", Part(operand, 5), not(*negated), Part(words, OPERAND))
        }
        Node::Includes { container, item, negated } => {
            write!(f, "{} {}includes {}", Part(container, 5), not(*negated), Part(item, OPERAND))
        }
        Node::Regex { operand, pattern, negated } => {
            let sign = if *negated { "!~" } else { "~" };
            write!(f, "{} {sign} {}", Part(operand, 5), Part(pattern, OPERAND))
        }
        Node::Ternary { condition, then, otherwise } => {
            write!(f, "{} ? {then} : {otherwise}", Part(condition, 2))
        }
        Node::Case(case) => {
            f.write_str("case")?;
            if let Some(operand) = &case.operand {
                write!(f, " {operand}")?;
            }
            for (when, then) in &case.branches {
                write!(f, " when {when} then {then}")?;
            }
            if let Some(otherwise) = &case.otherwise {
                write!(f, " else {otherwise}")?;
            }
            f.write_str(" end")
        }
        Node::Cast { operand, to, lenient } => {
            write!(f, "{}cast({operand} as {to})", if *lenient { "try_" } else { "" })
        }
        Node::Interval(text) => {
            f.write_str("interval ")?;
            quoted(f, text, '\'')
        }
        Node::Call(call) => {
            write!(f, "{}({}{})", call.name, if call.distinct { "distinct " } else { "" }, List(&call.arguments))?;
            match &call.filter {
                Some(condition) => write!(f, " filter (where {condition})"),
                None => Ok(()),
            }
        }
        Node::Access { operand, step } => {
            let is_plain = matches!(operand.node, Node::Call(_) | Node::Access { .. } | Node::List(_));
            if is_plain {
                operand.fmt(f)?
            } else {
                write!(f, "({operand})")?
            }
            write_step(f, step, false)
        }
    }
}

fn write_literal(f: &mut Formatter<'_>, literal: &Literal) -> fmt::Result {
    match literal {
        Literal::Null => f.write_str("null"),
        Literal::Bool(value) => write!(f, "{value}"),
        Literal::Int(number) => write!(f, "{number}"),
        Literal::Float(number) => write!(f, "{number:?}"),
        Literal::Percent(number) => write!(f, "{number}%"),
        Literal::Text(text) => quoted(f, text, '\''),
        Literal::Json(value) => write_json(f, value),
    }
}

/// JSON in the language's own spelling: text as the language quotes it.
fn write_json(f: &mut Formatter<'_>, value: &serde_json::Value) -> fmt::Result {
    match value {
        serde_json::Value::String(text) => quoted(f, text, '\''),
        serde_json::Value::Array(items) => {
            f.write_char('[')?;
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    f.write_str(", ")?;
                }
                write_json(f, item)?;
            }
            f.write_char(']')
        }
        serde_json::Value::Object(fields) => {
            f.write_char('{')?;
            for (i, (key, item)) in fields.iter().enumerate() {
                if i > 0 {
                    f.write_str(", ")?;
                }
                quoted(f, key, '"')?;
                f.write_str(": ")?;
                write_json(f, item)?;
            }
            f.write_char('}')
        }
        other => write!(f, "{other}"),
    }
}
