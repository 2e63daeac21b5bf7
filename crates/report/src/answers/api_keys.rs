//! API keys, as listed.

use evalhouse_model::{ApiKeyList, ApiKeyRow};
use serde_json::json;

use crate::grid::Overflow;
use crate::number;
use crate::{Answer, Block, Cell, Column, Datum, Document, Grid, Line, Record, Tone, View};

impl Answer for ApiKeyList {
    fn document(&self, _view: &View) -> Document {
        let mut document = Document::default();
        if self.keys.is_empty() {
            document.push(Block::Lines(vec![Line::plain("No API keys: the server is open to this machine alone.")]));
            return document;
        }
        let columns = ["name", "may", "projects", "created (UTC)", "revoked (UTC)"].map(Column::name);
        let mut grid = Grid::new(columns.to_vec(), Overflow::Hide);
        grid.rows = self.keys.iter().map(cells).collect();
        document.push(Block::Grid(grid));
        document
    }

    fn records(&self) -> Vec<Record> {
        self.keys.iter().map(record).collect()
    }
}

fn cells(key: &ApiKeyRow) -> Vec<Cell> {
    let projects = key.projects.as_ref().map_or_else(|| "all".to_string(), |projects| projects.join(", "));
    let name = if key.revoked.is_some() { Tone::Quiet } else { Tone::Strong };
    vec![
        Cell::new(&key.name, name),
        Cell::plain(&key.role),
        Cell::plain(projects),
        Cell::new(number::minute(Some(&key.created)), Tone::Quiet),
        Cell::new(number::minute(key.revoked.as_deref()), Tone::Caution),
    ]
}

fn record(key: &ApiKeyRow) -> Record {
    [
        ("name", Datum::from(key.name.as_str())),
        ("role", Datum::from(key.role.as_str())),
        ("projects", Datum::Json(key.projects.as_ref().map(|projects| json!(projects)))),
        ("created", Datum::from(key.created.as_str())),
        ("revoked", Datum::from(key.revoked.as_deref())),
    ]
    .into_iter()
    .map(|(name, datum)| (name.to_string(), datum))
    .collect()
}
