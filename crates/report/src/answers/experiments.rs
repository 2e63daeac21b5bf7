//! The list of experiments.

use evalhouse_model::{ExperimentList, ExperimentRow};
use indexmap::IndexSet;

use crate::grid::Overflow;
use crate::number::{self, NONE, Scale};
use crate::{Answer, Block, Cell, Column, Datum, Document, Grid, Line, Record, Tone, View};

impl Answer for ExperimentList {
    fn document(&self, _view: &View) -> Document {
        let mut document = Document::default();
        if self.experiments.is_empty() {
            document.push(Block::Lines(vec![Line::plain("No experiments.")]));
            return document;
        }
        document.push(Block::Grid(grid(self)));
        let total = number::counted(self.experiments.len() as i64, "experiment");
        let rows = number::counted(self.experiments.iter().map(|row| row.rows).sum(), "row");
        let spans = number::counted(self.experiments.iter().map(|row| row.spans).sum(), "span");
        let line = format!("{total} · {rows} · {spans} · scores are means over rows");
        document.push(Block::Lines(vec![Line::new(line, Tone::Quiet)]));
        document
    }

    fn records(&self) -> Vec<Record> {
        let names = score_names(self);
        self.experiments.iter().map(|row| record(row, &names)).collect()
    }
}

fn score_names(list: &ExperimentList) -> IndexSet<&str> {
    list.experiments.iter().flat_map(|row| row.scores.keys().map(String::as_str)).collect()
}

fn grid(list: &ExperimentList) -> Grid {
    let names = score_names(list);
    let scales: Vec<Scale> = names.iter().map(|name| scale(list, name)).collect();
    let mut columns = vec![Column::name("project"), Column::name("experiment"), Column::name("created (UTC)")];
    columns.extend(["rows", "cases", "errors"].map(Column::number));
    columns.extend(names.iter().map(|name| Column::number(*name)));
    let mut grid = Grid::new(columns, Overflow::Hide);
    for row in &list.experiments {
        let mut cells = vec![Cell::plain(&row.project), experiment(row), created(row)];
        cells.extend([row.rows, row.cases].map(|count| Cell::plain(number::count(count))));
        cells.push(errors(row.errors));
        for (name, scale) in names.iter().zip(&scales) {
            cells.push(Cell::plain(scale.mean(row.scores.get(*name).copied().flatten())));
        }
        grid.rows.push(cells);
    }
    grid
}

fn scale(list: &ExperimentList, name: &str) -> Scale {
    Scale::of(list.experiments.iter().map(|row| row.scores.get(name).copied().flatten()))
}

fn experiment(row: &ExperimentRow) -> Cell {
    match row.status.as_str() {
        "partial" => Cell::new(format!("{} (partial)", row.experiment), Tone::Caution),
        _ => Cell::new(&row.experiment, Tone::Strong),
    }
}

fn created(row: &ExperimentRow) -> Cell {
    Cell::new(number::minute(row.created.as_deref()), Tone::Quiet)
}

fn errors(count: i64) -> Cell {
    if count == 0 { Cell::new(NONE, Tone::Quiet) } else { Cell::new(number::count(count), Tone::Bad) }
}

fn record(row: &ExperimentRow, scores: &IndexSet<&str>) -> Record {
    let mut record = Record::from([
        ("project".to_string(), Datum::from(row.project.as_str())),
        ("experiment".to_string(), Datum::from(row.experiment.as_str())),
        ("id".to_string(), Datum::from(row.id.as_str())),
        ("created".to_string(), Datum::from(row.created.as_deref())),
        ("rows".to_string(), Datum::from(row.rows)),
        ("cases".to_string(), Datum::from(row.cases)),
        ("spans".to_string(), Datum::from(row.spans)),
        ("errors".to_string(), Datum::from(row.errors)),
        ("status".to_string(), Datum::from(row.status.as_str())),
    ]);
    for name in scores {
        record.insert(format!("scores.{name}"), Datum::Number(row.scores.get(*name).copied().flatten()));
    }
    record
}
