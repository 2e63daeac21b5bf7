//! Lists of expressions with commas between them.

/// The parts of a list, without blanks around them and without empty ones; commas inside brackets and
/// quotes stay.
pub fn split_at_commas(source: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut depth = 0_usize;
    let mut quote = None;
    for (at, character) in source.char_indices() {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"' | '`') => quote = Some(character),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                parts.push(&source[start..at]);
                start = at + 1;
            }
            (None, _) => {}
        }
    }
    parts.push(&source[start..]);
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_cut_at_their_own_commas() {
        assert_eq!(
            split_at_commas("a, coalesce(b, c), 'x,y''z,', \"p,q\""),
            ["a", "coalesce(b, c)", "'x,y''z,'", "\"p,q\""]
        );
        assert_eq!(split_at_commas(" ,, "), Vec::<&str>::new());
        assert_eq!(split_at_commas("a), b"), ["a)", "b"]);
    }
}
