//! How large the expression of a tree would be.
//!
//! Some operators mention an operand several times: `x between a and b` is `x >= a and x <= b`. Nested, a
//! short text would become an expression that no machine can hold, so it is measured first.

use evalhouse_language::{Expr as Tree, LanguageError, Node};

use super::error;

/// Parts that an expression may have; what people write has dozens.
const PARTS_MAX: u64 = 100_000;

/// Refuses a tree whose expression would be too large.
pub(super) fn check_size(tree: &Tree) -> Result<(), LanguageError> {
    match parts(tree) {
        0..=PARTS_MAX => Ok(()),
        _ => {
            error("the expression nests too many conditions that mention an operand twice: simplify it", tree.position)
        }
    }
}

fn parts(tree: &Tree) -> u64 {
    let times = |place: usize| -> u64 {
        match &tree.node {
            Node::Between { .. } if place == 0 => 2,
            Node::IsDistinct { .. } => 4,
            // Once for each way in which an item may ask to read it.
            Node::In { .. } if place == 0 => 4,
            Node::Case(case) if place == 0 && case.operand.is_some() => case.branches.len() as u64,
            Node::Call(call) if place == 0 && call.name == "nullif" => 2,
            _ => 1,
        }
    };
    let below = tree.children().into_iter().enumerate();
    below.fold(1, |sum, (place, child)| sum.saturating_add(parts(child).saturating_mul(times(place))))
}
