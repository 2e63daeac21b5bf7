//! One file, from its bytes to staged experiments: the work of one thread.

use std::io::{self, Read};
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use evalhouse_model::{Experiment, ExperimentStatus};
use evalhouse_store::{ExperimentWriter, StagedExperiment, Store, StoreError, WriteError, WriterOptions};
use xxhash_rust::xxh3::Xxh3;

use crate::content::Content;
use crate::discover::Source;
use crate::error::{Extent, Fault};
use crate::plan::{Claims, Foreign, Kind, Planned, Target, project_of};
use crate::reason;
use crate::request::{ImportRequest, Progress};
use crate::rows::Rows;
use crate::sink::Sink;

/// Rows between two looks at the clock and at whether to stop.
const ROWS_PER_REPORT: u64 = 2048;

/// What all workers share.
pub(crate) struct Loader {
    pub(crate) store: Store,
    pub(crate) request: ImportRequest,
    pub(crate) claims: Claims,
    pub(crate) progress: Arc<dyn Progress>,
    /// Set when nobody waits for the import any more.
    pub(crate) is_cancelled: AtomicBool,
    /// Bytes of rows that one worker may buffer.
    pub(crate) memory_limit: usize,
}

/// What became of a file.
pub(crate) enum Loaded {
    Staged(Staged),
    /// Stored already, with the same content.
    Unchanged(Vec<Experiment>),
    /// Nothing that is stored of it, and why.
    Empty(String),
    /// Nothing of it can be stored; the whole message.
    Failed(String),
    Cancelled,
}

/// What became of the files of a run.
pub(crate) struct LoadedRun {
    /// The file that holds most of it.
    pub(crate) file: Planned,
    pub(crate) loaded: Loaded,
    /// The others.
    pub(crate) others: Vec<(Source, Loaded)>,
}

/// The experiments of a file, ready to commit.
pub(crate) struct Staged {
    pub(crate) experiments: Vec<StagedExperiment>,
    pub(crate) decoded_bytes: u64,
    /// What was skipped, for the report.
    pub(crate) skipped: Option<String>,
}

/// Why the rows of a file are not followed to their end.
pub(crate) enum Stop {
    Fault(Fault),
    Store(StoreError),
    /// The receiver wants no more.
    Cancelled,
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<WriteError> for Stop {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Store(error) => Self::Store(error),
            WriteError::Row(row) => Self::Fault(Fault {
                line: row.line,
                row: None,
                field: Some(row.field.into()),
                reason: row.reason.into(),
                message: row.message,
                hint: None,
                extent: Extent::File,
            }),
        }
    }
}

impl Loaded {
    /// How much of a run it is: nothing, some of it, or all, and how many rows.
    fn rank(&self) -> (u8, i64) {
        let of = |all: &mut dyn Iterator<Item = &Experiment>| {
            all.fold((2, 0), |(whole, rows), one| {
                let is_whole = one.status == ExperimentStatus::Complete;
                (if is_whole { whole } else { 1 }, rows + one.rows)
            })
        };
        match self {
            Self::Staged(staged) => of(&mut staged.experiments.iter().map(|one| &one.experiment)),
            Self::Unchanged(stored) => of(&mut stored.iter()),
            Self::Empty(_) | Self::Failed(_) | Self::Cancelled => (0, 0),
        }
    }
}

impl Loader {
    /// Loads a file, and where it holds only a part of its run the other files of the same run: the one
    /// that holds most is the answer, with what became of the others.
    pub(crate) fn load_run(&self, mut file: Planned) -> Result<LoadedRun, StoreError> {
        let mut others = Vec::new();
        let mut loaded = self.load(&file)?;
        for source in std::mem::take(&mut file.others) {
            let is_whole = loaded.rank().0 == 2 || matches!(loaded, Loaded::Cancelled);
            let other = Planned { source, others: Vec::new(), ..file.clone() };
            let found = if is_whole { Loaded::Empty(same_run(&file.source)) } else { self.load(&other)? };
            if found.rank() > loaded.rank() {
                let less = std::mem::replace(&mut loaded, found);
                others.push((std::mem::replace(&mut file.source, other.source), less));
            } else {
                others.push((other.source, found));
            }
        }
        for (_, less) in &mut others {
            if matches!(less, Loaded::Staged(_) | Loaded::Unchanged(_)) {
                *less = Loaded::Empty(same_run(&file.source));
            }
        }
        Ok(LoadedRun { file, loaded, others })
    }

    /// Loads one file, whatever a library does that reads it. An error is the store's; everything else is in the answer.
    fn load(&self, file: &Planned) -> Result<Loaded, StoreError> {
        let loaded = guarded(|| self.load_file(file));
        loaded.unwrap_or_else(|fault| Ok(Loaded::Failed(fault.render(&file.source.label))))
    }

    fn load_file(&self, file: &Planned) -> Result<Loaded, StoreError> {
        self.progress.file_started(&file.source.label);
        let loaded = match &file.kind {
            Kind::Rows(target) => match self.unchanged(file, target) {
                Some(unchanged) => Ok(Loaded::Unchanged(unchanged)),
                None => self.load_rows(file).map(Loaded::Staged),
            },
            Kind::Foreign(foreign) => self.load_foreign(file, foreign),
        };
        if matches!(loaded, Ok(Loaded::Unchanged(_))) {
            self.progress.bytes_read(file.source.bytes);
        }
        self.progress.file_finished(&file.source.label);
        match loaded {
            Ok(loaded) => Ok(loaded),
            Err(Stop::Fault(fault)) => Ok(Loaded::Failed(with_way_out(fault).render(&file.source.label))),
            Err(Stop::Store(error)) => Err(error),
            Err(Stop::Cancelled) => Ok(Loaded::Cancelled),
        }
    }

    /// Reads a run of another tool, unless it is stored as it is.
    fn load_foreign(&self, file: &Planned, foreign: &Foreign) -> Result<Loaded, Stop> {
        let hash = hash_run(file, foreign, &self.request)?;
        if let Some(unchanged) = self.unchanged_run(file, foreign, &hash) {
            return Ok(Loaded::Unchanged(unchanged));
        }
        let mut sink = Sink::new(self, file);
        if let Err(stop) = foreign.format.read(&file.source, &self.request, &mut sink) {
            sink.give_up();
            return Err(stop);
        }
        if let Some(reason) = sink.nothing_read() {
            sink.give_up();
            return Ok(Loaded::Empty(reason));
        }
        sink.finish(&hash, file.source.bytes).map(Loaded::Staged)
    }

    /// The stored experiments of a run whose files have not changed.
    fn unchanged_run(&self, file: &Planned, foreign: &Foreign, hash: &str) -> Option<Vec<Experiment>> {
        let project = project_of(&file.source, &self.request);
        let is_same = |stored: &&Experiment| {
            stored.project == project
                && stored.format == foreign.format.name()
                && self.request.experiment.as_ref().is_none_or(|name| *name == stored.name)
                && (foreign.run_id.is_some() || name_in(stored.source.as_deref()) == name_in(Some(&file.source.label)))
        };
        let mut stored: Vec<Experiment> = self.claims.stored_with_hash(hash).filter(is_same).cloned().collect();
        // An import that skipped rows is done again when bad rows are to be reported.
        let is_whole = !stored.iter().flat_map(|one| one.notes.keys()).any(|word| reason::is_skipping(word));
        if stored.is_empty() || !(is_whole || self.request.keep_going) {
            return None;
        }
        stored.sort_by(|a, b| a.name.cmp(&b.name));
        Some(stored)
    }

    /// The stored experiments that reading this file would give again.
    fn unchanged(&self, file: &Planned, target: &Target) -> Option<Vec<Experiment>> {
        let stored = self.claims.stored(&target.id)?;
        let is_same_name = stored.name == target.name || stored.name == target.name_among_many();
        // An import that skipped rows is done again when bad rows are to be reported.
        let is_whole = !stored.notes.keys().any(|word| reason::is_skipping(word));
        if stored.project != target.project || !is_same_name || !(is_whole || self.request.keep_going) {
            return None;
        }
        let stored_hash = stored.source_hash.as_deref()?;
        let hash = hash_file(file.source.open().ok()?).ok()?;
        if hash != stored_hash {
            return None;
        }
        // Only rows with experiment ids can be of several experiments.
        let siblings = || self.claims.stored_with_hash(&hash).filter(|sibling| sibling.source == stored.source);
        let mut unchanged: Vec<Experiment> = siblings().cloned().collect();
        unchanged.sort_by(|a, b| a.name.cmp(&b.name));
        Some(unchanged)
    }

    fn load_rows(&self, file: &Planned) -> Result<Staged, Stop> {
        let progress = Arc::clone(&self.progress);
        let meter = Rc::new(move |bytes| progress.bytes_read(bytes));
        let mut rows = Rows::open_source(&file.source, meter, self.request.from.is_some())?;
        let mut sink = Sink::new(self, file);
        self.read_all(&mut rows, &mut sink)?;
        let hash = match rows.hash() {
            Ok(hash) => hash,
            // The end could not be decoded, but its bytes are there.
            Err(fault) => file.source.open().and_then(hash_file).map_err(|_| fault)?,
        };
        sink.finish(&hash, rows.decoded_bytes())
    }

    fn read_all(&self, rows: &mut Rows, sink: &mut Sink<'_>) -> Result<(), Stop> {
        let mut unreported = 0;
        loop {
            match rows.next_row() {
                Ok(Some(row)) => sink.push(row)?,
                Ok(None) => break,
                Err(fault) if !self.request.keep_going || fault.extent == Extent::File => return Err(fault.into()),
                Err(fault) => {
                    let is_last = fault.extent == Extent::Rest;
                    sink.skip(fault);
                    if is_last {
                        break;
                    }
                }
            }
            unreported += 1;
            if unreported == ROWS_PER_REPORT {
                self.progress.rows_read(unreported);
                unreported = 0;
                if self.is_cancelled.load(Ordering::Relaxed) {
                    return Err(Stop::Cancelled);
                }
            }
        }
        self.progress.rows_read(unreported);
        Ok(())
    }

    /// Starts the writer of the `nth` experiment of a file.
    pub(crate) fn writer(&self, target: &Target, file: &Planned, nth: usize) -> ExperimentWriter {
        let experiment = Experiment {
            id: target.id.clone(),
            project: target.project.clone(),
            name: target.name.clone(),
            format: file.format().to_string(),
            source: Some(file.source.label.clone()),
            ..Experiment::default()
        };
        // The first experiment of a file is nearly always its only one. Any others share the last
        // quarter, each getting less, so that no number of them takes more than the whole.
        let share = if nth == 0 { self.memory_limit / 4 * 3 } else { self.memory_limit >> (nth + 2).min(20) };
        let options = WriterOptions { keep_going: self.request.keep_going, memory_limit: share.max(256 << 10) };
        self.store.writer(experiment, options)
    }
}

/// Why a file is left out of which another has the run.
pub(crate) fn same_run(imported: &Source) -> String {
    format!("holds the same run as `{}`, which is imported", imported.label)
}

/// Works on one file. Where a library gives up in the middle of it, the other files are not lost with it.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, Fault> {
    std::panic::catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        let message = format!("its reader gave up: {}", text.unwrap_or("no reason is known"));
        Fault::file(reason::UNREADABLE, message).at(1, None).with_hint("it is damaged, or it is a fault to report")
    })
}

/// The name of a file: what tells runs apart whose sources give them no id.
fn name_in(label: Option<&str>) -> Option<&str> {
    label?.rsplit('/').next()
}

/// Tells of `--keep-going` where it would help.
pub(crate) fn with_way_out(fault: Fault) -> Fault {
    if fault.hint.is_none() && reason::is_skipping(&fault.reason) {
        fault.with_hint("`--keep-going` skips such rows and counts them")
    } else {
        fault
    }
}

/// The hash of all that a run is made of: of a single file its own. What the user says of columns
/// counts too, because another map makes other rows.
fn hash_run(file: &Planned, foreign: &Foreign, request: &ImportRequest) -> Result<String, Fault> {
    let hash = |source: &Source| source.open().and_then(hash_file).map_err(|error| Fault::unreadable(&error));
    let main = hash(&file.source)?;
    let parts = foreign.format.parts(&file.source);
    if parts.is_empty() && request.columns.is_empty() {
        return Ok(main);
    }
    let mut all = Xxh3::new();
    all.update(main.as_bytes());
    for part in &parts {
        all.update(hash(part)?.as_bytes());
    }
    for (role, column) in &request.columns {
        all.update(format!("{role}\0{column}\0").as_bytes());
    }
    Ok(format!("{:032x}", all.digest128()))
}

/// The xxh3-128 of a file's bytes, in hex.
pub(crate) fn hash_file(content: Content) -> io::Result<String> {
    let mut hash = Xxh3::new();
    let mut buffer = vec![0; 256 << 10];
    let mut stream = content.stream(0);
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(format!("{:032x}", hash.digest128())),
            Ok(length) => hash.update(&buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_fault_of_the_file() {
        let fault = guarded(|| -> u8 { panic!("offset {} out of bounds", 7) }).unwrap_err();
        assert!(fault.to_string().contains("offset 7 out of bounds"), "{fault}");
        assert_eq!(guarded(|| 1), Ok(1));
    }
}
