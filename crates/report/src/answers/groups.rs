//! Cases in groups.

use evalhouse_model::{Group, GroupMember, GroupScore, Groups};
use indexmap::IndexSet;
use serde_json::Value;

use crate::grid::Overflow;
use crate::number::{self, Scale};
use crate::{Answer, Block, Cell, Column, Datum, Document, Grid, Line, Record, Tone, View};

impl Answer for Groups {
    fn document(&self, _view: &View) -> Document {
        let mut document = Document::default();
        let names: Vec<&str> = self.experiments.iter().map(|one| one.experiment.as_str()).collect();
        document.push(Block::Title(format!("{} by {}", names.join(", "), self.by.join(", "))));
        let mut fields = Vec::new();
        if self.experiments.len() > 1 {
            fields.push(("base".to_string(), super::side(&self.experiments[0])));
            fields.push(("key".to_string(), Line::plain(&self.key)));
        }
        if let Some(filter) = &self.filter {
            fields.push(("where".to_string(), Line::plain(filter)));
        }
        if let Some(cluster) = &self.cluster {
            fields.push(("cluster".to_string(), Line::plain(cluster)));
        }
        document.push(Block::Fields(fields));
        document.push(Block::Grid(grid(self)));
        let note = match self.experiments.len() {
            1 => format!("Scores: {} over rows.", self.aggregate),
            _ => format!(
                "Scores: {} over rows; delta over the matched cases of the group, ▲ improved, ▼ regressed.",
                self.aggregate
            ),
        };
        document.push(Block::Note(vec![note]));
        document.push(Block::Warnings(self.warnings.clone()));
        document
    }

    fn records(&self) -> Vec<Record> {
        let mut records = Vec::new();
        for group in &self.groups {
            for (side, member) in self.experiments.iter().zip(&group.experiments) {
                let mut record: Record = self
                    .by
                    .iter()
                    .zip(&group.values)
                    .map(|(by, value)| (by.clone(), Datum::from(value.as_str())))
                    .collect();
                record.insert("experiment".into(), Datum::from(side.experiment.as_str()));
                record.insert("rows".into(), Datum::from(member.rows));
                record.insert("cases".into(), Datum::from(member.cases));
                for (name, score) in &member.scores {
                    record.insert(format!("scores.{name}"), Datum::from(score.value));
                    record.insert(format!("delta.{name}"), Datum::from(score.delta));
                    record.insert(format!("improved.{name}"), Datum::Integer(score.improved));
                    record.insert(format!("regressed.{name}"), Datum::Integer(score.regressed));
                }
                for (name, value) in &member.metrics {
                    record.insert(format!("metrics.{name}"), Datum::from(*value));
                }
                records.push(record);
            }
        }
        records
    }
}

fn grid(groups: &Groups) -> Grid {
    let names: IndexSet<&String> =
        groups.groups.iter().flat_map(|group| &group.experiments).flat_map(|member| member.scores.keys()).collect();
    let has_duration =
        groups.groups.iter().flat_map(|group| &group.experiments).any(|member| member.metrics.contains_key("duration"));
    let compares = groups.experiments.len() > 1;
    let mut columns: Vec<Column> = groups.by.iter().map(Column::name).collect();
    if compares {
        columns.push(Column::name("experiment"));
    }
    columns.extend(["rows", "cases"].map(Column::number));
    for name in &names {
        columns.push(Column::number(name.as_str()).beginning_group());
        if compares {
            columns.extend(["delta", "▲", "▼"].map(Column::number));
        }
    }
    if has_duration {
        columns.push(Column::number("duration"));
    }
    let mut grid = Grid::new(columns, Overflow::Stack);
    for group in &groups.groups {
        for (i, member) in group.experiments.iter().enumerate() {
            let mut cells = group_cells(group, i);
            if compares {
                cells.push(Cell::plain(&groups.experiments[i].experiment));
            }
            cells.extend([member.rows, member.cases].map(|count| Cell::plain(number::count(count))));
            for name in &names {
                let score = member.scores.get(*name).cloned().unwrap_or_default();
                let scale = scale(groups, name);
                cells.push(Cell::plain(scale.mean(score.value)));
                if compares {
                    cells.extend(delta_cells(&score, scale, i == 0));
                }
            }
            if has_duration {
                cells.push(Cell::plain(duration(member)));
            }
            grid.rows.push(cells);
        }
    }
    grid
}

fn group_cells(group: &Group, member: usize) -> Vec<Cell> {
    let shown = |value: &Value| match value {
        Value::Null => Cell::new("(none)", Tone::Quiet),
        value => Cell::plain(super::short(Some(value))),
    };
    // The group is named once, on its first line.
    group.values.iter().map(|value| if member == 0 { shown(value) } else { Cell::plain("") }).collect()
}

fn delta_cells(score: &GroupScore, scale: Scale, is_base: bool) -> Vec<Cell> {
    if is_base {
        return vec![Cell::plain(""); 3];
    }
    let count = |count: Option<i64>, tone: Tone| match count {
        Some(0) | None => Cell::new("0", Tone::Quiet),
        Some(count) => Cell::new(number::count(count), tone),
    };
    vec![
        Cell::plain(scale.difference_interval(score.delta, score.ci_low, score.ci_high)),
        count(score.improved, Tone::Good),
        count(score.regressed, Tone::Bad),
    ]
}

fn scale(groups: &Groups, name: &str) -> Scale {
    if matches!(groups.aggregate.as_str(), "sum" | "count") {
        return Scale::of([Some(2.0)]);
    }
    let members = groups.groups.iter().flat_map(|group| &group.experiments);
    Scale::of(members.filter_map(|member| member.scores.get(name)).map(|score| score.value))
}

fn duration(member: &GroupMember) -> String {
    number::metric(member.metrics.get("duration").copied().flatten(), "s")
}
