//! Diffs and summaries: the pinned rules, and an independent recomputation.

mod cases;
mod diff;
mod invariants;
mod plans;
mod recomputed;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use evalhouse_analysis::{DiffOptions, Selected, diff, select};
use evalhouse_import::{ImportRequest, NoProgress, import};
use evalhouse_model::Diff;
use evalhouse_session::{Session, SessionOptions};
use evalhouse_store::Store;

pub(crate) fn bundled_data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/support-assistant")
}

/// A session over a fresh store with everything imported from one path.
pub(crate) async fn imported(path: &Path, project: &str) -> Session {
    let store = Store::create(&crate::store::memory_url()).await.unwrap();
    import_into(&store, path, project).await;
    open(store).await
}

pub(crate) async fn import_into(store: &Store, path: &Path, project: &str) {
    let request = ImportRequest {
        paths: vec![path.to_str().unwrap().to_string()],
        project: Some(project.to_string()),
        ..ImportRequest::default()
    };
    let report = import(store, request, Arc::new(NoProgress)).await.unwrap();
    assert!(report.failed.is_empty(), "{:?}", report.failed);
}

pub(crate) async fn open(store: Store) -> Session {
    Session::open(store, SessionOptions::default()).await.unwrap()
}

pub(crate) fn chosen(session: &Session, name: &str) -> Selected {
    select(session, name, None).unwrap()
}

pub(crate) async fn compared(session: &Session, base: &str, candidate: &str, key: Option<&str>) -> Diff {
    let options = DiffOptions { key: key.map(str::to_string), ..DiffOptions::default() };
    diff(session, &chosen(session, base), &chosen(session, candidate), &options).await.unwrap()
}
