//! Where the rows of one file go: the writers of its experiments.

use std::sync::Arc;

use evalhouse_model::{Experiment, ExperimentStatus, Span};
use evalhouse_store::ExperimentWriter;
use indexmap::IndexMap;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::error::Fault;
use crate::load::{Loader, Staged, Stop};
use crate::plan::{Planned, Target, row_namespace};
use crate::reason;
use crate::row::{Row, RowIdentity};

/// Rows sorted by experiment.
pub(crate) struct Sink<'a> {
    loader: &'a Loader,
    file: &'a Planned,
    /// By experiment id, in the order of their first rows.
    open: IndexMap<String, Open>,
    current: usize,
    /// What the last row said of its experiment.
    identity: Option<Arc<RowIdentity>>,
    skipped: Skipped,
}

/// An experiment whose rows are coming in.
struct Open {
    target: Target,
    writer: ExperimentWriter,
    namespace: Uuid,
    record: Option<String>,
}

/// Rows that were left out.
#[derive(Default)]
struct Skipped {
    counts: IndexMap<String, i64>,
    first: Option<Fault>,
}

impl<'a> Sink<'a> {
    pub(crate) fn new(loader: &'a Loader, file: &'a Planned) -> Self {
        Self { loader, file, open: IndexMap::new(), current: 0, identity: None, skipped: Skipped::default() }
    }

    /// Hands a row to the writer of its experiment.
    pub(crate) fn push(&mut self, row: Row) -> Result<(), Stop> {
        let is_same = self.identity.as_ref().is_some_and(|known| Arc::ptr_eq(known, &row.identity));
        if !is_same {
            self.turn_to(&row)?;
            self.identity = Some(row.identity);
        }
        let Some((_, open)) = self.open.get_index_mut(self.current) else { return Ok(()) };
        let mut span = row.span;
        complete_ids(&mut span, &open.namespace);
        for (word, count) in row.notes.iter() {
            *open.writer.experiment_mut().notes.entry(word.to_string()).or_default() += i64::from(count);
        }
        if open.record.is_none() {
            open.record = row.record;
        }
        open.writer.push(span)?;
        Ok(())
    }

    /// Leaves a bad row out.
    pub(crate) fn skip(&mut self, fault: Fault) {
        *self.skipped.counts.entry(fault.reason.to_string()).or_default() += 1;
        self.skipped.first.get_or_insert(fault);
    }

    /// Makes the experiment of a row the current one. A row that names none stays with the last.
    fn turn_to(&mut self, row: &Row) -> Result<(), Stop> {
        if !row.identity.names_experiment() && !self.open.is_empty() {
            return Ok(());
        }
        let target = Target::of(&row.identity, &self.file.source, &self.loader.request);
        if let Some(index) = self.open.get_index_of(&target.id) {
            self.current = index;
            return self.check_one_experiment(row);
        }
        let at_row = |fault: Fault| Stop::Fault(fault.at(row.span.line, None));
        self.loader.claims.claim(&target, self.file.index, &self.file.source.label).map_err(at_row)?;
        let writer = self.loader.writer(&target, self.file, self.open.len());
        let namespace = row_namespace(&target.id);
        self.current = self.open.len();
        self.open.insert(target.id.clone(), Open { target, writer, namespace, record: None });
        Ok(())
    }

    /// A name given by the user is one experiment's; rows that name different ones do not fit it.
    fn check_one_experiment(&self, row: &Row) -> Result<(), Stop> {
        let Some(known) = self.identity.as_ref().filter(|_| self.loader.request.experiment.is_some()) else {
            return Ok(());
        };
        let is_other = match (&known.experiment_id, &row.identity.experiment_id) {
            (Some(known), Some(row)) => known != row,
            _ => known.experiment.is_some() && known.experiment != row.identity.experiment,
        };
        if !is_other {
            return Ok(());
        }
        let message = "the rows are of several experiments, and one name was given";
        let fault = Fault::file(reason::MANY_EXPERIMENTS, message).at(row.span.line, None);
        Err(fault.with_hint("leave out `--experiment`").into())
    }

    /// Ends all experiments of the file.
    pub(crate) fn finish(self, hash: &str, decoded_bytes: u64) -> Result<Staged, Stop> {
        let Self { loader, file, open, mut skipped, .. } = self;
        let is_alone = open.len() == 1;
        let mut experiments = Vec::with_capacity(open.len());
        for (index, (_, mut open)) in open.into_iter().enumerate() {
            if !is_alone {
                open.target.name = open.target.name_among_many();
            }
            loader.claims.claim_name(&open.target, &file.source.label).map_err(|f| Stop::Fault(f.at(1, None)))?;
            let experiment = open.writer.experiment_mut();
            experiment.name = open.target.name;
            experiment.source_hash = Some(hash.to_string());
            describe(experiment, open.record.as_deref());
            // Which experiment an unreadable row was of is not known; the first one answers for it.
            if index == 0 {
                experiment.notes.extend(skipped.counts.iter().map(|(word, count)| (word.clone(), *count)));
            }
            let mut staged = open.writer.finish()?;
            skipped.add_dropped(&staged.experiment);
            if staged.experiment.notes.keys().any(|word| reason::is_skipping(word)) {
                staged.experiment.status = ExperimentStatus::Partial;
            }
            if staged.experiment.spans > 0 {
                experiments.push(staged);
            }
        }
        if experiments.is_empty() {
            return Err(Stop::Fault(skipped.nothing_left()));
        }
        Ok(Staged { experiments, decoded_bytes, skipped: skipped.render(&file.source.label) })
    }
}

/// Ids for a row that has none: by its place in the source, so that they are the same next time.
fn complete_ids(span: &mut Span, namespace: &Uuid) {
    if span.id.is_empty() {
        span.id = Uuid::new_v5(namespace, span.position.to_string().as_bytes()).to_string();
    }
    if span.span_id.is_empty() {
        span.span_id.clone_from(&span.id);
    }
    if span.root_span_id.is_empty() {
        span.root_span_id.clone_from(&span.span_id);
    }
}

/// Takes over what our own export says of an experiment.
fn describe(experiment: &mut Experiment, record: Option<&str>) {
    let Some(Ok(Json::Object(record))) = record.map(serde_json::from_str::<Json>) else { return };
    let text = |key: &str| record.get(key).and_then(Json::as_str).map(str::to_string);
    experiment.metadata = record.get("metadata").filter(|metadata| metadata.is_object()).cloned();
    experiment.branch = text("branch");
    experiment.commit = text("commit");
    experiment.base_experiment_id = text("base_experiment_id");
    experiment.dataset = text("dataset");
    experiment.dataset_version = text("dataset_version");
    experiment.declared_total = record.get("declared_total").and_then(Json::as_i64);
    if let Some(tags) = record.get("tags").and_then(Json::as_array) {
        experiment.tags = tags.iter().filter_map(Json::as_str).map(str::to_string).collect();
    }
    if text("status").as_deref() == Some("partial") {
        experiment.status = ExperimentStatus::Partial;
    }
    if let Some(format) = text("format") {
        experiment.format = format;
    }
}

impl Skipped {
    /// Adds what the writer dropped.
    fn add_dropped(&mut self, experiment: &Experiment) {
        for (word, count) in &experiment.notes {
            if reason::SKIPPING_IN_STORE.contains(&word.as_str()) {
                *self.counts.entry(word.clone()).or_default() += count;
            }
        }
    }

    /// What a file without any row left is refused with.
    fn nothing_left(&self) -> Fault {
        let message = match self.described() {
            Some(skipped) => format!("no row is left to store: {skipped}"),
            None => "no row is left to store".to_string(),
        };
        Fault::file(reason::NO_ROWS, message).at(self.first.as_ref().map_or(1, |fault| fault.line), None)
    }

    fn render(&self, label: &str) -> Option<String> {
        let line = self.first.as_ref().map_or(1, |fault| fault.line);
        Some(format!("{label}:{line}: {}", self.described()?))
    }

    fn described(&self) -> Option<String> {
        let total: i64 = self.counts.values().sum();
        if total == 0 {
            return None;
        }
        let counts: Vec<String> = self.counts.iter().map(|(word, count)| format!("{count} {word}")).collect();
        let first = self.first.as_ref().map(|fault| format!("; the first is {}", fault.described()));
        let rows = if total == 1 { "row" } else { "rows" };
        Some(format!("{total} {rows} skipped ({}){}", counts.join(", "), first.unwrap_or_default()))
    }
}
