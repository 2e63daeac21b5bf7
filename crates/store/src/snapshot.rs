//! A consistent view of the store: columns, files, experiments.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use deltalake_core::kernel::LogicalFileView;
use evalhouse_model::{Experiment, ObjectKind, ProjectSettings, schema};
use object_store::path::Path;
use serde_json::Value;

use crate::StoreError;
use crate::columns::{Columns, decode_path};
use crate::registry::ExperimentBody;

/// What the path of a file of rows that no longer hold begins with. The dot cannot be in the path of
/// another file, whatever the id of its experiment.
pub(crate) const HISTORY_PATH: &str = "is_root=false/history.";

/// One data file of the `spans` table.
#[derive(Debug, Clone)]
pub struct DataFile {
    /// Path from the root of the object store.
    pub path: Path,
    /// Path below the table.
    relative: String,
    /// True for a file of cases, false for one of child spans.
    pub is_root: bool,
    /// Bytes.
    pub size: u64,
    /// Delta's statistics: `numRecords`, `minValues`, `maxValues`, `nullCount`.
    pub statistics: Value,
}

impl DataFile {
    pub(crate) fn of(table: &Path, view: &LogicalFileView) -> Self {
        let relative = view.path().into_owned();
        let path = relative.split('/').fold(table.clone(), |path, segment| path.join(segment));
        Self {
            is_root: relative.starts_with("is_root=true/"),
            path,
            size: u64::try_from(view.size()).unwrap_or_default(),
            statistics: view.stats().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default(),
            relative,
        }
    }

    /// Path below the table, as commits name it.
    pub(crate) fn name(&self) -> &str {
        &self.relative
    }

    /// Rows in the file.
    pub fn rows(&self) -> Option<u64> {
        self.statistics["numRecords"].as_u64()
    }

    /// The experiment whose rows these are, when they are all of one.
    pub fn experiment_id(&self) -> Option<&str> {
        let low = self.minimum(schema::EXPERIMENT_ID)?.as_str()?;
        (self.maximum(schema::EXPERIMENT_ID)?.as_str()? == low).then_some(low)
    }

    /// The project whose rows these are, when they are all of one.
    pub fn project(&self) -> Option<&str> {
        let low = self.minimum(schema::PROJECT)?.as_str()?;
        (self.maximum(schema::PROJECT)?.as_str()? == low).then_some(low)
    }

    /// Whether rows of an experiment may be in the file, as far as its statistics tell.
    pub(crate) fn may_hold(&self, experiment_id: &str) -> bool {
        let bound = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_string);
        let low = bound(self.minimum(schema::EXPERIMENT_ID));
        let high = bound(self.maximum(schema::EXPERIMENT_ID));
        low.is_none_or(|low| low.as_str() <= experiment_id) && high.is_none_or(|high| high.as_str() >= experiment_id)
    }

    /// Whether the rows no longer hold: they are kept for reads as of an older transaction.
    pub fn is_history(&self) -> bool {
        self.relative.starts_with(HISTORY_PATH)
    }

    /// The newest transaction that wrote one of the rows, where transactions are known.
    pub(crate) fn newest_xact(&self) -> Option<u64> {
        self.maximum(schema::XACT)?.as_u64()
    }

    /// Smallest value of a stored column, if recorded.
    pub fn minimum(&self, column: &str) -> Option<&Value> {
        self.statistics.get("minValues")?.get(column)
    }

    /// Largest value of a stored column, if recorded.
    pub fn maximum(&self, column: &str) -> Option<&Value> {
        self.statistics.get("maxValues")?.get(column)
    }

    /// Nulls in a stored column, if recorded.
    pub fn null_count(&self, column: &str) -> Option<u64> {
        self.statistics.get("nullCount")?.get(column)?.as_u64()
    }
}

/// What the store held at one moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    version: u64,
    registry_version: u64,
    columns: Arc<Columns>,
    files: Arc<[DataFile]>,
    history: Arc<[DataFile]>,
    experiments: Arc<[Experiment]>,
    datasets: Arc<[Experiment]>,
    logs: Arc<[Experiment]>,
    bodies: Arc<[ExperimentBody]>,
    /// Place of each experiment's record, by id.
    places: Arc<HashMap<String, usize>>,
    settings: Arc<[(String, ProjectSettings)]>,
}

impl Snapshot {
    pub(crate) fn new(
        version: u64,
        registry_version: u64,
        columns: Columns,
        files: Vec<DataFile>,
        bodies: Vec<ExperimentBody>,
        settings: Vec<(String, ProjectSettings)>,
    ) -> Self {
        let (history, files): (Vec<DataFile>, Vec<DataFile>) = files.into_iter().partition(DataFile::is_history);
        let of_kind = |kind: ObjectKind| {
            let bodies = bodies.iter().filter(move |body| body.experiment.kind == kind);
            bodies.map(|body| body.experiment.clone()).collect::<Arc<[Experiment]>>()
        };
        Self {
            version,
            registry_version,
            columns: Arc::new(columns),
            files: files.into(),
            history: history.into(),
            experiments: of_kind(ObjectKind::Experiment),
            datasets: of_kind(ObjectKind::Dataset),
            logs: of_kind(ObjectKind::Logs),
            places: Arc::new(bodies.iter().enumerate().map(|(i, body)| (body.experiment.id.clone(), i)).collect()),
            bodies: bodies.into(),
            settings: settings.into(),
        }
    }

    /// The settings of a project; the defaults where none were made.
    pub fn settings(&self, project: &str) -> ProjectSettings {
        let found = self.settings.iter().find(|(name, _)| name == project);
        found.map(|(_, settings)| settings.clone()).unwrap_or_default()
    }

    /// The settings of every project that has some.
    pub fn all_settings(&self) -> &[(String, ProjectSettings)] {
        &self.settings
    }

    /// Version of the `spans` table.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Version of the `registry` table.
    pub fn registry_version(&self) -> u64 {
        self.registry_version
    }

    /// The snapshot as if these projects were all there is: no experiment, file, setting or column of
    /// another one is in it.
    ///
    /// # Errors
    /// [`StoreError::MixedFile`] when a file holds rows of a project and of another one.
    pub fn of_projects(&self, projects: &BTreeSet<String>) -> Result<Self, StoreError> {
        let is_of = |project: &str| projects.contains(project);
        let bodies: Vec<ExperimentBody> =
            self.bodies.iter().filter(|body| is_of(&body.experiment.project)).cloned().collect();
        let ids: HashSet<&str> = bodies.iter().map(|body| body.experiment.id.as_str()).collect();
        let mut files = Vec::new();
        for file in self.files.iter() {
            let is_theirs = match (file.experiment_id(), file.project()) {
                (Some(id), _) => ids.contains(id),
                (None, Some(project)) => is_of(project),
                (None, None) if ids.iter().any(|id| file.may_hold(id)) => {
                    return Err(StoreError::MixedFile { file: file.relative.clone() });
                }
                (None, None) => false,
            };
            if is_theirs {
                files.push(file.clone());
            }
        }
        // A path that is no column is read from the JSON, so a column can always be left out.
        let columns = self.columns.retained(|name| files.iter().any(|file| file.null_count(name).is_some()));
        let settings = self.settings.iter().filter(|(project, _)| is_of(project)).cloned().collect();
        Ok(Self::new(self.version, self.registry_version, columns, files, bodies, settings))
    }

    /// Dynamic columns.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// Data files of both parts and of every kind of object.
    pub fn files(&self) -> &Arc<[DataFile]> {
        &self.files
    }

    /// Data files of one kind of object, as far as the files tell.
    pub fn files_of(&self, kind: ObjectKind) -> Vec<DataFile> {
        let is_of = |file: &&DataFile| {
            let id = file.minimum(schema::EXPERIMENT_ID).and_then(Value::as_str);
            let body = id.and_then(|id| self.body(id));
            body.map(|body| body.experiment.kind).unwrap_or_default() == kind
        };
        self.files.iter().filter(is_of).cloned().collect()
    }

    /// Data files of rows that no longer hold, see [`schema::HISTORY_PREFIX`].
    pub fn history(&self) -> &Arc<[DataFile]> {
        &self.history
    }

    /// Names of the scores that an experiment has, whether or not any case has a value.
    pub fn score_names(&self, experiment_id: &str) -> Vec<String> {
        match self.body(experiment_id).and_then(|body| body.scores.clone()) {
            Some(names) => names,
            None => self.names(experiment_id, schema::SCORES),
        }
    }

    /// Names of the metrics that an experiment has.
    pub fn metric_names(&self, experiment_id: &str) -> Vec<String> {
        match self.body(experiment_id).and_then(|body| body.metrics.clone()) {
            Some(names) => names,
            None => self.names(experiment_id, schema::METRICS),
        }
    }

    /// For records that do not say: a file has counted the nulls of every score and metric column that
    /// it has.
    fn names(&self, experiment_id: &str, field: &str) -> Vec<String> {
        let is_of = |file: &&DataFile| file.is_root && file.experiment_id().is_none_or(|id| id == experiment_id);
        let files: Vec<&DataFile> = self.files.iter().filter(is_of).collect();
        let of_field = self.columns.iter().filter_map(|(path, column)| {
            let (found, mut keys) = decode_path(path);
            (found == field).then(|| (keys.pop().unwrap_or_default(), &column.name))
        });
        let has = |column: &str| files.iter().any(|file| file.null_count(column).is_some());
        of_field.filter(|(_, column)| has(column)).map(|(name, _)| name).collect()
    }

    fn body(&self, experiment_id: &str) -> Option<&ExperimentBody> {
        self.places.get(experiment_id).map(|place| &self.bodies[*place])
    }

    /// The records with what the store alone knows of them.
    pub(crate) fn bodies(&self) -> &[ExperimentBody] {
        &self.bodies
    }

    /// The comparison key whose hash `optimize` has stored with every case of an experiment.
    pub fn saved_key(&self, experiment_id: &str) -> Option<&str> {
        self.body(experiment_id)?.saved_key.as_deref()
    }

    /// Whether any experiment has the hash of a saved key.
    pub fn has_saved_keys(&self) -> bool {
        self.bodies.iter().any(|body| body.saved_key.is_some())
    }

    /// Records of the experiments, by project and name.
    pub fn experiments(&self) -> &[Experiment] {
        &self.experiments
    }

    /// Records of the datasets, by project and name.
    pub fn datasets(&self) -> &[Experiment] {
        &self.datasets
    }

    /// Records of the projects' logs, by project.
    pub fn logs(&self) -> &[Experiment] {
        &self.logs
    }

    /// The record of an experiment, a dataset or logs.
    pub fn record(&self, id: &str) -> Option<&Experiment> {
        self.body(id).map(|body| &body.experiment)
    }
}
