//! The settings of a project.

use evalhouse_model::{AggregateKind, Components, Direction, MissingPolicy, NumberSettings, SettingsAnswer};

use crate::{Answer, Block, Datum, Document, Line, Record, View};

impl Answer for SettingsAnswer {
    fn document(&self, _view: &View) -> Document {
        let mut document = Document::default();
        document.push(Block::Title(format!("settings of {}", self.project)));
        let settings = lines(self);
        if settings.is_empty() {
            document.push(Block::Note(vec!["Nothing is set: every setting has its default.".to_string()]));
        } else {
            document
                .push(Block::Fields(settings.into_iter().map(|(name, value)| (name, Line::plain(value))).collect()));
        }
        document
    }

    fn records(&self) -> Vec<Record> {
        let row = |(name, value): (String, String)| {
            [("name", Datum::from(name.as_str())), ("value", Datum::from(value.as_str()))]
                .map(|(column, datum)| (column.to_string(), datum))
                .into()
        };
        lines(self).into_iter().map(row).collect()
    }
}

/// Every setting that is made, by the name that sets it.
fn lines(answer: &SettingsAnswer) -> Vec<(String, String)> {
    let settings = &answer.settings;
    let mut lines: Vec<(String, String)> = Vec::new();
    let mut add = |name: String, value: String| lines.push((name, value));
    if let Some(key) = &settings.comparison_key {
        add("comparison_key".into(), key.clone());
    }
    if let Some(reducer) = &settings.reducer {
        add("reducer".into(), reducer.clone());
    }
    if let Some(experiment) = &settings.baseline.experiment {
        add("baseline.experiment".into(), experiment.clone());
    }
    if settings.baseline.overrides_recorded {
        add("baseline.overrides_recorded".into(), "true".into());
    }
    for (name, experiment) in &settings.baselines {
        add(format!("baselines.{name}"), experiment.clone());
    }
    for (group, numbers) in [("scores", &settings.scores), ("metrics", &settings.metrics)] {
        for (name, NumberSettings { direction, tolerance }) in numbers {
            if let Some(direction) = direction {
                let word = if *direction == Direction::Lower { "lower" } else { "higher" };
                add(format!("{group}.{name}.direction"), word.into());
            }
            if let Some(tolerance) = tolerance {
                add(format!("{group}.{name}.tolerance"), tolerance.to_string());
            }
        }
    }
    for (name, aggregate) in &settings.aggregate_scores {
        let word = match aggregate.kind {
            AggregateKind::Weighted => "weighted average of",
            AggregateKind::Minimum => "minimum of",
            AggregateKind::Maximum => "maximum of",
        };
        let flipped = |name: &str| {
            if aggregate.flip.iter().any(|flip| flip == name) { format!("1 − {name}") } else { name.to_string() }
        };
        let parts: Vec<String> = match &aggregate.categories {
            Components::Weights(weights) => {
                weights.iter().map(|(name, weight)| format!("{} × {weight}", flipped(name))).collect()
            }
            Components::Names(names) => names.iter().map(|name| flipped(name)).collect(),
        };
        let missing = match aggregate.missing {
            MissingPolicy::Renormalise => "the others carry the weight of a missing one",
            MissingPolicy::Null => "missing when one is missing",
            MissingPolicy::Zero => "a missing one counts as 0",
        };
        add(format!("aggregate_scores.{name}"), format!("{word} {}; {missing}", parts.join(", ")));
    }
    for (name, column) in &settings.columns {
        let data_type = column.data_type.as_ref().map(|word| format!(" as {word}")).unwrap_or_default();
        add(format!("columns.{name}"), format!("{}{data_type}", column.expr));
    }
    for (name, view) in &settings.views {
        add(format!("views.{name}"), view.clone());
    }
    if let Some(model) = &settings.language_model {
        for (name, value) in
            [("base_url", &model.base_url), ("model", &model.model), ("api_key_variable", &model.api_key_variable)]
        {
            if let Some(value) = value {
                add(format!("language_model.{name}"), value.clone());
            }
        }
    }
    lines
}
