//! Times the kernels that run once a row: canonical JSON and its hash, and the paired statistics.

#![allow(missing_docs, clippy::expect_used, reason = "criterion's macros make public functions, and a bench may panic")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use evalhouse_model::canonical::{canonical_hash, canonical_json};

fn canonical(c: &mut Criterion) {
    let plain = format!("\"{}\"", "A question of middling length, as most are. ".repeat(6));
    let nested = r#"{"question":"Where is my order?","customer":{"id":12345,"tier":"pro"},"turns":[{"role":"user","content":"hi"},{"role":"assistant","content":"hello"}],"weight":1.0}"#;
    for (name, json) in [("text", plain.as_str()), ("object", nested)] {
        let mut group = c.benchmark_group("canonical");
        group.throughput(Throughput::Bytes(json.len() as u64));
        group.bench_function(format!("json {name}"), |b| b.iter(|| canonical_json(std::hint::black_box(json))));
        let text = canonical_json(json).expect("valid JSON");
        group.bench_function(format!("hash {name}"), |b| b.iter(|| canonical_hash(std::hint::black_box(&text))));
        group.finish();
    }
}

criterion_group!(benches, canonical);
criterion_main!(benches);
