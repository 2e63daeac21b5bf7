//! Not committed: timing.
use super::{query, register, session, uniform};
use crate::kernels::random::SplitMix64;
use arrow::array::{ArrayRef, Float64Array, Int32Array, RecordBatch, StringArray};
use std::sync::Arc;
use std::time::Instant;

#[tokio::test]
async fn timing() {
    let mut r = SplitMix64::new(1);
    let n = 2_000_000;
    let a: ArrayRef = Arc::new((0..n).map(|_| Some(uniform(&mut r))).collect::<Float64Array>());
    let b: ArrayRef = Arc::new((0..n).map(|_| Some(uniform(&mut r))).collect::<Float64Array>());
    let g: ArrayRef = Arc::new((0..n).map(|i| Some(i % 50)).collect::<Int32Array>());
    let k: ArrayRef = Arc::new((0..n).map(|i| Some(i % 50_000)).collect::<Int32Array>());
    let c: ArrayRef = Arc::new((0..n).map(|i| Some(format!("c{}", i % 1000))).collect::<StringArray>());
    let batch = RecordBatch::try_from_iter([("a", a), ("b", b), ("g", g), ("k", k), ("c", c)]).unwrap();
    let s = session(1);
    register(&s, vec![batch]);
    for sql in [
        "SELECT sum(a), sum(b) FROM t",
        "SELECT stddev(a), stddev(b) FROM t",
        "SELECT sum(delta(a, b)) FROM t",
        "SELECT regression(a, b) AS c, count(*) FROM t GROUP BY 1",
        "SELECT count(*) FROM t WHERE regression(a, b) = 'regressed'",
        "SELECT sum(weighted_score(a, 1, b, 2)) FROM t",
        "SELECT weighted_avg(a, b) FROM t",
        "SELECT mean_ci(a) FROM t",
        "SELECT paired_diff(a, b) FROM t",
        "SELECT paired_diff(a, b, c) FROM t",
        "SELECT g, stddev(a) FROM t GROUP BY g",
        "SELECT g, paired_diff(a, b) FROM t GROUP BY g",
        "SELECT g, weighted_avg(a, b) FROM t GROUP BY g",
        "SELECT k, avg(a) FROM t GROUP BY k",
        "SELECT k, mean_ci(a) FROM t GROUP BY k",
        "SELECT k, paired_diff(a, b) FROM t GROUP BY k",
        "SELECT k, weighted_avg(a, b) FROM t GROUP BY k",
        "SELECT count(comparison_hash(c)) FROM t",
        "SELECT count(comparison_hash(c, g)) FROM t",
    ] {
        query(&s, sql).await.unwrap();
        let start = Instant::now();
        query(&s, sql).await.unwrap();
        println!("{:>10.1} ms  {sql}", start.elapsed().as_secs_f64() * 1e3);
    }
}
