//! The binomial distribution with probability ½, and McNemar's exact test on it.

use std::f64::consts::{LN_2, PI};

/// Two-sided exact McNemar test: of `lost + won` discordant pairs each side is equally likely.
/// Without discordant pairs there is nothing to tell apart, and p = 1.
///
/// Q. McNemar, Psychometrika 12 (1947); the exact form is the binomial test of the smaller count.
pub fn mcnemar_exact(lost: u64, won: u64) -> f64 {
    (2.0 * lower_tail(lost.min(won), lost + won)).min(1.0)
}

/// P(X ≤ k) of n fair tosses.
pub fn lower_tail(k: u64, n: u64) -> f64 {
    if k >= n {
        return 1.0;
    }
    // The smaller side is summed, outermost term last: the terms fall from the centre outwards.
    if k >= n / 2 + n % 2 {
        return 1.0 - lower_tail(n - k - 1, n);
    }
    let mut term = probability(k, n);
    let mut sum = 0.0;
    for j in (0..=k).rev() {
        sum += term;
        if term < f64::EPSILON * f64::EPSILON * sum {
            break;
        }
        term *= j as f64 / (n - j + 1) as f64;
    }
    sum
}

/// P(X = k) of n fair tosses, by the saddle-point form that keeps all digits for any n
/// (C. Loader, "Fast and accurate computation of binomial probabilities", 2000).
fn probability(k: u64, n: u64) -> f64 {
    if k == 0 || k == n {
        return (-(n as f64) * LN_2).exp();
    }
    let (successes, failures, tosses) = (k as f64, (n - k) as f64, n as f64);
    let exponent = stirling_error(n)
        - stirling_error(k)
        - stirling_error(n - k)
        - deviance(successes, tosses / 2.0)
        - deviance(failures, tosses / 2.0);
    exponent.exp() * (tosses / (2.0 * PI * successes * failures)).sqrt()
}

/// ln(n!) − ln(√(2πn) (n/e)ⁿ), the error of Stirling's formula.
fn stirling_error(n: u64) -> f64 {
    let x = n as f64;
    if n <= 15 {
        let factorial: f64 = (1..=n).map(|i| i as f64).product();
        return factorial.ln() - (x + 0.5) * x.ln() + x - 0.5 * (2.0 * PI).ln();
    }
    let square = x * x;
    let series = [1.0 / 12.0, -1.0 / 360.0, 1.0 / 1260.0, -1.0 / 1680.0, 1.0 / 1188.0, -691.0 / 360_360.0];
    series.iter().rev().fold(0.0, |sum, coefficient| sum / square + coefficient) / x
}

/// x ln(x/m) + m − x, without cancellation for x near m.
fn deviance(x: f64, m: f64) -> f64 {
    let difference = x - m;
    if difference.abs() >= 0.1 * (x + m) {
        return x * (x / m).ln() + m - x;
    }
    let v = difference / (x + m);
    let mut sum = difference * v;
    let mut power = 2.0 * x * v;
    for j in 1..1_000 {
        power *= v * v;
        let next = sum + power / f64::from(2 * j + 1);
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_cases_by_hand() {
        assert_eq!(mcnemar_exact(0, 0), 1.0);
        assert_eq!(mcnemar_exact(0, 1), 1.0);
        assert!((mcnemar_exact(0, 5) - 2.0 / 32.0).abs() < 1e-15);
        assert!((mcnemar_exact(2, 8) - 2.0 * 56.0 / 1024.0).abs() < 1e-14);
        assert_eq!(mcnemar_exact(7, 7), 1.0);
        assert_eq!(mcnemar_exact(3, 9), mcnemar_exact(9, 3));
    }

    #[test]
    fn tails_add_up() {
        for n in [1_u64, 2, 9, 40, 1_001] {
            for k in 0..n {
                let both = lower_tail(k, n) + lower_tail(n - k - 1, n);
                assert!((both - 1.0).abs() < 1e-13, "{k} of {n}: {both}");
            }
        }
    }
}
