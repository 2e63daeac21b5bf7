//! What stands between operators: names, numbers, texts, calls, `case`, lists; and steps into a value.

use super::{DEPTH_MAX, Parsed, Parser, RESERVED};
use crate::ast::{Call, Case, Expr, Literal, Node, Position, Step};
use crate::error::LanguageError;
use crate::lexer::Kind;

impl Parser {
    /// Steps into a value and casts.
    pub(super) fn postfix(&mut self, mut value: Expr, start: usize) -> Parsed {
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

    pub(super) fn step(&mut self) -> Result<Option<Step>, LanguageError> {
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

    pub(super) fn primary(&mut self) -> Parsed {
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
    pub(super) fn number(&mut self) -> Parsed {
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

    pub(super) fn begins_operand(&self, ahead: usize) -> bool {
        match self.peek_at(ahead) {
            Kind::Int(_) | Kind::Float(_) | Kind::Text(_) | Kind::Quoted(_) | Kind::Parameter(_) => true,
            Kind::Symbol(symbol) => matches!(*symbol, "(" | "["),
            Kind::Word(word) => !RESERVED.contains(&word.to_ascii_lowercase().as_str()),
            Kind::End => false,
        }
    }

    /// Expressions up to a closing bracket.
    pub(super) fn items(&mut self, close: &'static str) -> Result<Vec<Expr>, LanguageError> {
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
    pub(super) fn object(&mut self) -> Parsed {
        let start = self.position().start;
        let value = self.deeper(Self::json)?;
        self.node(Node::Literal(Literal::Json(value)), start)
    }

    pub(super) fn json(&mut self) -> Result<serde_json::Value, LanguageError> {
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
    pub(super) fn word(&mut self, word: &str, position: Position) -> Parsed {
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

    pub(super) fn call(&mut self, name: String, name_position: Position) -> Parsed {
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

    pub(super) fn case(&mut self) -> Parsed {
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

    pub(super) fn cast(&mut self, lenient: bool) -> Parsed {
        let start = self.take().position.start;
        self.expect_symbol("(")?;
        let operand = self.expression()?;
        self.expect_word("as")?;
        let to = self.type_name()?;
        self.expect_symbol(")")?;
        self.node(Node::Cast { operand: Box::new(operand), to, lenient }, start)
    }

    /// Words of a type, with numbers in brackets: `double precision`, `decimal(10, 2)`.
    pub(super) fn type_name(&mut self) -> Result<String, LanguageError> {
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
    pub(super) fn extract(&mut self) -> Parsed {
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
    pub(super) fn interval(&mut self) -> Parsed {
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
}
