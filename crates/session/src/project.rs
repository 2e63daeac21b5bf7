//! What a project's settings add to the table of cases: aggregate scores and custom columns.
//!
//! Both are columns of `cases` like any other, for every query: the table is then a view that adds
//! them to the scan. Where several projects define one name, each row has its own project's meaning.
//! A column that no query reads costs nothing: the optimizer drops it.

use std::collections::BTreeMap;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::dataframe::DataFrame;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, cast, ident, lit, when};
use evalhouse_model::{AggregateKind, AggregateScore, Components, Experiment, MissingPolicy, ProjectSettings, schema};

use evalhouse_store::{Kind, encode_path};

use crate::custom_columns::CustomColumns;
use crate::paths::PathField;
use crate::{Session, SessionError};

/// Aggregates within aggregates deeper than this are a cycle, or as good as one.
const DEPTH_MAX: usize = 16;

/// A setting that means nothing.
struct Problem {
    project: String,
    setting: String,
    error: SessionError,
}

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

    /// The cases, each with the [`coverage_column`] of every aggregate score of a project: the share of
    /// the score's weight that the case's present components carry, in [0, 1].
    ///
    /// # Errors
    /// A fault of ours: settings are checked when they are made.
    pub fn cases_with_coverage(&self, project: &str) -> Result<DataFrame, SessionError> {
        let settings = self.settings(project);
        let mut shares = BTreeMap::new();
        for name in settings.aggregate_scores.keys() {
            // A definition that has become unusable is null, and so is its coverage.
            if let Ok(share) = self.coverage(&settings, name) {
                shares.insert(coverage_column(name), vec![(project.to_string(), share)]);
            }
        }
        // Counted below the aggregate scores, where a score that one of them refines is still its own.
        let counted = with_columns(self.base_cases.clone(), shares)?;
        let plan = self.cases_with_settings(counted.clone())?.unwrap_or(counted);
        self.frame(plan)
    }

    /// The share of an aggregate score's weight that is present, over the cases as stored.
    fn coverage(&self, settings: &ProjectSettings, score: &str) -> Result<Expr, SessionError> {
        let components = settings.aggregate_scores.get(score).map(weights).unwrap_or_default();
        let (mut present, mut total) = (lit(0.0), 0.0);
        for (name, weight) in components {
            let value = self.component(settings, score, &name, 0)?;
            let share = when(value.is_not_null(), lit(weight)).otherwise(lit(0.0));
            present = present + share.map_err(SessionError::of)?;
            total += weight;
        }
        Ok(present / lit(total))
    }

    /// What is wrong with settings of a project, were they its settings: components, expressions and
    /// references that mean nothing. Each names its setting, what is wrong and what would be right.
    ///
    /// # Errors
    /// A fault of ours.
    pub fn settings_problems(&self, project: &str, settings: &ProjectSettings) -> Result<Vec<String>, SessionError> {
        let mut projects = self.snapshot().all_settings().to_vec();
        projects.retain(|(name, _)| name != project);
        projects.push((project.to_string(), settings.clone()));
        let (cases, problems) = self.with_definitions(self.base_cases.clone(), &projects)?;
        let mut of_project: Vec<String> = problems
            .into_iter()
            .filter(|problem| problem.project == project)
            .map(|problem| format!("setting `{}`: {}", problem.setting, problem.error))
            .collect();
        if let Some(key) = &settings.comparison_key {
            let planned = self.key_hash(key, cases.schema());
            let planned = planned.and_then(|hash| self.physical(hash, cases.schema()).map_err(SessionError::of));
            of_project.extend(planned.err().map(|error| format!("setting `comparison_key`: {error}")));
        }
        Ok(of_project)
    }

    /// The plan of the table of cases with what the projects' settings add; none where they add
    /// nothing.
    pub(crate) fn cases_with_settings(&self, scan: LogicalPlan) -> Result<Option<LogicalPlan>, SessionError> {
        let projects = self.snapshot().all_settings();
        let adds = |settings: &ProjectSettings| !settings.aggregate_scores.is_empty() || !settings.columns.is_empty();
        if !projects.iter().any(|(_, settings)| adds(settings)) {
            return Ok(None);
        }
        // What has become unusable since it was set is null, and no reason to fail: it must be possible
        // to set it right.
        Ok(Some(self.with_definitions(scan, projects)?.0))
    }

    /// The cases with the aggregate scores and custom columns of all projects, and those of them that
    /// are null because they mean nothing.
    fn with_definitions(
        &self,
        scan: LogicalPlan,
        projects: &[(String, ProjectSettings)],
    ) -> Result<(LogicalPlan, Vec<Problem>), SessionError> {
        let mut problems = Vec::new();
        let mut scores: BTreeMap<String, Vec<(String, Expr)>> = BTreeMap::new();
        for (project, settings) in projects {
            for name in settings.aggregate_scores.keys() {
                let formula = self.formula(settings, name, 0).unwrap_or_else(|error| {
                    problems.push(Problem {
                        project: project.clone(),
                        setting: format!("aggregate_scores.{name}"),
                        error,
                    });
                    null(DataType::Float64)
                });
                scores.entry(format!("{}.{name}", schema::SCORES)).or_default().push((project.clone(), formula));
            }
        }
        let scored = with_columns(scan, scores)?;
        let mut columns: BTreeMap<String, Vec<(String, Expr)>> = BTreeMap::new();
        for (project, settings) in projects {
            let mut resolver = CustomColumns::new(self, settings, scored.schema());
            for name in settings.columns.keys() {
                let value = resolver.column(name).unwrap_or_else(|error| {
                    problems.push(Problem { project: project.clone(), setting: format!("columns.{name}"), error });
                    null(DataType::Utf8View)
                });
                columns.entry(name.clone()).or_default().push((project.clone(), value));
            }
        }
        columns.retain(|name, _| !schema_has(&scored, name));
        for definitions in columns.values_mut() {
            self.one_type(definitions, scored.schema())?;
        }
        Ok((with_columns(scored, columns)?, problems))
    }

    /// Columns of one name that are of several types become text; what has no text is null there.
    fn one_type(&self, definitions: &mut [(String, Expr)], cases: &DFSchema) -> Result<(), SessionError> {
        let types = definitions.iter().map(|(_, value)| value.get_type(cases));
        let types: Vec<DataType> = types.collect::<datafusion::error::Result<_>>().map_err(SessionError::of)?;
        if types.windows(2).any(|pair| pair[0] != pair[1]) {
            for (_, value) in definitions {
                let text = cast(value.clone(), DataType::Utf8View);
                let can_be_text = self.physical(text.clone(), cases).is_ok();
                *value = if can_be_text { text } else { null(DataType::Utf8View) };
            }
        }
        Ok(())
    }

    /// The expression of an aggregate score over the columns of a case.
    fn formula(&self, settings: &ProjectSettings, name: &str, depth: usize) -> Result<Expr, SessionError> {
        let Some(aggregate) = settings.aggregate_scores.get(name) else { return self.stored_score(name) };
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
            let score = self.component(settings, name, &component, depth)?;
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

    /// The value of one component of an aggregate score over the columns of a case.
    fn component(
        &self,
        settings: &ProjectSettings,
        aggregate: &str,
        component: &str,
        depth: usize,
    ) -> Result<Expr, SessionError> {
        match component == aggregate {
            // An aggregate may refine a score of its own name.
            true => self.stored_score(component),
            false => self.formula(settings, component, depth + 1),
        }
    }

    /// The column of a score that cases were given.
    fn stored_score(&self, name: &str) -> Result<Expr, SessionError> {
        let column = format!("{}.{name}", schema::SCORES);
        match schema_has(&self.base_cases, &column) {
            true => Ok(ident(column)),
            false => Err(SessionError::Query { message: format!("there is no score `{name}`") }),
        }
    }
}

/// The column of [`Session::cases_with_coverage`] for an aggregate score.
pub fn coverage_column(score: &str) -> String {
    format!("__coverage.{score}")
}

/// Aggregate scores as columns that paths such as `scores.Overall` name.
pub(crate) fn aggregate_columns(settings: &ProjectSettings) -> impl Iterator<Item = (String, PathField)> {
    settings.aggregate_scores.keys().map(|name| {
        let path = encode_path(schema::SCORES, [name.as_str()]);
        (path, PathField { column: format!("{}.{name}", schema::SCORES), kind: Kind::Float, is_aggregate: true })
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
    // New columns are of the same table: names are looked up next to those they belong to.
    let table = plan.schema().iter().find_map(|(qualifier, _)| qualifier.cloned());
    let mut columns: Vec<Expr> = Vec::new();
    for (qualifier, field) in plan.schema().iter() {
        let stored = Expr::Column(datafusion::common::Column::new(qualifier.cloned(), field.name()));
        columns.push(match definitions.get(field.name()) {
            Some(own) => by_project(own, Some(stored))?.alias_qualified(qualifier.cloned(), field.name()),
            None => stored,
        });
    }
    for (name, own) in &definitions {
        if !schema_has(&plan, name) {
            columns.push(by_project(own, None)?.alias_qualified(table.clone(), name));
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

fn schema_has(plan: &LogicalPlan, name: &str) -> bool {
    plan.schema().fields().iter().any(|field| field.name() == name)
}

fn null(data_type: DataType) -> Expr {
    cast(lit(ScalarValue::Null), data_type)
}
