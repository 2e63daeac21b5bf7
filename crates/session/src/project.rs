//! What a project's settings add to the table of cases: aggregate scores and custom columns.
//!
//! Both are columns of `cases` like any other, for every query: the table is then a view that adds
//! them to the scan. Where several projects define one name, each row has its own project's meaning.
//! A column that no query reads costs nothing: the optimizer drops it.

use std::collections::BTreeMap;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, ident, lit, try_cast, when};
use evalhouse_model::{AggregateKind, AggregateScore, Components, Experiment, MissingPolicy, ProjectSettings, schema};

use evalhouse_store::{Kind, encode_path};

use crate::paths::PathField;
use crate::{Session, SessionError};

/// Aggregates within aggregates deeper than this are a cycle, or as good as one.
const DEPTH_MAX: usize = 16;

impl Session {
    /// The settings of a project; the defaults where none were made.
    pub fn settings(&self, project: &str) -> ProjectSettings {
        self.snapshot().settings(project)
    }

    /// Names of the scores that an experiment has: those its cases were given, then the aggregate
    /// scores of its project that have a component here.
    pub fn score_names(&self, experiment: &Experiment) -> Vec<String> {
        let mut names = self.snapshot().score_names(&experiment.id);
        let settings = self.settings(&experiment.project);
        for name in settings.aggregate_scores.keys() {
            let has_component = components(&settings, name).iter().any(|component| names.contains(component));
            if has_component && !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }

    /// Names of the metrics that an experiment has.
    pub fn metric_names(&self, experiment: &Experiment) -> Vec<String> {
        self.snapshot().metric_names(&experiment.id)
    }

    /// The share of an aggregate score's weight that a row's present components carry, in [0, 1];
    /// nothing for a score that is no aggregate.
    pub fn coverage(&self, project: &str, score: &str) -> Option<Expr> {
        let settings = self.settings(project);
        let aggregate = settings.aggregate_scores.get(score)?;
        let (mut present, mut total) = (lit(0.0), 0.0);
        for (name, weight) in weights(aggregate) {
            let mut has = when(ident(format!("{}.{name}", schema::SCORES)).is_not_null(), lit(weight));
            present = present + has.otherwise(lit(0.0)).ok()?;
            total += weight;
        }
        (total > 0.0).then(|| present / lit(total))
    }

    /// Checks that the settings of a project can be used: that every component, expression and
    /// reference in them means something.
    ///
    /// # Errors
    /// [`SessionError::Query`] that names the setting, what is wrong and what would be right.
    pub async fn check_settings(&self, settings: &ProjectSettings) -> Result<(), SessionError> {
        for name in settings.aggregate_scores.keys() {
            self.formula(settings, name, 0).map_err(|error| wrong(&format!("aggregate_scores.{name}"), &error))?;
        }
        let cases = self.table(crate::CASES).await?;
        let settings_key = settings.comparison_key.iter().map(|text| ("comparison_key".to_string(), text));
        let columns = settings.columns.iter().map(|(name, column)| (format!("columns.{name}"), &column.expr));
        for (place, text) in settings_key.chain(columns) {
            self.expression(text, cases.schema()).map_err(|error| wrong(&place, &error))?;
        }
        for (name, column) in &settings.columns {
            if schema_has(&self.base_cases, name) {
                let message = format!("`{name}` is a column of every case: choose another name");
                return Err(SessionError::Query { message: format!("setting `columns.{name}`: {message}") });
            }
            if let Some(word) = &column.data_type {
                type_named(word).map_err(|error| wrong(&format!("columns.{name}"), &error))?;
            }
        }
        Ok(())
    }

    /// The plan of the table of cases with what the projects' settings add; none where they add
    /// nothing.
    pub(crate) fn cases_with_settings(&self, scan: LogicalPlan) -> Result<Option<LogicalPlan>, SessionError> {
        let projects = self.snapshot().all_settings();
        let mut scores: BTreeMap<String, Vec<(String, Expr)>> = BTreeMap::new();
        for (project, settings) in projects {
            for name in settings.aggregate_scores.keys() {
                // A definition that has become unusable (a cycle through a later change) is null.
                let formula = self.formula(settings, name, 0).unwrap_or_else(|_| null(DataType::Float64));
                scores.entry(format!("{}.{name}", schema::SCORES)).or_default().push((project.clone(), formula));
            }
        }
        let has_columns = projects.iter().any(|(_, settings)| !settings.columns.is_empty());
        if scores.is_empty() && !has_columns {
            return Ok(None);
        }
        let scored = with_columns(scan, scores)?;
        let mut columns: BTreeMap<String, Vec<(String, Expr)>> = BTreeMap::new();
        for (project, settings) in projects {
            for (name, column) in &settings.columns {
                let value = self.expression(&column.expr, scored.schema()).unwrap_or_else(|_| null(DataType::Utf8View));
                let value = match column.data_type.as_deref().map(type_named) {
                    Some(Ok(data_type)) => try_cast(value, data_type),
                    _ => value,
                };
                columns.entry(name.clone()).or_default().push((project.clone(), value));
            }
        }
        for definitions in columns.values_mut() {
            one_type(definitions, &scored)?;
        }
        columns.retain(|name, _| !schema_has(&scored, name));
        Ok(Some(with_columns(scored, columns)?))
    }

    /// The expression of an aggregate score over the columns of a case.
    fn formula(&self, settings: &ProjectSettings, name: &str, depth: usize) -> Result<Expr, SessionError> {
        let stored = || Ok(ident(format!("{}.{name}", schema::SCORES)));
        let Some(aggregate) = settings.aggregate_scores.get(name) else {
            return match schema_has(&self.base_cases, &format!("{}.{name}", schema::SCORES)) {
                true => stored(),
                false => Err(SessionError::Query { message: format!("there is no score `{name}`") }),
            };
        };
        if depth > DEPTH_MAX {
            let message = format!("`{name}` is made of itself, or more than {DEPTH_MAX} deep");
            return Err(SessionError::Query { message });
        }
        let function = match aggregate.kind {
            AggregateKind::Weighted => "weighted_score",
            AggregateKind::Minimum => "min_score",
            AggregateKind::Maximum => "max_score",
        };
        let mut arguments = Vec::new();
        for (component, weight) in weights(aggregate) {
            if !(weight > 0.0 && weight.is_finite()) {
                let message = format!("the weight of `{component}` is {weight}, expected a number above 0");
                return Err(SessionError::Query { message });
            }
            let score = match component == name {
                // An aggregate may refine a score of its own name.
                true => ident(format!("{}.{name}", schema::SCORES)),
                false => self.formula(settings, &component, depth + 1)?,
            };
            arguments.push(if aggregate.flip.contains(&component) { lit(1.0) - score } else { score });
            if aggregate.kind == AggregateKind::Weighted {
                arguments.push(lit(weight));
            }
        }
        if arguments.is_empty() {
            return Err(SessionError::Query { message: "an aggregate score needs at least one component".into() });
        }
        if let Some(stray) =
            aggregate.flip.iter().find(|name| !weights(aggregate).iter().any(|(known, _)| known == *name))
        {
            return Err(SessionError::Query { message: format!("`flip` names `{stray}`, which is no component") });
        }
        arguments.push(lit(match aggregate.missing {
            MissingPolicy::Renormalise => "renormalise",
            MissingPolicy::Null => "null",
            MissingPolicy::Zero => "zero",
        }));
        Ok(Expr::ScalarFunction(ScalarFunction::new_udf(self.function(function)?, arguments)))
    }
}

/// Aggregate scores as columns that paths such as `scores.Overall` name.
pub(crate) fn aggregate_columns(settings: &ProjectSettings) -> impl Iterator<Item = (String, PathField)> {
    settings.aggregate_scores.keys().map(|name| {
        let path = encode_path(schema::SCORES, [name.as_str()]);
        (path, PathField { column: format!("{}.{name}", schema::SCORES), kind: Kind::Float })
    })
}

/// Components with their weights; 1 where the formula has none.
fn weights(aggregate: &AggregateScore) -> Vec<(String, f64)> {
    match &aggregate.categories {
        Components::Weights(weights) => weights.iter().map(|(name, weight)| (name.clone(), *weight)).collect(),
        Components::Names(names) => names.iter().map(|name| (name.clone(), 1.0)).collect(),
    }
}

/// The stored scores that an aggregate is made of in the end.
fn components(settings: &ProjectSettings, name: &str) -> Vec<String> {
    let mut open = vec![(name.to_string(), 0)];
    let mut found = Vec::new();
    while let Some((name, depth)) = open.pop() {
        match settings.aggregate_scores.get(&name) {
            Some(aggregate) if depth <= DEPTH_MAX => {
                for (component, _) in weights(aggregate) {
                    if component == name {
                        found.push(component);
                    } else {
                        open.push((component, depth + 1));
                    }
                }
            }
            _ => found.push(name),
        }
    }
    found
}

/// The plan with columns set or added, each for the rows of its project.
fn with_columns(
    plan: LogicalPlan,
    definitions: BTreeMap<String, Vec<(String, Expr)>>,
) -> Result<LogicalPlan, SessionError> {
    if definitions.is_empty() {
        return Ok(plan);
    }
    let mut columns: Vec<Expr> = Vec::new();
    for (qualifier, field) in plan.schema().iter() {
        let stored = Expr::Column(datafusion::common::Column::new(qualifier.cloned(), field.name()));
        columns.push(match definitions.get(field.name()) {
            Some(own) => by_project(own, Some(stored))?.alias(field.name()),
            None => stored,
        });
    }
    for (name, own) in &definitions {
        if !schema_has(&plan, name) {
            columns.push(by_project(own, None)?.alias(name));
        }
    }
    let built = LogicalPlanBuilder::from(plan).project(columns).and_then(LogicalPlanBuilder::build);
    built.map_err(SessionError::of)
}

/// `case project when 'a' then … end`, with what the other projects have.
fn by_project(definitions: &[(String, Expr)], otherwise: Option<Expr>) -> Result<Expr, SessionError> {
    let is = |project: &str| ident(schema::PROJECT).eq(lit(ScalarValue::Utf8View(Some(project.to_string()))));
    let mut definitions = definitions.iter();
    let Some((project, value)) = definitions.next() else {
        return Ok(otherwise.unwrap_or_else(|| null(DataType::Null)));
    };
    let mut branches = when(is(project), value.clone());
    for (project, value) in definitions {
        branches = branches.when(is(project), value.clone());
    }
    let built = match otherwise {
        Some(otherwise) => branches.otherwise(otherwise),
        None => branches.end(),
    };
    built.map_err(SessionError::of)
}

/// Columns of one name that are of several types become text.
fn one_type(definitions: &mut [(String, Expr)], plan: &LogicalPlan) -> Result<(), SessionError> {
    use datafusion::logical_expr::ExprSchemable;
    let types: Vec<DataType> = definitions
        .iter()
        .map(|(_, value)| value.get_type(plan.schema()))
        .collect::<datafusion::error::Result<_>>()
        .map_err(SessionError::of)?;
    if types.windows(2).any(|pair| pair[0] != pair[1]) {
        for (_, value) in definitions {
            *value = cast(value.clone(), DataType::Utf8View);
        }
    }
    Ok(())
}

fn schema_has(plan: &LogicalPlan, name: &str) -> bool {
    plan.schema().fields().iter().any(|field| field.name() == name)
}

fn null(data_type: DataType) -> Expr {
    cast(lit(ScalarValue::Null), data_type)
}

fn type_named(word: &str) -> Result<DataType, SessionError> {
    match word {
        "text" | "json" => Ok(DataType::Utf8View),
        "number" => Ok(DataType::Float64),
        "boolean" => Ok(DataType::Boolean),
        other => {
            let message = format!("`{other}` is no type of a column, expected text, number, boolean or json");
            Err(SessionError::Query { message })
        }
    }
}

fn wrong(place: &str, error: &SessionError) -> SessionError {
    SessionError::Query { message: format!("setting `{place}`: {error}") }
}
