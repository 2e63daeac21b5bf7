//! Experiments ranked.

use evalhouse_model::{Leaderboard, LeaderboardRow};

use crate::grid::Overflow;
use crate::number::{self, Scale};
use crate::{Answer, Block, Cell, Column, Datum, Document, Grid, Line, Record, Tone, View};

impl Answer for Leaderboard {
    fn document(&self, view: &View) -> Document {
        let mut document = Document::default();
        document.push(Block::Title(format!("{} experiments by {}", self.rows.len(), self.score)));
        let mut fields = vec![("key".to_string(), Line::plain(&self.key))];
        if let Some(filter) = &self.filter {
            fields.push(("where".to_string(), Line::plain(filter)));
        }
        document.push(Block::Fields(fields));
        document.push(Block::Grid(grid(self, view)));
        let mut notes =
            vec!["Means over cases with 95% intervals; noise does not tell apart what shares a rank.".to_string()];
        if let Some(cost) = &self.cost {
            notes.push(format!("◆ on the frontier: nothing is both better and cheaper ({cost} a row)."));
        }
        document.push(Block::Note(notes));
        document.push(Block::Warnings(self.warnings.clone()));
        document
    }

    fn records(&self) -> Vec<Record> {
        self.rows.iter().map(|row| record(self, row)).collect()
    }
}

fn record(board: &Leaderboard, row: &LeaderboardRow) -> Record {
    let mut record: Record = [
        ("rank", Datum::Integer((row.rank > 0).then_some(row.rank))),
        ("project", Datum::from(row.project.as_str())),
        ("experiment", Datum::from(row.experiment.as_str())),
        ("id", Datum::from(row.id.as_str())),
        ("cases", Datum::from(row.cases)),
        ("mean", Datum::from(row.mean)),
        ("se", Datum::from(row.se)),
        ("ci_low", Datum::from(row.ci_low)),
        ("ci_high", Datum::from(row.ci_high)),
    ]
    .map(|(name, datum)| (name.to_string(), datum))
    .into();
    for (name, value) in &row.scores {
        record.insert(format!("scores.{name}"), Datum::from(*value));
    }
    if let Some(cost) = &board.cost {
        record.insert(format!("metrics.{cost}"), Datum::from(row.cost));
        record.insert("on_frontier".into(), Datum::from(row.on_frontier));
    }
    record
}

/// Rows shown of a long table; all of them with `--all` and in other formats.
const ROWS_MAX: usize = 50;

fn grid(board: &Leaderboard, view: &View) -> Grid {
    let several_projects = board.rows.windows(2).any(|pair| pair[0].project != pair[1].project);
    let mut columns = vec![Column::number("rank")];
    if several_projects {
        columns.push(Column::name("project"));
    }
    columns.push(Column::name("experiment"));
    columns.extend(["cases", board.score.as_str(), "95% interval"].map(Column::number));
    let cost_unit = board.cost.as_deref().map(unit).unwrap_or_default();
    if let Some(cost) = &board.cost {
        columns.push(Column::name(""));
        columns.push(Column::number(cost.as_str()));
    }
    let others: Vec<&String> = board
        .rows
        .first()
        .map(|row| row.scores.keys().filter(|name| **name != board.score).collect())
        .unwrap_or_default();
    columns.extend(others.iter().map(|name| Column::number(name.as_str())));
    let mut grid = Grid::new(columns, Overflow::Hide);
    let scale = Scale::of(board.rows.iter().map(|row| row.mean));
    let shown = if view.all { board.rows.len() } else { board.rows.len().min(ROWS_MAX) };
    for (i, row) in board.rows[..shown].iter().enumerate() {
        // A rank is written once for all that share it.
        let repeats = i > 0 && board.rows[i - 1].rank == row.rank;
        let rank = if row.rank == 0 { number::NONE.to_string() } else { row.rank.to_string() };
        let mut cells = vec![Cell::new(rank, if repeats { Tone::Quiet } else { Tone::Strong })];
        if several_projects {
            cells.push(Cell::plain(&row.project));
        }
        let interval = match (row.ci_low, row.ci_high) {
            (Some(low), Some(high)) => format!("{} – {}", scale.mean(Some(low)), scale.mean(Some(high))),
            _ => number::NONE.to_string(),
        };
        cells.extend([
            Cell::plain(&row.experiment),
            Cell::plain(number::count(row.cases)),
            Cell::plain(scale.mean(row.mean)),
            Cell::plain(interval),
        ]);
        if board.cost.is_some() {
            cells.push(Cell::new(if row.on_frontier { "◆" } else { "" }, Tone::Good));
            cells.push(Cell::plain(number::metric(row.cost, cost_unit)));
        }
        for name in &others {
            let scale = Scale::of(board.rows.iter().map(|row| row.scores.get(*name).copied().flatten()));
            cells.push(Cell::plain(scale.mean(row.scores.get(*name).copied().flatten())));
        }
        grid.rows.push(cells);
    }
    grid
}

fn unit(metric: &str) -> &'static str {
    evalhouse_model::schema::metric_unit(metric)
}
