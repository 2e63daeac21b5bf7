//! The trials of an experiment.

use evalhouse_model::{TrialReport, TrialScore, TrialSpread};

use crate::grid::Overflow;
use crate::number::{self, Scale};
use crate::{Answer, Block, Cell, Column, Datum, Document, Grid, Line, Record, Tone, View};

impl Answer for TrialReport {
    fn document(&self, _view: &View) -> Document {
        let mut document = Document::default();
        document.push(Block::Title(format!("{} / {}: trials", self.experiment.project, self.experiment.experiment)));
        let trials = match (self.trials_min, self.trials_max) {
            (low, high) if low == high => format!("{low} a case"),
            (low, high) => format!("{low} to {high} a case"),
        };
        let mut fields = vec![
            ("cases".to_string(), Line::plain(number::count(self.experiment.cases))),
            ("rows".to_string(), Line::plain(number::count(self.experiment.rows))),
            ("trials".to_string(), Line::plain(trials)),
            ("key".to_string(), Line::plain(&self.key)),
        ];
        if let Some(filter) = &self.filter {
            fields.push(("where".to_string(), Line::plain(filter)));
        }
        document.push(Block::Fields(fields));
        if !self.scores.is_empty() {
            document.push(Block::Heading("Spread".to_string()));
            document.push(Block::Grid(spread(self)));
        }
        for (name, score) in self.scores.iter().filter(|(_, score)| score.pass.len() > 1) {
            document.push(Block::Heading(format!("{name}: k trials, a pass from {}", self.threshold)));
            document.push(Block::Grid(pass(score)));
        }
        if !self.cases.is_empty() {
            document.push(Block::Heading("Cases, flaky first".to_string()));
            document.push(Block::Grid(cases(self)));
        }
        document.push(Block::Warnings(self.warnings.clone()));
        document
    }

    fn records(&self) -> Vec<Record> {
        let mut records = Vec::new();
        for case in &self.cases {
            for (name, spread) in &case.scores {
                records.push(record(&case.id, case.trials, name, spread));
            }
        }
        records
    }
}

fn record(id: &str, trials: i64, name: &str, spread: &TrialSpread) -> Record {
    [
        ("id", Datum::from(id)),
        ("score", Datum::from(name)),
        ("trials", Datum::from(trials)),
        ("n", Datum::from(spread.n)),
        ("passes", Datum::from(spread.passes)),
        ("mean", Datum::from(spread.mean)),
        ("sd", Datum::from(spread.sd)),
        ("min", Datum::from(spread.min)),
        ("max", Datum::from(spread.max)),
    ]
    .map(|(name, datum)| (name.to_string(), datum))
    .into()
}

fn spread(report: &TrialReport) -> Grid {
    let titles = ["row mean", "case mean", "sd within cases", "sd between cases", "flaky cases"];
    let mut columns = vec![Column::name("score")];
    columns.extend(titles.map(Column::number));
    let mut grid = Grid::new(columns, Overflow::Stack);
    for (name, score) in &report.scores {
        let scale = Scale::of([score.row_mean, score.case_mean]);
        let flaky = format!("{} of {}", number::count(score.flaky), number::count(score.cases));
        grid.rows.push(vec![
            Cell::plain(name),
            Cell::plain(scale.mean(score.row_mean)),
            Cell::plain(scale.mean(score.case_mean)),
            Cell::plain(scale.size(score.within_sd)),
            Cell::plain(scale.size(score.between_sd)),
            Cell::new(flaky, if score.flaky > 0 { Tone::Caution } else { Tone::Quiet }),
        ]);
    }
    grid
}

fn pass(score: &TrialScore) -> Grid {
    let mut columns = vec![Column::number("k"), Column::number("cases")];
    columns.extend(["at least one passes (pass@k)", "all pass (pass^k)"].map(Column::number));
    let mut grid = Grid::new(columns, Overflow::Stack);
    let shown = |value: Option<f64>, low: Option<f64>, high: Option<f64>| match (value, low, high) {
        (Some(value), Some(low), Some(high)) => {
            format!("{:.1}%  [{:.1}, {:.1}]", value * 100.0, low * 100.0, high * 100.0)
        }
        (Some(value), ..) => format!("{:.1}%", value * 100.0),
        _ => number::NONE.to_string(),
    };
    for rate in &score.pass {
        grid.rows.push(vec![
            Cell::plain(rate.k.to_string()),
            Cell::plain(number::count(rate.cases)),
            Cell::plain(shown(rate.at_least_one, rate.at_least_one_low, rate.at_least_one_high)),
            Cell::plain(shown(rate.all, rate.all_low, rate.all_high)),
        ]);
    }
    grid
}

fn cases(report: &TrialReport) -> Grid {
    let mut columns = vec![Column::text("input"), Column::number("trials")];
    columns.extend(report.scores.keys().map(Column::number));
    let mut grid = Grid::new(columns, Overflow::Hide);
    for case in &report.cases {
        let mut cells = vec![Cell::plain(super::short(case.input.as_ref())), Cell::plain(case.trials.to_string())];
        for name in report.scores.keys() {
            cells.push(match case.scores.get(name) {
                Some(TrialSpread { mean: Some(mean), min: Some(min), max: Some(max), .. }) if max > min => {
                    Cell::new(format!("{mean:.2}  {min:.2}…{max:.2}"), Tone::Caution)
                }
                Some(TrialSpread { mean, .. }) => Cell::plain(number::cell(*mean)),
                None => Cell::plain(number::NONE),
            });
        }
        grid.rows.push(cells);
    }
    grid
}
