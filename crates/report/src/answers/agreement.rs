//! Agreement of two judgements.

use evalhouse_model::AgreementReport;

use crate::grid::Overflow;
use crate::number;
use crate::{Answer, Block, Cell, Column, Datum, Document, Grid, Line, Record, Tone, View};

impl Answer for AgreementReport {
    fn document(&self, _view: &View) -> Document {
        let mut document = Document::default();
        let name = &self.experiment.experiment;
        document.push(Block::Title(format!("{name}: {} against {}", self.first, self.second)));
        let number = |value: Option<f64>| value.map_or(number::NONE.to_string(), |value| number::fixed(value, 3));
        let mut fields = vec![("rows with both".to_string(), Line::plain(number::count(self.n)))];
        if let Some(filter) = &self.filter {
            fields.push(("where".to_string(), Line::plain(filter)));
        }
        let share = |value: Option<f64>| {
            value.map_or(number::NONE.to_string(), |value| format!("{}%", number::fixed(value * 100.0, 1)))
        };
        let by_chance = format!("{} ({} by chance)", share(self.observed), share(self.expected));
        fields.push(("agreement".to_string(), Line::plain(by_chance)));
        let kappa = match (self.ci_low, self.ci_high) {
            (Some(low), Some(high)) => {
                format!("{} [{}, {}]", number(self.kappa), number::fixed(low, 3), number::fixed(high, 3))
            }
            _ => number(self.kappa),
        };
        fields.push(("κ".to_string(), Line::new(kappa, Tone::Strong)));
        fields.push(("κ, linear weights".to_string(), Line::plain(number(self.linear_kappa))));
        fields.push(("κ, quadratic weights".to_string(), Line::plain(number(self.quadratic_kappa))));
        document.push(Block::Fields(fields));
        if !self.matrix.is_empty() {
            document.push(Block::Heading(format!("Rows: {}; columns: {}", self.first, self.second)));
            document.push(Block::Grid(matrix(self)));
        }
        document.push(Block::Warnings(self.warnings.clone()));
        document
    }

    fn records(&self) -> Vec<Record> {
        let mut records = Vec::new();
        for (i, row) in self.matrix.iter().enumerate() {
            for (j, count) in row.iter().enumerate() {
                records.push(
                    [
                        ("first", Datum::Json(Some(self.categories[i].clone()))),
                        ("second", Datum::Json(Some(self.categories[j].clone()))),
                        ("rows", Datum::from(*count)),
                    ]
                    .map(|(name, datum)| (name.to_string(), datum))
                    .into(),
                );
            }
        }
        records
    }
}

fn matrix(report: &AgreementReport) -> Grid {
    let names: Vec<String> = report.categories.iter().map(|value| super::short(Some(value))).collect();
    let mut columns = vec![Column::name("")];
    columns.extend(names.iter().map(|name| Column::number(name.as_str())));
    let mut grid = Grid::new(columns, Overflow::Stack);
    for (i, row) in report.matrix.iter().enumerate() {
        let mut cells = vec![Cell::plain(&names[i])];
        cells.extend(row.iter().enumerate().map(|(j, count)| {
            let tone = match (i == j, *count) {
                (_, 0) => Tone::Quiet,
                (true, _) => Tone::Good,
                (false, _) => Tone::Plain,
            };
            Cell::new(number::count(*count), tone)
        }));
        grid.rows.push(cells);
    }
    grid
}
