//! BTQL queries in text: clauses of the form `name: …`, separated by `|` or line breaks.

use crate::ast::{Expr, Literal, Named, Node, Position, Query, Sample, Shape, SortItem, Source, Step, Unpivot};
use crate::error::LanguageError;
use crate::lexer::{Kind, Token, tokens};
use crate::parser::Parser;

/// The clauses, for errors.
const CLAUSES: [&str; 12] = [
    "select",
    "dimensions",
    "measures",
    "filter",
    "from",
    "sort",
    "limit",
    "cursor",
    "sample",
    "pivot",
    "unpivot",
    "preview_length",
];

/// Whether a text is SQL and not BTQL: it begins with `select …` or `with …`, without a colon.
pub fn is_sql(text: &str) -> bool {
    let Ok(tokens) = tokens(text) else { return false };
    match tokens.first().map(|token| &token.kind) {
        Some(Kind::Word(word)) => {
            let word = word.to_ascii_lowercase();
            let has_colon = matches!(tokens.get(1).map(|token| &token.kind), Some(Kind::Symbol(":")));
            (word == "select" || word == "with") && !has_colon
        }
        _ => false,
    }
}

/// Reads a BTQL query.
///
/// # Errors
/// [`LanguageError`] with the place of what is not understood.
pub fn parse_query(text: &str) -> Result<Query, LanguageError> {
    let all = tokens(text)?;
    let starts = clause_starts(text, &all);
    if starts.first() != Some(&0) {
        let found = &all[0];
        let error = LanguageError::new(
            format!("expected a clause such as `select:`, found {}", found.kind.shown()),
            found.position,
        );
        return Err(match &found.kind {
            Kind::Word(word) => error.suggest(word, CLAUSES),
            _ => error,
        });
    }
    let mut query = Query::default();
    let mut seen: Vec<String> = Vec::new();
    for (i, start) in starts.iter().enumerate() {
        let end = starts.get(i + 1).copied().unwrap_or(all.len() - 1);
        let Kind::Word(name) = &all[*start].kind else { continue };
        let name = name.to_ascii_lowercase();
        let place = all[*start].position;
        if seen.contains(&name) {
            return Err(LanguageError::new(format!("the clause `{name}` is there twice"), place));
        }
        let mut part: Vec<Token> = all[start + 2..end].to_vec();
        while matches!(part.last().map(|token| &token.kind), Some(Kind::Symbol("|"))) {
            part.pop();
        }
        let after = part.last().map_or(place.end, |token| token.position.end);
        part.push(Token { kind: Kind::End, position: Position { start: after, end: after } });
        clause(&mut query, &name, place, Parser::of(part))?;
        seen.push(name);
    }
    Ok(query)
}

/// Where clauses begin: a word and a colon, first or after a `|` or a line break.
fn clause_starts(text: &str, tokens: &[Token]) -> Vec<usize> {
    let begins = |i: usize| {
        let is_named = matches!(tokens[i].kind, Kind::Word(_))
            && matches!(tokens.get(i + 1).map(|token| &token.kind), Some(Kind::Symbol(":")));
        let follows = match i.checked_sub(1).map(|before| &tokens[before]) {
            None => true,
            Some(before) => {
                matches!(before.kind, Kind::Symbol("|"))
                    || text[before.position.end..tokens[i].position.start].contains('\n')
            }
        };
        is_named && follows
    };
    (0..tokens.len()).filter(|i| begins(*i)).collect()
}

fn clause(query: &mut Query, name: &str, place: Position, mut parser: Parser) -> Result<(), LanguageError> {
    match name {
        "select" => query.select = named(&mut parser)?,
        "dimensions" => query.dimensions = named(&mut parser)?,
        "measures" => query.measures = named(&mut parser)?,
        "pivot" => query.pivot = named(&mut parser)?,
        "filter" => query.filter = Some(parser.expression()?),
        "from" => query.from = Some(source(&mut parser)?),
        "sort" => query.sort = sort(&mut parser)?,
        "limit" => query.limit = Some(whole(&mut parser)?),
        "cursor" => query.cursor = cursor(&mut parser)?,
        "sample" => query.sample = Some(sample(&mut parser)?),
        "unpivot" => query.unpivot = unpivot(&mut parser)?,
        "preview_length" => {
            let expr = parser.expression()?;
            match expr.node {
                Node::Literal(Literal::Int(length)) if length >= -1 => query.preview_length = Some(length),
                _ => return Err(LanguageError::new("expected a number of characters, or -1 for all", expr.position)),
            }
        }
        other => {
            let error = LanguageError::new(format!("there is no clause `{other}`"), place);
            return Err(error.suggest(other, CLAUSES));
        }
    }
    parser.end()
}

fn named(parser: &mut Parser) -> Result<Vec<Named>, LanguageError> {
    let mut items = Vec::new();
    loop {
        let expr = parser.expression()?;
        let alias = if parser.take_word("as") { Some(parser.name()?) } else { None };
        items.push(Named { expr, alias });
        if !parser.take_symbol(",") {
            return Ok(items);
        }
    }
}

fn sort(parser: &mut Parser) -> Result<Vec<SortItem>, LanguageError> {
    let mut items = Vec::new();
    loop {
        let expr = parser.expression()?;
        let descending = parser.take_word("desc");
        if !descending {
            parser.take_word("asc");
        }
        items.push(SortItem { expr, descending });
        if !parser.take_symbol(",") {
            return Ok(items);
        }
    }
}

/// `experiment('a', 'b') summary`.
fn source(parser: &mut Parser) -> Result<Source, LanguageError> {
    let position = parser.position();
    let name = parser.name()?.to_ascii_lowercase();
    let mut ids = Vec::new();
    if parser.take_symbol("(") {
        while !parser.is_symbol(")") {
            ids.push(parser.name_or_text()?);
            if !parser.take_symbol(",") {
                break;
            }
        }
        parser.expect_symbol(")")?;
    }
    let shape = match parser.word_at(0) {
        None => Shape::default(),
        Some(word) => {
            let at = parser.position();
            let shape = shape_named(&word).ok_or_else(|| {
                LanguageError::new(format!("there is no shape `{word}`"), at)
                    .suggest(&word, ["spans", "traces", "summary"])
            })?;
            parser.take_word(&word);
            shape
        }
    };
    Ok(Source { name, ids, shape, position })
}

pub(crate) fn shape_named(word: &str) -> Option<Shape> {
    match word {
        "spans" => Some(Shape::Spans),
        "traces" => Some(Shape::Traces),
        "summary" => Some(Shape::Summary),
        _ => None,
    }
}

fn whole(parser: &mut Parser) -> Result<u64, LanguageError> {
    let expr = parser.expression()?;
    match expr.node {
        Node::Literal(Literal::Int(number)) if number >= 0 => Ok(number.unsigned_abs()),
        _ => Err(LanguageError::new("expected a whole number of 0 or more", expr.position)),
    }
}

fn cursor(parser: &mut Parser) -> Result<Option<String>, LanguageError> {
    let expr = parser.expression()?;
    match expr.node {
        Node::Literal(Literal::Text(token)) => Ok(Some(token)),
        Node::Literal(Literal::Null) => Ok(None),
        // BTQL takes double quotes for text too.
        Node::Path(steps) => match steps.as_slice() {
            [Step::Key { name, quoted: true }] => Ok(Some(name.clone())),
            _ => Err(LanguageError::new("expected the cursor of an answer, in quotes", expr.position)),
        },
        _ => Err(LanguageError::new("expected the cursor of an answer, in quotes", expr.position)),
    }
}

fn sample(parser: &mut Parser) -> Result<Sample, LanguageError> {
    let expr = parser.expression()?;
    match expr.node {
        Node::Literal(Literal::Int(rows)) if rows >= 0 => Ok(Sample::Rows(rows.unsigned_abs())),
        Node::Literal(Literal::Percent(share)) if (0.0..=100.0).contains(&share) => Ok(Sample::Share(share / 100.0)),
        _ => Err(LanguageError::new("expected a share such as 25% or a number of rows", expr.position)),
    }
}

fn unpivot(parser: &mut Parser) -> Result<Vec<Unpivot>, LanguageError> {
    let mut items = Vec::new();
    loop {
        let expr: Expr = parser.expression()?;
        if !parser.take_word("as") {
            return Err(parser.expected("`as (key, value)` or `as (value)`"));
        }
        parser.expect_symbol("(")?;
        let first = parser.name()?;
        let second = if parser.take_symbol(",") { Some(parser.name()?) } else { None };
        parser.expect_symbol(")")?;
        items.push(match second {
            Some(value) => Unpivot { expr, key: Some(first), value },
            None => Unpivot { expr, key: None, value: first },
        });
        if !parser.take_symbol(",") {
            return Ok(items);
        }
    }
}
