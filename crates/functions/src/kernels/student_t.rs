//! Student's t distribution, to eleven digits in the tails and for any degrees of freedom.
//!
//! With a = df/2 and x = df/(df + t²), P(|T| > t) is the regularised incomplete beta function
//! I_x(a, ½) (DLMF 8.17), evaluated by its continued fraction (DLMF 8.17.22) with Lentz's method.
//! The factor Γ(a + ½)/Γ(a) comes from its own series (DLMF 5.11.13) and not from a difference of
//! two large logarithms, which costs six digits at a million degrees of freedom. From 100,000 on t is
//! turned into the z of the same tail (G. W. Hill, Algorithm 395, CACM 13, 1970), where the next
//! term of Hill's expansion is below a double's last digit.

use std::f64::consts::PI;

use super::normal;

/// From here t is turned into z.
const NORMAL_FROM: f64 = 1e5;

/// P(T > t).
pub fn upper_tail(t: f64, df: f64) -> f64 {
    let (outside, inside) = areas(t, df);
    if t >= 0.0 { 0.5 * outside } else { 0.5 + 0.5 * inside }
}

/// P(|T| > |t|): the two-sided p-value.
pub fn two_sided(t: f64, df: f64) -> f64 {
    areas(t, df).0
}

/// The t with P(T < t) = p; −∞ at 0, +∞ at 1, not a number outside or without degrees of freedom.
pub fn quantile(p: f64, df: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) || df.is_nan() || df <= 0.0 {
        return f64::NAN;
    }
    // 1 − p is exact above one half.
    if p > 0.5 { upper_quantile(1.0 - p, df) } else { -upper_quantile(p, df) }
}

/// The t ≥ 0 with P(T > t) = q, q ≤ ½.
fn upper_quantile(q: f64, df: f64) -> f64 {
    if q == 0.0 {
        f64::INFINITY
    } else if q == 0.5 {
        0.0
    } else if q > 0.25 {
        central_quantile(0.5 - q, df)
    } else {
        tail_quantile(q, df)
    }
}

/// Newton on the area from 0 to t, which is concave: from the left of the root every step stays
/// left of it.
fn central_quantile(area: f64, df: f64) -> f64 {
    let mut t = area / density(0.0, df);
    for _ in 0..STEPS_MAX {
        let step = (area - 0.5 * areas(t, df).1) / density(t, df);
        t += step;
        if step.abs() <= f64::EPSILON * t {
            break;
        }
    }
    t
}

/// Newton on the logarithm of the tail over the logarithm of t, which is concave and nearly
/// straight for few degrees of freedom: after the first step every step comes from the right.
fn tail_quantile(q: f64, df: f64) -> f64 {
    let mut t = normal::upper_quantile(q);
    for _ in 0..STEPS_MAX {
        let tail = 0.5 * areas(t, df).0;
        let step = (tail / q).ln() * tail / (t * density(t, df));
        if !step.is_finite() {
            break;
        }
        t *= step.exp();
        if step.abs() <= f64::EPSILON {
            break;
        }
    }
    t
}

const STEPS_MAX: usize = 60;

fn density(t: f64, df: f64) -> f64 {
    let logarithm = log1p_square_over(t, df);
    gamma_ratio(df / 2.0) / (PI * df).sqrt() * (-(df + 1.0) / 2.0 * logarithm).exp()
}

/// P(|T| > |t|) and P(|T| < |t|), each without cancellation where it is small.
fn areas(t: f64, df: f64) -> (f64, f64) {
    if t.is_nan() || df.is_nan() || df <= 0.0 {
        return (f64::NAN, f64::NAN);
    }
    let t = t.abs();
    if t == 0.0 {
        return (1.0, 0.0);
    }
    if df >= NORMAL_FROM {
        let z = normal_deviate(t, df);
        return (2.0 * normal::upper_tail(z), 2.0 * normal::central_area(z));
    }
    let a = df / 2.0;
    let logarithm = log1p_square_over(t, df);
    let x = (-logarithm).exp();
    let complement = -(-logarithm).exp_m1();
    let front = gamma_ratio(a) / PI.sqrt() * (-a * logarithm).exp() * complement.sqrt();
    if x < (a + 1.0) / (a + 2.5) {
        let outside = front / a * continued_fraction(a, 0.5, x);
        (outside, 1.0 - outside)
    } else {
        let inside = front / 0.5 * continued_fraction(0.5, a, complement);
        (1.0 - inside, inside)
    }
}

/// The z with the same tail as t ≥ 0, for many degrees of freedom.
fn normal_deviate(t: f64, df: f64) -> f64 {
    let a = df - 0.5;
    let b = 48.0 * a * a;
    let y2 = a * log1p_square_over(t, df);
    let y = y2.sqrt();
    let second = (((4.0 * y2 + 33.0) * y2 + 240.0) * y2 + 855.0) * y;
    y + (y2 + 3.0) * y / b - second / (10.0 * b * (b + 0.8 * y2 * y2 + 100.0))
}

/// ln(1 + t²/df), also where t² is beyond the range of a double.
fn log1p_square_over(t: f64, df: f64) -> f64 {
    let ratio = t * t / df;
    if ratio < 1e300 { ratio.ln_1p() } else { 2.0 * t.abs().ln() - df.ln() }
}

/// Γ(a + ½) / Γ(a), by recurrence up to where the series in 1/a is exact to a double.
fn gamma_ratio(a: f64) -> f64 {
    const SERIES_FROM: f64 = 40.0;
    const SERIES: [f64; 8] = [
        1.0,
        -1.0 / 8.0,
        1.0 / 128.0,
        5.0 / 1024.0,
        -21.0 / 32_768.0,
        -399.0 / 262_144.0,
        869.0 / 4_194_304.0,
        39_325.0 / 33_554_432.0,
    ];
    let (mut a, mut scale) = (a, 1.0);
    while a < SERIES_FROM {
        scale *= a / (a + 0.5);
        a += 1.0;
    }
    let series = SERIES.iter().rev().fold(0.0, |sum, coefficient| sum / a + coefficient);
    scale * a.sqrt() * series
}

/// The continued fraction of the incomplete beta function; x below (a + 1)/(a + b + 2).
fn continued_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    // About √max(a, b) terms are needed, that is some hundred.
    const TERMS_MAX: usize = 10_000;
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut numerator = 1.0;
    let mut denominator = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = denominator;
    for term in 1..TERMS_MAX {
        let m = term as f64;
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        denominator = 1.0 / away_from_zero(1.0 + even * denominator);
        numerator = away_from_zero(1.0 + even / numerator);
        fraction *= denominator * numerator;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        denominator = 1.0 / away_from_zero(1.0 + odd * denominator);
        numerator = away_from_zero(1.0 + odd / numerator);
        let change = denominator * numerator;
        fraction *= change;
        if (change - 1.0).abs() <= f64::EPSILON {
            break;
        }
    }
    fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_near(actual: f64, expected: f64) {
        assert!((actual / expected - 1.0).abs() < 1e-13, "{actual} against {expected}");
    }

    #[test]
    fn one_and_two_degrees_have_closed_forms() {
        for t in [1e-9, 0.01, 0.5, 1.0, 1.7, 3.0, 50.0, 1e8, 1e200] {
            assert_near(two_sided(t, 1.0), 2.0 / PI * (1.0 / t).atan());
            let root = (2.0 + t * t).sqrt();
            if t < 1e100 {
                assert_near(two_sided(t, 2.0), 2.0 / (root * (root + t)));
            }
        }
    }

    #[test]
    fn quantiles_invert_tails() {
        for df in [1.0, 2.0, 3.5, 30.0, 1e4, 1e9] {
            for q in [1e-12, 1e-6, 0.025, 0.2, 0.3, 0.49] {
                let t = -quantile(q, df);
                assert!((upper_tail(t, df) / q - 1.0).abs() < 1e-12, "df {df}, q {q}, t {t}");
            }
        }
    }

    #[test]
    fn edges() {
        assert_eq!(two_sided(0.0, 5.0), 1.0);
        assert_eq!(two_sided(f64::INFINITY, 5.0), 0.0);
        assert_eq!(quantile(0.5, 5.0), 0.0);
        assert_eq!(quantile(1.0, 5.0), f64::INFINITY);
        assert!(quantile(0.5, 0.0).is_nan() && quantile(1.5, 5.0).is_nan());
        assert_near(quantile(0.975, 1e16), normal::Z_975);
    }
}
