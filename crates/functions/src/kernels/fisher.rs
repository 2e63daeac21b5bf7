//! Fisher's exact test of two shares.

/// Two tables that are equally likely must not be told apart by rounding (as in R's `fisher.test`).
const TIE: f64 = 1e-7;

/// The two-sided p-value of "both shares are equal", of `passes` among `cases` on each side: the
/// chance, the margins given, of a table that is at most as likely as the one seen (R. A. Fisher,
/// JRSS 85, 1922; ordered by likelihood as by Freeman and Halton, Biometrika 38, 1951). 1 where a
/// side has no cases, or all cases pass or none.
pub fn fisher_exact(passes: [u64; 2], cases: [u64; 2]) -> f64 {
    let [first, second] = cases;
    let total = passes[0] + passes[1];
    // Passes of the first side: hypergeometric between these ends.
    let (low, high) = (total.saturating_sub(second), first.min(total));
    // The likelihoods over that of the mode, from the mode outwards: no factorial is ever formed.
    let mode = (u128::from(first + 1) * u128::from(total + 1) / u128::from(first + second + 2)) as u64;
    let mode = mode.clamp(low, high);
    let step = |x: u64| {
        let [up, down] = [(first - x) as f64 * (total - x) as f64, (x + 1) as f64 * (second + x + 1 - total) as f64];
        up / down
    };
    let upwards = (mode..high).scan(1.0, |likelihood, x| {
        *likelihood *= step(x);
        Some((x + 1, *likelihood))
    });
    let downwards = (low..mode).rev().scan(1.0, |likelihood, x| {
        *likelihood /= step(x);
        Some((x, *likelihood))
    });
    let is_seen = |likelihood: &f64| *likelihood > 0.0;
    let upwards: Vec<(u64, f64)> = upwards.take_while(|(_, likelihood)| is_seen(likelihood)).collect();
    let downwards: Vec<(u64, f64)> = downwards.take_while(|(_, likelihood)| is_seen(likelihood)).collect();
    let all = || upwards.iter().chain(&downwards).copied().chain([(mode, 1.0)]);
    let seen = all().find(|(x, _)| *x == passes[0]).map_or(0.0, |(_, likelihood)| likelihood);
    let sum = |most: f64| all().map(|(_, likelihood)| likelihood).filter(|likelihood| *likelihood <= most).sum::<f64>();
    (sum(seen * (1.0 + TIE)) / sum(f64::INFINITY)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_tables_by_hand() {
        // C(4, 2) = 6 tables are equally likely when two of two pass, then none of two; two are as far.
        assert!((fisher_exact([2, 0], [2, 2]) - 1.0 / 3.0).abs() < 1e-15);
        // The lady tasting tea: three of four cups right.
        assert!((fisher_exact([3, 1], [4, 4]) - 34.0 / 70.0).abs() < 1e-15);
        assert!((fisher_exact([4, 0], [4, 4]) - 2.0 / 70.0).abs() < 1e-15);
    }

    #[test]
    fn nothing_to_tell_apart() {
        assert_eq!(fisher_exact([0, 0], [0, 0]), 1.0);
        assert_eq!(fisher_exact([3, 9], [3, 9]), 1.0);
        assert_eq!(fisher_exact([0, 0], [5, 7]), 1.0);
    }

    #[test]
    fn many_cases_take_no_factorials() {
        let p = fisher_exact([500_000, 501_000], [1_000_000, 1_000_000]);
        assert!((0.15..0.17).contains(&p), "{p}");
        assert_eq!(fisher_exact([1_000_000, 0], [1_000_000, 1_000_000]), 0.0);
    }
}
