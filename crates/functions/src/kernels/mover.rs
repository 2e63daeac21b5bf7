//! The interval of a difference of two independent estimates, from the interval of each.
//!
//! With estimates a and b and their intervals [l_a, u_a] and [l_b, u_b], the interval of a − b is
//!
//! a − b − √((a − l_a)² + (u_b − b)²)  to  a − b + √((u_a − a)² + (b − l_b)²)
//!
//! ("method of variance estimates recovery": G. Y. Zou and A. Donner, Statistics in Medicine 27,
//! 2008; with Wilson intervals it is method 10 of R. G. Newcombe, Statistics in Medicine 17, 1998).
//! It is as lopsided as the intervals are, and estimates whose intervals do not meet always differ.

/// An estimate with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// Lower end of its interval.
    pub low: f64,
    /// Upper end of its interval.
    pub high: f64,
}

/// The interval of a − b.
pub fn difference(a: &Estimate, b: &Estimate) -> (f64, f64) {
    let distance = a.value - b.value;
    let below = (a.value - a.low).hypot(b.high - b.value);
    let above = (a.high - a.value).hypot(b.value - b.low);
    (distance - below, distance + above)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Newcombe 1998, table II, method 10: 56/70 − 48/80 is 0.0524 to 0.3339.
    #[test]
    fn the_published_example() {
        let share = |passes: f64, cases: f64| {
            let (low, high) = crate::kernels::interval::wilson_95(passes / cases, cases).unwrap();
            Estimate { value: passes / cases, low, high }
        };
        let (low, high) = difference(&share(56.0, 70.0), &share(48.0, 80.0));
        assert!((low - 0.0524).abs() < 5e-5 && (high - 0.3339).abs() < 5e-5, "{low} {high}");
    }
}
