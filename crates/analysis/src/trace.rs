//! One trace: the span tree of a case.

use std::collections::HashMap;

use datafusion::common::ScalarValue;
use datafusion::functions::expr_fn::starts_with;
use datafusion::logical_expr::{Expr, ident, lit};
use evalhouse_model::{Trace, TraceSpan, schema};
use evalhouse_session::{SPANS, Session};
use indexmap::IndexMap;
use serde_json::Value;

use crate::answer::Answer;
use crate::scope::cases_of;
use crate::{AnalysisError, Selected};

/// Finds a case and returns its spans in depth-first order, children by start and position.
///
/// `case` is a row id, a span id or trace id of the root, the beginning of one, or `#N` for the N-th
/// row of the experiment in source order, from 1.
///
/// # Errors
/// [`AnalysisError::UnknownCase`] or [`AnalysisError::AmbiguousCase`].
pub async fn trace(session: &Session, experiment: &Selected, case: &str) -> Result<Trace, AnalysisError> {
    let scores = session.score_names(&experiment.experiment);
    let metrics = session.metric_names(&experiment.experiment);
    let numbers = [(schema::SCORES, &scores), (schema::METRICS, &metrics)];
    let numbers = numbers.iter().flat_map(|(field, names)| names.iter().map(move |name| format!("{field}.{name}")));
    let root = find_case(session, experiment, case, &numbers.collect::<Vec<_>>()).await?;
    let text = |name: &str| root.text(0, name).unwrap_or_default();
    let same = |column: &str, value: String| ident(column).eq(lit(ScalarValue::Utf8View(Some(value))));
    let root_span_id = text(schema::ROOT_SPAN_ID);
    let spans = session
        .table(SPANS)
        .await?
        .filter(same(schema::EXPERIMENT_ID, experiment.experiment.id.clone()))?
        .filter(same(schema::ROOT_SPAN_ID, root_span_id.clone()))?
        .sort(vec![ident(schema::START).sort(true, true), ident(schema::POSITION).sort(true, true)])?;
    let spans = Answer::of(spans.select(span_columns())?).await?;
    Ok(Trace {
        project: experiment.experiment.project.clone(),
        experiment: experiment.experiment.name.clone(),
        id: text(schema::ID),
        root_span_id,
        trial: root.int(0, schema::TRIAL_INDEX),
        scores: rolled_up(&root, schema::SCORES, &scores).collect(),
        metrics: rolled_up(&root, schema::METRICS, &metrics).filter_map(|(name, value)| Some((name, value?))).collect(),
        spans: depth_first(&spans),
    })
}

/// The ids of a case, its trial, and those of some columns that there are.
pub(crate) async fn find_case(
    session: &Session,
    experiment: &Selected,
    case: &str,
    columns: &[String],
) -> Result<Answer, AnalysisError> {
    let cases = cases_of(session, experiment, None).await?;
    let fixed = [schema::ID, schema::ROOT_SPAN_ID, schema::SPAN_ID, schema::TRIAL_INDEX, schema::POSITION];
    let known = columns.iter().filter(|name| cases.schema().has_column_with_unqualified_name(name));
    let shown: Vec<Expr> = fixed.into_iter().chain(known.map(String::as_str)).map(ident).collect();
    let cases = cases.select(shown)?;
    let number = case.strip_prefix('#').and_then(|digits| digits.parse::<usize>().ok()).filter(|n| *n > 0);
    let by_position = ident(schema::POSITION).sort(true, false);
    if let Some(number) = number {
        let row = Answer::of(cases.sort(vec![by_position])?.limit(number - 1, Some(1))?).await?;
        return if row.rows() == 1 { Ok(row) } else { Err(unknown(experiment, case)) };
    }
    let ids = [schema::ID, schema::ROOT_SPAN_ID, schema::SPAN_ID];
    let is = |column: &str| ident(column).eq(lit(ScalarValue::Utf8View(Some(case.into()))));
    let exact = is(ids[0]).or(is(ids[1])).or(is(ids[2]));
    let found = Answer::of(cases.clone().filter(exact)?.limit(0, Some(1))?).await?;
    if found.rows() == 1 {
        return Ok(found);
    }
    let begins = |column: &str| starts_with(ident(column), lit(case));
    let beginning = begins(ids[0]).or(begins(ids[1])).or(begins(ids[2]));
    let found = Answer::of(cases.filter(beginning)?.sort(vec![by_position])?.limit(0, Some(5))?).await?;
    match found.rows() {
        1 => Ok(found),
        0 => Err(unknown(experiment, case)),
        several => Err(AnalysisError::AmbiguousCase {
            case: case.into(),
            candidates: (0..several).filter_map(|row| found.text(row, schema::ID)).collect(),
        }),
    }
}

fn unknown(experiment: &Selected, case: &str) -> AnalysisError {
    AnalysisError::UnknownCase { experiment: experiment.experiment.name.clone(), case: case.into() }
}

fn rolled_up<'a>(
    root: &'a Answer,
    field: &'a str,
    names: &'a [String],
) -> impl Iterator<Item = (String, Option<f64>)> + 'a {
    names.iter().map(move |name| (name.clone(), root.float(0, &format!("{field}.{name}"))))
}

fn span_columns() -> Vec<Expr> {
    [
        schema::ID,
        schema::SPAN_ID,
        schema::SPAN_PARENTS,
        schema::IS_ROOT,
        schema::NAME,
        schema::TYPE,
        schema::PURPOSE,
        schema::START,
        schema::END,
        schema::INPUT,
        schema::OUTPUT,
        schema::EXPECTED,
        schema::ERROR,
        schema::METADATA,
        schema::TAGS,
        schema::SCORES,
        schema::METRICS,
    ]
    .into_iter()
    .map(ident)
    .collect()
}

/// Orders spans so that children follow their parent. A span with several parents hangs below the
/// first one.
fn depth_first(spans: &Answer) -> Vec<TraceSpan> {
    let mut below: HashMap<String, Vec<usize>> = HashMap::new();
    let mut roots = Vec::new();
    for row in 0..spans.rows() {
        let parents = spans.value_of(row, schema::SPAN_PARENTS);
        match parents.as_array().and_then(|all| all.first()).and_then(Value::as_str) {
            Some(parent) => below.entry(parent.to_string()).or_default().push(row),
            None => roots.push(row),
        }
    }
    let trace_start = roots.first().and_then(|row| spans.float(*row, schema::START));
    let mut ordered = Vec::with_capacity(spans.rows());
    let mut stack: Vec<(usize, usize)> = roots.into_iter().rev().map(|row| (row, 0)).collect();
    while let Some((row, depth)) = stack.pop() {
        let span = trace_span(spans, row, depth, trace_start);
        let children = below.remove(&span.span_id).unwrap_or_default();
        stack.extend(children.into_iter().rev().map(|child| (child, depth + 1)));
        ordered.push(span);
    }
    ordered
}

fn trace_span(spans: &Answer, row: usize, depth: usize, trace_start: Option<f64>) -> TraceSpan {
    let json = |name: &str| Some(spans.value_of(row, name)).filter(|value| !value.is_null());
    let text = |name: &str| spans.text(row, name);
    let object = |name: &str| match spans.value_of(row, name) {
        Value::Object(map) => map,
        _ => serde_json::Map::new(),
    };
    let (start, end) = (spans.float(row, schema::START), spans.float(row, schema::END));
    let metrics: IndexMap<String, f64> =
        object(schema::METRICS).into_iter().filter_map(|(name, value)| Some((name, value.as_f64()?))).collect();
    let part = |name: &str| metrics.get(name).copied();
    let logged_sum =
        part("prompt_tokens").zip(part("completion_tokens")).map(|(prompt, completion)| prompt + completion);
    TraceSpan {
        id: text(schema::ID).unwrap_or_default(),
        span_id: text(schema::SPAN_ID).unwrap_or_default(),
        depth,
        name: text(schema::NAME),
        span_type: text(schema::TYPE),
        purpose: text(schema::PURPOSE),
        offset: start.zip(trace_start).map(|(start, first)| start - first),
        duration: start.zip(end).map(|(start, end)| end - start).or_else(|| part("duration")),
        tokens: part("tokens").or(logged_sum),
        cost: part("estimated_cost").or_else(|| part("cost")),
        scores: object(schema::SCORES).into_iter().map(|(name, value)| (name, value.as_f64())).collect(),
        error: json(schema::ERROR),
        input: json(schema::INPUT),
        output: json(schema::OUTPUT),
        expected: json(schema::EXPECTED),
        metadata: json(schema::METADATA),
        tags: match json(schema::TAGS) {
            Some(Value::Array(tags)) => tags.iter().filter_map(|tag| tag.as_str().map(str::to_string)).collect(),
            _ => Vec::new(),
        },
        metrics,
    }
}
