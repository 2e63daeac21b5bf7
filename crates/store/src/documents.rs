//! Documents: small JSON records of kinds that the store itself gives no meaning to.
//!
//! API keys and the like live in the registry beside the experiments: one commit a change, newest
//! wins, and every reader of the store sees the same.

use serde_json::Value;

use crate::registry::{self, EXPERIMENT, Record, SETTINGS};
use crate::{Store, StoreError};

/// One document.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Id, one of its kind.
    pub id: String,
    /// The project it belongs to; empty for none.
    pub project: String,
    /// Name, for people.
    pub name: String,
    /// When it was written, in microseconds since the Unix epoch.
    pub written: i64,
    /// What it says.
    pub body: Value,
}

impl Store {
    /// The documents of a kind, by id.
    ///
    /// # Errors
    /// When the registry cannot be read or a document does not parse.
    pub async fn documents(&self, kind: &str) -> Result<Vec<Document>, StoreError> {
        let mut registry = self.registry().lock().await;
        registry.update_state().await?;
        let records = registry.read(self.location()).await?;
        let of_kind = records.into_iter().filter(|record| record.kind == kind && !record.deleted);
        of_kind.map(|record| document(kind, record)).collect()
    }

    /// Writes a document, in place of an older one of its kind and id. Its time of writing is set here.
    ///
    /// # Errors
    /// [`StoreError::Contention`] when other writers win every attempt; nothing is stored then.
    pub async fn put_document(&self, kind: &str, document: Document) -> Result<(), StoreError> {
        let corrupt = |source| StoreError::Corrupt { place: format!("{kind} `{}`", document.id), source };
        let body = serde_json::to_string(&document.body).map_err(corrupt)?;
        self.write_document(kind, Record { deleted: false, body, ..record(kind, document) }).await
    }

    /// Removes a document. One that is not there is no error.
    ///
    /// # Errors
    /// As [`Self::put_document`].
    pub async fn delete_document(&self, kind: &str, id: &str) -> Result<(), StoreError> {
        let gone =
            Document { id: id.into(), project: String::new(), name: String::new(), written: 0, body: Value::Null };
        self.write_document(kind, Record { deleted: true, ..record(kind, gone) }).await
    }

    async fn write_document(&self, kind: &str, record: Record) -> Result<(), StoreError> {
        // These have a meaning of their own, and their own writers.
        debug_assert!(kind != EXPERIMENT && kind != SETTINGS, "`{kind}` is no kind of document");
        let mut registry = self.registry().lock().await;
        registry::replace(self.location(), &mut registry, record).await
    }
}

fn record(kind: &str, document: Document) -> Record {
    Record {
        kind: kind.into(),
        id: document.id,
        project: document.project,
        name: document.name,
        written: chrono::Utc::now().timestamp_micros(),
        deleted: false,
        body: String::new(),
    }
}

fn document(kind: &str, record: Record) -> Result<Document, StoreError> {
    let corrupt = |source| StoreError::Corrupt { place: format!("registry, {kind} `{}`", record.id), source };
    let body = serde_json::from_str(&record.body).map_err(corrupt)?;
    Ok(Document { id: record.id, project: record.project, name: record.name, written: record.written, body })
}
