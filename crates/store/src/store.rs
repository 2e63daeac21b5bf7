//! The store: experiments in, snapshots out.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use deltalake_core::DeltaTable;
use deltalake_core::kernel::Action;
use deltalake_core::protocol::SaveMode;
use evalhouse_model::{Experiment, ProjectSettings, schema};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::ObjectStoreExt;

use crate::StoreError;
use crate::columns::{Columns, decode_path};
use crate::encode::{EXPERIMENT_FOOTER_KEY, without_columns};
use crate::location::Location;
use crate::optimize::{EXPERIMENTS_FOOTER_KEY, Rewritten, not_of};
use crate::reader::FileReader;
use crate::registry::{self, ExperimentBody, Record, Registry};
use crate::snapshot::{DataFile, Snapshot};
use crate::table::{self, Commit, REGISTRY, SPANS};
use crate::writer::{ExperimentWriter, StagedExperiment, StagedFile, Target, WriterOptions};

/// Attempts to commit before giving up; each one follows a commit of somebody else.
pub(crate) const ATTEMPTS_MAX: usize = 60;

/// One store: two Delta tables at one URL. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    location: Location,
    spans: tokio::sync::Mutex<DeltaTable>,
    registry: tokio::sync::Mutex<Registry>,
    /// Columns of the table and of what this process has staged: writers agree on names and kinds.
    columns: Arc<Mutex<Columns>>,
}

impl Store {
    /// Opens the store at a folder or URL.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none, [`StoreError::NewerFormat`] when a newer evalhouse
    /// wrote it.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let location = Location::parse(url)?;
        let (spans, registry) = futures::try_join!(table::open(&location, SPANS), table::open(&location, REGISTRY))?;
        match (spans, registry) {
            (Some(spans), Some(registry)) => Self::new(location, spans, registry),
            // A creator that died between its two tables left one: the store is still empty.
            _ => Err(StoreError::NotFound { url: url.to_string() }),
        }
    }

    /// Opens the store at a folder or URL, creating it when there is none.
    ///
    /// # Errors
    /// As [`Self::open`], without [`StoreError::NotFound`].
    pub async fn create(url: &str) -> Result<Self, StoreError> {
        let location = Location::parse(url)?;
        let spans = table::open_or_create(&location, SPANS).await?;
        let registry = table::open_or_create(&location, REGISTRY).await?;
        Self::new(location, spans, registry)
    }

    fn new(location: Location, spans: DeltaTable, registry: DeltaTable) -> Result<Self, StoreError> {
        let columns = Columns::from_schema(spans.snapshot()?.schema().as_ref());
        Ok(Self {
            inner: Arc::new(Inner {
                location,
                columns: Arc::new(Mutex::new(columns)),
                spans: tokio::sync::Mutex::new(spans),
                registry: tokio::sync::Mutex::new(Registry::new(registry)),
            }),
        })
    }

    pub(crate) fn spans(&self) -> &tokio::sync::Mutex<DeltaTable> {
        &self.inner.spans
    }

    pub(crate) fn registry(&self) -> &tokio::sync::Mutex<Registry> {
        &self.inner.registry
    }

    /// Where the store is.
    pub fn location(&self) -> &Location {
        &self.inner.location
    }

    /// One consistent view of everything stored. Later commits do not change it.
    pub async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        // Records are written after the files they describe, so the files are listed first and a
        // record found later can only be as new or newer; one that is missing is healed below.
        let (version, columns, files) = {
            let mut spans = self.inner.spans.lock().await;
            spans.update_state().await?;
            let state = spans.snapshot()?;
            let base = self.inner.location.table_path(SPANS);
            let files: Vec<DataFile> = state.log_data().iter().map(|view| DataFile::of(&base, &view)).collect();
            (state.version(), Columns::from_schema(state.schema().as_ref()), files)
        };
        let (registry_version, records) = {
            let mut registry = self.inner.registry.lock().await;
            registry.update_state().await?;
            (registry.version()?, registry.read(&self.inner.location).await?)
        };
        let bodies = self.reconcile(&files, &records).await?;
        let settings = records
            .iter()
            .filter(|record| record.kind == registry::SETTINGS && !record.deleted)
            .map(|record| Ok((record.id.clone(), record.settings()?)))
            .collect::<Result<Vec<_>, StoreError>>()?;
        Ok(Snapshot::new(version, registry_version, columns, files, bodies, settings))
    }

    /// Whether nothing has been committed since a snapshot was taken. Costs one look-up a table: no
    /// list is made and nothing is read.
    ///
    /// # Errors
    /// When the object store cannot be asked.
    pub async fn is_current(&self, snapshot: &Snapshot) -> Result<bool, StoreError> {
        let (spans, registry) = futures::try_join!(
            self.is_newest(SPANS, snapshot.version()),
            self.is_newest(REGISTRY, snapshot.registry_version())
        )?;
        Ok(spans && registry)
    }

    async fn is_newest(&self, table: &str, version: u64) -> Result<bool, StoreError> {
        // Versions have no gaps: a table is newer when the commit after this one is there.
        let next = format!("{:020}.json", version.saturating_add(1));
        let commit = self.inner.location.table_path(table).join("_delta_log").join(next);
        match self.inner.location.root.head(&commit).await {
            Ok(_) => Ok(false),
            Err(object_store::Error::NotFound { .. }) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    /// Changes the settings of a project. `change` may run several times, each time on what is stored
    /// then, so that no other writer's change is lost; what it refuses is not stored.
    ///
    /// # Errors
    /// [`StoreError::Contention`] when other writers win every attempt; the inner error is `change`'s.
    pub async fn change_settings<T, E>(
        &self,
        project: &str,
        change: impl Fn(&mut ProjectSettings) -> Result<T, E>,
    ) -> Result<Result<T, E>, StoreError> {
        let mut registry = self.inner.registry.lock().await;
        registry::change_settings(&self.inner.location, &mut registry, project, change).await
    }

    /// The records of all stored experiments, newest record of each, by project and name.
    pub async fn experiments(&self) -> Result<Vec<Experiment>, StoreError> {
        Ok(self.snapshot().await?.experiments().to_vec())
    }

    /// Matches records with files. A file whose records were never written (its writer died between
    /// the two commits) carries them in its footer, and so does one that is newer than its record.
    async fn reconcile(&self, files: &[DataFile], records: &[Record]) -> Result<Vec<ExperimentBody>, StoreError> {
        let case_files: HashMap<&str, &DataFile> =
            files.iter().filter(|file| file.is_root).map(|file| (file.name(), file)).collect();
        let mut described: HashSet<&str> = HashSet::new();
        let mut bodies: HashMap<String, ExperimentBody> = HashMap::new();
        let mut deleted: HashSet<&str> = HashSet::new();
        for record in records.iter().filter(|record| record.kind == registry::EXPERIMENT) {
            if record.deleted {
                deleted.insert(&record.id);
                continue;
            }
            let body = record.experiment()?;
            match &body.case_file {
                None => {
                    bodies.insert(record.id.clone(), body);
                }
                Some(path) => {
                    if let Some((name, _)) = case_files.get_key_value(path.as_str()) {
                        described.insert(name);
                        bodies.insert(record.id.clone(), body);
                    }
                }
            }
        }
        let is_covered = |file: &DataFile| {
            let record = file.experiment_id().and_then(|id| bodies.get(id)).and_then(|body| body.experiment.xact);
            record.zip(file.newest_xact()).is_some_and(|(record, file)| record >= file)
        };
        let nameless = case_files
            .into_iter()
            .filter(|(name, file)| !described.contains(name) && !is_covered(file))
            .map(|(_, file)| file);
        // Boxed one by one: so the compiler sees that the whole can be sent to another thread.
        let footers: Vec<BoxFuture<'_, _>> = nameless.map(|file| self.footer_records(file).boxed()).collect();
        let healed: Vec<Vec<ExperimentBody>> =
            futures::stream::iter(footers).buffer_unordered(16).try_collect().await?;
        for body in healed.into_iter().flatten().filter(|body| !deleted.contains(body.experiment.id.as_str())) {
            let id = body.experiment.id.clone();
            if bodies.get(&id).is_none_or(|known| known.experiment.xact < body.experiment.xact) {
                bodies.insert(id, body);
            }
        }
        let mut bodies: Vec<ExperimentBody> = bodies.into_values().collect();
        bodies.sort_by(|a, b| {
            let key = |body: &ExperimentBody| {
                let experiment = &body.experiment;
                (experiment.project.clone(), experiment.name.clone(), experiment.id.clone())
            };
            key(a).cmp(&key(b))
        });
        Ok(bodies)
    }

    async fn footer_records(&self, file: &DataFile) -> Result<Vec<ExperimentBody>, StoreError> {
        let metadata = FileReader::new(&self.inner.location.root, file).metadata().await?;
        let pairs = metadata.file_metadata().key_value_metadata();
        let corrupt = |source| StoreError::Corrupt { place: format!("footer of `{}`", file.path), source };
        let text = |key: &str| {
            let pair = pairs.into_iter().flatten().find(|pair| pair.key == key);
            pair.and_then(|pair| pair.value.as_deref())
        };
        if let Some(text) = text(EXPERIMENTS_FOOTER_KEY) {
            return serde_json::from_str(text).map_err(corrupt);
        }
        let Some(text) = text(EXPERIMENT_FOOTER_KEY) else { return Ok(Vec::new()) };
        let experiment: Experiment = serde_json::from_str(text).map_err(corrupt)?;
        // What a server has logged may be in several files: none of them describes it.
        let case_file = experiment.xact.is_none().then(|| file.name().to_string());
        Ok(vec![ExperimentBody { experiment, case_file, scores: None, metrics: None, saved_key: None }])
    }

    /// Starts writing an experiment. Call it inside a tokio runtime; use the writer on a blocking
    /// thread.
    pub fn writer(&self, experiment: Experiment, options: WriterOptions) -> ExperimentWriter {
        let target = Target {
            store: Arc::clone(&self.inner.location.root),
            table: self.inner.location.table_path(SPANS),
            columns: Arc::clone(&self.inner.columns),
            runtime: tokio::runtime::Handle::current(),
        };
        ExperimentWriter::new(experiment, options, target)
    }

    /// Makes staged experiments visible, all in one commit. A stored experiment with the id of a
    /// staged one is replaced.
    ///
    /// # Errors
    /// [`StoreError::Contention`] when other writers win every attempt. Nothing is visible then.
    pub async fn commit(&self, mut staged: Vec<StagedExperiment>) -> Result<(), StoreError> {
        if staged.is_empty() {
            return Ok(());
        }
        let moved = self.commit_spans(&mut staged).await?;
        let records = staged
            .iter()
            .map(|one| Record::of_experiment(&body_of(one)))
            .chain(moved.iter().map(Record::of_experiment))
            .collect::<Result<Vec<_>, _>>()?;
        let mut registry = self.inner.registry.lock().await;
        registry::append(&self.inner.location, &mut registry, records).await
    }

    /// Commits the files. Returns the records of other experiments whose rows shared a file with a
    /// replaced one and are in another file now.
    async fn commit_spans(&self, staged: &mut [StagedExperiment]) -> Result<Vec<ExperimentBody>, StoreError> {
        let ids: HashSet<String> = staged.iter().map(|one| one.experiment.id.clone()).collect();
        let mut spans = self.inner.spans.lock().await;
        for attempt in 0..ATTEMPTS_MAX {
            spans.update_state().await?;
            let mut actions = Vec::new();
            let columns = self.add_columns(&spans, staged, &mut actions).await?;
            let base = self.inner.location.table_path(SPANS);
            let mut replaced: Vec<Action> = Vec::new();
            let mut shared: Vec<(DataFile, Action)> = Vec::new();
            for view in spans.snapshot()?.log_data() {
                let file = DataFile::of(&base, &view);
                match file.experiment_id() {
                    Some(id) if ids.contains(id) => replaced.push(Action::Remove(view.remove_action(true))),
                    None if ids.iter().any(|id| file.may_hold(id)) => {
                        shared.push((file, Action::Remove(view.remove_action(true))));
                    }
                    _ => {}
                }
            }
            let mut moved = Vec::new();
            for (file, remove) in shared {
                match self.without_rows(&file, &|batch| not_of(batch, &ids), &ids).await? {
                    Rewritten::Same => {}
                    Rewritten::Empty => replaced.push(remove),
                    Rewritten::Less(add, bodies) => {
                        replaced.extend([remove, *add]);
                        moved.extend(bodies);
                    }
                }
            }
            let mode = if replaced.is_empty() { SaveMode::Append } else { SaveMode::Overwrite };
            actions.extend(replaced);
            for file in staged.iter().flat_map(|one| &one.files) {
                let path = file.path.clone();
                actions.push(table::add_file(path, file.size, Some(file.is_root), file.statistics.clone()));
            }
            if let Commit::Done = table::commit(&spans, actions, mode).await? {
                self.absorb_columns(&columns);
                return Ok(moved);
            }
            back_off(attempt).await;
        }
        Err(StoreError::Contention { attempts: ATTEMPTS_MAX })
    }

    /// Adds to `actions` what the table must learn before it can hold the staged files: their columns,
    /// and the format they are written in. Returns the table's columns from then on.
    pub(crate) async fn add_columns(
        &self,
        spans: &DeltaTable,
        staged: &mut [StagedExperiment],
        actions: &mut Vec<Action>,
    ) -> Result<Columns, StoreError> {
        let before = Columns::from_schema(spans.snapshot()?.schema().as_ref());
        let columns = self.merge_columns(before.clone(), staged).await?;
        if columns != before || table::is_older(spans)? {
            actions.push(table::set_columns(spans, &columns)?);
        }
        Ok(columns)
    }

    /// Takes note of columns that the table has now.
    pub(crate) fn absorb_columns(&self, columns: &Columns) {
        self.inner.columns.lock().unwrap_or_else(PoisonError::into_inner).absorb(columns);
    }

    /// The table's columns with those of the staged files. A file whose column another writer has
    /// meanwhile given a different kind is rewritten without it: its values are in the JSON anyway.
    async fn merge_columns(
        &self,
        mut columns: Columns,
        staged: &mut [StagedExperiment],
    ) -> Result<Columns, StoreError> {
        for file in staged.iter_mut().flat_map(|one| &mut one.files) {
            let refused = columns.merge(&file.columns);
            if !refused.is_empty() {
                self.drop_columns(file, &refused).await?;
                for path in &refused {
                    // The table's own column now stands for the path.
                    match columns.get(path) {
                        Some(known) => file.columns.insert(path.clone(), known.clone()),
                        None => file.columns.remove(path),
                    };
                }
            }
        }
        Ok(columns)
    }

    async fn drop_columns(&self, file: &mut StagedFile, paths: &[String]) -> Result<(), StoreError> {
        let names: Vec<String> = paths
            .iter()
            .filter_map(|path| file.columns.get(path))
            .map(|column| column.name.clone())
            .filter(|name| file.stored.contains(name))
            .collect();
        if names.is_empty() {
            return Ok(());
        }
        let location = self.inner.location.table_path(SPANS);
        let at = |path: &str| path.split('/').fold(location.clone(), |path, segment| path.join(segment));
        let bytes = self.inner.location.root.get(&at(&file.path)).await?.bytes().await?;
        let rewritten = without_columns(bytes, &names, file.is_root)?;
        let path = format!("{}-{}.parquet", file.path.trim_end_matches(".parquet"), uuid::Uuid::new_v4().simple());
        file.size = rewritten.len() as u64;
        self.inner.location.root.put(&at(&path), rewritten.into()).await?;
        file.path = path;
        for name in &names {
            file.stored.remove(name);
        }
        file.statistics = crate::statistics::statistics_without(&file.statistics, &names);
        Ok(())
    }
}

/// The record of an experiment that is about to be committed.
fn body_of(one: &StagedExperiment) -> ExperimentBody {
    let cases = one.files.iter().find(|file| file.is_root);
    let names = |field: &str| cases.map(|file| names_of(file, field));
    ExperimentBody {
        experiment: one.experiment.clone(),
        case_file: cases.map(|file| file.path.clone()),
        scores: names(schema::SCORES),
        metrics: names(schema::METRICS),
        saved_key: None,
    }
}

/// Names of the scores or metrics that a staged file has.
pub(crate) fn names_of(file: &StagedFile, field: &str) -> Vec<String> {
    let of_field = file.columns.keys().filter_map(|path| {
        let (found, mut keys) = decode_path(path);
        (found == field).then(|| keys.pop().unwrap_or_default())
    });
    of_field.collect()
}

/// Waits a little longer after each lost race, with jitter so that writers do not march in step.
pub(crate) async fn back_off(attempt: usize) {
    let most = 10_u64 << attempt.min(6);
    let jitter = uuid::Uuid::new_v4().as_u128() as u64 % most.max(1);
    tokio::time::sleep(Duration::from_millis(jitter + 1)).await;
}
