//! An experiment that outgrew its memory limit.
//!
//! A trace that comes whole is rolled up at once, and its child spans are encoded while others come. Rows
//! that come alone are set aside in buckets by trace, so that every trace is whole in its bucket. Cases are
//! set aside in buckets by the leading bits of their key hash, so that trials meet and the file is sorted.

use std::collections::HashSet;
use std::fs::File;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use arrow::array::RecordBatch;
use evalhouse_model::{Experiment, ExperimentStatus, Span};
use xxhash_rust::xxh3::xxh3_64;

use crate::encode::{Layout, Part, PartWriter, Rows, Survey};
use crate::span_files::SpanFiles;
use crate::spill::{Bucket, Buckets};
use crate::traces::{
    Case, Dropped, OnBadRow, RowIdentity, assemble, assemble_sound, distinct_keys, number_trials, superseded,
};
use crate::writer::{Target, WriterOptions};
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
/// Batches of cases that wait to be encoded.
const BATCHES_AHEAD: usize = 1;

/// The rows of the experiment so far.
pub(crate) struct SetAside {
    on_bad_row: OnBadRow,
    target: Target,
    identities: Buckets<RowIdentity>,
    /// Rows that came alone.
    spans: Buckets<Span>,
    cases: Cases,
    children: SpanFiles,
}

/// Cases that are rolled up.
struct Cases {
    buckets: Buckets<Case>,
    survey: Survey,
    count: usize,
}

impl SetAside {
    pub(crate) fn new(on_bad_row: OnBadRow, options: &WriterOptions, target: &Target) -> Self {
        Self {
            on_bad_row,
            target: target.clone(),
            identities: Buckets::new(IDENTITY_BUCKETS),
            spans: Buckets::new(TRACE_BUCKETS),
            cases: Cases { buckets: Buckets::new(KEY_BUCKETS + 1), survey: Survey::new(true), count: 0 },
            children: SpanFiles::new(target.clone(), options.memory_limit),
        }
    }

    /// Takes a row that comes alone.
    pub(crate) fn push(&mut self, span: &Span) -> Result<(), StoreError> {
        self.identify(&RowIdentity::of(span))?;
        self.set_aside(span)
    }

    /// Takes a whole trace.
    pub(crate) fn push_trace(&mut self, trace: Vec<Span>, owner: &Experiment) -> Result<(), StoreError> {
        let rows: Vec<RowIdentity> = trace.iter().map(RowIdentity::of).collect();
        rows.iter().try_for_each(|row| self.identify(row))?;
        match assemble_sound(trace, &rows) {
            Ok((case, children)) => {
                self.cases.push(&case)?;
                self.children.push(children, owner)
            }
            Err(trace) => trace.iter().try_for_each(|span| self.set_aside(span)),
        }
    }

    fn identify(&mut self, row: &RowIdentity) -> Result<(), StoreError> {
        self.identities.push((row.id % IDENTITY_BUCKETS as u128) as usize, row)
    }

    fn set_aside(&mut self, span: &Span) -> Result<(), StoreError> {
        self.spans.push((xxh3_64(span.root_span_id.as_bytes()) % TRACE_BUCKETS as u64) as usize, span)
    }

    /// The files, that of the cases first. Counts what they hold in the record.
    pub(crate) fn finish(
        self,
        experiment: &mut Experiment,
        dropped: &mut Dropped,
    ) -> Result<Vec<Part<File>>, WriteError> {
        let Self { on_bad_row, target, identities, spans, mut cases, mut children } = self;
        let gone = gone_of(identities, on_bad_row, dropped)?;
        if !gone.is_empty() {
            children.remove(&gone, experiment)?;
        }
        let mut first_error: Option<RowError> = None;
        for bucket in spans.finish()? {
            let mut spans = bucket.read()?;
            spans.retain(|span| !gone.contains(&span.position));
            match assemble(spans, on_bad_row, dropped) {
                Ok(_) if first_error.is_some() => {}
                Ok((rolled, below)) => {
                    rolled.iter().try_for_each(|case| cases.push(case))?;
                    for trace in traces(below) {
                        children.push(trace, experiment)?;
                    }
                }
                Err(error) => keep_first(&mut first_error, error),
            }
        }
        if let Some(error) = first_error {
            return Err(error.into());
        }
        note(experiment, dropped);
        // The last spans are encoded while the cases are read back.
        children.send(experiment)?;
        let mut files = vec![cases.finish(&gone, experiment, &target)?];
        files.extend(children.finish(experiment)?);
        Ok(files)
    }
}

/// Cuts the spans of a bucket, which are in order, into traces.
fn traces(spans: Vec<Span>) -> impl Iterator<Item = Vec<Span>> {
    let mut rest = spans.into_iter().peekable();
    std::iter::from_fn(move || {
        let mut trace = vec![rest.next()?];
        while let Some(span) = rest.next_if(|span| span.root_span_id == trace[0].root_span_id) {
            trace.push(span);
        }
        Some(trace)
    })
}

/// Finds the positions of rows that another row supersedes or duplicates.
fn gone_of(
    identities: Buckets<RowIdentity>,
    on_bad_row: OnBadRow,
    dropped: &mut Dropped,
) -> Result<HashSet<i64>, WriteError> {
    let mut gone = HashSet::new();
    let mut first_error: Option<RowError> = None;
    for bucket in identities.finish()? {
        match superseded(&bucket.read()?, on_bad_row, dropped) {
            Ok(rows) => gone.extend(rows),
            Err(error) => keep_first(&mut first_error, error),
        }
    }
    first_error.map_or(Ok(gone), |error| Err(error.into()))
}

/// Keeps the error that a reader of the file meets first.
fn keep_first(first: &mut Option<RowError>, error: RowError) {
    if first.as_ref().is_none_or(|known| known.line > error.line) {
        *first = Some(error);
    }
}

impl Cases {
    fn push(&mut self, case: &Case) -> Result<(), StoreError> {
        self.survey.look_at_case(case);
        self.count += 1;
        self.buckets.push(key_bucket(case.key_hash), case)
    }

    /// Writes the cases: trials meet in the bucket of their key. One thread reads buckets and makes Arrow of
    /// them, another one encodes.
    fn finish(
        self,
        gone: &HashSet<i64>,
        experiment: &mut Experiment,
        target: &Target,
    ) -> Result<Part<File>, StoreError> {
        let layout = Arc::new(Layout::new(&self.survey, &target.columns));
        let mut writer = PartWriter::new(tempfile::tempfile()?, Arc::clone(&layout), experiment, self.count)?;
        let buckets = self.buckets.finish()?;
        let written: Result<PartWriter<File>, StoreError> = std::thread::scope(|scope| {
            let (sender, batches) = sync_channel::<RecordBatch>(BATCHES_AHEAD);
            let encoder = scope.spawn(move || {
                batches.iter().try_for_each(|batch| writer.write(&batch))?;
                Ok(writer)
            });
            'all: for bucket in buckets {
                let cases = numbered(bucket, gone, experiment)?;
                for (_, rows) in Rows::Cases(&cases).batches() {
                    let batch = layout.batch(&rows, experiment, &layout.shredders(&rows), 0)?;
                    if sender.send(batch).is_err() {
                        // The encoder listens no more, and says why below.
                        break 'all;
                    }
                }
            }
            drop(sender);
            let stopped = |_| StoreError::Io(std::io::Error::other("the thread that encodes cases gave up"));
            encoder.join().map_err(stopped)?
        });
        written?.close(experiment)
    }
}

/// Numbers and counts the cases of a bucket.
fn numbered(bucket: Bucket<Case>, gone: &HashSet<i64>, experiment: &mut Experiment) -> Result<Vec<Case>, StoreError> {
    let mut cases = bucket.read()?;
    cases.retain(|case| !gone.contains(&case.root.position));
    number_trials(&mut cases);
    count(experiment, &cases);
    experiment.cases += distinct_keys(&cases);
    Ok(cases)
}

/// Adds cases, which know how many spans they have, to the record's counts.
pub(crate) fn count(experiment: &mut Experiment, cases: &[Case]) {
    experiment.rows += i64::try_from(cases.len()).unwrap_or(i64::MAX);
    experiment.spans += cases.iter().map(|case| case.span_count).sum::<i64>();
    let earliest = cases.iter().filter_map(|case| case.root.created).min();
    if experiment.created.is_none_or(|known| earliest.is_some_and(|time| time < known)) {
        experiment.created = earliest.or(experiment.created);
    }
}

/// Takes down in the record what was dropped.
pub(crate) fn note(experiment: &mut Experiment, dropped: &Dropped) {
    if dropped.any_bad() {
        experiment.status = ExperimentStatus::Partial;
    }
    for (reason, rows) in dropped.iter() {
        *experiment.notes.entry(reason.to_string()).or_default() += rows;
    }
}

fn key_bucket(hash: Option<i128>) -> usize {
    let leading_bits = KEY_BUCKETS.trailing_zeros();
    hash.map_or(KEY_BUCKETS, |hash| (hash >> (KEY_BITS - leading_bits)) as usize)
}
