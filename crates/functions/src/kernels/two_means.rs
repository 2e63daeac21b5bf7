//! Welch's t test of two means that share no cases (B. L. Welch, Biometrika 34, 1947).

use super::student_t;

/// A mean with its standard error over a number of values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanOf {
    /// The mean.
    pub mean: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Values it is of.
    pub count: f64,
}

/// The two-sided p-value of "the means are equal"; none where a side has fewer than two values.
///
/// Without any spread it is 1 for equal means and 0 for others.
pub fn welch(a: MeanOf, b: MeanOf) -> Option<f64> {
    if a.count < 2.0 || b.count < 2.0 {
        return None;
    }
    let (va, vb) = (a.standard_error * a.standard_error, b.standard_error * b.standard_error);
    if va + vb == 0.0 {
        return Some(if a.mean == b.mean { 1.0 } else { 0.0 });
    }
    let df = (va + vb).powi(2) / (va * va / (a.count - 1.0) + vb * vb / (b.count - 1.0));
    Some(student_t::two_sided((a.mean - b.mean) / (va + vb).sqrt(), df)).filter(|p| p.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scipy.stats.ttest_ind_from_stats(0.8, 0.1, 50, 0.74, 0.2, 60, equal_var=False).
    #[test]
    fn agrees_with_scipy() {
        let side = |mean, sd: f64, count: f64| MeanOf { mean, standard_error: sd / count.sqrt(), count };
        let p = welch(side(0.8, 0.1, 50.0), side(0.74, 0.2, 60.0)).unwrap();
        assert!((p - SCIPY).abs() < 1e-12, "{p}");
        assert_eq!(welch(side(0.5, 0.0, 9.0), side(0.5, 0.0, 9.0)), Some(1.0));
        assert_eq!(welch(side(0.5, 0.0, 9.0), side(0.6, 0.0, 9.0)), Some(0.0));
        assert_eq!(welch(side(0.5, 0.1, 1.0), side(0.6, 0.1, 9.0)), None);
    }

    const SCIPY: f64 = 0.04447653910778941;
}
