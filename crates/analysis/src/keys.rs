//! A comparison key tried out before it is saved (semantics, section 4).

use datafusion::common::JoinType;
use datafusion::dataframe::DataFrame;
use datafusion::functions_aggregate::expr_fn::{count, count_distinct, first_value, max, min, sum};
use datafusion::logical_expr::{Expr, ident, lit, when};
use datafusion::prelude::coalesce;
use evalhouse_model::{KeyCheck, KeyCollision, KeyMatch, KeyedExperiment, schema};
use evalhouse_session::Session;

use crate::answer::Answer;
use crate::key::Key;
use crate::scope::cases_of;
use crate::{AnalysisError, Selected};

/// Newest experiments that a key is tried on.
const EXPERIMENTS_MAX: usize = 3;
/// Collisions shown.
const COLLISIONS_MAX: usize = 5;
/// Examples shown of each other thing that goes wrong.
const EXAMPLES_MAX: usize = 3;

/// Tries a key on the newest experiments of a project: how many cases match, which keys are null, and
/// which stand for several different inputs.
///
/// # Errors
/// When the project does not exist, the key does not parse, or the store cannot be read.
pub async fn check_key(session: &Session, project: &str, key: &str) -> Result<KeyCheck, AnalysisError> {
    let mut newest: Vec<Selected> = session
        .experiments()
        .iter()
        .filter(|e| e.project == project)
        .map(|e| Selected { experiment: e.clone(), rule: None })
        .collect();
    if newest.is_empty() {
        return Err(AnalysisError::UnknownProject { project: project.into(), detail: String::new() });
    }
    newest.sort_by(|a, b| (b.experiment.created, &b.experiment.name).cmp(&(a.experiment.created, &a.experiment.name)));
    newest.truncate(EXPERIMENTS_MAX);
    let mut check = KeyCheck { project: project.into(), key: key.trim().into(), ..KeyCheck::default() };
    for one in &newest {
        let by_key = keyed(session, one, key).await?;
        let mut keyed = experiment(one, by_key.clone()).await?;
        if keyed.null_key > 0 {
            keyed.null_examples = inputs_without_key(session, one, key).await?;
        }
        check.experiments.push(keyed);
        collisions(one, by_key, &mut check.collisions).await?;
    }
    for pair in newest.windows(2) {
        let (candidate, base) = (&pair[0], &pair[1]);
        let side = |frame: DataFrame, name: &str| -> Result<DataFrame, AnalysisError> {
            let columns = vec![ident("hash").alias(name), ident("value").alias(format!("{name}_key"))];
            Ok(frame.filter(ident("hash").is_not_null())?.select(columns)?)
        };
        let joined = side(keyed(session, base, key).await?, "b")?.join(
            side(keyed(session, candidate, key).await?, "c")?,
            JoinType::Full,
            &["b"],
            &["c"],
            None,
        )?;
        let number = |condition: Expr| -> Result<Expr, AnalysisError> {
            Ok(coalesce(vec![sum(when(condition, lit(1_i64)).otherwise(lit(0_i64))?), lit(0_i64)]))
        };
        let (in_base, in_candidate) = (|| ident("b").is_not_null(), || ident("c").is_not_null());
        let counts = joined.clone().aggregate(
            vec![],
            vec![
                number(in_base().and(in_candidate()))?.alias("matched"),
                number(in_base().and(ident("c").is_null()))?.alias("base_only"),
                number(in_candidate().and(ident("b").is_null()))?.alias("candidate_only"),
            ],
        )?;
        let counts = Answer::of(counts).await?;
        let [matched, base_only, candidate_only] =
            ["matched", "base_only", "candidate_only"].map(|name| counts.int(0, name));
        let all = matched + base_only + candidate_only;
        let only = |absent: &str| joined.clone().filter(ident(absent).is_null());
        check.matches.push(KeyMatch {
            base: base.experiment.name.clone(),
            candidate: candidate.experiment.name.clone(),
            matched,
            base_only,
            candidate_only,
            rate: (all > 0).then(|| matched as f64 / all as f64),
            base_only_examples: first_texts(only("c")?, "b_key").await?,
            candidate_only_examples: first_texts(only("b")?, "c_key").await?,
        });
    }
    warn(&mut check);
    Ok(check)
}

/// One row a key, null among them.
async fn keyed(session: &Session, experiment: &Selected, text: &str) -> Result<DataFrame, AnalysisError> {
    let key = Key::of(session, Some(text), &[experiment]);
    let cases = cases_of(session, experiment, None).await?;
    let (hash, value) = (key.hash(session, cases.schema())?, key.value(session, cases.schema())?);
    let aggregates = vec![
        count(lit(1)).alias("rows"),
        first_value(value, key.trial_order()).alias("value"),
        count_distinct(ident(schema::COMPARISON_KEY_HASH)).alias("inputs"),
        min(ident(schema::INPUT)).alias("one"),
        max(ident(schema::INPUT)).alias("other"),
    ];
    Ok(cases.aggregate(vec![hash.alias("hash")], aggregates)?)
}

async fn experiment(one: &Selected, by_key: DataFrame) -> Result<KeyedExperiment, AnalysisError> {
    let is_key = || ident("hash").is_not_null();
    let total = |condition: Expr, value: Expr| -> Result<Expr, AnalysisError> {
        Ok(coalesce(vec![sum(when(condition, value).otherwise(lit(0_i64))?), lit(0_i64)]))
    };
    let answer = by_key.aggregate(
        vec![],
        vec![
            sum(ident("rows")).alias("rows"),
            total(ident("hash").is_null(), ident("rows"))?.alias("null_key"),
            total(is_key(), lit(1_i64))?.alias("keys"),
            total(is_key().and(ident("rows").gt(lit(1_i64))), lit(1_i64))?.alias("repeated"),
            max(when(is_key(), ident("rows")).end()?).alias("rows_max"),
            total(is_key().and(ident("inputs").gt(lit(1_i64))), lit(1_i64))?.alias("collisions"),
        ],
    )?;
    let answer = Answer::of(answer).await?;
    let int = |name: &str| answer.int(0, name);
    Ok(KeyedExperiment {
        experiment: one.experiment.name.clone(),
        id: one.experiment.id.clone(),
        rows: int("rows"),
        null_key: int("null_key"),
        keys: int("keys"),
        repeated: int("repeated"),
        rows_max: int("rows_max"),
        collisions: int("collisions"),
        null_examples: Vec::new(),
    })
}

/// The inputs of the first rows whose key is null.
async fn inputs_without_key(session: &Session, one: &Selected, text: &str) -> Result<Vec<String>, AnalysisError> {
    let key = Key::of(session, Some(text), &[one]);
    let cases = cases_of(session, one, None).await?;
    let hash = key.hash(session, cases.schema())?;
    first_texts(cases.filter(hash.is_null())?, schema::INPUT).await
}

/// The first different values of a column of texts.
async fn first_texts(frame: DataFrame, column: &str) -> Result<Vec<String>, AnalysisError> {
    let values = frame.select(vec![ident(column)])?.distinct()?;
    let first = values.sort(vec![ident(column).sort(true, false)])?.limit(0, Some(EXAMPLES_MAX))?;
    let answer = Answer::of(first).await?;
    Ok((0..answer.rows()).filter_map(|row| answer.text(row, column)).collect())
}

async fn collisions(one: &Selected, by_key: DataFrame, found: &mut Vec<KeyCollision>) -> Result<(), AnalysisError> {
    let several = by_key
        .filter(ident("hash").is_not_null().and(ident("inputs").gt(lit(1_i64))))?
        .sort(vec![ident("inputs").sort(false, false), ident("value").sort(true, false)])?
        .limit(0, Some(COLLISIONS_MAX))?
        .select(vec![ident("value"), ident("inputs"), ident("one"), ident("other")])?;
    let answer = Answer::of(several).await?;
    for row in 0..answer.rows().min(COLLISIONS_MAX.saturating_sub(found.len())) {
        found.push(KeyCollision {
            experiment: one.experiment.name.clone(),
            key: answer.text(row, "value").unwrap_or_default(),
            inputs: answer.int(row, "inputs"),
            examples: ["one", "other"].iter().filter_map(|name| answer.text(row, name)).collect(),
        });
    }
    Ok(())
}

fn warn(check: &mut KeyCheck) {
    for one in &check.experiments {
        if one.null_key > 0 {
            check.warnings.push(format!(
                "`{}`: the key of {} of {} rows is null; they would match nothing",
                one.experiment, one.null_key, one.rows
            ));
        }
        if one.collisions > 0 {
            let stand = if one.collisions == 1 { "key stands" } else { "keys stand" };
            check.warnings.push(format!(
                "`{}`: {} {stand} for several different inputs; their rows would be trials of one case",
                one.experiment, one.collisions
            ));
        }
    }
    if check.matches.iter().any(|one| one.matched == 0) {
        check.warnings.push("two experiments share no key at all".into());
    }
}
