//! Where the rows of one file go: the writers of its experiments.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use evalhouse_model::{Experiment, ExperimentStatus, Span};
use evalhouse_store::ExperimentWriter;
use indexmap::IndexMap;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::error::{Extent, Fault};
use crate::formats::{BraintrustTable, ForeignFormat};
use crate::load::{Loader, Staged, Stop};
use crate::plan::{Kind, Planned, Target, row_namespace};
use crate::reason;
use crate::receive::{Receiver, Run};
use crate::request::Format;
use crate::row::{Row, RowIdentity};

/// Spans between two looks at whether to stop.
const SPANS_PER_LOOK: i64 = 2048;

/// Rows that a fetch or a download of Braintrust has at most, without saying that there are more.
const ROWS_OF_FETCH: u32 = 1_000;

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
    /// Runs of another tool, by their own ids.
    runs: HashMap<String, usize>,
    /// Spans taken of them.
    position: i64,
}

/// An experiment whose rows are coming in.
struct Open {
    target: Target,
    writer: ExperimentWriter,
    namespace: Uuid,
    record: Option<String>,
    tally: Tally,
}

/// How much came in, of what one fetch may give only a part.
#[derive(Default)]
struct Tally {
    rows: u32,
    cases: u32,
    /// Rows as the tool's own server gives them.
    versions: u32,
}

impl Tally {
    fn add(&mut self, span: &Span) {
        self.rows = self.rows.saturating_add(1);
        self.cases = self.cases.saturating_add(u32::from(span.span_parents.is_empty()));
        self.versions = self.versions.saturating_add(u32::from(span.version > 0));
    }

    /// Whether there may be more where this came from.
    fn is_at_limit(&self, format: &str) -> bool {
        let is_download = self.versions > 0 && format == Format::NATIVE.name() || format == BraintrustTable.name();
        is_download && [self.rows, self.cases].contains(&ROWS_OF_FETCH)
    }
}

/// Rows that were left out.
#[derive(Default)]
struct Skipped {
    counts: IndexMap<String, i64>,
    first: Option<Fault>,
}

impl<'a> Sink<'a> {
    pub(crate) fn new(loader: &'a Loader, file: &'a Planned) -> Self {
        Self {
            loader,
            file,
            open: IndexMap::new(),
            current: 0,
            identity: None,
            skipped: Skipped::default(),
            runs: HashMap::new(),
            position: 0,
        }
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
        open.tally.add(&span);
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
        self.open.insert(target.id.clone(), Open { target, writer, namespace, record: None, tally: Tally::default() });
        Ok(())
    }

    /// Why a run of another tool that was read to its end gave nothing to store.
    pub(crate) fn nothing_read(&self) -> Option<String> {
        let is_empty = self.position == 0 && self.skipped.counts.is_empty();
        is_empty.then(|| format!("is a {} run without any case", self.file.format()))
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

    /// Gives a span of a run its place.
    fn take(&mut self, span: &mut Span) -> Result<(), Stop> {
        if self.position % SPANS_PER_LOOK == 0 && self.loader.is_cancelled.load(Ordering::Relaxed) {
            return Err(Stop::Cancelled);
        }
        span.position = self.position;
        self.position += 1;
        if span.is_root {
            self.loader.progress.rows_read(1);
        }
        Ok(())
    }

    /// Lets others have the names of a run of which nothing is stored.
    pub(crate) fn give_up(&self) {
        self.open.values().for_each(|open| self.loader.claims.release_name(&open.target, &self.file.source.label));
    }

    /// Ends all experiments of the file.
    pub(crate) fn finish(self, hash: &str, decoded_bytes: u64) -> Result<Staged, Stop> {
        let Self { loader, file, open, mut skipped, .. } = self;
        let is_alone = open.len() == 1;
        let mut experiments = Vec::with_capacity(open.len());
        for (index, (_, mut open)) in open.into_iter().enumerate() {
            if matches!(file.kind, Kind::Rows(_)) {
                if !is_alone {
                    open.target.name = open.target.name_among_many();
                }
                claim_name(loader, file, &mut open.target)?;
            }
            let experiment = open.writer.experiment_mut();
            experiment.name = open.target.name;
            experiment.source_hash = Some(hash.to_string());
            describe(experiment, open.record.as_deref());
            // Our own export has a record, and all rows.
            if open.record.is_none() && open.tally.is_at_limit(file.format()) {
                experiment.notes.insert(reason::ROWS_AT_LIMIT.into(), 1);
            }
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

/// Takes the name of an experiment. Tools give many runs one name: a run whose name is taken gets a
/// part of its id behind it, unless the user chose the name.
fn claim_name(loader: &Loader, file: &Planned, target: &mut Target) -> Result<(), Stop> {
    let claim = |target: &Target| loader.claims.claim_name(target, &file.source.label);
    let may_be_renamed = matches!(file.kind, Kind::Foreign(_)) && loader.request.experiment.is_none();
    let is_shared = file.shares_name && target.name == file.source.stem();
    if may_be_renamed && (is_shared || claim(target).is_err()) {
        target.name = target.name_with_id();
    }
    claim(target).map_err(|fault| Stop::Fault(fault.at(1, None)))
}

/// A run of another tool: its reader says which experiments there are.
impl Receiver for Sink<'_> {
    fn experiment(&mut self, run: &Run) -> Result<usize, Stop> {
        // Formats ask for each of their records.
        if let Some(&index) = self.runs.get(&run.id) {
            return Ok(index);
        }
        let (loader, file) = (self.loader, self.file);
        if loader.request.experiment.is_some() && !self.open.is_empty() {
            let message = "the file holds several experiments, and one name was given";
            let fault = Fault::file(reason::MANY_EXPERIMENTS, message).at(1, None);
            return Err(fault.with_hint("leave out `--experiment`").into());
        }
        let mut target = Target::of_run(run, file.format(), &file.source, &loader.request);
        loader.claims.claim(&target, file.index, &file.source.label).map_err(|f| Stop::Fault(f.at(1, None)))?;
        // Whole traces are encoded as they come, with the name on every row.
        claim_name(loader, file, &mut target)?;
        let writer = loader.writer(&target, file, self.open.len());
        let namespace = row_namespace(&target.id);
        let index = self.open.len();
        self.open.insert(target.id.clone(), Open { target, writer, namespace, record: None, tally: Tally::default() });
        self.runs.insert(run.id.clone(), index);
        Ok(index)
    }

    fn experiments(&self) -> usize {
        self.open.len()
    }

    fn record(&mut self, experiment: usize) -> &mut Experiment {
        self.open[experiment].writer.experiment_mut()
    }

    fn span(&mut self, experiment: usize, mut span: Span) -> Result<(), Stop> {
        self.take(&mut span)?;
        self.open[experiment].tally.add(&span);
        self.open[experiment].writer.push(span)?;
        Ok(())
    }

    fn trace(&mut self, experiment: usize, mut spans: Vec<Span>) -> Result<(), Stop> {
        spans.iter_mut().try_for_each(|span| self.take(span))?;
        self.open[experiment].writer.push_trace(spans)?;
        Ok(())
    }

    fn fault(&mut self, fault: Fault) -> Result<(), Stop> {
        if !self.loader.request.keep_going || fault.extent == Extent::File {
            return Err(fault.into());
        }
        self.skip(fault);
        Ok(())
    }

    fn bytes_read(&mut self, bytes: u64) {
        self.loader.progress.bytes_read(bytes);
    }
}

/// Ids for a row that has none: by its place in the source, so that they are the same next time.
pub(crate) fn complete_ids(span: &mut Span, namespace: &Uuid) {
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
