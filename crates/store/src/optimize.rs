//! Many small files become few large ones.
//!
//! A merged file has the rows of several experiments, one experiment after the other, each in the
//! order its own file had. Row groups end where experiments end, so that one experiment is a few row
//! groups whatever the file holds. A path is a column of the merged file only where every source
//! file either has the column or does not have the path at all; otherwise it stays in the JSON, and
//! the footer says so.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs::File;
use std::io::Seek;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, StringArray, new_null_array};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use bytes::Bytes;
use deltalake_core::kernel::Action;
use deltalake_core::protocol::SaveMode;
use evalhouse_model::schema;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::file::metadata::KeyValue;

use crate::StoreError;
use crate::columns::{Columns, is_dynamic_field};
use crate::encode::{FOOTER_KEY, FORMAT_VERSION, FileFooter, writer_properties};
use crate::fixed_columns::fixed_arrow_fields;
use crate::registry::{self, ExperimentBody, Record};
use crate::snapshot::DataFile;
use crate::statistics::FileStatistics;
use crate::store::{ATTEMPTS_MAX, Store, back_off};
use crate::table::{self, Commit, SPANS};

/// Footer key of a merged file of cases: the bodies of its experiments' records.
pub(crate) const EXPERIMENTS_FOOTER_KEY: &str = "evalhouse.experiments";
/// Stored column of the hash of the project's comparison key.
pub(crate) const SAVED_KEY_HASH: &str = "saved_key_hash";
/// Rows after which a row group ends with its experiment.
const ROW_GROUP_ROWS: usize = 8 * 1024;
/// Rows read at a time.
const BATCH_ROWS: usize = 8 * 1024;

/// What to merge.
#[derive(Debug, Clone)]
pub struct OptimizeOptions {
    /// Only files whose experiments are all of this project.
    pub project: Option<String>,
    /// Bytes of source files that make one merged file; files of half of that are left alone.
    pub target_bytes: u64,
}

impl Default for OptimizeOptions {
    fn default() -> Self {
        Self { project: None, target_bytes: 128 << 20 }
    }
}

/// What was merged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OptimizeOutcome {
    /// Data files before.
    pub files_before: usize,
    /// Data files after.
    pub files_after: usize,
    /// Source files that were merged or rewritten.
    pub merged: usize,
    /// Bytes read.
    pub bytes_before: u64,
    /// Bytes written.
    pub bytes_after: u64,
    /// Experiments whose saved key's hash was written.
    pub keyed: usize,
    /// Saved keys that could not be computed: their hash is not stored.
    pub warnings: Vec<String>,
}

/// Computes the hash of a comparison key over stored rows. The store knows no SQL; its caller does.
pub trait KeyHasher: Send + Sync {
    /// What the key comes down to, given what the store holds and the projects' settings say: two
    /// keys of one meaning have one hash for every row.
    ///
    /// # Errors
    /// What is wrong with the key.
    fn meaning(&self, key: &str) -> Result<String, String>;

    /// The hash (decimal(38,0), null where the key is null) of each row of a batch of cases with the
    /// schema that one file has, metadata included.
    ///
    /// # Errors
    /// What is wrong with the key.
    fn hash(&self, key: &str, batch: &RecordBatch) -> Result<ArrayRef, String>;
}

/// A comparison key to be stored.
#[derive(Debug, Clone)]
struct WantedKey {
    text: String,
    meaning: String,
}

/// Files that become one.
struct Bin {
    is_root: bool,
    sources: Vec<DataFile>,
}

/// A merged file, uploaded and not yet part of the table.
struct Merged {
    sources: Vec<String>,
    path: String,
    is_root: bool,
    size: u64,
    statistics: String,
    bodies: Vec<ExperimentBody>,
}

impl Store {
    /// Merges small files into large ones, one commit for all of them. With a hasher, the hash of
    /// each project's saved comparison key is stored with its cases.
    ///
    /// Readers see the files before or the files after. An experiment that another writer replaces
    /// meanwhile keeps the other writer's files. Run it again and it finds nothing to do.
    ///
    /// # Errors
    /// When the store cannot be read or written; nothing visible has changed then.
    pub async fn optimize(
        &self,
        options: &OptimizeOptions,
        hasher: Option<Arc<dyn KeyHasher>>,
    ) -> Result<OptimizeOutcome, StoreError> {
        let snapshot = self.snapshot().await?;
        let bodies: HashMap<String, ExperimentBody> =
            snapshot.bodies().iter().map(|body| (body.experiment.id.clone(), body.clone())).collect();
        let mut outcome = OptimizeOutcome { files_before: snapshot.files().len(), ..OptimizeOutcome::default() };
        let mut keys: HashMap<String, WantedKey> = HashMap::new();
        for (project, settings) in snapshot.all_settings() {
            let text = settings.comparison_key.as_deref().map(str::trim).filter(|key| *key != schema::INPUT);
            let (Some(text), Some(hasher)) = (text, &hasher) else { continue };
            match hasher.meaning(text) {
                Ok(meaning) => {
                    keys.insert(project.clone(), WantedKey { text: text.into(), meaning });
                }
                Err(reason) if options.project.as_ref().is_none_or(|only| only == project) => {
                    outcome.warnings.push(not_stored(project, text, &reason));
                }
                Err(_) => {}
            }
        }
        let is_stale = |id: &str| {
            let wanted = |body: &ExperimentBody| keys.get(&body.experiment.project).map(|key| &key.meaning);
            hasher.is_some() && bodies.get(id).is_some_and(|body| body.saved_key.as_ref() != wanted(body))
        };
        let bins = bins(snapshot.files(), options, &bodies, &is_stale);
        let mut merged = Vec::new();
        for bin in bins {
            outcome.merged += bin.sources.len();
            outcome.bytes_before += bin.sources.iter().map(|file| file.size).sum::<u64>();
            let file = self.merge(bin, &bodies, &mut keys, hasher.as_ref(), &mut outcome.warnings).await?;
            outcome.bytes_after += file.size;
            outcome.keyed += file.bodies.iter().filter(|body| body.saved_key.is_some()).count();
            merged.push(file);
        }
        if !merged.is_empty() {
            self.commit_merged(merged).await?;
        }
        outcome.files_after = self.snapshot().await?.files().len();
        Ok(outcome)
    }

    async fn merge(
        &self,
        bin: Bin,
        bodies: &HashMap<String, ExperimentBody>,
        keys: &mut HashMap<String, WantedKey>,
        hasher: Option<&Arc<dyn KeyHasher>>,
        warnings: &mut Vec<String>,
    ) -> Result<Merged, StoreError> {
        let root = Arc::clone(&self.location().root);
        let mut footers = Vec::new();
        let mut shape = Shape::default();
        for source in &bin.sources {
            let bytes = root.get(&source.path).await?.bytes().await?;
            let builder = ParquetRecordBatchReaderBuilder::try_new(bytes)?;
            let footer = footer_of(builder.schema());
            shape.add(builder.schema(), &footer);
            footers.push(footer);
        }
        let (file_schema, footer) = shape.settle(bin.is_root, !keys.is_empty());
        let rows: u64 = bin.sources.iter().filter_map(DataFile::rows).sum();
        let properties = writer_properties(bin.is_root, usize::try_from(rows).unwrap_or(usize::MAX));
        let mut sink = tempfile::tempfile()?;
        let mut writer = ArrowWriter::try_new(&mut sink, Arc::clone(&file_schema), Some(properties))?;
        let mut statistics = FileStatistics::default();
        let mut ids: Vec<String> = Vec::new();
        for source in &bin.sources {
            let bytes = root.get(&source.path).await?.bytes().await?;
            // The schema with the footer's metadata, which says how paths are stored.
            let source_schema = Arc::clone(ParquetRecordBatchReaderBuilder::try_new(bytes.clone())?.schema());
            let mut group_rows = 0;
            for batch in reader(bytes)? {
                let batch = RecordBatch::try_new(Arc::clone(&source_schema), batch?.columns().to_vec())?;
                for part in by_experiment(&batch) {
                    let id = experiment_of(&part);
                    if ids.last() != Some(&id) {
                        if writer.in_progress_rows() >= ROW_GROUP_ROWS {
                            writer.flush()?;
                        }
                        if !ids.contains(&id) {
                            ids.push(id.clone());
                        }
                    }
                    let project = bodies.get(&id).map(|body| &body.experiment.project);
                    let key = project.and_then(|project| Some((project, keys.get(project)?)));
                    let hash = match (key, hasher) {
                        (Some((project, key)), Some(hasher)) if bin.is_root => match hasher.hash(&key.text, &part) {
                            Ok(hash) => Some(hash),
                            Err(reason) => {
                                warnings.push(not_stored(project, &key.text, &reason));
                                keys.remove(project);
                                None
                            }
                        },
                        _ => None,
                    };
                    let aligned = aligned(&part, &file_schema, hash)?;
                    statistics.add(&aligned);
                    writer.write(&aligned)?;
                    group_rows += aligned.num_rows();
                }
            }
            if group_rows > 0 && writer.in_progress_size() >= crate::encode::ROW_GROUP_BYTES {
                writer.flush()?;
            }
        }
        let corrupt = |source| StoreError::Corrupt { place: "file footer".into(), source };
        let path = format!("is_root={}/merged-{}.parquet", bin.is_root, uuid::Uuid::new_v4().simple());
        let of_file: Vec<ExperimentBody> = ids
            .iter()
            .filter_map(|id| {
                let mut body = bodies.get(id)?.clone();
                body.case_file = Some(path.clone());
                let key = keys.get(&body.experiment.project).filter(|_| bin.is_root);
                body.saved_key = key.map(|key| key.meaning.clone());
                Some(body)
            })
            .collect();
        let footer = serde_json::to_string(&footer).map_err(corrupt)?;
        writer.append_key_value_metadata(KeyValue::new(FOOTER_KEY.into(), footer));
        if bin.is_root {
            let listed = serde_json::to_string(&of_file).map_err(corrupt)?;
            writer.append_key_value_metadata(KeyValue::new(EXPERIMENTS_FOOTER_KEY.into(), listed));
        }
        writer.close()?;
        let location = path.split('/').fold(self.location().table_path(SPANS), |path, part| path.join(part));
        let size = upload(&root, location, sink).await?;
        Ok(Merged {
            sources: bin.sources.iter().map(|file| file.name().to_string()).collect(),
            path,
            is_root: bin.is_root,
            size,
            statistics: statistics.to_json(),
            bodies: of_file,
        })
    }

    /// Swaps sources for merged files, those whose sources are all still there.
    async fn commit_merged(&self, mut merged: Vec<Merged>) -> Result<(), StoreError> {
        let mut spans = self.spans().lock().await;
        for attempt in 0..ATTEMPTS_MAX {
            spans.update_state().await?;
            let base = self.location().table_path(SPANS);
            let present: HashMap<String, Action> = spans
                .snapshot()?
                .log_data()
                .iter()
                .map(|view| (DataFile::of(&base, &view).name().to_string(), Action::Remove(view.remove_action(false))))
                .collect();
            merged.retain(|file| file.sources.iter().all(|source| present.contains_key(source)));
            if merged.is_empty() {
                return Ok(());
            }
            let sources = merged.iter().flat_map(|file| &file.sources);
            let mut actions: Vec<Action> = sources.filter_map(|source| present.get(source).cloned()).collect();
            if table::is_older(&spans)? {
                let columns = Columns::from_schema(spans.snapshot()?.schema().as_ref());
                actions.push(table::set_columns(&spans, &columns)?);
            }
            for file in &merged {
                let path = file.path.clone();
                actions.push(table::moved_file(path, file.size, Some(file.is_root), file.statistics.clone()));
            }
            if let Commit::Done = table::commit(&spans, actions, SaveMode::Overwrite).await? {
                let bodies = merged.iter().filter(|file| file.is_root).flat_map(|file| &file.bodies);
                let records = bodies.map(Record::of_experiment).collect::<Result<Vec<_>, _>>()?;
                drop(spans);
                let mut registry = self.registry().lock().await;
                registry.update_state().await?;
                return registry::append(self.location(), &mut registry, records).await;
            }
            back_off(attempt).await;
        }
        Err(StoreError::Contention { attempts: ATTEMPTS_MAX })
    }

    /// A file without some rows, uploaded; its footer no longer has the records of `gone`.
    pub(crate) async fn without_rows(
        &self,
        file: &DataFile,
        keep: &(dyn Fn(&RecordBatch) -> BooleanArray + Sync),
        gone: &HashSet<String>,
    ) -> Result<Rewritten, StoreError> {
        let root = Arc::clone(&self.location().root);
        let bytes = root.get(&file.path).await?.bytes().await?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(bytes.clone())?;
        let pairs = builder.metadata().file_metadata().key_value_metadata().cloned().unwrap_or_default();
        let file_schema = Arc::new(Schema::new(builder.schema().fields().clone()));
        let rows = usize::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(usize::MAX);
        let mut sink = tempfile::tempfile()?;
        let properties = writer_properties(file.is_root, rows);
        let mut writer = ArrowWriter::try_new(&mut sink, Arc::clone(&file_schema), Some(properties))?;
        let mut statistics = FileStatistics::default();
        let (mut dropped, mut kept) = (0, 0);
        for batch in reader(bytes)? {
            let batch = batch?;
            let part = filter_record_batch(&batch, &keep(&batch))?;
            dropped += batch.num_rows() - part.num_rows();
            kept += part.num_rows();
            if part.num_rows() > 0 {
                let part = RecordBatch::try_new(Arc::clone(&file_schema), part.columns().to_vec())?;
                statistics.add(&part);
                writer.write(&part)?;
            }
        }
        if dropped == 0 {
            return Ok(Rewritten::Same);
        }
        let path = format!("is_root={}/merged-{}.parquet", file.is_root, uuid::Uuid::new_v4().simple());
        let corrupt = |source| StoreError::Corrupt { place: format!("footer of `{}`", file.path), source };
        let mut bodies: Vec<ExperimentBody> = Vec::new();
        for pair in pairs.into_iter().filter(|pair| pair.key.starts_with("evalhouse.")) {
            let value = match (&pair.key, &pair.value) {
                (key, Some(text)) if key == EXPERIMENTS_FOOTER_KEY => {
                    let all: Vec<ExperimentBody> = serde_json::from_str(text).map_err(corrupt)?;
                    bodies = all.into_iter().filter(|body| !gone.contains(&body.experiment.id)).collect();
                    bodies.iter_mut().for_each(|body| body.case_file = Some(path.clone()));
                    Some(serde_json::to_string(&bodies).map_err(corrupt)?)
                }
                (_, value) => value.clone(),
            };
            writer.append_key_value_metadata(KeyValue { key: pair.key, value });
        }
        writer.close()?;
        if kept == 0 {
            return Ok(Rewritten::Empty);
        }
        let location = path.split('/').fold(self.location().table_path(SPANS), |path, part| path.join(part));
        let size = upload(&root, location, sink).await?;
        let add = table::moved_file(path, size, Some(file.is_root), statistics.to_json());
        Ok(Rewritten::Less(Box::new(add), bodies))
    }
}

fn not_stored(project: &str, key: &str, reason: &str) -> String {
    format!("`{project}`: the comparison key `{key}` is not stored: {reason}")
}

/// Which rows are of other experiments than these.
pub(crate) fn not_of(batch: &RecordBatch, ids: &HashSet<String>) -> BooleanArray {
    experiment_ids(batch).iter().map(|id| Some(id.is_none_or(|id| !ids.contains(id)))).collect()
}

/// What is left of a file.
pub(crate) enum Rewritten {
    /// All of it: no row had to go.
    Same,
    /// Nothing.
    Empty,
    /// A new file, and the records of a merged file that it still describes.
    Less(Box<Action>, Vec<ExperimentBody>),
}

/// Which files become one: small neighbours of the same part and project, by experiment, and files of
/// cases whose saved key is out of date.
fn bins(
    files: &[DataFile],
    options: &OptimizeOptions,
    bodies: &HashMap<String, ExperimentBody>,
    is_stale: &dyn Fn(&str) -> bool,
) -> Vec<Bin> {
    let mut bins = Vec::new();
    for is_root in [true, false] {
        let is_of_project = |file: &&DataFile| match &options.project {
            None => true,
            Some(project) => file.project() == Some(project),
        };
        let stale = |file: &DataFile| {
            let of_file = bodies.values().filter(|body| body.case_file.as_deref() == Some(file.name()));
            is_root && of_file.map(|body| body.experiment.id.as_str()).any(is_stale)
        };
        let mut chosen: Vec<&DataFile> = files
            .iter()
            .filter(|file| file.is_root == is_root && !file.is_history())
            .filter(is_of_project)
            .filter(|file| file.size < options.target_bytes / 2 || stale(file))
            .collect();
        let text = |value: Option<&serde_json::Value>| value.and_then(|v| v.as_str()).unwrap_or_default().to_string();
        // Tables show the rows of one kind, and choose them by file.
        let kind = |file: &DataFile| {
            let id = file.minimum(schema::EXPERIMENT_ID).and_then(|id| id.as_str());
            id.and_then(|id| bodies.get(id)).map(|body| body.experiment.kind).unwrap_or_default()
        };
        chosen.sort_by_cached_key(|file| {
            let project = text(file.minimum(schema::PROJECT));
            (kind(file) as u8, project, text(file.minimum(schema::EXPERIMENT_ID)))
        });
        let mut sources: Vec<DataFile> = Vec::new();
        let mut close = |sources: &mut Vec<DataFile>| {
            if sources.len() > 1 || sources.iter().any(&stale) {
                bins.push(Bin { is_root, sources: std::mem::take(sources) });
            } else {
                sources.clear();
            }
        };
        let mut bytes = 0;
        let mut last_kind = None;
        for file in chosen {
            let of_other_kind = last_kind.replace(kind(file)).is_some_and(|last| last != kind(file));
            // A file is of one project, so that who may see one project need not be shown another's.
            let is_others = sources.last().is_some_and(|last: &DataFile| last.project() != file.project());
            if is_others || (bytes > 0 && (of_other_kind || bytes + file.size > options.target_bytes)) {
                close(&mut sources);
                bytes = 0;
            }
            bytes += file.size;
            sources.push(file.clone());
        }
        close(&mut sources);
    }
    bins
}

/// What the columns of several files have in common.
#[derive(Default)]
struct Shape {
    files: usize,
    /// Stored type of each dynamic column, and how many files have it.
    columns: BTreeMap<String, (DataType, usize)>,
    /// Files in which a path is in the JSON alone.
    json: BTreeSet<String>,
    /// JSON columns with paths listed nowhere, and for each the files that say so.
    open: BTreeSet<String>,
}

impl Shape {
    fn add(&mut self, file: &Schema, footer: &FileFooter) {
        self.files += 1;
        for field in file.fields().iter().filter(|field| is_path(field.name())) {
            self.columns.entry(field.name().clone()).or_insert((field.data_type().clone(), 0)).1 += 1;
        }
        self.json.extend(footer.json.iter().cloned());
        self.open.extend(footer.open.iter().cloned());
    }

    /// The schema of the merged file, and what its footer says.
    fn settle(self, is_root: bool, with_key: bool) -> (SchemaRef, FileFooter) {
        let mut fields = fixed_arrow_fields(is_root);
        if is_root && with_key {
            fields.push(Field::new(SAVED_KEY_HASH, DataType::Decimal128(38, 0), true));
        }
        let mut json = self.json;
        for (name, (data_type, files)) in self.columns {
            let field = name.split('.').next().unwrap_or_default();
            let is_number = matches!(field, schema::SCORES | schema::METRICS);
            // Absent from a file, a path has no values there, unless the file keeps it in the JSON.
            let in_json_somewhere = json.contains(&name) || (files < self.files && self.open.contains(field));
            if is_number || !in_json_somewhere {
                fields.push(Field::new(name, data_type, true));
            } else {
                json.insert(name);
            }
        }
        let footer = FileFooter {
            format: FORMAT_VERSION,
            json: json.into_iter().collect(),
            open: self.open.into_iter().collect(),
        };
        (Arc::new(Schema::new(fields)), footer)
    }
}

fn is_path(column: &str) -> bool {
    column.split_once('.').is_some_and(|(field, _)| is_dynamic_field(field))
}

fn footer_of(file: &Schema) -> FileFooter {
    let text = file.metadata().get(FOOTER_KEY);
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

fn reader(bytes: Bytes) -> Result<ParquetRecordBatchReader, StoreError> {
    Ok(ParquetRecordBatchReaderBuilder::try_new(bytes)?.with_batch_size(BATCH_ROWS).build()?)
}

fn experiment_ids(batch: &RecordBatch) -> StringArray {
    let column = batch.column_by_name(schema::EXPERIMENT_ID);
    column
        .and_then(|ids| ids.as_any().downcast_ref::<StringArray>().cloned())
        .unwrap_or_else(|| StringArray::new_null(batch.num_rows()))
}

fn experiment_of(batch: &RecordBatch) -> String {
    let ids = experiment_ids(batch);
    if ids.is_empty() { String::new() } else { ids.value(0).to_string() }
}

/// A batch cut where one experiment ends and the next begins.
fn by_experiment(batch: &RecordBatch) -> Vec<RecordBatch> {
    let ids = experiment_ids(batch);
    let mut parts = Vec::new();
    let mut start = 0;
    for row in 1..=batch.num_rows() {
        if row == batch.num_rows() || ids.value(row) != ids.value(start) {
            parts.push(batch.slice(start, row - start));
            start = row;
        }
    }
    parts
}

/// The batch with the columns of the merged file.
fn aligned(batch: &RecordBatch, to: &SchemaRef, hash: Option<ArrayRef>) -> Result<RecordBatch, StoreError> {
    let column = |field: &Arc<Field>| -> ArrayRef {
        if field.name() == SAVED_KEY_HASH {
            return hash.clone().unwrap_or_else(|| new_null_array(field.data_type(), batch.num_rows()));
        }
        let known = batch.column_by_name(field.name()).cloned();
        known.unwrap_or_else(|| new_null_array(field.data_type(), batch.num_rows()))
    };
    Ok(RecordBatch::try_new(Arc::clone(to), to.fields().iter().map(column).collect())?)
}

async fn upload(root: &Arc<dyn ObjectStore>, location: Path, mut file: File) -> Result<u64, StoreError> {
    use tokio::io::AsyncWriteExt;
    let size = file.stream_position()?;
    file.rewind()?;
    let mut from = tokio::fs::File::from_std(file);
    let mut to = object_store::buffered::BufWriter::with_capacity(Arc::clone(root), location, 8 << 20);
    tokio::io::copy_buf(&mut tokio::io::BufReader::with_capacity(1 << 20, &mut from), &mut to).await?;
    to.shutdown().await?;
    Ok(size)
}
