//! What is logged of one object goes into the store.

use std::ops::RangeInclusive;

use evalhouse_import::RowReader;
use evalhouse_journal::{Controls, Journal, LoggedRow, ObjectRef, Row, RowFault, Selection, apply, format_xact};
use evalhouse_model::{Span, schema};
use evalhouse_store::{StoreError, Touched, Wanted, WriteError};
use indexmap::IndexMap;
use serde_json::Value;
use serde_json::value::to_raw_value;

use crate::live::{Live, LiveError};
use crate::row;

/// Attempts before giving up; each follows a change by another process.
const ATTEMPTS_MAX: usize = 10;
/// Where a row keeps what was said of it.
const COMMENTS: &str = "comments";
/// Where a row keeps who changed it by feedback, and what was said of that.
const AUDIT: &str = "audit_data";

impl Live {
    /// Puts into the store every row of an object that was answered before the call.
    ///
    /// # Errors
    /// When the journal or the store fails; the rows stay in the journal.
    pub async fn settle(&self, object: &ObjectRef) -> Result<(), LiveError> {
        let lock = self.lock(object);
        let _one_at_a_time = lock.lock().await;
        let Some(stats) = self.inner.journal.stats(object) else { return Ok(()) };
        let last = stats.last_xact;
        let mut attempts = 0;
        while self.inner.journal.stats(object).is_some_and(|stats| stats.first_xact <= last) {
            match self.settle_some(object, last).await {
                Ok(()) => attempts = 0,
                Err(LiveError::Write(WriteError::Store(StoreError::Contention { .. }))) if attempts < ATTEMPTS_MAX => {
                    attempts += 1;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The oldest rows, as many as fit in memory.
    async fn settle_some(&self, object: &ObjectRef, last: u64) -> Result<(), LiveError> {
        let (store, journal) = (&self.inner.store, &self.inner.journal);
        let Some(mut record) = store.snapshot().await?.record(&object.id).cloned() else {
            // Deleted since: so are its rows.
            journal.release(object, last)?;
            return Ok(());
        };
        let after = record.xact.unwrap_or_default();
        let (from, of, bytes_max) = (journal.clone(), object.clone(), self.inner.options.settle_bytes);
        let changes = on_a_thread(move || Changes::read(&from, &of, after..=last, bytes_max)).await?;
        let through = changes.through;
        if !changes.rows.is_empty() {
            let touched = store.touched(&object.id, &changes.wanted()).await?;
            let (spans, history, touched) = on_a_thread(move || changes.apply(touched)).await?;
            record.xact = Some(through);
            let record = store.upsert(record, spans, history, touched).await?;
            self.inner.objects.put(object.clone(), record);
        }
        journal.release(object, through)?;
        Ok(())
    }
}

/// Does what keeps a core busy for long where it holds up no request.
async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LiveError> + Send + 'static,
) -> Result<T, LiveError> {
    let outcome = tokio::task::spawn_blocking(work).await;
    outcome.map_err(|error| StoreError::from(std::io::Error::other(error)))?
}

/// What is logged, row by row, oldest first.
struct Changes {
    rows: Vec<Change>,
    /// The newest transaction that was read.
    through: u64,
}

/// One logged row.
struct Change {
    xact: u64,
    id: String,
    row: Row,
    controls: Controls,
}

/// One row with its versions.
struct Version {
    row: Row,
    /// What is stored of it, while it is as stored.
    stored: Option<Span>,
    xact: u64,
    position: Option<i64>,
    deleted: bool,
}

impl Changes {
    /// The oldest rows of an object, some `bytes_max` of them, whole transactions, and of those the rows
    /// after the transaction that the store has already.
    fn read(
        journal: &Journal,
        object: &ObjectRef,
        xacts: RangeInclusive<u64>,
        bytes_max: u64,
    ) -> Result<Self, LiveError> {
        let wrong = |fault: RowFault| LiveError::Row { index: None, message: fault.to_string() };
        let mut changes = Self { rows: Vec::new(), through: 0 };
        let mut bytes = 0;
        for logged in journal.rows(object, Selection::All, Some(*xacts.end())) {
            let LoggedRow { xact, id, json } = logged?;
            if bytes >= bytes_max && xact != changes.through {
                break;
            }
            bytes += json.len() as u64;
            changes.through = xact;
            if xact > *xacts.start() {
                let row = Row::parse(&json).map_err(wrong)?;
                let controls = Controls::of(&row).map_err(wrong)?;
                changes.rows.push(Change { xact, id, row, controls });
            }
        }
        Ok(changes)
    }

    /// The stored rows that must be known.
    fn wanted(&self) -> Wanted {
        let mut wanted = Wanted::default();
        for Change { id, row, controls, .. } in &self.rows {
            wanted.ids.insert(match controls.is_comment {
                true => target_of(row).unwrap_or_else(|| id.clone()),
                false => id.clone(),
            });
            // A merge may be into a row that is not there: then it is the row, in a trace of its own.
            wanted.traces.insert(row::trace_of(row, id));
            wanted.ids.extend(controls.parent_id.clone());
        }
        wanted
    }

    /// All rows of the touched traces from now on, and the versions that no longer hold.
    fn apply(self, mut touched: Touched) -> Result<(Vec<Span>, Vec<Span>, Touched), LiveError> {
        let mut reader = RowReader::default();
        let mut history: Vec<Span> = Vec::new();
        let mut versions: IndexMap<String, Version> = IndexMap::new();
        for span in std::mem::take(&mut touched.spans) {
            let version = Version {
                row: Row::default(),
                xact: span.version,
                position: Some(span.position),
                deleted: false,
                stored: Some(span),
            };
            versions.insert(version.stored.as_ref().map(|span| span.id.clone()).unwrap_or_default(), version);
        }
        let (comments, rows): (Vec<_>, Vec<_>) = self.rows.into_iter().partition(|change| change.controls.is_comment);
        // A comment may be logged with the row that it is about, in either order.
        for Change { xact, id: own_id, row: update, controls } in rows.into_iter().chain(comments) {
            let target = if controls.is_comment { target_of(&update) } else { None };
            let id = target.unwrap_or_else(|| own_id.clone());
            // A crash came between the rows and the record that says so: the row has it already.
            if versions.get(&id).is_some_and(|known| known.stored.is_some() && known.xact >= xact) {
                continue;
            }
            let current = versions.get(&id).filter(|version| !version.deleted).map(Version::as_row);
            let is_new = current.is_none();
            let outcome = if controls.is_comment {
                let Some(current) = current else {
                    // Kept, though there is nothing to show it with.
                    history.push(at(row::opaque(&update, &own_id), xact));
                    continue;
                };
                Some(noted(current, COMMENTS, &comment(&own_id, &update)))
            } else {
                apply(current, update, &controls, |parent| versions.get(parent).map(Version::as_row))
            };
            if let Some(known) = versions.get(&id).filter(|known| known.xact != xact && !known.deleted) {
                history.push(known.to_span(&mut reader));
            }
            let position = versions.get(&id).and_then(|known| known.position);
            let version = match outcome {
                Some(mut row) => {
                    if let Some(source) = &controls.audit_source
                        && !controls.is_comment
                    {
                        row = noted(row, AUDIT, &audit(xact, source, controls.audit_metadata.as_ref()));
                    }
                    if is_new {
                        row::identify(&mut row, &id, &controls);
                    }
                    row::strip(&mut row);
                    Version { row, stored: None, xact, position, deleted: false }
                }
                None => {
                    let mut gone = versions.get(&id).map(|known| known.to_span(&mut reader)).unwrap_or_default();
                    gone.id.clone_from(&id);
                    gone.extra = Some(schema::TOMBSTONE.to_string());
                    history.push(at(gone, xact));
                    Version { row: Row::default(), stored: None, xact, position, deleted: true }
                }
            };
            versions.insert(id, version);
        }
        let mut spans = Vec::with_capacity(versions.len());
        let mut next = touched.next_position;
        for version in versions.into_values().filter(|version| !version.deleted) {
            let mut span = version.to_span(&mut reader);
            span.position = version.position.unwrap_or_else(|| {
                next += 1;
                next - 1
            });
            spans.push(span);
        }
        Ok((spans, history, touched))
    }
}

impl Version {
    fn as_row(&self) -> Row {
        self.stored.as_ref().map_or_else(|| self.row.clone(), row::row_of)
    }

    fn to_span(&self, reader: &mut RowReader) -> Span {
        if let Some(stored) = &self.stored {
            return stored.clone();
        }
        let id = row::text(&self.row, schema::ID).unwrap_or_default();
        let span = row::span_of(&self.row, reader).unwrap_or_else(|_| row::opaque(&self.row, &id));
        at(span, self.xact)
    }
}

fn at(mut span: Span, xact: u64) -> Span {
    span.version = xact;
    span
}

fn target_of(comment: &Row) -> Option<String> {
    let origin: Value = serde_json::from_str(comment.get(schema::ORIGIN)?.get()).ok()?;
    origin[schema::ID].as_str().map(str::to_string)
}

/// What is shown of a comment: its id, time, text and who said it.
fn comment(id: &str, row: &Row) -> Value {
    let value = |name: &str| row.get(name).and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or(Value::Null);
    serde_json::json!({
        "id": id,
        "created": value(schema::CREATED),
        "comment": value("comment"),
        "source": value("_audit_source"),
        "metadata": value("_audit_metadata"),
    })
}

fn audit(xact: u64, source: &str, metadata: Option<&Row>) -> Value {
    serde_json::json!({ "_xact_id": format_xact(xact), "source": source, "metadata": metadata })
}

/// A row with one more entry in a list, unless it has it.
fn noted(mut row: Row, field: &str, entry: &Value) -> Row {
    let known = row.get(field).and_then(|raw| serde_json::from_str::<Vec<Value>>(raw.get()).ok());
    let mut list = known.unwrap_or_default();
    let same = |known: &Value| match field {
        COMMENTS => known["id"] == entry["id"],
        _ => known == entry,
    };
    if !list.iter().any(same) {
        list.push(entry.clone());
    }
    if let Ok(raw) = to_raw_value(&list) {
        row.set(field, raw);
    }
    row
}
