//! Verdicts on scores that did not change: an alarm in at most 5 % of comparisons, of however many
//! scores, and by whichever test. The draws are seeded, and so many that their error is under 0.05 %.

use evalhouse_functions::kernels::paired_sample::PairedSample;
use evalhouse_functions::kernels::random::SplitMix64;
use evalhouse_model::{ScoreDelta, Verdict};
use indexmap::IndexMap;

use crate::diff::adjust_for_family;

const SCORES: usize = 10;

/// The share of comparisons of ten scores in which one of them is said to have changed.
fn alarms(
    draws: usize,
    cases: usize,
    method: &str,
    mut pairs: impl FnMut(&mut SplitMix64) -> [(f64, f64); SCORES],
) -> f64 {
    let mut random = SplitMix64::new(11);
    let alarms = (0..draws).filter(|_| {
        let mut samples: Vec<PairedSample> = (0..SCORES).map(|_| PairedSample::new(false)).collect();
        for _ in 0..cases {
            let scores = pairs(&mut random);
            samples.iter_mut().zip(scores).for_each(|(sample, (base, candidate))| sample.add(base, candidate));
        }
        let score = |(place, sample): (usize, &PairedSample)| {
            let difference = sample.difference();
            assert_eq!(difference.method, Some(method));
            let score = ScoreDelta { p: difference.p, delta_matched: difference.delta, ..ScoreDelta::default() };
            (place.to_string(), score)
        };
        let mut scores: IndexMap<String, ScoreDelta> = samples.iter().enumerate().map(score).collect();
        adjust_for_family(&mut scores);
        scores.values().any(|score| score.verdict != Verdict::NotDistinguishable)
    });
    alarms.count() as f64 / draws as f64
}

/// Ten scores of one case without a change, with a part of their noise in common.
fn noise(random: &mut SplitMix64, shared: f64) -> [(f64, f64); SCORES] {
    let common = shared * random.normal();
    std::array::from_fn(|_| (0.5, 0.5 + 0.1 * (common + (1.0 - shared * shared).sqrt() * random.normal())))
}

#[test]
fn of_many_cases() {
    // Independent scores are the worst case: 1 − (1 − 0.05/10)¹⁰ = 4.89 %.
    let share = alarms(200_000, 30, "paired_t", |random| noise(random, 0.0));
    assert!((0.047..=0.05).contains(&share), "{share}");
    let share = alarms(20_000, 30, "paired_t", |random| noise(random, 0.7));
    assert!(share <= 0.05, "{share}");
}

#[test]
fn of_few_cases() {
    let share = alarms(20_000, 12, "sign_flip_exact", |random| noise(random, 0.0));
    assert!(share <= 0.05, "{share}");
}

#[test]
fn of_passes_and_failures() {
    let share = alarms(20_000, 60, "mcnemar_exact", |random| {
        let mut passes = |chance: f64| f64::from(u8::from(random.uniform() < chance));
        std::array::from_fn(|_| (passes(0.8), passes(0.8)))
    });
    assert!(share <= 0.05, "{share}");
}
