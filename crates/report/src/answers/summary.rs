//! The summary of one experiment.

use evalhouse_model::{MetricSummary, ScoreSummary, Summary};

use crate::grid::Overflow;
use crate::number::{self, NONE, Scale};
use crate::{Answer, Block, Cell, Column, Datum, Document, Grid, Line, Record, Tone, View};

impl Answer for Summary {
    fn document(&self, view: &View) -> Document {
        let mut document = Document::default();
        document.push(Block::Title(format!("{} / {}", self.project, self.experiment)));
        document.push(Block::Fields(fields(self)));
        if !self.scores.is_empty() {
            document.push(Block::Heading("Scores".to_string()));
            document.push(Block::Grid(score_grid(self)));
        }
        let metrics = shown_metrics(self, view);
        if !metrics.is_empty() {
            document.push(Block::Heading("Metrics, per row".to_string()));
            document.push(Block::Grid(metric_grid(&metrics)));
        }
        document.push(Block::Warnings(self.warnings.clone()));
        document
    }

    fn records(&self) -> Vec<Record> {
        let scores = self.scores.iter().map(|(name, score)| score_record(name, score));
        scores.chain(self.metrics.iter().map(|(name, metric)| metric_record(name, metric))).collect()
    }
}

fn fields(summary: &Summary) -> Vec<(String, Line)> {
    let mut fields = vec![("id".to_string(), Line::plain(&summary.id))];
    let mut add = |name: &str, value: Line| fields.push((name.to_string(), value));
    if let Some(created) = &summary.created {
        add("created", Line::plain(format!("{} UTC", number::minute(Some(created)))));
    }
    add("status", status(summary));
    add("rows", Line::plain(row_counts(summary)));
    if let Some(dataset) = &summary.dataset {
        add("dataset", Line::plain(dataset));
    }
    if let Some(serde_json::Value::Object(metadata)) = &summary.metadata {
        let pairs: Vec<String> = metadata.iter().map(|(name, value)| format!("{name}={}", short(value))).collect();
        add("metadata", Line::plain(pairs.join(" ")));
    }
    if !summary.tags.is_empty() {
        add("tags", Line::plain(summary.tags.join(", ")));
    }
    add("key", Line::plain(&summary.key));
    if let Some(filter) = &summary.filter {
        add("where", Line::plain(filter));
    }
    fields
}

fn status(summary: &Summary) -> Line {
    let tone = if summary.status == "partial" { Tone::Caution } else { Tone::Plain };
    let line = Line::new(&summary.status, tone);
    match summary.declared_total {
        Some(total) => {
            line.and(format!(", {} of {} declared rows", number::count(summary.rows), number::count(total)), tone)
        }
        None => line,
    }
}

fn row_counts(summary: &Summary) -> String {
    let mut parts = vec![
        number::counted(summary.rows, "row"),
        number::counted(summary.cases, "case"),
        number::counted(summary.spans, "span"),
    ];
    if summary.null_key > 0 {
        parts.push(format!("{} without a key", number::counted(summary.null_key, "row")));
    }
    if summary.errors > 0 {
        parts.push(format!("{} with an error", number::counted(summary.errors, "row")));
    }
    parts.join(" · ")
}

fn short(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn score_grid(summary: &Summary) -> Grid {
    let mut columns = vec![Column::name("score")];
    columns.extend(["row mean", "case mean", "95% interval", "n", "missing"].map(Column::number));
    let mut grid = Grid::new(columns, Overflow::Stack);
    for (name, score) in &summary.scores {
        let scale = Scale::of([score.min, score.max, score.row_mean, score.case_mean]);
        grid.rows.push(vec![
            Cell::new(name, Tone::Strong),
            Cell::plain(scale.mean(score.row_mean)),
            Cell::plain(scale.mean(score.case_mean)),
            Cell::plain(interval(score, scale)),
            Cell::plain(number::count(score.n)),
            zero_is_quiet(score.missing, Tone::Caution),
        ]);
    }
    grid
}

fn interval(score: &ScoreSummary, scale: Scale) -> String {
    match (score.ci_low, score.ci_high) {
        (Some(low), Some(high)) => format!("{} – {}", scale.mean(Some(low)), scale.mean(Some(high))),
        _ => NONE.to_string(),
    }
}

fn zero_is_quiet(count: i64, tone: Tone) -> Cell {
    Cell::new(number::count(count), if count == 0 { Tone::Quiet } else { tone })
}

fn shown_metrics<'a>(summary: &'a Summary, view: &View) -> Vec<(&'a String, &'a MetricSummary)> {
    let is_shown = |metric: &MetricSummary| view.all || (metric.n > 0 && metric.sum.is_some_and(|sum| sum != 0.0));
    summary.metrics.iter().filter(|(_, metric)| is_shown(metric)).collect()
}

fn metric_grid(metrics: &[(&String, &MetricSummary)]) -> Grid {
    let mut columns = vec![Column::name("metric")];
    columns.extend(["mean", "median", "p90", "sum", "n"].map(Column::number));
    let mut grid = Grid::new(columns, Overflow::Stack);
    for (name, metric) in metrics {
        let mut cells = vec![Cell::new(name.as_str(), Tone::Strong)];
        for value in [metric.mean, metric.p50, metric.p90, metric.sum] {
            cells.push(Cell::plain(number::metric(value, &metric.unit)));
        }
        cells.push(Cell::plain(number::count(metric.n)));
        grid.rows.push(cells);
    }
    grid
}

fn score_record(name: &str, score: &ScoreSummary) -> Record {
    Record::from([
        ("kind".to_string(), Datum::from("score")),
        ("name".to_string(), Datum::from(name)),
        ("row_mean".to_string(), Datum::from(score.row_mean)),
        ("case_mean".to_string(), Datum::from(score.case_mean)),
        ("n".to_string(), Datum::from(score.n)),
        ("missing".to_string(), Datum::from(score.missing)),
        ("se".to_string(), Datum::from(score.se)),
        ("ci_low".to_string(), Datum::from(score.ci_low)),
        ("ci_high".to_string(), Datum::from(score.ci_high)),
        ("min".to_string(), Datum::from(score.min)),
        ("max".to_string(), Datum::from(score.max)),
        ("p50".to_string(), Datum::Number(None)),
        ("p90".to_string(), Datum::Number(None)),
        ("sum".to_string(), Datum::Number(None)),
        ("unit".to_string(), Datum::Text(None)),
    ])
}

fn metric_record(name: &str, metric: &MetricSummary) -> Record {
    Record::from([
        ("kind".to_string(), Datum::from("metric")),
        ("name".to_string(), Datum::from(name)),
        ("row_mean".to_string(), Datum::from(metric.mean)),
        ("n".to_string(), Datum::from(metric.n)),
        ("p50".to_string(), Datum::from(metric.p50)),
        ("p90".to_string(), Datum::from(metric.p90)),
        ("sum".to_string(), Datum::from(metric.sum)),
        ("unit".to_string(), Datum::from(metric.unit.as_str())),
    ])
}
