//! Explanations: which slices are searched, that each is a condition that keeps it, and what is found.

use std::collections::BTreeSet;

use evalhouse_analysis::{DiffOptions, ExplainOptions, diff, explain};
use evalhouse_functions::kernels::random::SplitMix64;
use evalhouse_model::Explanation;
use evalhouse_session::Session;
use serde_json::{Value, json};

use super::{case, chosen, logged, open};

/// 120 cases; those with `a` fall. `n` is stored as numbers, with a list among them in one experiment.
fn run(fall: f64, list: bool) -> Vec<Value> {
    let row = |i: usize| {
        let (a, b) = (i.is_multiple_of(4), i.is_multiple_of(6));
        let n = if list && i % 3 == 2 { json!([i % 2]) } else { json!((i % 3) as f64 / 2.0 + 0.5) };
        let score = 0.8 + (i % 7) as f64 / 100.0 - if a { fall } else { 0.0 };
        let metadata = json!({"a": a, "b": b, "n": n, "o'clock": format!("it's {}", i % 3), "each": i});
        let tags = if b { vec!["b", "two words"] } else { vec!["all"] };
        case(&format!("r{i:03}"), json!({"input": i, "scores": {"s": score}, "metadata": metadata, "tags": tags}))
    };
    (0..120).map(row).collect()
}

async fn explained(session: &Session, by: &[&str]) -> Explanation {
    explained_by(session, Some(by.iter().map(|text| text.to_string()).collect())).await
}

async fn explained_by(session: &Session, by: Option<Vec<String>>) -> Explanation {
    let options = ExplainOptions { score: "s".into(), by, limit: Some(100), ..ExplainOptions::default() };
    explain(session, &chosen(session, "base"), &chosen(session, "next"), &options).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_slice_is_a_condition_that_keeps_it() {
    let session = open(logged(&[("base", run(0.0, true)), ("next", run(0.3, true))]).await).await;
    let fields = [
        "metadata.a or metadata.b",
        "metadata.n",
        "metadata.\"o'clock\"",
        "len(metadata.\"o'clock\") + metadata.a",
        "metadata.each % 4 = 0",
        "metadata.each % 3",
        "tags",
        "metadata.a ? 'x or y' : null",
    ];
    let answer = explained(&session, &fields).await;
    assert!(answer.slices.len() > 10, "{answer:#?}");
    for slice in &answer.slices {
        let options = DiffOptions { filter: Some(slice.filter.clone()), ..DiffOptions::default() };
        let kept = diff(&session, &chosen(&session, "base"), &chosen(&session, "next"), &options).await;
        let kept = kept.unwrap_or_else(|error| panic!("{}: {error}", slice.filter));
        assert_eq!(kept.scores["s"].n, slice.n, "{}", slice.filter);
        assert!((kept.scores["s"].delta_matched.unwrap() - slice.delta.unwrap()).abs() < 1e-9, "{}", slice.filter);
    }
    let filters: Vec<&str> = answer.slices.iter().map(|slice| slice.filter.as_str()).collect();
    assert!(filters.contains(&"metadata.a or metadata.b"), "{filters:?}");
}

/// A field that tells cases apart has no slice worth a test.
#[tokio::test(flavor = "multi_thread")]
async fn slices_of_few_cases_are_not_searched() {
    let session = open(logged(&[("base", run(0.0, false)), ("next", run(0.3, false))]).await).await;
    assert_eq!(explained(&session, &["input"]).await.searched, 0);
    assert_eq!(explained(&session, &["input", "metadata.n"]).await.searched, 3);
}

/// Which side of the planted change a case is on, from its number alone.
struct Kind {
    tier: String,
    tags: Vec<&'static str>,
}

fn kind(i: usize) -> Kind {
    let mut tags = Vec::new();
    for (tag, every) in [("refund", 2), ("urgent", 3), ("de", 5)] {
        // Every other tag is written twice: a case has a tag or it does not.
        let times = if i.is_multiple_of(every) { 1 + i % 2 } else { 0 };
        tags.extend(std::iter::repeat_n(tag, times));
    }
    Kind { tier: format!("t{}", i * 7 % 4), tags }
}

fn of_kinds(falls: impl Fn(&Kind) -> bool) -> Vec<Value> {
    let row = |i: usize| {
        let kind = kind(i);
        let score = 0.8 + (i % 7) as f64 / 100.0 - if falls(&kind) { 0.4 } else { 0.0 };
        let metadata = json!({"tier": kind.tier});
        case(&format!("r{i:03}"), json!({"input": i, "scores": {"s": score}, "metadata": metadata, "tags": kind.tags}))
    };
    (0..240).map(row).collect()
}

async fn searched(falls: impl Fn(&Kind) -> bool) -> Explanation {
    let session = open(logged(&[("base", of_kinds(|_| false)), ("next", of_kinds(falls))]).await).await;
    explained_by(&session, None).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_a_tag_and_a_field_is_found() {
    let answer = searched(|kind| kind.tier == "t1" && kind.tags.contains(&"urgent")).await;
    let first = &answer.slices[0];
    assert_eq!(first.filter, "tags includes 'urgent' and metadata.tier = 't1'", "{answer:#?}");
    let cases = (0..240).map(kind).filter(|kind| kind.tier == "t1" && kind.tags.contains(&"urgent")).count();
    assert_eq!(first.n, cases as i64);
    assert!(first.p_adjusted.unwrap() < 1e-6 && (first.delta.unwrap() + 0.4).abs() < 1e-9, "{first:?}");
    assert!((first.share.unwrap() - 1.0).abs() < 1e-9, "{first:?}");
    assert_eq!(first.worst.len(), 3, "{first:?}");
    assert!(answer.warnings.is_empty(), "{:?}", answer.warnings);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_two_tags_is_found() {
    let both = |kind: &Kind| kind.tags.contains(&"urgent") && kind.tags.contains(&"refund");
    let answer = searched(both).await;
    let first = &answer.slices[0];
    assert_eq!(first.filter, "tags includes 'refund' and tags includes 'urgent'", "{answer:#?}");
    assert_eq!(first.n, (0..240).map(kind).filter(both).count() as i64);
    assert!(first.p_adjusted.unwrap() < 1e-6 && (first.share.unwrap() - 1.0).abs() < 1e-9, "{first:?}");
}

/// All values and pairs of at least five cases are searched, each once, and a pair that is a value's own
/// slice once more is not.
#[tokio::test(flavor = "multi_thread")]
async fn every_pair_is_searched_once() {
    let all: Vec<BTreeSet<String>> = (0..240)
        .map(kind)
        .map(|kind| kind.tags.iter().map(|tag| tag.to_string()).chain([kind.tier.clone()]).collect())
        .collect();
    let with = |values: &[&String]| all.iter().filter(|case| values.iter().all(|value| case.contains(*value))).count();
    let values: BTreeSet<&String> = all.iter().flatten().collect();
    let mut expected = values.iter().filter(|value| with(&[value]) >= 5).count();
    for (at, one) in values.iter().enumerate() {
        for other in values.iter().skip(at + 1) {
            let both = with(&[one, other]);
            expected += usize::from(both >= 5 && both < with(&[one]).min(with(&[other])));
        }
    }
    assert_eq!(searched(|kind| kind.tags.contains(&"de")).await.searched, expected as i64);
}

/// Cases with many fields and tags.
fn broad(fields: std::ops::Range<usize>) -> Vec<Value> {
    let row = |i: usize| {
        let metadata: serde_json::Map<_, _> =
            fields.clone().map(|field| (format!("f{field:03}"), json!(format!("v{}", (i + field) % 2)))).collect();
        let tags: Vec<String> =
            (0..60).filter(|tag| (i + tag).is_multiple_of(3)).map(|tag| format!("tag{tag}")).collect();
        let scores = json!({"s": 0.5 + (i % 4) as f64 / 10.0});
        case(&format!("r{i:03}"), json!({"input": i, "scores": scores, "metadata": metadata, "tags": tags}))
    };
    (0..40).map(row).collect()
}

/// What a bound leaves out of the search is told; the fields of other experiments have no part in it.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_searched_is_told() {
    let told = |answer: &Explanation, expected: &[&str]| {
        assert_eq!(answer.warnings.len(), expected.len(), "{:?}", answer.warnings);
        for (warning, expected) in answer.warnings.iter().zip(expected) {
            assert!(warning.contains(expected), "{warning}");
        }
    };
    let (pairs, tags) = ("of 12 of the 200 fields", "the 50 most frequent of 60 values of `tags`");
    let session = open(logged(&[("base", broad(0..230)), ("next", broad(0..230))]).await).await;
    let answer = explained_by(&session, None).await;
    assert_eq!(answer.fields.len(), 200);
    told(&answer, &["more fields than the 200 that were searched", pairs, tags]);
    let named: Vec<String> = (0..11).map(|field| format!("metadata.f{field:03}")).chain(["tags".into()]).collect();
    told(&explained_by(&session, Some(named)).await, &[tags]);

    let runs = [("other", broad(0..190)), ("base", broad(500..511)), ("next", broad(500..511))];
    let answer = explained_by(&open(logged(&runs).await).await, None).await;
    assert_eq!(answer.fields.len(), 12, "{:?}", answer.fields);
    told(&answer, &[tags]);
}

/// Where nothing changed but by chance, a slice is called real in at most one of twenty searches, pairs
/// with tags included.
#[tokio::test(flavor = "multi_thread")]
async fn chance_is_seldom_called_a_slice() {
    const SCORES: usize = 120;
    let mut random = SplitMix64::new(7);
    let mut run = || -> Vec<Value> {
        let row = |i: usize| {
            let kind = kind(i);
            let scores: serde_json::Map<_, _> = (0..SCORES)
                .map(|score| (format!("s{score:03}"), json!((random.uniform() * 5.0).floor() / 4.0)))
                .collect();
            let more = json!({"input": i, "scores": scores, "metadata": {"tier": kind.tier}, "tags": kind.tags});
            case(&format!("r{i:03}"), more)
        };
        (0..120).map(row).collect()
    };
    let session = open(logged(&[("base", run()), ("next", run())]).await).await;
    let (base, next) = (chosen(&session, "base"), chosen(&session, "next"));
    let mut alarms = 0;
    for score in 0..SCORES {
        let options = ExplainOptions { score: format!("s{score:03}"), limit: Some(1_000), ..ExplainOptions::default() };
        let answer = explain(&session, &base, &next, &options).await.unwrap();
        alarms += usize::from(answer.slices.iter().any(|slice| slice.p_adjusted.is_some_and(|p| p < 0.05)));
    }
    // 5 % of 120 are 6, and 11 are what chance alone exceeds in one of fifty such tests.
    assert!(alarms <= 11, "{alarms} of {SCORES}");
}
