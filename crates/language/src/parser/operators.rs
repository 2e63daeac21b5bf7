//! Operator precedence, climbed.
//!
//! From loosest to tightest: `? :`, `or`, `and`, `not`, comparisons, `||`, `+ -`, `* / %`, `-x`,
//! `::` and steps into a value.

use super::{LINKS_MAX, PREDICATES, Parsed, Parser};
use crate::ast::{BinaryOp, Expr, Literal, Node, UnaryOp};
use crate::error::LanguageError;
use crate::lexer::Kind;

/// The binding power of a whole expression.
pub(super) const LOOSEST: u8 = power::TERNARY;

/// Binding powers of the infix operators.
mod power {
    pub(super) const TERNARY: u8 = 1;
    pub(super) const OR: u8 = 2;
    pub(super) const AND: u8 = 3;
    pub(super) const NOT: u8 = 4;
    pub(super) const COMPARISON: u8 = 5;
    pub(super) const CONCAT: u8 = 6;
    pub(super) const SUM: u8 = 7;
    pub(super) const PRODUCT: u8 = 8;
    pub(super) const SIGN: u8 = 9;
}

impl Parser {
    pub(super) fn climb(&mut self, least: u8) -> Parsed {
        self.deeper(|parser| {
            let start = parser.position().start;
            let mut left = parser.prefix()?;
            // A long chain of operators makes a deep tree as well.
            while parser.continues(least) {
                left = parser.infix(left, start)?;
                parser.links += 1;
                if parser.links > LINKS_MAX {
                    let message = format!("more than {LINKS_MAX} operators: `in [...]` takes long lists");
                    return Err(LanguageError::new(message, parser.position()));
                }
            }
            Ok(left)
        })
    }

    /// Whether an operator follows that binds at least as tightly as `least`.
    pub(super) fn continues(&self, least: u8) -> bool {
        if let Some((_, power)) = self.binary_operator() {
            return power >= least;
        }
        if self.is_symbol("?") {
            return power::TERNARY >= least;
        }
        if power::COMPARISON < least {
            return false;
        }
        if self.is_symbol("~") || self.is_symbol("!~") {
            return true;
        }
        let word = |ahead| self.word_at(ahead).unwrap_or_default();
        match word(0).as_str() {
            "is" | "isnull" | "isnotnull" | "notnull" => true,
            "not" => PREDICATES.contains(&word(1).as_str()),
            other => PREDICATES.contains(&other),
        }
    }

    pub(super) fn prefix(&mut self) -> Parsed {
        let start = self.position().start;
        if self.is_word("not") || (self.is_symbol("!") && !matches!(self.peek_at(1), Kind::Symbol("="))) {
            self.take();
            let operand = self.climb(power::NOT)?;
            return self.node(Node::Unary { op: UnaryOp::Not, operand: Box::new(operand) }, start);
        }
        if self.take_symbol("-") {
            let operand = self.climb(power::SIGN)?;
            let node = match operand.node {
                Node::Literal(Literal::Int(whole)) if whole >= 0 => Node::Literal(Literal::Int(-whole)),
                // 9223372036854775808 is no i64, but its negative is.
                Node::Literal(Literal::Float(9_223_372_036_854_775_808.0)) => Node::Literal(Literal::Int(i64::MIN)),
                Node::Literal(Literal::Float(number)) if number.is_sign_positive() => {
                    Node::Literal(Literal::Float(-number))
                }
                Node::Literal(Literal::Percent(number)) if number.is_sign_positive() => {
                    Node::Literal(Literal::Percent(-number))
                }
                node => {
                    let operand = Box::new(Expr { node, position: operand.position });
                    Node::Unary { op: UnaryOp::Negate, operand }
                }
            };
            return self.node(node, start);
        }
        if self.take_symbol("+") {
            return self.climb(power::SIGN);
        }
        let primary = self.primary()?;
        self.postfix(primary, start)
    }

    /// One infix operator and its right side.
    pub(super) fn infix(&mut self, left: Expr, start: usize) -> Parsed {
        if let Some((op, power)) = self.binary_operator() {
            self.take();
            let right = self.climb(power + 1)?;
            return self.node(Node::Binary { op, left: Box::new(left), right: Box::new(right) }, start);
        }
        if self.take_symbol("?") {
            let then = self.expression()?;
            self.expect_symbol(":")?;
            let otherwise = self.expression()?;
            let node =
                Node::Ternary { condition: Box::new(left), then: Box::new(then), otherwise: Box::new(otherwise) };
            return self.node(node, start);
        }
        self.predicate(left, start)
    }

    pub(super) fn binary_operator(&self) -> Option<(BinaryOp, u8)> {
        Some(match self.peek_at(0) {
            Kind::Symbol(symbol) => match *symbol {
                "=" | "==" => (BinaryOp::Eq, power::COMPARISON),
                "!=" | "<>" => (BinaryOp::NotEq, power::COMPARISON),
                "<" => (BinaryOp::Less, power::COMPARISON),
                "<=" => (BinaryOp::LessEq, power::COMPARISON),
                ">" => (BinaryOp::Greater, power::COMPARISON),
                ">=" => (BinaryOp::GreaterEq, power::COMPARISON),
                "||" => (BinaryOp::Concat, power::CONCAT),
                "&&" => (BinaryOp::And, power::AND),
                "+" => (BinaryOp::Plus, power::SUM),
                "-" => (BinaryOp::Minus, power::SUM),
                "*" => (BinaryOp::Times, power::PRODUCT),
                "/" => (BinaryOp::Divide, power::PRODUCT),
                "%" => (BinaryOp::Modulo, power::PRODUCT),
                _ => return None,
            },
            Kind::Word(_) => match self.word_at(0)?.as_str() {
                "and" => (BinaryOp::And, power::AND),
                "or" => (BinaryOp::Or, power::OR),
                _ => return None,
            },
            _ => return None,
        })
    }

    /// Comparisons that are words: `is`, `in`, `like`, … and the signs for regular expressions.
    pub(super) fn predicate(&mut self, left: Expr, start: usize) -> Parsed {
        let operand = Box::new(left);
        if self.is_symbol("~") || self.is_symbol("!~") {
            let negated = self.is_symbol("!~");
            self.take();
            let pattern = Box::new(self.climb(power::CONCAT)?);
            return self.node(Node::Regex { operand, pattern, negated }, start);
        }
        let negated = self.take_word("not");
        let word = self.word_at(0).unwrap_or_default();
        self.take();
        let node = match word.as_str() {
            "isnull" => Node::IsNull { operand, negated: false },
            "isnotnull" | "notnull" => Node::IsNull { operand, negated: true },
            "is" => return self.is(operand, start),
            "in" => Node::In { operand, set: Box::new(self.set()?), negated },
            "between" => {
                let low = Box::new(self.climb(power::CONCAT)?);
                self.expect_word("and")?;
                let high = Box::new(self.climb(power::CONCAT)?);
                Node::Between { operand, low, high, negated }
            }
            "like" | "ilike" => {
                let pattern = Box::new(self.climb(power::CONCAT)?);
                let escape = if self.take_word("escape") { Some(self.escape()?) } else { None };
                Node::Like { operand, pattern, ignore_case: word == "ilike", escape, negated }
            }
            "match" => Node::Match { operand, words: Box::new(self.climb(power::CONCAT)?), negated },
            "regexp" | "rlike" => Node::Regex { operand, pattern: Box::new(self.climb(power::CONCAT)?), negated },
            _ => Node::Includes { container: operand, item: Box::new(self.climb(power::CONCAT)?), negated },
        };
        self.node(node, start)
    }

    pub(super) fn escape(&mut self) -> Result<char, LanguageError> {
        let token = self.take();
        if let Kind::Text(text) = &token.kind {
            let mut characters = text.chars();
            if let (Some(one), None) = (characters.next(), characters.next()) {
                return Ok(one);
            }
        }
        Err(LanguageError::new("expected one character in quotes after `escape`", token.position))
    }

    pub(super) fn is(&mut self, operand: Box<Expr>, start: usize) -> Parsed {
        let negated = self.take_word("not");
        if self.take_word("null") {
            return self.node(Node::IsNull { operand, negated }, start);
        }
        if self.is_word("true") || self.is_word("false") {
            let value = self.is_word("true");
            self.take();
            return self.node(Node::IsBool { operand, value, negated }, start);
        }
        if self.take_word("distinct") {
            self.expect_word("from")?;
            let right = Box::new(self.climb(power::CONCAT)?);
            return self.node(Node::IsDistinct { left: operand, right, negated }, start);
        }
        Err(self.expected("`null`, `true`, `false` or `distinct from`"))
    }

    /// What `in` looks into: `[…]`, `(…)` or a value that is a list.
    pub(super) fn set(&mut self) -> Parsed {
        let start = self.position().start;
        if self.take_symbol("(") {
            let items = self.deeper(|parser| parser.items(")"))?;
            return self.node(Node::List(items), start);
        }
        self.climb(power::CONCAT)
    }
}
