//! What several trials of one case say together.

/// The chance that at least one of k trials passes, taken without replacement from n of which c
/// passed: 1 − C(n−c, k) / C(n, k) (Chen et al. 2021, "Evaluating Large Language Models Trained on
/// Code"). None with fewer than k trials.
pub fn pass_at_k(n: u64, c: u64, k: u64) -> Option<f64> {
    if k == 0 || n < k || c > n {
        return None;
    }
    if n - c < k {
        return Some(1.0);
    }
    // C(n−c,k)/C(n,k) = Π (1 − k/i) for i from n−c+1 to n: no factorial is ever formed.
    let none_passes: f64 = (n - c + 1..=n).map(|i| 1.0 - k as f64 / i as f64).product();
    Some(1.0 - none_passes)
}

/// The chance that k trials all pass: C(c, k) / C(n, k) (Yao et al. 2024, "τ-bench"). None with
/// fewer than k trials.
pub fn pass_hat_k(n: u64, c: u64, k: u64) -> Option<f64> {
    if k == 0 || n < k || c > n {
        return None;
    }
    if c < k {
        return Some(0.0);
    }
    Some((0..k).map(|i| (c - i) as f64 / (n - i) as f64).product())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(n: u64, k: u64) -> f64 {
        if k > n { 0.0 } else { (0..k).map(|i| (n - i) as f64 / (i + 1) as f64).product() }
    }

    #[test]
    fn chances_are_the_ratios_of_binomials() {
        for n in 1..30_u64 {
            for c in 0..=n {
                for k in 1..=n {
                    let at = 1.0 - choose(n - c, k) / choose(n, k);
                    let hat = choose(c, k) / choose(n, k);
                    assert!((pass_at_k(n, c, k).unwrap() - at).abs() < 1e-12, "pass@{k} of {c}/{n}");
                    assert!((pass_hat_k(n, c, k).unwrap() - hat).abs() < 1e-12, "pass^{k} of {c}/{n}");
                }
            }
        }
    }

    #[test]
    fn the_pinned_case_of_the_semantics() {
        assert_eq!(pass_at_k(3, 2, 2), Some(1.0));
        assert!((pass_hat_k(3, 2, 2).unwrap() - 1.0 / 3.0).abs() < 1e-15);
        assert_eq!(pass_at_k(3, 2, 4), None);
        assert_eq!(pass_hat_k(0, 0, 1), None);
    }

    #[test]
    fn many_trials_stay_finite() {
        let p = pass_at_k(10_000, 5, 100).unwrap();
        assert!((0.0..=1.0).contains(&p));
        assert!(pass_hat_k(10_000, 9_000, 100).unwrap() > 0.0);
    }
}
