//! Cases in groups, one experiment or several side by side (semantics, section 7).

use std::collections::HashMap;

use datafusion::arrow::datatypes::DataType;
use datafusion::functions_aggregate::expr_fn::{
    avg, count, count_distinct, max, median, min, percentile_cont, stddev, sum,
};
use datafusion::logical_expr::{Expr, ExprFunctionExt, cast, ident, lit, when};
use evalhouse_model::{ExperimentSide, Group, GroupMember, GroupScore, Groups, schema};
use evalhouse_session::{CASES, Session};
use indexmap::IndexMap;
use serde_json::Value;

use crate::answer::Answer;
use crate::filter::Filter;
use crate::key::Key;
use crate::measures::{Measure, measures};
use crate::pairs::{PairRequest, Side, is_matched, pairs};
use crate::reducer::Reducer;
use crate::scope::{cases_of_all, parse, side};
use crate::{AnalysisError, Selected};

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
            Self::Count => cast(count(value), DataType::Float64),
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
    /// Only cases that satisfy this condition.
    pub filter: Option<String>,
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
    let Some(last) = experiments.last() else {
        return Err(AnalysisError::Expression {
            place: "--group-by",
            text: String::new(),
            message: "there is no experiment to group".into(),
        });
    };
    let measures = measures(session, experiments);
    let key = Key::of(session, options.key.as_deref(), experiments);
    let reducer = Reducer::of(session, options.reducer, last)?;
    let filter = options.filter.as_deref().map(Filter::read).transpose()?;
    let cases_schema = session.table(CASES).await?.schema().clone();
    let by = options
        .by
        .iter()
        .map(|text| Ok(cast(parse(session, "--group-by", text, &cases_schema)?, DataType::Utf8)))
        .collect::<Result<Vec<Expr>, AnalysisError>>()?;

    let mut rows = cases_of_all(session, experiments, None).await?;
    if let Some(filter) = &filter {
        rows = filter.keep_own(session, rows)?;
    }
    let hash = key.hash(session, rows.schema())?;
    let mut keys = if options.pooled { Vec::new() } else { vec![ident(schema::EXPERIMENT_ID)] };
    keys.extend(by.iter().enumerate().map(|(i, group)| group.clone().alias(format!("g{i}"))));
    let mut aggregates = vec![count(lit(1)).alias("rows"), count_distinct(hash).alias("cases")];
    for (i, measure) in measures.iter().enumerate() {
        let aggregate = if measure.is_score() { options.aggregate } else { Aggregate::Avg };
        aggregates.push(aggregate.of(measure.value()).alias(format!("v{i}")));
        if measure.is_score() {
            aggregates.push(count(measure.value()).alias(format!("n{i}")));
        }
    }
    let summed = Answer::of(rows.aggregate(keys, aggregates)?).await?;

    let mut groups: IndexMap<Vec<Value>, Vec<GroupMember>> = IndexMap::new();
    let place: HashMap<&str, usize> =
        experiments.iter().enumerate().map(|(i, one)| (one.experiment.id.as_str(), i)).collect();
    let sides =
        if options.pooled { vec![pool(experiments)] } else { experiments.iter().map(|one| side(one)).collect() };
    let empty = || vec![GroupMember::default(); sides.len()];
    for row in 0..summed.rows() {
        let id = summed.text(row, schema::EXPERIMENT_ID).unwrap_or_default();
        let Some(member) = (if options.pooled { Some(&0) } else { place.get(id.as_str()) }) else { continue };
        let group = groups.entry(values_at(&summed, row, by.len())).or_insert_with(empty);
        group[*member] = member_at(&summed, row, &measures);
    }
    let mut moved = 0;
    let compared_with = if options.pooled { &[][..] } else { &experiments[1..] };
    for (i, candidate) in compared_with.iter().enumerate().map(|(i, candidate)| (i + 1, candidate)) {
        let request = PairRequest { key: &key, filter: filter.as_ref(), reducer, measures: &measures, extras: &by };
        let compared = compared(session, experiments[0], candidate, &request).await?;
        for row in 0..compared.rows() {
            moved += compared.int(row, "moved");
            let group = groups.entry(values_at(&compared, row, by.len())).or_insert_with(empty);
            for (m, measure) in measures.iter().enumerate().filter(|(_, measure)| measure.is_score()) {
                let fields = compared.fields(row, &format!("d{m}"));
                let score = group[i].scores.entry(measure.name.clone()).or_default();
                score.delta = fields.float("delta");
                score.ci_low = fields.float("ci_low");
                score.ci_high = fields.float("ci_high");
                score.improved = Some(fields.int("improved"));
                score.regressed = Some(fields.int("regressed"));
                score.unchanged = Some(fields.int("unchanged"));
            }
        }
    }
    let mut answer = Groups {
        experiments: sides.clone(),
        by: options.by.clone(),
        aggregate: options.aggregate.name().into(),
        key: key.text,
        reducer: reducer.to_string(),
        filter: options.filter.clone(),
        groups: groups.into_iter().map(|(values, experiments)| Group { values, experiments }).collect(),
        moved,
        ..Groups::default()
    };
    sort(&mut answer, options.sort.as_deref(), &measures)?;
    let total = answer.groups.len();
    let limit = options.limit.unwrap_or(LIMIT_DEFAULT);
    if total > limit {
        answer.groups.truncate(limit);
        answer.warnings.push(format!("{limit} of {total} groups are shown: --limit shows more"));
    }
    if moved > 0 {
        answer.warnings.push(format!(
            "{moved} matched cases are in another group in the candidate: they are counted in the base's group"
        ));
    }
    Ok(answer)
}

/// The pairs of two experiments by the base's group: score_diff of each measure, and how many cases
/// have another group in the candidate.
async fn compared(
    session: &Session,
    base: &Selected,
    candidate: &Selected,
    request: &PairRequest<'_>,
) -> Result<Answer, AnalysisError> {
    let joined = pairs(session, base, candidate, request).await?;
    let groups = (0..request.extras.len()).map(|i| {
        let own = when(Side::Base.is_present(), Side::Base.extra(i)).otherwise(Side::Candidate.extra(i));
        own.map(|expr| expr.alias(format!("g{i}")))
    });
    let groups = groups.collect::<datafusion::error::Result<Vec<Expr>>>()?;
    let differs = (0..request.extras.len())
        .map(|i| {
            let (base, candidate) = (Side::Base.extra(i), Side::Candidate.extra(i));
            datafusion::logical_expr::binary_expr(base, datafusion::logical_expr::Operator::IsDistinctFrom, candidate)
        })
        .reduce(Expr::or)
        .unwrap_or_else(|| lit(false));
    let mut aggregates = vec![sum(when(is_matched().and(differs), lit(1_i64)).otherwise(lit(0_i64))?).alias("moved")];
    let score_diff = session.aggregate("score_diff")?;
    for (i, measure) in request.measures.iter().enumerate().filter(|(_, measure)| measure.is_score()) {
        let arguments =
            vec![Side::Base.value(i), Side::Candidate.value(i), lit(measure.tolerance), lit(measure.direction())];
        aggregates.push(score_diff.call(arguments).filter(is_matched()).build()?.alias(format!("d{i}")));
    }
    Answer::of(joined.aggregate(groups, aggregates)?).await
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

fn values_at(answer: &Answer, row: usize, groups: usize) -> Vec<Value> {
    (0..groups).map(|i| answer.value_of(row, &format!("g{i}"))).collect()
}

fn member_at(answer: &Answer, row: usize, measures: &[Measure]) -> GroupMember {
    let mut member =
        GroupMember { rows: answer.int(row, "rows"), cases: answer.int(row, "cases"), ..GroupMember::default() };
    for (i, measure) in measures.iter().enumerate() {
        let value = answer.float(row, &format!("v{i}"));
        if measure.is_score() {
            let n = answer.int(row, &format!("n{i}"));
            member.scores.insert(measure.name.clone(), GroupScore { value, n, ..GroupScore::default() });
        } else {
            member.metrics.insert(measure.name.clone(), value);
        }
    }
    member
}

/// Orders the groups of an answer; those without a value come last in their own order.
fn sort(answer: &mut Groups, order: Option<&str>, measures: &[Measure]) -> Result<(), AnalysisError> {
    let own_order = |a: &Group, b: &Group| {
        a.values
            .iter()
            .zip(&b.values)
            .map(|(a, b)| (a.is_null(), number_of(a), text_of(a)).partial_cmp(&(b.is_null(), number_of(b), text_of(b))))
            .find_map(|order| order.filter(|order| order.is_ne()))
            .unwrap_or(std::cmp::Ordering::Equal)
    };
    let Some(order) = order else {
        answer.groups.sort_by(own_order);
        return Ok(());
    };
    if order == "rows" {
        let rows = |group: &Group| group.experiments.iter().map(|member| member.rows).sum::<i64>();
        answer.groups.sort_by(|a, b| rows(b).cmp(&rows(a)).then_with(|| own_order(a, b)));
        return Ok(());
    }
    let wrong = |message: String| AnalysisError::Expression { place: "--sort", text: order.into(), message };
    let (word, rest) = order.split_once(':').unwrap_or((order, ""));
    let worst_first = match word {
        "regressions" => true,
        "improvements" => false,
        _ => {
            return Err(wrong(format!("`{order}` is no order of groups: rows, regressions:SCORE, improvements:SCORE")));
        }
    };
    // `regressions:SCORE` or, of several comparisons, `regressions:SCORE:EXPERIMENT`.
    let names: Vec<&str> = measures.iter().filter(|m| m.is_score()).map(|m| m.name.as_str()).collect();
    let (score, member) = match names.contains(&rest) {
        true => (rest, 1),
        false => {
            let (score, experiment) = rest.rsplit_once(':').unwrap_or((rest, ""));
            let member = answer.experiments.iter().position(|one| one.experiment == experiment || one.id == experiment);
            match (names.contains(&score), member) {
                (true, Some(member)) if member > 0 => (score, member),
                (true, _) => return Err(wrong(format!("`{experiment}` is no experiment that is compared here"))),
                (false, _) => {
                    return Err(wrong(format!("there is no score `{score}`; there are {}", names.join(", "))));
                }
            }
        }
    };
    if answer.experiments.len() < 2 {
        return Err(wrong("there is nothing to regress from: name a baseline with --against".into()));
    }
    let at = |group: &Group| group.experiments[member].scores.get(score).cloned().unwrap_or_default();
    let sort_key = |group: &Group| {
        let score = at(group);
        let count = if worst_first { score.regressed } else { score.improved }.unwrap_or_default();
        let delta = score.delta.unwrap_or(0.0);
        (count, if worst_first { delta } else { -delta })
    };
    answer.groups.sort_by(|a, b| {
        let ((a_count, a_delta), (b_count, b_delta)) = (sort_key(a), sort_key(b));
        b_count.cmp(&a_count).then(a_delta.total_cmp(&b_delta)).then_with(|| own_order(a, b))
    });
    Ok(())
}

/// Numbers sort as numbers.
fn number_of(value: &Value) -> Option<f64> {
    value.as_str().and_then(|text| text.parse::<f64>().ok()).filter(|number| !number.is_nan())
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_string()
}
