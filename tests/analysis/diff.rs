//! The small tests that pin the rules, and the truths planted in the bundled data.

use evalhouse_model::Verdict;
use evalhouse_store::Store;

use super::{bundled_data, compared, imported, open};
use crate::store::{memory_url, put, span};

/// Roots with one score each; the input names the case.
async fn stored(store: &Store, name: &str, cases: &[(&str, Option<f64>)]) {
    let mut rows = Vec::new();
    for (i, (case, score)) in cases.iter().enumerate() {
        let mut row = span(&format!("{name}{i}"), &format!("{name}{i}"), None);
        row.input = (!case.is_empty()).then(|| format!("\"{case}\""));
        row.scores = vec![("s".into(), *score)];
        row.position = i as i64;
        rows.push(row);
    }
    put(store, name, rows).await;
}

/// Semantics, section 2: one regressed, one unchanged, one on each side alone; the two deltas
/// disagree in sign and the answer says so.
#[tokio::test]
async fn counts_add_up_and_both_deltas_are_told() {
    let store = Store::create(&memory_url()).await.unwrap();
    stored(&store, "base", &[("A", Some(1.0)), ("B", Some(0.5)), ("C", Some(0.0))]).await;
    stored(&store, "candidate", &[("A", Some(0.5)), ("B", Some(0.5)), ("D", Some(1.0))]).await;
    let answer = compared(&open(store).await, "base", "candidate", None).await;
    let (counts, score) = (answer.counts, &answer.scores["s"]);
    assert_eq!((counts.matched, counts.base_only, counts.candidate_only, counts.null_key), (2, 1, 1, 0));
    assert_eq!((score.improved, score.regressed, score.unchanged), (0, 1, 1));
    assert_eq!(score.delta_matched, Some(-0.25));
    assert!((score.delta_all.unwrap() - 1.0 / 6.0).abs() < 1e-12);
    assert!(answer.warnings.iter().any(|warning| warning.contains("differ in sign")), "{:?}", answer.warnings);
}

/// Every case of the union is in one class, whatever is missing on either side.
#[tokio::test]
async fn missing_scores_and_keys_have_their_own_classes() {
    let store = Store::create(&memory_url()).await.unwrap();
    stored(&store, "base", &[("lost", Some(1.0)), ("gained", None), ("none", None), ("", Some(0.2)), ("", None)]).await;
    stored(&store, "candidate", &[("lost", None), ("gained", Some(0.0)), ("none", None), ("", Some(0.4))]).await;
    let answer = compared(&open(store).await, "base", "candidate", None).await;
    let (counts, score) = (answer.counts, &answer.scores["s"]);
    assert_eq!((counts.matched, counts.base_only, counts.candidate_only), (3, 0, 0));
    assert_eq!((counts.null_key_base, counts.null_key_candidate, counts.null_key), (2, 1, 3));
    assert_eq!((score.lost_score, score.gained_score, score.no_score, score.n), (1, 1, 1, 0));
    assert_eq!((score.base, score.candidate), (Some(0.6), Some(0.2)));
    assert_eq!((score.delta_matched, score.verdict), (None, Verdict::NoData));
}

/// Semantics, section 6: trials are consolidated by their mean; counts are of cases.
#[tokio::test]
async fn trials_are_consolidated_before_they_are_compared() {
    let store = Store::create(&memory_url()).await.unwrap();
    stored(&store, "base", &[("A", Some(1.0)), ("A", Some(0.0)), ("A", Some(1.0)), ("B", Some(0.5))]).await;
    stored(&store, "candidate", &[("A", Some(1.0)), ("B", Some(0.5)), ("B", Some(0.5))]).await;
    let session = open(store).await;
    let answer = compared(&session, "base", "candidate", None).await;
    let score = &answer.scores["s"];
    assert_eq!((answer.base.rows, answer.base.cases, answer.counts.matched), (4, 2, 2));
    assert_eq!((score.improved, score.unchanged), (1, 1));
    assert_eq!(score.base, Some(0.625));
    let summary =
        evalhouse_analysis::summary(&session, &super::chosen(&session, "base"), &Default::default()).await.unwrap();
    assert_eq!(summary.scores["s"].row_mean, Some(0.625));
    assert!((summary.scores["s"].case_mean.unwrap() - 0.583_333_333_333).abs() < 1e-9);
}

/// What `data/README.md` says was planted is what the comparison finds, and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn planted_truths_are_found() {
    let session = imported(&bundled_data(), "support-assistant").await;
    let answer = compared(&session, "baseline", "prompt-v2", None).await;
    let counts = answer.counts;
    assert_eq!((counts.matched, counts.base_only, counts.candidate_only, counts.null_key), (250, 3, 4, 0));
    let verdicts: Vec<_> = answer.scores.iter().map(|(name, score)| (name.as_str(), score.verdict)).collect();
    assert_eq!(
        verdicts,
        [
            ("Factuality", Verdict::Regressed),
            ("Helpfulness", Verdict::Improved),
            ("ValidFormat", Verdict::NotDistinguishable)
        ]
    );
    let factuality = &answer.scores["Factuality"];
    assert_eq!((factuality.improved, factuality.regressed, factuality.unchanged), (97, 145, 4));
    assert_eq!((factuality.lost_score, factuality.gained_score, factuality.no_score, factuality.n), (2, 1, 1, 246));
    assert!((factuality.delta_matched.unwrap() + 0.03955).abs() < 5e-6);
    assert!((factuality.p.unwrap() / 2.88e-8 - 1.0).abs() < 5e-3);
    assert!((answer.scores["ValidFormat"].p_adjusted.unwrap() - 0.0961).abs() < 5e-5);
}
