//! What a source is, told by its first bytes; names and extensions are not looked at.

use std::ops::ControlFlow;

use crate::formats::score::is_score_column;
use crate::json::{ScanError, ScanErrorKind, Scanner, unquote};

/// Lines that are looked at before a source of lines is given up.
const LINES_LOOKED_AT: usize = 16;

/// How the rows lie in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One row a line.
    Lines,
    /// An array of rows, or rows that span lines.
    Document,
    /// Objects around an array of rows: fetch pages, query answers.
    Envelope,
}

/// What the first bytes say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Rows of evals in this shape; the text of the first one, if it is whole.
    Rows(Shape, Option<String>),
    /// Something else, and what.
    Other(String),
    /// The first row goes on behind these bytes.
    More,
}

/// Looks at the first bytes of the decoded text. `whole` says that there are no more.
pub(crate) fn sniff(prefix: &[u8], whole: bool) -> Verdict {
    let text = String::from_utf8_lossy(prefix);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    match text.as_bytes().first() {
        None if whole => Verdict::Other("is empty".into()),
        None => Verdict::More,
        Some(b'[') => sniff_array(text, Shape::Document, whole),
        Some(b'{') => sniff_object(text, whole),
        Some(_) => sniff_lines(text, whole).unwrap_or_else(|| Verdict::Other(other_than_json(prefix))),
    }
}

fn other_than_json(prefix: &[u8]) -> String {
    if prefix.starts_with(b"PAR1") {
        "is a Parquet file without columns for an input and a result".into()
    } else {
        "is no JSON".into()
    }
}

fn sniff_array(text: &str, shape: Shape, whole: bool) -> Verdict {
    let inner = text[1..].trim_start();
    match inner.as_bytes().first() {
        Some(b'{') => match Seen::of(inner) {
            (seen, _) if seen.is_row() => {
                let seen = if shape == Shape::Document { seen.with_elements(inner) } else { seen };
                if seen.is_generic() { generic() } else { Verdict::Rows(shape, first_value(inner)) }
            }
            (_, Err(ScanError { kind: ScanErrorKind::End, .. })) if !whole => Verdict::More,
            (seen, _) => Verdict::Other(seen.described()),
        },
        Some(b']') => Verdict::Other("holds no rows".into()),
        None if !whole => Verdict::More,
        _ => Verdict::Other("is JSON, but its array does not hold objects".into()),
    }
}

fn sniff_object(text: &str, whole: bool) -> Verdict {
    let mut seen = Seen::default();
    let mut scanner = Scanner::new(text);
    let mut array = None;
    let walked = walk(&mut scanner, |key, rest| {
        seen.look(key, rest);
        let holds_rows = matches!(key, "events" | "data") && rest.starts_with('[') && !seen.is_row();
        if holds_rows {
            array = Some(rest);
        }
        if holds_rows { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    match array.map(|rest| sniff_array(rest, Shape::Envelope, whole)) {
        None | Some(Verdict::Other(_)) => {}
        Some(verdict) => return verdict,
    }
    if let Some(verdict) = sniff_lines(text, whole) {
        return verdict;
    }
    if seen.is_row() && seen.is_generic() {
        return generic();
    }
    if seen.is_row() {
        let is_broken = matches!(walked, Err(ScanError { kind: ScanErrorKind::Syntax(_), .. }));
        let spans_lines = scanner.saw_newline() && !is_broken;
        return Verdict::Rows(if spans_lines { Shape::Document } else { Shape::Lines }, first_value(text));
    }
    match walked {
        Err(ScanError { kind: ScanErrorKind::End, .. }) if !whole => Verdict::More,
        _ => Verdict::Other(seen.described()),
    }
}

/// What a source of rows is whose keys anybody may write.
fn generic() -> Verdict {
    Verdict::Other("is JSON, but its rows are not of our own shape".into())
}

/// Rows when one of the first lines is a whole row by itself.
fn sniff_lines(text: &str, whole: bool) -> Option<Verdict> {
    let of_row = |line: &'_ str| match Seen::of(line) {
        (seen, Ok(())) if seen.is_row() => Some(seen),
        _ => None,
    };
    let mut lines = text.split('\n').collect::<Vec<_>>();
    if !whole {
        lines.pop();
    }
    let lines = lines.into_iter().filter(|line| !line.trim().is_empty()).take(LINES_LOOKED_AT);
    let rows: Vec<(&str, Seen)> = lines.filter_map(|line| Some((line, of_row(line)?))).collect();
    let (first, _) = rows.first()?;
    let seen = rows.iter().fold(Seen::default(), |all, (_, seen)| all.with(*seen));
    let rows = || Verdict::Rows(Shape::Lines, Some(first.trim().to_string()));
    Some(if seen.is_generic() { generic() } else { rows() })
}

fn first_value(text: &str) -> Option<String> {
    Scanner::new(text).value().ok().map(|value| value.text.to_string())
}

/// Walks the keys of an object, each with the text from its value on.
fn walk<'a>(
    scanner: &mut Scanner<'a>,
    mut each: impl FnMut(&str, &'a str) -> ControlFlow<()>,
) -> Result<(), ScanError> {
    let mut more = scanner.enter_object()?;
    while more {
        let key = scanner.key()?;
        if each(&unquote(key.text), scanner.rest()).is_break() {
            return Ok(());
        }
        scanner.value()?;
        more = scanner.more(b'}')?;
    }
    Ok(())
}

/// The keys of an object, as far as they say what it is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Seen {
    span: bool,
    root_span: bool,
    input: bool,
    result: bool,
    other_trace: bool,
    delete: bool,
    /// A key that only our own shape has.
    own: bool,
    /// A score in a key of its own.
    lone_score: bool,
    /// An id that is no string.
    other_id: bool,
    output: bool,
}

impl Seen {
    /// Reads the keys of the object that `text` starts with, and says how that ended.
    fn of(text: &str) -> (Self, Result<(), ScanError>) {
        let mut seen = Self::default();
        let mut scanner = Scanner::new(text);
        let walked = walk(&mut scanner, |key, value| {
            seen.look(key, value);
            ControlFlow::Continue(())
        });
        (seen, walked)
    }

    /// Notes one key of the object and, as far as it says whose the object is, the text of its value.
    fn look(&mut self, key: &str, value: &str) {
        self.add(key);
        match key {
            "scores" => self.own |= value.starts_with('{'),
            "root_span_id" | "span_id" | "span_parents" | "span_attributes" | "_xact_id" | "_object_delete"
            | "experiment_id" | "project_id" => self.own = true,
            "id" => self.other_id |= !value.starts_with(['"', 'n']),
            "output" => self.output = true,
            _ => self.lone_score |= is_score_column(key),
        }
    }

    /// Notes one key of the object.
    pub(crate) fn add(&mut self, key: &str) {
        match key {
            "root_span_id" => self.root_span = true,
            "span_id" | "span_parents" | "span_attributes" => self.span = true,
            "input" => self.input = true,
            "output" | "expected" | "scores" => self.result = true,
            "trace_id" | "traceId" => self.other_trace = true,
            "_object_delete" => self.delete = true,
            _ => {}
        }
    }

    /// Whether an object with these keys is a row.
    ///
    /// A `trace_id` without a `root_span_id` is how other tools (Langfuse, Phoenix, MLflow) write
    /// their spans, whose other fields mean other things.
    pub(crate) fn is_row(self) -> bool {
        self.root_span || (!self.other_trace && (self.span || self.delete || (self.input && self.result)))
    }

    /// Whether rows with these keys are of no tool: a score in a key of its own, or an id that is no
    /// string, and nothing that only our own shape has. Read as our own they would lose their scores.
    fn is_generic(self) -> bool {
        !self.own && (self.lone_score || (self.other_id && self.output))
    }

    /// With the keys of the first elements of an array, whose text begins at the first one.
    fn with_elements(self, text: &str) -> Self {
        let mut scanner = Scanner::new(text);
        let mut seen = self;
        for _ in 0..LINES_LOOKED_AT {
            let Ok(element) = scanner.value() else { break };
            seen = seen.with(Self::of(element.text).0);
            if !scanner.more(b']').unwrap_or(false) {
                break;
            }
        }
        seen
    }

    fn with(self, other: Self) -> Self {
        Self {
            span: self.span | other.span,
            root_span: self.root_span | other.root_span,
            input: self.input | other.input,
            result: self.result | other.result,
            other_trace: self.other_trace | other.other_trace,
            delete: self.delete | other.delete,
            own: self.own | other.own,
            lone_score: self.lone_score | other.lone_score,
            other_id: self.other_id | other.other_id,
            output: self.output | other.output,
        }
    }

    fn described(self) -> String {
        if self.other_trace && self.span {
            "holds spans of a tool that is not known".into()
        } else {
            "is JSON, but its objects are no rows of evals".into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &str = r#"{"id":"a","input":1,"output":2}"#;

    #[track_caller]
    fn assert_shape(text: &str, shape: Shape) {
        let expected = ROW.to_string();
        assert_eq!(sniff(text.as_bytes(), true), Verdict::Rows(shape, Some(expected)), "{text}");
    }

    #[test]
    fn shapes_are_told_apart() {
        assert_shape(ROW, Shape::Lines);
        assert_shape(&format!("\u{feff}\n{ROW}\r\n{ROW}\n"), Shape::Lines);
        assert_shape(&format!("garbage\n{ROW}\n"), Shape::Lines);
        assert_shape(&format!("[\n{ROW},\n{ROW}]"), Shape::Document);
        assert_shape(&format!(r#"{{"events":[{ROW}],"cursor":null}}"#), Shape::Envelope);
        assert_shape(&format!("{{\"cursor\":\"x\",\n\"data\": [\n{ROW}\n]}}"), Shape::Envelope);
    }

    #[test]
    fn rows_that_span_lines_are_a_document() {
        let pretty = ROW.replace(',', ",\n ");
        assert_eq!(sniff(pretty.as_bytes(), true), Verdict::Rows(Shape::Document, Some(pretty.clone())));
    }

    #[test]
    fn rows_that_anybody_may_write_are_not_our_own() {
        let own = r#"{"input":1,"output":2,"scores":{"a":1},"score":1}"#;
        assert!(matches!(sniff(own.as_bytes(), true), Verdict::Rows(..)));
        let plain = r#"{"input":1,"output":2}"#;
        for row in [r#"{"input":1,"output":2,"score":1}"#, r#"{"id":7,"input":1,"output":2}"#] {
            for text in [row.to_string(), format!("{plain}\n{row}\n"), format!("[{plain},{row}]"), format!("[{row}]")] {
                assert!(matches!(sniff(text.as_bytes(), true), Verdict::Other(_)), "{text}");
            }
        }
    }

    #[test]
    fn other_json_is_refused() {
        for text in [
            "",
            "[]",
            "{}",
            "[1]",
            r#"{"events":[1]}"#,
            r#"[{"experiment":"x","file":"y"}]"#,
            "# Title",
            "PK\u{3}\u{4}",
        ] {
            assert!(matches!(sniff(text.as_bytes(), true), Verdict::Other(_)), "{text}");
        }
        let langfuse = r#"{"id":"a","trace_id":"t","input":1,"output":2,"usage_details":{}}"#;
        assert!(matches!(sniff(langfuse.as_bytes(), true), Verdict::Other(_)));
    }

    #[test]
    fn a_cut_prefix_asks_for_more() {
        assert_eq!(sniff(br#"{"input":"long"#, false), Verdict::More);
        assert_eq!(sniff(br#"[{"inp"#, false), Verdict::More);
    }
}
