//! Why a score changed: which slices of the cases carry the change.
//!
//! A slice is the cases that have a certain value in a field of their metadata, a tag, or a custom
//! column, or two such values at once: of two fields, a tag and a field, or two tags. What a slice
//! *contributes* is the sum of its cases' differences over the number of all cases, so that the slices
//! of one field add up to the whole change. A large slice contributes much even when nothing is special
//! about it; so slices are ranked by what they contribute beyond their share of the cases. The p-value asks whether cases inside differ from
//! those elsewhere, by a test that holds for slices of few cases too (see [`two_means`]), corrected
//! (Holm) for the number of slices looked at.
//!
//! [`two_means`]: evalhouse_functions::kernels::two_means

use datafusion::arrow::datatypes::DataType;
use datafusion::dataframe::DataFrame;
use datafusion::functions::core::expr_fn::get_field;
use datafusion::functions_aggregate::expr_fn::{count, count_distinct};
use datafusion::functions_nested::expr_fn::{
    array_concat, array_distinct, array_has, array_intersect, array_repeat, cardinality, make_array,
};
use datafusion::logical_expr::{Expr, cast, ident, lit};
use datafusion::prelude::coalesce;
use evalhouse_functions::holm_adjusted;
use evalhouse_functions::kernels::two_means::{MeanOf, difference_p};
use evalhouse_language::Expr as Tree;
use evalhouse_model::{Explanation, Slice, SliceCase, schema};
use evalhouse_session::{CASES, Session, Spelled};
use std::collections::{BTreeMap, HashMap};

use crate::answer::{Answer, Fields};
use crate::filter::Filter;
use crate::key::Key;
use crate::measures::{Measure, scores};
use crate::pairs::{PairRequest, Side, is_matched, pairs};
use crate::reducer::Reducer;
use crate::scope::{cases_of_all, side, spelled};
use crate::{AnalysisError, Selected, comparable};

/// Values of a field that makes slices: with more of them it tells cases apart, not kinds of cases.
const VALUES_MAX: i64 = 50;
/// Fields whose pairs are searched, and items of each list: pairs are as many as their squares.
const PAIRED_FIELDS_MAX: usize = 12;
const PAIRED_ITEMS_MAX: usize = 50;
/// Fields that are tried at all.
const FIELDS_MAX: usize = 200;
/// Fewest cases of a slice.
const CASES_MIN: i64 = 5;
/// What is left of a sum of squares by rounding alone, as a share of it.
const ROUNDING: f64 = 1e-12;
/// Slices of one value, and of two, that are tested at most, the largest.
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
    /// Its column in the frame of differences.
    column: String,
}

impl Field {
    /// The tags of a case, or another list: a case is in the slice of each item.
    fn is_list(&self) -> bool {
        self.spelled.items.is_some()
    }

    /// What it is of a case. A case is once in the slice of an item that its list repeats.
    fn value(&self) -> Expr {
        match &self.spelled.items {
            Some(items) => array_distinct(items.clone()),
            None => cast(self.spelled.text.clone(), DataType::Utf8),
        }
    }

    /// The condition, on the frame of differences, that a case has this value.
    fn holds(&self, value: &str) -> Expr {
        match self.is_list() {
            true => array_has(ident(&self.column), lit(value)),
            false => ident(&self.column).eq(lit(value)),
        }
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
    let Planned { measure, key, reducer, mut fields, has_more, matched } =
        planned(session, base, candidate, options).await?;
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
        warnings: comparable::of_experiments(session, base, candidate).await?,
        ..Explanation::default()
    };
    // Fields with one value, or with too many, make no slices; tags are few by nature.
    fields.retain(|field| {
        let values = || whole.int(0, &values_of(field));
        field.is_list() || options.by.is_some() || (2..=VALUES_MAX).contains(&values())
    });
    answer.fields = fields.iter().map(|field| field.text.clone()).collect();
    if has_more {
        answer.warnings.push(format!(
            "the cases have more fields than the {FIELDS_MAX} that were searched: name those that matter with --by"
        ));
    }
    let (Some(delta), false) = (answer.delta, fields.is_empty()) else {
        answer.warnings.push(match answer.n {
            0 => "no matched case has the score on both sides".to_string(),
            _ => format!("no field of the cases has between 2 and {VALUES_MAX} values: name some with --by"),
        });
        return Ok(answer);
    };
    let mut search = Search { session, matched: &matched, measure: &measure, fields: &fields, warnings: Vec::new() };
    let found = search.slices().await?;
    answer.searched = found.len() as i64;
    answer.warnings.append(&mut search.warnings);
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
    /// There are more fields than those.
    has_more: bool,
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
    let (fields, has_more) = fields(session, &both, options).await?;

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

    Ok(Planned { measure, key, reducer, fields, has_more, matched })
}

/// What cases can be sliced by: the user's expressions, or custom columns, tags and the metadata that
/// is stored as columns. And whether there is more of the latter than is searched.
async fn fields(
    session: &Session,
    both: &[&Selected; 2],
    options: &ExplainOptions,
) -> Result<(Vec<Field>, bool), AnalysisError> {
    let cases = session.table(CASES).await?;
    let field = |(i, text): (usize, String)| -> Result<Field, AnalysisError> {
        let spelled = spelled(session, "--by", &text, cases.schema())?;
        Ok(Field { text, spelled, column: format!("f{i}") })
    };
    if let Some(by) = &options.by {
        let named: Result<Vec<Field>, _> = by.iter().cloned().enumerate().map(field).collect();
        return Ok((named?, false));
    }
    let settings = session.settings(&both[1].experiment.project);
    let custom = settings.columns.keys().map(|name| quoted(name));
    let table = session.catalog().tables().iter().find(|table| table.name == CASES);
    let metadata = table
        .into_iter()
        .flat_map(|table| &table.columns)
        .map(|column| column.name.clone())
        .filter(|name| name.starts_with("metadata."));
    let all = custom.chain([schema::TAGS.to_string()]).chain(metadata).enumerate().map(field);
    let mut all = all.collect::<Result<Vec<Field>, _>>()?;
    if all.len() > FIELDS_MAX {
        // The store has the fields of all its experiments: those that only others have take no place.
        let counts = all.iter().map(|field| count(field.spelled.text.clone()).alias(&field.column)).collect();
        let counts = Answer::of(cases_of_all(session, both, None).await?.aggregate(vec![], counts)?).await?;
        all.retain(|field| counts.int(0, &field.column) > 0);
    }
    let has_more = all.len() > FIELDS_MAX;
    all.truncate(FIELDS_MAX);
    Ok((all, has_more))
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
    columns.extend(
        fields.iter().enumerate().map(|(i, field)| {
            coalesce(vec![Side::Base.extra(i + 2), Side::Candidate.extra(i + 2)]).alias(&field.column)
        }),
    );
    Ok(pairs.filter(is_matched().and(b.is_not_null()).and(c.is_not_null()))?.select(columns)?)
}

fn score_diff(session: &Session, measure: &Measure) -> Result<Expr, AnalysisError> {
    let arguments = vec![ident("b"), ident("c"), lit(measure.tolerance), lit(measure.direction())];
    Ok(session.aggregate("score_diff")?.call(arguments))
}

fn whole(session: &Session, measure: &Measure, fields: &[Field]) -> Result<Vec<Expr>, AnalysisError> {
    let mut aggregates = vec![score_diff(session, measure)?.alias("d")];
    for field in fields.iter().filter(|field| !field.is_list()) {
        aggregates.push(count_distinct(ident(&field.column)).alias(values_of(field)));
    }
    Ok(aggregates)
}

/// The number of values of a field, as a column.
fn values_of(field: &Field) -> String {
    format!("{}_values", field.column)
}

/// A field, by its place among those that are searched, and one of its values.
type Value = (usize, String);

/// A slice as found.
struct Found {
    slice: Slice,
    values: Vec<Value>,
    /// What keeps its cases in the frame of differences.
    cases: Expr,
    /// Standard deviation of its differences.
    sd: f64,
}

impl Found {
    fn read(answer: &Answer, row: usize, values: Vec<Value>, fields: &[Field]) -> Self {
        let d = answer.fields(row, "d");
        let conditions = values.iter().map(|(i, value)| fields[*i].spelled.is(value));
        let cases = values.iter().map(|(i, value)| fields[*i].holds(value)).reduce(Expr::and);
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
        Self { slice, values, cases: cases.unwrap_or_else(|| lit(true)), sd: d.float("sd").unwrap_or(0.0) }
    }
}

/// What is searched: the differences of the matched cases, and the values that make slices of them.
struct Search<'a> {
    session: &'a Session,
    matched: &'a DataFrame,
    measure: &'a Measure,
    fields: &'a [Field],
    /// What was left out, for the reader.
    warnings: Vec<String>,
}

impl Search<'_> {
    /// Every slice of one value and of two, with its statistics.
    async fn slices(&mut self) -> Result<Vec<Found>, AnalysisError> {
        let mut found = self.of_one_value().await?;
        let pairs = self.of_two_values(&found).await?;
        // With as many cases as one of its values alone, a pair is that slice once more.
        let alone: HashMap<Value, i64> = found.iter().map(|one| (one.values[0].clone(), one.slice.n)).collect();
        let is_news = |pair: &Found| pair.values.iter().all(|value| alone.get(value) != Some(&pair.slice.n));
        found.extend(pairs.into_iter().filter(is_news));
        Ok(found)
    }

    async fn of_one_value(&mut self) -> Result<Vec<Found>, AnalysisError> {
        let columns = self.fields.iter().map(|field| ident(&field.column)).enumerate().collect();
        let (i, v) = self.values(columns);
        let values = self.matched.clone().select(vec![ident("b"), ident("c"), i.alias("i"), v.alias("v")])?;
        self.tested(values.unnest_columns(&["i", "v"])?, &[("i", "v")]).await
    }

    /// Pairs of the values of two fields, and of two items of one list.
    async fn of_two_values(&mut self, alone: &[Found]) -> Result<Vec<Found>, AnalysisError> {
        // A pair is no larger than its values' own slices, so a field without one has none to give.
        let mut frequent: BTreeMap<usize, Vec<(i64, &str)>> = BTreeMap::new();
        for found in alone {
            let (i, value) = &found.values[0];
            frequent.entry(*i).or_default().push((found.slice.n, value));
        }
        if frequent.len() > PAIRED_FIELDS_MAX {
            self.warnings.push(format!(
                "pairs were searched of {PAIRED_FIELDS_MAX} of the {} fields: name those whose pairs matter with --by",
                frequent.len()
            ));
        }
        let mut columns = Vec::new();
        for (i, values) in frequent.into_iter().take(PAIRED_FIELDS_MAX) {
            let field = &self.fields[i];
            let mut column = ident(&field.column);
            if field.is_list() {
                if values.len() > PAIRED_ITEMS_MAX {
                    self.warnings.push(format!(
                        "pairs were searched of the {PAIRED_ITEMS_MAX} most frequent of {} values of `{}`",
                        values.len(),
                        field.text
                    ));
                }
                // They come by size, the largest first.
                let items = values.iter().take(PAIRED_ITEMS_MAX).map(|(_, value)| lit(*value)).collect();
                column = array_intersect(column, make_array(items));
            }
            columns.push((i, column));
        }
        let (numbers, values) = self.values(columns);
        let twice = [numbers.clone().alias("i"), values.clone().alias("v"), numbers.alias("j"), values.alias("w")];
        let pairs =
            self.matched.clone().select([ident("b"), ident("c")].into_iter().chain(twice).collect::<Vec<_>>())?;
        let pairs = pairs.unnest_columns(&["i", "v"])?.unnest_columns(&["j", "w"])?;
        // Each pair once, and no value with itself.
        let (i, v, j, w) = (ident("i"), ident("v"), ident("j"), ident("w"));
        let pairs = pairs.filter(i.clone().lt(j.clone()).or(i.eq(j).and(v.lt(w))))?;
        self.tested(pairs, &[("i", "v"), ("j", "w")]).await
    }

    /// The values of a case in fields, as two lists of one length: the places of the fields, and the
    /// values. Of a list each item is a value.
    fn values(&self, columns: Vec<(usize, Expr)>) -> (Expr, Expr) {
        let list_of = |kind| DataType::new_list(kind, true);
        let (lists, single): (Vec<_>, Vec<_>) = columns.into_iter().partition(|(i, _)| self.fields[*i].is_list());
        let (places, single): (Vec<_>, Vec<_>) = single.into_iter().map(|(i, value)| (lit(i as i64), value)).unzip();
        let mut numbers = vec![cast(make_array(places), list_of(DataType::Int64))];
        let mut values = vec![cast(make_array(single), list_of(DataType::Utf8))];
        for (i, list) in lists {
            let items = coalesce(vec![list, cast(make_array(vec![]), list_of(DataType::Utf8))]);
            numbers.push(array_repeat(lit(i as i64), cardinality(items.clone())));
            values.push(items);
        }
        (array_concat(numbers), array_concat(values))
    }

    /// The statistics of the slices, which are groups by places of fields and their values: of those of
    /// enough cases the largest, by size.
    async fn tested(&mut self, slices: DataFrame, keys: &[(&str, &str)]) -> Result<Vec<Found>, AnalysisError> {
        let by: Vec<Expr> = keys.iter().flat_map(|(place, value)| [ident(*place), ident(*value)]).collect();
        let has_values = keys.iter().map(|(_, value)| ident(*value).is_not_null()).reduce(Expr::and);
        let n = || get_field(ident("d"), "n");
        let mut order = vec![n().sort(false, false)];
        order.extend(by.iter().map(|key| key.clone().sort(true, false)));
        let slices = slices
            .filter(has_values.unwrap_or_else(|| lit(true)))?
            .aggregate(by, vec![score_diff(self.session, self.measure)?.alias("d")])?
            // Slices of few cases say nothing, and of a field that tells cases apart they are all there is.
            .filter(n().gt_eq(lit(CASES_MIN)))?
            .sort(order)?
            .limit(0, Some(SLICES_MAX + 1))?;
        let answer = Answer::of(slices).await?;
        if answer.rows() > SLICES_MAX {
            let what = if keys.len() == 1 { "values" } else { "pairs of values" };
            self.warnings.push(format!("there are more slices: the {SLICES_MAX} largest of {what} were tested"));
        }
        let value = |row: usize, (place, value): &(&str, &str)| {
            (answer.int(row, place) as usize, answer.text(row, value).unwrap_or_default())
        };
        let found = |row| Found::read(&answer, row, keys.iter().map(|key| value(row, key)).collect(), self.fields);
        Ok((0..answer.rows().min(SLICES_MAX)).map(found).collect())
    }
}

/// Slices that carry more of the change than their share, most first, with what the rest says.
fn ranked(mut found: Vec<Found>, total: &Fields<'_>, n: i64, delta: f64) -> Vec<(Slice, Expr)> {
    let (all, all_sd) = (n as f64, total.float("sd").unwrap_or(0.0));
    let all_squares = all_sd * all_sd * (all - 1.0) + all * delta * delta;
    for Found { slice, sd, .. } in &mut found {
        let sd = *sd;
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
    }
    let p: Vec<f64> = found.iter().map(|found| found.slice.p.unwrap_or(f64::NAN)).collect();
    for (found, adjusted) in found.iter_mut().zip(holm_adjusted(&p)) {
        found.slice.p_adjusted = Some(adjusted).filter(|p| !p.is_nan());
    }
    // In the direction of the whole change; of a change of nothing, whatever is largest.
    let carried = |found: &Found| match found.slice.excess {
        excess if delta == 0.0 => excess.abs(),
        excess => excess * delta.signum(),
    };
    let alone: HashMap<Value, f64> = found
        .iter()
        .filter(|found| found.values.len() == 1)
        .map(|found| (found.values[0].clone(), carried(found)))
        .collect();
    // Two values at once are news only where they carry more than either of them alone.
    found.retain(|found| {
        let own = carried(found);
        let beats = |value: &Value| alone.get(value).is_none_or(|other| own > other + 1e-12);
        own > 0.0 && (found.values.len() == 1 || found.values.iter().all(beats))
    });
    found.sort_by(|a, b| {
        let by_values = a.values.len().cmp(&b.values.len());
        carried(b).total_cmp(&carried(a)).then(by_values).then_with(|| a.slice.filter.cmp(&b.slice.filter))
    });
    found.into_iter().map(|found| (found.slice, found.cases)).collect()
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
