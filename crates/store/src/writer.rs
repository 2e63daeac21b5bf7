//! Writing one experiment: spans in, checked traces, Parquet files out.
//!
//! An experiment that fits the memory limit is handled as one group. A larger one is set aside in
//! buckets by trace, so that every trace is whole in its bucket; its cases are then set aside again
//! by the leading bits of their key hash, so that trials meet and the file is sorted by key.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::Seek;
use std::sync::{Arc, Mutex};

use evalhouse_model::{Experiment, ExperimentStatus, Span};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use xxhash_rust::xxh3::xxh3_64;

use crate::columns::{Columns, PathColumn};
use crate::encode::{Layout, PartWriter, Rows, Survey};
use crate::spill::Buckets;
use crate::traces::{Case, Dropped, OnBadRow, RowIdentity, assemble, distinct_keys, number_trials, superseded};
use crate::{RowError, StoreError, WriteError};

/// Buckets by trace: an experiment of 128 memory limits still fits bucket by bucket. Every bucket is
/// an open file, and two writers of a process stay below the usual limit of 1,024.
const TRACE_BUCKETS: usize = 128;
/// Buckets by row id; a row is 64 bytes there.
const IDENTITY_BUCKETS: usize = 32;
/// Buckets by key hash, and one more for cases without a key.
const KEY_BUCKETS: usize = 128;
/// Bits of a key hash, see [`evalhouse_model::canonical::canonical_hash`].
const KEY_BITS: u32 = 126;

/// How an experiment is written.
#[derive(Debug, Clone)]
pub struct WriterOptions {
    /// Leave bad rows out and count them, instead of stopping at the first.
    pub keep_going: bool,
    /// Bytes of rows to buffer before setting them aside on disk.
    pub memory_limit: usize,
}

impl Default for WriterOptions {
    fn default() -> Self {
        Self { keep_going: false, memory_limit: 96 << 20 }
    }
}

/// One data file, uploaded and not yet part of the table.
#[derive(Debug, Clone)]
pub(crate) struct StagedFile {
    /// Path below the table, `is_root=true/….parquet`.
    pub(crate) path: String,
    pub(crate) is_root: bool,
    pub(crate) size: u64,
    pub(crate) statistics: String,
    /// Dynamic columns of the file, and paths that stay in its JSON, by path.
    pub(crate) columns: BTreeMap<String, PathColumn>,
    /// Stored names of columns that the file really has.
    pub(crate) stored: HashSet<String>,
}

/// An experiment whose files are in the store, waiting for the commit that makes them visible.
#[derive(Debug, Clone)]
pub struct StagedExperiment {
    /// The record, with the counts of what was written.
    pub experiment: Experiment,
    pub(crate) files: Vec<StagedFile>,
}

impl StagedExperiment {
    /// Bytes of Parquet.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }
}

/// Where the files of a table go, and the columns it has.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) table: Path,
    pub(crate) columns: Arc<Mutex<Columns>>,
    pub(crate) runtime: tokio::runtime::Handle,
}

/// Writes the spans of one experiment. Synchronous and CPU-bound: use it on a blocking thread.
pub struct ExperimentWriter {
    experiment: Experiment,
    options: WriterOptions,
    target: Target,
    spans: Vec<Span>,
    bytes: usize,
    set_aside: Option<SetAside>,
}

/// The state of an experiment that outgrew its memory limit.
struct SetAside {
    spans: Buckets<Span>,
    identities: Buckets<RowIdentity>,
    cases: Survey,
    children: Survey,
}

impl ExperimentWriter {
    pub(crate) fn new(experiment: Experiment, options: WriterOptions, target: Target) -> Self {
        Self { experiment, options, target, spans: Vec::new(), bytes: 0, set_aside: None }
    }

    /// The record of the experiment; name it and describe it before [`Self::finish`].
    pub fn experiment_mut(&mut self) -> &mut Experiment {
        &mut self.experiment
    }

    /// Takes one span, in any order.
    ///
    /// # Errors
    /// When rows cannot be set aside on disk. Rows are checked by [`Self::finish`].
    pub fn push(&mut self, span: Span) -> Result<(), WriteError> {
        if let Some(set_aside) = &mut self.set_aside {
            set_aside.push(&span)?;
            return Ok(());
        }
        self.bytes += size_of_span(&span);
        self.spans.push(span);
        if self.bytes > self.options.memory_limit {
            let mut set_aside = SetAside::new()?;
            for span in std::mem::take(&mut self.spans) {
                set_aside.push(&span)?;
            }
            self.set_aside = Some(set_aside);
        }
        Ok(())
    }

    /// Checks and rolls up the traces and uploads the files. Nothing is visible until
    /// [`Store::commit`](crate::Store::commit).
    ///
    /// # Errors
    /// [`WriteError::Row`] names the first row that cannot be stored (duplicate id, unknown parent,
    /// cycle, no root, second root), unless bad rows are skipped.
    pub fn finish(mut self) -> Result<StagedExperiment, WriteError> {
        let mut dropped = Dropped::default();
        let files = match self.set_aside.take() {
            None => self.write_in_memory(&mut dropped)?,
            Some(set_aside) => self.write_set_aside(set_aside, &mut dropped)?,
        };
        Ok(StagedExperiment { experiment: self.experiment, files })
    }

    fn on_bad_row(&self) -> OnBadRow {
        if self.options.keep_going { OnBadRow::Skip } else { OnBadRow::Stop }
    }

    fn write_in_memory(&mut self, dropped: &mut Dropped) -> Result<Vec<StagedFile>, WriteError> {
        let mut spans = std::mem::take(&mut self.spans);
        let identities: Vec<RowIdentity> = spans.iter().map(RowIdentity::of).collect();
        let gone = superseded(&identities, self.on_bad_row(), dropped)?;
        if !gone.is_empty() {
            spans.retain(|span| !gone.contains(&span.position));
        }
        let (mut cases, children) = assemble(spans, self.on_bad_row(), dropped)?;
        number_trials(&mut cases);
        self.count(&cases, children.len());
        self.experiment.cases = distinct_keys(&cases);
        self.note(dropped);

        let mut files = vec![self.write_part(Rows::Cases(&cases), true)?];
        if !children.is_empty() {
            files.push(self.write_part(Rows::Spans(&children), false)?);
        }
        Ok(files)
    }

    /// Encodes and uploads the rows of one part.
    pub(crate) fn write_part(&self, rows: Rows, is_root: bool) -> Result<StagedFile, WriteError> {
        self.write_part_at(rows, is_root, self.file_path(is_root))
    }

    /// As [`Self::write_part`], at a path below the table.
    pub(crate) fn write_part_at(&self, rows: Rows, is_root: bool, path: String) -> Result<StagedFile, WriteError> {
        let survey = Survey::of_rows(&rows, is_root);
        let layout = Layout::new(&survey, &self.target.columns);
        let mut writer = PartWriter::new(Vec::new(), layout, &self.experiment, rows.len())?;
        writer.write_surveyed(&rows, &survey)?;
        let part = writer.close(&self.experiment)?;
        let target = &self.target;
        let location = target.table.clone().join_all(&path);
        let size = part.sink.len() as u64;
        target.runtime.block_on(target.store.put(&location, part.sink.into())).map_err(StoreError::from)?;
        Ok(staged_file(path, size, part.layout, &part.statistics))
    }

    fn write_set_aside(&mut self, set_aside: SetAside, dropped: &mut Dropped) -> Result<Vec<StagedFile>, WriteError> {
        let SetAside { spans, identities, mut cases, mut children } = set_aside;
        let gone = self.gone_of(identities, dropped)?;
        let trace_buckets = spans.finish()?;

        // First pass over the traces: check, roll up, learn the names of scores and metrics.
        let mut rolled: Buckets<Case> = Buckets::new(KEY_BUCKETS + 1)?;
        let mut below: Buckets<Vec<Span>> = Buckets::new(1)?;
        let mut child_count = 0;
        let mut first_error: Option<RowError> = None;
        for bucket in trace_buckets {
            let mut spans = bucket.read()?;
            spans.retain(|span| !gone.contains(&span.position));
            let (mut bucket_cases, bucket_children) = match assemble(spans, self.on_bad_row(), dropped) {
                Ok(rows) => rows,
                Err(error) => {
                    match &first_error {
                        Some(known) if known.line <= error.line => {}
                        _ => first_error = Some(error),
                    }
                    continue;
                }
            };
            if first_error.is_some() {
                continue;
            }
            self.count(&bucket_cases, bucket_children.len());
            cases.look_at_numbers(&Rows::Cases(&bucket_cases));
            children.look_at_numbers(&Rows::Spans(&bucket_children));
            child_count += bucket_children.len();
            for case in bucket_cases.drain(..) {
                rolled.push(key_bucket(case.key_hash), &case)?;
            }
            for chunk in bucket_children.chunks(CHUNK_SPANS) {
                below.push(0, &chunk.to_vec())?;
            }
        }
        if let Some(error) = first_error {
            return Err(error.into());
        }
        self.note(dropped);

        // Second pass: trials meet in the bucket of their key.
        let layout = Layout::new(&cases, &self.target.columns);
        let row_count = usize::try_from(self.experiment.rows).unwrap_or(usize::MAX);
        let mut writer =
            PartWriter::new(tempfile::tempfile().map_err(StoreError::from)?, layout, &self.experiment, row_count)?;
        for bucket in rolled.finish()? {
            let mut bucket_cases = bucket.read()?;
            number_trials(&mut bucket_cases);
            self.experiment.cases += distinct_keys(&bucket_cases);
            writer.write(&Rows::Cases(&bucket_cases))?;
        }
        let mut files = vec![self.upload(writer.close(&self.experiment)?, true)?];
        if child_count > 0 {
            let layout = Layout::new(&children, &self.target.columns);
            let mut writer = PartWriter::new(
                tempfile::tempfile().map_err(StoreError::from)?,
                layout,
                &self.experiment,
                child_count,
            )?;
            for bucket in below.finish()? {
                bucket.for_each(|chunk| writer.write(&Rows::Spans(&chunk)))?;
            }
            files.push(self.upload(writer.close(&self.experiment)?, false)?);
        }
        Ok(files)
    }

    fn gone_of(&self, identities: Buckets<RowIdentity>, dropped: &mut Dropped) -> Result<HashSet<i64>, WriteError> {
        let mut gone = HashSet::new();
        let mut first_error: Option<RowError> = None;
        for bucket in identities.finish()? {
            match superseded(&bucket.read()?, self.on_bad_row(), dropped) {
                Ok(rows) => gone.extend(rows),
                Err(error) => match &first_error {
                    Some(known) if known.line <= error.line => {}
                    _ => first_error = Some(error),
                },
            }
        }
        first_error.map_or(Ok(gone), |error| Err(error.into()))
    }

    fn upload(&self, part: crate::encode::Part<File>, is_root: bool) -> Result<StagedFile, WriteError> {
        let path = self.file_path(is_root);
        let location = self.target.table.clone().join_all(&path);
        let mut file = part.sink;
        let size = file.stream_position().map_err(StoreError::from)?;
        file.rewind().map_err(StoreError::from)?;
        let store = Arc::clone(&self.target.store);
        let upload = async move {
            use tokio::io::AsyncWriteExt;
            let mut from = tokio::fs::File::from_std(file);
            let mut to = object_store::buffered::BufWriter::with_capacity(store, location, 8 << 20);
            tokio::io::copy_buf(&mut tokio::io::BufReader::with_capacity(1 << 20, &mut from), &mut to).await?;
            to.shutdown().await
        };
        self.target.runtime.block_on(upload).map_err(StoreError::from)?;
        Ok(staged_file(path, size, part.layout, &part.statistics))
    }

    fn file_path(&self, is_root: bool) -> String {
        // Ids are the user's; a path keeps only letters and digits of them, and is unique anyway.
        let id: String =
            self.experiment.id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(40).collect();
        format!("is_root={is_root}/{id}-{}.parquet", uuid::Uuid::new_v4().simple())
    }

    fn count(&mut self, cases: &[Case], children: usize) {
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        self.experiment.rows += count(cases.len());
        self.experiment.spans += count(cases.len() + children);
        let earliest = cases.iter().filter_map(|case| case.root.created).min();
        if self.experiment.created.is_none_or(|known| earliest.is_some_and(|time| time < known)) {
            self.experiment.created = earliest.or(self.experiment.created);
        }
    }

    fn note(&mut self, dropped: &Dropped) {
        if dropped.any_bad() {
            self.experiment.status = ExperimentStatus::Partial;
        }
        for (reason, rows) in dropped.iter() {
            *self.experiment.notes.entry(reason.to_string()).or_default() += rows;
        }
    }
}

/// Spans written back at a time.
const CHUNK_SPANS: usize = 1024;

impl SetAside {
    fn new() -> Result<Self, StoreError> {
        Ok(Self {
            spans: Buckets::new(TRACE_BUCKETS)?,
            identities: Buckets::new(IDENTITY_BUCKETS)?,
            cases: Survey::new(true),
            children: Survey::new(false),
        })
    }

    fn push(&mut self, span: &Span) -> Result<(), StoreError> {
        let survey = if span.span_parents.is_empty() { &mut self.cases } else { &mut self.children };
        survey.look(span);
        self.identities.push(bucket_of(&span.id, self.identities.count()), &RowIdentity::of(span))?;
        self.spans.push(bucket_of(&span.root_span_id, self.spans.count()), span)
    }
}

fn bucket_of(id: &str, buckets: usize) -> usize {
    (xxh3_64(id.as_bytes()) % buckets as u64) as usize
}

fn key_bucket(hash: Option<i128>) -> usize {
    let leading_bits = KEY_BUCKETS.trailing_zeros();
    hash.map_or(KEY_BUCKETS, |hash| (hash >> (KEY_BITS - leading_bits)) as usize)
}

fn staged_file(path: String, size: u64, layout: Layout, statistics: &crate::statistics::FileStatistics) -> StagedFile {
    StagedFile {
        statistics: statistics.to_json(),
        stored: layout.stored_names(),
        path,
        is_root: layout.is_root,
        size,
        columns: layout.columns,
    }
}

/// Bytes a span takes while buffered, about.
fn size_of_span(span: &Span) -> usize {
    let texts = [
        &span.input,
        &span.output,
        &span.expected,
        &span.error,
        &span.metadata,
        &span.context,
        &span.origin,
        &span.extra,
        &span.span_attributes,
        &span.name,
        &span.span_type,
    ];
    let text_bytes: usize = texts.into_iter().flatten().map(String::len).sum();
    let id_bytes = span.id.len() + span.span_id.len() + span.root_span_id.len();
    size_of::<Span>() + text_bytes + id_bytes + 24 * (span.scores.len() + span.metrics.len()) + 64
}

/// Adds a relative path of several segments.
trait JoinAll {
    fn join_all(self, relative: &str) -> Path;
}

impl JoinAll for Path {
    fn join_all(self, relative: &str) -> Path {
        relative.split('/').fold(self, |path, segment| path.join(segment))
    }
}
