//! Expressions whose values are texts that tell them apart: what cases are grouped and sliced by.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::logical_expr::{Expr, cast};
use evalhouse_language::{BinaryOp, Expr as Tree, Literal, Node, Position, UnaryOp, parse_expression};

use super::size::check_size;
use super::{Kind, Scope};
use crate::{Session, SessionError};

/// An expression as text. A value out of JSON is spelled as its JSON spells it, however a file stores
/// it: a list or a text under a path that is a number elsewhere is a value too.
#[derive(Debug, Clone)]
pub struct Spelled {
    /// The text.
    pub text: Expr,
    /// Of a list, its items as texts.
    pub items: Option<Expr>,
    tree: Tree,
    kind: Kind,
}

impl Session {
    /// Reads and lowers an expression over the columns of `schema` as text.
    ///
    /// # Errors
    /// [`SessionError::Language`] with what is wrong with it, and where.
    pub fn spelled(&self, text: &str, schema: &DFSchema) -> Result<Spelled, SessionError> {
        let wrong = |error| SessionError::Language { text: text.into(), error };
        let tree = parse_expression(text).map_err(wrong)?;
        check_size(&tree).map_err(wrong)?;
        let scope = Scope::of(schema);
        let lowering = self.lowering(&scope);
        let value = lowering.lower(&tree).map_err(wrong)?.loosened();
        let kind = value.kind;
        let items = (kind == Kind::List).then(|| cast(value.expr.clone(), DataType::new_list(DataType::Utf8, true)));
        let text = match kind {
            // Joined, its items could not be told from one that holds a blank.
            Kind::List => cast(value.expr, DataType::Utf8),
            _ => lowering.text(value).map_err(wrong)?,
        };
        Ok(Spelled { text, items, tree, kind })
    }
}

impl Spelled {
    /// The condition that the value is the one with this text; of a list, that the text is an item.
    pub fn is(&self, text: &str) -> Tree {
        let own = || Box::new(self.tree.clone());
        let constant = Box::new(whole(Node::Literal(self.constant(text))));
        match (self.kind, text) {
            (Kind::Bool, "true") => self.tree.clone(),
            (Kind::Bool, "false") => whole(Node::Unary { op: UnaryOp::Not, operand: own() }),
            (Kind::List, _) => whole(Node::Includes { container: own(), item: constant, negated: false }),
            _ => whole(Node::Binary { op: BinaryOp::Eq, left: own(), right: constant }),
        }
    }

    /// The constant that is compared as values of this kind are.
    fn constant(&self, text: &str) -> Literal {
        let number = || match text.parse::<i64>() {
            Ok(number) => Some(Literal::Int(number)),
            Err(_) => text.parse().ok().filter(|number: &f64| number.is_finite()).map(Literal::Float),
        };
        let number = if self.kind == Kind::Number { number() } else { None };
        number.unwrap_or_else(|| Literal::Text(text.into()))
    }
}

fn whole(node: Node) -> Tree {
    Tree { node, position: Position::default() }
}
