//! The scores and metrics of experiments, and how each is read: which way is better, and which
//! differences are none (semantics, section 2; the project's settings).

use datafusion::logical_expr::{Expr, ident};
use datafusion::prelude::coalesce;
use evalhouse_model::{Direction, ProjectSettings, schema};
use evalhouse_session::Session;
use indexmap::IndexSet;

use crate::Selected;

/// Differences up to this are no difference, unless the project says otherwise.
pub(crate) const TOLERANCE: f64 = 1e-9;

/// Measures of one plan: the planner looks each name up among all others, and thousands would keep it for minutes.
const AT_ONCE_MAX: usize = 256;

/// The measures in as many plans as are needed, one at least.
pub(crate) fn in_plans(all: &[Measure]) -> Vec<&[Measure]> {
    if all.is_empty() { vec![all] } else { all.chunks(AT_ONCE_MAX).collect() }
}

/// One score or metric.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Measure {
    /// `scores` or `metrics`.
    pub(crate) field: &'static str,
    pub(crate) name: String,
    pub(crate) lower_is_better: bool,
    pub(crate) tolerance: f64,
    /// A metric that is taken instead, where a row has it.
    pub(crate) instead: Option<String>,
}

impl Measure {
    pub(crate) fn new(field: &'static str, name: &str, settings: &ProjectSettings) -> Self {
        let (own, lower_by_default) = match field {
            schema::SCORES => (settings.scores.get(name), false),
            _ => (settings.metrics.get(name), schema::lower_is_better(name)),
        };
        let direction = own.and_then(|own| own.direction);
        Self {
            field,
            name: name.into(),
            lower_is_better: direction.map_or(lower_by_default, |direction| direction == Direction::Lower),
            tolerance: own.and_then(|own| own.tolerance).unwrap_or(TOLERANCE),
            instead: None,
        }
    }

    pub(crate) fn is_score(&self) -> bool {
        self.field == schema::SCORES
    }

    /// Its column in `cases`.
    pub(crate) fn value(&self) -> Expr {
        let own = number(self.field, &self.name);
        match &self.instead {
            Some(name) => coalesce(vec![number(self.field, name), own]),
            None => own,
        }
    }

    /// `higher` or `lower`, as the SQL functions take it.
    pub(crate) fn direction(&self) -> &'static str {
        if self.lower_is_better { "lower" } else { "higher" }
    }
}

/// The column of a score or metric in `cases`.
pub(crate) fn number(field: &str, name: &str) -> Expr {
    ident(format!("{field}.{name}"))
}

/// Every score, then every metric, that one of the experiments has; as the settings of the last
/// one's project read them (the candidate's, in a diff).
pub(crate) fn measures(session: &Session, experiments: &[&Selected]) -> Vec<Measure> {
    let mut measures = scores(session, experiments);
    let settings = settings_of(session, experiments);
    let mut names: IndexSet<String> = IndexSet::new();
    for selected in experiments {
        names.extend(session.metric_names(&selected.experiment));
    }
    measures.extend(names.iter().map(|name| Measure::new(schema::METRICS, name, &settings)));
    measures
}

/// Every score that one of the experiments has, aggregate scores among them.
pub(crate) fn scores(session: &Session, experiments: &[&Selected]) -> Vec<Measure> {
    let settings = settings_of(session, experiments);
    let mut names: IndexSet<String> = IndexSet::new();
    for selected in experiments {
        names.extend(session.score_names(&selected.experiment));
    }
    names.iter().map(|name| Measure::new(schema::SCORES, name, &settings)).collect()
}

fn settings_of(session: &Session, experiments: &[&Selected]) -> ProjectSettings {
    experiments.last().map(|last| session.settings(&last.experiment.project)).unwrap_or_default()
}
