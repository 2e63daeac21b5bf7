//! The sign-flip test of paired differences: were base and candidate the same, each difference
//! would be as likely with the other sign. p is the share of sign assignments whose sum is at least
//! as far from 0 as the observed one (R. A. Fisher, "The Design of Experiments", 1935, section 21).
//!
//! A sum within 10⁻¹² of Σ|d| below the observed one counts as a tie: scores are often multiples
//! of a tenth, and their ties must not depend on how doubles round.

use super::compensated::CompensatedSum;
use super::random::SplitMix64;

/// The most differences that [`exact`] takes; its lists have 2^(n/2) entries.
pub const EXACT_MAX: usize = 40;

/// Sign assignments that [`sampled`] draws.
pub const DRAWS: u32 = 10_000;

const TIE: f64 = 1e-12;
const SEED: u64 = 0x6576_616c_686f_7573; // "evalhous"

/// The p-value over all 2ⁿ assignments; not a number for more than [`EXACT_MAX`] differences.
///
/// The assignments of each half are listed in order, and pairs of the two lists are counted with
/// two pointers: 2^(n/2) steps in place of 2ⁿ.
pub fn exact(differences: &[f64]) -> f64 {
    if differences.len() > EXACT_MAX {
        return f64::NAN;
    }
    let sizes = sizes(differences);
    let threshold = threshold(differences);
    if threshold <= 0.0 {
        return 1.0;
    }
    let (first, second) = sizes.split_at(sizes.len() / 2);
    let (first, second) = (sorted_sums(first), sorted_sums(second));
    let mut reaching: u64 = 0;
    let mut below = second.len();
    for sum in first {
        while below > 0 && sum + second[below - 1] >= threshold {
            below -= 1;
        }
        reaching += (second.len() - below) as u64;
    }
    // As many assignments are as far on the other side.
    2.0 * reaching as f64 / (1_u64 << differences.len()) as f64
}

/// The p-value over [`DRAWS`] seeded assignments, the observed one added to both counts
/// (B. Phipson, G. K. Smyth, "Permutation p-values should never be zero", 2010). At most 64
/// differences; not a number for more.
pub fn sampled(differences: &[f64]) -> f64 {
    if differences.len() > u64::BITS as usize {
        return f64::NAN;
    }
    let sizes = sizes(differences);
    let threshold = threshold(differences);
    let mut random = SplitMix64::new(SEED);
    let mut reaching: u32 = 0;
    for _ in 0..DRAWS {
        let mut bits = random.next_bits();
        let mut sum = 0.0;
        for size in &sizes {
            sum += if bits & 1 == 0 { *size } else { -*size };
            bits >>= 1;
        }
        reaching += u32::from(sum.abs() >= threshold);
    }
    f64::from(reaching + 1) / f64::from(DRAWS + 1)
}

/// |d| in order: neither the order of the rows nor which side is the base can matter.
fn sizes(differences: &[f64]) -> Vec<f64> {
    let mut sizes: Vec<f64> = differences.iter().map(|d| d.abs()).collect();
    sizes.sort_unstable_by(f64::total_cmp);
    sizes
}

/// The sum to reach, lowered by the tolerance for ties.
fn threshold(differences: &[f64]) -> f64 {
    let observed: CompensatedSum = differences.iter().copied().collect();
    let total: CompensatedSum = differences.iter().map(|d| d.abs()).collect();
    observed.value().abs() - TIE * total.value()
}

/// The sums of all sign assignments, ascending.
fn sorted_sums(sizes: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0];
    for size in sizes {
        let mut merged = Vec::with_capacity(2 * sums.len());
        let (mut low, mut high) = (0, 0);
        while low < sums.len() {
            let (minus, plus) = (sums[low] - size, sums[high] + size);
            if minus <= plus {
                merged.push(minus);
                low += 1;
            } else {
                merged.push(plus);
                high += 1;
            }
        }
        merged.extend(sums[high..].iter().map(|sum| sum + size));
        sums = merged;
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every assignment, one by one.
    fn brute_force(differences: &[f64]) -> f64 {
        let n = differences.len();
        let threshold = threshold(differences);
        let reaching = (0..1_u64 << n)
            .filter(|signs| {
                let sum: f64 =
                    differences.iter().enumerate().map(|(i, d)| if signs >> i & 1 == 0 { *d } else { -*d }).sum();
                sum.abs() >= threshold
            })
            .count();
        reaching as f64 / (1_u64 << n) as f64
    }

    fn differences(seed: u64, n: usize) -> Vec<f64> {
        let mut random = SplitMix64::new(seed);
        (0..n).map(|_| (random.next_bits() % 21) as f64 / 10.0 - 0.8).collect()
    }

    #[test]
    fn agrees_with_every_assignment_tried() {
        for n in 1..=13 {
            for seed in 0..20 {
                let d = differences(seed, n);
                assert_eq!(exact(&d), brute_force(&d), "{d:?}");
            }
        }
    }

    #[test]
    fn small_cases_by_hand() {
        assert_eq!(exact(&[0.5]), 1.0);
        assert_eq!(exact(&[0.0, 0.0, 0.0]), 1.0);
        assert_eq!(exact(&[1.0, 1.0, 1.0]), 0.25);
        // The sum is rounding noise around 0.
        assert_eq!(exact(&[0.1, 0.2, -0.3]), 1.0);
    }

    #[test]
    fn drawing_comes_near_the_exact_value() {
        for seed in 0..5 {
            let d = differences(seed, 24);
            let (drawn, all) = (sampled(&d), exact(&d));
            assert!((drawn - all).abs() < 0.015, "{drawn} against {all}");
        }
    }

    #[test]
    fn order_and_side_do_not_matter() {
        let d = differences(3, 20);
        let mirrored: Vec<f64> = d.iter().rev().map(|d| -d).collect();
        assert_eq!(sampled(&d), sampled(&mirrored));
        assert_eq!(exact(&d), exact(&mirrored));
    }
}
