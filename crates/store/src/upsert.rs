//! Whole traces of an experiment are added or replaced.
//!
//! A server logs rows of traces that go on growing. [`Store::touched`] reads what is stored of some
//! traces, its caller applies the new rows, and [`Store::upsert`] puts the traces back: new files for
//! them, and the files that held their old rows rewritten without those, in one commit. Other traces
//! stay where they are, so that a late score costs one file and not the experiment.

use std::collections::{HashMap, HashSet};

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch, StringArray};
use arrow::datatypes::{Decimal128Type, Int64Type};
use deltalake_core::kernel::Action;
use deltalake_core::protocol::SaveMode;
use evalhouse_model::{Experiment, Span, schema};
use futures::TryStreamExt;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{RowSelection, RowSelector};
use parquet::arrow::async_reader::ParquetRecordBatchStreamBuilder;

use crate::decode::spans_of;
use crate::encode::Rows;
use crate::optimize::Rewritten;
use crate::reader::FileReader;
use crate::registry::{self, ExperimentBody, Record};
use crate::snapshot::{DataFile, HISTORY_PATH};
use crate::store::{ATTEMPTS_MAX, Store, back_off, names_of};
use crate::table::{self, Commit, SPANS};
use crate::traces::{Case, assemble_all};
use crate::writer::{StagedExperiment, StagedFile, WriterOptions};
use crate::{StoreError, WriteError};

/// Which stored rows a change touches.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Trace ids.
    pub traces: HashSet<String>,
    /// Row ids; their whole traces are touched.
    pub ids: HashSet<String>,
}

/// What is stored of the traces that a change touches, and what numbering needs to know of the rest.
#[derive(Debug, Clone, Default)]
pub struct Touched {
    /// Every stored row of the traces.
    pub spans: Vec<Span>,
    /// One more than the largest position of any row of the experiment.
    pub next_position: i64,
    /// Trace ids of `spans`.
    traces: HashSet<String>,
    /// Key and trial index of the touched cases, by trace.
    numbered: HashMap<String, (Option<i128>, i64)>,
    /// One more than the largest trial index of each key, over all cases of the experiment.
    next_trial: HashMap<i128, i64>,
    /// Keys of the cases that are not touched.
    keys: HashSet<i128>,
    /// Cases that are not touched.
    rows: i64,
    /// Rows that are not touched, cases included.
    spans_left: i64,
    /// Files of the experiment when it was read, and whether they hold touched rows.
    files: HashMap<String, bool>,
}

/// The identity of a row, and where it is.
struct Place {
    trace: String,
    row: usize,
}

impl Store {
    /// Reads what is stored of some traces of an experiment, dataset or logs.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn touched(&self, experiment_id: &str, wanted: &Wanted) -> Result<Touched, StoreError> {
        let files = self.files_of(experiment_id).await?;
        let mut traces = wanted.traces.clone();
        loop {
            let mut touched = Touched::default();
            let mut places: Vec<(&DataFile, Vec<Place>)> = Vec::new();
            let mut found: HashSet<String> = HashSet::new();
            for file in &files {
                let here = self.places(file, experiment_id, &traces, &wanted.ids, &mut touched).await?;
                found.extend(here.iter().map(|place| place.trace.clone()));
                touched.files.insert(file.name().to_string(), !here.is_empty());
                places.push((file, here));
            }
            // A row may be stored in another trace than the one it is logged to now.
            if found.iter().any(|trace| !traces.contains(trace)) {
                traces.extend(found);
                continue;
            }
            for (file, here) in places.into_iter().filter(|(_, here)| !here.is_empty()) {
                touched.spans.extend(self.rows_at(file, &here).await?);
            }
            touched.traces = found;
            return Ok(touched);
        }
    }

    async fn files_of(&self, experiment_id: &str) -> Result<Vec<DataFile>, StoreError> {
        let mut spans = self.spans().lock().await;
        spans.update_state().await?;
        let base = self.location().table_path(SPANS);
        let files = spans.snapshot()?.log_data().iter().map(|view| DataFile::of(&base, &view)).collect::<Vec<_>>();
        Ok(files.into_iter().filter(|file| file.may_hold(experiment_id) && !file.is_history()).collect())
    }

    /// Finds the touched rows of a file, and notes what numbering needs of the others.
    async fn places(
        &self,
        file: &DataFile,
        experiment_id: &str,
        traces: &HashSet<String>,
        ids: &HashSet<String>,
        touched: &mut Touched,
    ) -> Result<Vec<Place>, StoreError> {
        let builder = self.stream(file).await?;
        let names = [
            schema::EXPERIMENT_ID,
            schema::ID,
            schema::ROOT_SPAN_ID,
            schema::POSITION,
            schema::COMPARISON_KEY_HASH,
            schema::TRIAL_INDEX,
        ];
        let mask = ProjectionMask::columns(builder.parquet_schema(), names);
        let mut batches = builder.with_projection(mask).build()?;
        let mut places = Vec::new();
        let mut first = 0;
        while let Some(batch) = batches.try_next().await? {
            let text = |name: &str| -> StringArray {
                let column = batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>().cloned());
                column.unwrap_or_else(|| StringArray::new_null(batch.num_rows()))
            };
            let (owners, row_ids, roots) = (text(schema::EXPERIMENT_ID), text(schema::ID), text(schema::ROOT_SPAN_ID));
            let int = |name: &str, row: usize| {
                let column = batch.column_by_name(name)?.as_primitive_opt::<Int64Type>()?;
                column.is_valid(row).then(|| column.value(row))
            };
            let hashes = batch
                .column_by_name(schema::COMPARISON_KEY_HASH)
                .and_then(|column| column.as_primitive_opt::<Decimal128Type>());
            for row in (0..batch.num_rows()).filter(|&row| owners.value(row) == experiment_id) {
                let position = int(schema::POSITION, row).unwrap_or_default();
                touched.next_position = touched.next_position.max(position + 1);
                let trace = roots.value(row);
                let is_touched = traces.contains(trace) || ids.contains(row_ids.value(row));
                let hash = hashes.filter(|hashes| hashes.is_valid(row)).map(|hashes| hashes.value(row));
                if file.is_root {
                    let trial = int(schema::TRIAL_INDEX, row).unwrap_or_default();
                    if let Some(hash) = hash {
                        let next = touched.next_trial.entry(hash).or_default();
                        *next = (*next).max(trial + 1);
                    }
                    if is_touched {
                        touched.numbered.insert(trace.to_string(), (hash, trial));
                    } else {
                        touched.rows += 1;
                        touched.keys.extend(hash);
                    }
                }
                if is_touched {
                    places.push(Place { trace: trace.to_string(), row: first + row });
                } else {
                    touched.spans_left += 1;
                }
            }
            first += batch.num_rows();
        }
        Ok(places)
    }

    async fn rows_at(&self, file: &DataFile, places: &[Place]) -> Result<Vec<Span>, StoreError> {
        let mut selectors = Vec::new();
        let mut next = 0;
        for place in places {
            if place.row > next {
                selectors.push(RowSelector::skip(place.row - next));
            }
            selectors.push(RowSelector::select(1));
            next = place.row + 1;
        }
        let builder = self.stream(file).await?;
        let fixed = crate::fixed_columns::fixed_arrow_fields(file.is_root);
        let mask = ProjectionMask::columns(builder.parquet_schema(), fixed.iter().map(|field| field.name().as_str()));
        let selection = RowSelection::from(selectors);
        let batches = builder.with_projection(mask).with_row_selection(selection).build()?;
        let batches: Vec<RecordBatch> = batches.try_collect().await?;
        Ok(batches.iter().flat_map(spans_of).collect())
    }

    async fn stream(&self, file: &DataFile) -> Result<ParquetRecordBatchStreamBuilder<FileReader>, StoreError> {
        Ok(ParquetRecordBatchStreamBuilder::new(FileReader::new(&self.location().root, file)).await?)
    }

    /// Puts traces back: `spans` are all rows, from now on, of the traces in `touched` and of any new
    /// ones; `history` are versions of rows that held until now. Returns the record with its counts.
    ///
    /// # Errors
    /// [`StoreError::Contention`] when another writer has changed the experiment since it was read:
    /// read it again. Nothing is visible then.
    pub async fn upsert(
        &self,
        experiment: Experiment,
        spans: Vec<Span>,
        history: Vec<Span>,
        touched: Touched,
    ) -> Result<Experiment, WriteError> {
        let store = self.clone();
        let gone = touched.traces.clone();
        let files = touched.files.clone();
        let write = move || store.write_traces(experiment, spans, &history, touched);
        let staged =
            tokio::task::spawn_blocking(write).await.map_err(|e| StoreError::from(std::io::Error::other(e)))??;
        let experiment = staged.experiment.clone();
        self.commit_traces(staged, &gone, &files).await?;
        Ok(experiment)
    }

    fn write_traces(
        &self,
        mut experiment: Experiment,
        spans: Vec<Span>,
        history: &[Span],
        mut touched: Touched,
    ) -> Result<StagedExperiment, WriteError> {
        let span_count = spans.len();
        let (mut cases, children) = assemble_all(spans);
        number(&mut cases, &mut touched);
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        experiment.rows = touched.rows + count(cases.len());
        experiment.spans = touched.spans_left + count(span_count);
        experiment.cases = count(touched.keys.len());
        let earliest = cases.iter().filter_map(|case| case.root.created).min();
        experiment.created = experiment.created.or(earliest);
        let mut files = Vec::new();
        let writer = self.writer(experiment.clone(), WriterOptions::default());
        if !cases.is_empty() {
            files.push(writer.write_part(Rows::Cases(&cases), true)?);
        }
        if !children.is_empty() {
            files.push(writer.write_part(Rows::Spans(&children), false)?);
        }
        if !history.is_empty() {
            let mut owner = experiment.clone();
            owner.id = format!("{}{}", schema::HISTORY_PREFIX, owner.id);
            let path = format!("{HISTORY_PATH}{}.parquet", uuid::Uuid::new_v4().simple());
            let writer = self.writer(owner, WriterOptions::default());
            files.push(writer.write_part_at(Rows::Spans(history), false, path)?);
        }
        Ok(StagedExperiment { experiment, files })
    }

    async fn commit_traces(
        &self,
        mut staged: StagedExperiment,
        gone: &HashSet<String>,
        seen: &HashMap<String, bool>,
    ) -> Result<(), StoreError> {
        let id = staged.experiment.id.clone();
        let keep = |batch: &RecordBatch| -> BooleanArray {
            let text = |name: &str| batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
            let (owners, roots) = (text(schema::EXPERIMENT_ID), text(schema::ROOT_SPAN_ID));
            let is_gone = |row: usize| {
                owners.is_some_and(|owners| owners.value(row) == id)
                    && roots.is_some_and(|roots| gone.contains(roots.value(row)))
            };
            (0..batch.num_rows()).map(|row| Some(!is_gone(row))).collect()
        };
        let mut rewritten: HashMap<String, Rewritten> = HashMap::new();
        let mut spans = self.spans().lock().await;
        for attempt in 0..ATTEMPTS_MAX {
            spans.update_state().await?;
            let base = self.location().table_path(SPANS);
            let mut actions = Vec::new();
            let mut known = 0;
            // Collected: the iterator cannot be held while files are read.
            let views: Vec<_> = spans.snapshot()?.log_data().into_iter().collect();
            for view in views {
                let file = DataFile::of(&base, &view);
                let Some(&holds) = seen.get(file.name()) else {
                    if file.may_hold(&id) && !file.is_history() {
                        return Err(StoreError::Contention { attempts: attempt + 1 });
                    }
                    continue;
                };
                known += 1;
                if !holds {
                    continue;
                }
                if !rewritten.contains_key(file.name()) {
                    let less = self.without_rows(&file, &keep, &HashSet::new()).await?;
                    rewritten.insert(file.name().to_string(), less);
                }
                match rewritten.get(file.name()) {
                    None | Some(Rewritten::Same) => {}
                    Some(Rewritten::Empty) => actions.push(Action::Remove(view.remove_action(true))),
                    Some(Rewritten::Less(add, _)) => {
                        actions.push(Action::Remove(view.remove_action(true)));
                        actions.push(Action::clone(add));
                    }
                }
            }
            if known != seen.len() {
                return Err(StoreError::Contention { attempts: attempt + 1 });
            }
            let mode = if actions.is_empty() { SaveMode::Append } else { SaveMode::Overwrite };
            let columns = self.add_columns(&spans, std::slice::from_mut(&mut staged), &mut actions).await?;
            actions.extend(staged.files.iter().map(add_action));
            if actions.is_empty() {
                break;
            }
            if let Commit::Done = table::commit(&spans, actions, mode).await? {
                self.absorb_columns(&columns);
                break;
            }
            if attempt + 1 == ATTEMPTS_MAX {
                return Err(StoreError::Contention { attempts: ATTEMPTS_MAX });
            }
            back_off(attempt).await;
        }
        drop(spans);
        let mut records: Vec<Record> = Vec::new();
        for body in rewritten.values().flat_map(|less| match less {
            Rewritten::Less(_, bodies) => bodies.as_slice(),
            _ => &[],
        }) {
            if body.experiment.id != id {
                records.push(Record::of_experiment(body)?);
            }
        }
        let mut registry = self.registry().lock().await;
        registry.update_state().await?;
        let before = registry.experiment_body(self.location(), &id).await?;
        records.push(Record::of_experiment(&body_of(&staged, before))?);
        registry::append(self.location(), &mut registry, records).await
    }
}

/// The record of an experiment whose rows are in many files: names are added to those it had.
fn body_of(staged: &StagedExperiment, before: Option<ExperimentBody>) -> ExperimentBody {
    let cases = staged.files.iter().find(|file| file.is_root);
    let union = |field: &str, known: Option<Vec<String>>| {
        let mut names = known.unwrap_or_default();
        for name in cases.map(|file| names_of(file, field)).unwrap_or_default() {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        Some(names)
    };
    let mut experiment = staged.experiment.clone();
    let (mut scores, mut metrics) = Default::default();
    if let Some(before) = before {
        // What was said of it since it was read is newer; only the rows are news.
        let Experiment { rows, cases, spans, xact, created, .. } = experiment;
        let created = before.experiment.created.or(created);
        experiment = Experiment { rows, cases, spans, xact, created, ..before.experiment };
        (scores, metrics) = (before.scores, before.metrics);
    }
    ExperimentBody {
        experiment,
        case_file: None,
        scores: union(schema::SCORES, scores),
        metrics: union(schema::METRICS, metrics),
        saved_key: None,
    }
}

fn add_action(file: &StagedFile) -> Action {
    table::add_file(file.path.clone(), file.size, Some(file.is_root), file.statistics.clone())
}

/// Numbers trials: a case keeps the index that it was stored with while its key stays the same, and a
/// new one follows those that are there.
fn number(cases: &mut [Case], touched: &mut Touched) {
    cases.sort_by(|a, b| {
        let key = |case: &Case| (case.key_hash.is_none(), case.key_hash);
        (key(a), a.root.created, &a.root.id).cmp(&(key(b), b.root.created, &b.root.id))
    });
    for case in cases {
        let Some(hash) = case.key_hash else { continue };
        touched.keys.insert(hash);
        case.trial_index = match touched.numbered.get(&case.root.root_span_id) {
            Some((Some(known), trial)) if *known == hash => *trial,
            _ => {
                let next = touched.next_trial.entry(hash).or_default();
                *next += 1;
                *next - 1
            }
        };
    }
}
