//! What an import would do, told without a store.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use evalhouse_model::{
    Experiment, ExplainedExperiment, ExplainedFile, FieldMapping, ImportExplanation, ImportReport, PreviewedCase,
    SkippedFile, Span,
};
use uuid::Uuid;

use crate::discover::Source;
use crate::error::{Extent, Fault, ImportError};
use crate::import::{check_names, plan};
use crate::load::{Stop, guarded, same_run, with_way_out};
use crate::plan::{Kind, Planned, Target, failed, row_namespace};
use crate::receive::{Receiver, Run};
use crate::request::ImportRequest;
use crate::rows::Rows;
use crate::sink::complete_ids;

/// Cases that are shown of each experiment.
const CASES_SHOWN: usize = 3;
/// Spans that are read of each file.
const SPANS_READ: i64 = 100_000;

/// What becomes of what in rows of our own shape.
const NATIVE_MAPPING: [(&str, &str); 3] = [
    ("span", "one row; the root of a trace is the case"),
    ("input, output, expected, error, scores, metrics, metadata, tags", "the fields of these names"),
    ("extra", "every other field"),
];

/// Tells what [`import`](crate::import()) would do with the same request, and stores nothing.
///
/// # Errors
/// When the request makes no sense, a named path is not there, or nothing is recognised.
pub async fn explain_import(request: ImportRequest) -> Result<ImportExplanation, ImportError> {
    check_names(&request)?;
    let mut report = ImportReport::default();
    let planned = plan(&request, &mut report).await?;
    let explained = tokio::task::spawn_blocking(move || {
        let mut failures = Vec::new();
        let mut files = Vec::with_capacity(planned.len());
        let mut repeats = Vec::new();
        for file in &planned {
            match guarded(|| explain(file, &request, &mut failures)) {
                Ok(explained) => files.push(explained),
                Err(fault) => failures.push(failed(&file.source.label, &fault)),
            }
            let same = |source: &Source| SkippedFile { path: source.label.clone(), reason: same_run(&file.source) };
            repeats.extend(file.others.iter().map(same));
        }
        (files, failures, repeats)
    });
    let (files, failures, repeats) = explained.await.map_err(|error| ImportError::Internal(error.to_string()))?;
    let ImportReport { mut failed, mut skipped, .. } = report;
    failed.extend(failures);
    skipped.extend(repeats);
    Ok(ImportExplanation { files, failed, skipped })
}

fn explain(file: &Planned, request: &ImportRequest, failures: &mut Vec<SkippedFile>) -> ExplainedFile {
    let mut preview = Preview { keep_going: request.keep_going, ..Preview::default() };
    let (evidence, mapping, read) = match &file.kind {
        Kind::Foreign(foreign) => {
            let read = foreign.format.read(&file.source, request, &mut preview);
            (foreign.evidence.clone(), foreign.format.mapping(), read)
        }
        Kind::Rows(_) => {
            let read = read_rows(file, request, &mut preview);
            ("rows with `root_span_id`, or with an input and a result".to_string(), &NATIVE_MAPPING[..], read)
        }
    };
    let is_whole = read.is_ok();
    if let Err(Stop::Fault(fault)) = read {
        failures.push(failed(&file.source.label, &with_way_out(fault)));
    }
    // What this very file's columns are says more than what a format's may be.
    let guessed = match &file.kind {
        Kind::Foreign(foreign) => foreign.format.columns(&file.source, request).unwrap_or_default(),
        Kind::Rows(_) => Vec::new(),
    };
    let field = |(field, from): &(&str, &str)| FieldMapping { field: (*field).into(), from: (*from).into() };
    let mapping = if guessed.is_empty() {
        mapping.iter().map(field).collect()
    } else {
        guessed.into_iter().map(|(field, from)| FieldMapping { field, from }).collect()
    };
    ExplainedFile {
        path: file.source.label.clone(),
        format: file.format().to_string(),
        evidence,
        mapping,
        is_whole,
        experiments: preview.finish(),
    }
}

fn read_rows(file: &Planned, request: &ImportRequest, preview: &mut Preview) -> Result<(), Stop> {
    let mut rows = Rows::open_source(&file.source, Rc::new(|_| {}), request.from.is_some())?;
    let mut current: Option<(usize, Uuid)> = None;
    loop {
        match rows.next_row() {
            Ok(Some(mut row)) => {
                // A row that names no experiment stays with the last.
                let (experiment, namespace) = match current.filter(|_| !row.identity.names_experiment()) {
                    Some(current) => current,
                    None => {
                        let target = Target::of(&row.identity, &file.source, request);
                        let namespace = row_namespace(&target.id);
                        (preview.experiment(&Run { id: target.id, name: target.name })?, namespace)
                    }
                };
                current = Some((experiment, namespace));
                complete_ids(&mut row.span, &namespace);
                for (word, count) in row.notes.iter() {
                    preview.note(experiment, word, count);
                }
                preview.span(experiment, row.span)?;
            }
            Ok(None) => return Ok(()),
            Err(fault) => {
                let is_last = fault.extent != Extent::Row;
                preview.fault(fault)?;
                if is_last {
                    return Ok(());
                }
            }
        }
    }
}

/// Receives what a file holds and keeps the beginning.
#[derive(Default)]
struct Preview {
    experiments: Vec<Previewed>,
    runs: HashMap<String, usize>,
    faults: HashMap<String, i64>,
    spans: i64,
    keep_going: bool,
}

#[derive(Default)]
struct Previewed {
    record: Experiment,
    explained: ExplainedExperiment,
    names: HashSet<String>,
    /// Traces that are shown, to their places.
    shown: HashMap<String, usize>,
}

impl Preview {
    fn finish(self) -> Vec<ExplainedExperiment> {
        let Self { experiments, faults, .. } = self;
        let mut explained: Vec<_> = experiments.into_iter().map(Previewed::finish).collect();
        if let Some(first) = explained.first_mut() {
            first.notes.extend(faults);
        }
        explained
    }
}

impl Previewed {
    fn finish(self) -> ExplainedExperiment {
        let Self { record, mut explained, .. } = self;
        explained.declared_total = record.declared_total;
        explained.status = record.status;
        explained.notes = record.notes;
        explained
    }

    fn add(&mut self, span: &Span) {
        self.explained.spans += 1;
        for (name, _) in &span.scores {
            if self.names.insert(name.to_string()) {
                self.explained.scores.push(name.to_string());
            }
        }
        if span.is_root {
            self.explained.rows += 1;
        }
        let is_room = self.shown.len() < CASES_SHOWN;
        let at = match self.shown.get(&span.root_span_id) {
            Some(at) => *at,
            None if is_room => {
                self.explained.preview.push(PreviewedCase::default());
                self.shown.insert(span.root_span_id.clone(), self.explained.preview.len() - 1);
                self.explained.preview.len() - 1
            }
            None => return,
        };
        let case = &mut self.explained.preview[at];
        if span.is_root {
            case.id.clone_from(&span.id);
            case.input.clone_from(&span.input);
            case.output.clone_from(&span.output);
            case.expected.clone_from(&span.expected);
        }
        case.scores.extend(span.scores.iter().map(|(name, score)| (name.to_string(), *score)));
    }
}

impl Receiver for Preview {
    fn experiment(&mut self, run: &Run) -> Result<usize, Stop> {
        if let Some(&known) = self.runs.get(&run.id) {
            return Ok(known);
        }
        let explained = ExplainedExperiment { experiment: run.name.clone(), ..Default::default() };
        self.experiments.push(Previewed { explained, ..Default::default() });
        self.runs.insert(run.id.clone(), self.experiments.len() - 1);
        Ok(self.experiments.len() - 1)
    }

    fn experiments(&self) -> usize {
        self.experiments.len()
    }

    fn record(&mut self, experiment: usize) -> &mut Experiment {
        &mut self.experiments[experiment].record
    }

    fn span(&mut self, experiment: usize, span: Span) -> Result<(), Stop> {
        self.spans += 1;
        self.experiments[experiment].add(&span);
        if self.spans >= SPANS_READ { Err(Stop::Cancelled) } else { Ok(()) }
    }

    fn fault(&mut self, fault: Fault) -> Result<(), Stop> {
        if !self.keep_going || fault.extent == Extent::File {
            return Err(fault.into());
        }
        *self.faults.entry(fault.reason.to_string()).or_default() += 1;
        Ok(())
    }
}
