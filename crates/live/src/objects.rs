//! Which objects there are.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use evalhouse_journal::{ObjectKind as RowKind, ObjectRef};
use evalhouse_model::{Experiment, ObjectKind};
use evalhouse_store::{Snapshot, Store, StoreError};

/// The records of all objects, as far as this process has read them.
#[derive(Debug)]
pub(crate) struct Objects {
    known: RwLock<HashMap<ObjectRef, Experiment>>,
}

impl Objects {
    pub(crate) async fn read(store: &Store) -> Result<Self, StoreError> {
        Ok(Self { known: RwLock::new(records(&store.snapshot().await?)) })
    }

    pub(crate) fn get(&self, object: &ObjectRef) -> Option<Experiment> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(object).cloned()
    }

    pub(crate) fn put(&self, object: ObjectRef, record: Experiment) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert(object, record);
    }

    /// Whether an object exists. Another process may have made it.
    pub(crate) async fn knows(&self, store: &Store, object: &ObjectRef) -> Result<bool, StoreError> {
        if self.known.read().unwrap_or_else(PoisonError::into_inner).contains_key(object) {
            return Ok(true);
        }
        let all = records(&store.snapshot().await?);
        let found = all.contains_key(object);
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = all;
        Ok(found)
    }

    pub(crate) fn newest_xact(&self) -> u64 {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.values().filter_map(|record| record.xact).max().unwrap_or_default()
    }
}

fn records(snapshot: &Snapshot) -> HashMap<ObjectRef, Experiment> {
    let all = [snapshot.experiments(), snapshot.datasets(), snapshot.logs()].into_iter().flatten();
    all.map(|record| (reference(record), record.clone())).collect()
}

/// How rows name an object.
pub(crate) fn reference(record: &Experiment) -> ObjectRef {
    let kind = match record.kind {
        ObjectKind::Experiment => RowKind::Experiment,
        ObjectKind::Dataset => RowKind::Dataset,
        ObjectKind::Logs => RowKind::ProjectLogs,
    };
    ObjectRef { kind, id: record.id.clone() }
}
