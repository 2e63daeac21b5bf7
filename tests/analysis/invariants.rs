//! Invariants of the semantics page over generated experiments: uneven trials, null and missing
//! scores, rows without a key, repeated keys, mixed types under one path.
//!
//! Every number is also computed here, by plain loops over the rows as they were logged.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use evalhouse_analysis::{
    DiffOptions, GroupOptions, Reducer, SummaryOptions, TrialOptions, diff, groups, summary, trials,
};
use evalhouse_model::{Diff, Groups, Summary, TrialReport};
use evalhouse_session::Session;
use evalhouse_store::{OptimizeOptions, Store};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{chosen, import_into, open, set};
use crate::store::memory_url;

/// One logged case.
#[derive(Debug, Clone)]
struct Logged {
    /// 0 is a row without an input, and so without a key.
    case: u8,
    group: u8,
    /// None: missing; Some(None): null.
    scores: [Option<Option<u8>>; 2],
}

/// What a group may be: two texts, a number, a boolean, a list, missing.
fn group_value(group: u8) -> Value {
    match group {
        0 => json!("a"),
        1 => json!("b"),
        2 => json!(7),
        3 => json!(true),
        4 => json!(["a"]),
        _ => Value::Null,
    }
}

fn logged() -> impl Strategy<Value = Vec<Logged>> {
    let score = prop_oneof![1 => Just(None), 1 => Just(Some(None)), 4 => (0..5_u8).prop_map(|s| Some(Some(s)))];
    let row =
        (0..12_u8, 0..7_u8, [score.clone(), score]).prop_map(|(case, group, scores)| Logged { case, group, scores });
    proptest::collection::vec(row, 1..40)
}

/// What a comparison is asked with.
#[derive(Debug, Clone)]
struct Asked {
    reducer: &'static str,
    /// Less of the score `t` is better.
    lower: bool,
}

const REDUCERS: [&str; 13] = [
    "mean",
    "median",
    "min",
    "max",
    "mode",
    "majority",
    "first",
    "last",
    "any(0.5)",
    "all(0.5)",
    "at_least(2, 0.5)",
    "pass@2(0.5)",
    "pass^2(0.5)",
];

fn asked() -> impl Strategy<Value = Asked> {
    (proptest::sample::select(REDUCERS.to_vec()), proptest::bool::ANY)
        .prop_map(|(reducer, lower)| Asked { reducer, lower })
}

/// The trials of a case as one value: the rules of section 6, written out.
fn reduced(reducer: &str, trials: &[f64]) -> Option<f64> {
    let n = trials.len();
    if n == 0 {
        return None;
    }
    let mut sorted = trials.to_vec();
    sorted.sort_by(f64::total_cmp);
    let times = |value: &f64| trials.iter().filter(|other| *other == value).count();
    let passes = trials.iter().filter(|score| **score >= 0.5).count();
    let yes = |is: bool| Some(if is { 1.0 } else { 0.0 });
    let choose_2 = |n: usize| (n * n.saturating_sub(1) / 2) as f64;
    match reducer {
        "mean" => mean(trials.to_vec()),
        "median" => Some((sorted[(n - 1) / 2] + sorted[n / 2]) / 2.0),
        "min" => sorted.first().copied(),
        "max" => sorted.last().copied(),
        "mode" => sorted.iter().rev().max_by_key(|value| times(value)).copied(),
        "majority" => sorted.iter().find(|value| 2 * times(value) > n).copied(),
        "first" => trials.first().copied(),
        "last" => trials.last().copied(),
        "any(0.5)" => yes(passes > 0),
        "all(0.5)" => yes(passes == n),
        "at_least(2, 0.5)" => yes(passes >= 2),
        "pass@2(0.5)" => (n >= 2).then(|| 1.0 - choose_2(n - passes) / choose_2(n)),
        "pass^2(0.5)" => (n >= 2).then(|| choose_2(passes) / choose_2(n)),
        other => panic!("{other}"),
    }
}

fn write(path: &Path, rows: &[Logged]) {
    let lines = rows.iter().enumerate().map(|(i, row)| {
        let mut scores = serde_json::Map::new();
        for (name, score) in ["s", "t"].iter().zip(row.scores) {
            if let Some(score) = score {
                scores.insert(name.to_string(), score.map_or(Value::Null, |score| json!(f64::from(score) / 4.0)));
            }
        }
        let mut line = json!({
            "id": format!("r{i:02}"), "span_id": format!("r{i:02}"), "root_span_id": format!("r{i:02}"),
            "scores": scores, "metadata": {"g": group_value(row.group)},
        });
        if row.case > 0 {
            line["input"] = json!({"case": row.case, "even": row.case % 2 == 0});
        }
        line.to_string()
    });
    std::fs::write(path, lines.collect::<Vec<_>>().join("\n")).unwrap();
}

/// Values of a score by case, in the order of the trials; the trials without a value are left out, the
/// cases stay.
fn by_case(rows: &[Logged], score: usize) -> BTreeMap<u8, Vec<f64>> {
    let mut cases: BTreeMap<u8, Vec<f64>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.case > 0) {
        cases.entry(row.case).or_default().extend(row.scores[score].flatten().map(|score| f64::from(score) / 4.0));
    }
    cases
}

fn mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let values: Vec<f64> = values.into_iter().collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn close(found: Option<f64>, expected: Option<f64>, what: &str) {
    match (found, expected) {
        (None, None) => {}
        (Some(a), Some(b)) if (a - b).abs() < 1e-9 => {}
        _ => panic!("{what}: {found:?}, expected {expected:?}"),
    }
}

/// What is asked of a pair of experiments.
#[derive(Debug, serde::Serialize)]
struct Answers {
    diff: Diff,
    computed_key: Diff,
    summary: Summary,
    trials: TrialReport,
    groups: Groups,
    one_group: Groups,
    /// With a reducer, and cases clustered.
    reduced: Diff,
    /// Only the cases in which `s` fell.
    fallen: Diff,
    fallen_groups: Groups,
}

async fn ask(session: &Session, asked: &Asked) -> Answers {
    let (base, candidate) = (chosen(session, "base"), chosen(session, "candidate"));
    let keyed = DiffOptions { key: Some("[input.case, input.even]".into()), ..DiffOptions::default() };
    let by = |by: &str, limit| GroupOptions {
        by: vec![by.to_string()],
        limit: Some(limit),
        reducer: Some(Reducer::default()),
        ..GroupOptions::default()
    };
    let reducer = Some(asked.reducer.parse::<Reducer>().unwrap());
    let reduced = DiffOptions { reducer, cluster: Some("input.case % 4".into()), ..DiffOptions::default() };
    let filter = Some("regressed(scores.s)".to_string()).filter(|_| has_score(session, "s"));
    let fallen = DiffOptions { filter: filter.clone(), ..DiffOptions::default() };
    let fallen_groups = GroupOptions { filter, ..by("metadata.g", 100) };
    Answers {
        diff: diff(session, &base, &candidate, &DiffOptions::default()).await.unwrap(),
        computed_key: diff(session, &base, &candidate, &keyed).await.unwrap(),
        summary: summary(session, &base, &SummaryOptions::default()).await.unwrap(),
        trials: trials(session, &base, &TrialOptions::default()).await.unwrap(),
        groups: groups(session, &[&base, &candidate], &by("metadata.g", 100)).await.unwrap(),
        one_group: groups(session, &[&base, &candidate], &by("1", 100)).await.unwrap(),
        reduced: diff(session, &base, &candidate, &reduced).await.unwrap(),
        fallen: diff(session, &base, &candidate, &fallen).await.unwrap(),
        fallen_groups: groups(session, &[&base, &candidate], &fallen_groups).await.unwrap(),
    }
}

/// Whether any experiment has the score: one that no experiment has is an error in a condition.
fn has_score(session: &Session, name: &str) -> bool {
    session.experiments().iter().any(|one| session.score_names(one).iter().any(|score| score == name))
}

fn check(base: &[Logged], candidate: &[Logged], asked: &Asked, answers: &Answers) {
    let keys = |rows: &[Logged]| rows.iter().map(|row| row.case).filter(|case| *case > 0).collect::<BTreeSet<u8>>();
    let nulls = |rows: &[Logged]| rows.iter().filter(|row| row.case == 0).count() as i64;
    let (ours, theirs) = (keys(candidate), keys(base));
    let matched = ours.intersection(&theirs).count() as i64;
    for answer in [&answers.diff, &answers.computed_key] {
        let counts = answer.counts;
        assert_eq!(counts.matched, matched);
        assert_eq!(counts.base_only, theirs.len() as i64 - matched);
        assert_eq!(counts.candidate_only, ours.len() as i64 - matched);
        // A key that is a list of paths is null only where all of its parts are.
        assert_eq!((counts.null_key_base, counts.null_key_candidate), (nulls(base), nulls(candidate)));
        for (i, name) in ["s", "t"].iter().enumerate() {
            let Some(score) = answer.scores.get(*name) else { continue };
            let classes = score.improved + score.regressed + score.unchanged;
            assert_eq!(classes, score.n, "{name}");
            assert_eq!(classes + score.lost_score + score.gained_score + score.no_score, matched, "{name}");
            let (before, after) = (by_case(base, i), by_case(candidate, i));
            let deltas: Vec<f64> = ours
                .intersection(&theirs)
                .filter_map(|case| Some(mean(after[case].clone())? - mean(before[case].clone())?))
                .collect();
            assert_eq!(score.n, deltas.len() as i64);
            assert_eq!((score.improved, score.regressed), classes_of(&deltas, asked.lower && i == 1), "{name}");
            close(score.delta_matched, mean(deltas), "delta over matched cases");
        }
    }
    assert_eq!((answers.summary.rows, answers.summary.cases), (base.len() as i64, theirs.len() as i64));
    assert_eq!(answers.summary.null_key, nulls(base));
    for (i, name) in ["s", "t"].iter().enumerate() {
        let Some(score) = answers.summary.scores.get(*name) else { continue };
        let rows = base.iter().filter_map(|row| row.scores[i].flatten()).map(|score| f64::from(score) / 4.0);
        close(score.row_mean, mean(rows), "row mean");
        close(score.case_mean, mean(by_case(base, i).into_values().filter_map(mean)), "case mean");
        let spread = &answers.trials.scores[*name];
        close(spread.row_mean, score.row_mean, "row mean of trials");
        close(spread.case_mean, score.case_mean, "case mean of trials");
    }
    sums_of_groups(base, candidate, answers);
    reduced_and_clustered(base, candidate, asked, &answers.reduced);
    fallen(base, candidate, answers);
}

/// How many differences are for the better, and how many for the worse.
fn classes_of(deltas: &[f64], lower_is_better: bool) -> (i64, i64) {
    let up = deltas.iter().filter(|delta| **delta > 1e-9).count() as i64;
    let down = deltas.iter().filter(|delta| **delta < -1e-9).count() as i64;
    if lower_is_better { (down, up) } else { (up, down) }
}

/// The differences of the cases that have a value on both sides.
fn deltas(base: &[Logged], candidate: &[Logged], score: usize, reducer: &str) -> BTreeMap<u8, f64> {
    let (before, after) = (by_case(base, score), by_case(candidate, score));
    let delta = |(case, trials): (&u8, &Vec<f64>)| {
        Some((*case, reduced(reducer, trials)? - reduced(reducer, before.get(case)?)?))
    };
    after.iter().filter_map(delta).collect()
}

/// Every reducer gives the values of section 6; a clustered error is that of section 16.
fn reduced_and_clustered(base: &[Logged], candidate: &[Logged], asked: &Asked, answer: &Diff) {
    for (i, name) in ["s", "t"].iter().enumerate() {
        let Some(score) = answer.scores.get(*name) else { continue };
        let deltas = deltas(base, candidate, i, asked.reducer);
        let values: Vec<f64> = deltas.values().copied().collect();
        let what = format!("{} of {name}", asked.reducer);
        assert_eq!(score.n, values.len() as i64, "{what}");
        assert_eq!((score.improved, score.regressed), classes_of(&values, asked.lower && i == 1), "{what}");
        let Some(centre) = mean(values) else { continue };
        close(score.delta_matched, Some(centre), &what);
        let mut clusters: BTreeMap<u8, f64> = BTreeMap::new();
        for (case, delta) in &deltas {
            *clusters.entry(case % 4).or_default() += delta - centre;
        }
        let (g, n) = (clusters.len() as f64, deltas.len() as f64);
        let squares: f64 = clusters.values().map(|residual| residual * residual).sum();
        close(score.se, (g > 1.0).then(|| (squares * g / (g - 1.0)).sqrt() / n), &format!("clustered error, {what}"));
    }
}

/// Under a condition on pairs only the rows of the cases that satisfy it are looked at, in groups too.
fn fallen(base: &[Logged], candidate: &[Logged], answers: &Answers) {
    if answers.fallen.filter.is_none() {
        return;
    }
    let kept: BTreeSet<u8> = deltas(base, candidate, 0, "mean")
        .into_iter()
        .filter(|(_, delta)| *delta < -1e-9)
        .map(|(case, _)| case)
        .collect();
    let rows = |rows: &[Logged]| rows.iter().filter(|row| kept.contains(&row.case)).count() as i64;
    let (diff, groups) = (&answers.fallen, &answers.fallen_groups);
    assert_eq!(diff.counts.matched, kept.len() as i64);
    assert_eq!((diff.base.rows, diff.candidate.rows), (rows(base), rows(candidate)));
    let of_groups = |member: usize| groups.groups.iter().map(|group| group.experiments[member].rows).sum::<i64>();
    assert_eq!((of_groups(0), of_groups(1)), (rows(base), rows(candidate)));
    for name in ["s", "t"] {
        let Some(score) = diff.scores.get(name) else { continue };
        let over = |count: fn(&evalhouse_model::GroupScore) -> Option<i64>| -> i64 {
            let scores = groups.groups.iter().filter_map(|group| group.experiments[1].scores.get(name));
            scores.filter_map(count).sum()
        };
        assert_eq!(over(|score| score.regressed), score.regressed, "{name}");
        assert_eq!(over(|score| score.improved), score.improved, "{name}");
    }
}

/// The sums over groups are the counts without groups.
fn sums_of_groups(base: &[Logged], candidate: &[Logged], answers: &Answers) {
    let rows =
        |answer: &Groups, side: usize| -> i64 { answer.groups.iter().map(|group| group.experiments[side].rows).sum() };
    for answer in [&answers.groups, &answers.one_group] {
        assert_eq!((rows(answer, 0), rows(answer, 1)), (base.len() as i64, candidate.len() as i64));
        for name in ["s", "t"] {
            let Some(score) = answers.diff.scores.get(name) else { continue };
            let over = |count: fn(&evalhouse_model::GroupScore) -> Option<i64>| -> i64 {
                let scores = answer.groups.iter().filter_map(|group| group.experiments[1].scores.get(name));
                scores.filter_map(count).sum()
            };
            assert_eq!(over(|score| score.improved), score.improved, "{name}");
            assert_eq!(over(|score| score.regressed), score.regressed, "{name}");
            assert_eq!(over(|score| score.unchanged), score.unchanged, "{name}");
        }
    }
    assert_eq!(answers.one_group.groups.len(), 1);
    let mut expected: BTreeMap<String, i64> = BTreeMap::new();
    for row in base {
        *expected.entry(group_value(row.group).to_string()).or_default() += 1;
    }
    for group in &answers.groups.groups {
        let value = match &group.values[0] {
            Value::String(text) => {
                serde_json::from_str(text).ok().filter(|value: &Value| !value.is_string()).unwrap_or(json!(text))
            }
            other => other.clone(),
        };
        let known = expected.get(&value.to_string()).copied().unwrap_or(0);
        assert_eq!(group.experiments[0].rows, known, "group {value}");
    }
}

fn json(answers: &Answers) -> Value {
    serde_json::to_value(answers).unwrap()
}

/// Equal answers; sums of floats may differ in their last digits, as rows come in another order.
fn same(before: &Value, after: &Value, path: &str) {
    match (before, after) {
        (Value::Object(a), Value::Object(b)) => {
            assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>(), "{path}");
            a.iter().for_each(|(key, value)| same(value, &b[key], &format!("{path}.{key}")));
        }
        (Value::Array(a), Value::Array(b)) => {
            assert_eq!(a.len(), b.len(), "{path}");
            a.iter().zip(b).enumerate().for_each(|(i, (a, b))| same(a, b, &format!("{path}[{i}]")));
        }
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            assert!((a - b).abs() <= 1e-9 * a.abs().max(1.0), "{path}: {a} before optimize, {b} after");
        }
        _ => assert_eq!(before, after, "{path}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, max_shrink_iters: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_answer_keeps_the_invariants_and_optimize_changes_none(
        base in logged(),
        candidate in logged(),
        asked in asked(),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let store = Store::create(&memory_url()).await.unwrap();
            for (name, rows) in [("base", &base), ("candidate", &candidate)] {
                let path = folder.path().join(format!("{name}.jsonl"));
                write(&path, rows);
                import_into(&store, &path, "p").await;
            }
            if asked.lower {
                set(&store, &[("scores.t.direction", "lower")]).await;
            }
            let session = open(store.clone()).await;
            let before = ask(&session, &asked).await;
            check(&base, &candidate, &asked, &before);
            session.optimize(&OptimizeOptions::default()).await.unwrap();
            let after = ask(&open(store).await, &asked).await;
            same(&json(&before), &json(&after), "");
        });
    }
}
