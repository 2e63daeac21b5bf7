//! What an import would do.

use evalhouse_model::{ExperimentStatus, ExplainedExperiment, ExplainedFile, ImportExplanation, PreviewedCase};
use serde_json::Value;

use super::import::file_line;
use super::short;
use crate::grid::Overflow;
use crate::number;
use crate::{Answer, Block, Cell, Column, Datum, Document, Grid, Line, Record, Tone, View};

impl Answer for ImportExplanation {
    fn document(&self, _view: &View) -> Document {
        let mut document = Document::default();
        for file in &self.files {
            let is_failed = self.failed.iter().any(|failed| failed.path == file.path);
            push_file(&mut document, file, is_failed);
        }
        let failed = self.failed.iter().map(|file| file_line("failed ", Tone::Bad, file));
        let skipped = self.skipped.iter().map(|file| file_line("skipped", Tone::Quiet, file));
        document.push(Block::Lines(failed.chain(skipped).collect()));
        document
    }

    fn records(&self) -> Vec<Record> {
        let records = self.files.iter().flat_map(|file| {
            file.experiments.iter().map(|experiment| {
                Record::from([
                    ("file".to_string(), Datum::from(file.path.as_str())),
                    ("format".to_string(), Datum::from(file.format.as_str())),
                    ("evidence".to_string(), Datum::from(file.evidence.as_str())),
                    ("is_whole".to_string(), Datum::from(file.is_whole)),
                    ("mapping".to_string(), Datum::Json(serde_json::to_value(&file.mapping).ok())),
                    ("experiment".to_string(), Datum::from(experiment.experiment.as_str())),
                    ("declared_total".to_string(), Datum::Json(Some(experiment.declared_total.into()))),
                    ("status".to_string(), Datum::Json(serde_json::to_value(experiment.status).ok())),
                    ("rows".to_string(), Datum::from(experiment.rows)),
                    ("spans".to_string(), Datum::from(experiment.spans)),
                    ("scores".to_string(), Datum::Json(serde_json::to_value(&experiment.scores).ok())),
                    ("notes".to_string(), Datum::Json(serde_json::to_value(&experiment.notes).ok())),
                    ("preview".to_string(), Datum::Json(serde_json::to_value(&experiment.preview).ok())),
                ])
            })
        });
        records.collect()
    }
}

fn push_file(document: &mut Document, file: &ExplainedFile, is_failed: bool) {
    document.push(Block::Title(file.path.clone()));
    let told = Line::new(&file.format, Tone::Strong).and(format!(", told by {}", file.evidence), Tone::Plain);
    document.push(Block::Lines(vec![told]));
    let mut grid = Grid::new(vec![Column::name("here"), Column::text("there")], Overflow::Hide);
    for mapping in &file.mapping {
        grid.rows.push(vec![Cell::plain(&mapping.field), Cell::plain(&mapping.from)]);
    }
    document.push(Block::Grid(grid));
    for experiment in &file.experiments {
        push_experiment(document, experiment);
    }
    if !file.is_whole && !is_failed {
        let line = "The file goes on; this is its beginning.";
        document.push(Block::Lines(vec![Line::new(line, Tone::Quiet)]));
    }
}

fn push_experiment(document: &mut Document, experiment: &ExplainedExperiment) {
    document.push(Block::Heading(experiment.experiment.clone()));
    let declared = experiment.declared_total.map_or(number::NONE.to_string(), number::count);
    let status = match experiment.status {
        ExperimentStatus::Complete => Line::plain("complete"),
        ExperimentStatus::Partial => Line::new("partial", Tone::Caution),
    };
    let notes: Vec<String> = experiment.notes.iter().map(|(word, count)| format!("{count} {word}")).collect();
    let mut fields = vec![
        ("rows".to_string(), Line::plain(format!("{} of {declared} declared", number::count(experiment.rows)))),
        ("spans".to_string(), Line::plain(number::count(experiment.spans))),
        ("status".to_string(), status),
        ("scores".to_string(), Line::plain(experiment.scores.join(", "))),
    ];
    if !notes.is_empty() {
        fields.push(("notes".to_string(), Line::new(notes.join(", "), Tone::Caution)));
    }
    document.push(Block::Fields(fields));
    let columns = ["case", "input", "output", "expected", "scores"].map(Column::text).to_vec();
    let mut grid = Grid::new(columns, Overflow::Hide);
    for case in &experiment.preview {
        grid.rows.push(cells(case));
    }
    document.push(Block::Grid(grid));
}

fn cells(case: &PreviewedCase) -> Vec<Cell> {
    let text = |json: &Option<String>| {
        let value: Option<Value> = json.as_deref().and_then(|json| serde_json::from_str(json).ok());
        Cell::plain(short(value.as_ref()))
    };
    let score = |(name, value): (&String, &Option<f64>)| {
        format!("{name} {}", value.map_or(number::NONE.to_string(), |value| value.to_string()))
    };
    let scores: Vec<String> = case.scores.iter().map(score).collect();
    vec![
        Cell::plain(&case.id),
        text(&case.input),
        text(&case.output),
        text(&case.expected),
        Cell::plain(scores.join(", ")),
    ]
}
