//! Why a score changed.

use evalhouse_model::{Explanation, Slice};

use crate::grid::Overflow;
use crate::number::{self, Scale};
use crate::{Answer, Block, Cell, Column, Datum, Document, Grid, Line, Record, Tone, View};

impl Answer for Explanation {
    fn document(&self, view: &View) -> Document {
        let mut document = Document::default();
        let (base, candidate) = (&self.base.experiment, &self.candidate.experiment);
        document.push(Block::Title(format!("{}: {candidate} against {base}", self.score)));
        let scale = scale(self);
        let mut fields = vec![
            ("base".to_string(), super::side(&self.base)),
            ("candidate".to_string(), super::side(&self.candidate)),
            ("key".to_string(), Line::plain(&self.key)),
        ];
        if let Some(filter) = &self.filter {
            fields.push(("where".to_string(), Line::plain(filter)));
        }
        let change = format!(
            "{} over {}",
            scale.difference_interval(self.delta, self.ci_low, self.ci_high),
            number::counted(self.n, "matched case")
        );
        fields.push(("change".to_string(), Line::new(change, Tone::Strong)));
        fields.push(("sliced by".to_string(), Line::plain(self.fields.join(", "))));
        document.push(Block::Fields(fields));
        if self.slices.is_empty() {
            let line = "No slice carries more of the change than its share of the cases.";
            document.push(Block::Lines(vec![Line::new(line, Tone::Quiet)]));
        } else {
            document.push(Block::Heading("Slices that carry the change".to_string()));
            document.push(Block::Grid(grid(self, scale)));
            document.push(Block::Note(vec![
                format!(
                    "Of {} slices. Carries: what the slice adds to the whole change; p: inside against elsewhere (t test), Holm over all slices.",
                    number::count(self.searched)
                ),
            ]));
            document.push(Block::Heading("Worst cases".to_string()));
            document.push(Block::Grid(worst(self, view)));
        }
        document.push(Block::Warnings(self.warnings.clone()));
        document
    }

    fn records(&self) -> Vec<Record> {
        self.slices.iter().map(record).collect()
    }
}

fn record(slice: &Slice) -> Record {
    [
        ("where", Datum::from(slice.filter.as_str())),
        ("n", Datum::from(slice.n)),
        ("delta", Datum::from(slice.delta)),
        ("ci_low", Datum::from(slice.ci_low)),
        ("ci_high", Datum::from(slice.ci_high)),
        ("delta_elsewhere", Datum::from(slice.delta_elsewhere)),
        ("improved", Datum::from(slice.improved)),
        ("regressed", Datum::from(slice.regressed)),
        ("contribution", Datum::from(Some(slice.contribution))),
        ("share", Datum::from(slice.share)),
        ("excess", Datum::from(Some(slice.excess))),
        ("p", Datum::from(slice.p)),
        ("p_adjusted", Datum::from(slice.p_adjusted)),
    ]
    .map(|(name, datum)| (name.to_string(), datum))
    .into()
}

fn scale(explanation: &Explanation) -> Scale {
    // Differences of shares lie within −1 and 1.
    let sizes = explanation.slices.iter().map(|slice| slice.delta.map(f64::abs));
    Scale::of(sizes.chain([explanation.delta.map(f64::abs)]))
}

fn grid(explanation: &Explanation, scale: Scale) -> Grid {
    let mut columns = vec![Column::name("where")];
    columns.extend(["cases", "delta", "elsewhere", "carries", "▲", "▼", "p adj."].map(Column::number));
    let mut grid = Grid::new(columns, Overflow::Stack);
    for slice in &explanation.slices {
        let is_real = slice.p_adjusted.is_some_and(|p| p < 0.05);
        let tone = match (is_real, slice.delta) {
            (false, _) => Tone::Quiet,
            (true, Some(delta)) if (delta < 0.0) != explanation.lower_is_better => Tone::Bad,
            (true, _) => Tone::Good,
        };
        let share =
            slice.share.map_or(number::NONE.to_string(), |share| format!("{}%", number::fixed(share * 100.0, 0)));
        grid.rows.push(vec![
            Cell::new(&slice.filter, if is_real { Tone::Strong } else { Tone::Plain }),
            Cell::plain(number::count(slice.n)),
            Cell::new(scale.difference_interval(slice.delta, slice.ci_low, slice.ci_high), tone),
            Cell::plain(scale.difference(slice.delta_elsewhere)),
            Cell::plain(share),
            Cell::plain(number::count(slice.improved)),
            Cell::plain(number::count(slice.regressed)),
            Cell::plain(number::p_value(slice.p_adjusted)),
        ]);
    }
    grid
}

/// Slices whose worst cases are shown.
const SLICES_MAX: usize = 3;

fn worst(explanation: &Explanation, view: &View) -> Grid {
    let columns = vec![
        Column::name("where"),
        Column::name("id"),
        Column::text("input"),
        Column::number("base"),
        Column::number("candidate"),
    ];
    let mut grid = Grid::new(columns, Overflow::Hide);
    let shown = if view.all { explanation.slices.len() } else { explanation.slices.len().min(SLICES_MAX) };
    for slice in &explanation.slices[..shown] {
        for (i, case) in slice.worst.iter().enumerate() {
            grid.rows.push(vec![
                Cell::plain(if i == 0 { slice.filter.as_str() } else { "" }),
                Cell::plain(super::short_id(&case.id)),
                Cell::plain(super::short(case.input.as_ref())),
                Cell::plain(number::cell(case.base)),
                Cell::plain(number::cell(case.candidate)),
            ]);
        }
    }
    grid
}
