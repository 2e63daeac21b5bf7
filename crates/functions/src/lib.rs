//! The SQL functions of evalhouse, the same in every face.
//!
//! [`scalar_functions`] and [`aggregate_functions`] are registered by the session, once. A function
//! is one file, named as it is named in SQL: `udf/regression.rs` is `regression`. The mathematics is
//! in [`kernels`], free of engine types, so that it can be read and tested alone.
//!
//! Every aggregate has a partial state that merges in any order: any split of the rows over
//! partitions gives the same answer to 10⁻¹². This is what makes the functions fit for two-phase and
//! distributed plans.

mod arguments;
mod canonical_text;
mod documentation;
mod json_field;
pub mod kernels;
#[cfg(test)]
mod tests;
mod udaf;
mod udf;

pub use documentation::documentation_markdown;
pub use kernels::family::{benjamini_hochberg, holm_adjusted};
pub use udaf::aggregate_functions;
pub use udf::scalar_functions;
