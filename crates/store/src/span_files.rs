//! The child spans of a large experiment: encoded on threads of their own while others still come, into
//! as few files as their columns allow.

use std::collections::HashSet;
use std::fs::File;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::Int64Type;
use evalhouse_model::{Experiment, Span, schema};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::StoreError;
use crate::encode::{BATCH_ROWS, Layout, Part, PartWriter, ROW_GROUP_ROWS, Rows, Survey};
use crate::writer::{Target, size_of_spans};

/// Threads that encode at most. Whoever reads the source needs the other cores.
const ENCODERS_MAX: usize = 2;
/// Memory that a second encoder is worth: it holds a row group of its own.
const ENCODER_BYTES: usize = 64 << 20;
/// Parts of the memory limit: a chunk that fills, one for each thread, and what each makes of it.
const CHUNKS: usize = 6;

/// Takes the child spans of traces and writes them to temporary files.
pub(crate) struct SpanFiles {
    target: Target,
    memory_limit: usize,
    /// The child spans of one trace each.
    chunk: Vec<Vec<Span>>,
    bytes: usize,
    encoders: Option<Encoders>,
    files: Vec<Part<File>>,
}

struct Encoders {
    chunks: SyncSender<Vec<Vec<Span>>>,
    threads: Vec<JoinHandle<Result<Vec<Part<File>>, StoreError>>>,
}

impl SpanFiles {
    pub(crate) fn new(target: Target, memory_limit: usize) -> Self {
        Self { target, memory_limit, chunk: Vec::new(), bytes: 0, encoders: None, files: Vec::new() }
    }

    /// Takes the child spans of one trace. `owner` is the record of the experiment: names are on every row.
    pub(crate) fn push(&mut self, trace: Vec<Span>, owner: &Experiment) -> Result<(), StoreError> {
        if trace.is_empty() {
            return Ok(());
        }
        self.bytes += size_of_spans(&trace);
        self.chunk.push(trace);
        if self.bytes >= chunk_bytes(self.memory_limit) { self.send(owner) } else { Ok(()) }
    }

    /// Hands the chunk on; waits while every encoder is busy.
    pub(crate) fn send(&mut self, owner: &Experiment) -> Result<(), StoreError> {
        self.bytes = 0;
        let chunk = std::mem::take(&mut self.chunk);
        if chunk.is_empty() {
            return Ok(());
        }
        let threads = (self.memory_limit / ENCODER_BYTES).clamp(1, ENCODERS_MAX);
        let encoders = self.encoders.get_or_insert_with(|| Encoders::start(threads, &self.target, owner));
        if encoders.chunks.send(chunk).is_err() {
            // Every encoder has stopped: one of them knows why.
            self.join()?;
        }
        Ok(())
    }

    /// Takes the rows at these positions out of what was taken so far.
    pub(crate) fn remove(&mut self, gone: &HashSet<i64>, owner: &Experiment) -> Result<(), StoreError> {
        self.send(owner)?;
        self.join()?;
        let files = std::mem::take(&mut self.files).into_iter().map(|part| without(part, gone, owner));
        self.files = files.collect::<Result<_, _>>()?;
        Ok(())
    }

    /// The files, in no order.
    pub(crate) fn finish(mut self, owner: &Experiment) -> Result<Vec<Part<File>>, StoreError> {
        self.send(owner)?;
        self.join()?;
        self.files.retain(|part| part.statistics.rows() > 0);
        Ok(self.files)
    }

    fn join(&mut self) -> Result<(), StoreError> {
        let Some(Encoders { chunks, threads }) = self.encoders.take() else { return Ok(()) };
        drop(chunks);
        for thread in threads {
            let stopped = |_| StoreError::Io(std::io::Error::other("a thread that encodes spans gave up"));
            self.files.extend(thread.join().map_err(stopped)??);
        }
        Ok(())
    }
}

/// Bytes of spans that are encoded together, about.
pub(crate) fn chunk_bytes(memory_limit: usize) -> usize {
    memory_limit / CHUNKS
}

impl Encoders {
    fn start(threads: usize, target: &Target, owner: &Experiment) -> Self {
        // No chunk waits between: it would be one more in memory.
        let (chunks, incoming) = sync_channel(0);
        let incoming = Arc::new(Mutex::new(incoming));
        let thread = |_| {
            let (target, owner, incoming) = (target.clone(), owner.clone(), Arc::clone(&incoming));
            std::thread::spawn(move || encode_all(&target, &owner, &incoming))
        };
        Self { chunks, threads: (0..threads).map(thread).collect() }
    }
}

fn encode_all(
    target: &Target,
    owner: &Experiment,
    incoming: &Mutex<Receiver<Vec<Vec<Span>>>>,
) -> Result<Vec<Part<File>>, StoreError> {
    let next = || incoming.lock().unwrap_or_else(PoisonError::into_inner).recv();
    let mut files = Vec::new();
    let mut open: Option<PartWriter<File>> = None;
    while let Ok(mut traces) = next() {
        traces.sort_by(|a, b| trace_id(a).cmp(&trace_id(b)));
        let spans: Vec<Span> = traces.into_iter().flatten().collect();
        let rows = Rows::Spans(&spans);
        let survey = Survey::of_rows(&rows, false);
        let layout = Layout::new(&survey, &target.columns);
        let mut writer = match open.take() {
            Some(writer) if writer.layout.holds(&layout) => writer,
            other => {
                if let Some(full) = other {
                    files.push(full.close(owner)?);
                }
                PartWriter::new(tempfile::tempfile()?, Arc::new(layout), owner, ROW_GROUP_ROWS)?
            }
        };
        writer.write_surveyed(&rows, &survey)?;
        open = Some(writer);
    }
    if let Some(writer) = open {
        files.push(writer.close(owner)?);
    }
    Ok(files)
}

fn trace_id(trace: &[Span]) -> Option<&str> {
    trace.first().map(|span| span.root_span_id.as_str())
}

/// The same file without the rows at some positions.
fn without(part: Part<File>, gone: &HashSet<i64>, owner: &Experiment) -> Result<Part<File>, StoreError> {
    let layout = part.layout;
    let batches = ParquetRecordBatchReaderBuilder::try_new(part.sink)?.with_batch_size(BATCH_ROWS).build()?;
    let mut writer = PartWriter::new(tempfile::tempfile()?, Arc::clone(&layout), owner, ROW_GROUP_ROWS)?;
    for batch in batches {
        let batch = batch?;
        let positions = batch.column_by_name(schema::POSITION).and_then(|array| array.as_primitive_opt::<Int64Type>());
        let is_kept = |row: usize| positions.is_none_or(|positions| !gone.contains(&positions.value(row)));
        let kept: BooleanArray = (0..batch.num_rows()).map(|row| Some(is_kept(row))).collect();
        let kept = filter_record_batch(&batch, &kept)?;
        writer.write(&RecordBatch::try_new(Arc::clone(&layout.schema), kept.columns().to_vec())?)?;
    }
    writer.close(owner)
}
