//! What may follow at the cursor.
//!
//! Inside single quotes that is the name of an experiment; after `FROM` or `JOIN` a table; in a path
//! its next part, with aliases resolved; anywhere else columns, functions, tables and keywords.

use super::lexer::{Kind, Token, tokens};
use super::meta;

/// The names that completion knows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Vocabulary {
    /// Tables with their columns as a query writes them: `id`, `scores."Answer Correctness"`.
    pub(crate) tables: Vec<(String, Vec<String>)>,
    /// Functions, without parentheses.
    pub(crate) functions: Vec<String>,
    /// Table functions, without parentheses.
    pub(crate) table_functions: Vec<String>,
    /// Experiment names, as `name` and `project/name`.
    pub(crate) experiments: Vec<String>,
}

/// Where the text to replace begins, and what may replace it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Completion {
    /// Byte offset of the beginning of what was typed.
    pub(crate) start: usize,
    /// What may stand there instead, sorted.
    pub(crate) candidates: Vec<String>,
}

/// Words of SQL that are worth completing and highlighting.
pub(crate) const KEYWORDS: [&str; 66] = [
    "ALL",
    "AND",
    "AS",
    "ASC",
    "BETWEEN",
    "BY",
    "CASE",
    "CAST",
    "CROSS",
    "CURRENT",
    "DESC",
    "DISTINCT",
    "ELSE",
    "END",
    "EXCEPT",
    "EXISTS",
    "EXPLAIN",
    "FALSE",
    "FILTER",
    "FIRST",
    "FOLLOWING",
    "FROM",
    "FULL",
    "GROUP",
    "HAVING",
    "ILIKE",
    "IN",
    "INNER",
    "INTERSECT",
    "INTERVAL",
    "IS",
    "JOIN",
    "LAST",
    "LATERAL",
    "LEFT",
    "LIKE",
    "LIMIT",
    "NATURAL",
    "NOT",
    "NULL",
    "NULLS",
    "OFFSET",
    "ON",
    "OR",
    "ORDER",
    "OUTER",
    "OVER",
    "PARTITION",
    "PRECEDING",
    "QUALIFY",
    "RANGE",
    "RECURSIVE",
    "RIGHT",
    "ROW",
    "ROWS",
    "SELECT",
    "THEN",
    "TRUE",
    "UNBOUNDED",
    "UNION",
    "UNNEST",
    "USING",
    "VALUES",
    "WHEN",
    "WHERE",
    "WITH",
];

/// Completes `line` at its end; what follows the cursor plays no part.
pub(crate) fn complete(line: &str, vocabulary: &Vocabulary) -> Completion {
    if line.trim_start().starts_with('\\') {
        return meta::complete(line, vocabulary);
    }
    let all = tokens(line);
    let begin = all.iter().rposition(|token| token.kind == Kind::Semicolon).map_or(0, |index| index + 1);
    let statement = &all[begin..];
    match statement.last() {
        Some(token) if token.kind == (Kind::Text { is_closed: false }) => experiments(line, *token, vocabulary),
        Some(token) if is_inside_comment(line, *token) => Completion::default(),
        _ => names(line, statement, vocabulary),
    }
}

fn is_inside_comment(line: &str, token: Token) -> bool {
    match token.kind {
        Kind::Comment { is_closed } => !is_closed || token.text(line).starts_with("--"),
        _ => false,
    }
}

fn experiments(line: &str, token: Token, vocabulary: &Vocabulary) -> Completion {
    let typed = line[token.start + 1..].replace("''", "'");
    let matching = vocabulary.experiments.iter().filter(|name| has_prefix(name, &typed));
    let candidates = matching.map(|name| format!("{}'", name.replace('\'', "''"))).collect();
    sorted(token.start + 1, candidates)
}

/// Names at the end of a statement: the path being typed, or whatever may begin there.
fn names(line: &str, statement: &[Token], vocabulary: &Vocabulary) -> Completion {
    let path_begin = statement.iter().rposition(|token| !token.is_path_part()).map_or(0, |index| index + 1);
    let path = &statement[path_begin..];
    let start = path.first().map_or(line.len(), |token| token.start);
    let typed = unquoted(line, path);
    let before = statement[..path_begin].iter().rev().find(|token| !token.is_blank());
    let keyword = before.filter(|token| token.kind == Kind::Word).map(|token| token.text(line).to_uppercase());

    let mut candidates = Vec::new();
    if matches!(keyword.as_deref(), Some("FROM" | "JOIN")) {
        push_tables(&typed, vocabulary, &mut candidates);
        return sorted(start, candidates);
    }
    push_columns(line, statement, &typed, vocabulary, &mut candidates);
    if !typed.contains('.') {
        push_functions(&typed, &vocabulary.functions, &mut candidates);
        push_tables(&typed, vocabulary, &mut candidates);
        push_keywords(&typed, &mut candidates);
    }
    sorted(start, candidates)
}

/// A path without its double quotes.
fn unquoted(line: &str, path: &[Token]) -> String {
    let part = |token: &Token| match token.kind {
        Kind::Quoted { is_closed } => {
            let text = token.text(line);
            let end = if is_closed { text.len() - 1 } else { text.len() };
            text[1..end].replace("\"\"", "\"")
        }
        _ => token.text(line).to_string(),
    };
    path.iter().map(part).collect()
}

fn push_tables(typed: &str, vocabulary: &Vocabulary, candidates: &mut Vec<String>) {
    let tables = vocabulary.tables.iter().map(|(name, _)| name);
    candidates.extend(tables.filter(|name| has_prefix(name, typed)).cloned());
    push_functions(typed, &vocabulary.table_functions, candidates);
}

fn push_functions(typed: &str, functions: &[String], candidates: &mut Vec<String>) {
    let matching = functions.iter().filter(|name| has_prefix(name, typed));
    candidates.extend(matching.map(|name| format!("{name}(")));
}

/// Keywords in the case in which they are typed.
fn push_keywords(typed: &str, candidates: &mut Vec<String>) {
    if typed.is_empty() {
        return;
    }
    let is_lower = typed.chars().all(|c| c.is_lowercase());
    let matching = KEYWORDS.iter().filter(|keyword| has_prefix(keyword, typed));
    candidates.extend(matching.map(|word| if is_lower { word.to_lowercase() } else { (*word).to_string() }));
}

/// Columns of the tables that the statement names, or of all of them.
fn push_columns(line: &str, statement: &[Token], typed: &str, vocabulary: &Vocabulary, candidates: &mut Vec<String>) {
    let sources = sources(line, statement, vocabulary);
    let qualified = typed.split_once('.').and_then(|(qualifier, rest)| {
        let source = sources.iter().find(|source| source.alias.eq_ignore_ascii_case(qualifier))?;
        Some((source, qualifier, rest))
    });
    if let Some((source, qualifier, rest)) = qualified {
        let prefix = format!("{}.", quote(qualifier));
        push_paths(rest, &prefix, columns(&source.table, vocabulary), candidates);
        return;
    }
    let named: Vec<&str> = sources.iter().map(|source| source.table.as_str()).collect();
    for (table, columns) in &vocabulary.tables {
        if named.is_empty() || named.contains(&table.as_str()) {
            push_paths(typed, "", columns, candidates);
        }
    }
    if !typed.contains('.') {
        let aliases = sources.iter().filter(|source| has_prefix(&source.alias, typed));
        candidates.extend(aliases.map(|source| format!("{}.", quote(&source.alias))));
    }
}

fn columns<'a>(table: &str, vocabulary: &'a Vocabulary) -> &'a [String] {
    let found = vocabulary.tables.iter().find(|(name, _)| name == table);
    found.map_or(&[], |(_, columns)| columns)
}

/// Paths that begin as typed, up to the next dot: `sc` → `scores.`, `scores.F` → `scores.Factuality`.
fn push_paths(typed: &str, prefix: &str, columns: &[String], candidates: &mut Vec<String>) {
    let parts_typed = typed.matches('.').count() + 1;
    for column in columns {
        let tokens = tokens(column);
        if !has_prefix(&unquoted(column, &tokens), typed) {
            continue;
        }
        let mut dots = tokens.iter().filter(|token| token.kind == Kind::Dot);
        let shown = match dots.nth(parts_typed - 1) {
            Some(dot) => &column[..dot.end],
            None => column.as_str(),
        };
        candidates.push(format!("{prefix}{shown}"));
    }
}

/// A table of the statement, under the name by which its columns are called.
struct NamedSource {
    alias: String,
    table: String,
}

/// The tables after `FROM` and `JOIN`, with their aliases. A table function gives cases.
fn sources(line: &str, statement: &[Token], vocabulary: &Vocabulary) -> Vec<NamedSource> {
    let tokens: Vec<Token> = statement.iter().copied().filter(|token| !token.is_blank()).collect();
    let word = |index: usize| tokens.get(index).filter(|token| token.kind == Kind::Word).map(|t| t.text(line));
    let mut sources = Vec::new();
    for index in 0..tokens.len() {
        let is_begin = word(index).is_some_and(|word| matches!(word.to_uppercase().as_str(), "FROM" | "JOIN"));
        let Some(name) = word(index + 1).filter(|_| is_begin) else { continue };
        let after_name = index + 2;
        let is_call = tokens.get(after_name).is_some_and(|token| token.text(line) == "(");
        let table = if is_call { "cases".to_string() } else { name.to_lowercase() };
        if !vocabulary.tables.iter().any(|(known, _)| *known == table) {
            continue;
        }
        let mut next = if is_call { past_parentheses(line, &tokens, after_name) } else { after_name };
        if word(next).is_some_and(|word| word.eq_ignore_ascii_case("AS")) {
            next += 1;
        }
        // The word being typed is no alias yet: something has to follow it.
        let alias = word(next).filter(|word| !is_keyword(word) && next + 1 < tokens.len());
        sources.push(NamedSource { alias: alias.unwrap_or(name).to_string(), table });
    }
    sources
}

fn past_parentheses(line: &str, tokens: &[Token], open: usize) -> usize {
    let mut depth = 0;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        match token.text(line) {
            "(" => depth += 1,
            ")" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return index + 1;
        }
    }
    tokens.len()
}

/// Whether a word is a keyword.
pub(crate) fn is_keyword(word: &str) -> bool {
    KEYWORDS.binary_search(&word.to_uppercase().as_str()).is_ok()
}

/// Whether `name` begins with `typed`, whatever the case.
pub(crate) fn has_prefix(name: &str, typed: &str) -> bool {
    let mut letters = name.chars().flat_map(char::to_lowercase);
    typed.chars().flat_map(char::to_lowercase).all(|c| letters.next() == Some(c))
}

/// A name as it has to be written in SQL.
fn quote(name: &str) -> String {
    let is_plain = name.chars().all(|c| c.is_alphanumeric() || c == '_')
        && name.chars().next().is_some_and(|c| !c.is_ascii_digit());
    if is_plain { name.to_string() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// The candidates sorted, each once.
pub(crate) fn sorted(start: usize, mut candidates: Vec<String>) -> Completion {
    candidates.sort_unstable();
    candidates.dedup();
    Completion { start, candidates }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vocabulary() -> Vocabulary {
        let names = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
        let cases = ["id", "input", "metadata", "metadata.model", "scores.Factuality", "scores.\"Answer Correctness\""];
        Vocabulary {
            tables: vec![("cases".into(), names(&cases)), ("spans".into(), names(&["id", "span_id"]))],
            functions: names(&["delta", "mean_ci"]),
            table_functions: names(&["experiment"]),
            experiments: names(&["baseline", "support/baseline", "prompt's"]),
        }
    }

    fn candidates(line: &str) -> Vec<String> {
        complete(line, &vocabulary()).candidates
    }

    #[test]
    fn keywords_are_sorted_for_lookup() {
        assert!(KEYWORDS.is_sorted());
        assert!(is_keyword("select"));
    }

    #[test]
    fn quotes_hold_experiment_names() {
        assert_eq!(candidates("SELECT * FROM experiment('ba"), ["baseline'"]);
        assert_eq!(candidates("WHERE experiment = 'su"), ["support/baseline'"]);
        assert_eq!(candidates("x = 'prompt''"), ["prompt''s'"]);
        assert_eq!(complete("x = 'ba", &vocabulary()).start, 5);
    }

    #[test]
    fn tables_follow_from() {
        assert_eq!(candidates("SELECT * FROM "), ["cases", "experiment(", "spans"]);
        assert_eq!(candidates("select 1 from cases join sp"), ["spans"]);
    }

    #[test]
    fn paths_are_completed_part_by_part() {
        assert_eq!(candidates("SELECT sco"), ["scores."]);
        assert_eq!(candidates("SELECT scores.f"), ["scores.Factuality"]);
        assert_eq!(candidates("SELECT scores.An"), ["scores.\"Answer Correctness\""]);
        assert_eq!(candidates("SELECT scores.\"Ans"), ["scores.\"Answer Correctness\""]);
        assert_eq!(candidates("SELECT meta"), ["metadata", "metadata."]);
    }

    #[test]
    fn aliases_are_resolved() {
        assert_eq!(candidates("SELECT 1 FROM cases c WHERE c.scores.F"), ["c.scores.Factuality"]);
        assert_eq!(candidates("SELECT 1 FROM spans s JOIN cases AS c ON s.sp"), ["s.span_id"]);
        assert_eq!(candidates("SELECT 1 FROM experiment('x', 1) e WHERE e.meta"), ["e.metadata", "e.metadata."]);
        assert_eq!(candidates("SELECT 1 FROM spans WHERE span"), ["span_id", "spans", "spans."]);
    }

    #[test]
    fn keywords_follow_the_case_typed() {
        assert_eq!(candidates("SEL"), ["SELECT"]);
        assert_eq!(candidates("sel"), ["select"]);
        assert_eq!(candidates("SELECT del"), ["delta("]);
    }

    #[test]
    fn comments_and_earlier_statements_play_no_part() {
        assert!(candidates("SELECT 1 -- sel").is_empty());
        assert_eq!(candidates("SELECT 1 FROM spans; SELECT sco"), ["scores."]);
    }
}
