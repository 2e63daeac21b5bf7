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
    /// Views with a name: the query string of the page's address.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub views: IndexMap<String, String>,
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

/// A setting that cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("setting `{name}`: {message}")]
pub struct SettingError {
    /// The setting as named.
    pub name: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

/// The settings that can be named, for help and errors.
pub const SETTING_NAMES: [&str; 16] = [
    "comparison_key",
    "reducer",
    "baseline.experiment",
    "baseline.overrides_recorded",
    "baselines.NAME",
    "scores.NAME.direction",
    "scores.NAME.tolerance",
    "metrics.NAME.direction",
    "metrics.NAME.tolerance",
    "aggregate_scores.NAME",
    "columns.NAME",
    "columns.NAME.type",
    "views.NAME",
    "language_model.base_url",
    "language_model.model",
    "language_model.api_key_variable",
];

impl ProjectSettings {
    /// Sets one setting by name. The value is JSON where it parses as JSON of the right shape, else
    /// text: `scores.latency.direction` `lower`; `columns.tier` `metadata.tier`;
    /// `aggregate_scores.Overall` `{"type": "weighted", "categories": {"Factuality": 2, "Style": 1}}`.
    ///
    /// # Errors
    /// When there is no such setting or the value does not fit it.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), SettingError> {
        let path = path_of(name)?;
        let mut tree = serde_json::to_value(&*self).map_err(|error| wrong(name, error))?;
        let json: Option<serde_json::Value> = serde_json::from_str(value).ok();
        let text = serde_json::Value::String(value.to_string());
        let value = match path.as_slice() {
            [group, _] if group == "columns" => match json {
                Some(object @ serde_json::Value::Object(_)) => object,
                _ => serde_json::json!({ "expr": value }),
            },
            [group, _] if group == "aggregate_scores" => json.ok_or_else(|| wrong(name, AGGREGATE_EXAMPLE))?,
            [.., last] if last == "tolerance" || last == "overrides_recorded" => json.unwrap_or(text),
            _ => text,
        };
        let mut place = &mut tree;
        for step in &path {
            if place.is_null() {
                *place = serde_json::json!({});
            }
            let Some(object) = place.as_object_mut() else { return Err(wrong(name, "it is no group of settings")) };
            place = object.entry(step.clone()).or_insert(serde_json::Value::Null);
        }
        *place = value;
        let changed: Self = serde_json::from_value(tree).map_err(|error| wrong(name, error))?;
        if let Some(tolerance) = path.last().filter(|last| *last == "tolerance").and(place_of(&changed, &path))
            && !(tolerance >= 0.0 && tolerance.is_finite())
        {
            return Err(wrong(name, format!("{tolerance} is no tolerance, expected a number of 0 or more")));
        }
        *self = changed;
        Ok(())
    }

    /// Takes one setting back to its default. True when it was set.
    ///
    /// # Errors
    /// When there is no such setting.
    pub fn unset(&mut self, name: &str) -> Result<bool, SettingError> {
        let path = path_of(name)?;
        let mut tree = serde_json::to_value(&*self).map_err(|error| wrong(name, error))?;
        let Some((last, groups)) = path.split_last() else { return Ok(false) };
        let mut place = &mut tree;
        for step in groups {
            match place.get_mut(step) {
                Some(below) => place = below,
                None => return Ok(false),
            }
        }
        let removed = place.as_object_mut().and_then(|object| object.shift_remove(last)).is_some();
        *self = serde_json::from_value(tree).map_err(|error| wrong(name, error))?;
        Ok(removed)
    }

    /// The value of one setting, or of a group of them; `None` where it is not set.
    ///
    /// # Errors
    /// When there is no such setting.
    pub fn get(&self, name: &str) -> Result<Option<serde_json::Value>, SettingError> {
        let tree = serde_json::to_value(self).map_err(|error| wrong(name, error))?;
        let path = if GROUPS.contains(&name) { vec![name.to_string()] } else { path_of(name)? };
        let mut place = &tree;
        for step in &path {
            match place.get(step) {
                Some(below) => place = below,
                None => return Ok(None),
            }
        }
        Ok(Some(place.clone()))
    }
}

const GROUPS: [&str; 8] =
    ["baseline", "baselines", "scores", "metrics", "aggregate_scores", "columns", "views", "language_model"];
const AGGREGATE_EXAMPLE: &str =
    r#"expected JSON such as {"type": "weighted", "categories": {"Factuality": 2, "Style": 1}}"#;

/// The steps of a setting's name. Names of scores and columns may hold dots.
fn path_of(name: &str) -> Result<Vec<String>, SettingError> {
    let (group, rest) = name.split_once('.').map_or((name, None), |(group, rest)| (group, Some(rest)));
    let with_property = |rest: &str, properties: &[&str]| {
        let (own, property) = rest.rsplit_once('.')?;
        (properties.contains(&property) && !own.is_empty()).then(|| vec![group.into(), own.into(), property.into()])
    };
    let steps = match (group, rest) {
        ("comparison_key" | "reducer", None) => Some(vec![group.to_string()]),
        ("baseline", Some("experiment" | "overrides_recorded"))
        | ("language_model", Some("base_url" | "model" | "api_key_variable")) => {
            rest.map(|rest| vec![group.to_string(), rest.to_string()])
        }
        ("scores" | "metrics", Some(rest)) => with_property(rest, &["direction", "tolerance"]),
        ("columns", Some(rest)) if !rest.is_empty() => {
            with_property(rest, &["type"]).or_else(|| Some(vec![group.to_string(), rest.to_string()]))
        }
        ("baselines" | "aggregate_scores" | "views", Some(rest)) if !rest.is_empty() => {
            Some(vec![group.to_string(), rest.to_string()])
        }
        _ => None,
    };
    steps.ok_or_else(|| wrong(name, format!("there is no such setting; there are {}", SETTING_NAMES.join(", "))))
}

fn place_of(settings: &ProjectSettings, path: &[String]) -> Option<f64> {
    let [group, name, _] = path else { return None };
    let group = if group == "metrics" { &settings.metrics } else { &settings.scores };
    group.get(name)?.tolerance
}

fn wrong(name: &str, message: impl ToString) -> SettingError {
    SettingError { name: name.into(), message: message.to_string() }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_set_read_and_taken_back_by_name() {
        let mut settings = ProjectSettings::default();
        for (name, value) in [
            ("comparison_key", "[input.question, metadata.tier]"),
            ("baseline.overrides_recorded", "true"),
            ("scores.answer.length.direction", "lower"),
            ("scores.answer.length.tolerance", "0.5"),
            ("columns.tier", "metadata.tier"),
            ("columns.tier.type", "text"),
            ("baselines.release", "v1"),
            ("views.refunds", "where=metadata.category = 'refunds'&layout=grid"),
            ("aggregate_scores.Overall", r#"{"type": "weighted", "categories": {"a": 2, "b": 1}}"#),
        ] {
            settings.set(name, value).unwrap();
            assert!(settings.get(name).unwrap().is_some(), "{name}");
        }
        assert_eq!(settings.scores["answer.length"].direction, Some(Direction::Lower));
        assert_eq!(settings.columns["tier"].expr, "metadata.tier");
        assert!(settings.unset("scores.answer.length.tolerance").unwrap());
        assert_eq!(settings.scores["answer.length"].tolerance, None);
        assert!(!settings.unset("reducer").unwrap());
    }

    #[test]
    fn what_does_not_fit_is_refused_and_changes_nothing() {
        let mut settings = ProjectSettings::default();
        for (name, value) in [
            ("comparison", "input"),
            ("scores.f.direction", "sideways"),
            ("scores.f.tolerance", "-1"),
            ("scores.f.tolerance", "soon"),
            ("aggregate_scores.o", "a + b"),
            ("aggregate_scores.o", r#"{"type": "median", "categories": ["a"]}"#),
            ("baseline.overrides_recorded", "maybe"),
        ] {
            assert!(settings.set(name, value).is_err(), "{name} {value}");
        }
        assert_eq!(settings, ProjectSettings::default());
    }
}
