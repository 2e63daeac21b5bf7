//! A consistent view of the store: columns, files, experiments.

use std::sync::Arc;

use deltalake_core::kernel::LogicalFileView;
use evalhouse_model::{Experiment, ProjectSettings, schema};
use object_store::path::Path;
use serde_json::Value;

use crate::columns::{Columns, decode_path};

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
    columns: Arc<Columns>,
    files: Arc<[DataFile]>,
    experiments: Arc<[Experiment]>,
    settings: Arc<[(String, ProjectSettings)]>,
}

impl Snapshot {
    pub(crate) fn new(
        version: u64,
        columns: Columns,
        files: Vec<DataFile>,
        experiments: Vec<Experiment>,
        settings: Vec<(String, ProjectSettings)>,
    ) -> Self {
        Self {
            version,
            columns: Arc::new(columns),
            files: files.into(),
            experiments: experiments.into(),
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

    /// Dynamic columns.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// Data files of both parts.
    pub fn files(&self) -> &Arc<[DataFile]> {
        &self.files
    }

    /// Names of the scores that an experiment has, whether or not any case has a value.
    pub fn score_names(&self, experiment_id: &str) -> Vec<String> {
        self.names(experiment_id, schema::SCORES)
    }

    /// Names of the metrics that an experiment has.
    pub fn metric_names(&self, experiment_id: &str) -> Vec<String> {
        self.names(experiment_id, schema::METRICS)
    }

    /// A file has counted the nulls of every score and metric column that it has. Files that hold
    /// several experiments are taken to have them all.
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

    /// The comparison key whose hash `optimize` has stored with every case of an experiment.
    pub fn saved_key(&self, _experiment_id: &str) -> Option<&str> {
        None
    }

    /// Records of the experiments, by project and name.
    pub fn experiments(&self) -> &[Experiment] {
        &self.experiments
    }
}
