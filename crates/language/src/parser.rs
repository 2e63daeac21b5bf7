//! Tokens to a tree: operator precedence, climbed.
//!
//! From loosest to tightest: `? :`, `or`, `and`, `not`, comparisons, `||`, `+ -`, `* / %`, `-x`,
//! `::` and steps into a value.

use crate::ast::{BinaryOp, Call, Case, Expr, Literal, Node, Position, Step, UnaryOp};
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
        self.climb(power::TERNARY)
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

    fn climb(&mut self, least: u8) -> Parsed {
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
    fn continues(&self, least: u8) -> bool {
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

    fn prefix(&mut self) -> Parsed {
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

    /// Steps into a value and casts.
    fn postfix(&mut self, mut value: Expr, start: usize) -> Parsed {
        let mut steps = 0;
        loop {
            steps += 1;
            if steps > DEPTH_MAX {
                return Err(LanguageError::new(format!("a path has at most {DEPTH_MAX} steps"), self.position()));
            }
            if self.take_symbol("::") {
                let to = self.type_name()?;
                value = self.node(Node::Cast { operand: Box::new(value), to, lenient: false }, start)?;
            } else if let Some(step) = self.step()? {
                value = match value.node {
                    Node::Path(mut path) => {
                        path.push(step);
                        self.node(Node::Path(path), start)?
                    }
                    _ => self.node(Node::Access { operand: Box::new(value), step }, start)?,
                };
            } else {
                return Ok(value);
            }
        }
    }

    fn step(&mut self) -> Result<Option<Step>, LanguageError> {
        if self.is_symbol(".") {
            self.take();
            let token = self.take();
            return match token.kind {
                Kind::Word(name) => Ok(Some(Step::Key { name, quoted: false })),
                Kind::Quoted(name) => Ok(Some(Step::Key { name, quoted: true })),
                other => {
                    let message = format!("expected a name after the dot, found {}", other.shown());
                    Err(LanguageError::new(message, token.position))
                }
            };
        }
        if !self.is_symbol("[") {
            return Ok(None);
        }
        self.take();
        let negative = self.take_symbol("-");
        let token = self.take();
        let step = match token.kind {
            Kind::Int(index) => Step::Index(if negative { -index } else { index }),
            Kind::Text(name) | Kind::Quoted(name) if !negative => Step::Key { name, quoted: true },
            Kind::Symbol("*") => {
                let message = "`[*]` is every element and no path: name one such as [0] or [-1], or ask whether the \
                               list `includes` a value";
                return Err(LanguageError::new(message, token.position));
            }
            other => {
                let message = format!("expected an index such as 0 or -1, or a key in quotes, found {}", other.shown());
                return Err(LanguageError::new(message, token.position));
            }
        };
        self.expect_symbol("]")?;
        Ok(Some(step))
    }

    fn primary(&mut self) -> Parsed {
        let token = self.peek().clone();
        let start = token.position.start;
        let literal = |parser: &mut Self, literal: Literal| {
            parser.take();
            parser.node(Node::Literal(literal), start)
        };
        match token.kind {
            Kind::Int(_) | Kind::Float(_) => self.number(),
            Kind::Text(text) => literal(self, Literal::Text(text)),
            Kind::Parameter(name) => {
                self.take();
                self.node(Node::Parameter(name), start)
            }
            Kind::Quoted(name) => {
                self.take();
                self.node(Node::Path(vec![Step::Key { name, quoted: true }]), start)
            }
            Kind::Symbol("(") => {
                self.take();
                let inner = self.expression()?;
                if self.is_symbol(",") {
                    // `(a, b)` is a list only after `in`; see there.
                    return Err(self.expected("`)`"));
                }
                self.expect_symbol(")")?;
                Ok(inner)
            }
            Kind::Symbol("[") => {
                self.take();
                let items = self.items("]")?;
                self.node(Node::List(items), start)
            }
            Kind::Symbol("{") => self.object(),
            Kind::Symbol("*") => {
                self.take();
                self.node(Node::Star, start)
            }
            Kind::Word(word) => self.word(&word, token.position),
            other => Err(LanguageError::new(format!("expected a value, found {}", other.shown()), token.position)),
        }
    }

    /// A number, or a share: `80%` where no operand follows that the sign could divide by.
    fn number(&mut self) -> Parsed {
        let start = self.position().start;
        let (literal, value) = match self.take().kind {
            Kind::Int(whole) => (Literal::Int(whole), whole as f64),
            Kind::Float(number) => (Literal::Float(number), number),
            _ => return Err(self.expected("a number")),
        };
        let is_share = self.is_symbol("%") && self.position().start == self.last_end() && !self.begins_operand(1);
        if is_share {
            self.take();
            return self.node(Node::Literal(Literal::Percent(value)), start);
        }
        self.node(Node::Literal(literal), start)
    }

    fn begins_operand(&self, ahead: usize) -> bool {
        match self.peek_at(ahead) {
            Kind::Int(_) | Kind::Float(_) | Kind::Text(_) | Kind::Quoted(_) | Kind::Parameter(_) => true,
            Kind::Symbol(symbol) => matches!(*symbol, "(" | "["),
            Kind::Word(word) => !RESERVED.contains(&word.to_ascii_lowercase().as_str()),
            Kind::End => false,
        }
    }

    /// Expressions up to a closing bracket.
    fn items(&mut self, close: &'static str) -> Result<Vec<Expr>, LanguageError> {
        let mut items = Vec::new();
        while !self.is_symbol(close) {
            items.push(self.expression()?);
            if !self.take_symbol(",") {
                break;
            }
        }
        if self.take_symbol(close) { Ok(items) } else { Err(self.expected(&format!("`,` or `{close}`"))) }
    }

    /// A JSON object of constants.
    fn object(&mut self) -> Parsed {
        let start = self.position().start;
        let value = self.deeper(Self::json)?;
        self.node(Node::Literal(Literal::Json(value)), start)
    }

    fn json(&mut self) -> Result<serde_json::Value, LanguageError> {
        let negative = self.is_symbol("-") && matches!(self.peek_at(1), Kind::Int(_) | Kind::Float(_));
        if negative {
            self.take();
        }
        let token = self.take();
        Ok(match token.kind {
            Kind::Int(whole) => (if negative { -whole } else { whole }).into(),
            Kind::Float(number) => (if negative { -number } else { number }).into(),
            Kind::Text(text) | Kind::Quoted(text) => text.into(),
            Kind::Word(word) if word.eq_ignore_ascii_case("null") => serde_json::Value::Null,
            Kind::Word(word) if word.eq_ignore_ascii_case("true") => true.into(),
            Kind::Word(word) if word.eq_ignore_ascii_case("false") => false.into(),
            Kind::Symbol("[") => {
                let mut items = Vec::new();
                while !self.is_symbol("]") {
                    items.push(self.deeper(Self::json)?);
                    if !self.take_symbol(",") {
                        break;
                    }
                }
                self.expect_symbol("]")?;
                items.into()
            }
            Kind::Symbol("{") => {
                let mut fields = serde_json::Map::new();
                while !self.is_symbol("}") {
                    let key = match self.take().kind {
                        Kind::Text(key) | Kind::Quoted(key) | Kind::Word(key) => key,
                        _ => return Err(LanguageError::new("expected a key", token.position)),
                    };
                    self.expect_symbol(":")?;
                    fields.insert(key, self.deeper(Self::json)?);
                    if !self.take_symbol(",") {
                        break;
                    }
                }
                self.expect_symbol("}")?;
                fields.into()
            }
            other => {
                let message = format!("expected a JSON value, found {}", other.shown());
                return Err(LanguageError::new(message, token.position));
            }
        })
    }

    /// What begins with a bare word: a constant, a form with a word of its own, a call or a path.
    fn word(&mut self, word: &str, position: Position) -> Parsed {
        let start = position.start;
        let lower = word.to_ascii_lowercase();
        let is_called = matches!(self.peek_at(1), Kind::Symbol("("));
        match lower.as_str() {
            "null" | "true" | "false" if !is_called => {
                self.take();
                let literal = match lower.as_str() {
                    "null" => Literal::Null,
                    word => Literal::Bool(word == "true"),
                };
                return self.node(Node::Literal(literal), start);
            }
            "case" => return self.case(),
            "cast" | "try_cast" if is_called => return self.cast(lower == "try_cast"),
            "extract" if is_called => return self.extract(),
            "interval" if matches!(self.peek_at(1), Kind::Int(_) | Kind::Float(_) | Kind::Text(_)) => {
                return self.interval();
            }
            "date" | "timestamp" if matches!(self.peek_at(1), Kind::Text(_)) => {
                self.take();
                let text = self.primary()?;
                return self.node(Node::Cast { operand: Box::new(text), to: lower, lenient: false }, start);
            }
            _ => {}
        }
        if is_called {
            self.take();
            return self.call(lower, position);
        }
        if RESERVED.contains(&lower.as_str()) {
            return Err(LanguageError::new(format!("expected a value, found `{word}`"), position));
        }
        self.take();
        self.node(Node::Path(vec![Step::Key { name: word.to_string(), quoted: false }]), start)
    }

    fn call(&mut self, name: String, name_position: Position) -> Parsed {
        self.expect_symbol("(")?;
        let distinct = self.take_word("distinct");
        let arguments = self.items(")")?;
        let filter = if self.is_word("filter") && matches!(self.peek_at(1), Kind::Symbol("(")) {
            self.take();
            self.expect_symbol("(")?;
            self.expect_word("where")?;
            let condition = self.expression()?;
            self.expect_symbol(")")?;
            Some(Box::new(condition))
        } else {
            None
        };
        if self.is_word("over") {
            let message = "window functions are not part of the filter language: use `evalhouse sql`";
            return Err(LanguageError::new(message, self.position()));
        }
        let start = name_position.start;
        self.node(Node::Call(Call { name, name_position, arguments, distinct, filter }), start)
    }

    fn case(&mut self) -> Parsed {
        let start = self.take().position.start;
        let operand = if self.is_word("when") { None } else { Some(self.expression()?) };
        let mut branches = Vec::new();
        while self.take_word("when") {
            let condition = self.expression()?;
            self.expect_word("then")?;
            branches.push((condition, self.expression()?));
        }
        if branches.is_empty() {
            return Err(self.expected("`when`"));
        }
        let otherwise = if self.take_word("else") { Some(self.expression()?) } else { None };
        self.expect_word("end")?;
        self.node(Node::Case(Box::new(Case { operand, branches, otherwise })), start)
    }

    fn cast(&mut self, lenient: bool) -> Parsed {
        let start = self.take().position.start;
        self.expect_symbol("(")?;
        let operand = self.expression()?;
        self.expect_word("as")?;
        let to = self.type_name()?;
        self.expect_symbol(")")?;
        self.node(Node::Cast { operand: Box::new(operand), to, lenient }, start)
    }

    /// Words of a type, with numbers in brackets: `double precision`, `decimal(10, 2)`.
    fn type_name(&mut self) -> Result<String, LanguageError> {
        let Some(mut name) = self.word_at(0) else { return Err(self.expected("a type")) };
        self.take();
        while let Some(word) = self.word_at(0) {
            let follows = match name.as_str() {
                "double" => word == "precision",
                "timestamp" | "time" => word == "with" || word == "without",
                "character" => word == "varying",
                _ => name.ends_with("with") || name.ends_with("without") || name.ends_with(" time"),
            };
            if !follows {
                break;
            }
            name = format!("{name} {word}");
            self.take();
        }
        if self.is_symbol("(") && matches!(self.peek_at(1), Kind::Int(_)) {
            self.take();
            let mut sizes = Vec::new();
            while let Kind::Int(size) = self.peek_at(0) {
                sizes.push(size.to_string());
                self.take();
                if !self.take_symbol(",") {
                    break;
                }
            }
            self.expect_symbol(")")?;
            name = format!("{name}({})", sizes.join(","));
        }
        Ok(name)
    }

    /// `extract(year from x)`.
    fn extract(&mut self) -> Parsed {
        let position = self.take().position;
        self.expect_symbol("(")?;
        let Some(part) = self.word_at(0) else { return Err(self.expected("a part of a time, such as year")) };
        let part_position = self.take().position;
        self.expect_word("from")?;
        let operand = self.expression()?;
        self.expect_symbol(")")?;
        let part = Expr { node: Node::Literal(Literal::Text(part)), position: part_position };
        let call = Call {
            name: "date_part".into(),
            name_position: position,
            arguments: vec![part, operand],
            distinct: false,
            filter: None,
        };
        self.node(Node::Call(call), position.start)
    }

    /// `interval 7 day`, `interval '7 days'`.
    fn interval(&mut self) -> Parsed {
        let start = self.take().position.start;
        let token = self.take();
        let mut text = match token.kind {
            Kind::Text(text) => text,
            Kind::Int(number) => number.to_string(),
            Kind::Float(number) => number.to_string(),
            _ => return Err(LanguageError::new("expected an interval such as 7 day", token.position)),
        };
        const UNITS: [&str; 8] = ["second", "minute", "hour", "day", "week", "month", "year", "millisecond"];
        let unit = self.word_at(0).filter(|word| UNITS.contains(&word.trim_end_matches('s')));
        match unit {
            Some(unit) => {
                self.take();
                text = format!("{text} {unit}");
            }
            None if text.bytes().all(|b| b.is_ascii_digit() || b == b'.') => {
                return Err(self.expected("a unit: second, minute, hour, day, week, month or year"));
            }
            None => {}
        }
        self.node(Node::Interval(text), start)
    }

    /// One infix operator and its right side.
    fn infix(&mut self, left: Expr, start: usize) -> Parsed {
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

    fn binary_operator(&self) -> Option<(BinaryOp, u8)> {
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
    fn predicate(&mut self, left: Expr, start: usize) -> Parsed {
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

    fn escape(&mut self) -> Result<char, LanguageError> {
        let token = self.take();
        if let Kind::Text(text) = &token.kind {
            let mut characters = text.chars();
            if let (Some(one), None) = (characters.next(), characters.next()) {
                return Ok(one);
            }
        }
        Err(LanguageError::new("expected one character in quotes after `escape`", token.position))
    }

    fn is(&mut self, operand: Box<Expr>, start: usize) -> Parsed {
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
    fn set(&mut self) -> Parsed {
        let start = self.position().start;
        if self.take_symbol("(") {
            let items = self.deeper(|parser| parser.items(")"))?;
            return self.node(Node::List(items), start);
        }
        self.climb(power::CONCAT)
    }
}
