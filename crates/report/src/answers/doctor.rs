//! What became of the sources of experiments.

use evalhouse_model::{DoctorReport, ExperimentCheckup, ExperimentStatus};

use crate::grid::Overflow;
use crate::number;
use crate::{Answer, Block, Cell, Column, Datum, Document, Grid, Line, Record, Tone, View};

impl Answer for DoctorReport {
    fn document(&self, _view: &View) -> Document {
        let mut document = Document::default();
        let mut columns = ["project", "experiment", "format", "status"].map(Column::name).to_vec();
        columns.extend(["rows", "declared", "cases", "spans", "skipped"].map(Column::number));
        columns.push(Column::text("file"));
        let mut grid = Grid::new(columns, Overflow::Hide);
        grid.rows.extend(self.experiments.iter().map(cells));
        document.push(Block::Grid(grid));
        for experiment in self.experiments.iter().filter(|one| !one.findings.is_empty()) {
            document.push(Block::Heading(format!("{} / {}", experiment.project, experiment.experiment)));
            let lines = experiment.findings.iter().map(|finding| {
                let tone = if finding.is_skipped { Tone::Bad } else { Tone::Caution };
                Line::new(format!("{} {}", number::count(finding.count), finding.reason), tone)
                    .and(format!(": {}", finding.meaning), Tone::Plain)
            });
            document.push(Block::Lines(lines.collect()));
        }
        document
    }

    fn records(&self) -> Vec<Record> {
        let record = |one: &ExperimentCheckup| {
            Record::from([
                ("project".to_string(), Datum::from(one.project.as_str())),
                ("experiment".to_string(), Datum::from(one.experiment.as_str())),
                ("id".to_string(), Datum::from(one.id.as_str())),
                ("format".to_string(), Datum::from(one.format.as_str())),
                ("file".to_string(), Datum::from(one.source.as_deref())),
                ("status".to_string(), Datum::from(status(one.status))),
                ("rows".to_string(), Datum::from(one.rows)),
                ("declared_total".to_string(), Datum::Json(Some(one.declared_total.into()))),
                ("cases".to_string(), Datum::from(one.cases)),
                ("spans".to_string(), Datum::from(one.spans)),
                ("findings".to_string(), Datum::Json(serde_json::to_value(&one.findings).ok())),
            ])
        };
        self.experiments.iter().map(record).collect()
    }
}

fn cells(one: &ExperimentCheckup) -> Vec<Cell> {
    let skipped: i64 = one.findings.iter().filter(|f| f.is_skipped).map(|finding| finding.count).sum();
    let is_short = one.declared_total.is_some_and(|declared| declared > one.rows);
    let tone_if = |is_bad: bool| if is_bad { Tone::Caution } else { Tone::Plain };
    vec![
        Cell::plain(&one.project),
        Cell::plain(&one.experiment),
        Cell::plain(&one.format),
        Cell::new(status(one.status), tone_if(one.status == ExperimentStatus::Partial)),
        Cell::new(number::count(one.rows), tone_if(is_short)),
        Cell::plain(one.declared_total.map_or(number::NONE.to_string(), number::count)),
        Cell::plain(number::count(one.cases)),
        Cell::plain(number::count(one.spans)),
        Cell::new(number::count(skipped), tone_if(skipped > 0)),
        Cell::plain(one.source.as_deref().unwrap_or(number::NONE)),
    ]
}

fn status(status: ExperimentStatus) -> &'static str {
    match status {
        ExperimentStatus::Complete => "complete",
        ExperimentStatus::Partial => "partial",
    }
}
