//! Diffs and summaries: the pinned rules, and an independent recomputation.

mod cases;
mod comparable;
mod diff;
mod explain;
mod groups;
mod invariants;
mod keys;
mod pinned;
mod plans;
mod recomputed;
mod reference;
mod row_scores;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use evalhouse_analysis::{DiffOptions, Selected, diff, select};
use evalhouse_import::{ImportRequest, NoProgress, import};
use evalhouse_model::Diff;
use evalhouse_session::{Session, SessionOptions};
use evalhouse_store::Store;
use serde_json::{Value, json};

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

/// A store with experiments of project `p`, each as the rows that were logged.
pub(crate) async fn logged(experiments: &[(&str, Vec<Value>)]) -> Store {
    let store = Store::create(&crate::store::memory_url()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (name, rows) in experiments {
        let path = folder.path().join(format!("{name}.jsonl"));
        std::fs::write(&path, rows.iter().map(Value::to_string).collect::<Vec<_>>().join("\n")).unwrap();
        import_into(&store, &path, "p").await;
    }
    store
}

/// A logged case that is a trace of one span, with more fields.
pub(crate) fn case(id: &str, more: Value) -> Value {
    let mut row = json!({"id": id, "span_id": id, "root_span_id": id});
    row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    row
}

/// Changes settings of project `p`, as `evalhouse settings` does.
pub(crate) async fn set(store: &Store, settings: &[(&str, &str)]) {
    for (name, value) in settings {
        store.change_settings("p", |current| current.set(name, value)).await.unwrap().unwrap();
    }
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
