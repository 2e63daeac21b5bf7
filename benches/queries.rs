//! Times every `queries/*.sql` and the two answers people ask for most, warm, over the bundled data.
//! `EVALHOUSE_DATA` adds a store of the folder's `zeroeval/gsm`.

#![allow(missing_docs, clippy::expect_used, reason = "criterion's macros make public functions, and a bench may panic")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use evalhouse_analysis::{
    DiffOptions, SummaryOptions, diff, named_queries, query_values, select, summary, with_table_functions,
};
use evalhouse_import::{ImportRequest, NoProgress, import};
use evalhouse_session::{Session, SessionOptions};
use evalhouse_store::Store;

fn queries(c: &mut Criterion) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = vec![("bundled", root.join("data/support-assistant"), ["baseline", "prompt-v2"])];
    if let Some(data) = std::env::var_os("EVALHOUSE_DATA") {
        let gsm = PathBuf::from(data).join("zeroeval/gsm");
        sources.push(("gsm", gsm, ["gpt-4o-2024-08-06", "claude-3-5-sonnet-20241022"]));
    }
    for (name, path, [base, candidate]) in sources {
        let session = runtime.block_on(open(name, &path));
        let mut group = c.benchmark_group(name);
        group.sample_size(20);
        let score = if name == "bundled" { "Factuality" } else { "correct" };
        for query in named_queries(&[]).expect("the shipped queries") {
            let example = |parameter: &str| match parameter {
                "project" => name,
                "experiment" | "candidate" => candidate,
                "base" => base,
                "score" => score,
                _ => "category",
            };
            let given: Vec<String> = query
                .parameters
                .iter()
                .filter(|parameter| parameter.default.is_none())
                .map(|parameter| format!("{}={}", parameter.name, example(&parameter.name)))
                .collect();
            let values = query_values(&query, &given).expect("values");
            group.bench_function(&query.name, |b| {
                b.iter(|| {
                    runtime.block_on(async {
                        session.sql_with(&query.sql, &values).await.expect("plans").collect().await.expect("runs")
                    })
                });
            });
        }
        let (base, candidate) =
            (select(&session, base, None).expect("base"), select(&session, candidate, None).expect("candidate"));
        group.bench_function("diff", |b| {
            b.iter(|| runtime.block_on(diff(&session, &base, &candidate, &DiffOptions::default())).expect("runs"));
        });
        group.bench_function("show", |b| {
            b.iter(|| runtime.block_on(summary(&session, &base, &SummaryOptions::default())).expect("runs"));
        });
    }
}

async fn open(name: &str, path: &Path) -> Session {
    let store = Store::create(&format!("memory://bench-{name}")).await.expect("a store");
    let request = ImportRequest {
        paths: vec![path.to_string_lossy().into_owned()],
        project: Some(name.to_string()),
        ..ImportRequest::default()
    };
    import(&store, request, Arc::new(NoProgress)).await.expect("imports");
    with_table_functions(Session::open(store, SessionOptions::default()).await.expect("opens"))
}

criterion_group!(benches, queries);
criterion_main!(benches);
