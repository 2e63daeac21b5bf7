//! What a project is set to: how its cases are matched, its scores read, its baselines chosen.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// The settings of one project. What is not set has its documented default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProjectSettings {
    /// The expression (or list of expressions) that says which cases are the same case; default
    /// `input`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison_key: Option<String>,
    /// How trials of a case become one value; default `mean`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reducer: Option<String>,
    /// The project's baseline.
    #[serde(default, skip_serializing_if = "is_default")]
    pub baseline: BaselineSettings,
    /// Named baselines: name → experiment id or name.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub baselines: IndexMap<String, String>,
    /// Directions and tolerances of scores.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub scores: IndexMap<String, NumberSettings>,
    /// Directions and tolerances of metrics.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub metrics: IndexMap<String, NumberSettings>,
    /// Scores made of scores.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub aggregate_scores: IndexMap<String, AggregateScore>,
    /// Columns made of expressions.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub columns: IndexMap<String, CustomColumn>,
    /// The endpoint that may be asked to translate phrases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language_model: Option<LanguageModelSettings>,
}

/// Which experiment others are held against.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaselineSettings {
    /// The project's baseline experiment: id or name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub experiment: Option<String>,
    /// Whether it wins over the base that an experiment recorded for itself.
    #[serde(default, skip_serializing_if = "is_default")]
    pub overrides_recorded: bool,
}

/// How a score or metric is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NumberSettings {
    /// Which way is better; default higher for a score, by its name for a metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// Differences up to this are no difference, in the number's own unit; default 1e-9.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<f64>,
}

/// Which way is better.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// More is better.
    #[default]
    Higher,
    /// Less is better.
    Lower,
}

/// A score made of scores (semantics, section 11): evaluated for each row, then averaged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AggregateScore {
    /// Weighted average, minimum or maximum.
    #[serde(rename = "type")]
    pub kind: AggregateKind,
    /// What it is made of: scores or other aggregate scores.
    pub categories: Components,
    /// What a missing component does.
    #[serde(default, skip_serializing_if = "is_default")]
    pub missing: MissingPolicy,
    /// Components that enter as 1 − score because less of them is better.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flip: Vec<String>,
}

/// The formula of an aggregate score.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AggregateKind {
    /// Σ wᵢsᵢ / Σ wᵢ.
    #[default]
    Weighted,
    /// The smallest.
    Minimum,
    /// The largest.
    Maximum,
}

/// The components of an aggregate score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Components {
    /// Name → weight, above 0; need not sum to 1.
    Weights(IndexMap<String, f64>),
    /// Names.
    Names(Vec<String>),
}

/// What a missing component does to an aggregate score.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingPolicy {
    /// The others carry its weight.
    #[default]
    Renormalise,
    /// The aggregate is missing too.
    Null,
    /// It counts as 0.
    Zero,
}

/// A column made of an expression over the root span.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomColumn {
    /// The expression. Where it fails or its path is missing, the value is null.
    pub expr: String,
    /// `text`, `number`, `boolean` or `json`; default what the expression gives.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub data_type: Option<String>,
}

/// An OpenAI-compatible endpoint. The key itself is never stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LanguageModelSettings {
    /// Base URL, such as `http://localhost:11434/v1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// Model name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Environment variable that holds the key; default `EVALHOUSE_LLM_API_KEY`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key_variable: Option<String>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
