//! The standard normal distribution, to fourteen digits: a series of positive terms near the middle
//! and a continued fraction in the tail (Abramowitz and Stegun 26.2.11 and 26.2.14).

use std::f64::consts::PI;

/// The z of a two-sided 95 % interval.
pub const Z_975: f64 = 1.959_963_984_540_054;

/// The z of a power of 80 %.
pub const Z_80: f64 = 0.841_621_233_572_914_4;

/// From here the tail is small enough to be worth its own form.
const TAIL_FROM: f64 = 1.5;

/// P(Z > z).
pub fn upper_tail(z: f64) -> f64 {
    if z >= TAIL_FROM {
        tail_fraction(z)
    } else if z >= 0.0 {
        0.5 - central_area(z)
    } else {
        0.5 + central_area(-z)
    }
}

/// P(0 < Z < z) for z ≥ 0.
pub(crate) fn central_area(z: f64) -> f64 {
    if z >= TAIL_FROM {
        return 0.5 - tail_fraction(z);
    }
    let mut term = z;
    let mut sum = z;
    let mut odd = 3.0;
    while term > f64::EPSILON * 0.1 * sum {
        term *= z * z / odd;
        sum += term;
        odd += 2.0;
    }
    density(z) * sum
}

/// The z with P(Z < z) = p; −∞ at 0, +∞ at 1, not a number outside.
pub fn quantile(p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    // 1 − p is exact above one half.
    if p > 0.5 { upper_quantile(1.0 - p) } else { -upper_quantile(p) }
}

/// The z ≥ 0 with P(Z > z) = q, q ≤ ½: a rational guess good to three digits (Abramowitz and Stegun
/// 26.2.23), then Newton's method.
pub(crate) fn upper_quantile(q: f64) -> f64 {
    const STEPS: usize = 6;
    if q == 0.0 {
        return f64::INFINITY;
    }
    if q == 0.5 {
        return 0.0;
    }
    let root = (-2.0 * q.ln()).sqrt();
    let numerator = 2.515_517 + root * (0.802_853 + root * 0.010_328);
    let denominator = 1.0 + root * (1.432_788 + root * (0.189_269 + root * 0.001_308));
    let mut z = (root - numerator / denominator).max(0.0);
    for _ in 0..STEPS {
        z += if z < TAIL_FROM {
            (0.5 - q - central_area(z)) / density(z)
        } else {
            // On the logarithm, which stays accurate however small the tail.
            let tail = tail_fraction(z);
            (tail / q).ln() * tail / density(z)
        };
    }
    z
}

fn density(z: f64) -> f64 {
    (-0.5 * z * z).exp() / (2.0 * PI).sqrt()
}

/// φ(z) / (z + 1/(z + 2/(z + 3/(z + …)))), from its far end.
fn tail_fraction(z: f64) -> f64 {
    const TERMS: u32 = 200;
    if z.is_infinite() {
        return 0.0;
    }
    let fraction = (1..=TERMS).rev().fold(z, |rest, k| z + f64::from(k) / rest);
    density(z) / fraction
}
