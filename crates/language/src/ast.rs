//! The syntax tree. Every node knows its place in the text.

/// A place in the text, in bytes, end exclusive. A tree made from JSON has empty positions at 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Position {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Expr {
    /// The parts directly below.
    pub fn children(&self) -> Vec<&Expr> {
        match &self.node {
            Node::Literal(_) | Node::Path(_) | Node::Star | Node::Parameter(_) | Node::Interval(_) => Vec::new(),
            Node::List(items) => items.iter().collect(),
            Node::Unary { operand, .. }
            | Node::IsNull { operand, .. }
            | Node::IsBool { operand, .. }
            | Node::Cast { operand, .. }
            | Node::Access { operand, .. } => vec![operand],
            Node::Binary { left, right, .. } | Node::IsDistinct { left, right, .. } => vec![left, right],
            Node::In { operand, set, .. } => vec![operand, set],
            Node::Between { operand, low, high, .. } => vec![operand, low, high],
            Node::Like { operand, pattern, .. } | Node::Regex { operand, pattern, .. } => vec![operand, pattern],
            Node::Match { operand, words, .. } => vec![operand, words],
            Node::Includes { container, item, .. } => vec![container, item],
            Node::Ternary { condition, then, otherwise } => vec![condition, then, otherwise],
            Node::Case(case) => {
                let branches = case.branches.iter().flat_map(|(when, then)| [when, then]);
                case.operand.iter().chain(branches).chain(&case.otherwise).collect()
            }
            Node::Call(call) => call.arguments.iter().chain(call.filter.as_deref()).collect(),
        }
    }

    /// Whether this or anything below satisfies the condition.
    pub fn any(&self, condition: &mut impl FnMut(&Expr) -> bool) -> bool {
        let mut open = vec![self];
        while let Some(part) = open.pop() {
            if condition(part) {
                return true;
            }
            open.extend(part.children());
        }
        false
    }

    /// This condition and another one.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let position = self.position;
        let node = Node::Binary { op: BinaryOp::And, left: Box::new(self), right: Box::new(other) };
        Self { node, position }
    }

    /// The conditions that `and` joins at the top.
    pub fn conjuncts(&self) -> Vec<&Expr> {
        let mut open = vec![self];
        let mut found = Vec::new();
        while let Some(part) = open.pop() {
            match &part.node {
                Node::Binary { op: BinaryOp::And, left, right } => open.extend([right.as_ref(), left.as_ref()]),
                _ => found.push(part),
            }
        }
        found
    }
}

/// An expression. Equality compares positions too; compare [`crate::Expr::node`]s printed as text to
/// compare meaning.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// What it is.
    pub node: Node,
    /// Where it stands.
    pub position: Position,
}

/// What an expression is.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// A constant.
    Literal(Literal),
    /// A name and what is entered below it: `metadata.model`, `tags[-1]`, `input."a b"[0].c`. The
    /// first step is always a key.
    Path(Vec<Step>),
    /// `*`, as in `count(*)` or `select: *`.
    Star,
    /// `$name`: a value bound later.
    Parameter(String),
    /// `[a, b]`.
    List(Vec<Expr>),
    /// `not x`, `-x`.
    Unary {
        /// Operator.
        op: UnaryOp,
        /// Operand.
        operand: Box<Expr>,
    },
    /// `a and b`, `a < b`, `a + b`, …
    Binary {
        /// Operator.
        op: BinaryOp,
        /// Left operand.
        left: Box<Expr>,
        /// Right operand.
        right: Box<Expr>,
    },
    /// `x is [not] null`, `x isnull`, `x isnotnull`.
    IsNull {
        /// Operand.
        operand: Box<Expr>,
        /// With `not`.
        negated: bool,
    },
    /// `x is [not] true`, `x is [not] false`: never null.
    IsBool {
        /// Operand.
        operand: Box<Expr>,
        /// True or false.
        value: bool,
        /// With `not`.
        negated: bool,
    },
    /// `a is [not] distinct from b`: never null.
    IsDistinct {
        /// Left operand.
        left: Box<Expr>,
        /// Right operand.
        right: Box<Expr>,
        /// With `not`.
        negated: bool,
    },
    /// `x [not] in [a, b]`, `x in (a, b)`, `x in tags`.
    In {
        /// Operand.
        operand: Box<Expr>,
        /// A list, or an expression whose value is one.
        set: Box<Expr>,
        /// With `not`.
        negated: bool,
    },
    /// `x [not] between a and b`, ends included.
    Between {
        /// Operand.
        operand: Box<Expr>,
        /// Low end.
        low: Box<Expr>,
        /// High end.
        high: Box<Expr>,
        /// With `not`.
        negated: bool,
    },
    /// `x [not] like 'a%'`; `ilike` ignores case. A backslash makes `%` and `_` literal unless
    /// `escape` names another character.
    Like {
        /// Operand.
        operand: Box<Expr>,
        /// Pattern.
        pattern: Box<Expr>,
        /// `ilike`.
        ignore_case: bool,
        /// `escape 'c'`.
        escape: Option<char>,
        /// With `not`.
        negated: bool,
    },
    /// `x [not] match 'words'`: every word is in x as a whole word, in any case and order.
    Match {
        /// Operand.
        operand: Box<Expr>,
        /// Words.
        words: Box<Expr>,
        /// With `not`.
        negated: bool,
    },
    /// `x [not] includes y`, `x contains y`: y is an element of the list x, or a part of the object x.
    Includes {
        /// The list or object.
        container: Box<Expr>,
        /// What it may hold.
        item: Box<Expr>,
        /// With `not`.
        negated: bool,
    },
    /// `x ~ 'pattern'`, `x !~ 'pattern'`.
    Regex {
        /// Operand.
        operand: Box<Expr>,
        /// Regular expression.
        pattern: Box<Expr>,
        /// `!~`.
        negated: bool,
    },
    /// `condition ? a : b`.
    Ternary {
        /// Condition; null counts as false.
        condition: Box<Expr>,
        /// Value when true.
        then: Box<Expr>,
        /// Value otherwise.
        otherwise: Box<Expr>,
    },
    /// `case … end`.
    Case(Box<Case>),
    /// `cast(x as type)`, `x::type`; `try_cast` gives null where it cannot.
    Cast {
        /// Operand.
        operand: Box<Expr>,
        /// Type name as written, in lower case.
        to: String,
        /// `try_cast`.
        lenient: bool,
    },
    /// `interval 7 day`, `interval '7 days'`: text that the engine reads as an interval.
    Interval(String),
    /// `f(a, b)`.
    Call(Call),
    /// A step into the value of an expression that is no plain path: `(a)[0]`, `f(x).key`.
    Access {
        /// The value entered.
        operand: Box<Expr>,
        /// The step.
        step: Step,
    },
}

/// A constant.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A whole number that fits 64 bits.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// `80%`: the number before the sign; its value is a hundredth of it.
    Percent(f64),
    /// Text.
    Text(String),
    /// A constant object or list of the JSON form that is no scalar.
    Json(serde_json::Value),
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Step {
    /// A key.
    Key {
        /// The key.
        name: String,
        /// Written in double quotes. A quoted name that is nothing known may be meant as text: BTQL
        /// takes double quotes for text too.
        quoted: bool,
    },
    /// An index from 0; negative counts from the end.
    Index(i64),
}

/// Operators with one operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnaryOp {
    /// `not`.
    Not,
    /// `-`.
    Negate,
}

/// Operators with two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum BinaryOp {
    And,
    Or,
    Eq,
    NotEq,
    Less,
    LessEq,
    Greater,
    GreaterEq,
    Plus,
    Minus,
    Times,
    Divide,
    Modulo,
    /// `||`: joins text.
    Concat,
}

/// `case [operand] when a then b … [else c] end`.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// What every branch is compared with, if written.
    pub operand: Option<Expr>,
    /// `when` and `then` of each branch.
    pub branches: Vec<(Expr, Expr)>,
    /// `else`.
    pub otherwise: Option<Expr>,
}

/// A function call.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Name as written, in lower case.
    pub name: String,
    /// Where the name stands.
    pub name_position: Position,
    /// Arguments; [`Node::Star`] in `count(*)`.
    pub arguments: Vec<Expr>,
    /// `distinct` before the arguments.
    pub distinct: bool,
    /// `filter (where …)` after them.
    pub filter: Option<Box<Expr>>,
}

/// A BTQL query.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Query {
    /// What is queried; a query over the filter language's own context may leave it out.
    pub from: Option<Source>,
    /// Columns; [`Node::Star`] for all. Empty with `dimensions` or `measures`.
    pub select: Vec<Named>,
    /// What rows are grouped by.
    pub dimensions: Vec<Named>,
    /// Aggregates of each group.
    pub measures: Vec<Named>,
    /// Aggregates whose values become columns, named `<value>_<measure>`.
    pub pivot: Vec<Named>,
    /// Objects or lists that become rows.
    pub unpivot: Vec<Unpivot>,
    /// Condition on a span.
    pub filter: Option<Expr>,
    /// Order.
    pub sort: Vec<SortItem>,
    /// Rows, or traces for the shapes `traces` and `summary`.
    pub limit: Option<u64>,
    /// Paging token of the answer before.
    pub cursor: Option<String>,
    /// A random part of the rows, taken after the filter.
    pub sample: Option<Sample>,
    /// Characters kept of a preview field in the shape `summary`; -1 for all.
    pub preview_length: Option<i64>,
}

/// An expression with its name in the answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    /// The expression.
    pub expr: Expr,
    /// `as name`.
    pub alias: Option<String>,
}

/// `from: experiment('a', 'b') summary`.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// `experiment`, `dataset`, `project_logs`, …; lower case.
    pub name: String,
    /// Ids or names.
    pub ids: Vec<String>,
    /// What a row is.
    pub shape: Shape,
    /// Where it stands.
    pub position: Position,
}

/// What a row of a source is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Shape {
    /// A span that matches.
    #[default]
    Spans,
    /// A span of a trace with a matching span.
    Traces,
    /// A trace with a matching span.
    Summary,
}

/// One key of an order.
#[derive(Debug, Clone, PartialEq)]
pub struct SortItem {
    /// An expression, or the alias of one.
    pub expr: Expr,
    /// `desc`.
    pub descending: bool,
}

/// How much of the rows to take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sample {
    /// Share in [0, 1].
    Share(f64),
    /// Number of rows.
    Rows(u64),
}

/// `unpivot: scores as (name, value)`, `unpivot: tags as (tag)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Unpivot {
    /// The object or list.
    pub expr: Expr,
    /// Column of the keys of an object; absent for a list.
    pub key: Option<String>,
    /// Column of the values.
    pub value: String,
}
