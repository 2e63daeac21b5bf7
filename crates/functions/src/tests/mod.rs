//! Tests of the crate as a whole. They share one binary with the unit tests, so that DataFusion is
//! linked once.

mod columns;
mod coverage;
mod documentation;
mod partitions;
mod reference;
mod reference_sql;

use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::catalog::MemTable;
use datafusion::error::Result;
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::kernels::random::SplitMix64;

/// A plain session that knows the functions.
fn session(target_partitions: usize) -> SessionContext {
    let config = SessionConfig::new().with_target_partitions(target_partitions);
    #[expect(clippy::disallowed_methods, reason = "the functions are tested without the session of evalhouse")]
    let session = SessionContext::new_with_config(config);
    for function in crate::scalar_functions() {
        session.register_udf(function.as_ref().clone());
    }
    for function in crate::aggregate_functions() {
        session.register_udaf(function.as_ref().clone());
    }
    session
}

/// Registers the batches as the table `t`, one partition each.
fn register(session: &SessionContext, batches: Vec<RecordBatch>) {
    let schema = batches[0].schema();
    let partitions = batches.into_iter().map(|batch| vec![batch]).collect();
    let table = MemTable::try_new(schema, partitions).unwrap();
    session.register_table("t", Arc::new(table)).unwrap();
}

async fn query(session: &SessionContext, sql: &str) -> Result<Vec<RecordBatch>> {
    session.sql(sql).await?.collect().await
}

/// Uniform in [0, 1).
fn uniform(random: &mut SplitMix64) -> f64 {
    (random.next_bits() >> 11) as f64 / (1_u64 << 53) as f64
}

/// Standard normal (Box and Muller).
fn normal(random: &mut SplitMix64) -> f64 {
    let radius = (-2.0 * (1.0 - uniform(random)).ln()).sqrt();
    radius * (std::f64::consts::TAU * uniform(random)).cos()
}
