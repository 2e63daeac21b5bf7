//! A 95 % interval holds the truth 95 times in a hundred: 10,000 seeded draws of each kind, so that
//! the share is known to 0.4 %.

use super::normal;
use crate::kernels::interval::chance_95;
use crate::kernels::mean_sample::MeanSample;
use crate::kernels::paired_sample::PairedSample;
use crate::kernels::random::SplitMix64;
use crate::kernels::trials::{pass_at_k, pass_hat_k};

const DRAWS: usize = 10_000;

fn assert_coverage(what: &str, mut draw: impl FnMut(&mut SplitMix64) -> bool) {
    let mut random = SplitMix64::new(7);
    let covered = (0..DRAWS).filter(|_| draw(&mut random)).count();
    let share = covered as f64 / DRAWS as f64;
    assert!((0.94..=0.96).contains(&share), "{what}: {share}");
}

fn holds(low: Option<f64>, high: Option<f64>, truth: f64) -> bool {
    low.unwrap() <= truth && truth <= high.unwrap()
}

#[test]
fn of_a_mean() {
    assert_coverage("t", |random| {
        let mut sample = MeanSample::new(false);
        (0..12).for_each(|_| sample.add(0.4 + 0.2 * normal(random)));
        let interval = sample.interval();
        holds(interval.ci_low, interval.ci_high, 0.4)
    });
}

#[test]
fn of_a_paired_difference() {
    assert_coverage("paired", |random| {
        let mut sample = PairedSample::new(false);
        for _ in 0..25 {
            // What makes a case hard is shared by both runs.
            let shared = 0.5 + 0.3 * normal(random);
            sample.add(shared + 0.1 * normal(random), shared + 0.05 + 0.1 * normal(random));
        }
        let difference = sample.difference();
        holds(difference.ci_low, difference.ci_high, 0.05)
    });
}

#[test]
fn of_a_clustered_difference() {
    assert_coverage("clustered", |random| {
        let mut sample = PairedSample::new(true);
        for cluster in 0..60 {
            let (shared, name) = (0.1 * normal(random), cluster.to_string());
            for _ in 0..4 {
                let base = 0.5 + 0.2 * normal(random);
                sample.add_clustered(base, base + 0.05 + shared + 0.05 * normal(random), Some(&name));
            }
        }
        let difference = sample.difference();
        holds(difference.ci_low, difference.ci_high, 0.05)
    });
}

#[test]
fn clusters_matter() {
    // The same draws without their clusters: the interval is far too narrow.
    let mut random = SplitMix64::new(7);
    let covered = (0..DRAWS)
        .filter(|_| {
            let mut sample = PairedSample::new(false);
            for _ in 0..60 {
                let shared = 0.1 * normal(&mut random);
                (0..4).for_each(|_| sample.add(0.5, 0.55 + shared + 0.05 * normal(&mut random)));
            }
            let difference = sample.difference();
            holds(difference.ci_low, difference.ci_high, 0.05)
        })
        .count();
    assert!(covered < DRAWS * 80 / 100, "{covered}");
}

#[test]
fn of_nothing() {
    // Two runs of the same thing: the interval of the difference holds 0.
    assert_coverage("null", |random| {
        let mut sample = PairedSample::new(false);
        for _ in 0..60 {
            let shared = 0.5 + 0.3 * normal(random);
            sample.add(shared + 0.1 * normal(random), shared + 0.1 * normal(random));
        }
        let difference = sample.difference();
        holds(difference.ci_low, difference.ci_high, 0.0)
    });
}

#[test]
fn of_passes_and_failures() {
    // A hard case is failed by both; in a tenth of the others the candidate falls.
    assert_coverage("binary", |random| {
        let mut sample = PairedSample::new(false);
        for _ in 0..300 {
            let passes = |chance: f64, random: &mut SplitMix64| f64::from(u8::from(random.uniform() < chance));
            let chance = if random.uniform() < 0.3 { 0.2 } else { 0.8 };
            sample.add(passes(chance, random), passes(chance - 0.1, random));
        }
        let difference = sample.difference();
        holds(difference.ci_low, difference.ci_high, -0.1)
    });
}

#[test]
fn of_clusters_of_many_sizes() {
    for (what, truth) in [("uneven clusters, null", 0.0), ("uneven clusters", 0.05)] {
        assert_coverage(what, |random| {
            let mut sample = PairedSample::new(true);
            for cluster in 0..80 {
                let (shared, name) = (0.1 * normal(random), cluster.to_string());
                for _ in 0..1 + (random.uniform() * 5.0) as usize {
                    let base = 0.5 + 0.2 * normal(random);
                    sample.add_clustered(base, base + truth + shared + 0.1 * normal(random), Some(&name));
                }
            }
            let difference = sample.difference();
            holds(difference.ci_low, difference.ci_high, truth)
        });
    }
}

#[test]
fn of_cases_with_uneven_trials() {
    assert_coverage("trials", |random| {
        let mut sample = MeanSample::new(false);
        for _ in 0..40 {
            let hard = 0.2 * normal(random);
            let trials = 1 + (random.uniform() * 4.0) as usize;
            let total: f64 = (0..trials).map(|_| 0.6 + hard + 0.3 * normal(random)).sum();
            sample.add(total / trials as f64);
        }
        let interval = sample.interval();
        holds(interval.ci_low, interval.ci_high, 0.6)
    });
}

#[test]
fn of_a_share() {
    // Over all shares: for one share Wilson's interval holds the truth up to 2 % more or less often,
    // as the count jumps from one whole number to the next.
    for cases in [10, 30, 300] {
        assert_coverage("wilson", |random| {
            let truth = random.uniform();
            let mut sample = MeanSample::new(false);
            (0..cases).for_each(|_| sample.add(f64::from(u8::from(random.uniform() < truth))));
            let interval = sample.interval();
            assert_eq!(interval.method, Some("wilson"));
            holds(interval.ci_low, interval.ci_high, truth)
        });
    }
}

#[test]
fn of_a_clustered_mean() {
    assert_coverage("clustered mean", |random| {
        let mut sample = MeanSample::new(true);
        for cluster in 0..50 {
            let (shared, name) = (0.1 * normal(random), cluster.to_string());
            for _ in 0..1 + (random.uniform() * 5.0) as usize {
                sample.add_clustered(0.6 + shared + 0.1 * normal(random), Some(&name));
            }
        }
        let interval = sample.interval();
        holds(interval.ci_low, interval.ci_high, 0.6)
    });
}

/// The interval of a rate over cases that each pass with a drawn chance.
fn pass_rates(
    random: &mut SplitMix64,
    (cases, trials, k): (u64, u64, u64),
    rate: fn(u64, u64, u64) -> Option<f64>,
    mut chance: impl FnMut(&mut SplitMix64) -> f64,
) -> (Option<f64>, Option<f64>) {
    let mut sample = MeanSample::new(false);
    for _ in 0..cases {
        let chance = chance(random);
        let passes = (0..trials).filter(|_| random.uniform() < chance).count() as u64;
        sample.add(rate(trials, passes, k).unwrap());
    }
    let mean = sample.interval();
    match mean.method {
        Some("wilson") => (mean.ci_low, mean.ci_high),
        _ => chance_95(mean.mean.unwrap(), mean.se.unwrap(), cases as f64).unzip(),
    }
}

#[test]
fn of_passes_of_several_trials() {
    // Over chances p that are uniform between 0.2 and 1: E[1 − (1 − p)³] = 1 − 0.8³/4 and
    // E[p³] = (1 − 0.2⁴) / (4 · 0.8).
    let of = (300, 5, 3);
    assert_coverage("pass@3", |random| {
        let (low, high) = pass_rates(random, of, pass_at_k, |random| 0.2 + 0.8 * random.uniform());
        holds(low, high, 1.0 - 0.8_f64.powi(3) / 4.0)
    });
    assert_coverage("pass^3", |random| {
        let (low, high) = pass_rates(random, of, pass_hat_k, |random| 0.2 + 0.8 * random.uniform());
        holds(low, high, (1.0 - 0.2_f64.powi(4)) / 3.2)
    });
}

/// Near 0 and 1 a sample seldom has the few cases that make the rate what it is. The interval is wider
/// than it need be there, and must not be too narrow.
#[test]
fn of_rates_near_the_ends() {
    const DRAWS: usize = 2_000;
    for cases in [20, 50, 100] {
        for (trials, k) in [(5, 3), (5, 4), (10, 1), (10, 3), (10, 5), (10, 8)] {
            for chance in [0.01_f64, 0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98] {
                let any = 1.0 - (1.0 - chance).powi(k as i32);
                let all = chance.powi(k as i32);
                for (what, rate, truth) in [("pass@", pass_at_k as fn(_, _, _) -> _, any), ("pass^", pass_hat_k, all)] {
                    let mut random = SplitMix64::new(7);
                    let covers = |random: &mut SplitMix64| {
                        let (low, high) = pass_rates(random, (cases, trials, k), rate, |_| chance);
                        holds(low, high, truth)
                    };
                    let share = (0..DRAWS).filter(|_| covers(&mut random)).count() as f64 / DRAWS as f64;
                    assert!(share >= 0.925, "{what}{k} of {trials} trials, {cases} cases of {chance}: {share}");
                }
            }
        }
    }
}
