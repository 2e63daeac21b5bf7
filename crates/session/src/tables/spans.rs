//! `cases` and `spans`: the two views of the Delta table's files.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{DFSchema, Result, ScalarValue, Statistics};
use datafusion::config::TableParquetOptions;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::object_store::ObjectStoreUrl;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use evalhouse_model::schema::{self, decode_column};
use evalhouse_store::{DataFile, Kind, Snapshot};
use object_store::ObjectMeta;

use crate::adapter::{AdapterFactory, STORED_NAME_KEY};
use crate::paths::{EXTENSION_JSON, EXTENSION_KEY, PATH_KEY, PathColumns, PathField};
use crate::pruning::keep_files;

/// The hash of the key that was saved when the experiment was optimized.
pub(crate) const SAVED_KEY_HASH: &str = "saved_key_hash";

/// Which rows a table shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Roots, with roll-ups.
    Cases,
    /// Every span, as logged.
    Spans,
}

/// A table over the snapshot's Parquet files: DataFusion's own Parquet source, given the files that
/// the table's log lists and that its statistics cannot rule out.
#[derive(Debug)]
pub(crate) struct SpansTable {
    part: Part,
    files: Arc<[DataFile]>,
    url: ObjectStoreUrl,
    schema: TableSchema,
}

impl SpansTable {
    pub(crate) fn new(snapshot: &Snapshot, url: ObjectStoreUrl, part: Part) -> Self {
        let files = snapshot.files().iter().filter(|file| part == Part::Spans || file.is_root).cloned().collect();
        let mut fields = fixed_fields(part);
        if part == Part::Cases && snapshot.has_saved_keys() {
            fields.push(Field::new(SAVED_KEY_HASH, DataType::Decimal128(38, 0), true));
        }
        fields.extend(dynamic_fields(snapshot));
        let partition: Vec<FieldRef> = match part {
            Part::Cases => Vec::new(),
            Part::Spans => vec![Arc::new(Field::new(schema::IS_ROOT, DataType::Boolean, false))],
        };
        let schema = TableSchema::builder(Arc::new(Schema::new(fields))).with_table_partition_cols(partition).build();
        Self { part, files, url, schema }
    }
}

#[async_trait]
impl TableProvider for SpansTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.schema.table_schema())
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// Filters choose files here; the engine evaluates them and pushes them into the Parquet scan.
    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = self.schema.table_schema();
        let predicate = datafusion::logical_expr::utils::conjunction(filters.to_vec());
        let kept = match predicate {
            Some(predicate) => {
                let schema = DFSchema::try_from(Arc::clone(schema))?;
                keep_files(
                    &self.files,
                    Arc::clone(self.schema.table_schema()),
                    state.create_physical_expr(predicate, &schema)?,
                )
            }
            None => vec![true; self.files.len()],
        };
        let files: Vec<&DataFile> =
            self.files.iter().zip(kept).filter_map(|(file, keep)| keep.then_some(file)).collect();
        let statistics = self.statistics_of(&files);
        let groups = balanced_groups(files, state.config().target_partitions(), self.part);
        let options =
            TableParquetOptions { global: state.config_options().execution.parquet.clone(), ..Default::default() };
        let source = ParquetSource::new(self.schema.clone()).with_table_parquet_options(options.clone());
        let scan = FileScanConfigBuilder::new(self.url.clone(), Arc::new(source))
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .with_expr_adapter(Some(Arc::new(AdapterFactory { own_numbers: self.part == Part::Spans })))
            .build();
        // The format adds the reader with the shared cache of footers.
        ParquetFormat::default().with_options(options).create_physical_plan(state, scan).await
    }

    fn statistics(&self) -> Option<Statistics> {
        Some(self.statistics_of(&self.files.iter().collect::<Vec<_>>()))
    }
}

impl SpansTable {
    /// Row counts are exact; nothing is claimed of columns.
    fn statistics_of(&self, files: &[&DataFile]) -> Statistics {
        let mut statistics = Statistics::new_unknown(self.schema.table_schema());
        let rows: Option<u64> = files.iter().map(|file| file.rows()).sum();
        if let Some(rows) = rows.and_then(|rows| usize::try_from(rows).ok()) {
            statistics.num_rows = Precision::Exact(rows);
        }
        statistics
    }
}

/// Files in groups of about equal bytes, one group a thread.
fn balanced_groups(files: Vec<&DataFile>, threads: usize, part: Part) -> Vec<FileGroup> {
    let mut groups: Vec<(u64, Vec<PartitionedFile>)> = Vec::new();
    groups.resize_with(threads.clamp(1, files.len().max(1)), Default::default);
    for file in files {
        let Some(smallest) = groups.iter_mut().min_by_key(|(bytes, _)| *bytes) else { break };
        smallest.0 += file.size;
        smallest.1.push(partitioned_file(file, part));
    }
    groups.into_iter().map(|(_, files)| FileGroup::new(files)).collect()
}

fn partitioned_file(file: &DataFile, part: Part) -> PartitionedFile {
    let mut partitioned = PartitionedFile::new_from_meta(ObjectMeta {
        location: file.path.clone(),
        last_modified: chrono::DateTime::UNIX_EPOCH,
        size: file.size,
        e_tag: None,
        version: None,
    });
    if part == Part::Spans {
        partitioned.partition_values = vec![ScalarValue::Boolean(Some(file.is_root))];
    }
    partitioned
}

fn text(name: &str) -> Field {
    Field::new(name, DataType::Utf8View, true)
}

fn json(name: &str) -> Field {
    text(name).with_metadata(HashMap::from([(EXTENSION_KEY.to_string(), EXTENSION_JSON.to_string())]))
}

/// The fixed columns in the order that `SELECT *` shows them.
fn fixed_fields(part: Part) -> Vec<Field> {
    let list = || DataType::List(Arc::new(Field::new("element", DataType::Utf8View, true)));
    let created = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let mut fields = vec![
        text(schema::PROJECT),
        text(schema::EXPERIMENT),
        text(schema::EXPERIMENT_ID),
        text(schema::ID),
        text(schema::SPAN_ID),
        text(schema::ROOT_SPAN_ID),
    ];
    if part == Part::Spans {
        fields.push(Field::new(schema::SPAN_PARENTS, list(), true));
    }
    fields.extend([
        Field::new(schema::POSITION, DataType::Int64, true),
        Field::new(schema::CREATED, created, true),
        text(schema::NAME),
        text(schema::TYPE),
        text(schema::PURPOSE),
        Field::new(schema::START, DataType::Float64, true),
        Field::new(schema::END, DataType::Float64, true),
    ]);
    if part == Part::Cases {
        fields.push(Field::new(schema::COMPARISON_KEY_HASH, DataType::Decimal128(38, 0), true));
        fields.push(Field::new(schema::TRIAL_INDEX, DataType::Int64, true));
        fields.push(Field::new(schema::SPAN_COUNT, DataType::Int64, true));
    }
    fields.extend([
        json(schema::INPUT),
        json(schema::OUTPUT),
        json(schema::EXPECTED),
        json(schema::ERROR),
        json(schema::METADATA),
        Field::new(schema::TAGS, list(), true),
        json(schema::SCORES),
        json(schema::METRICS),
        json(schema::SPAN_ATTRIBUTES),
        json(schema::CONTEXT),
        json(schema::ORIGIN),
        json(schema::EXTRA),
    ]);
    fields
}

/// The columns of scores, metrics and shredded paths, under the names that people write.
fn dynamic_fields(snapshot: &Snapshot) -> Vec<Field> {
    let columns = snapshot.columns();
    // A name that needs no encoding belongs to its own path: `a.b` is the key b below a, and the key "a.b"
    // is written so only where there is no such path.
    let mut taken: HashSet<String> = columns.iter().map(|(path, _)| path.to_string()).collect();
    let mut fields = Vec::new();
    for (path, column) in columns.iter() {
        let written = decode_column(path);
        let is_own = written == path || taken.insert(written.clone());
        let name = if is_own { written } else { path.to_string() };
        let data_type = match column.logical {
            Kind::Int => DataType::Int64,
            Kind::Float => DataType::Float64,
            Kind::Bool => DataType::Boolean,
            Kind::Text => DataType::Utf8View,
        };
        fields.push(Field::new(name, data_type, true).with_metadata(HashMap::from([
            (PATH_KEY.to_string(), path.to_string()),
            (STORED_NAME_KEY.to_string(), column.name.clone()),
        ])));
    }
    fields
}

/// Which paths are columns.
pub(crate) fn path_columns(snapshot: &Snapshot) -> PathColumns {
    dynamic_fields(snapshot)
        .into_iter()
        .filter_map(|field| {
            let path = field.metadata().get(PATH_KEY)?.clone();
            let kind = snapshot.columns().get(&path)?.logical;
            Some((path, PathField { column: field.name().clone(), kind, is_aggregate: false }))
        })
        .collect()
}
