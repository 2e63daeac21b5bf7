//! Scores over time.

use evalhouse_model::{History, ScoreHistory};

use crate::grid::Overflow;
use crate::number::{self, Scale};
use crate::{Answer, Block, Cell, Column, Datum, Document, Grid, Line, Record, Tone, View};

impl Answer for History {
    fn document(&self, view: &View) -> Document {
        let mut document = Document::default();
        document.push(Block::Title(format!("{}: history", self.project)));
        let mut fields = vec![("key".to_string(), Line::plain(&self.key))];
        if let Some(filter) = &self.filter {
            fields.push(("where".to_string(), Line::plain(filter)));
        }
        document.push(Block::Fields(fields));
        for (name, score) in &self.scores {
            document.push(Block::Heading(name.clone()));
            document.push(Block::Grid(grid(score, view)));
            document.push(Block::Lines(changes(score)));
        }
        document.push(Block::Note(vec![
            "Means over cases with 95% intervals. Step: from the experiment before, ▲ ▼ where noise explains it in under 5%"
                .to_string(),
            "of histories (Fisher or t test, Holm). A change lasts, and scatter explains it in under 5%."
                .to_string(),
        ]));
        document.push(Block::Warnings(self.warnings.clone()));
        document
    }

    fn records(&self) -> Vec<Record> {
        let mut records = Vec::new();
        for (name, score) in &self.scores {
            for point in &score.points {
                let change = score.changes.iter().find(|change| change.id == point.id);
                records.push(
                    [
                        ("score", Datum::from(name.as_str())),
                        ("experiment", Datum::from(point.experiment.as_str())),
                        ("id", Datum::from(point.id.as_str())),
                        ("created", Datum::from(point.created.as_deref())),
                        ("mean", Datum::from(point.mean)),
                        ("se", Datum::from(point.se)),
                        ("ci_low", Datum::from(point.ci_low)),
                        ("ci_high", Datum::from(point.ci_high)),
                        ("n", Datum::from(point.n)),
                        ("step", Datum::from(point.step)),
                        ("step_p", Datum::from(point.step_p)),
                        ("change", Datum::from(change.map(|change| change.delta))),
                        ("change_p", Datum::from(change.map(|change| change.p))),
                    ]
                    .map(|(name, datum)| (name.to_string(), datum))
                    .into(),
                );
            }
        }
        records
    }
}

/// Points shown of a long history; all of them with `--all` and in other formats.
const POINTS_MAX: usize = 30;
/// Width of the bar that stands for the mean.
const BAR: usize = 24;

fn grid(score: &ScoreHistory, view: &View) -> Grid {
    let mut columns = vec![Column::name("created (UTC)"), Column::name("experiment")];
    columns.extend(["mean", "95% interval", "cases", "step", ""].map(Column::number));
    columns.push(Column::name(""));
    columns.push(Column::name(""));
    let mut grid = Grid::new(columns, Overflow::Hide);
    let means = || score.points.iter().filter_map(|point| point.mean);
    let (low, high) = (means().fold(f64::INFINITY, f64::min), means().fold(f64::NEG_INFINITY, f64::max));
    let scale = Scale::of(score.points.iter().map(|point| point.mean));
    let skipped = if view.all { 0 } else { score.points.len().saturating_sub(POINTS_MAX) };
    for point in &score.points[skipped..] {
        let change = score.changes.iter().find(|change| change.id == point.id);
        let place = point.mean.filter(|_| high > low).map_or(0.0, |mean| (mean - low) / (high - low));
        let bar = format!("{}•", " ".repeat((place * BAR as f64).round() as usize));
        let (mark, tone) = match change {
            Some(change) if change.worse => (format!("▼ {}", scale.difference(Some(change.delta))), Tone::Bad),
            Some(change) => (format!("▲ {}", scale.difference(Some(change.delta))), Tone::Good),
            None => (String::new(), Tone::Plain),
        };
        let step = match point.step {
            Some(step) if point.step_p.is_some_and(|p| p < 0.05) && step != 0.0 => {
                let tone = if (step < 0.0) != score.lower_is_better { Tone::Bad } else { Tone::Good };
                Cell::new(if step < 0.0 { "▼" } else { "▲" }, tone)
            }
            _ => Cell::plain(""),
        };
        let interval = match (point.ci_low, point.ci_high) {
            (Some(low), Some(high)) => format!("{} – {}", scale.mean(Some(low)), scale.mean(Some(high))),
            _ => number::NONE.to_string(),
        };
        grid.rows.push(vec![
            Cell::plain(number::minute(point.created.as_deref())),
            Cell::plain(&point.experiment),
            Cell::plain(scale.mean(point.mean)),
            Cell::plain(interval),
            Cell::plain(number::count(point.n)),
            Cell::plain(point.step.map(|step| scale.difference(Some(step))).unwrap_or_default()),
            step,
            Cell::new(bar, Tone::Quiet),
            Cell::new(mark, tone),
        ]);
    }
    grid
}

fn changes(score: &ScoreHistory) -> Vec<Line> {
    let scale = Scale::of(score.points.iter().map(|point| point.mean));
    let mut lines: Vec<Line> = score
        .changes
        .iter()
        .map(|change| {
            let (mark, tone) = if change.worse { ("▼", Tone::Bad) } else { ("▲", Tone::Good) };
            let text = format!(
                "{mark} at {}: {} → {} ({})",
                change.experiment,
                scale.mean(Some(change.before)),
                scale.mean(Some(change.after)),
                number::p_phrase(change.p)
            );
            Line::new(text, tone)
        })
        .collect();
    if let Some(first_bad) = &score.first_bad {
        lines.push(Line::new(format!("First bad experiment: {first_bad}"), Tone::Strong));
    }
    if score.changes.is_empty() && score.points.len() > 2 {
        lines.push(Line::new("No lasting change.", Tone::Quiet));
    }
    lines
}
