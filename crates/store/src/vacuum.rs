//! Files that no version of the store needs any more are removed.

use std::collections::HashSet;
use std::time::Duration;

use futures::TryStreamExt;
use object_store::{ObjectStore, ObjectStoreExt};

use crate::StoreError;
use crate::store::Store;
use crate::table::{REGISTRY, SPANS};

/// What was removed, or would be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct VacuumOutcome {
    /// Files that nothing needs.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
}

impl Store {
    /// Removes data files that the current version does not list and that are older than `retain`:
    /// files that were replaced or merged, and those of writers that died. Readers that opened the
    /// store longer than `retain` ago may miss files.
    ///
    /// # Errors
    /// When the store cannot be read or a file cannot be removed.
    pub async fn vacuum(&self, retain: Duration, dry_run: bool) -> Result<VacuumOutcome, StoreError> {
        let mut outcome = VacuumOutcome::default();
        let retain = chrono::Duration::from_std(retain).unwrap_or(chrono::Duration::MAX);
        let root = &self.location().root;
        for name in [SPANS, REGISTRY] {
            let base = self.location().table_path(name);
            // Listed before the table is read: a file that is committed in between is in the table.
            let found: Vec<object_store::ObjectMeta> = root.list(Some(&base)).try_collect().await?;
            let known: HashSet<String> = {
                let paths: Vec<String> = if name == SPANS {
                    let mut spans = self.spans().lock().await;
                    spans.update_state().await?;
                    spans.snapshot()?.log_data().iter().map(|file| file.path().into_owned()).collect()
                } else {
                    let mut registry = self.registry().lock().await;
                    registry.update_state().await?;
                    registry.paths()?
                };
                let full = paths.iter().map(|path| path.split('/').fold(base.clone(), |path, part| path.join(part)));
                full.map(|path| path.to_string()).collect()
            };
            let oldest = chrono::Utc::now().checked_sub_signed(retain);
            for file in found {
                let path = file.location.to_string();
                let is_data = path.ends_with(".parquet") && !path.contains("/_delta_log/");
                let is_old = oldest.is_some_and(|oldest| file.last_modified < oldest);
                if !is_data || !is_old || known.contains(&path) {
                    continue;
                }
                outcome.files += 1;
                outcome.bytes += file.size;
                if !dry_run {
                    root.delete(&file.location).await?;
                }
            }
        }
        Ok(outcome)
    }
}
