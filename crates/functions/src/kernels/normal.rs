//! The standard normal distribution.

use std::f64::consts::{PI, SQRT_2};

use statrs::function::erf::{erfc, erfc_inv};

/// The z of a two-sided 95 % interval.
pub const Z_975: f64 = 1.959_963_984_540_054;

/// The z of a power of 80 %.
pub const Z_80: f64 = 0.841_621_233_572_914_4;

/// P(Z > z).
pub fn upper_tail(z: f64) -> f64 {
    0.5 * erfc(z / SQRT_2)
}

/// The z with P(Z < z) = p; −∞ at 0, +∞ at 1, not a number outside.
pub fn quantile(p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    if p > 0.5 { upper_quantile(1.0 - p) } else { -upper_quantile(p) }
}

/// The z ≥ 0 with P(Z > z) = q, q ≤ 1/2.
pub(crate) fn upper_quantile(q: f64) -> f64 {
    if q == 0.0 {
        return f64::INFINITY;
    }
    if q == 0.5 {
        return 0.0;
    }
    let z = SQRT_2 * erfc_inv(2.0 * q);
    // One Newton step on the tail.
    let density = (-0.5 * z * z).exp() / (2.0 * PI).sqrt();
    if density > 0.0 { z + (upper_tail(z) - q) / density } else { z }
}
