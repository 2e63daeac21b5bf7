//! Aggregate functions, one file each.

mod mean_ci;
mod paired_diff;
mod state;
mod weighted_avg;

use std::sync::Arc;

use datafusion::logical_expr::AggregateUDF;

/// Every aggregate function.
pub fn aggregate_functions() -> Vec<Arc<AggregateUDF>> {
    [
        AggregateUDF::from(mean_ci::MeanCi::default()),
        AggregateUDF::from(paired_diff::PairedDiff::default()),
        AggregateUDF::from(weighted_avg::WeightedAvg::default()),
    ]
    .map(Arc::new)
    .to_vec()
}
