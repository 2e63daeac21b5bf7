//! Spellings that the engine's planner does not take, put into ones that it does.

use std::ops::ControlFlow;

use datafusion::common::ScalarValue;
use datafusion::sql::sqlparser::ast::{
    AccessExpr, CastKind, DataType, Expr, Subscript, UnaryOperator, Value, VisitMut, VisitorMut,
};
use datafusion::sql::sqlparser::dialect::DuckDbDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

/// Words of syntax and operators that a query may have. Each may nest what follows one level deeper, and
/// much more than this overflows the stack of a thread.
const NESTING_MAX: usize = 4_000;

/// Refuses a query that could nest deeper than the engine can follow. Names, values and commas do not
/// count: a list may be as long as it likes.
pub(crate) fn refuse_endless(query: &str) -> Result<(), String> {
    // A text that does not even fall into tokens is the parser's to refuse.
    let Ok(tokens) = Tokenizer::new(&DuckDbDialect {}, query).tokenize() else { return Ok(()) };
    let nests = |token: &&Token| match token {
        Token::Word(word) => word.keyword != Keyword::NoKeyword,
        Token::Comma | Token::Period | Token::Whitespace(_) | Token::RParen | Token::RBracket | Token::RBrace => false,
        Token::Number(..) | Token::SingleQuotedString(_) | Token::DoubleQuotedString(_) | Token::EOF => false,
        _ => true,
    };
    match tokens.iter().filter(nests).count() {
        count if count > NESTING_MAX => {
            Err(format!("the query has {count} keywords, brackets and operators, at most {NESTING_MAX} are read"))
        }
        _ => Ok(()),
    }
}

/// Writes a key after an index as a subscript: `input.messages[0].role` as
/// `input.messages[0]['role']`. The planner takes a dot only before the first index.
pub(crate) fn keys_after_indexes<T: VisitMut>(tree: &mut T) {
    let _ = tree.visit(&mut KeysAfterIndexes);
}

/// Puts constants in the place of `$name`, wherever an expression may stand. Returns the first name
/// that has no value.
pub(crate) fn bind<T: VisitMut>(tree: &mut T, values: &[(String, ScalarValue)]) -> Option<String> {
    match tree.visit(&mut Bind { values }) {
        ControlFlow::Break(name) => Some(name),
        ControlFlow::Continue(()) => None,
    }
}

struct Bind<'a> {
    values: &'a [(String, ScalarValue)],
}

impl VisitorMut for Bind<'_> {
    type Break = String;

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<String> {
        let Expr::Value(value) = expression else { return ControlFlow::Continue(()) };
        let Value::Placeholder(placeholder) = &value.value else { return ControlFlow::Continue(()) };
        let name = placeholder.trim_start_matches('$');
        match self.values.iter().find(|(known, _)| known == name) {
            Some((_, value)) => {
                *expression = constant(value);
                ControlFlow::Continue(())
            }
            None => ControlFlow::Break(name.to_string()),
        }
    }
}

/// A value as a constant of the syntax tree. An absent value keeps its type.
fn constant(value: &ScalarValue) -> Expr {
    let typed_null = |data_type: DataType| Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(Expr::Value(Value::Null.into())),
        data_type,
        array: false,
        format: None,
    };
    match value {
        ScalarValue::Int64(Some(number)) => number_constant(number.to_string()),
        ScalarValue::Float64(Some(number)) => number_constant(format!("{number:?}")),
        ScalarValue::Boolean(Some(flag)) => Expr::Value(Value::Boolean(*flag).into()),
        ScalarValue::Int64(None) => typed_null(DataType::BigInt(None)),
        ScalarValue::Float64(None) => typed_null(DataType::DoublePrecision),
        ScalarValue::Boolean(None) => typed_null(DataType::Boolean),
        other => match other.try_as_str().flatten() {
            Some(text) => Expr::Value(Value::SingleQuotedString(text.to_string()).into()),
            None => typed_null(DataType::Text),
        },
    }
}

fn number_constant(text: String) -> Expr {
    match text.strip_prefix('-') {
        Some(size) => Expr::UnaryOp {
            op: UnaryOperator::Minus,
            expr: Box::new(Expr::Value(Value::Number(size.to_string(), false).into())),
        },
        None => Expr::Value(Value::Number(text, false).into()),
    }
}

struct KeysAfterIndexes;

impl VisitorMut for KeysAfterIndexes {
    type Break = ();

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        if let Expr::CompoundFieldAccess { access_chain, .. } = expression {
            let is_key = |step: &AccessExpr| matches!(step, AccessExpr::Dot(Expr::Identifier(_)));
            let names = access_chain.iter().take_while(|step| is_key(step)).count();
            for step in access_chain.iter_mut().skip(names) {
                if let AccessExpr::Dot(Expr::Identifier(key)) = step {
                    let index = Expr::Value(Value::SingleQuotedString(key.value.clone()).into());
                    *step = AccessExpr::Subscript(Subscript::Index { index });
                }
            }
        }
        ControlFlow::Continue(())
    }
}
