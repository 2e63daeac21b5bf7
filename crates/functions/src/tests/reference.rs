//! The mathematics against scipy, statsmodels and scikit-learn: `tests/fixtures/statistics.json`, made
//! by `tests/reference/statistics.py`. `reference_sql` asks the SQL functions the same.

use serde_json::Value;

use crate::kernels::mean_sample::{MeanInterval, MeanSample};
use crate::kernels::paired_sample::{PairedDifference, PairedSample};
use crate::kernels::two_means::{MeanOf, difference_p, pooled, welch};
use crate::kernels::{agreement, binomial, family, fisher, interval, mover, normal, student_t, trials};

const FIXTURE: &str = include_str!("../../../../tests/fixtures/statistics.json");
const KERNEL_TOLERANCE: f64 = 1e-10;
pub(super) const ANSWER_TOLERANCE: f64 = 1e-9;

pub(super) fn fixture(section: &str) -> Vec<Value> {
    let fixture: Value = serde_json::from_str(FIXTURE).unwrap();
    fixture[section].as_array().unwrap().clone()
}

/// The entries of a section that holds rows of numbers.
pub(super) fn numbers(section: &str) -> Vec<Vec<f64>> {
    fixture(section).iter().map(floats).collect()
}

pub(super) fn floats(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

pub(super) fn assert_near(actual: f64, expected: f64, tolerance: f64, what: &str) {
    let distance = (actual - expected).abs();
    assert!(
        distance <= tolerance * expected.abs() || distance < 1e-300,
        "{what}: {actual:e} against {expected:e}, off by {:e}",
        distance / expected.abs()
    );
}

fn check(section: &str, function: impl Fn(&[f64]) -> f64) {
    for row in numbers(section) {
        let (expected, arguments) = row.split_last().unwrap();
        let what = format!("{section} {arguments:?}");
        assert_near(function(arguments), *expected, KERNEL_TOLERANCE, &what);
    }
}

#[test]
fn student_t_tails() {
    check("student_t_two_sided", |row| student_t::two_sided(row[0], row[1]));
    check("student_t_two_sided", |row| 2.0 * student_t::upper_tail(row[0], row[1]));
}

#[test]
fn student_t_quantiles() {
    check("student_t_quantile", |row| student_t::quantile(row[0], row[1]));
}

#[test]
fn normal_distribution() {
    check("normal_upper_tail", |row| normal::upper_tail(row[0]));
    check("normal_quantile", |row| normal::quantile(row[0]));
    assert_near(normal::Z_975, normal::quantile(0.975), 1e-15, "z of 97.5 %");
    assert_near(normal::Z_80, normal::quantile(0.8), 1e-15, "z of 80 %");
}

#[test]
fn binomial_distribution() {
    check("binomial_lower_tail", |row| binomial::lower_tail(row[0] as u64, row[1] as u64));
    check("mcnemar", |row| binomial::mcnemar_exact(row[0] as u64, row[1] as u64));
}

#[test]
fn fisher_tests() {
    check("fisher", |row| fisher::fisher_exact([row[0] as u64, row[2] as u64], [row[1] as u64, row[3] as u64]));
}

#[test]
fn differences_of_shares() {
    for row in numbers("newcombe") {
        let share = |passes: f64, cases: f64| {
            let (low, high) = interval::wilson_95(passes / cases, cases).unwrap();
            mover::Estimate { value: passes / cases, low, high }
        };
        let (low, high) = mover::difference(&share(row[0], row[1]), &share(row[2], row[3]));
        assert!((low - row[4]).abs() < 1e-12 && (high - row[5]).abs() < 1e-12, "{row:?}: {low}, {high}");
    }
}

#[test]
fn wilson_intervals() {
    for row in numbers("wilson") {
        let (low, high) = interval::wilson_95(row[0] / row[1], row[1]).unwrap();
        // At shares of 0 and 1 the reference has a rounding error in place of the bound.
        assert!((low - row[2]).abs() < 1e-12, "{row:?}: {low}");
        assert!((high - row[3]).abs() < 1e-12, "{row:?}: {high}");
    }
}

pub(super) fn clusters(case: &Value) -> Option<Vec<&str>> {
    let names = case["clusters"].as_array()?;
    Some(names.iter().map(|name| name.as_str().unwrap()).collect())
}

fn assert_field(case: &Value, field: &str, actual: Option<f64>, tolerance: f64) {
    let what = format!("{} {field}", case["name"]);
    assert_near(actual.unwrap(), case[field].as_f64().unwrap(), tolerance, &what);
}

fn mean_interval(case: &Value) -> MeanInterval {
    let clusters = clusters(case);
    let mut sample = MeanSample::new(clusters.is_some());
    for (row, score) in floats(&case["scores"]).into_iter().enumerate() {
        match &clusters {
            Some(names) => sample.add_clustered(score, Some(names[row])),
            None => sample.add(score),
        }
    }
    sample.interval()
}

#[test]
fn means() {
    for case in fixture("means") {
        let actual = mean_interval(&case);
        assert_eq!(actual.method, case["method"].as_str(), "{}", case["name"]);
        for (field, value) in [
            ("mean", actual.mean),
            ("sd", actual.sd),
            ("se", actual.se),
            ("ci_low", actual.ci_low),
            ("ci_high", actual.ci_high),
        ] {
            assert_field(&case, field, value, ANSWER_TOLERANCE);
        }
    }
}

fn paired_difference(case: &Value) -> PairedDifference {
    let clusters = clusters(case);
    let mut sample = PairedSample::new(clusters.is_some());
    let pairs = floats(&case["base"]).into_iter().zip(floats(&case["candidate"]));
    for (row, (base, candidate)) in pairs.enumerate() {
        match &clusters {
            Some(names) => sample.add_clustered(base, candidate, Some(names[row])),
            None => sample.add(base, candidate),
        }
    }
    sample.difference()
}

#[test]
fn paired_differences() {
    for case in fixture("paired") {
        let actual = paired_difference(&case);
        assert_eq!(actual.method, case["method"].as_str(), "{}", case["name"]);
        assert_eq!(Some(actual.n), case["n"].as_i64());
        for (field, value) in [
            ("base_mean", actual.base_mean),
            ("candidate_mean", actual.candidate_mean),
            ("delta", actual.delta),
            ("sd", actual.sd),
            ("se", actual.se),
            ("ci_low", actual.ci_low),
            ("ci_high", actual.ci_high),
            ("t", actual.t),
            ("df", actual.df),
            ("mde", actual.mde),
        ] {
            assert_field(&case, field, value, ANSWER_TOLERANCE);
        }
        if actual.method == Some("sign_flip") {
            // Drawn: within four standard errors of the exact value.
            let exact = case["p"].as_f64().unwrap();
            let error = (exact * (1.0 - exact) / 10_000.0).sqrt() + 1e-4;
            assert!((actual.p.unwrap() - exact).abs() < 4.0 * error, "{}: {:?}", case["name"], actual.p);
        } else {
            assert_field(&case, "p", actual.p, ANSWER_TOLERANCE);
        }
    }
}

#[test]
fn agreement_of_two_judges() {
    for case in fixture("agreement") {
        let rows = case["counts"].as_array().unwrap().iter();
        let counts: Vec<Vec<i64>> =
            rows.map(|row| floats(row).into_iter().map(|count| count as i64).collect()).collect();
        let answer = agreement::agreement(&counts).unwrap();
        let near = |actual: f64, field: &str| {
            let expected = case[field].as_f64().unwrap();
            assert!((actual - expected).abs() < ANSWER_TOLERANCE, "{field} of {counts:?}: {actual}, {expected}");
        };
        near(answer.observed, "observed");
        near(answer.expected, "expected");
        near(answer.kappa.unwrap(), "kappa");
        near(answer.linear.unwrap(), "linear");
        near(answer.quadratic.unwrap(), "quadratic");
        near(answer.se.unwrap(), "se");
        near(answer.ci_low.unwrap(), "ci_low");
        near(answer.ci_high.unwrap(), "ci_high");
    }
}

#[test]
fn corrections_for_many_tests() {
    for case in fixture("family") {
        let p = floats(&case["p"]);
        for (actual, field) in [(family::holm_adjusted(&p), "holm"), (family::benjamini_hochberg(&p), "fdr_bh")] {
            for (actual, expected) in actual.into_iter().zip(floats(&case[field])) {
                assert!((actual - expected).abs() < 1e-12, "{field} of {p:?}: {actual}, {expected}");
            }
        }
    }
}

#[test]
fn tests_of_two_means() {
    for row in numbers("two_means") {
        let [a, b] = [0, 3].map(|from| MeanOf {
            mean: row[from],
            standard_error: row[from + 1],
            count: row[from + 2],
            is_binary: false,
        });
        assert_near(welch(&a, &b).unwrap(), row[6], KERNEL_TOLERANCE, "welch");
        assert_near(pooled(&a, &b).unwrap(), row[7], KERNEL_TOLERANCE, "pooled");
        assert_near(difference_p(&a, &b).unwrap(), row[6].max(row[7]), KERNEL_TOLERANCE, "the larger");
    }
}

#[test]
fn passes_of_k_trials() {
    for row in numbers("passes") {
        let [n, c, k] = [row[0] as u64, row[1] as u64, row[2] as u64];
        assert!((trials::pass_at_k(n, c, k).unwrap() - row[3]).abs() < 1e-12, "pass@k {row:?}");
        assert!((trials::pass_hat_k(n, c, k).unwrap() - row[4]).abs() < 1e-12, "pass^k {row:?}");
    }
    assert_eq!((trials::pass_at_k(2, 1, 3), trials::pass_hat_k(2, 1, 3)), (None, None));
}
