//! Import, seen from outside: what files become, what is refused, and in which words.

mod files;
mod foreign;
mod identity;
mod mutations;
mod outcomes;

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use evalhouse_import::{Fault, ImportError, ImportRequest, NoProgress, import, read_rows};
use evalhouse_model::{Experiment, ImportReport, Span};
use evalhouse_store::Store;
use tempfile::TempDir;

/// A folder of source files and an empty store.
struct Sandbox {
    folder: TempDir,
    store: Store,
}

impl Sandbox {
    async fn new(files: &[(&str, &[u8])]) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let url = format!("memory://import-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let sandbox = Self { folder: tempfile::tempdir().unwrap(), store: Store::create(&url).await.unwrap() };
        for (name, content) in files {
            sandbox.write(name, content);
        }
        sandbox
    }

    fn write(&self, name: &str, content: &[u8]) {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// Imports paths below the folder into the project `p`. Messages lose the folder's own path.
    async fn import(&self, paths: &[&str]) -> ImportReport {
        self.import_with(paths, ImportRequest { project: Some("p".into()), ..Default::default() }).await.unwrap()
    }

    async fn import_with(&self, paths: &[&str], request: ImportRequest) -> Result<ImportReport, ImportError> {
        let path = |path: &&str| self.folder.path().join(path).display().to_string();
        let request = ImportRequest { paths: paths.iter().map(path).collect(), ..request };
        let mut report = import(&self.store, request, Arc::new(NoProgress)).await?;
        for file in report.failed.iter_mut().chain(&mut report.skipped) {
            file.path = self.shortened(&file.path);
            file.reason = self.shortened(&file.reason);
        }
        Ok(report)
    }

    async fn experiments(&self) -> Vec<Experiment> {
        let mut experiments = self.store.experiments().await.unwrap();
        experiments.sort_by(|a, b| (&a.project, &a.name).cmp(&(&b.project, &b.name)));
        experiments
    }

    fn shortened(&self, text: &str) -> String {
        let prefix = |path: &Path| format!("{}/", path.display());
        text.replace(&prefix(self.folder.path()), "")
    }
}

/// The spans of a text, and what is wrong with its rows.
fn read(text: impl Into<Vec<u8>>) -> (Vec<Span>, Vec<Fault>) {
    let seen = Rc::new(RefCell::new((Vec::new(), Vec::new())));
    read_rows(std::io::Cursor::new(text.into()), |row| match row {
        Ok(span) => seen.borrow_mut().0.push(span),
        Err(fault) => seen.borrow_mut().1.push(fault),
    });
    seen.take()
}

/// A root row with more fields.
fn root(id: &str, more: &str) -> String {
    format!(r#"{{"id":"{id}","span_id":"{id}","root_span_id":"{id}","input":"q {id}"{more}}}"#)
}

/// A child row of a root, with more fields.
fn child(id: &str, root: &str, more: &str) -> String {
    format!(r#"{{"id":"{id}","span_id":"{id}","root_span_id":"{root}","span_parents":["{root}"]{more}}}"#)
}

fn lines(rows: &[String]) -> Vec<u8> {
    rows.iter().flat_map(|row| [row.as_bytes(), b"\n"].concat()).collect()
}
