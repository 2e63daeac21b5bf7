//! The analyses as table functions: `SELECT … FROM diff('baseline', 'prompt-v2') WHERE …`.
//!
//! A table function is a view: its plan is put into the query's plan and optimized with it as a whole.
//! Only the columns that are asked for are read, of the files of the experiments that are named. The
//! long functions (one row a case and score) are a union of one part a score, so that a condition on
//! `name` leaves the other parts out.

use std::sync::Arc;

use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{DFSchema, JoinType, Result, plan_datafusion_err, plan_err};
use datafusion::dataframe::DataFrame;
use datafusion::datasource::ViewTable;
use datafusion::functions::core::expr_fn::get_field;
use datafusion::functions_aggregate::expr_fn::{avg, count, count_distinct, first_value, max, min, stddev};
use datafusion::logical_expr::{Expr, ident, lit, when};
use evalhouse_model::schema;
use evalhouse_session::{CASES, EXPERIMENTS, Session};
use futures::FutureExt;

use crate::AnalysisError;
use crate::key::Key;
use crate::measures::{Measure, scores};
use crate::pairs::{PairRequest, Side, pairs};
use crate::reducer::Reducer;
use crate::scope::{cases_of, cases_of_all, spelled};
use crate::select::{Selected, select, select_all, select_baseline};

/// The functions: name, how to call it, what it gives.
const FUNCTIONS: [(&str, &str, &str); 6] = [
    (
        "experiment",
        "experiment('name' [, 'name' …])",
        "The cases of experiments: the rows of `cases` that are theirs. A name is an id, a name, project/name or a rule such as latest.",
    ),
    (
        "trials",
        "trials('name' [, key])",
        "One row a case and score: id and input of the first trial, `trials`, `name`, and over the trials `n`, `mean`, `sd`, `min`, `max`, `flaky`.",
    ),
    (
        "diff",
        "diff('base', 'candidate' [, key])",
        "One row a case and score: `name`, `base`, `candidate`, `delta`, `class` (improved, regressed, …), `presence` (matched, base_only, candidate_only, null_key), `base_id`, and of the candidate's first trial `id`, `input`, `output`, `expected`, `metadata`, `tags` and the paths below them that are columns.",
    ),
    (
        "summary",
        "summary('name' [, 'name' …])",
        "One row an experiment and score: `experiment`, `name`, `cases`, `mean` over cases, `sd`, `se`, `ci_low`, `ci_high`.",
    ),
    (
        "groups",
        "groups('name', 'expression' [, 'expression' …])",
        "One row a group and score of one experiment: the groups as `g1`, `g2`, …, `rows`, `cases`, `name`, `mean`.",
    ),
    (
        "history",
        "history('project', 'score')",
        "One row an experiment of a project: `experiment`, `experiment_id`, `created`, `cases`, `mean`, `se`, `ci_low`, `ci_high`.",
    ),
];

/// The session with the analyses as table functions.
pub fn with_table_functions(session: Session) -> Session {
    // The functions plan over the session as it was, so that nothing refers to itself.
    let functions = FUNCTIONS.map(|(name, syntax, description)| {
        let function = Function { name, session: session.clone() };
        (name, syntax, description, Arc::new(function) as Arc<dyn TableFunctionImpl>)
    });
    session.with_table_functions(functions)
}

struct Function {
    name: &'static str,
    session: Session,
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Function").field("name", &self.name).finish_non_exhaustive()
    }
}

impl TableFunctionImpl for Function {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let texts = args
            .exprs()
            .iter()
            .map(|argument| match argument {
                Expr::Literal(value, _) => match value.try_as_str() {
                    Some(Some(text)) => Ok(text.to_string()),
                    _ => plan_err!("`{}` takes texts, not {value}", self.name),
                },
                other => plan_err!("`{}` takes constant texts, not `{other}`", self.name),
            })
            .collect::<Result<Vec<String>>>()?;
        // Nothing here waits: tables are looked up in memory, and nothing is read before the plan runs.
        let planned = plan(&self.session, self.name, &texts).now_or_never();
        let frame = planned
            .unwrap_or_else(|| plan_err!("`{}` could not be planned at once", self.name).map_err(AnalysisError::from));
        let frame = frame.map_err(|error| plan_datafusion_err!("{}({}): {error}", self.name, texts.join(", ")))?;
        Ok(Arc::new(ViewTable::new(frame.into_unoptimized_plan(), None)))
    }
}

async fn plan(session: &Session, name: &str, arguments: &[String]) -> std::result::Result<DataFrame, AnalysisError> {
    match (name, arguments) {
        ("experiment", [_, ..]) => {
            let chosen = chosen(session, arguments)?;
            cases_of_all(session, &chosen.iter().collect::<Vec<_>>(), None).await
        }
        ("trials", [experiment]) => trials(session, experiment, None).await,
        ("trials", [experiment, key]) => trials(session, experiment, Some(key)).await,
        ("diff", [base, candidate]) => diff(session, base, candidate, None).await,
        ("diff", [base, candidate, key]) => diff(session, base, candidate, Some(key)).await,
        ("summary", [_, ..]) => {
            let chosen = chosen(session, arguments)?;
            let experiments: Vec<&Selected> = chosen.iter().collect();
            let scores = scores(session, &experiments);
            means(session, &experiments, &scores, true).await
        }
        ("groups", [experiment, by @ ..]) if !by.is_empty() => groups(session, experiment, by).await,
        ("history", [project, score]) => {
            let chosen = select_all(session, Some(project))?;
            let experiments: Vec<&Selected> = chosen.iter().collect();
            let wanted = score.strip_prefix("scores.").unwrap_or(score);
            let all = scores(session, &experiments);
            let found: Vec<Measure> = all.iter().filter(|one| one.name == wanted).cloned().collect();
            if found.is_empty() {
                let known = all.into_iter().map(|one| one.name).collect();
                return Err(AnalysisError::UnknownScore { score: wanted.into(), known });
            }
            means(session, &experiments, &found, false).await
        }
        _ => {
            let syntax = FUNCTIONS.iter().find(|(known, ..)| *known == name).map_or("", |(_, syntax, _)| syntax);
            let wrong: Result<DataFrame> = plan_err!("expected {syntax}, got {} arguments", arguments.len());
            Ok(wrong?)
        }
    }
}

fn chosen(session: &Session, names: &[String]) -> std::result::Result<Vec<Selected>, AnalysisError> {
    names.iter().map(|name| select(session, name, None)).collect()
}

/// One frame above another, in any order.
fn union(parts: Vec<DataFrame>, empty: DataFrame) -> std::result::Result<DataFrame, AnalysisError> {
    let mut parts = parts.into_iter();
    let Some(mut all) = parts.next() else { return Ok(empty.filter(lit(false))?) };
    for part in parts {
        all = all.union(part)?;
    }
    Ok(all)
}

async fn trials(
    session: &Session,
    experiment: &str,
    key: Option<&str>,
) -> std::result::Result<DataFrame, AnalysisError> {
    let experiment = select(session, experiment, None)?;
    let key = Key::of(session, key, &[&experiment]);
    let cases = cases_of(session, &experiment, None).await?;
    let hash = key.hash(session, cases.schema())?;
    let keyed = cases.filter(hash.clone().is_not_null())?;
    let mut parts = Vec::new();
    for score in scores(session, &[&experiment]) {
        let first = |column: &str| first_value(ident(column), key.trial_order()).alias(column);
        let value = || score.value();
        let of_score = keyed.clone().aggregate(
            vec![hash.clone().alias("key_hash")],
            vec![
                first(schema::ID),
                first(schema::INPUT),
                count(lit(1_i64)).alias("trials"),
                count(value()).alias("n"),
                avg(value()).alias("mean"),
                stddev(value()).alias("sd"),
                min(value()).alias("min"),
                max(value()).alias("max"),
            ],
        )?;
        parts.push(of_score.select(vec![
            ident("key_hash"),
            ident(schema::ID),
            ident(schema::INPUT),
            ident("trials"),
            lit(score.name.as_str()).alias("name"),
            ident("n"),
            ident("mean"),
            ident("sd"),
            ident("min"),
            ident("max"),
            ident("max").gt(ident("min")).alias("flaky"),
        ])?);
    }
    union(parts, keyed)
}

/// Columns of the candidate's first trial that a diff brings along, and below them the paths that are
/// columns of their own: a condition on one of those then reaches the scan as it is, and prunes there.
const CARRIED: [&str; 6] =
    [schema::ID, schema::INPUT, schema::OUTPUT, schema::EXPECTED, schema::METADATA, schema::TAGS];

fn carried(cases: &DFSchema) -> Vec<String> {
    let is_below = |name: &str| name.split_once('.').is_some_and(|(column, _)| CARRIED.contains(&column));
    let paths = cases.fields().iter().map(|field| field.name()).filter(|name| is_below(name));
    CARRIED.map(str::to_string).into_iter().chain(paths.cloned()).collect()
}

async fn diff(
    session: &Session,
    base: &str,
    candidate: &str,
    key: Option<&str>,
) -> std::result::Result<DataFrame, AnalysisError> {
    let candidate = select(session, candidate, None)?;
    let base = select_baseline(session, base, &candidate)?;
    let both = [&base, &candidate];
    let key = Key::of(session, key, &both);
    let reducer = Reducer::of(session, None, &candidate)?;
    let carried = carried(session.table(CASES).await?.schema());
    let extras: Vec<Expr> = carried.iter().map(ident).collect();
    let regression = session.function("regression")?;
    let mut parts = Vec::new();
    for score in scores(session, &both) {
        let own = [score];
        let request = PairRequest { key: &key, filter: None, reducer, measures: &own, extras: &extras };
        let joined = pairs(session, &base, &candidate, &request).await?;
        let (b, c) = (Side::Base.value(0), Side::Candidate.value(0));
        let is_matched = Side::Base.is_present().and(Side::Candidate.is_present());
        let presence = when(is_matched.clone(), lit("matched"))
            .when(Side::Candidate.is_present().and(Side::Candidate.key().is_not_null()), lit("candidate_only"))
            .when(Side::Base.is_present().and(Side::Base.key().is_not_null()), lit("base_only"))
            .otherwise(lit("null_key"))?;
        let [score] = &own;
        let class = regression.call(vec![b.clone(), c.clone(), lit(score.tolerance), lit(score.direction())]);
        let mut columns = vec![
            lit(score.name.as_str()).alias("name"),
            presence.alias("presence"),
            b.clone().alias("base"),
            c.clone().alias("candidate"),
            (c - b).alias("delta"),
            when(is_matched, class).end()?.alias("class"),
            Side::Base.extra(0).alias("base_id"),
        ];
        columns.extend(carried.iter().enumerate().map(|(i, name)| Side::Candidate.extra(i).alias(name)));
        parts.push(joined.select(columns)?);
    }
    union(parts, cases_of(session, &candidate, None).await?)
}

/// Means over cases: one row an experiment and score.
async fn means(
    session: &Session,
    experiments: &[&Selected],
    scores: &[Measure],
    with_name: bool,
) -> std::result::Result<DataFrame, AnalysisError> {
    let key = Key::of(session, None, experiments);
    let reducer = match experiments.last() {
        Some(last) => Reducer::of(session, None, last)?,
        None => Reducer::default(),
    };
    let cases = cases_of_all(session, experiments, None).await?;
    let hash = key.hash(session, cases.schema())?;
    let mean_ci = session.aggregate("mean_ci")?;
    // Names are of experiments, not of cases: they are looked up when the cases are summed up.
    let known = [schema::PROJECT, schema::EXPERIMENT, schema::EXPERIMENT_ID, schema::CREATED];
    let named = session.table(EXPERIMENTS).await?.select_columns(&known)?;
    let mut parts = Vec::new();
    for score in scores {
        let by_case = cases.clone().filter(hash.clone().is_not_null())?.aggregate(
            vec![ident(schema::EXPERIMENT_ID), hash.clone().alias("key")],
            vec![reducer.aggregate(session, score.value(), key.trial_order())?.alias("value")],
        )?;
        let summed = by_case.aggregate(
            vec![ident(schema::EXPERIMENT_ID).alias("of")],
            vec![mean_ci.call(vec![ident("value")]).alias("ci"), count(lit(1_i64)).alias("cases")],
        )?;
        let summed = named.clone().join(summed, JoinType::Inner, &[schema::EXPERIMENT_ID], &["of"], None)?;
        let part = |name: &str| get_field(ident("ci"), name).alias(name);
        let mut columns = vec![
            ident(schema::PROJECT),
            ident(schema::EXPERIMENT),
            ident(schema::EXPERIMENT_ID),
            ident(schema::CREATED),
        ];
        if with_name {
            columns.push(lit(score.name.as_str()).alias("name"));
        }
        columns.push(ident("cases"));
        columns.extend(["mean", "sd", "se", "ci_low", "ci_high"].map(part));
        parts.push(summed.select(columns)?);
    }
    union(parts, cases)
}

async fn groups(session: &Session, experiment: &str, by: &[String]) -> std::result::Result<DataFrame, AnalysisError> {
    let experiment = select(session, experiment, None)?;
    let key = Key::of(session, None, &[&experiment]);
    let cases = cases_of(session, &experiment, None).await?;
    let hash = key.hash(session, cases.schema())?;
    let mut groups = Vec::new();
    for (i, text) in by.iter().enumerate() {
        groups.push(spelled(session, "groups", text, cases.schema())?.text.alias(format!("g{}", i + 1)));
    }
    let names: Vec<Expr> = (0..by.len()).map(|i| ident(format!("g{}", i + 1))).collect();
    let mut parts = Vec::new();
    for score in scores(session, &[&experiment]) {
        let summed = cases.clone().aggregate(
            groups.clone(),
            vec![
                count(lit(1_i64)).alias("rows"),
                count_distinct(hash.clone()).alias("cases"),
                avg(score.value()).alias("mean"),
            ],
        )?;
        let mut columns = names.clone();
        columns.extend([ident("rows"), ident("cases"), lit(score.name.as_str()).alias("name"), ident("mean")]);
        parts.push(summed.select(columns)?);
    }
    union(parts, cases)
}
