//! Cases in groups, one experiment or several side by side (semantics, section 7).
//!
//! One plan: rows become one row a group with every experiment's aggregates side by side, the pairs of
//! each candidate become their classes and deltas by group, and both are joined, ordered and cut off.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{JoinType, NullEquality};
use datafusion::dataframe::DataFrame;
use datafusion::functions::core::expr_fn::get_field;
use datafusion::functions_aggregate::expr_fn::{
    avg, count, count_distinct, max, median, min, percentile_cont, stddev, sum,
};
use datafusion::logical_expr::expr::Sort;
use datafusion::logical_expr::{
    Expr, ExprFunctionExt, LogicalPlanBuilder, Operator, binary_expr, ident, lit, try_cast, when,
};
use datafusion::prelude::coalesce;
use evalhouse_model::{ExperimentSide, Group, GroupMember, GroupScore, Groups, schema};
use evalhouse_session::{CASES, Session};

use crate::answer::Answer;
use crate::filter::{Filter, of_kept_pairs};
use crate::key::Key;
use crate::measures::{Measure, measures};
use crate::pairs::{PairRequest, Side, is_matched, pairs};
use crate::reducer::Reducer;
use crate::scope::{cases_of_all, parse, side, spelled};
use crate::{AnalysisError, Selected, comparable};

/// Groups shown when no limit is given.
const LIMIT_DEFAULT: usize = 50;

/// How the values of a group become one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Aggregate {
    #[default]
    Avg,
    Min,
    Max,
    Sum,
    Median,
    Count,
    Stddev,
    P90,
}

impl Aggregate {
    /// Every aggregate, as it is written.
    pub const ALL: [(&'static str, Self); 8] = [
        ("avg", Self::Avg),
        ("min", Self::Min),
        ("max", Self::Max),
        ("sum", Self::Sum),
        ("median", Self::Median),
        ("count", Self::Count),
        ("stddev", Self::Stddev),
        ("p90", Self::P90),
    ];

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, known)| *known == self).map_or("avg", |(name, _)| name)
    }

    fn of(self, value: Expr) -> Expr {
        match self {
            Self::Avg => avg(value),
            Self::Min => min(value),
            Self::Max => max(value),
            Self::Sum => sum(value),
            Self::Median => median(value),
            Self::Count => count(value),
            Self::Stddev => stddev(value),
            Self::P90 => percentile_cont(value.sort(true, false), lit(0.9)),
        }
    }
}

impl std::str::FromStr for Aggregate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let word = text.trim().to_ascii_lowercase();
        let word = if word == "mean" { "avg" } else { word.as_str() };
        let found = Self::ALL.iter().find(|(name, _)| *name == word).map(|(_, aggregate)| *aggregate);
        found.ok_or_else(|| {
            let names = Self::ALL.map(|(name, _)| name).join(", ");
            format!("`{text}` is no aggregate, expected one of {names}")
        })
    }
}

/// What to group, and how.
#[derive(Debug, Clone, Default)]
pub struct GroupOptions {
    /// The expressions to group by, outermost first.
    pub by: Vec<String>,
    /// How scores are summed up.
    pub aggregate: Aggregate,
    /// Comparison key; default the project's, else `input`.
    pub key: Option<String>,
    /// Only cases that satisfy this condition; one about pairs of cases needs experiments to compare.
    pub filter: Option<String>,
    /// What makes cases alike: the intervals of deltas treat a cluster as one observation.
    pub cluster: Option<String>,
    /// How trials are consolidated for counts and deltas.
    pub reducer: Option<Reducer>,
    /// `regressions:SCORE`, `improvements:SCORE`, `rows`, or nothing for the groups' own order.
    pub sort: Option<String>,
    /// Groups to show; default 50.
    pub limit: Option<usize>,
    /// Takes all experiments as one, and compares none.
    pub pooled: bool,
}

/// Groups the cases of experiments, the first of which the others are held against.
///
/// A case whose group differs between two experiments is counted in the base's group, so that the
/// counts of all groups add up to those of the whole diff. Cases without a value are a group of
/// their own, last.
///
/// # Errors
/// When an expression does not parse or the store cannot be read.
pub async fn groups(
    session: &Session,
    experiments: &[&Selected],
    options: &GroupOptions,
) -> Result<Groups, AnalysisError> {
    let (Some(base), Some(last), false) = (experiments.first(), experiments.last(), options.by.is_empty()) else {
        return Err(AnalysisError::Expression {
            place: "--group-by",
            text: options.by.join(", "),
            message: "it takes an experiment and an expression to group by".into(),
        });
    };
    let candidates = if options.pooled { &[][..] } else { &experiments[1..] };
    let measures = measures(session, experiments);
    let key = Key::of(session, options.key.as_deref(), experiments);
    let reducer = Reducer::of(session, options.reducer, last)?;
    let filter = options.filter.as_deref().map(Filter::read).transpose()?;
    let cases = session.table(CASES).await?;
    let by = options.by.iter().map(|text| Ok(spelled(session, "--group-by", text, cases.schema())?.text));
    let by = by.collect::<Result<Vec<Expr>, AnalysisError>>()?;
    let mut extras = by.clone();
    if let Some(cluster) = &options.cluster {
        extras.push(parse(session, "--cluster", cluster, cases.schema())?);
    }
    let sides =
        if options.pooled { vec![pool(experiments)] } else { experiments.iter().map(|one| side(one)).collect() };
    let order = Order::read(options.sort.as_deref(), &sides, &measures)?;

    let request = PairRequest { key: &key, filter: filter.as_ref(), reducer, measures: &measures, extras: &extras };
    let mut matched = Vec::new();
    for candidate in candidates {
        matched.push((*candidate, pairs(session, base, candidate, &request).await?));
    }
    let rows = rows(session, experiments, &matched, &request).await?;
    let hash = key.hash(session, rows.schema())?;
    let groups = by.iter().enumerate().map(|(i, group)| group.clone().alias(group_name(i))).collect();
    let mut plan = rows.aggregate(groups, members(&sides, &measures, options.aggregate, &hash)?)?;
    for (i, (_, pairs)) in matched.into_iter().enumerate() {
        plan = beside(session, plan, compared(session, pairs, &request, by.len(), i + 1)?, by.len(), i + 1)?;
    }

    let limit = options.limit.unwrap_or(LIMIT_DEFAULT);
    let mut ordered = plan.clone();
    for i in 0..by.len() {
        // A column of its own: the engine takes a sort by a cast for one by what is cast, and a later key
        // for a repetition of it (DataFusion 55.2).
        ordered = ordered.with_column(&number_name(i), try_cast(ident(group_name(i)), DataType::Float64))?;
    }
    let ordered = ordered.sort(order.keys(&sides, &measures, by.len()))?;
    let found = Answer::of(ordered.limit(0, Some(limit.saturating_add(1)))?).await?;
    let mut answer = Groups {
        experiments: sides,
        by: options.by.clone(),
        aggregate: options.aggregate.name().into(),
        key: key.text.clone(),
        reducer: reducer.to_string(),
        filter: options.filter.clone(),
        cluster: options.cluster.clone(),
        warnings: comparable::of_sides(session, experiments).await?,
        ..Groups::default()
    };
    let (mut total, mut moved, mut clusters) = (found.rows() as i64, 0, Vec::new());
    if found.rows() > limit {
        let everything = Answer::of(plan.aggregate(vec![], totals(candidates.len()))?).await?;
        (total, moved) = (everything.int(0, "total"), everything.int(0, "moved"));
        answer.warnings.push(format!("{limit} of {total} groups are shown: --limit shows more"));
    }
    for row in 0..found.rows().min(limit) {
        let members = 0..answer.experiments.len();
        answer.groups.push(Group {
            values: (0..by.len()).map(|i| found.value_of(row, &group_name(i))).collect(),
            experiments: members.map(|member| member_at(&found, row, member, &measures)).collect(),
        });
        clusters.extend(fewest_clusters(&found, row, candidates.len(), &measures));
        if total as usize <= limit {
            moved += (1..=candidates.len()).map(|member| found.int(row, &format!("moved{member}"))).sum::<i64>();
        }
    }
    answer.moved = moved;
    if moved > 0 {
        answer.warnings.push(format!(
            "{moved} matched cases are in another group in the candidate: they are counted in the base's group"
        ));
    }
    if options.cluster.is_some() {
        answer.warnings.extend(comparable::of_clusters(&clusters));
    }
    Ok(answer)
}

/// The rows that are summed up. Under a condition on pairs they are those of the pairs that satisfy it.
async fn rows(
    session: &Session,
    experiments: &[&Selected],
    matched: &[(&Selected, DataFrame)],
    request: &PairRequest<'_>,
) -> Result<DataFrame, AnalysisError> {
    let rows = cases_of_all(session, experiments, None).await?;
    let Some(filter) = request.filter else { return Ok(rows) };
    if matched.is_empty() {
        return filter.keep_all(session, rows, request.key);
    }
    let own = filter.keep_own(session, rows, request.key)?;
    if !filter.is_paired() {
        return Ok(own);
    }
    let hash = request.key.hash(session, own.schema())?;
    of_kept_pairs(own, hash, experiments[0], matched.iter().map(|(candidate, pairs)| (*candidate, pairs.clone())))
}

fn group_name(i: usize) -> String {
    format!("g{i}")
}

/// The group as a number, where it is one.
fn number_name(i: usize) -> String {
    format!("g{i}_number")
}

/// What becomes of the rows of a group: of each experiment its rows and cases, and each measure's
/// aggregate (`v0_1` is the second measure of the first experiment) and number of values.
fn members(
    sides: &[ExperimentSide],
    measures: &[Measure],
    aggregate: Aggregate,
    key: &Expr,
) -> Result<Vec<Expr>, AnalysisError> {
    let mut aggregates = Vec::new();
    for (member, side) in sides.iter().enumerate() {
        // Every aggregate leaves nulls out, so those of other experiments are null.
        let own = |value: Expr| match sides.len() {
            1 => Ok(value),
            _ => when(ident(schema::EXPERIMENT_ID).eq(lit(side.id.as_str())), value).end(),
        };
        aggregates.push(count(own(lit(1_i64))?).alias(format!("rows{member}")));
        aggregates.push(count_distinct(own(key.clone())?).alias(format!("cases{member}")));
        for (i, measure) in measures.iter().enumerate() {
            let value = own(measure.value())?;
            let aggregate = if measure.is_score() { aggregate } else { Aggregate::Avg };
            aggregates.push(aggregate.of(value.clone()).alias(format!("v{member}_{i}")));
            if measure.is_score() {
                aggregates.push(count(value).alias(format!("n{member}_{i}")));
            }
        }
    }
    Ok(aggregates)
}

/// The pairs of the base and a candidate by the base's group: `score_diff` of each score, and how many
/// cases have another group in the candidate.
fn compared(
    session: &Session,
    pairs: DataFrame,
    request: &PairRequest<'_>,
    by: usize,
    member: usize,
) -> Result<DataFrame, AnalysisError> {
    let mut groups = Vec::new();
    for i in 0..by {
        let own = when(Side::Base.is_present(), Side::Base.extra(i)).otherwise(Side::Candidate.extra(i))?;
        groups.push(own.alias(format!("c{member}_{}", group_name(i))));
    }
    let differs = (0..by)
        .map(|i| binary_expr(Side::Base.extra(i), Operator::IsDistinctFrom, Side::Candidate.extra(i)))
        .reduce(Expr::or)
        .unwrap_or_else(|| lit(false));
    let moved = when(is_matched().and(differs), lit(1_i64)).otherwise(lit(0_i64))?;
    let mut aggregates = vec![sum(moved).alias(format!("moved{member}"))];
    let score_diff = session.aggregate("score_diff")?;
    for (i, measure) in request.measures.iter().enumerate().filter(|(_, measure)| measure.is_score()) {
        let mut arguments =
            vec![Side::Base.value(i), Side::Candidate.value(i), lit(measure.tolerance), lit(measure.direction())];
        // What comes after the groups is the cluster; the base says which, as in a diff.
        if request.extras.len() > by {
            arguments.push(coalesce(vec![Side::Base.extra(by), Side::Candidate.extra(by)]));
        }
        aggregates.push(score_diff.call(arguments).filter(is_matched()).build()?.alias(format!("d{member}_{i}")));
    }
    Ok(pairs.aggregate(groups, aggregates)?)
}

/// The groups with what a candidate's pairs say of each; a group without a value is one too.
fn beside(
    session: &Session,
    groups: DataFrame,
    compared: DataFrame,
    by: usize,
    member: usize,
) -> Result<DataFrame, AnalysisError> {
    let ours: Vec<String> = (0..by).map(group_name).collect();
    let theirs = ours.iter().map(|name| format!("c{member}_{name}")).collect();
    let joined = LogicalPlanBuilder::from(groups.into_unoptimized_plan()).join_detailed(
        compared.into_unoptimized_plan(),
        JoinType::Left,
        (ours, theirs),
        None,
        NullEquality::NullEqualsNull,
    )?;
    Ok(session.frame(joined.build()?)?)
}

/// Over all groups: how many there are, and how many cases are in another one in a candidate.
fn totals(candidates: usize) -> Vec<Expr> {
    let moved = (1..=candidates).map(|member| coalesce(vec![ident(format!("moved{member}")), lit(0_i64)]));
    let moved = moved.reduce(|a, b| a + b).unwrap_or_else(|| lit(0_i64));
    vec![count(lit(1_i64)).alias("total"), sum(moved).alias("moved")]
}

/// All experiments as one side of an answer.
fn pool(experiments: &[&Selected]) -> ExperimentSide {
    ExperimentSide {
        project: experiments.first().map(|one| one.experiment.project.clone()).unwrap_or_default(),
        experiment: format!("{} experiments", experiments.len()),
        rows: experiments.iter().map(|one| one.experiment.rows).sum(),
        cases: experiments.iter().map(|one| one.experiment.cases).sum(),
        ..ExperimentSide::default()
    }
}

fn member_at(answer: &Answer, row: usize, member: usize, measures: &[Measure]) -> GroupMember {
    let rows = answer.int(row, &format!("rows{member}"));
    let mut found = GroupMember { rows, cases: answer.int(row, &format!("cases{member}")), ..GroupMember::default() };
    for (i, measure) in measures.iter().enumerate() {
        let value = answer.float(row, &format!("v{member}_{i}"));
        if !measure.is_score() {
            if rows > 0 {
                found.metrics.insert(measure.name.clone(), value);
            }
            continue;
        }
        let mut score = GroupScore { value, n: answer.int(row, &format!("n{member}_{i}")), ..GroupScore::default() };
        let compared = answer.fields(row, &format!("d{member}_{i}"));
        if !compared.is_null() {
            score.delta = compared.float("delta");
            score.ci_low = compared.float("ci_low");
            score.ci_high = compared.float("ci_high");
            score.improved = Some(compared.int("improved"));
            score.regressed = Some(compared.int("regressed"));
            score.unchanged = Some(compared.int("unchanged"));
        }
        if rows > 0 || !compared.is_null() {
            found.scores.insert(measure.name.clone(), score);
        }
    }
    found
}

/// The fewest clusters that an interval of a group rests on, when it is clustered.
fn fewest_clusters(answer: &Answer, row: usize, candidates: usize, measures: &[Measure]) -> Option<f64> {
    let compared = (1..=candidates).flat_map(|member| (0..measures.len()).map(move |i| format!("d{member}_{i}")));
    let clusters = compared.filter_map(|column| Some(answer.fields(row, &column).float("df")? + 1.0));
    clusters.min_by(f64::total_cmp)
}

/// How groups are ordered.
enum Order {
    /// By their values.
    Own,
    /// Most rows first.
    Rows,
    /// Most regressions, or improvements, of a candidate's score first.
    Classes { measure: usize, member: usize, worst_first: bool },
}

impl Order {
    fn read(text: Option<&str>, sides: &[ExperimentSide], measures: &[Measure]) -> Result<Self, AnalysisError> {
        let Some(text) = text else { return Ok(Self::Own) };
        let wrong = |message: String| AnalysisError::Expression { place: "--sort", text: text.into(), message };
        let (word, rest) = text.split_once(':').unwrap_or((text, ""));
        let worst_first = match word {
            "rows" if rest.is_empty() => return Ok(Self::Rows),
            "regressions" => true,
            "improvements" => false,
            _ => {
                return Err(wrong(format!(
                    "`{text}` is no order of groups: rows, regressions:SCORE, improvements:SCORE"
                )));
            }
        };
        let score = |name: &str| measures.iter().position(|measure| measure.is_score() && measure.name == name);
        // `regressions:SCORE` or, of several comparisons, `regressions:SCORE:EXPERIMENT`.
        let (measure, member) = match score(rest) {
            Some(measure) => (measure, 1),
            None => {
                let (name, experiment) = rest.rsplit_once(':').unwrap_or((rest, ""));
                let Some(measure) = score(name) else {
                    let known: Vec<&str> = measures.iter().filter(|m| m.is_score()).map(|m| m.name.as_str()).collect();
                    return Err(wrong(format!("there is no score `{name}`; there are {}", known.join(", "))));
                };
                let member = sides.iter().position(|one| one.experiment == experiment || one.id == experiment);
                let Some(member) = member.filter(|member| *member > 0) else {
                    return Err(wrong(format!("`{experiment}` is no experiment that is compared here")));
                };
                (measure, member)
            }
        };
        if member >= sides.len() {
            return Err(wrong("there is nothing to regress from: name a baseline with --against".into()));
        }
        Ok(Self::Classes { measure, member, worst_first })
    }

    /// The sort keys, the groups' own order last: numbers as numbers, those without a value at the end.
    fn keys(&self, sides: &[ExperimentSide], measures: &[Measure], by: usize) -> Vec<Sort> {
        let mut keys = match self {
            Self::Own => Vec::new(),
            Self::Rows => {
                let rows = (0..sides.len()).map(|member| ident(format!("rows{member}"))).reduce(|a, b| a + b);
                rows.into_iter().map(|rows| rows.sort(false, false)).collect()
            }
            Self::Classes { measure, member, worst_first } => {
                let part = |name: &str| get_field(ident(format!("d{member}_{measure}")), name);
                let (class, lower) =
                    (if *worst_first { "regressed" } else { "improved" }, measures[*measure].lower_is_better);
                let (none, no_change) = (lit(0_i64), lit(0.0));
                vec![
                    coalesce(vec![part(class), none]).sort(false, false),
                    coalesce(vec![part("delta"), no_change]).sort(*worst_first != lower, false),
                ]
            }
        };
        for i in 0..by {
            let group = || ident(group_name(i));
            let number = ident(number_name(i)).sort(true, true);
            keys.extend([group().is_null().sort(true, false), number, group().sort(true, false)]);
        }
        keys
    }
}
