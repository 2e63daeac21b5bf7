//! What the commands of the shell show, and what completion knows, from the catalog.

use evalhouse_report::{Block, Cell, Column, Document, Grid, Line, Overflow, Tone, number};
use evalhouse_session::Catalog;

use super::completion::{Vocabulary, has_prefix};
use super::meta::COMMANDS;
use crate::error::InputError;

/// The names that completion offers.
pub(super) fn vocabulary(catalog: &Catalog) -> Vocabulary {
    let mut vocabulary = Vocabulary::default();
    for table in catalog.tables() {
        let columns = table.columns.iter().map(|column| column.name.clone()).collect();
        vocabulary.tables.push((table.name.clone(), columns));
    }
    for function in catalog.functions() {
        let is_table = function.kind == "table";
        let names = if is_table { &mut vocabulary.table_functions } else { &mut vocabulary.functions };
        names.push(function.name.clone());
    }
    for experiment in catalog.experiments() {
        vocabulary.experiments.push(experiment.name.clone());
        vocabulary.experiments.push(format!("{}/{}", experiment.project, experiment.name));
    }
    vocabulary
}

/// The commands of the shell.
pub(super) fn help() -> Document {
    let mut document = Document::default();
    document
        .push(Block::Lines(vec![Line::plain("A statement ends with ; and may take several lines. Tab completes.")]));
    let mut grid = Grid::new(vec![Column::name("command"), Column::text("what it does")], Overflow::Hide);
    for (name, argument, what) in COMMANDS {
        grid.rows.push(vec![Cell::plain(format!("{name} {argument}")), Cell::plain(what)]);
    }
    document.push(Block::Grid(grid));
    document
}

/// The tables.
pub(super) fn tables(catalog: &Catalog) -> Document {
    let columns = vec![Column::name("table"), Column::number("columns"), Column::text("what it holds")];
    let mut grid = Grid::new(columns, Overflow::Hide);
    for table in catalog.tables() {
        grid.rows.push(vec![
            Cell::new(&table.name, Tone::Strong),
            Cell::plain(number::count(table.columns.len() as i64)),
            Cell::plain(table.description),
        ]);
    }
    of_grid(grid)
}

/// The columns of one table.
pub(super) fn table(catalog: &Catalog, name: &str) -> Result<Document, InputError> {
    let Some(table) = catalog.tables().iter().find(|table| table.name.eq_ignore_ascii_case(name)) else {
        let known: Vec<&str> = catalog.tables().iter().map(|table| table.name.as_str()).collect();
        let hint = format!("the tables are {}", known.join(", "));
        return Err(InputError::with_hint(format!("there is no table `{name}`"), hint));
    };
    let columns = vec![Column::name("column"), Column::name("type"), Column::text("what it holds")];
    let mut grid = Grid::new(columns, Overflow::Hide);
    for column in &table.columns {
        grid.rows.push(vec![
            Cell::new(&column.name, Tone::Strong),
            Cell::new(&column.data_type, Tone::Quiet),
            Cell::plain(column.description),
        ]);
    }
    let mut document = Document::default();
    document.push(Block::Lines(vec![Line::plain(table.description)]));
    document.push(Block::Grid(grid));
    Ok(document)
}

/// The functions, or those that begin as `prefix`.
pub(super) fn functions(catalog: &Catalog, prefix: Option<&str>) -> Result<Document, InputError> {
    let columns = vec![Column::name("function"), Column::name("kind"), Column::text("what it gives")];
    let mut grid = Grid::new(columns, Overflow::Hide);
    for function in catalog.functions() {
        if has_prefix(&function.name, prefix.unwrap_or_default()) {
            grid.rows.push(vec![
                Cell::new(&function.syntax, Tone::Strong),
                Cell::new(function.kind, Tone::Quiet),
                Cell::plain(&function.description),
            ]);
        }
    }
    if grid.rows.is_empty() {
        let message = format!("no function begins with `{}`", prefix.unwrap_or_default());
        return Err(InputError::with_hint(message, "\\df lists all of them"));
    }
    Ok(of_grid(grid))
}

/// The experiments, as the catalog has them.
pub(super) fn experiments(catalog: &Catalog) -> Document {
    let mut columns = vec![Column::name("project"), Column::name("experiment")];
    columns.extend(["rows", "cases", "spans"].map(Column::number));
    let mut grid = Grid::new(columns, Overflow::Hide);
    for experiment in catalog.experiments() {
        let mut cells = vec![Cell::plain(&experiment.project), Cell::new(&experiment.name, Tone::Strong)];
        let counts = [experiment.rows, experiment.cases, experiment.spans];
        cells.extend(counts.map(|count| Cell::plain(number::count(count))));
        grid.rows.push(cells);
    }
    of_grid(grid)
}

fn of_grid(grid: Grid) -> Document {
    let mut document = Document::default();
    document.push(Block::Grid(grid));
    document
}
