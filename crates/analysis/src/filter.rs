//! A condition on cases, which may also speak of the baseline.
//!
//! `metadata.tier = 'pro' and regressed(Factuality)` has a part that each side answers alone, before
//! the sides are matched, and a part that only a pair of cases can answer.

use std::collections::BTreeSet;

use datafusion::common::{DFSchema, JoinType};
use datafusion::dataframe::DataFrame;
use datafusion::logical_expr::{Expr, ident, lit, when};
use datafusion::prelude::coalesce;
use evalhouse_language::{Expr as Tree, Node, parse_expression};
use evalhouse_model::schema;
use evalhouse_session::{BASE, CANDIDATE, GROUP_SIZE, Scope, Session, SessionError};

use crate::key::Key;
use crate::measures::Measure;
use crate::pairs::Side;
use crate::scope::{with_group_size, wrong};
use crate::{AnalysisError, Selected};

/// Functions that only a pair of cases can answer.
const PAIR_FUNCTIONS: [&str; 10] = [
    "regressed",
    "improved",
    "unchanged",
    "changed",
    "delta",
    "flipped",
    "baseline",
    "presence",
    "lost_score",
    "gained_score",
];
/// A condition as read, or another expression that may speak of the baseline.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    /// The option that it was given by.
    place: &'static str,
    text: String,
    tree: Tree,
}

impl Filter {
    pub(crate) fn read(text: &str) -> Result<Self, AnalysisError> {
        Self::read_at("--where", text)
    }

    /// As [`Self::read`], of an expression that another option gives.
    pub(crate) fn read_at(place: &'static str, text: &str) -> Result<Self, AnalysisError> {
        let tree = parse_expression(text)
            .map_err(|error| wrong(place, text, &SessionError::Language { text: text.into(), error }))?;
        Ok(Self { place, text: text.into(), tree })
    }

    /// Whether a part of it speaks of the baseline.
    pub(crate) fn is_paired(&self) -> bool {
        speaks_of_pairs(&self.tree)
    }

    /// Keeps the cases that satisfy the part that a side answers alone. Trials are counted by the key,
    /// those that are not kept as well.
    pub(crate) fn keep_own(&self, session: &Session, cases: DataFrame, key: &Key) -> Result<DataFrame, AnalysisError> {
        let mut kept = self.counted(session, cases, key)?;
        for part in self.tree.conjuncts().into_iter().filter(|part| !speaks_of_pairs(part)) {
            let condition =
                session.lower_condition(part, &Scope::of(kept.schema())).map_err(|error| self.wrong(error))?;
            kept = kept.filter(condition)?;
        }
        Ok(kept)
    }

    /// Whether it asks on which side a case is.
    pub(crate) fn asks_presence(&self) -> bool {
        self.tree.any(&mut |part| matches!(&part.node, Node::Call(call) if call.name == "presence"))
    }

    /// Whether it asks how many trials a case has.
    pub(crate) fn counts_trials(&self) -> bool {
        self.tree.any(&mut |part| matches!(&part.node, Node::Call(call) if call.name == "group_size"))
    }

    /// The cases with what the condition asks of the number of their trials.
    fn counted(&self, session: &Session, cases: DataFrame, key: &Key) -> Result<DataFrame, AnalysisError> {
        if self.counts_trials() { with_group_size(session, cases, key) } else { Ok(cases) }
    }

    /// Keeps the cases that satisfy all of it, trials counted as in [`Self::keep_own`]; a part about pairs
    /// is an error.
    pub(crate) fn keep_all(&self, session: &Session, cases: DataFrame, key: &Key) -> Result<DataFrame, AnalysisError> {
        let cases = self.counted(session, cases, key)?;
        let condition =
            session.lower_condition(&self.tree, &Scope::of(cases.schema())).map_err(|error| self.wrong(error))?;
        Ok(cases.filter(condition)?)
    }

    /// The columns of `cases`, besides scores and metrics, that the part about pairs needs of each side:
    /// those that its paths mean there.
    pub(crate) fn carried(&self, session: &Session, cases: &DFSchema) -> Vec<String> {
        let scope = Scope::of(cases);
        let mut names = BTreeSet::new();
        for part in self.paired_parts() {
            part.any(&mut |tree| {
                match &tree.node {
                    Node::Call(call) if call.name == "any_span" => {
                        names.extend([schema::EXPERIMENT_ID, schema::ROOT_SPAN_ID].map(String::from));
                    }
                    Node::Call(call) if call.name == "group_size" => names.extend([GROUP_SIZE.to_string()]),
                    _ => {}
                }
                if matches!(tree.node, Node::Path(_))
                    && let Ok(expression) = session.lower(tree, &scope)
                {
                    names.extend(expression.column_refs().into_iter().map(|column| column.name.clone()));
                }
                false
            });
        }
        let is_measure = |name: &String| name.starts_with("scores.") || name.starts_with("metrics.");
        names.into_iter().filter(|name| !is_measure(name)).collect()
    }

    /// Keeps the pairs that satisfy the part about pairs. `pairs` has the columns of [`Side`], with
    /// the `carried` columns as extras from `carried_from` on.
    pub(crate) fn keep_pairs(
        &self,
        session: &Session,
        pairs: DataFrame,
        measures: &[Measure],
        (carried, carried_from): (&[String], usize),
    ) -> Result<DataFrame, AnalysisError> {
        let parts = self.paired_parts();
        if parts.is_empty() {
            return Ok(pairs);
        }
        let mut columns: Vec<Expr> = pairs.schema().fields().iter().map(|field| ident(field.name())).collect();
        columns.push(
            when(Side::Base.is_present().and(Side::Candidate.is_present()), lit("matched"))
                .when(Side::Candidate.is_present().and(Side::Candidate.key().is_not_null()), lit("candidate_only"))
                .when(Side::Base.is_present().and(Side::Base.key().is_not_null()), lit("base_only"))
                .otherwise(lit("null_key"))?
                .alias("presence"),
        );
        let mut named = |name: String, ours: Expr, theirs: Expr| {
            columns.push(ours.alias_qualified(Some(CANDIDATE), &name));
            columns.push(theirs.alias_qualified(Some(BASE), name));
        };
        for (i, measure) in measures.iter().enumerate() {
            let name = format!("{}.{}", measure.field, measure.name);
            named(name, Side::Candidate.value(i), Side::Base.value(i));
        }
        for (i, name) in carried.iter().enumerate() {
            named(name.clone(), Side::Candidate.extra(carried_from + i), Side::Base.extra(carried_from + i));
        }
        let kept_names: Vec<Expr> = pairs.schema().fields().iter().map(|field| ident(field.name())).collect();
        let mut named = pairs.select(columns)?;
        for part in parts {
            let condition = self.lower_paired(session, part, named.schema(), measures)?;
            named = named.filter(condition)?;
        }
        Ok(named.select(kept_names)?)
    }

    /// The part about pairs, over rows that carry their baseline's values under the qualifier `base`.
    pub(crate) fn over_pairs(
        &self,
        session: &Session,
        schema: &DFSchema,
        measures: &[Measure],
    ) -> Result<Expr, AnalysisError> {
        let parts = self.paired_parts().into_iter().map(|part| self.lower_paired(session, part, schema, measures));
        let all = parts.collect::<Result<Vec<Expr>, AnalysisError>>()?;
        Ok(all.into_iter().reduce(Expr::and).unwrap_or_else(|| lit(true)))
    }

    /// The whole expression as a value, over rows as in [`Self::over_pairs`].
    pub(crate) fn value_over_pairs(
        &self,
        session: &Session,
        schema: &DFSchema,
        measures: &[Measure],
    ) -> Result<Expr, AnalysisError> {
        let reading = reading_of(measures);
        let scope = Scope { baseline: Some(&reading), ..Scope::of(schema) };
        session.lower(&self.tree, &scope).map_err(|error| self.wrong(error))
    }

    fn lower_paired(
        &self,
        session: &Session,
        part: &Tree,
        schema: &DFSchema,
        measures: &[Measure],
    ) -> Result<Expr, AnalysisError> {
        let reading = reading_of(measures);
        let scope = Scope { baseline: Some(&reading), ..Scope::of(schema) };
        session.lower_condition(part, &scope).map_err(|error| self.wrong(error))
    }

    fn paired_parts(&self) -> Vec<&Tree> {
        self.tree.conjuncts().into_iter().filter(|part| speaks_of_pairs(part)).collect()
    }

    fn wrong(&self, error: evalhouse_language::LanguageError) -> AnalysisError {
        wrong(self.place, &self.text, &SessionError::Language { text: self.text.clone(), error })
    }
}

/// How a score or metric is read: its tolerance, and whether less of it is better.
fn reading_of(measures: &[Measure]) -> impl Fn(&str, &str) -> (f64, bool) {
    move |field: &str, name: &str| {
        let own = measures.iter().find(|measure| measure.field == field && measure.name == name);
        own.map_or((crate::measures::TOLERANCE, false), |own| (own.tolerance, own.lower_is_better))
    }
}

fn speaks_of_pairs(tree: &Tree) -> bool {
    tree.any(&mut |part| match &part.node {
        Node::Call(call) => {
            PAIR_FUNCTIONS.contains(&call.name.as_str()) && !(call.name == "delta" && call.arguments.len() == 2)
        }
        _ => false,
    })
}

/// Rows of `cases` whose key is among the keys of the kept pairs: a candidate's among those of its own
/// pairs, the base's among those of any.
pub(crate) fn of_kept_pairs<'a>(
    cases: DataFrame,
    key: Expr,
    base: &Selected,
    pairs: impl IntoIterator<Item = (&'a Selected, DataFrame)>,
) -> Result<DataFrame, AnalysisError> {
    let columns: Vec<Expr> = cases.schema().fields().iter().map(|field| ident(field.name())).collect();
    let either = coalesce(vec![Side::Base.key(), Side::Candidate.key()]);
    let mut kept: Option<DataFrame> = None;
    for (candidate, pairs) in pairs {
        let of = lit(candidate.experiment.id.as_str()).alias("__candidate");
        let own = pairs.select(vec![either.clone().alias("__kept"), of])?;
        kept = Some(match kept {
            Some(kept) => kept.union(own)?,
            None => own,
        });
    }
    let Some(kept) = kept else { return Ok(cases) };
    let of = || ident(schema::EXPERIMENT_ID);
    let is_of_pair = of().eq(ident("__candidate")).or(of().eq(lit(base.experiment.id.as_str())));
    let on = [ident("__key").eq(ident("__kept")), is_of_pair];
    Ok(cases.with_column("__key", key)?.join_on(kept, JoinType::LeftSemi, on)?.select(columns)?)
}
