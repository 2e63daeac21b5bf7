//! A 95 % interval holds the truth 95 times in a hundred: 2,000 seeded draws of each kind.

use super::normal;
use crate::kernels::family::holm_adjusted;
use crate::kernels::mean_sample::MeanSample;
use crate::kernels::paired_sample::PairedSample;
use crate::kernels::random::SplitMix64;

const DRAWS: usize = 2_000;

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
fn false_alarms_of_a_family_are_rare() {
    // Ten scores without a change, alone and with half of their noise in common.
    for shared in [0.0, 0.7] {
        let mut random = SplitMix64::new(11);
        let alarms = (0..DRAWS)
            .filter(|_| {
                let mut samples: Vec<PairedSample> = (0..10).map(|_| PairedSample::new(false)).collect();
                for _ in 0..50 {
                    let common = shared * normal(&mut random);
                    for sample in &mut samples {
                        sample.add(0.5, 0.5 + 0.1 * (common + (1.0 - shared * shared).sqrt() * normal(&mut random)));
                    }
                }
                let p: Vec<f64> = samples.iter().map(|sample| sample.difference().p.unwrap()).collect();
                holm_adjusted(&p).iter().any(|p| *p < 0.05)
            })
            .count();
        // The chance is 4.9 % at most; three standard errors of 2,000 draws are 1.4 %.
        assert!(alarms as f64 / DRAWS as f64 <= 0.063, "shared {shared}: {alarms}");
    }
}
