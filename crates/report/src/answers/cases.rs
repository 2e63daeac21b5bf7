//! The cases of one experiment, perhaps against a baseline.

use std::collections::HashSet;

use evalhouse_model::{CaseCell, CaseColumn, CaseRow, CaseTable};
use serde_json::Value;

use super::diff::side;
use crate::grid::Overflow;
use crate::number::{self, NONE};
use crate::{Answer, Block, Cell, Column, Datum, Document, Grid, Line, Record, Tone, View};

/// The least characters of an id that are shown.
const ID_LENGTH_MIN: usize = 8;

impl Answer for CaseTable {
    fn document(&self, _view: &View) -> Document {
        let mut document = Document::default();
        let experiment = &self.experiment;
        document.push(Block::Title(format!("{} / {}", experiment.project, experiment.experiment)));
        if let Some(against) = &self.against {
            document.push(Block::Fields(vec![("against".to_string(), side(against))]));
        }
        document.blocks.extend(table_blocks(self));
        document.push(Block::Warnings(self.warnings.clone()));
        document
    }

    fn records(&self) -> Vec<Record> {
        self.rows.iter().map(|row| record(row, self)).collect()
    }
}

/// The table and the line that says how much of it is shown.
pub(super) fn table_blocks(table: &CaseTable) -> Vec<Block> {
    let shown = number::count(table.rows.len() as i64);
    let line = format!("{shown} of {}", number::counted(table.total, "row"));
    let count = Block::Lines(vec![Line::new(line, Tone::Quiet)]);
    if table.rows.is_empty() { vec![count] } else { vec![Block::Grid(grid(table)), count] }
}

fn grid(table: &CaseTable) -> Grid {
    let has_trials = table.rows.iter().any(|row| row.trial > 0);
    let mut columns = vec![Column::name("id")];
    if has_trials {
        columns.push(Column::number("trial"));
    }
    if table.against.is_some() {
        columns.push(Column::name("case"));
    }
    columns.extend(table.columns.iter().enumerate().map(|(index, shown)| column(shown, table, index)));
    let mut grid = Grid::new(columns, Overflow::Hide);
    let id_length = id_length(&table.rows);
    for row in &table.rows {
        let mut cells = vec![Cell::new(prefix(&row.id, id_length), Tone::Quiet)];
        if has_trials {
            cells.push(Cell::plain(row.trial.to_string()));
        }
        if table.against.is_some() {
            cells.push(presence(row.presence.as_deref()));
        }
        cells.extend(row.cells.iter().zip(&table.columns).map(|(cell, column)| value(cell, column)));
        grid.rows.push(cells);
    }
    grid
}

fn column(column: &CaseColumn, table: &CaseTable, index: usize) -> Column {
    let title = column.name.strip_prefix("scores.").or_else(|| column.name.strip_prefix("metrics."));
    let title = title.unwrap_or(&column.name);
    match column.kind.as_str() {
        "score" | "metric" | "number" => Column::number(title),
        "bool" => Column::name(title),
        _ if holds_numbers(table, index) => Column::number(title),
        _ => Column::text(title),
    }
}

/// Whether an expression gave numbers alone.
fn holds_numbers(table: &CaseTable, index: usize) -> bool {
    let mut values = table.rows.iter().filter_map(|row| row.cells.get(index)).map(|cell| &cell.value);
    let present: Vec<&Value> = values.by_ref().filter(|value| !value.is_null()).collect();
    !present.is_empty() && present.iter().all(|value| value.is_number())
}

/// The shortest length at which the ids shown differ, so that a copied one finds its row again.
fn id_length(rows: &[CaseRow]) -> usize {
    let longest = rows.iter().map(|row| row.id.chars().count()).max().unwrap_or(0);
    let differ = |length: usize| {
        let mut seen = HashSet::new();
        rows.iter().all(|row| seen.insert(prefix(&row.id, length)))
    };
    (ID_LENGTH_MIN..longest).find(|&length| differ(length)).unwrap_or(longest)
}

fn prefix(id: &str, length: usize) -> &str {
    id.char_indices().nth(length).map_or(id, |(end, _)| &id[..end])
}

fn presence(presence: Option<&str>) -> Cell {
    match presence {
        Some("matched") => Cell::new("matched", Tone::Quiet),
        Some("candidate_only") => Cell::new("only here", Tone::Caution),
        Some("null_key") => Cell::new("no key", Tone::Caution),
        Some(other) => Cell::plain(other.replace('_', " ")),
        None => Cell::new(NONE, Tone::Quiet),
    }
}

fn value(cell: &CaseCell, column: &CaseColumn) -> Cell {
    match column.kind.as_str() {
        "score" => compared(cell, number::cell),
        "metric" => compared(cell, |value| number::metric(value, &column.unit)),
        _ => plain(&cell.value),
    }
}

fn plain(value: &Value) -> Cell {
    match value {
        Value::Null => Cell::new(NONE, Tone::Quiet),
        Value::String(text) => Cell::plain(text),
        other => Cell::plain(other.to_string()),
    }
}

/// A number beside the baseline's: `1.00 → 0.00 ▼`.
fn compared(cell: &CaseCell, show: impl Fn(Option<f64>) -> String) -> Cell {
    let shown = show(cell.value.as_f64());
    let before = show(cell.base);
    match cell.class.as_deref() {
        Some("improved") => Cell::new(format!("{before} → {shown} ▲"), Tone::Good),
        Some("regressed") => Cell::new(format!("{before} → {shown} ▼"), Tone::Bad),
        Some("unchanged") => Cell::new(format!("{shown} ="), Tone::Quiet),
        Some("lost_score") => Cell::new(format!("{before} → {NONE} lost"), Tone::Caution),
        Some("gained_score") => Cell::new(format!("{NONE} → {shown} gained"), Tone::Caution),
        // Of a case that only the baseline has.
        _ if shown == NONE && before != NONE => Cell::new(format!("{before} → {NONE}"), Tone::Quiet),
        _ if shown == NONE => Cell::new(shown, Tone::Quiet),
        _ => Cell::plain(shown),
    }
}

fn record(row: &CaseRow, table: &CaseTable) -> Record {
    let mut record =
        Record::from([("id".to_string(), Datum::from(row.id.as_str())), ("trial".to_string(), Datum::from(row.trial))]);
    if table.against.is_some() {
        record.insert("presence".to_string(), Datum::from(row.presence.as_deref()));
    }
    for (cell, column) in row.cells.iter().zip(&table.columns) {
        record.insert(column.name.clone(), datum(&cell.value, column));
        let is_compared = matches!(column.kind.as_str(), "score" | "metric");
        if table.against.is_some() && is_compared {
            record.insert(format!("{}.base", column.name), Datum::from(cell.base));
            record.insert(format!("{}.delta", column.name), Datum::from(cell.delta));
            record.insert(format!("{}.class", column.name), Datum::from(cell.class.as_deref()));
        }
    }
    record
}

fn datum(value: &Value, column: &CaseColumn) -> Datum {
    match (column.kind.as_str(), value) {
        ("score" | "metric" | "number", value) => Datum::Number(value.as_f64()),
        ("bool", value) => Datum::Flag(value.as_bool()),
        (_, Value::Null) => Datum::Text(None),
        (_, Value::String(text)) => Datum::Text(Some(text.clone())),
        (_, other) => Datum::Json(Some(other.clone())),
    }
}
