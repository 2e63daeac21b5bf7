//! Two experiments matched key by key: one row a case of the union, its trials consolidated.
//!
//! Every comparison (diff, groups, explain, the table function) stands on this one plan.

use datafusion::common::JoinType;
use datafusion::dataframe::DataFrame;
use datafusion::functions_aggregate::expr_fn::{avg, count, first_value};
use datafusion::logical_expr::{Expr, ident, lit};
use evalhouse_session::{CASES, Session};

use crate::filter::Filter;
use crate::key::Key;
use crate::measures::Measure;
use crate::reducer::Reducer;
use crate::scope::cases_of;
use crate::{AnalysisError, Selected};

/// What to match, and what to bring along.
pub(crate) struct PairRequest<'a> {
    pub(crate) key: &'a Key,
    /// Only cases that satisfy this, on both sides.
    pub(crate) filter: Option<&'a Filter>,
    pub(crate) reducer: Reducer,
    pub(crate) measures: &'a [Measure],
    /// Further values of a case, from the columns of `cases`: of several trials the first one's.
    pub(crate) extras: &'a [Expr],
}

/// One side's columns in the joined frame: `b` for the base, `c` for the candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Base,
    Candidate,
}

impl Side {
    fn prefix(self) -> &'static str {
        match self {
            Self::Base => "b",
            Self::Candidate => "c",
        }
    }

    /// Hash of the case's key; null for rows without one, which are one row a side.
    pub(crate) fn key(self) -> Expr {
        ident(format!("{}_key", self.prefix()))
    }

    /// Trials of the case; null where the case is not on this side.
    pub(crate) fn rows(self) -> Expr {
        ident(format!("{}_rows", self.prefix()))
    }

    /// Consolidated value of the i-th measure.
    pub(crate) fn value(self, i: usize) -> Expr {
        ident(format!("{}{i}", self.prefix()))
    }

    /// Value of the i-th extra.
    pub(crate) fn extra(self, i: usize) -> Expr {
        ident(format!("{}_x{i}", self.prefix()))
    }

    /// The case is on this side.
    pub(crate) fn is_present(self) -> Expr {
        self.rows().is_not_null()
    }
}

/// The case is on both sides. A null key is never equal to another, so its row is on one side only.
pub(crate) fn is_matched() -> Expr {
    Side::Base.is_present().and(Side::Candidate.is_present())
}

/// Joins the two sides: a row for each key of the union, and one a side for the rows without a key.
pub(crate) async fn pairs(
    session: &Session,
    base: &Selected,
    candidate: &Selected,
    request: &PairRequest<'_>,
) -> Result<DataFrame, AnalysisError> {
    let carried = match request.filter.filter(|filter| filter.is_paired()) {
        Some(filter) => filter.carried(session, session.table(CASES).await?.schema()),
        None => Vec::new(),
    };
    let mut extras = request.extras.to_vec();
    extras.extend(carried.iter().map(ident));
    let base = consolidated(session, base, request, &extras, Side::Base).await?;
    let candidate = consolidated(session, candidate, request, &extras, Side::Candidate).await?;
    let joined = base.join(candidate, JoinType::Full, &["b_key"], &["c_key"], None)?;
    match request.filter {
        Some(filter) => filter.keep_pairs(session, joined, request.measures, (&carried, request.extras.len())),
        None => Ok(joined),
    }
}

/// One row a key.
async fn consolidated(
    session: &Session,
    experiment: &Selected,
    request: &PairRequest<'_>,
    extras: &[Expr],
    side: Side,
) -> Result<DataFrame, AnalysisError> {
    let mut cases = cases_of(session, experiment, None).await?;
    if let Some(filter) = request.filter {
        cases = filter.keep_own(session, cases, request.key)?;
    }
    let prefix = side.prefix();
    let key = request.key.hash(session, cases.schema())?.alias(format!("{prefix}_key"));
    let record = &experiment.experiment;
    // As many rows as keys: no trials and no null keys, so there is nothing to consolidate.
    if record.rows == record.cases && request.key.is_default() && request.reducer.keeps_single_trials() {
        let mut columns = vec![key, lit(1_i64).alias(format!("{prefix}_rows"))];
        columns.extend(request.measures.iter().enumerate().map(|(i, m)| m.value().alias(format!("{prefix}{i}"))));
        columns.extend(extras.iter().enumerate().map(|(i, extra)| extra.clone().alias(format!("{prefix}_x{i}"))));
        return Ok(cases.select(columns)?);
    }
    let mut aggregates = vec![count(lit(1)).alias(format!("{prefix}_rows"))];
    for (i, measure) in request.measures.iter().enumerate() {
        let reduced = if measure.is_score() {
            request.reducer.aggregate(session, measure.value(), request.key.trial_order())?
        } else {
            avg(measure.value())
        };
        aggregates.push(reduced.alias(format!("{prefix}{i}")));
    }
    for (i, extra) in extras.iter().enumerate() {
        let first = first_value(extra.clone(), request.key.trial_order());
        aggregates.push(first.alias(format!("{prefix}_x{i}")));
    }
    Ok(cases.aggregate(vec![key], aggregates)?)
}
