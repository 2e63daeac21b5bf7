//! The whole import: look at all files, load them on all cores, commit what they hold.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use evalhouse_model::{Experiment, ImportReport, ImportedExperiment, SkippedFile};
use evalhouse_store::{StagedExperiment, Store, StoreError};
use tokio::sync::mpsc;

use crate::discover::{Source, discover};
use crate::error::ImportError;
use crate::load::{Loaded, LoadedRun, Loader, Staged, guarded};
use crate::plan::{Claims, Kind, Looked, Planned, failed, look, project_of};
use crate::request::{ImportRequest, Progress};

/// Bytes of rows buffered at most, by all workers together.
const MEMORY_LIMIT: usize = 256 << 20;
/// Experiments that are committed together at most.
const COMMIT_EXPERIMENTS_MAX: usize = 256;
/// Bytes of Parquet that are committed together at most.
const COMMIT_BYTES_MAX: u64 = 1 << 30;

/// Imports eval results into a store.
///
/// All experiments of a file become visible in one commit, or none of them. What is wrong with
/// single files or rows is in the report, and the other files are imported all the same.
///
/// # Errors
/// When the request makes no sense, a named path is not there, nothing is recognised, or the store
/// fails. Experiments committed before the store failed stay.
pub async fn import(
    store: &Store,
    request: ImportRequest,
    progress: Arc<dyn Progress>,
) -> Result<ImportReport, ImportError> {
    let begin = Instant::now();
    check_names(&request)?;
    let mut report = ImportReport::default();
    let planned = plan(&request, &mut report).await?;
    let claims = Claims::new(store.experiments().await?);
    let queue = claim_all(planned, &claims, &mut report);
    progress.planned(queue.len(), queue.iter().map(|file| file.source.bytes).sum());

    let workers = worker_count().min(queue.len().max(1));
    let loader = Arc::new(Loader {
        store: store.clone(),
        request,
        claims,
        progress,
        is_cancelled: AtomicBool::new(false),
        memory_limit: MEMORY_LIMIT / workers,
    });
    let _cancel = CancelOnDrop(Arc::clone(&loader));
    load_all(&loader, queue, workers, &mut report).await?;
    report.seconds = begin.elapsed().as_secs_f64();
    Ok(report)
}

pub(crate) fn check_names(request: &ImportRequest) -> Result<(), ImportError> {
    let is_empty = |name: &Option<String>| name.as_ref().is_some_and(|name| name.trim().is_empty());
    if is_empty(&request.project) {
        return Err(ImportError::EmptyName { what: "project" });
    }
    if is_empty(&request.experiment) {
        return Err(ImportError::EmptyName { what: "experiment" });
    }
    for (at, (role, second)) in request.columns.iter().enumerate() {
        if let Some((_, first)) = request.columns.iter().take(at).find(|(earlier, _)| earlier == role) {
            let (role, first, second) = (role.clone(), first.clone(), second.clone());
            return Err(ImportError::RoleTwice { role, first, second });
        }
    }
    Ok(())
}

/// Finds the files and looks at each one's first bytes. Files in the order of the paths.
pub(crate) async fn plan(request: &ImportRequest, report: &mut ImportReport) -> Result<Vec<Planned>, ImportError> {
    let paths = request.paths.clone();
    let found = tokio::task::spawn_blocking(move || discover(&paths)).await.map_err(internal)??;
    let shared = Arc::new(request.clone());
    let looking = Arc::clone(&shared);
    report.skipped.extend(found.skipped);
    report.failed.extend(found.failed);
    let files: VecDeque<(usize, Source)> = found.sources.into_iter().enumerate().collect();
    let count = files.len();
    let mut answers = on_workers(files, worker_count(), move |(index, source)| {
        let label = source.label.clone();
        let looked = guarded(|| look(source, index, &looking));
        (index, looked.unwrap_or_else(|fault| Looked::Failed(failed(&label, &fault))))
    });
    let mut looked = Vec::with_capacity(count);
    while let Some(answer) = answers.recv().await {
        looked.push(answer);
    }
    if looked.len() < count {
        return Err(ImportError::Internal("a worker stopped while it looked at files".into()));
    }
    looked.sort_by_key(|(index, _)| *index);

    let mut runs = Runs::default();
    for (_, looked) in looked {
        match looked {
            Looked::Rows(file) => runs.add(*file, request),
            Looked::Skipped(file) => report.skipped.push(file),
            Looked::Failed(file) => report.failed.push(file),
        }
    }
    let mut planned = runs.planned;
    if planned.is_empty() && report.failed.is_empty() {
        let places: Vec<String> = shared.paths.iter().map(|path| format!("`{path}`")).collect();
        let first = report.skipped.first().map(|file| format!("{}` {}", file.path, file.reason));
        return Err(ImportError::NothingRecognised { places: places.join(", "), first_skipped: first });
    }
    mark_shared_names(&mut planned, &shared);
    if shared.experiment.is_some() && planned.len() > 1 {
        return Err(ImportError::ExperimentNameForMany { files: planned.len() });
    }
    Ok(planned)
}

fn mark_shared_names(planned: &mut [Planned], request: &ImportRequest) {
    let mut names = HashSet::new();
    for file in planned {
        file.shares_name = !names.insert((project_of(&file.source, request), file.source.stem()));
    }
}

/// The files that are planned: one a run of another tool, with the other files of the same run.
#[derive(Default)]
struct Runs {
    planned: Vec<Planned>,
    files: HashSet<String>,
    /// Project, format and run id to the place of the file.
    runs: HashMap<(String, &'static str, String), usize>,
}

impl Runs {
    fn add(&mut self, file: Planned, request: &ImportRequest) {
        if let Kind::Foreign(foreign) = &file.kind {
            // A part of a run names its main file, which others name as well.
            if !self.files.insert(file.source.identity()) {
                return;
            }
            if let Some(id) = &foreign.run_id {
                let run = (project_of(&file.source, request), foreign.format.name(), id.clone());
                let place = *self.runs.entry(run).or_insert(self.planned.len());
                if let Some(first) = self.planned.get_mut(place) {
                    return first.others.push(file.source);
                }
            }
        }
        self.planned.push(file);
    }
}

/// Takes each file's experiment, the first file first; then the largest file comes first.
fn claim_all(planned: Vec<Planned>, claims: &Claims, report: &mut ImportReport) -> VecDeque<Planned> {
    let mut queue = Vec::with_capacity(planned.len());
    for file in planned {
        let claimed = match &file.kind {
            Kind::Rows(target) => claims.claim(target, file.index, &file.source.label),
            Kind::Foreign(_) => Ok(()),
        };
        match claimed {
            Ok(()) => queue.push(file),
            Err(fault) => report.failed.push(failed(&file.source.label, &fault.at(1, None))),
        }
    }
    queue.sort_by_key(|file| std::cmp::Reverse(file.source.bytes));
    queue.into()
}

/// Loads the files and commits what they hold: once at the end, or whenever much has piled up.
async fn load_all(
    loader: &Arc<Loader>,
    queue: VecDeque<Planned>,
    workers: usize,
    report: &mut ImportReport,
) -> Result<(), ImportError> {
    let count = queue.len();
    let shared = Arc::clone(loader);
    let mut answers = on_workers(queue, workers, move |file| shared.load_run(file));
    let mut batch = Batch::default();
    let mut order = HashMap::new();
    while let Some(answer) = answers.recv().await {
        let LoadedRun { file, loaded, others } = answer?;
        report.files += 1;
        let index = file.index;
        order.insert(file.source.label.clone(), index);
        let label = file.source.label.clone();
        match loaded {
            Loaded::Staged(staged) => batch.add(staged, &file, report),
            Loaded::Unchanged(stored) => report.unchanged.extend(stored.iter().map(|e| imported(e, &label))),
            left => leave_out(left, label, report),
        }
        for (source, left) in others {
            order.insert(source.label.clone(), index);
            leave_out(left, source.label, report);
        }
        if batch.is_full() {
            batch.commit(loader).await?;
        }
    }
    if usize::try_from(report.files) != Ok(count) {
        return Err(ImportError::Internal("a worker stopped while it read a file".into()));
    }
    batch.commit(loader).await?;
    sort_report(report, &order);
    Ok(())
}

/// Reports a file of which nothing is stored.
fn leave_out(left: Loaded, path: String, report: &mut ImportReport) {
    match left {
        Loaded::Empty(reason) => report.skipped.push(SkippedFile { path, reason }),
        Loaded::Failed(reason) => report.failed.push(SkippedFile { path, reason }),
        Loaded::Staged(_) | Loaded::Unchanged(_) | Loaded::Cancelled => {}
    }
}

/// Staged experiments that wait for their commit.
#[derive(Default)]
struct Batch {
    staged: Vec<StagedExperiment>,
    bytes: u64,
}

impl Batch {
    fn add(&mut self, staged: Staged, file: &Planned, report: &mut ImportReport) {
        report.bytes += i64::try_from(staged.decoded_bytes).unwrap_or(i64::MAX);
        let path = file.source.label.clone();
        report.failed.extend(staged.skipped.map(|reason| SkippedFile { path, reason }));
        for one in staged.experiments {
            report.imported.push(imported(&one.experiment, &file.source.label));
            self.bytes += one.bytes();
            self.staged.push(one);
        }
    }

    fn is_full(&self) -> bool {
        self.staged.len() >= COMMIT_EXPERIMENTS_MAX || self.bytes >= COMMIT_BYTES_MAX
    }

    async fn commit(&mut self, loader: &Loader) -> Result<(), StoreError> {
        if self.staged.is_empty() {
            return Ok(());
        }
        loader.progress.committing(self.staged.len());
        self.bytes = 0;
        loader.store.commit(std::mem::take(&mut self.staged)).await
    }
}

fn imported(experiment: &Experiment, source: &str) -> ImportedExperiment {
    ImportedExperiment {
        project: experiment.project.clone(),
        experiment: experiment.name.clone(),
        id: experiment.id.clone(),
        rows: experiment.rows,
        cases: experiment.cases,
        spans: experiment.spans,
        notes: experiment.notes.clone(),
        source: source.to_string(),
    }
}

/// Puts the report into the order of the files, because workers finish in no order.
fn sort_report(report: &mut ImportReport, order: &HashMap<String, usize>) {
    let place = |label: &str| order.get(label).copied().unwrap_or(0);
    report.imported.sort_by_key(|one| place(&one.source));
    report.unchanged.sort_by_key(|one| place(&one.source));
    report.failed.sort_by_key(|one| place(&one.path));
    report.skipped.sort_by(|a, b| a.path.cmp(&b.path));
}

/// Works a queue off on blocking threads. Answers come as they are ready; the channel closes when
/// the queue is empty, or early if a worker dies.
fn on_workers<T, R>(
    queue: VecDeque<T>,
    workers: usize,
    work: impl Fn(T) -> R + Send + Sync + 'static,
) -> mpsc::Receiver<R>
where
    T: Send + 'static,
    R: Send + 'static,
{
    let (sender, receiver) = mpsc::channel(workers);
    let shared = Arc::new((Mutex::new(queue), work));
    for _ in 0..workers {
        let (shared, sender) = (Arc::clone(&shared), sender.clone());
        tokio::task::spawn_blocking(move || {
            let (queue, work) = &*shared;
            loop {
                let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                let Some(item) = next else { return };
                if sender.blocking_send(work(item)).is_err() {
                    return;
                }
            }
        });
    }
    receiver
}

fn worker_count() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn internal(error: tokio::task::JoinError) -> ImportError {
    ImportError::Internal(error.to_string())
}

/// Tells the workers to stop when the import is no longer waited for.
struct CancelOnDrop(Arc<Loader>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.is_cancelled.store(true, Ordering::Relaxed);
    }
}
