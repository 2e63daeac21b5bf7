//! P-values of a family of tests, corrected for their number.

/// Holm's step-down correction (Holm 1979): controls the chance of any false alarm in the family,
/// whatever the tests' dependence. Same order as given; NaN stays NaN and is no member.
pub fn holm_adjusted(p: &[f64]) -> Vec<f64> {
    let order = ascending(p);
    let family = order.len();
    let mut adjusted = vec![f64::NAN; p.len()];
    let mut largest: f64 = 0.0;
    for (rank, i) in order.into_iter().enumerate() {
        largest = largest.max(p[i] * (family - rank) as f64).min(1.0);
        adjusted[i] = largest;
    }
    adjusted
}

/// The step-up correction of Benjamini and Hochberg (1995): controls the expected share of false
/// alarms among the alarms, for independent or positively dependent tests. Same order as given; NaN
/// stays NaN and is no member.
pub fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    let order = ascending(p);
    let family = order.len();
    let mut adjusted = vec![f64::NAN; p.len()];
    let mut smallest: f64 = 1.0;
    for (rank, i) in order.into_iter().enumerate().rev() {
        smallest = smallest.min(p[i] * family as f64 / (rank + 1) as f64);
        adjusted[i] = smallest;
    }
    adjusted
}

/// Positions of the numbers, smallest first.
fn ascending(p: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p.len()).filter(|i| !p[*i].is_nan()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corrections_are_monotone_and_capped() {
        let p = [0.01, 0.04, 0.03, f64::NAN, 0.9];
        let close = |adjusted: Vec<f64>, expected: [f64; 5]| {
            adjusted
                .iter()
                .zip(expected)
                .all(|(a, b)| a.is_nan() == b.is_nan() && (a.is_nan() || (a - b).abs() < 1e-12))
        };
        assert!(close(holm_adjusted(&p), [0.04, 0.09, 0.09, f64::NAN, 0.9]));
        // As statsmodels' multipletests(…, method="fdr_bh") without the missing one.
        assert!(close(benjamini_hochberg(&p), [0.04, 0.16 / 3.0, 0.16 / 3.0, f64::NAN, 0.9]));
        assert!(holm_adjusted(&[]).is_empty());
    }
}
