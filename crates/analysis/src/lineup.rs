//! What a row is held against: the trials of its case, here and in a baseline.

use datafusion::common::{JoinType, ScalarValue};
use datafusion::dataframe::DataFrame;
use datafusion::logical_expr::{Expr, ident, lit};
use evalhouse_model::{Lineup, LineupSide, LineupTrial, schema};
use evalhouse_session::Session;

use crate::answer::Answer;
use crate::cases::{CasesOptions, held_against};
use crate::key::Key;
use crate::scope::{cases_of, side, with_trials};
use crate::trace::find_case;
use crate::{AnalysisError, Selected};

/// Finds a case as [`trace`](crate::trace()) does, the trials that there are of it, and with a baseline the
/// trial of it that [`cases`](crate::cases()) holds the row against with the same options.
///
/// Of the options, `against`, `key`, `align` and `shift` count.
///
/// # Errors
/// As [`trace`](crate::trace()), and when the key does not parse.
pub async fn lineup(
    session: &Session,
    experiment: &Selected,
    case: &str,
    options: &CasesOptions,
) -> Result<Lineup, AnalysisError> {
    let id = find_case(session, experiment, case, &[]).await?.text(0, schema::ID).unwrap_or_default();
    let both: Vec<&Selected> = options.against.iter().chain([experiment]).collect();
    let key = Key::of(session, options.key.as_deref(), &both);
    let rows = with_trials(session, cases_of(session, experiment, None).await?, &key)?;
    let one = rows.clone().filter(ident(schema::ID).eq(lit(ScalarValue::Utf8View(Some(id.clone())))))?;
    let known = one.clone().select(vec![key.hash(session, one.schema())?.alias("known")])?;

    let own = one.clone().select(named_trial())?;
    let mut trials = trials_of(session, rows, &known, &key).await?;
    let own = trials_in(&Answer::of(own).await?).pop();
    if trials.is_empty() {
        // Without a key it is a trial of nothing.
        trials.extend(own.clone());
    }
    let against = match &options.against {
        Some(base) => {
            let theirs = with_trials(session, cases_of(session, base, None).await?, &key)?;
            let held = held_against(session, one, (experiment, base), &key, options).await?;
            Some(LineupSide {
                experiment: side(base),
                matched: Answer::of(held.limit(0, Some(1))?).await?.text(0, "base_id"),
                trials: trials_of(session, theirs, &known, &key).await?,
            })
        }
        None => None,
    };
    Ok(Lineup { experiment: side(experiment), id, trial: own.map(|own| own.trial), trials, against })
}

fn named_trial() -> Vec<Expr> {
    vec![ident(schema::ID), ident(schema::TRIAL_INDEX)]
}

/// The rows of the one case whose key is known, in the order of their trials.
async fn trials_of(
    session: &Session,
    cases: DataFrame,
    known: &DataFrame,
    key: &Key,
) -> Result<Vec<LineupTrial>, AnalysisError> {
    let hash = key.hash(session, cases.schema())?;
    let keyed = cases.select(named_trial().into_iter().chain([hash.alias("hash")]).collect::<Vec<_>>())?;
    let same = keyed.join(known.clone(), JoinType::LeftSemi, &["hash"], &["known"], None)?;
    let by_trial = [schema::TRIAL_INDEX, schema::ID].map(|column| ident(column).sort(true, false));
    Ok(trials_in(&Answer::of(same.sort(by_trial.to_vec())?).await?))
}

fn trials_in(answer: &Answer) -> Vec<LineupTrial> {
    let trial = |row| LineupTrial {
        id: answer.text(row, schema::ID).unwrap_or_default(),
        trial: answer.int(row, schema::TRIAL_INDEX),
    };
    (0..answer.rows()).map(trial).collect()
}
