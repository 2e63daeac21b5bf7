//! Why a score changed: which slices of the cases carry the change.
//!
//! A slice is the cases that have a certain value in a field of their metadata, a tag, or a custom
//! column, or two such values at once. What a slice *contributes* is the sum of its cases' differences
//! over the number of all cases, so that the slices of one field add up to the whole change. A large
//! slice contributes much even when nothing is special about it; so slices are ranked by what they
//! contribute beyond their share of the cases. The p-value asks whether cases inside differ from
//! those elsewhere, by a test that holds for slices of few cases too (see [`two_means`]), corrected
//! (Holm) for the number of slices looked at.
//!
//! [`two_means`]: evalhouse_functions::kernels::two_means

use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::dataframe::DataFrame;
use datafusion::functions::core::expr_fn::{get_field, named_struct};
use datafusion::functions_aggregate::expr_fn::{count_distinct, sum};
use datafusion::functions_nested::expr_fn::{array_has, make_array};
use datafusion::logical_expr::{Expr, cast, col, ident, lit};
use evalhouse_functions::holm_adjusted;
use evalhouse_functions::kernels::two_means::{MeanOf, difference_p};
use evalhouse_language::Expr as Tree;
use evalhouse_model::{Explanation, Slice, SliceCase, schema};
use evalhouse_session::{CASES, Session, Spelled};
use std::collections::HashMap;

use crate::answer::{Answer, Fields};
use crate::filter::Filter;
use crate::key::Key;
use crate::measures::{Measure, scores};
use crate::pairs::{PairRequest, Side, is_matched, pairs};
use crate::reducer::Reducer;
use crate::scope::{side, spelled};
use crate::{AnalysisError, Selected};

/// Values of a field that makes slices: with more of them it tells cases apart, not kinds of cases.
const VALUES_MAX: i64 = 50;
/// Fields whose pairs are searched.
const PAIRED_FIELDS_MAX: usize = 12;
/// Fields that are tried at all.
const FIELDS_MAX: usize = 200;
/// Fewest cases of a slice.
const CASES_MIN: i64 = 5;
/// What is left of a sum of squares by rounding alone, as a share of it.
const ROUNDING: f64 = 1e-12;
/// Slices that are tested at most, the largest: a field that tells cases apart has no end of them.
const SLICES_MAX: usize = 10_000;
/// Slices shown when no limit is given, and worst cases of each.
const SLICES_DEFAULT: usize = 10;
const WORST: usize = 3;

/// How to explain.
#[derive(Debug, Clone, Default)]
pub struct ExplainOptions {
    /// The score, by name.
    pub score: String,
    /// Comparison key; default the project's, else `input`.
    pub key: Option<String>,
    /// Only cases that satisfy this condition, on both sides.
    pub filter: Option<String>,
    /// How trials are consolidated.
    pub reducer: Option<Reducer>,
    /// Expressions to slice by; default the metadata, tags and custom columns that have few values.
    pub by: Option<Vec<String>>,
    /// Slices to show; default 10.
    pub limit: Option<usize>,
}

/// Something to slice by.
#[derive(Debug, Clone)]
struct Field {
    /// As the user or the catalog writes it.
    text: String,
    spelled: Spelled,
}

impl Field {
    /// The tags of a case, or another list: a case is in the slice of each item.
    fn is_list(&self) -> bool {
        self.spelled.items.is_some()
    }

    fn value(&self) -> Expr {
        self.spelled.items.clone().unwrap_or_else(|| cast(self.spelled.text.clone(), DataType::Utf8))
    }
}

/// Explains the change of a score between two experiments.
///
/// # Errors
/// When the score does not exist, an expression does not parse, or the store cannot be read.
pub async fn explain(
    session: &Session,
    base: &Selected,
    candidate: &Selected,
    options: &ExplainOptions,
) -> Result<Explanation, AnalysisError> {
    let Planned { measure, key, reducer, mut fields, matched } = planned(session, base, candidate, options).await?;
    let whole = Answer::of(matched.clone().aggregate(vec![], whole(session, &measure, &fields)?)?).await?;
    let total = whole.fields(0, "d");
    let mut answer = Explanation {
        base: side(base),
        candidate: side(candidate),
        score: measure.name.clone(),
        lower_is_better: measure.lower_is_better,
        key: key.text.clone(),
        reducer: reducer.to_string(),
        filter: options.filter.clone(),
        n: total.int("n"),
        delta: total.float("delta"),
        ci_low: total.float("ci_low"),
        ci_high: total.float("ci_high"),
        ..Explanation::default()
    };
    // Fields with one value, or with too many, make no slices; tags are few by nature.
    let values = |i: usize| whole.int(0, &format!("values{i}"));
    let kept: Vec<usize> = (0..fields.len())
        .filter(|i| fields[*i].is_list() || options.by.is_some() || (2..=VALUES_MAX).contains(&values(*i)))
        .collect();
    fields = kept.iter().map(|i| fields[*i].clone()).collect();
    answer.fields = fields.iter().map(|field| field.text.clone()).collect();
    let (Some(delta), false) = (answer.delta, fields.is_empty()) else {
        answer.warnings.push(match answer.n {
            0 => "no matched case has the score on both sides".to_string(),
            _ => "no field of the cases has between 2 and 50 values: name some with --by".to_string(),
        });
        return Ok(answer);
    };
    let found = slices(session, matched.clone(), &measure, &fields, &kept).await?;
    answer.searched = found.len() as i64;
    if found.len() >= SLICES_MAX {
        answer.warnings.push(format!("there are more slices: the largest {SLICES_MAX} of a kind were tested"));
    }
    for (mut slice, cases) in
        ranked(found, &total, answer.n, delta).into_iter().take(options.limit.unwrap_or(SLICES_DEFAULT))
    {
        slice.worst = worst(&matched, cases).await?;
        answer.slices.push(slice);
    }
    Ok(answer)
}

/// The plan of the whole change and of the number of values of each field, not run: for those who want
/// to see what it reads.
///
/// # Errors
/// As [`explain`].
pub async fn explain_plan(
    session: &Session,
    base: &Selected,
    candidate: &Selected,
    options: &ExplainOptions,
) -> Result<DataFrame, AnalysisError> {
    let Planned { measure, fields, matched, .. } = planned(session, base, candidate, options).await?;
    Ok(matched.aggregate(vec![], whole(session, &measure, &fields)?)?)
}

/// What an explanation is made of.
struct Planned {
    measure: Measure,
    key: Key,
    reducer: Reducer,
    fields: Vec<Field>,
    /// The matched cases with the score on both sides.
    matched: DataFrame,
}

async fn planned(
    session: &Session,
    base: &Selected,
    candidate: &Selected,
    options: &ExplainOptions,
) -> Result<Planned, AnalysisError> {
    let both = [base, candidate];
    let wanted = options.score.strip_prefix("scores.").unwrap_or(&options.score);
    let all = scores(session, &both);
    let Some(measure) = all.iter().find(|score| score.name == wanted).cloned() else {
        let known = all.into_iter().map(|score| score.name).collect();
        return Err(AnalysisError::UnknownScore { score: wanted.into(), known });
    };
    let key = Key::of(session, options.key.as_deref(), &both);
    let reducer = Reducer::of(session, options.reducer, candidate)?;
    let filter = options.filter.as_deref().map(Filter::read).transpose()?;
    let fields = fields(session, &both, options).await?;

    let mut extras: Vec<Expr> = vec![ident(schema::ID), ident(schema::INPUT)];
    extras.extend(fields.iter().map(Field::value));
    let request = PairRequest {
        key: &key,
        filter: filter.as_ref(),
        reducer,
        measures: std::slice::from_ref(&measure),
        extras: &extras,
    };
    let matched = differences(pairs(session, base, candidate, &request).await?, &measure, &fields)?;

    Ok(Planned { measure, key, reducer, fields, matched })
}

/// What cases can be sliced by: the user's expressions, or custom columns, tags and the metadata that
/// is stored as columns.
async fn fields(
    session: &Session,
    both: &[&Selected; 2],
    options: &ExplainOptions,
) -> Result<Vec<Field>, AnalysisError> {
    let cases = session.table(CASES).await?;
    let schema = cases.schema();
    let field = |text: String| -> Result<Field, AnalysisError> {
        let spelled = spelled(session, "--by", &text, schema)?;
        Ok(Field { text, spelled })
    };
    if let Some(by) = &options.by {
        return by.iter().map(|text| field(text.clone())).collect();
    }
    let settings = session.settings(&both[1].experiment.project);
    let custom = settings.columns.keys().map(|name| quoted(name));
    let table = session.catalog().tables().iter().find(|table| table.name == CASES);
    let metadata = table
        .into_iter()
        .flat_map(|table| &table.columns)
        .map(|column| column.name.clone())
        .filter(|name| name.starts_with("metadata."));
    custom.chain([schema::TAGS.to_string()]).chain(metadata).take(FIELDS_MAX).map(field).collect()
}

fn quoted(name: &str) -> String {
    use evalhouse_language::{Expr as Tree, Node, Position, Step};
    let step = Step::Key { name: name.into(), quoted: false };
    Tree { node: Node::Path(vec![step]), position: Position::default() }.to_string()
}

/// One row a matched case with both values: its difference (above 0 is better), its id and input, and
/// the values `f0`, `f1`, … of the fields, the base's where the sides differ.
fn differences(pairs: DataFrame, measure: &Measure, fields: &[Field]) -> Result<DataFrame, AnalysisError> {
    let (b, c) = (Side::Base.value(0), Side::Candidate.value(0));
    let better = if measure.lower_is_better { b.clone() - c.clone() } else { c.clone() - b.clone() };
    let mut columns = vec![
        b.clone().alias("b"),
        c.clone().alias("c"),
        better.alias("better"),
        Side::Candidate.extra(0).alias("id"),
        Side::Candidate.extra(1).alias("input"),
    ];
    columns.extend((0..fields.len()).map(|i| {
        let value = datafusion::prelude::coalesce(vec![Side::Base.extra(i + 2), Side::Candidate.extra(i + 2)]);
        value.alias(format!("f{i}"))
    }));
    Ok(pairs.filter(is_matched().and(b.is_not_null()).and(c.is_not_null()))?.select(columns)?)
}

fn score_diff(session: &Session, measure: &Measure) -> Result<Expr, AnalysisError> {
    let arguments = vec![ident("b"), ident("c"), lit(measure.tolerance), lit(measure.direction())];
    Ok(session.aggregate("score_diff")?.call(arguments))
}

fn whole(session: &Session, measure: &Measure, fields: &[Field]) -> Result<Vec<Expr>, AnalysisError> {
    let mut aggregates = vec![score_diff(session, measure)?.alias("d")];
    for (i, _) in fields.iter().enumerate().filter(|(_, field)| !field.is_list()) {
        aggregates.push(count_distinct(ident(format!("f{i}"))).alias(format!("values{i}")));
    }
    Ok(aggregates)
}

/// A slice as found: its condition, and what identifies its cases in the frame of differences.
type Found = (Slice, Expr, f64, Vec<(usize, String)>);

/// Every slice of one field and of two, with its statistics.
async fn slices(
    session: &Session,
    matched: DataFrame,
    measure: &Measure,
    fields: &[Field],
    places: &[usize],
) -> Result<Vec<Found>, AnalysisError> {
    let column = |i: usize| ident(format!("f{}", places[i]));
    let none = || lit(ScalarValue::Utf8(None));
    let slice = |first: usize, value: Expr, second: Option<(usize, Expr)>| {
        let (other, other_value) = match second {
            Some((i, value)) => (lit(i as i64), value),
            None => (lit(-1_i64), none()),
        };
        let parts = [("i", lit(first as i64)), ("v", value), ("j", other), ("w", other_value)];
        named_struct(parts.into_iter().flat_map(|(name, value)| [lit(name), value]).collect())
    };
    let scalar: Vec<usize> = (0..fields.len()).filter(|i| !fields[*i].is_list()).collect();
    let mut entries: Vec<Expr> = scalar.iter().map(|i| slice(*i, column(*i), None)).collect();
    let paired = &scalar[..scalar.len().min(PAIRED_FIELDS_MAX)];
    for (at, i) in paired.iter().enumerate() {
        for j in &paired[at + 1..] {
            entries.push(slice(*i, column(*i), Some((*j, column(*j)))));
        }
    }
    let part = |name: &str| get_field(col("slice"), name);
    let keys = || ["i", "v", "j", "w"].map(|name| part(name).alias(name)).to_vec();
    let statistics = || -> Result<Vec<Expr>, AnalysisError> {
        Ok(vec![score_diff(session, measure)?.alias("d"), sum(ident("better")).alias("total")])
    };
    // Slices of few cases say nothing, and of a field that tells cases apart they are all there is.
    let large = |slices: DataFrame| -> Result<DataFrame, AnalysisError> {
        let n = || get_field(ident("d"), "n");
        let has_values = ident("v").is_not_null().and(ident("j").lt(lit(0_i64)).or(ident("w").is_not_null()));
        let by_size =
            [n().sort(false, false)].into_iter().chain(["i", "v", "j", "w"].map(|key| ident(key).sort(true, true)));
        let large = slices.filter(has_values.and(n().gt_eq(lit(CASES_MIN))))?;
        Ok(large.sort(by_size.collect())?.limit(0, Some(SLICES_MAX))?)
    };
    let mut found = Vec::new();
    let mut collect = |answer: &Answer| {
        for row in 0..answer.rows() {
            let (i, j) = (answer.int(row, "i") as usize, answer.int(row, "j"));
            let Some(v) = answer.text(row, "v") else { continue };
            let mut values = vec![(i, v)];
            if j >= 0 {
                let Some(w) = answer.text(row, "w") else { continue };
                values.push((j as usize, w));
            }
            let d = answer.fields(row, "d");
            let conditions = values.iter().map(|(i, value)| fields[*i].spelled.is(value));
            let in_slice = values
                .iter()
                .map(|(i, value)| match fields[*i].is_list() {
                    true => array_has(column(*i), lit(value.as_str())),
                    false => column(*i).eq(lit(value.as_str())),
                })
                .reduce(Expr::and)
                .unwrap_or_else(|| lit(true));
            let slice = Slice {
                filter: conditions.reduce(Tree::and).map(|condition| condition.to_string()).unwrap_or_default(),
                n: d.int("n"),
                delta: d.float("delta"),
                ci_low: d.float("ci_low"),
                ci_high: d.float("ci_high"),
                regressed: d.int("regressed"),
                improved: d.int("improved"),
                ..Slice::default()
            };
            found.push((slice, in_slice, d.float("sd").unwrap_or(0.0), values));
        }
    };
    if !entries.is_empty() {
        let long = matched
            .clone()
            .select(vec![ident("b"), ident("c"), ident("better"), make_array(entries).alias("slice")])?
            .unnest_columns(&["slice"])?;
        collect(&Answer::of(large(long.aggregate(keys(), statistics()?)?)?).await?);
    }
    for i in (0..fields.len()).filter(|i| fields[*i].is_list()) {
        let tagged = matched
            .clone()
            .select(vec![ident("b"), ident("c"), ident("better"), column(i).alias("v")])?
            .unnest_columns(&["v"])?
            .with_column("i", lit(i as i64))?
            .with_column("j", lit(-1_i64))?
            .with_column("w", none())?;
        let keys = ["i", "v", "j", "w"].map(ident).to_vec();
        collect(&Answer::of(large(tagged.aggregate(keys, statistics()?)?)?).await?);
    }
    Ok(found)
}

/// Slices that carry more of the change than their share, most first, with what the rest says.
fn ranked(found: Vec<Found>, total: &Fields<'_>, n: i64, delta: f64) -> Vec<(Slice, Expr)> {
    let (all, all_sd) = (n as f64, total.float("sd").unwrap_or(0.0));
    let all_squares = all_sd * all_sd * (all - 1.0) + all * delta * delta;
    let mut found: Vec<Found> = found
        .into_iter()
        .map(|(mut slice, cases, sd, values)| {
            let inside = slice.n as f64;
            let mean = slice.delta.unwrap_or(0.0);
            slice.contribution = inside * mean / all;
            slice.share = (delta != 0.0).then(|| slice.contribution / delta);
            slice.excess = slice.contribution - inside / all * delta;
            let rest = all - inside;
            if rest > 0.0 {
                let elsewhere = (all * delta - inside * mean) / rest;
                slice.delta_elsewhere = Some(elsewhere);
                let squares = all_squares - sd * sd * (inside - 1.0) - inside * mean * mean;
                let left = squares - rest * elsewhere * elsewhere;
                // What subtraction leaves of equal values by rounding alone is no spread.
                let rest_variance = if left > ROUNDING * all_squares { left / (rest - 1.0).max(1.0) } else { 0.0 };
                let side = |mean, variance: f64, count: f64| {
                    let standard_error = (variance / count).sqrt();
                    MeanOf { mean, standard_error, count, is_binary: false }
                };
                slice.p = difference_p(&side(mean, sd * sd, inside), &side(elsewhere, rest_variance, rest));
            }
            (slice, cases, sd, values)
        })
        .collect();
    let p: Vec<f64> = found.iter().map(|(slice, ..)| slice.p.unwrap_or(f64::NAN)).collect();
    for ((slice, ..), adjusted) in found.iter_mut().zip(holm_adjusted(&p)) {
        slice.p_adjusted = Some(adjusted).filter(|p| !p.is_nan());
    }
    // In the direction of the whole change; of a change of nothing, whatever is largest.
    let carried = |slice: &Slice| if delta == 0.0 { slice.excess.abs() } else { slice.excess * delta.signum() };
    let alone: HashMap<(usize, String), f64> = found
        .iter()
        .filter(|(.., values)| values.len() == 1)
        .map(|(slice, _, _, values)| (values[0].clone(), carried(slice)))
        .collect();
    // Two values at once are news only where they carry more than either of them alone.
    found.retain(|(slice, _, _, values)| {
        let own = carried(slice);
        let beats = |value: &(usize, String)| alone.get(value).is_none_or(|other| own > other + 1e-12);
        own > 0.0 && (values.len() == 1 || values.iter().all(beats))
    });
    found.sort_by(|(a, .., x), (b, .., y)| {
        carried(b).total_cmp(&carried(a)).then(x.len().cmp(&y.len())).then_with(|| a.filter.cmp(&b.filter))
    });
    found.into_iter().map(|(slice, cases, ..)| (slice, cases)).collect()
}

/// The cases of a slice that fell most.
async fn worst(matched: &DataFrame, in_slice: Expr) -> Result<Vec<SliceCase>, AnalysisError> {
    let cases = matched
        .clone()
        .filter(in_slice.and(ident("better").lt(lit(0.0))))?
        .sort(vec![ident("better").sort(true, false), ident("id").sort(true, false)])?
        .limit(0, Some(WORST))?
        .select(vec![ident("id"), ident("input"), ident("b"), ident("c")])?;
    let answer = Answer::of(cases).await?;
    let case = |row: usize| SliceCase {
        id: answer.text(row, "id").unwrap_or_default(),
        input: Some(answer.value_of(row, "input")).filter(|value| !value.is_null()),
        base: answer.float(row, "b"),
        candidate: answer.float(row, "c"),
    };
    Ok((0..answer.rows()).map(case).collect())
}
