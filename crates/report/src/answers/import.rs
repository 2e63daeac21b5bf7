//! What an import did.

use evalhouse_model::{ImportReport, ImportedExperiment, SkippedFile};

use crate::grid::Overflow;
use crate::number;
use crate::{Answer, Block, Cell, Column, Datum, Document, Grid, Line, Record, Tone, View};

impl Answer for ImportReport {
    fn document(&self, _view: &View) -> Document {
        let mut document = Document::default();
        document.push(Block::Grid(experiment_grid(self)));
        document.push(Block::Lines(file_lines(self)));
        document.push(Block::Lines(vec![totals(self)]));
        document
    }

    fn records(&self) -> Vec<Record> {
        let imported = self.imported.iter().map(|row| experiment_record("imported", row));
        let unchanged = self.unchanged.iter().map(|row| experiment_record("unchanged", row));
        let failed = self.failed.iter().map(|file| file_record("failed", file));
        let skipped = self.skipped.iter().map(|file| file_record("skipped", file));
        imported.chain(unchanged).chain(failed).chain(skipped).collect()
    }
}

fn experiment_grid(report: &ImportReport) -> Grid {
    let imported = report.imported.iter().map(|row| ("imported", Tone::Plain, row));
    let unchanged = report.unchanged.iter().map(|row| ("unchanged", Tone::Quiet, row));
    let outcomes: Vec<(&str, Tone, &ImportedExperiment)> = imported.chain(unchanged).collect();
    if outcomes.is_empty() {
        return Grid::default();
    }
    let has_notes = outcomes.iter().any(|(_, _, row)| !row.notes.is_empty());
    let mut columns = vec![Column::name("result"), Column::name("project"), Column::name("experiment")];
    columns.extend(["rows", "cases", "spans"].map(Column::number));
    if has_notes {
        columns.push(Column::text("notes"));
    }
    let mut grid = Grid::new(columns, Overflow::Hide);
    for (outcome, tone, row) in outcomes {
        let mut cells = [outcome, &row.project, &row.experiment].map(|text| Cell::new(text, tone)).to_vec();
        cells.extend([row.rows, row.cases, row.spans].map(|count| Cell::new(number::count(count), tone)));
        if has_notes {
            cells.push(Cell::new(notes(row), Tone::Caution));
        }
        grid.rows.push(cells);
    }
    grid
}

fn notes(row: &ImportedExperiment) -> String {
    let notes =
        row.notes.iter().map(|(reason, times)| format!("{} {}", number::count(*times), reason.replace('_', " ")));
    notes.collect::<Vec<_>>().join(", ")
}

/// One line a file, whole: the reason names the line and field to look at.
fn file_lines(report: &ImportReport) -> Vec<Line> {
    let failed = report.failed.iter().map(|file| file_line("failed ", Tone::Bad, file));
    let skipped = report.skipped.iter().map(|file| file_line("skipped", Tone::Quiet, file));
    failed.chain(skipped).collect()
}

pub(super) fn file_line(outcome: &str, tone: Tone, file: &SkippedFile) -> Line {
    let line = Line::new(outcome, tone).and("  ", Tone::Plain);
    if file.reason.starts_with(&file.path) {
        return line.and(&file.reason, Tone::Plain);
    }
    line.and(&file.path, Tone::Strong).and(format!(": {}", file.reason), Tone::Plain)
}

fn totals(report: &ImportReport) -> Line {
    let counts = [
        (report.imported.len(), "imported", Tone::Strong),
        (report.unchanged.len(), "unchanged", Tone::Plain),
        (report.skipped.len(), "skipped", Tone::Plain),
        (report.failed.len(), "failed", Tone::Bad),
    ];
    let mut line = Line::default();
    for (count, what, tone) in counts {
        let tone = if count == 0 { Tone::Quiet } else { tone };
        line = line.and(format!("{} {what}", number::count(count as i64)), tone).and(" · ", Tone::Quiet);
    }
    let spans = number::counted(report.imported.iter().map(|row| row.spans).sum(), "span");
    let files = number::counted(report.files, "file");
    let read = number::bytes(report.bytes as f64);
    let time = number::duration(Some(report.seconds));
    line.and(format!("{spans} stored from {files}, {read}, in {time}"), Tone::Plain)
}

fn experiment_record(outcome: &str, row: &ImportedExperiment) -> Record {
    Record::from([
        ("result".to_string(), Datum::from(outcome)),
        ("project".to_string(), Datum::from(row.project.as_str())),
        ("experiment".to_string(), Datum::from(row.experiment.as_str())),
        ("id".to_string(), Datum::from(row.id.as_str())),
        ("rows".to_string(), Datum::from(row.rows)),
        ("cases".to_string(), Datum::from(row.cases)),
        ("spans".to_string(), Datum::from(row.spans)),
        ("notes".to_string(), Datum::Json(serde_json::to_value(&row.notes).ok())),
        ("file".to_string(), Datum::from(row.source.as_str())),
        ("why".to_string(), Datum::Text(None)),
    ])
}

fn file_record(outcome: &str, file: &SkippedFile) -> Record {
    Record::from([
        ("result".to_string(), Datum::from(outcome)),
        ("file".to_string(), Datum::from(file.path.as_str())),
        ("why".to_string(), Datum::from(file.reason.as_str())),
    ])
}
