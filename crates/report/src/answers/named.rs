//! Named queries.

use evalhouse_model::{NamedQuery, QueryList};

use crate::grid::Overflow;
use crate::{Answer, Block, Cell, Column, Datum, Document, Grid, Record, Tone, View};

impl Answer for QueryList {
    fn document(&self, _view: &View) -> Document {
        let mut document = Document::default();
        let columns = vec![Column::name("query"), Column::name("takes"), Column::text("answers")];
        let mut grid = Grid::new(columns, Overflow::Hide);
        for query in &self.queries {
            grid.rows.push(vec![
                Cell::new(&query.name, Tone::Strong),
                Cell::plain(parameters(query)),
                Cell::plain(&query.question),
            ]);
        }
        document.push(Block::Grid(grid));
        let note = "Run one with: evalhouse query NAME key=value …   (key* has to be given)";
        document.push(Block::Note(vec![note.to_string()]));
        document
    }

    fn records(&self) -> Vec<Record> {
        let record = |query: &NamedQuery| {
            [
                ("name", Datum::from(query.name.as_str())),
                ("question", Datum::from(query.question.as_str())),
                ("parameters", Datum::Json(serde_json::to_value(&query.parameters).ok())),
                ("source", Datum::from(query.source.as_str())),
            ]
            .map(|(name, datum)| (name.to_string(), datum))
            .into()
        };
        self.queries.iter().map(record).collect()
    }
}

fn parameters(query: &NamedQuery) -> String {
    let one = |parameter: &evalhouse_model::QueryParameter| {
        format!("{}{}", parameter.name, if parameter.default.is_none() { "*" } else { "" })
    };
    query.parameters.iter().map(one).collect::<Vec<_>>().join(" ")
}
