//! Spellings that the engine's planner does not take, put into ones that it does.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{AccessExpr, Expr, Subscript, Value, VisitMut, VisitorMut};

/// Writes a key after an index as a subscript: `input.messages[0].role` as
/// `input.messages[0]['role']`. The planner takes a dot only before the first index.
pub(crate) fn keys_after_indexes<T: VisitMut>(tree: &mut T) {
    let _ = tree.visit(&mut KeysAfterIndexes);
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
