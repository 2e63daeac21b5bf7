//! The store's contract. Every test of `contract` runs against each kind of URL.

mod contract;
mod s3;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use evalhouse_model::{Experiment, Span};
use evalhouse_session::{Session, SessionOptions};
use evalhouse_store::{StagedExperiment, Store, WriterOptions};

/// A span of a test: a root when it has no parent.
pub(crate) fn span(id: &str, trace: &str, parent: Option<&str>) -> Span {
    Span {
        id: id.into(),
        span_id: id.into(),
        root_span_id: trace.into(),
        span_parents: parent.into_iter().map(str::to_string).collect(),
        is_root: parent.is_none(),
        input: Some(format!("{{\"question\":\"{trace}\"}}")),
        ..Span::default()
    }
}

/// Some cases with one score, one child span each.
pub(crate) fn spans(cases: usize, score: f64) -> Vec<Span> {
    let mut all = Vec::new();
    for case in 0..cases {
        let (root, trace) = (format!("r{case}"), format!("t{case}"));
        let mut first = span(&root, &trace, None);
        first.metadata = Some(format!("{{\"model\":\"m\",\"case\":{case}}}"));
        let mut second = span(&format!("c{case}"), &trace, Some(&root));
        second.scores = vec![(Arc::from("f"), Some(score))];
        all.extend([first, second]);
    }
    for (position, span) in all.iter_mut().enumerate() {
        span.position = position as i64;
        span.line = position as u64 + 1;
    }
    all
}

pub(crate) async fn stage(store: &Store, id: &str, spans: Vec<Span>, options: WriterOptions) -> StagedExperiment {
    let experiment = Experiment { id: id.into(), project: "p".into(), name: id.into(), ..Experiment::default() };
    let mut writer = store.writer(experiment, options);
    tokio::task::spawn_blocking(move || {
        spans.into_iter().try_for_each(|span| writer.push(span)).unwrap();
        writer.finish().unwrap()
    })
    .await
    .unwrap()
}

pub(crate) async fn put(store: &Store, id: &str, spans: Vec<Span>) {
    let staged = stage(store, id, spans, WriterOptions::default()).await;
    store.commit(vec![staged]).await.unwrap();
}

/// The answer of a query as lines of `|`-separated values.
pub(crate) async fn query(store: &Store, sql: &str) -> Vec<String> {
    let session = Session::open(store.clone(), SessionOptions::default()).await.unwrap();
    let batches = session.sql(sql).await.unwrap().collect().await.unwrap();
    crate::sql::lines(&batches)
}

pub(crate) fn memory_url() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("memory://store-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}
