//! The meaning of the filter language: its syntax tree as an expression of the engine.
//!
//! Values that come out of JSON have no declared type, so operators decide: compared with a number a
//! JSON value is read as a number, with a time as a time, and where it is none the comparison is
//! null. A filter keeps the rows for which its condition is true; null is not true.

mod functions;
mod key;
mod names;
mod operators;
mod size;
mod spelled;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::functions_nested::expr_fn::make_array;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, cast, lit, not, try_cast, when};
use evalhouse_language::{BinaryOp, Expr as Tree, LanguageError, Literal, Node, Position, Step, UnaryOp};

pub use spelled::Spelled;

use crate::paths::PathColumns;
use crate::{Session, SessionError};

/// Qualifier of the baseline's columns in a scope that has them.
pub const BASE: &str = "base";

/// Qualifier of the candidate's columns where the baseline has columns of the same names.
pub const CANDIDATE: &str = "candidate";

/// The column that `group_size()` reads: how many trials the case of a row has.
pub const GROUP_SIZE: &str = "__group_size";

/// How a score or metric is read: its tolerance, and whether less of it is better.
pub type Reading<'a> = &'a (dyn Fn(&str, &str) -> (f64, bool) + Send + Sync);

/// What the names of an expression mean.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// The columns. Those of a baseline are under the qualifier [`BASE`].
    pub schema: &'a DFSchema,
    /// How scores and metrics are read, where there is a baseline to hold them against.
    pub baseline: Option<Reading<'a>>,
    /// Whether aggregate functions may be called.
    pub aggregates: bool,
    /// The spans that `any_span(…)` looks through; without, those of all experiments.
    pub spans: Option<&'a LogicalPlan>,
}

impl<'a> Scope<'a> {
    /// The columns alone.
    pub fn of(schema: &'a DFSchema) -> Self {
        Self { schema, baseline: None, aggregates: false, spans: None }
    }
}

impl Session {
    /// The expression that a syntax tree means. Errors have a place in the text that it was read from.
    ///
    /// # Errors
    /// When a name or function is unknown, or types do not fit.
    pub fn lower(&self, tree: &Tree, scope: &Scope<'_>) -> Result<Expr, LanguageError> {
        size::check_size(tree)?;
        Ok(self.lowering(scope).lower(tree)?.expr)
    }

    /// As [`Self::lower`], for a condition: the expression is true, false or null.
    ///
    /// # Errors
    /// Also when the tree is no condition.
    pub fn lower_condition(&self, tree: &Tree, scope: &Scope<'_>) -> Result<Expr, LanguageError> {
        size::check_size(tree)?;
        let lowering = Lowering { filters: true, ..self.lowering(scope) };
        Ok(lowering.lower_condition(tree)?.expr)
    }

    fn lowering<'a>(&'a self, scope: &'a Scope<'a>) -> Lowering<'a> {
        Lowering { session: self, scope: *scope, paths: self.path_columns(), in_baseline: false, filters: false }
    }

    /// Reads and lowers an expression over the columns of `schema`: a key, a column, a sort.
    ///
    /// # Errors
    /// [`SessionError::Language`] with what is wrong with it, and where.
    pub fn expression(&self, text: &str, schema: &DFSchema) -> Result<Expr, SessionError> {
        let wrong = |error| SessionError::Language { text: text.into(), error };
        let tree = evalhouse_language::parse_expression(text).map_err(wrong)?;
        self.lower(&tree, &Scope::of(schema)).map_err(wrong)
    }

    /// Reads and lowers a condition over the columns of `schema`.
    ///
    /// # Errors
    /// [`SessionError::Language`] with what is wrong with it, and where.
    pub fn condition(&self, text: &str, schema: &DFSchema) -> Result<Expr, SessionError> {
        let wrong = |error| SessionError::Language { text: text.into(), error };
        let tree = evalhouse_language::parse_expression(text).map_err(wrong)?;
        self.lower_condition(&tree, &Scope::of(schema)).map_err(wrong)
    }
}

/// What is known of a value's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Null,
    Bool,
    Number,
    Text,
    Time,
    Duration,
    List,
    /// A column that holds JSON whole.
    Json,
    /// A value out of JSON, as text: it may be a number, a boolean, anything.
    Loose,
    Other,
}

/// An expression and the kind of its value.
#[derive(Debug, Clone)]
struct Value {
    expr: Expr,
    kind: Kind,
    /// Of a path that is stored as numbers or booleans: the same value as JSON spells it. Other files
    /// may hold anything under the path, so no answer may depend on how this one stores it.
    loose: Option<Box<Expr>>,
}

impl Value {
    fn new(expr: Expr, kind: Kind) -> Self {
        Self { expr, kind, loose: None }
    }

    /// The value as one out of JSON, where it is one.
    fn loosened(self) -> Self {
        match self.loose {
            Some(text) => Self::new(*text, Kind::Loose),
            None => self,
        }
    }

    /// The value to be used as one of this kind: as it is stored if it is of the kind, else as JSON.
    fn meant_as(self, kind: Kind) -> Self {
        if self.kind == kind { self } else { self.loosened() }
    }

    fn bool(expr: Expr) -> Self {
        Self::new(expr, Kind::Bool)
    }

    fn null_bool() -> Self {
        Self::bool(lit(ScalarValue::Boolean(None)))
    }

    /// The text of a constant.
    fn constant_text(&self) -> Option<&str> {
        match &self.expr {
            Expr::Literal(value, _) => value.try_as_str().flatten(),
            _ => None,
        }
    }
}

type Lowered = Result<Value, LanguageError>;

struct Lowering<'a> {
    session: &'a Session,
    scope: Scope<'a>,
    paths: &'a PathColumns,
    /// Inside `baseline(…)`, where names are the baseline's.
    in_baseline: bool,
    /// In a condition that rows are filtered by, which the engine can plan as a join of them.
    filters: bool,
}

/// The place of an element as the engine counts: from 1, or from the end. No list is longer than the
/// engine can count, so an index beyond that is one beyond the end.
fn place_of(index: i64) -> i64 {
    const LAST: i64 = i32::MAX as i64 - 1;
    if index >= 0 { index.min(LAST) + 1 } else { index.max(-LAST) }
}

fn error<T>(message: impl Into<String>, position: Position) -> Result<T, LanguageError> {
    Err(LanguageError::new(message, position))
}

impl Lowering<'_> {
    fn lower(&self, tree: &Tree) -> Lowered {
        let at = tree.position;
        match &tree.node {
            Node::Literal(literal) => Ok(literal_value(literal)),
            Node::Path(steps) => self.path(steps, at),
            Node::Star => error("`*` stands only in count(*)", at),
            Node::Parameter(name) => error(format!("`${name}` has no value here"), at),
            Node::List(items) => self.list(items),
            Node::Unary { op: UnaryOp::Not, operand } => {
                let operand = self.lower_condition(operand)?;
                Ok(Value::bool(not(operand.expr)))
            }
            Node::Unary { op: UnaryOp::Negate, operand } => {
                let value = self.lower(operand)?;
                if value.kind == Kind::Duration {
                    return Ok(Value::new(Expr::Negative(Box::new(value.expr)), Kind::Duration));
                }
                Ok(Value::new(Expr::Negative(Box::new(self.number(value, operand)?)), Kind::Number))
            }
            Node::Binary { op: BinaryOp::And, left, right } => {
                Ok(Value::bool(self.lower_condition(left)?.expr.and(self.lower_condition(right)?.expr)))
            }
            Node::Binary { op: BinaryOp::Or, left, right } => {
                Ok(Value::bool(self.lower_condition(left)?.expr.or(self.lower_condition(right)?.expr)))
            }
            Node::Binary { op, left, right } => self.binary(*op, left, right),
            Node::IsNull { operand, negated } => {
                let value = self.lower(operand)?;
                Ok(Value::bool(if *negated { value.expr.is_not_null() } else { value.expr.is_null() }))
            }
            Node::IsBool { operand, value, negated } => {
                let condition = self.boolean(self.lower(operand)?, operand)?.expr;
                let is = if *value { condition.is_true() } else { condition.is_false() };
                Ok(Value::bool(if *negated { not(is) } else { is }))
            }
            Node::IsDistinct { left, right, negated } => self.distinct(left, right, *negated),
            Node::In { operand, set, negated } => self.membership(operand, set, *negated),
            Node::Between { operand, low, high, negated } => {
                let from = self.comparison(BinaryOp::GreaterEq, operand, low)?;
                let to = self.comparison(BinaryOp::LessEq, operand, high)?;
                Ok(negate(from.expr.and(to.expr), *negated))
            }
            Node::Like { operand, pattern, ignore_case, escape, negated } => {
                self.like(operand, pattern, *ignore_case, *escape, *negated)
            }
            Node::Match { operand, words, negated } => {
                let arguments = vec![self.text_of(operand)?, self.text_of(words)?];
                Ok(negate(self.call("match_words", arguments, at)?, *negated))
            }
            Node::Includes { container, item, negated } => self.includes(container, item, *negated, at),
            Node::Regex { operand, pattern, negated } => {
                let expr = self.regex(operand, pattern)?;
                Ok(negate(expr, *negated))
            }
            Node::Ternary { condition, then, otherwise } => {
                self.choice(vec![(self.lower_condition(condition)?.expr, then)], Some(otherwise))
            }
            Node::Case(case) => {
                let mut branches = Vec::new();
                for (when, then) in &case.branches {
                    let condition = match &case.operand {
                        Some(operand) => self.comparison(BinaryOp::Eq, operand, when)?.expr,
                        None => self.lower_condition(when)?.expr,
                    };
                    branches.push((condition, then));
                }
                self.choice(branches, case.otherwise.as_ref())
            }
            Node::Cast { operand, to, .. } => self.cast(operand, to, at),
            Node::Interval(text) => match functions::interval(text) {
                Some(value) => Ok(Value::new(lit(value), Kind::Duration)),
                None => error(format!("`{text}` is no interval, expected one such as `7 day`"), at),
            },
            Node::Call(call) => self.function(call, at),
            Node::Access { operand, step } => self.access(operand, step, at),
        }
    }

    fn lower_condition(&self, tree: &Tree) -> Lowered {
        let value = self.lower(tree)?;
        if value.kind == Kind::Json {
            // Hardly ever true or false whole: who writes this asks whether there is one.
            let message = format!("`{tree}` is a whole JSON value and no condition; ask `{tree} is not null`");
            return error(message, tree.position);
        }
        self.boolean(value, tree)
    }

    /// A value as true or false.
    fn boolean(&self, value: Value, tree: &Tree) -> Lowered {
        let value = value.meant_as(Kind::Bool);
        match value.kind {
            Kind::Bool => Ok(value),
            Kind::Null => Ok(Value::null_bool()),
            Kind::Loose | Kind::Json => Ok(Value::bool(self.truth(value)?)),
            kind => error(format!("expected a condition, this is {}", kind.shown()), tree.position),
        }
    }

    /// `true` and `false` out of JSON; null for anything else.
    fn truth(&self, value: Value) -> Result<Expr, LanguageError> {
        let text = self.text(value)?;
        let chosen = when(text.clone().eq(lit("true")), lit(true)).when(text.eq(lit("false")), lit(false)).end();
        chosen.map_err(|e| internal(&e))
    }

    /// A value as a number.
    fn number(&self, value: Value, tree: &Tree) -> Result<Expr, LanguageError> {
        let value = value.meant_as(Kind::Number);
        match value.kind {
            Kind::Number => Ok(value.expr),
            Kind::Null => Ok(lit(ScalarValue::Float64(None))),
            Kind::Bool => Ok(cast(value.expr, DataType::Int64)),
            Kind::Loose | Kind::Json => Ok(try_cast(self.text(value)?, DataType::Float64)),
            Kind::Text => match value.constant_text() {
                Some(text) => match text.trim().parse::<f64>() {
                    Ok(number) => Ok(lit(number)),
                    Err(_) => error(format!("expected a number, found the text '{text}'"), tree.position),
                },
                None => Ok(try_cast(value.expr, DataType::Float64)),
            },
            kind => error(format!("expected a number, this is {}", kind.shown()), tree.position),
        }
    }

    /// A value as text: JSON text without its quotes, other values as JSON spells them.
    fn text(&self, value: Value) -> Result<Expr, LanguageError> {
        let value = value.loosened();
        match value.kind {
            Kind::Text | Kind::Loose => Ok(value.expr),
            Kind::Null => Ok(lit(ScalarValue::Utf8(None))),
            Kind::Json => self.call("json_at", vec![value.expr], Position::default()),
            Kind::List => {
                let joined = self.session.function("array_to_string").map_err(|e| outside(&e))?;
                Ok(Expr::ScalarFunction(ScalarFunction::new_udf(joined, vec![value.expr, lit(" ")])))
            }
            _ => Ok(cast(value.expr, DataType::Utf8)),
        }
    }

    fn text_of(&self, tree: &Tree) -> Result<Expr, LanguageError> {
        self.text(self.lower(tree)?)
    }

    /// A value as a time.
    fn time(&self, value: Value, tree: &Tree) -> Result<Expr, LanguageError> {
        let value = value.loosened();
        let zone = || DataType::Timestamp(datafusion::arrow::datatypes::TimeUnit::Microsecond, Some("UTC".into()));
        match value.kind {
            Kind::Time => Ok(value.expr),
            Kind::Null => Ok(lit(ScalarValue::TimestampMicrosecond(None, Some("UTC".into())))),
            Kind::Text | Kind::Loose | Kind::Json => {
                if let Some(text) = value.constant_text()
                    && functions::timestamp(text).is_none()
                {
                    return error(format!("'{text}' is no time, expected one such as '2026-01-31'"), tree.position);
                }
                match value.constant_text().and_then(functions::timestamp) {
                    Some(time) => Ok(lit(time)),
                    None => Ok(try_cast(self.text(value)?, zone())),
                }
            }
            kind => error(format!("expected a time, this is {}", kind.shown()), tree.position),
        }
    }

    fn list(&self, items: &[Tree]) -> Lowered {
        let mut values = Vec::new();
        for item in items {
            values.push(self.lower(item)?);
        }
        // Mixed values meet as text, the one form that all have.
        let first = values.first().map(|value| value.kind);
        let is_mixed = values.iter().any(|value| Some(value.kind) != first) || first == Some(Kind::Loose);
        let items = match is_mixed {
            true => values.into_iter().map(|value| self.text(value)).collect::<Result<Vec<_>, _>>()?,
            false => values.into_iter().map(|value| value.expr).collect(),
        };
        Ok(Value::new(make_array(items), Kind::List))
    }

    /// A call of one of the session's scalar functions, its arguments as they are.
    fn call(&self, name: &str, arguments: Vec<Expr>, at: Position) -> Result<Expr, LanguageError> {
        let function = self.session.function(name).map_err(|e| LanguageError::new(e.to_string(), at))?;
        Ok(Expr::ScalarFunction(ScalarFunction::new_udf(function, arguments)))
    }

    /// The kind of an expression that the engine typed.
    fn typed(&self, expr: Expr, at: Position) -> Lowered {
        let data_type = expr.get_type(self.scope.schema).map_err(|e| {
            let message = match SessionError::of(e) {
                SessionError::Query { message } => message,
                other => other.to_string(),
            };
            LanguageError::new(message.lines().next().unwrap_or_default().to_string(), at)
        })?;
        Ok(Value::new(expr, kind_of(&data_type)))
    }

    fn access(&self, operand: &Tree, step: &Step, at: Position) -> Lowered {
        let value = self.lower(operand)?;
        if value.kind == Kind::List
            && let Step::Index(index) = step
        {
            // SQL counts elements from 1.
            let place = lit(place_of(*index));
            let element = self.call("array_element", vec![value.expr, place], at)?;
            return self.typed(element, at);
        }
        if !matches!(value.kind, Kind::Json | Kind::Loose | Kind::Text) {
            return error(format!("{} has nothing inside", value.kind.shown()), at);
        }
        let key = match step {
            Step::Key { name, .. } => lit(name.as_str()),
            Step::Index(index) => lit(*index),
        };
        Ok(Value::new(self.call("json_at", vec![value.expr, key], at)?, Kind::Loose))
    }
}

impl Kind {
    fn shown(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "a condition",
            Self::Number => "a number",
            Self::Text => "text",
            Self::Time => "a time",
            Self::Duration => "an interval",
            Self::List => "a list",
            Self::Json | Self::Loose => "JSON",
            Self::Other => "a value of another type",
        }
    }
}

fn kind_of(data_type: &DataType) -> Kind {
    match data_type {
        DataType::Null => Kind::Null,
        DataType::Boolean => Kind::Bool,
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => Kind::Text,
        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => Kind::Time,
        DataType::Interval(_) | DataType::Duration(_) => Kind::Duration,
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => Kind::List,
        DataType::Dictionary(_, values) => kind_of(values),
        other if other.is_numeric() => Kind::Number,
        _ => Kind::Other,
    }
}

fn literal_value(literal: &Literal) -> Value {
    match literal {
        Literal::Null => Value::new(lit(ScalarValue::Null), Kind::Null),
        Literal::Bool(value) => Value::bool(lit(*value)),
        Literal::Int(number) => Value::new(lit(*number), Kind::Number),
        Literal::Float(number) => Value::new(lit(*number), Kind::Number),
        Literal::Percent(number) => Value::new(lit(*number / 100.0), Kind::Number),
        Literal::Text(text) => Value::new(lit(text.as_str()), Kind::Text),
        Literal::Json(value) => Value::new(lit(value.to_string()), Kind::Json),
    }
}

fn negate(condition: Expr, negated: bool) -> Value {
    Value::bool(if negated { not(condition) } else { condition })
}

/// A fault of ours that a user's text brought up.
fn internal(fault: &datafusion::error::DataFusionError) -> LanguageError {
    LanguageError::new(fault.strip_backtrace(), Position::default())
}

fn outside(fault: &SessionError) -> LanguageError {
    LanguageError::new(fault.to_string(), Position::default())
}
