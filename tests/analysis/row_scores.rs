//! The score of a row.

use std::sync::Arc;

use evalhouse_analysis::{SummaryOptions, summary};
use evalhouse_store::Store;

use super::{chosen, open};
use crate::store::{memory_url, put, query, span};

/// Semantics, section 0: the mean over all spans of the trace that carry the score, nulls ignored:
/// 1.0 and 0.5 on two spans and null on a third make 0.75.
#[tokio::test]
async fn is_the_mean_over_the_spans_that_carry_it() {
    let store = Store::create(&memory_url()).await.unwrap();
    let mut spans = vec![span("root", "trace", None)];
    for (i, score) in [Some(1.0), Some(0.5), None].into_iter().enumerate() {
        let mut scorer = span(&format!("scorer{i}"), "trace", Some("root"));
        scorer.scores = vec![(Arc::from("f"), score)];
        scorer.position = i as i64 + 1;
        spans.push(scorer);
    }
    put(&store, "run", spans).await;
    assert_eq!(query(&store, "select scores.f from cases").await, ["0.75"]);
    let session = open(store).await;
    let answer = summary(&session, &chosen(&session, "run"), &SummaryOptions::default()).await.unwrap();
    assert_eq!(answer.scores["f"].row_mean, Some(0.75));
}
