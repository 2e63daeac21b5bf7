//! Rows become Arrow batches, and batches become one Parquet file.

use std::collections::{BTreeMap, HashSet};
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use evalhouse_model::schema::{self, encode_column};
use evalhouse_model::{Experiment, Span};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use crate::StoreError;
use crate::columns::{Columns, Kind, PathColumn};
use crate::fixed_columns::{fixed_arrays, fixed_arrow_fields, float_array};
use crate::shred::{Plan, Shredder};
use crate::statistics::FileStatistics;
use crate::traces::Case;

/// Version of the stored format, written down in `docs/FORMAT.md`.
pub const FORMAT_VERSION: u32 = 3;
/// Footer key: how the file's JSON paths are stored, [`FileFooter`] as JSON.
pub const FOOTER_KEY: &str = "evalhouse.file";
/// Footer key of a file of cases: the experiment's record, so that a file explains itself.
pub const EXPERIMENT_FOOTER_KEY: &str = "evalhouse.experiment";

/// Rows a row group holds at most.
pub(crate) const ROW_GROUP_ROWS: usize = 128 * 1024;
/// Encoded bytes after which a row group is closed.
pub(crate) const ROW_GROUP_BYTES: usize = 32 << 20;
/// Bytes of a page before compression, about: what is unpacked of a column for one row of a trace.
const PAGE_BYTES: usize = 128 << 10;
/// Rows after which the size of a page is looked at.
const PAGE_CHECK_ROWS: usize = 128;
/// Rows encoded at a time.
pub(crate) const BATCH_ROWS: usize = 8 * 1024;

/// What a file's footer says about its JSON paths.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FileFooter {
    /// Version of the stored format.
    pub format: u32,
    /// Stored column names whose values, in this file, are in the JSON and not in a column.
    pub json: Vec<String>,
    /// JSON columns that hold, in this file, paths listed nowhere.
    pub open: Vec<String>,
}

/// A row of either part of the table.
pub(crate) enum Rows<'a> {
    Cases(&'a [Case]),
    Spans(&'a [Span]),
}

impl<'a> Rows<'a> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Cases(cases) => cases.len(),
            Self::Spans(spans) => spans.len(),
        }
    }

    /// The rows in batches, each with the place of its first.
    pub(crate) fn batches(&self) -> impl Iterator<Item = (usize, Rows<'a>)> + use<'a> {
        let (length, cases, spans) = match *self {
            Self::Cases(cases) => (cases.len(), Some(cases), None),
            Self::Spans(spans) => (spans.len(), None, Some(spans)),
        };
        let part = move |first: usize| {
            let end = length.min(first + BATCH_ROWS);
            let cases = cases.map(|cases| Rows::Cases(&cases[first..end]));
            let rows = cases.or_else(|| spans.map(|spans| Rows::Spans(&spans[first..end])))?;
            Some((first, rows))
        };
        (0..length).step_by(BATCH_ROWS).filter_map(part)
    }

    pub(crate) fn span(&self, row: usize) -> &'a Span {
        match self {
            Self::Cases(cases) => &cases[row].root,
            Self::Spans(spans) => &spans[row],
        }
    }

    pub(crate) fn case(&self, row: usize) -> Option<&'a Case> {
        match self {
            Self::Cases(cases) => Some(&cases[row]),
            Self::Spans(_) => None,
        }
    }

    fn scores(&self, row: usize) -> &'a [(Arc<str>, Option<f64>)] {
        match self {
            Self::Cases(cases) => &cases[row].scores,
            Self::Spans(spans) => &spans[row].scores,
        }
    }

    fn metrics(&self, row: usize) -> &'a [(Arc<str>, f64)] {
        match self {
            Self::Cases(cases) => &cases[row].metrics,
            Self::Spans(spans) => &spans[row].metrics,
        }
    }
}

/// The JSON columns that are shredded in each part of the table. Child spans have whole prompts in
/// `input` and `output`; only their metadata is asked about by path.
pub(crate) fn shredded_fields(is_root: bool) -> &'static [&'static str] {
    if is_root { &schema::SHREDDED_COLUMNS } else { &schema::SHREDDED_COLUMNS[..1] }
}

pub(crate) fn json_field<'a>(span: &'a Span, field: &str) -> Option<&'a str> {
    match field {
        schema::INPUT => span.input.as_deref(),
        schema::OUTPUT => span.output.as_deref(),
        schema::EXPECTED => span.expected.as_deref(),
        schema::METADATA => span.metadata.as_deref(),
        _ => None,
    }
}

/// What a part of an experiment needs beyond the fixed columns. Collected over all rows of the
/// part before its first row is written, since a Parquet file has one schema.
#[derive(Debug)]
pub(crate) struct Survey {
    is_root: bool,
    shredders: Vec<Shredder>,
    scores: Vec<Arc<str>>,
    metrics: Vec<Arc<str>>,
}

impl Survey {
    pub(crate) fn new(is_root: bool) -> Self {
        let shredders = shredded_fields(is_root).iter().map(|field| Shredder::new(field, false)).collect();
        Self { is_root, shredders, scores: Vec::new(), metrics: Vec::new() }
    }

    /// Looks at all there is of rows already rolled up, and keeps the values of their paths.
    pub(crate) fn of_rows(rows: &Rows, is_root: bool) -> Self {
        let shredders = shredded_fields(is_root).iter().map(|field| Shredder::new(field, true));
        let shredders = shredders.map(|shredder| filled(shredder, rows)).collect();
        let mut survey = Self { is_root, shredders, scores: Vec::new(), metrics: Vec::new() };
        survey.look_at_numbers(rows);
        survey
    }

    fn look(&mut self, span: &Span) {
        for shredder in &mut self.shredders {
            if let Some(json) = json_field(span, shredder.field()) {
                shredder.walk(0, json);
            }
        }
    }

    fn look_at_numbers(&mut self, rows: &Rows) {
        for row in 0..rows.len() {
            for (name, _) in rows.scores(row) {
                insert_name(&mut self.scores, name);
            }
            for (name, _) in rows.metrics(row) {
                if rows.case(row).is_some() || !matches!(&**name, "start" | "end") {
                    insert_name(&mut self.metrics, name);
                }
            }
        }
    }

    /// Looks at a case that is rolled up, all of it.
    pub(crate) fn look_at_case(&mut self, case: &Case) {
        self.look(&case.root);
        self.look_at_numbers(&Rows::Cases(std::slice::from_ref(case)));
    }

    fn plans(&self) -> Vec<(&'static str, Plan)> {
        self.shredders.iter().map(|shredder| (shredder.field(), shredder.plan())).collect()
    }
}

/// A shredder that has walked these rows.
fn filled(mut shredder: Shredder, rows: &Rows) -> Shredder {
    for row in 0..rows.len() {
        if let (Some(json), Ok(row)) = (json_field(rows.span(row), shredder.field()), u32::try_from(row)) {
            shredder.walk(row, json);
        }
    }
    shredder
}

fn insert_name(names: &mut Vec<Arc<str>>, name: &Arc<str>) {
    if !names.iter().any(|known| known == name) {
        names.push(Arc::clone(name));
    }
}

/// The schema of one file: fixed columns, scores, metrics, shredded paths.
pub(crate) struct Layout {
    pub(crate) is_root: bool,
    pub(crate) schema: SchemaRef,
    scores: Vec<Arc<str>>,
    metrics: Vec<Arc<str>>,
    /// Per shredded JSON column: encoded keys with the kind they are stored as.
    paths: Vec<(&'static str, Vec<(String, Kind)>)>,
    /// Every dynamic column of the file and every path that stays in the JSON, by path.
    pub(crate) columns: BTreeMap<String, PathColumn>,
    pub(crate) footer: FileFooter,
}

impl Layout {
    /// Settles names and kinds against the columns that the table has.
    pub(crate) fn new(survey: &Survey, known: &Mutex<Columns>) -> Self {
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut fields = fixed_arrow_fields(survey.is_root);
        let mut columns = BTreeMap::new();
        let mut footer = FileFooter { format: FORMAT_VERSION, ..FileFooter::default() };
        let mut learn = |known: &mut Columns, field: &str, key: &str, kind| {
            let column = known.learn(field, key, kind);
            columns.insert(format!("{field}.{key}"), column.clone());
            column
        };
        for (field, names) in [(schema::SCORES, &survey.scores), (schema::METRICS, &survey.metrics)] {
            for name in names {
                let key = encode_column("", name).split_off(1);
                let column = learn(&mut known, field, &key, Kind::Float);
                fields.push(Field::new(column.name, DataType::Float64, true));
            }
        }
        let mut paths = Vec::new();
        for (field, plan) in survey.plans() {
            let mut stored = Vec::new();
            for (key, kind) in &plan.shredded {
                let column = learn(&mut known, field, key, *kind);
                // Integers fit a column of doubles when each is exact; the shredder saw to that only
                // within this file, so a wider stored kind is used for integers alone.
                let fits = column.stored == *kind;
                if fits {
                    fields.push(Field::new(column.name, arrow_type(column.stored), true));
                    stored.push((key.clone(), column.stored));
                } else {
                    footer.json.push(column.name);
                }
            }
            for (key, kind) in &plan.json {
                footer.json.push(learn(&mut known, field, key, *kind).name);
            }
            if plan.open {
                footer.open.push(field.to_string());
            }
            paths.push((field, stored));
            for key in &plan.containers {
                let path = format!("{field}.{key}");
                match known.get(&path).is_some() {
                    true => footer.json.push(learn(&mut known, field, key, Kind::Text).name),
                    false => footer.json.push(path),
                }
            }
        }
        Self {
            is_root: survey.is_root,
            schema: Arc::new(Schema::new(fields)),
            scores: survey.scores.clone(),
            metrics: survey.metrics.clone(),
            paths,
            columns,
            footer,
        }
    }

    /// Whether rows that would have another layout alone can be written with this one: every column of
    /// theirs is one here, or is read from the JSON here, and what they keep in the JSON is kept there here.
    pub(crate) fn holds(&self, rows: &Self) -> bool {
        let fixed = fixed_arrow_fields(self.is_root).len();
        let is_json = |name: &String| self.footer.json.contains(name);
        let is_score = |name: &str| {
            let number = |field: &str| name.strip_prefix(field).is_some_and(|rest| rest.starts_with('.'));
            number(schema::SCORES) || number(schema::METRICS)
        };
        let has = |field: &Field| match self.schema.field_with_name(field.name()) {
            Ok(known) => known.data_type() == field.data_type(),
            Err(_) => is_json(field.name()) && !is_score(field.name()),
        };
        rows.schema.fields().iter().skip(fixed).all(|field| has(field))
            && rows.footer.json.iter().all(is_json)
            && rows.footer.open.iter().all(|field| self.footer.open.contains(field))
    }

    /// Names of the dynamic columns that the file has.
    pub(crate) fn stored_names(&self) -> HashSet<String> {
        let known: HashSet<&String> = self.columns.values().map(|column| &column.name).collect();
        self.schema.fields().iter().map(|field| field.name()).filter(|name| known.contains(name)).cloned().collect()
    }

    /// Shredders that keep what the file's columns need of these rows.
    pub(crate) fn shredders(&self, rows: &Rows) -> Vec<Shredder> {
        let of_field = |(field, paths): &(&'static str, Vec<(String, Kind)>)| {
            filled(Shredder::of_paths(field, paths.iter().map(|(key, _)| key.as_str())), rows)
        };
        self.paths.iter().map(of_field).collect()
    }

    /// Rows as Arrow. `shredders` hold their values, one for each shredded JSON column; the first of the
    /// rows is their row `first`.
    pub(crate) fn batch(
        &self,
        rows: &Rows,
        owner: &Experiment,
        shredders: &[Shredder],
        first: usize,
    ) -> Result<RecordBatch, StoreError> {
        let length = rows.len();
        let mut arrays = fixed_arrays(rows, owner, self.is_root)?;
        let score = |row: usize, name: &str| {
            rows.scores(row).iter().find(|(known, _)| &**known == name).and_then(|(_, value)| *value)
        };
        let metric = |row: usize, name: &str| {
            rows.metrics(row).iter().find(|(known, _)| &**known == name).map(|(_, value)| *value)
        };
        for name in &self.scores {
            arrays.push(float_array((0..length).map(|row| score(row, name))));
        }
        for name in &self.metrics {
            arrays.push(float_array((0..length).map(|row| metric(row, name))));
        }
        for ((_, paths), shredder) in self.paths.iter().zip(shredders) {
            let index = shredder.index();
            let array = |(key, kind): &(String, Kind)| {
                shredder.array(index.get(key.as_str()).copied(), *kind, first..first + length)
            };
            arrays.extend(paths.iter().map(array));
        }
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), arrays)?)
    }
}

/// Writes the rows of one part of an experiment as one Parquet file.
pub(crate) struct PartWriter<W: Write + Send> {
    pub(crate) layout: Arc<Layout>,
    owner: Experiment,
    writer: ArrowWriter<W>,
    stats: FileStatistics,
}

impl<W: Write + Send> PartWriter<W> {
    pub(crate) fn new(
        sink: W,
        layout: Arc<Layout>,
        owner: &Experiment,
        expected_rows: usize,
    ) -> Result<Self, StoreError> {
        let properties = writer_properties(layout.is_root, expected_rows);
        let writer = ArrowWriter::try_new(sink, Arc::clone(&layout.schema), Some(properties))?;
        let stats = FileStatistics::default();
        Ok(Self { layout, owner: owner.clone(), writer, stats })
    }

    /// Writes rows, whose values the survey has kept.
    pub(crate) fn write_surveyed(&mut self, rows: &Rows, survey: &Survey) -> Result<(), StoreError> {
        rows.batches().try_for_each(|(first, rows)| {
            let batch = self.layout.batch(&rows, &self.owner, &survey.shredders, first)?;
            self.write(&batch)
        })
    }

    /// Writes rows that are Arrow already, of this layout.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), StoreError> {
        self.stats.add(batch);
        self.writer.write(batch)?;
        if self.writer.in_progress_size() >= ROW_GROUP_BYTES {
            self.writer.flush()?;
        }
        Ok(())
    }

    /// Ends the file. A file of cases carries the experiment's record, final counts included.
    pub(crate) fn close(mut self, record: &Experiment) -> Result<Part<W>, StoreError> {
        let corrupt = |source| StoreError::Corrupt { place: "file footer".into(), source };
        let footer = serde_json::to_string(&self.layout.footer).map_err(corrupt)?;
        self.writer.append_key_value_metadata(KeyValue::new(FOOTER_KEY.into(), footer));
        if self.layout.is_root {
            let record = serde_json::to_string(record).map_err(corrupt)?;
            self.writer.append_key_value_metadata(KeyValue::new(EXPERIMENT_FOOTER_KEY.into(), record));
        }
        let sink = self.writer.into_inner()?;
        Ok(Part { sink, layout: self.layout, statistics: self.stats })
    }
}

/// A written file.
pub(crate) struct Part<W> {
    pub(crate) sink: W,
    pub(crate) layout: Arc<Layout>,
    pub(crate) statistics: FileStatistics,
}

/// The same file without some of its columns: their paths are read from the JSON instead.
pub(crate) fn without_columns(bytes: bytes::Bytes, names: &[String], is_root: bool) -> Result<Vec<u8>, StoreError> {
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    let corrupt = |source| StoreError::Corrupt { place: "file footer".into(), source };
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes)?;
    let pairs = reader.metadata().file_metadata().key_value_metadata().cloned().unwrap_or_default();
    let rows = usize::try_from(reader.metadata().file_metadata().num_rows()).unwrap_or_default();
    let schema = reader.schema();
    let kept: Vec<usize> = (0..schema.fields().len()).filter(|&i| !names.contains(schema.field(i).name())).collect();
    let kept_schema = Arc::new(schema.project(&kept)?);
    let plain = Arc::new(Schema::new(kept_schema.fields().clone()));
    let mut out = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut out, Arc::clone(&plain), Some(writer_properties(is_root, rows)))?;
    for batch in reader.build()? {
        let batch = batch?.project(&kept)?;
        writer.write(&RecordBatch::try_new(Arc::clone(&plain), batch.columns().to_vec())?)?;
    }
    for pair in pairs.into_iter().filter(|pair| pair.key.starts_with("evalhouse.")) {
        let value = match (&pair.key, &pair.value) {
            (key, Some(text)) if key == FOOTER_KEY => {
                let mut footer: FileFooter = serde_json::from_str(text).map_err(corrupt)?;
                footer.json.extend(names.iter().cloned());
                Some(serde_json::to_string(&footer).map_err(corrupt)?)
            }
            (_, value) => value.clone(),
        };
        writer.append_key_value_metadata(KeyValue { key: pair.key, value });
    }
    writer.close()?;
    Ok(out)
}

/// Rows from which every column is compressed. Below, it takes longer than the work itself.
const COMPRESSED_ROWS_MIN: usize = 1024;
/// Rows from which every column is compressed by zstd. Below, setting it up for each of some forty columns, and
/// again for whoever reads them, takes longer than Snappy takes to compress them, for a few percent of the size.
const ZSTD_ROWS_MIN: usize = 64 * 1024;
/// Columns that are compressed in any file.
const LONG_TEXTS: [&str; 6] =
    [schema::INPUT, schema::OUTPUT, schema::EXPECTED, schema::ERROR, schema::METADATA, schema::EXTRA];
/// Columns of ids, of which only a compressor that codes letters makes less.
const IDS: [&str; 3] = [schema::ID, schema::ROOT_SPAN_ID, schema::SPAN_ID];

/// Columns of which hardly two values are the same.
const UNIQUE: [&str; 9] = [
    schema::ID,
    schema::SPAN_ID,
    schema::ROOT_SPAN_ID,
    schema::POSITION,
    schema::COMPARISON_KEY_HASH,
    schema::START,
    schema::END,
    schema::OUTPUT,
    schema::METRICS,
];
/// Columns of which hardly two values are the same in one experiment.
const INPUTS: [&str; 3] = [schema::INPUT, schema::EXPECTED, schema::METADATA];

/// Properties of every file we write: compression, page statistics, bloom filters on ids.
pub(crate) fn writer_properties(is_root: bool, rows: usize) -> WriterProperties {
    let zstd = Compression::ZSTD(ZstdLevel::try_new(1).unwrap_or_default());
    let is_compressed = rows >= COMPRESSED_ROWS_MIN;
    let of_columns = match rows {
        ZSTD_ROWS_MIN.. => zstd,
        COMPRESSED_ROWS_MIN.. => Compression::SNAPPY,
        _ => Compression::UNCOMPRESSED,
    };
    let mut builder = WriterProperties::builder()
        .set_compression(of_columns)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_data_page_size_limit(PAGE_BYTES)
        .set_write_batch_size(PAGE_CHECK_ROWS)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_created_by(format!("evalhouse {}", env!("CARGO_PKG_VERSION")));
    let texts = LONG_TEXTS.into_iter().chain(IDS.into_iter().filter(|_| is_compressed));
    for text in texts {
        builder = builder.set_column_compression(ColumnPath::from(text), zstd);
    }
    let mut ids = vec![schema::ID, schema::ROOT_SPAN_ID];
    if !is_root {
        ids.push(schema::SPAN_ID);
    }
    for id in ids {
        let column = ColumnPath::from(id);
        builder = builder
            .set_column_bloom_filter_enabled(column.clone(), true)
            .set_column_bloom_filter_fpp(column.clone(), 0.01)
            .set_column_bloom_filter_max_ndv(column, rows.clamp(1, ROW_GROUP_ROWS) as u64);
    }
    // A dictionary of values that differ would be unpacked whole for one row of a trace. The inputs of several
    // experiments in one file are worth one.
    let repeated: &[&str] = if rows < ZSTD_ROWS_MIN { &INPUTS } else { &[] };
    for unique in UNIQUE.iter().chain(repeated) {
        builder = builder.set_column_dictionary_enabled(ColumnPath::from(*unique), false);
    }
    let parents = [schema::SPAN_PARENTS, "list", "element"].map(String::from);
    builder = builder.set_column_dictionary_enabled(ColumnPath::new(parents.to_vec()), false);
    builder.build()
}

fn arrow_type(kind: Kind) -> DataType {
    match kind {
        Kind::Int => DataType::Int64,
        Kind::Float => DataType::Float64,
        Kind::Bool => DataType::Boolean,
        Kind::Text => DataType::Utf8,
    }
}
