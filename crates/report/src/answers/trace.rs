//! One trace as a tree of spans.

use evalhouse_model::{Trace, TraceSpan};
use indexmap::IndexMap;
use serde_json::Value;

use crate::grid::Overflow;
use crate::layout::cut;
use crate::number::{self, NONE};
use crate::{Answer, Block, Cell, Column, Datum, Document, Grid, Line, Record, Tone, View};

/// Characters of a value that are shown unless all of it is asked for.
const PREVIEW_LENGTH: usize = 124;
/// Columns that the names of the fields take.
const NAME_WIDTH: usize = 10;
/// Metrics that stay out of the first lines, because another one says it shorter.
const DETAILS: [&str; 4] = ["completion_tokens", "llm_duration", "prompt_tokens", "time_to_first_token"];

impl Answer for Trace {
    fn document(&self, view: &View) -> Document {
        let mut document = Document::default();
        document.push(Block::Title(format!("{} / {}: {}", self.project, self.experiment, self.id)));
        document.push(Block::Fields(fields(self, view)));
        document.push(Block::Grid(tree(self)));
        document.push(Block::Lines(errors(self)));
        if view.all {
            self.spans.iter().for_each(|span| push_whole(span, &mut document));
        }
        document
    }

    fn records(&self) -> Vec<Record> {
        self.spans.iter().map(|span| record(span, self)).collect()
    }
}

fn fields(trace: &Trace, view: &View) -> Vec<(String, Line)> {
    let mut fields = vec![("trace".to_string(), Line::new(&trace.root_span_id, Tone::Quiet))];
    let mut add = |name: &str, value: Line| fields.push((name.to_string(), value));
    add("trial", Line::plain(trace.trial.to_string()));
    if !trace.scores.is_empty() {
        add("scores", Line::plain(scores(&trace.scores)));
    }
    let is_shown = |name: &str, value: f64| view.all || (value != 0.0 && !DETAILS.contains(&name));
    let metrics = trace.metrics.iter().filter(|(name, value)| is_shown(name, **value));
    let metrics: Vec<String> = metrics.map(|(name, value)| metric(name, *value)).collect();
    if !metrics.is_empty() {
        add("metrics", Line::plain(metrics.join(" · ")));
    }
    if let (Some(root), false) = (trace.spans.first(), view.all) {
        for (name, value) in [("input", &root.input), ("output", &root.output), ("expected", &root.expected)] {
            if let Some(value) = value {
                let room = view.width.map_or(PREVIEW_LENGTH, |width| width.saturating_sub(NAME_WIDTH));
                add(name, Line::plain(cut(&short(value), room.min(PREVIEW_LENGTH))));
            }
        }
    }
    fields
}

fn scores(scores: &IndexMap<String, Option<f64>>) -> String {
    let scores = scores.iter().map(|(name, value)| format!("{name} {}", number::cell(*value)));
    scores.collect::<Vec<_>>().join(" · ")
}

fn metric(name: &str, value: f64) -> String {
    format!("{name} {}", number::metric(Some(value), evalhouse_model::schema::metric_unit(name)))
}

fn short(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn tree(trace: &Trace) -> Grid {
    let mut columns = vec![Column::name("span"), Column::name("type")];
    columns.extend(["offset", "duration", "tokens", "cost"].map(Column::number));
    columns.push(Column::text("scores"));
    let mut grid = Grid::new(columns, Overflow::Hide);
    let branches = branches(&trace.spans);
    for (span, branch) in trace.spans.iter().zip(branches) {
        grid.rows.push(tree_row(span, &branch));
    }
    let is_empty = |title: &str| match title {
        "tokens" => trace.spans.iter().all(|span| span.tokens.is_none()),
        "cost" => trace.spans.iter().all(|span| span.cost.is_none()),
        "scores" => trace.spans.iter().all(|span| span.scores.is_empty()),
        _ => false,
    };
    grid.retain_columns(|title| !is_empty(title));
    grid
}

fn tree_row(span: &TraceSpan, branch: &str) -> Vec<Cell> {
    let mark = if span.error.is_some() { " ✗ error" } else { "" };
    let tone = match (&span.error, &span.purpose) {
        (Some(_), _) => Tone::Bad,
        (None, Some(_)) => Tone::Quiet,
        (None, None) => Tone::Plain,
    };
    let tokens = span.tokens.map_or_else(|| NONE.to_string(), |tokens| number::fixed(tokens, 0));
    vec![
        Cell::new(format!("{branch}{}{mark}", name(span)), tone),
        Cell::new(span.span_type.as_deref().unwrap_or(NONE), Tone::Quiet),
        Cell::plain(
            span.offset.map_or_else(|| NONE.to_string(), |offset| format!("+{}", number::duration(Some(offset)))),
        ),
        Cell::plain(number::duration(span.duration)),
        Cell::plain(tokens),
        Cell::plain(number::metric(span.cost, "$")),
        Cell::plain(scores(&span.scores)),
    ]
}

fn name(span: &TraceSpan) -> &str {
    span.name.as_deref().unwrap_or(&span.span_id)
}

/// The lines that lead to each span. The spaces are no-break ones, which markdown keeps.
fn branches(spans: &[TraceSpan]) -> Vec<String> {
    let mut branches = Vec::with_capacity(spans.len());
    // Whether the ancestor at each depth has more children to come below this line.
    let mut open: Vec<bool> = Vec::new();
    for (index, span) in spans.iter().enumerate() {
        let later = spans[index + 1..].iter().find(|later| later.depth <= span.depth);
        let has_sibling = later.is_some_and(|later| later.depth == span.depth);
        open.truncate(span.depth);
        open.resize(span.depth, false);
        let mut branch = String::new();
        for is_open in open.iter().skip(1) {
            branch.push_str(if *is_open { "│\u{a0}\u{a0}" } else { "\u{a0}\u{a0}\u{a0}" });
        }
        if span.depth > 0 {
            branch.push_str(if has_sibling { "├─\u{a0}" } else { "└─\u{a0}" });
        }
        open.push(has_sibling);
        branches.push(branch);
    }
    branches
}

fn errors(trace: &Trace) -> Vec<Line> {
    let with_error = trace.spans.iter().filter_map(|span| span.error.as_ref().map(|error| (span, error)));
    with_error
        .map(|(span, error)| Line::new(format!("✗ {}: ", name(span)), Tone::Bad).and(short(error), Tone::Plain))
        .collect()
}

/// Adds every value of a span, whole.
fn push_whole(span: &TraceSpan, document: &mut Document) {
    let values = [
        ("input", &span.input),
        ("output", &span.output),
        ("expected", &span.expected),
        ("error", &span.error),
        ("metadata", &span.metadata),
    ];
    let present: Vec<(&str, &Value)> =
        values.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?))).collect();
    if present.is_empty() {
        return;
    }
    let kind = span.span_type.as_deref().unwrap_or("span");
    document.push(Block::Heading(format!("{} ({kind}, {})", name(span), span.id)));
    for (field, value) in present {
        let mut lines = vec![Line::new(format!("{field}:"), Tone::Quiet)];
        lines.extend(whole(value));
        document.push(Block::Drawing(lines));
    }
}

/// Every line of a value, set in from its name.
fn whole(value: &Value) -> Vec<Line> {
    let text = match value {
        Value::String(text) => text.clone(),
        other => serde_json::to_string_pretty(other).unwrap_or_else(|_| other.to_string()),
    };
    text.split('\n').map(|line| Line::plain(format!("  {}", line.trim_end_matches('\r')))).collect()
}

fn record(span: &TraceSpan, trace: &Trace) -> Record {
    Record::from([
        ("root_span_id".to_string(), Datum::from(trace.root_span_id.as_str())),
        ("id".to_string(), Datum::from(span.id.as_str())),
        ("span_id".to_string(), Datum::from(span.span_id.as_str())),
        ("depth".to_string(), Datum::from(span.depth as i64)),
        ("name".to_string(), Datum::from(span.name.as_deref())),
        ("type".to_string(), Datum::from(span.span_type.as_deref())),
        ("purpose".to_string(), Datum::from(span.purpose.as_deref())),
        ("offset".to_string(), Datum::from(span.offset)),
        ("duration".to_string(), Datum::from(span.duration)),
        ("tokens".to_string(), Datum::from(span.tokens)),
        ("cost".to_string(), Datum::from(span.cost)),
        ("scores".to_string(), Datum::Json(serde_json::to_value(&span.scores).ok())),
        ("metrics".to_string(), Datum::Json(serde_json::to_value(&span.metrics).ok())),
        ("error".to_string(), Datum::Json(span.error.clone())),
        ("input".to_string(), Datum::Json(span.input.clone())),
        ("output".to_string(), Datum::Json(span.output.clone())),
        ("expected".to_string(), Datum::Json(span.expected.clone())),
        ("metadata".to_string(), Datum::Json(span.metadata.clone())),
        ("tags".to_string(), Datum::Json(serde_json::to_value(&span.tags).ok())),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_follow_the_tree() {
        let depths = [0, 1, 2, 2, 1, 2, 3];
        let spans: Vec<TraceSpan> = depths.iter().map(|&depth| TraceSpan { depth, ..TraceSpan::default() }).collect();
        let lines: Vec<String> = branches(&spans).iter().map(|line| line.replace('\u{a0}', " ")).collect();
        assert_eq!(lines, ["", "├─ ", "│  ├─ ", "│  └─ ", "└─ ", "   └─ ", "      └─ "]);
    }
}
