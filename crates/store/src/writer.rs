//! Writing one experiment: spans in, checked traces, Parquet files out.
//!
//! An experiment that fits the memory limit is handled as one group; [`SetAside`] is a larger one.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::Seek;
use std::sync::{Arc, Mutex};

use evalhouse_model::{Experiment, Span};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use crate::columns::{Columns, PathColumn};
use crate::encode::{Layout, Part, PartWriter, Rows, Survey};
use crate::set_aside::{SetAside, count, note};
use crate::span_files::chunk_bytes;
use crate::traces::{Dropped, OnBadRow, RowIdentity, assemble, distinct_keys, number_trials, superseded};
use crate::{StoreError, WriteError};

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
    /// Rows that came alone.
    spans: Vec<Span>,
    /// Traces that came whole.
    traces: Vec<Vec<Span>>,
    bytes: usize,
    set_aside: Option<SetAside>,
}

impl ExperimentWriter {
    pub(crate) fn new(experiment: Experiment, options: WriterOptions, target: Target) -> Self {
        Self { experiment, options, target, spans: Vec::new(), traces: Vec::new(), bytes: 0, set_aside: None }
    }

    /// The record of the experiment; describe it before [`Self::finish`]. Its names are on every row: they
    /// are known before the first [`Self::push_trace`], or else before [`Self::finish`].
    pub fn experiment_mut(&mut self) -> &mut Experiment {
        &mut self.experiment
    }

    /// Takes one span, in any order.
    ///
    /// # Errors
    /// When rows cannot be set aside on disk. Rows are checked by [`Self::finish`].
    pub fn push(&mut self, span: Span) -> Result<(), WriteError> {
        if let Some(set_aside) = &mut self.set_aside {
            return Ok(set_aside.push(&span)?);
        }
        self.bytes += size_of_span(&span);
        self.spans.push(span);
        self.make_room()
    }

    /// Takes all spans of one trace. They need not be looked at again when others have come, so this is the
    /// faster way where a source holds traces whole. Only a whole trace replaces one: of two with equal row
    /// ids the one with the larger version stays, and rows that it lacks need a tombstone.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub fn push_trace(&mut self, trace: Vec<Span>) -> Result<(), WriteError> {
        if let Some(set_aside) = &mut self.set_aside {
            return Ok(set_aside.push_trace(trace, &self.experiment)?);
        }
        self.bytes += size_of_spans(&trace);
        self.traces.push(trace);
        self.make_room()
    }

    fn make_room(&mut self) -> Result<(), WriteError> {
        let limit = self.options.memory_limit;
        // Whole traces are encoded early: that takes other cores than reading them.
        if self.bytes <= if self.traces.is_empty() { limit } else { chunk_bytes(limit) } {
            return Ok(());
        }
        let mut set_aside = SetAside::new(self.on_bad_row(), &self.options, &self.target);
        for span in std::mem::take(&mut self.spans) {
            set_aside.push(&span)?;
        }
        for trace in std::mem::take(&mut self.traces) {
            set_aside.push_trace(trace, &self.experiment)?;
        }
        self.set_aside = Some(set_aside);
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
            Some(set_aside) => {
                let parts = set_aside.finish(&mut self.experiment, &mut dropped)?;
                parts.into_iter().map(|part| self.upload(part)).collect::<Result<_, _>>()?
            }
        };
        Ok(StagedExperiment { experiment: self.experiment, files })
    }

    fn on_bad_row(&self) -> OnBadRow {
        if self.options.keep_going { OnBadRow::Skip } else { OnBadRow::Stop }
    }

    fn write_in_memory(&mut self, dropped: &mut Dropped) -> Result<Vec<StagedFile>, WriteError> {
        let mut spans = std::mem::take(&mut self.spans);
        if !self.traces.is_empty() {
            spans.extend(std::mem::take(&mut self.traces).into_iter().flatten());
            spans.sort_by_key(|span| span.position);
        }
        let identities: Vec<RowIdentity> = spans.iter().map(RowIdentity::of).collect();
        let gone = superseded(&identities, self.on_bad_row(), dropped)?;
        if !gone.is_empty() {
            spans.retain(|span| !gone.contains(&span.position));
        }
        let (mut cases, children) = assemble(spans, self.on_bad_row(), dropped)?;
        number_trials(&mut cases);
        count(&mut self.experiment, &cases);
        self.experiment.cases = distinct_keys(&cases);
        note(&mut self.experiment, dropped);

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
        let mut writer = PartWriter::new(Vec::new(), Arc::new(layout), &self.experiment, rows.len())?;
        writer.write_surveyed(&rows, &survey)?;
        let part = writer.close(&self.experiment)?;
        let target = &self.target;
        let location = target.table.clone().join_all(&path);
        let size = part.sink.len() as u64;
        target.runtime.block_on(target.store.put(&location, part.sink.into())).map_err(StoreError::from)?;
        Ok(staged_file(path, size, &part.layout, &part.statistics))
    }

    fn upload(&self, part: Part<File>) -> Result<StagedFile, WriteError> {
        let path = self.file_path(part.layout.is_root);
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
        Ok(staged_file(path, size, &part.layout, &part.statistics))
    }

    fn file_path(&self, is_root: bool) -> String {
        // Ids are the user's; a path keeps only letters and digits of them, and is unique anyway.
        let id: String =
            self.experiment.id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(40).collect();
        format!("is_root={is_root}/{id}-{}.parquet", uuid::Uuid::new_v4().simple())
    }
}

fn staged_file(path: String, size: u64, layout: &Layout, statistics: &crate::statistics::FileStatistics) -> StagedFile {
    StagedFile {
        statistics: statistics.to_json(),
        stored: layout.stored_names(),
        path,
        is_root: layout.is_root,
        size,
        columns: layout.columns.clone(),
    }
}

/// Bytes that spans take while buffered, about.
pub(crate) fn size_of_spans(spans: &[Span]) -> usize {
    spans.iter().map(size_of_span).sum()
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
