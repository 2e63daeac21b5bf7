//! The registry: records of experiments, appended; the newest of an id wins.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use deltalake_core::DeltaTable;
use deltalake_core::kernel::Action;
use deltalake_core::protocol::SaveMode;
use evalhouse_model::{Experiment, ProjectSettings};
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStoreExt;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use crate::StoreError;
use crate::location::Location;
use crate::table::{self, Commit, REGISTRY};

/// Files after which an append also merges them all into one.
const FILES_MAX: usize = 16;
/// Files read at once.
const READ_CONCURRENCY: usize = 16;
/// Records in a file that is compressed.
const COMPRESSED_MIN: usize = 64;
/// Attempts to append before giving up.
const ATTEMPTS_MAX: usize = 60;

/// Kind of the record of an experiment, a dataset or a project's logs.
pub(crate) const EXPERIMENT: &str = "experiment";
/// Kind of the record of a project's settings.
pub(crate) const SETTINGS: &str = "settings";

/// One record.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) kind: String,
    pub(crate) id: String,
    pub(crate) project: String,
    pub(crate) name: String,
    /// Microseconds since the Unix epoch.
    pub(crate) written: i64,
    pub(crate) deleted: bool,
    pub(crate) body: String,
}

/// The body of an experiment's record.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct ExperimentBody {
    #[serde(flatten)]
    pub(crate) experiment: Experiment,
    /// The file of cases that this record describes, below the table. The record is out of date
    /// when the table has another file for the experiment.
    pub(crate) case_file: Option<String>,
    /// Names of its scores; absent in records of format 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) scores: Option<Vec<String>>,
    /// Names of its metrics; absent in records of format 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) metrics: Option<Vec<String>>,
    /// The comparison key whose hash is stored with its cases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) saved_key: Option<String>,
}

impl Record {
    pub(crate) fn of_experiment(body: &ExperimentBody) -> Result<Self, StoreError> {
        let corrupt = |source| StoreError::Corrupt { place: "experiment record".into(), source };
        Ok(Self {
            kind: EXPERIMENT.into(),
            id: body.experiment.id.clone(),
            project: body.experiment.project.clone(),
            name: body.experiment.name.clone(),
            written: chrono::Utc::now().timestamp_micros(),
            deleted: false,
            body: serde_json::to_string(body).map_err(corrupt)?,
        })
    }

    pub(crate) fn of_settings(project: &str, settings: &ProjectSettings) -> Result<Self, StoreError> {
        let corrupt = |source| StoreError::Corrupt { place: format!("settings of `{project}`"), source };
        Ok(Self {
            kind: SETTINGS.into(),
            id: project.into(),
            project: project.into(),
            name: project.into(),
            written: chrono::Utc::now().timestamp_micros(),
            deleted: false,
            body: serde_json::to_string(settings).map_err(corrupt)?,
        })
    }

    pub(crate) fn settings(&self) -> Result<ProjectSettings, StoreError> {
        let corrupt = |source| StoreError::Corrupt { place: format!("registry, settings of `{}`", self.id), source };
        serde_json::from_str(&self.body).map_err(corrupt)
    }

    pub(crate) fn experiment(&self) -> Result<ExperimentBody, StoreError> {
        let corrupt = |source| StoreError::Corrupt { place: format!("registry, experiment `{}`", self.id), source };
        serde_json::from_str(&self.body).map_err(corrupt)
    }
}

/// The registry's table, with what was read of its files: a file never changes.
#[derive(Debug)]
pub(crate) struct Registry {
    table: DeltaTable,
    files: HashMap<String, Arc<[Record]>>,
}

impl Registry {
    pub(crate) fn new(table: DeltaTable) -> Self {
        Self { table, files: HashMap::new() }
    }

    /// Looks for commits.
    pub(crate) async fn update_state(&mut self) -> Result<(), StoreError> {
        Ok(self.table.update_state().await?)
    }

    /// The table's version, as of the last look.
    pub(crate) fn version(&self) -> Result<u64, StoreError> {
        Ok(self.table.snapshot()?.version())
    }

    /// Paths of its files below the table, as of the last look.
    pub(crate) fn paths(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.table.snapshot()?.log_data().iter().map(|file| file.path().into_owned()).collect())
    }

    /// Every record, the newest of each kind and id.
    pub(crate) async fn read(&mut self, location: &Location) -> Result<Vec<Record>, StoreError> {
        Ok(newest(self.records(location).await?.cloned()))
    }

    /// The newest record of an experiment, unless it is deleted.
    pub(crate) async fn experiment_body(
        &mut self,
        location: &Location,
        id: &str,
    ) -> Result<Option<ExperimentBody>, StoreError> {
        let records = self.records(location).await?.filter(|record| record.kind == EXPERIMENT && record.id == id);
        let found = newest(records.cloned()).pop().filter(|record| !record.deleted);
        found.as_ref().map(Record::experiment).transpose()
    }

    /// All records of all files, of which those that are not known yet are read.
    async fn records(&mut self, location: &Location) -> Result<impl Iterator<Item = &Record>, StoreError> {
        let base = location.table_path(REGISTRY);
        let paths = self.paths()?;
        let unread: Vec<String> = paths.iter().filter(|path| !self.files.contains_key(*path)).cloned().collect();
        let read: Vec<(String, Arc<[Record]>)> = futures::stream::iter(unread)
            .map(|path| {
                let root = Arc::clone(&location.root);
                let place = base.clone().join(path.as_str());
                async move {
                    let bytes = root.get(&place).await?.bytes().await?;
                    Ok::<_, StoreError>((path, decode(bytes)?.into()))
                }
            })
            .buffered(READ_CONCURRENCY)
            .try_collect()
            .await?;
        self.files.extend(read);
        self.files.retain(|path, _| paths.contains(path));
        Ok(paths.into_iter().filter_map(|path| self.files.get(&path)).flat_map(|records| records.iter()))
    }
}

fn newest(records: impl Iterator<Item = Record>) -> Vec<Record> {
    let mut by_id: HashMap<(String, String), Record> = HashMap::new();
    for record in records {
        let key = (record.kind.clone(), record.id.clone());
        match by_id.get(&key) {
            Some(known) if known.written > record.written => {}
            _ => {
                by_id.insert(key, record);
            }
        }
    }
    let mut records: Vec<Record> = by_id.into_values().collect();
    records.sort_by(|a, b| (&a.kind, &a.id).cmp(&(&b.kind, &b.id)));
    records
}

/// Appends records in one commit, merging the table's small files when there are many.
pub(crate) async fn append(
    location: &Location,
    registry: &mut Registry,
    records: Vec<Record>,
) -> Result<(), StoreError> {
    for attempt in 0..ATTEMPTS_MAX {
        if let Commit::Done = try_append(location, registry, &records).await? {
            return Ok(());
        }
        crate::store::back_off(attempt).await;
        registry.update_state().await?;
    }
    Err(StoreError::Contention { attempts: ATTEMPTS_MAX })
}

/// Reads a project's settings, changes them and appends the result, again whenever somebody else's
/// commit came between: no change is lost. A change that is refused stores nothing.
pub(crate) async fn change_settings<T, E>(
    location: &Location,
    registry: &mut Registry,
    project: &str,
    change: impl Fn(&mut ProjectSettings) -> Result<T, E>,
) -> Result<Result<T, E>, StoreError> {
    for attempt in 0..ATTEMPTS_MAX {
        registry.update_state().await?;
        let records = registry.read(location).await?;
        let stored = records.iter().find(|record| record.kind == SETTINGS && record.id == project);
        let mut settings = stored.map(Record::settings).transpose()?.unwrap_or_default();
        let before = settings.clone();
        let outcome = match change(&mut settings) {
            Ok(outcome) => outcome,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if settings == before {
            return Ok(Ok(outcome));
        }
        let mut record = Record::of_settings(project, &settings)?;
        // Newest wins, also over a record that a fast clock wrote.
        record.written = record.written.max(stored.map_or(i64::MIN, |stored| stored.written + 1));
        if let Commit::Done = try_append(location, registry, &[record]).await? {
            return Ok(Ok(outcome));
        }
        crate::store::back_off(attempt).await;
    }
    Err(StoreError::Contention { attempts: ATTEMPTS_MAX })
}

/// Appends a record that wins over the stored one of its kind and id, whatever the clocks say.
pub(crate) async fn replace(
    location: &Location,
    registry: &mut Registry,
    mut record: Record,
) -> Result<(), StoreError> {
    for attempt in 0..ATTEMPTS_MAX {
        registry.update_state().await?;
        let records = registry.read(location).await?;
        let stored = records.iter().find(|stored| stored.kind == record.kind && stored.id == record.id);
        record.written = record.written.max(stored.map_or(i64::MIN, |stored| stored.written + 1));
        if let Commit::Done = try_append(location, registry, std::slice::from_ref(&record)).await? {
            return Ok(());
        }
        crate::store::back_off(attempt).await;
    }
    Err(StoreError::Contention { attempts: ATTEMPTS_MAX })
}

async fn try_append(location: &Location, registry: &mut Registry, records: &[Record]) -> Result<Commit, StoreError> {
    let merge = registry.table.snapshot()?.log_data().num_files() >= FILES_MAX;
    let mut all = records.to_vec();
    let mut actions: Vec<Action> = Vec::new();
    if merge {
        all = newest(registry.read(location).await?.into_iter().chain(all));
        actions
            .extend(registry.table.snapshot()?.log_data().iter().map(|file| Action::Remove(file.remove_action(true))));
    }
    let path = format!("records-{}.parquet", uuid::Uuid::new_v4().simple());
    let bytes = encode(&all)?;
    let size = bytes.len() as u64;
    location.root.put(&location.table_path(REGISTRY).join(path.as_str()), bytes.into()).await?;
    let statistics = format!("{{\"numRecords\":{}}}", all.len());
    actions.push(table::add_file(path, size, None, statistics));
    let mode = if merge { SaveMode::Overwrite } else { SaveMode::Append };
    let done = table::commit(&registry.table, actions, mode).await?;
    if let Commit::Done = done {
        registry.update_state().await?;
    }
    Ok(done)
}

fn encode(records: &[Record]) -> Result<Vec<u8>, StoreError> {
    let text =
        |pick: fn(&Record) -> &str| -> ArrayRef { Arc::new(StringArray::from_iter_values(records.iter().map(pick))) };
    let written = TimestampMicrosecondArray::from_iter_values(records.iter().map(|r| r.written)).with_timezone("UTC");
    let deleted: BooleanArray = records.iter().map(|r| Some(r.deleted)).collect();
    let field = |name: &str, data_type: DataType| Field::new(name, data_type, true);
    let schema = Arc::new(Schema::new(vec![
        field("kind", DataType::Utf8),
        field("id", DataType::Utf8),
        field("project", DataType::Utf8),
        field("name", DataType::Utf8),
        field("written", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))),
        field("deleted", DataType::Boolean),
        field("body", DataType::Utf8),
    ]));
    let arrays = vec![
        text(|r| &r.kind),
        text(|r| &r.id),
        text(|r| &r.project),
        text(|r| &r.name),
        Arc::new(written) as ArrayRef,
        Arc::new(deleted) as ArrayRef,
        text(|r| &r.body),
    ];
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays)?;
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, schema, Some(properties(records.len())))?;
    writer.write(&batch)?;
    writer.close()?;
    Ok(bytes)
}

/// A file of few records is read and written in less time than it takes to set up a compressor.
fn properties(records: usize) -> WriterProperties {
    let level = ZstdLevel::try_new(1).unwrap_or_default();
    let compression = if records < COMPRESSED_MIN { Compression::UNCOMPRESSED } else { Compression::ZSTD(level) };
    WriterProperties::builder().set_compression(compression).build()
}

fn decode(bytes: bytes::Bytes) -> Result<Vec<Record>, StoreError> {
    let mut records = Vec::new();
    for batch in ParquetRecordBatchReaderBuilder::try_new(bytes)?.build()? {
        let batch = batch?;
        let text = |name: &str| batch.column_by_name(name).and_then(|c| c.as_string_opt::<i32>().cloned());
        let (kinds, ids, projects, names, bodies) =
            (text("kind"), text("id"), text("project"), text("name"), text("body"));
        let written = batch
            .column_by_name("written")
            .and_then(|c| c.as_primitive_opt::<arrow::datatypes::TimestampMicrosecondType>().cloned());
        let deleted = batch.column_by_name("deleted").and_then(|c| c.as_boolean_opt().cloned());
        for row in 0..batch.num_rows() {
            let value = |column: &Option<StringArray>| {
                column.as_ref().filter(|c| c.is_valid(row)).map(|c| c.value(row).to_string()).unwrap_or_default()
            };
            records.push(Record {
                kind: value(&kinds),
                id: value(&ids),
                project: value(&projects),
                name: value(&names),
                written: written.as_ref().filter(|c| c.is_valid(row)).map_or(0, |c| c.value(row)),
                deleted: deleted.as_ref().is_some_and(|c| c.is_valid(row) && c.value(row)),
                body: value(&bodies),
            });
        }
    }
    Ok(records)
}
