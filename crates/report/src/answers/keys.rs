//! A comparison key tried out.

use evalhouse_model::{KeyCheck, KeyedExperiment};

use crate::grid::Overflow;
use crate::number;
use crate::{Answer, Block, Cell, Column, Datum, Document, Grid, Line, Record, Tone, View};

impl Answer for KeyCheck {
    fn document(&self, _view: &View) -> Document {
        let mut document = Document::default();
        document.push(Block::Title(format!("{}: {}", self.project, self.key)));
        document.push(Block::Grid(experiments(self)));
        if !self.matches.is_empty() {
            document.push(Block::Heading("Matches".to_string()));
            document.push(Block::Grid(matches(self)));
        }
        let unmatched = unmatched(self);
        if !unmatched.rows.is_empty() {
            document.push(Block::Heading("Examples of what does not match".to_string()));
            document.push(Block::Grid(unmatched));
        }
        if !self.collisions.is_empty() {
            document.push(Block::Heading("Keys of several inputs".to_string()));
            document.push(Block::Grid(collisions(self)));
        }
        document.push(Block::Warnings(self.warnings.clone()));
        if self.warnings.is_empty() {
            let line = "Every row has a key, and every key stands for one input.";
            document.push(Block::Lines(vec![Line::new(line, Tone::Good)]));
        }
        document
    }

    fn records(&self) -> Vec<Record> {
        self.experiments.iter().map(record).collect()
    }
}

fn record(one: &KeyedExperiment) -> Record {
    [
        ("experiment", Datum::from(one.experiment.as_str())),
        ("id", Datum::from(one.id.as_str())),
        ("rows", Datum::from(one.rows)),
        ("null_key", Datum::from(one.null_key)),
        ("keys", Datum::from(one.keys)),
        ("repeated", Datum::from(one.repeated)),
        ("rows_max", Datum::from(one.rows_max)),
        ("collisions", Datum::from(one.collisions)),
    ]
    .map(|(name, datum)| (name.to_string(), datum))
    .into()
}

fn experiments(check: &KeyCheck) -> Grid {
    let mut columns = vec![Column::name("experiment")];
    columns.extend(["rows", "keys", "null", "repeated", "most rows", "collisions"].map(Column::number));
    let mut grid = Grid::new(columns, Overflow::Stack);
    for one in &check.experiments {
        let trouble = |count: i64| Cell::new(number::count(count), if count > 0 { Tone::Caution } else { Tone::Quiet });
        grid.rows.push(vec![
            Cell::plain(&one.experiment),
            Cell::plain(number::count(one.rows)),
            Cell::plain(number::count(one.keys)),
            trouble(one.null_key),
            Cell::plain(number::count(one.repeated)),
            Cell::plain(number::count(one.rows_max)),
            trouble(one.collisions),
        ]);
    }
    grid
}

fn matches(check: &KeyCheck) -> Grid {
    let mut columns = vec![Column::name("base"), Column::name("candidate")];
    columns.extend(["matched", "only in base", "only in candidate", "rate"].map(Column::number));
    let mut grid = Grid::new(columns, Overflow::Stack);
    for one in &check.matches {
        let rate = one.rate.map_or(number::NONE.to_string(), |rate| format!("{}%", number::fixed(rate * 100.0, 1)));
        grid.rows.push(vec![
            Cell::plain(&one.base),
            Cell::plain(&one.candidate),
            Cell::plain(number::count(one.matched)),
            Cell::plain(number::count(one.base_only)),
            Cell::plain(number::count(one.candidate_only)),
            Cell::plain(rate),
        ]);
    }
    grid
}

/// Rows without a key by their inputs, and keys of one side alone.
fn unmatched(check: &KeyCheck) -> Grid {
    let columns = vec![Column::name("experiment"), Column::text("what"), Column::text("key or input")];
    let mut grid = Grid::new(columns, Overflow::Hide);
    let mut add = |experiment: &str, what: String, examples: &[String]| {
        let row = |text: &String| vec![Cell::plain(experiment), Cell::plain(&what), Cell::plain(text)];
        grid.rows.extend(examples.iter().map(row));
    };
    for one in &check.experiments {
        add(&one.experiment, "no key".into(), &one.null_examples);
    }
    for one in &check.matches {
        add(&one.base, format!("not in {}", one.candidate), &one.base_only_examples);
        add(&one.candidate, format!("not in {}", one.base), &one.candidate_only_examples);
    }
    grid
}

fn collisions(check: &KeyCheck) -> Grid {
    let columns =
        vec![Column::name("experiment"), Column::text("key"), Column::number("inputs"), Column::text("such as")];
    let mut grid = Grid::new(columns, Overflow::Hide);
    for one in &check.collisions {
        grid.rows.push(vec![
            Cell::plain(&one.experiment),
            Cell::plain(&one.key),
            Cell::plain(number::count(one.inputs)),
            Cell::plain(one.examples.join("  |  ")),
        ]);
    }
    grid
}
