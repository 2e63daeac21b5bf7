//! Scalar functions, one file each.

mod canonical_json;
mod comparison_hash;
mod comparison_key;
mod delta;
mod exact_match;
mod includes;
mod json_at;
mod json_diff;
mod json_entries;
mod json_object;
mod json_part;
mod len;
mod levenshtein_score;
mod match_words;
mod max_score;
mod min_score;
mod missing_policy;
mod numeric_diff;
mod regression;
mod weighted_score;

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

/// Every scalar function.
pub fn scalar_functions() -> Vec<Arc<ScalarUDF>> {
    [
        ScalarUDF::from(canonical_json::CanonicalJson::default()),
        ScalarUDF::from(comparison_hash::ComparisonHash::default()),
        ScalarUDF::from(comparison_key::ComparisonKey::default()),
        ScalarUDF::from(delta::Delta::default()),
        ScalarUDF::from(exact_match::ExactMatch::default()),
        ScalarUDF::from(includes::Includes::default()),
        ScalarUDF::from(json_at::JsonAt::default()),
        ScalarUDF::from(json_diff::JsonDiff::default()),
        ScalarUDF::from(json_entries::JsonEntries::default()),
        ScalarUDF::from(json_object::JsonObject::default()),
        ScalarUDF::from(json_part::JsonPart::default()),
        ScalarUDF::from(len::Len::default()),
        ScalarUDF::from(levenshtein_score::LevenshteinScore::default()),
        ScalarUDF::from(match_words::MatchWords::default()),
        ScalarUDF::from(max_score::MaxScore::default()),
        ScalarUDF::from(min_score::MinScore::default()),
        ScalarUDF::from(numeric_diff::NumericDiff::default()),
        ScalarUDF::from(regression::Regression::default()),
        ScalarUDF::from(weighted_score::WeightedScore::default()),
    ]
    .map(Arc::new)
    .to_vec()
}
