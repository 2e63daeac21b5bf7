//! The handle: rows in, and when they are put into the store.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use evalhouse_import::RowReader;
use evalhouse_journal::{Controls, Incoming, Journal, JournalError, JournalOptions, ObjectRef, Receipt, RowFault};
use evalhouse_model::schema;
use evalhouse_store::{Store, StoreError, WriteError};
use futures::StreamExt;

use crate::objects::Objects;
use crate::row;

/// Objects that are put into the store at once, at most: each takes a few times
/// [`LiveOptions::settle_bytes`] of memory.
const SETTLED_AT_ONCE_MAX: usize = 4;

/// How rows are kept.
#[derive(Debug, Clone)]
pub struct LiveOptions {
    /// An object that was not written to for this long is put into the store.
    pub rest: Duration,
    /// An object with this many bytes in the journal is put into the store, and no more than this is
    /// put there at a time.
    pub settle_bytes: u64,
    /// Of the journal.
    pub journal: JournalOptions,
}

impl Default for LiveOptions {
    fn default() -> Self {
        Self { rest: Duration::from_secs(5), settle_bytes: 32 << 20, journal: JournalOptions::default() }
    }
}

/// Why rows were not taken, or not put into the store.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// A row cannot be stored. Nothing of its request was.
    #[error("{}{message}", index.map(|index| format!("row {index}: ")).unwrap_or_default())]
    Row {
        /// Its place in the request, from 0.
        index: Option<usize>,
        /// What is wrong with it.
        message: String,
    },
    /// A row belongs to an object that was never created.
    #[error("row {index}: there is no {object}: create it before logging to it")]
    UnknownObject {
        /// Place of the row in the request, from 0.
        index: usize,
        /// The object.
        object: ObjectRef,
    },
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Rows that were accepted cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl LiveError {
    /// What the user can do about it, where there is something.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Journal(error) => error.hint(),
            Self::Store(error) | Self::Write(WriteError::Store(error)) => error.hint(),
            Self::Row { .. } | Self::UnknownObject { .. } | Self::Write(WriteError::Row(_)) => None,
        }
    }
}

/// Rows that are logged while they are read. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Live {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) journal: Journal,
    pub(crate) objects: Objects,
    pub(crate) options: LiveOptions,
    /// One settles an object at a time.
    locks: Mutex<HashMap<ObjectRef, Arc<tokio::sync::Mutex<()>>>>,
}

impl Live {
    /// Opens the journal in a folder, and forgets of it what the store has already.
    ///
    /// # Errors
    /// When another server has the folder, or the journal or the store cannot be read.
    pub async fn open(store: Store, folder: &Path, options: LiveOptions) -> Result<Self, LiveError> {
        let objects = Objects::read(&store).await?;
        let settings = JournalOptions { after_xact: objects.newest_xact(), ..options.journal.clone() };
        let (journal, recovered) = Journal::open(folder, settings)?;
        for (object, _) in journal.objects() {
            if let Some(xact) = objects.get(&object).and_then(|record| record.xact) {
                journal.release(&object, xact)?;
            }
        }
        tracing::info!(rows = recovered.rows, torn_bytes = recovered.torn_bytes, "opened the journal");
        Ok(Self { inner: Arc::new(Inner { store, journal, objects, options, locks: Mutex::default() }) })
    }

    /// Checks the rows of a request and writes them to the journal: all of them, or none.
    ///
    /// # Errors
    /// [`LiveError::Row`] and [`LiveError::UnknownObject`] name the first row that cannot be stored;
    /// [`JournalError::Full`] asks to try again later.
    pub async fn log(&self, mut rows: Vec<Incoming>) -> Result<Receipt, LiveError> {
        let mut reader = RowReader::default();
        let now = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
        for (index, incoming) in rows.iter_mut().enumerate() {
            if !self.inner.objects.knows(&self.inner.store, &incoming.object).await? {
                return Err(LiveError::UnknownObject { index, object: incoming.object.clone() });
            }
            let wrong = |fault: RowFault| LiveError::Row { index: Some(index), message: fault.to_string() };
            let controls = Controls::of(&incoming.row).map_err(wrong)?;
            complete(incoming, &controls, &now);
            let checked = row::span_of(&incoming.row, &mut reader);
            checked.map_err(|error| match error {
                LiveError::Row { message, .. } => LiveError::Row { index: Some(index), message },
                other => other,
            })?;
        }
        Ok(self.inner.journal.append(rows).await?)
    }

    /// The newest transaction.
    pub fn last_xact(&self) -> u64 {
        self.inner.journal.last_xact()
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// Puts into the store what is logged of every object.
    ///
    /// # Errors
    /// As [`Self::settle`]; the other objects are put there all the same.
    pub async fn settle_all(&self) -> Result<(), LiveError> {
        let objects = self.inner.journal.objects().into_iter().map(|(object, _)| object);
        let mut failed = self.settle_each(objects.collect()).await;
        failed.pop().map_or(Ok(()), |(_, error)| Err(error))
    }

    /// Puts objects into the store that rest or have grown large, for as long as it is polled.
    pub async fn keep(&self) {
        let mut ticks = tokio::time::interval(Duration::from_millis(250).min(self.inner.options.rest));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let due = self.inner.journal.objects().into_iter().filter(|(_, stats)| {
                stats.last_write.elapsed() >= self.inner.options.rest || stats.bytes >= self.inner.options.settle_bytes
            });
            for (object, error) in self.settle_each(due.map(|(object, _)| object).collect()).await {
                // The rows are safe in the journal; the next turn tries again.
                tracing::warn!(%object, %error, "rows stay in the journal");
            }
        }
    }

    /// Settles objects side by side, since each keeps a core busy. Returns those that failed.
    async fn settle_each(&self, objects: Vec<ObjectRef>) -> Vec<(ObjectRef, LiveError)> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let settle = |object| async move {
            let outcome = self.settle(&object).await;
            outcome.err().map(|error| (object, error))
        };
        let outcomes = futures::stream::iter(objects).map(settle).buffer_unordered(cores.min(SETTLED_AT_ONCE_MAX));
        outcomes.filter_map(std::future::ready).collect().await
    }

    pub(crate) fn lock(&self, object: &ObjectRef) -> Arc<tokio::sync::Mutex<()>> {
        let mut locks = self.inner.locks.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(locks.entry(object.clone()).or_default())
    }
}

/// Gives a whole row the ids and the time that it was sent without.
fn complete(incoming: &mut Incoming, controls: &Controls, now: &str) {
    if controls.is_merge || controls.object_delete || controls.is_comment {
        return;
    }
    let row = &mut incoming.row;
    incoming.root_span_id = row::identify(row, &incoming.id, controls);
    if row::is_absent(row, schema::CREATED) {
        row.set(schema::CREATED, row::raw_text(now));
    }
}
