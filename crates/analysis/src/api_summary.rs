//! An experiment summed up as the Braintrust API does it (protocol, section 5.4).
//!
//! It differs from a [`diff`](crate::diff()) in what it calls the change: the difference of the two
//! means, each over its own values among the matched cases, where a diff takes the mean of the
//! differences of the cases that have both. The two are equal where no value is missing.

use std::collections::HashSet;

use datafusion::functions_aggregate::expr_fn::avg;
use datafusion::logical_expr::{Expr, ExprFunctionExt, ident};
use evalhouse_model::{ApiMetric, ApiScore, ApiSummary, schema};
use evalhouse_session::Session;

use crate::answer::Answer;
use crate::diff::comparisons;
use crate::key::Key;
use crate::measures::{Measure, measures};
use crate::pairs::{PairRequest, Side, is_matched, pairs};
use crate::reducer::Reducer;
use crate::rows::row_statistics;
use crate::scope::cases_of;
use crate::{AnalysisError, DiffOptions, Selected};

/// Metrics of a summary in the API's order, with its name where it differs from ours.
const METRICS: [(&str, &str); 8] = [
    ("duration", "duration"),
    ("llm_duration", "llm_duration"),
    ("prompt_tokens", "prompt_tokens"),
    ("completion_tokens", "completion_tokens"),
    ("tokens", "total_tokens"),
    ("estimated_cost", "estimated_cost"),
    ("prompt_cached_tokens", "prompt_cached_tokens"),
    ("prompt_cache_creation_tokens", "prompt_cache_creation_tokens"),
];
/// Begins the names of token counts of model spans alone, which are kept where other spans log some too.
const OF_LLM: &str = "llm_";
/// Counts that we derive and the API's summaries do not have.
const COUNTS: [&str; 5] = ["errors", "llm_errors", "tool_errors", "llm_calls", "tool_calls"];

/// Sums up an experiment, against a base if there is one.
///
/// # Errors
/// When the key does not parse or the store cannot be read.
pub async fn api_summary(
    session: &Session,
    experiment: &Selected,
    base: Option<&Selected>,
    options: &DiffOptions,
) -> Result<ApiSummary, AnalysisError> {
    let mut measures = measures(session, &[experiment]);
    let logged = base.iter().copied().chain([experiment]).flat_map(|one| session.metric_names(&one.experiment));
    let logged: HashSet<String> = logged.collect();
    let is_part = |name: &str| name.starts_with(OF_LLM) && name.ends_with("tokens");
    measures.retain(|measure| measure.is_score() || !is_part(&measure.name));
    for measure in measures.iter_mut().filter(|measure| !measure.is_score()) {
        // The API counts the tokens of model spans alone.
        let part = format!("{OF_LLM}{}", measure.name);
        measure.instead = Some(part).filter(|part| is_part(part) && logged.contains(part));
    }
    let own = row_statistics(cases_of(session, experiment, None).await?, &measures).await?;
    let compared = match base {
        Some(base) => Some(compared(session, base, experiment, options, &measures).await?),
        None => None,
    };
    let mut summary = ApiSummary {
        comparison_experiment_name: base.map(|base| base.experiment.name.clone()),
        ..ApiSummary::default()
    };
    let change = |i: usize| {
        let Some(compared) = &compared else { return (None, 0, 0) };
        let means = (compared.float(0, &format!("candidate{i}")), compared.float(0, &format!("base{i}")));
        let classes = compared.fields(0, &format!("d{i}"));
        let diff = means.0.zip(means.1).map(|(candidate, base)| candidate - base);
        (diff, classes.int("improved"), classes.int("regressed"))
    };
    let mean = |i: usize| own.of(&experiment.experiment.id, i).mean;
    for (i, measure) in measures.iter().enumerate().filter(|(_, measure)| measure.is_score()) {
        // The SDKs cannot print a score that no row has.
        let Some(score) = mean(i) else { continue };
        let (diff, improvements, regressions) = change(i);
        let score = ApiScore { name: measure.name.clone(), score, diff, improvements, regressions };
        summary.scores.insert(measure.name.clone(), score);
    }
    for (name, value) in times(session, experiment).await? {
        let metric = ApiMetric { name: name.into(), metric: value, unit: "s".into(), ..ApiMetric::default() };
        summary.metrics.insert(name.into(), metric);
    }
    let known = METRICS.iter().filter_map(|(ours, theirs)| {
        Some((measures.iter().position(|measure| !measure.is_score() && measure.name == *ours)?, (*theirs).to_string()))
    });
    let is_known = |name: &str| METRICS.iter().any(|(ours, _)| *ours == name) || COUNTS.contains(&name);
    let others = measures.iter().enumerate().filter(|(_, m)| !m.is_score() && !is_known(&m.name));
    for (i, name) in known.chain(others.map(|(i, measure)| (i, measure.name.clone()))) {
        let Some(value) = mean(i) else { continue };
        let (diff, improvements, regressions) = change(i);
        let unit = schema::metric_unit(&measures[i].name).to_string();
        summary.metrics.insert(name.clone(), ApiMetric { name, metric: value, unit, diff, improvements, regressions });
    }
    Ok(summary)
}

/// One row: what became of every measure (`d0`, …), and its means on both sides over matched cases.
async fn compared(
    session: &Session,
    base: &Selected,
    candidate: &Selected,
    options: &DiffOptions,
    measures: &[Measure],
) -> Result<Answer, AnalysisError> {
    let key = Key::of(session, options.key.as_deref(), &[base, candidate]);
    let reducer = Reducer::of(session, options.reducer, candidate)?;
    let request = PairRequest { key: &key, filter: None, reducer, measures, extras: &[] };
    let joined = pairs(session, base, candidate, &request).await?;
    let mut aggregates = comparisons(session, measures, false)?;
    for i in 0..measures.len() {
        for (side, name) in [(Side::Candidate, "candidate"), (Side::Base, "base")] {
            aggregates.push(avg(side.value(i)).filter(is_matched()).build()?.alias(format!("{name}{i}")));
        }
    }
    Answer::of(joined.aggregate(vec![], aggregates)?).await
}

/// Means of the start and end of the traces, Unix seconds.
async fn times(session: &Session, experiment: &Selected) -> Result<Vec<(&'static str, f64)>, AnalysisError> {
    let of = |name: &str| -> Expr { avg(ident(name)).alias(name) };
    let rows = cases_of(session, experiment, None).await?;
    let answer = Answer::of(rows.aggregate(vec![], vec![of(schema::START), of(schema::END)])?).await?;
    let names = [schema::START, schema::END];
    Ok(names.into_iter().filter_map(|name| Some((name, answer.float(0, name)?))).collect())
}
