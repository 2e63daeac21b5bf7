//! SQL text as tokens, for what an editor needs: where statements end, what is being typed, colours.
//!
//! Nothing is rejected here; what is not finished says so.

/// One token. The tokens of a text follow each other without gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    /// Byte offset of its beginning.
    pub(crate) start: usize,
    /// Byte offset past its end.
    pub(crate) end: usize,
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name or a keyword.
    Word,
    /// A name in double quotes.
    Quoted { is_closed: bool },
    /// A text in single quotes.
    Text { is_closed: bool },
    /// A comment; one to the end of the line is closed.
    Comment { is_closed: bool },
    /// A number.
    Number,
    /// `.` between the names of a path.
    Dot,
    /// `;`
    Semicolon,
    /// White space.
    Space,
    /// Anything else, one character.
    Symbol,
}

impl Token {
    pub(crate) fn text(self, source: &str) -> &str {
        &source[self.start..self.end]
    }

    /// Whether it says nothing: white space or a comment.
    pub(crate) fn is_blank(self) -> bool {
        matches!(self.kind, Kind::Space | Kind::Comment { .. })
    }

    /// Whether it may be part of a path such as `c.scores."Answer Correctness"`.
    pub(crate) fn is_path_part(self) -> bool {
        matches!(self.kind, Kind::Word | Kind::Quoted { .. } | Kind::Dot)
    }
}

/// Cuts a text into tokens.
pub(crate) fn tokens(source: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut start = 0;
    while let Some(first) = source[start..].chars().next() {
        let (kind, length) = next(&source[start..], first);
        tokens.push(Token { kind, start, end: start + length });
        start += length;
    }
    tokens
}

fn next(rest: &str, first: char) -> (Kind, usize) {
    match first {
        '\'' => {
            let (length, is_closed) = quoted(rest, '\'');
            (Kind::Text { is_closed }, length)
        }
        '"' => {
            let (length, is_closed) = quoted(rest, '"');
            (Kind::Quoted { is_closed }, length)
        }
        '-' if rest.starts_with("--") => (Kind::Comment { is_closed: true }, rest.find('\n').unwrap_or(rest.len())),
        '/' if rest.starts_with("/*") => match rest[2..].find("*/") {
            Some(end) => (Kind::Comment { is_closed: true }, end + 4),
            None => (Kind::Comment { is_closed: false }, rest.len()),
        },
        ';' => (Kind::Semicolon, 1),
        '.' => (Kind::Dot, 1),
        c if c.is_whitespace() => (Kind::Space, run(rest, char::is_whitespace)),
        c if c.is_ascii_digit() => (Kind::Number, run(rest, |c| c.is_ascii_alphanumeric() || c == '.')),
        c if is_word(c) => (Kind::Word, run(rest, is_word)),
        c => (Kind::Symbol, c.len_utf8()),
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$')
}

fn run(rest: &str, belongs: impl Fn(char) -> bool) -> usize {
    rest.find(|c| !belongs(c)).unwrap_or(rest.len())
}

/// The length of a quoted text with its quotes, and whether it ends. A doubled quote stands for one.
fn quoted(rest: &str, quote: char) -> (usize, bool) {
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((index, c)) = chars.next() {
        if c != quote {
            continue;
        }
        match chars.peek() {
            Some((_, following)) if *following == quote => {
                chars.next();
            }
            _ => return (index + 1, true),
        }
    }
    (rest.len(), false)
}

/// The statements of a text, without their semicolons; empty ones are left out.
pub(crate) fn statements(source: &str) -> Vec<&str> {
    let mut statements = Vec::new();
    let mut start = 0;
    let mut says_something = false;
    for token in tokens(source) {
        if token.kind == Kind::Semicolon {
            if says_something {
                statements.push(source[start..token.start].trim());
            }
            start = token.end;
            says_something = false;
        } else if !token.is_blank() {
            says_something = true;
        }
    }
    if says_something {
        statements.push(source[start..].trim());
    }
    statements
}

/// Whether a text ends with a semicolon that closes a statement, or says nothing.
pub(crate) fn is_complete(source: &str) -> bool {
    let tokens = tokens(source);
    let is_open = |token: &Token| matches!(token.kind, Kind::Comment { is_closed: false });
    if tokens.iter().any(is_open) {
        return false;
    }
    let last = tokens.iter().rev().find(|token| !token.is_blank());
    last.is_none_or(|token| token.kind == Kind::Semicolon)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_end_outside_quotes_and_comments() {
        let text = "SELECT ';' ; -- a; b\nSELECT \"x;y\" /* ; */ FROM t;;\n -- end";
        assert_eq!(statements(text), ["SELECT ';'", "-- a; b\nSELECT \"x;y\" /* ; */ FROM t"]);
        assert_eq!(statements(" ;; -- nothing"), Vec::<&str>::new());
        assert_eq!(statements("SELECT 1"), ["SELECT 1"]);
    }

    #[test]
    fn a_statement_is_complete_at_its_semicolon() {
        for complete in ["SELECT 1;", "SELECT 1; -- done", "", "  \n", "SELECT 'it''s';"] {
            assert!(is_complete(complete), "{complete}");
        }
        for open in ["SELECT 1", "SELECT ';", "SELECT 1; /* ;", "SELECT 1; SELECT 2", "SELECT \";"] {
            assert!(!is_complete(open), "{open}");
        }
    }

    #[test]
    fn tokens_leave_no_gap() {
        let text = "SELECT c.scores.\"A b\", 'é', 1.5e3 -- x\n/* y";
        let tokens = tokens(text);
        let joined: String = tokens.iter().map(|token| token.text(text)).collect();
        assert_eq!(joined, text);
        assert_eq!(tokens.last().map(|token| token.kind), Some(Kind::Comment { is_closed: false }));
    }
}
