//! A 95 % interval holds the truth 95 times in a hundred: 2,000 seeded draws of each kind.

use super::normal;
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
