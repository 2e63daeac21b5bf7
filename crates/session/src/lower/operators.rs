//! Operators: comparisons, arithmetic, patterns, membership.

use datafusion::arrow::datatypes::{DataType, IntervalUnit, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::common::tree_node::TreeNode;
use datafusion::logical_expr::expr::{InList, Like};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, Operator, cast, lit, not, try_cast, when};
use datafusion::prelude::{coalesce, nullif};
use evalhouse_language::{BinaryOp, Expr as Tree, LanguageError, Literal, Node, Position};

use super::{Kind, Lowered, Lowering, Value, error, internal, negate};

impl Lowering<'_> {
    pub(super) fn binary(&self, op: BinaryOp, left: &Tree, right: &Tree) -> Lowered {
        match op {
            BinaryOp::Plus | BinaryOp::Minus => self.sum(op, left, right),
            BinaryOp::Times | BinaryOp::Divide | BinaryOp::Modulo => {
                let (a, b) = (self.lower(left)?, self.lower(right)?);
                let (a, b) = (self.number(a, left)?, self.number(b, right)?);
                let double = |expr: Expr| cast(expr, DataType::Float64);
                let expr = match op {
                    BinaryOp::Times => binary(double(a), Operator::Multiply, double(b)),
                    // By zero is no number, and no failure of a whole query.
                    BinaryOp::Divide => binary(double(a), Operator::Divide, nullif(double(b), lit(0.0))),
                    _ => binary(double(a), Operator::Modulo, nullif(double(b), lit(0.0))),
                };
                Ok(Value::new(expr, Kind::Number))
            }
            BinaryOp::Concat => {
                let expr = binary(self.text_of(left)?, Operator::StringConcat, self.text_of(right)?);
                Ok(Value::new(expr, Kind::Text))
            }
            _ => self.comparison(op, left, right),
        }
    }

    fn sum(&self, op: BinaryOp, left: &Tree, right: &Tree) -> Lowered {
        let operator = if op == BinaryOp::Plus { Operator::Plus } else { Operator::Minus };
        let (a, b) = (self.lower(left)?, self.lower(right)?);
        match (a.kind, b.kind) {
            (_, Kind::Duration) if a.kind != Kind::Duration => {
                Ok(Value::new(binary(self.time(a, left)?, operator, b.expr), Kind::Time))
            }
            (Kind::Duration, _) if b.kind != Kind::Duration && op == BinaryOp::Plus => {
                Ok(Value::new(binary(self.time(b, right)?, operator, a.expr), Kind::Time))
            }
            (Kind::Duration, Kind::Duration) => {
                let length = |expr: Expr| cast(expr, DataType::Interval(IntervalUnit::MonthDayNano));
                Ok(Value::new(binary(length(a.expr), operator, length(b.expr)), Kind::Duration))
            }
            (Kind::Time, _) | (_, Kind::Time) if op == BinaryOp::Minus => {
                Ok(Value::new(binary(self.moment(a, left)?, operator, self.moment(b, right)?), Kind::Duration))
            }
            _ => {
                let double = |expr: Expr| cast(expr, DataType::Float64);
                let (a, b) = (double(self.number(a, left)?), double(self.number(b, right)?));
                Ok(Value::new(binary(a, operator, b), Kind::Number))
            }
        }
    }

    pub(super) fn comparison(&self, op: BinaryOp, left: &Tree, right: &Tree) -> Lowered {
        let (a, b) = (self.lower(left)?, self.lower(right)?);
        self.compare(op, (a, left), (b, right))
    }

    /// Compares two values by the stricter kind of the two.
    pub(super) fn compare(&self, op: BinaryOp, a: (Value, &Tree), b: (Value, &Tree)) -> Lowered {
        let operator = match op {
            BinaryOp::Eq => Operator::Eq,
            BinaryOp::NotEq => Operator::NotEq,
            BinaryOp::Less => Operator::Lt,
            BinaryOp::LessEq => Operator::LtEq,
            BinaryOp::Greater => Operator::Gt,
            _ => Operator::GtEq,
        };
        let ((a, left), (b, right)) = (a, b);
        let kinds = (a.kind, b.kind);
        let (a, b) = (a.meant_as(kinds.1), b.meant_as(kinds.0));
        let has = |kind| a.kind == kind || b.kind == kind;
        if has(Kind::Null) {
            return Ok(Value::null_bool());
        }
        if has(Kind::Time) {
            return Ok(Value::bool(binary(self.time(a, left)?, operator, self.time(b, right)?)));
        }
        if has(Kind::Number) {
            return Ok(Value::bool(binary(self.number(a, left)?, operator, self.number(b, right)?)));
        }
        if has(Kind::Bool) {
            let (a, b) = (self.boolean(a, left)?.expr, self.boolean(b, right)?.expr);
            return Ok(Value::bool(binary(a, operator, b)));
        }
        if has(Kind::Duration) {
            return self.lengths(operator, (a, left), (b, right));
        }
        if has(Kind::List) || has(Kind::Other) {
            return Ok(Value::bool(self.typed(binary(a.expr, operator, b.expr), left.position)?.expr));
        }
        // Constant objects and lists are compared by value, whatever their spelling.
        let is_json_constant = |tree: &Tree| matches!(tree.node, Node::Literal(Literal::Json(_)));
        if is_json_constant(left) || is_json_constant(right) {
            let canonical = |value: Value| self.call("canonical_json", vec![value.expr], Position::default());
            return Ok(Value::bool(binary(canonical(a)?, operator, canonical(b)?)));
        }
        let loose = a.kind == Kind::Loose && b.kind == Kind::Loose;
        let (a, b) = (self.text(a)?, self.text(b)?);
        let as_text = binary(a.clone(), operator, b.clone());
        if loose {
            // Two values out of JSON are compared as numbers where both are.
            let number = |expr: Expr| try_cast(expr, DataType::Float64);
            return Ok(Value::bool(coalesce(vec![binary(number(a), operator, number(b)), as_text])));
        }
        Ok(Value::bool(as_text))
    }

    /// Compares lengths of time: of a difference `x - y`, by whether x is later than the other length
    /// after y, so that a month is as long as the one that begins there.
    fn lengths(&self, operator: Operator, a: (Value, &Tree), b: (Value, &Tree)) -> Lowered {
        let (a, b) = ((self.length(a.0, a.1)?, a.1), (self.length(b.0, b.1)?, b.1));
        let after = |start: Expr, length: Expr| binary(start, Operator::Plus, length);
        let (a, b) = match (self.ends(&a.0), self.ends(&b.0)) {
            (Some((end, start)), _) => (end, after(start, b.0)),
            (None, Some((end, start))) => (after(start, a.0), end),
            (None, None) => {
                if let Some((_, tree)) = [&a, &b].into_iter().find(|(length, _)| has_months(length)) {
                    let message = "a month has no fixed length: write it in days, or compare times such as \
                                   `created > now() - interval 1 month`";
                    return error(message, tree.position);
                }
                let epoch = || lit(ScalarValue::TimestampMicrosecond(Some(0), Some("UTC".into())));
                (after(epoch(), a.0), after(epoch(), b.0))
            }
        };
        Ok(Value::bool(binary(a, operator, b)))
    }

    /// A value as a length of time.
    fn length(&self, value: Value, tree: &Tree) -> Result<Expr, LanguageError> {
        let interval = DataType::Interval(IntervalUnit::MonthDayNano);
        match (value.kind, value.constant_text()) {
            (Kind::Duration, _) => Ok(value.expr),
            (Kind::Text, Some(text)) => match super::functions::interval(text) {
                Some(constant) => Ok(lit(constant)),
                None => error(format!("'{text}' is no interval, expected one such as '7 days'"), tree.position),
            },
            (Kind::Text | Kind::Loose | Kind::Json, _) => Ok(try_cast(self.text(value)?, interval)),
            (kind, _) => error(format!("expected an interval, this is {}", kind.shown()), tree.position),
        }
    }

    /// End and start of a length of time that is the difference of two times.
    fn ends(&self, length: &Expr) -> Option<(Expr, Expr)> {
        match length {
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::Minus, right })
                if left.get_type(self.scope.schema).is_ok_and(|kind| kind == moments()) =>
            {
                Some((left.as_ref().clone(), right.as_ref().clone()))
            }
            _ => None,
        }
    }

    /// A value as a moment in UTC: a date is its beginning.
    fn moment(&self, value: Value, tree: &Tree) -> Result<Expr, LanguageError> {
        let time = self.time(value, tree)?;
        match time.get_type(self.scope.schema) {
            Ok(kind) if kind == moments() => Ok(time),
            _ => Ok(cast(time, moments())),
        }
    }

    pub(super) fn distinct(&self, left: &Tree, right: &Tree, negated: bool) -> Lowered {
        let (a, b) = (self.lower(left)?, self.lower(right)?);
        let (both_null, one_null) = (
            a.expr.clone().is_null().and(b.expr.clone().is_null()),
            binary(a.expr.clone().is_null(), Operator::NotEq, b.expr.clone().is_null()),
        );
        if a.kind == Kind::Null || b.kind == Kind::Null {
            return Ok(negate(one_null, negated));
        }
        let equal = self.compare(BinaryOp::Eq, (a, left), (b, right))?.expr;
        let chosen = when(both_null, lit(false)).when(one_null, lit(true)).otherwise(not(equal).is_not_false());
        Ok(negate(chosen.map_err(|e| internal(&e))?, negated))
    }

    /// `x in [a, b]`, `x in list`.
    pub(super) fn membership(&self, operand: &Tree, set: &Tree, negated: bool) -> Lowered {
        let constant;
        let items = match &set.node {
            Node::List(items) => items,
            Node::Literal(Literal::Json(serde_json::Value::Array(values))) => {
                constant = values.iter().map(|value| constant_tree(value, set.position)).collect::<Vec<_>>();
                &constant
            }
            // The other way round: a list that includes the value.
            _ => return self.includes(set, operand, negated, set.position),
        };
        let mut value = self.lower(operand)?;
        if value.kind == Kind::Null || items.is_empty() {
            return Ok(if items.is_empty() { Value::bool(lit(negated)) } else { Value::null_bool() });
        }
        let mut list = Vec::new();
        for item in items {
            list.push((self.lower(item)?, item));
        }
        let all = |kind: Kind| list.iter().all(|(item, _)| item.kind == kind);
        if all(Kind::Text) {
            value = value.loosened();
        }
        let is_text = matches!(value.kind, Kind::Text | Kind::Loose | Kind::Json);
        let (expr, list) = if value.kind == Kind::Number && all(Kind::Number) {
            (value.expr, list.into_iter().map(|(item, _)| item.expr).collect())
        } else if is_text && all(Kind::Text) {
            (self.text(value)?, list.into_iter().map(|(item, _)| item.expr).collect())
        } else {
            return Ok(negate(self.any_equal((&value, operand), list)?, negated));
        };
        Ok(Value::bool(Expr::InList(InList::new(Box::new(expr), list, negated))))
    }

    /// Whether a value equals one of several items, each of which decides how it is compared. Those that
    /// ask the same reading of the value are one list, which the engine looks up.
    fn any_equal(&self, (value, operand): (&Value, &Tree), items: Vec<(Value, &Tree)>) -> Result<Expr, LanguageError> {
        let mut lists: Vec<(Expr, Vec<Expr>)> = Vec::new();
        let mut conditions = Vec::new();
        for (item, tree) in items {
            match self.compare(BinaryOp::Eq, (value.clone(), operand), (item, tree))?.expr {
                Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) => {
                    match lists.iter_mut().find(|(reading, _)| *reading == *left) {
                        Some((_, list)) => list.push(*right),
                        None => lists.push((*left, vec![*right])),
                    }
                }
                other => conditions.push(other),
            }
        }
        let list = |(reading, list)| Expr::InList(InList::new(Box::new(reading), list, false));
        conditions.extend(lists.into_iter().map(list));
        // In pairs, so that many are not deep.
        while conditions.len() > 1 {
            let mut rest = conditions.into_iter();
            let mut pairs = Vec::new();
            while let Some(first) = rest.next() {
                pairs.push(match rest.next() {
                    Some(second) => first.or(second),
                    None => first,
                });
            }
            conditions = pairs;
        }
        Ok(conditions.pop().unwrap_or_else(|| lit(false)))
    }

    pub(super) fn like(
        &self,
        operand: &Tree,
        pattern: &Tree,
        ignore_case: bool,
        escape: Option<char>,
        negated: bool,
    ) -> Lowered {
        let text = self.text_of(operand)?;
        let value = self.lower(pattern)?;
        let pattern_expr = match (escape, value.constant_text()) {
            (None | Some('\\'), _) => self.text(value)?,
            (Some(escape), Some(constant)) => lit(with_backslash(constant, escape)),
            (Some(_), None) => return error("`escape` takes a constant pattern", pattern.position),
        };
        let like = Like::new(negated, Box::new(text), Box::new(pattern_expr), None, ignore_case);
        Ok(Value::bool(Expr::Like(like)))
    }

    pub(super) fn regex(&self, operand: &Tree, pattern: &Tree) -> Result<Expr, LanguageError> {
        let value = self.lower(pattern)?;
        if let Some(constant) = value.constant_text()
            && let Err(fault) = regex::Regex::new(constant)
        {
            let reason = match fault {
                regex::Error::Syntax(text) => {
                    text.lines().last().unwrap_or_default().trim().trim_start_matches("error: ").to_string()
                }
                other => other.to_string(),
            };
            return error(format!("'{constant}' is no regular expression: {reason}"), pattern.position);
        }
        if value.constant_text().is_none() {
            return error("a regular expression is a constant text", pattern.position);
        }
        let arguments = vec![self.text_of(operand)?, self.text(value)?];
        self.call("regexp_like", arguments, pattern.position)
    }

    /// `x includes y`.
    pub(super) fn includes(&self, container: &Tree, item: &Tree, negated: bool, at: Position) -> Lowered {
        let (list, value) = (self.lower(container)?.loosened(), self.lower(item)?);
        if list.kind == Kind::Null || value.kind == Kind::Null {
            return Ok(Value::null_bool());
        }
        let expr = match list.kind {
            Kind::List => self.call("array_has", vec![list.expr, self.text(value)?], at)?,
            Kind::Json | Kind::Loose | Kind::Text => {
                let item = match value.kind {
                    // Text stands for itself, also where it would read as JSON.
                    Kind::Text => self.text(value)?,
                    Kind::Json | Kind::Loose => value.expr,
                    _ => self.text(value)?,
                };
                self.call("includes", vec![list.expr, item], at)?
            }
            kind => return error(format!("{} includes nothing", kind.shown()), container.position),
        };
        Ok(negate(expr, negated))
    }

    /// `case` and `? :`.
    pub(super) fn choice(&self, branches: Vec<(Expr, &Tree)>, otherwise: Option<&Tree>) -> Lowered {
        let mut values = Vec::new();
        for (_, then) in &branches {
            values.push(self.lower(then)?);
        }
        let last = otherwise.map(|tree| self.lower(tree)).transpose()?;
        let kinds = || values.iter().chain(&last).map(|value| value.kind).filter(|kind| *kind != Kind::Null);
        let first = kinds().next().unwrap_or(Kind::Null);
        let is_mixed = kinds().any(|kind| kind != first) || first == Kind::Json;
        // Branches of several kinds meet as text.
        let settle = |value: Value| match (is_mixed, value.kind) {
            (_, Kind::Null) => Ok(lit(ScalarValue::Null)),
            (true, _) => self.text(value),
            (false, Kind::Number) => Ok(cast(value.expr, DataType::Float64)),
            (false, _) => Ok(value.expr),
        };
        let mut branches = branches.into_iter().zip(values);
        let Some(((condition, _), value)) = branches.next() else {
            return Ok(Value::new(lit(ScalarValue::Null), Kind::Null));
        };
        let mut builder = when(condition, settle(value)?);
        for ((condition, _), value) in branches {
            builder = builder.when(condition, settle(value)?);
        }
        let expr = match last {
            Some(value) => builder.otherwise(settle(value)?),
            None => builder.end(),
        };
        let kind = if is_mixed { Kind::Loose } else { first };
        Ok(Value::new(expr.map_err(|e| internal(&e))?, kind))
    }
}

/// The type of moments in UTC.
fn moments() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// Whether a length of time is made of a constant in months or years.
fn has_months(length: &Expr) -> bool {
    let is_in_months = |part: &Expr| match part {
        Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(constant)), _) => constant.months != 0,
        _ => false,
    };
    length.exists(|part| Ok(is_in_months(part))).unwrap_or(false)
}

pub(super) fn binary(left: Expr, operator: Operator, right: Expr) -> Expr {
    Expr::BinaryExpr(BinaryExpr::new(Box::new(left), operator, Box::new(right)))
}

/// The pattern with a backslash as the character that makes `%` and `_` literal.
fn with_backslash(pattern: &str, escape: char) -> String {
    let mut out = String::new();
    let mut characters = pattern.chars();
    while let Some(c) = characters.next() {
        if c == escape {
            out.push('\\');
            out.extend(characters.next());
        } else if c == '\\' {
            out.push_str("\\\\");
        } else {
            out.push(c);
        }
    }
    out
}

/// A constant of the JSON form as a tree.
fn constant_tree(value: &serde_json::Value, position: Position) -> Tree {
    let literal = match value {
        serde_json::Value::Null => Literal::Null,
        serde_json::Value::Bool(value) => Literal::Bool(*value),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(whole) => Literal::Int(whole),
            None => Literal::Float(number.as_f64().unwrap_or_default()),
        },
        serde_json::Value::String(text) => Literal::Text(text.clone()),
        other => Literal::Json(other.clone()),
    };
    Tree { node: Node::Literal(literal), position }
}
