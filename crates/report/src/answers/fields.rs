//! The fields of an experiment.

use evalhouse_model::{FieldList, InferredField};

use crate::grid::Overflow;
use crate::number;
use crate::{Answer, Block, Cell, Column, Datum, Document, Grid, Record, Tone, View};

impl Answer for FieldList {
    fn document(&self, _view: &View) -> Document {
        let mut document = Document::default();
        document.push(Block::Title(format!("{} / {}: fields", self.experiment.project, self.experiment.experiment)));
        let mut columns = vec![Column::name("path"), Column::name("types")];
        columns.extend(["present", "distinct"].map(Column::number));
        columns.push(Column::text("example"));
        let mut grid = Grid::new(columns, Overflow::Hide);
        for field in &self.fields {
            let present = format!("{}%", number::fixed(field.presence * 100.0, 1));
            let more = if field.distinct_is_exact { "" } else { "+" };
            grid.rows.push(vec![
                Cell::plain(&field.path),
                Cell::new(field.types.join(", "), if field.types.len() > 1 { Tone::Caution } else { Tone::Plain }),
                Cell::plain(present),
                Cell::plain(format!("{}{more}", number::count(field.distinct))),
                Cell::plain(field.example.as_deref().unwrap_or(number::NONE)),
            ]);
        }
        document.push(Block::Grid(grid));
        document.push(Block::Warnings(self.warnings.clone()));
        document
    }

    fn records(&self) -> Vec<Record> {
        let record = |field: &InferredField| {
            [
                ("path", Datum::from(field.path.as_str())),
                ("types", Datum::from(field.types.join(" ").as_str())),
                ("presence", Datum::from(Some(field.presence))),
                ("distinct", Datum::from(field.distinct)),
                ("distinct_is_exact", Datum::from(field.distinct_is_exact)),
                ("example", Datum::from(field.example.as_deref())),
            ]
            .map(|(name, datum)| (name.to_string(), datum))
            .into()
        };
        self.fields.iter().map(record).collect()
    }
}
