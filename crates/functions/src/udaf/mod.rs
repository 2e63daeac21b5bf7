//! Aggregate functions, one file each.

mod agreement;
mod at_least;
mod change_points;
mod cohen_kappa;
mod groups;
mod infer_fields;
mod judgements;
mod majority;
mod mean_ci;
mod mode;
mod paired_diff;
mod pass_at_k;
mod pass_hat_k;
mod passes;
mod score_diff;
mod state;
mod values;
mod weighted_avg;
mod weighted_kappa;

use std::sync::Arc;

use datafusion::logical_expr::AggregateUDF;

/// Every aggregate function.
pub fn aggregate_functions() -> Vec<Arc<AggregateUDF>> {
    [
        AggregateUDF::from(agreement::Agree::default()),
        AggregateUDF::from(at_least::AtLeast::default()),
        AggregateUDF::from(change_points::ChangePoints::default()),
        AggregateUDF::from(cohen_kappa::CohenKappa::default()),
        AggregateUDF::from(infer_fields::InferFields::default()),
        AggregateUDF::from(majority::Majority::default()),
        AggregateUDF::from(mean_ci::MeanCi::default()),
        AggregateUDF::from(mode::Mode::default()),
        AggregateUDF::from(paired_diff::PairedDiff::default()),
        AggregateUDF::from(pass_at_k::PassAtK::default()),
        AggregateUDF::from(pass_hat_k::PassHatK::default()),
        AggregateUDF::from(score_diff::ScoreDiff::default()),
        AggregateUDF::from(weighted_avg::WeightedAvg::default()),
        AggregateUDF::from(weighted_kappa::WeightedKappa::default()),
    ]
    .map(Arc::new)
    .to_vec()
}
