//! The difference of paired scores: interval, test, and the smallest effect that could be seen.
//!
//! Let d = candidate − base of a pair. SE = sd(d)/√n, or cluster-robust (see [`clusters`]); the
//! interval is mean ± t·SE with n − 1 degrees of freedom, or clusters − 1. The p-value comes from
//! the first of these that fits:
//!
//! | pairs | method |
//! |---|---|
//! | with clusters | `cluster_t`: t test with the cluster-robust error |
//! | all scores 0 or 1 | `mcnemar_exact` on the pairs that differ |
//! | at most 16 | `sign_flip_exact`, all 2ⁿ signs |
//! | 17 to 29 | `sign_flip`, 10,000 seeded draws |
//! | 30 and more | `paired_t` |
//!
//! The minimal detectable effect is (z₀.₉₇₅ + z₀.₈)·SE: with 80 % power at the 5 % level.
//!
//! [`clusters`]: super::clusters

use super::binomial::mcnemar_exact;
use super::clusters::{ClusterSum, Clusters};
use super::compensated::CompensatedSum;
use super::interval::student_t_95;
use super::moments::{Moments, finite};
use super::normal::{Z_80, Z_975};
use super::{sign_flip, student_t};

/// Up to here all sign assignments are tried.
pub const EXACT_PAIRS_MAX: usize = 16;

/// Up to here signs are flipped; above, the t test is as good.
pub const FLIPPED_PAIRS_MAX: usize = 29;

/// What is summed over pairs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedSums {
    /// Count, sum and squares of the differences.
    pub differences: Moments,
    /// The sum of the base scores.
    pub base: CompensatedSum,
    /// The sum of the candidate scores.
    pub candidate: CompensatedSum,
    /// Pairs of base 1 and candidate 0, meaningful while all scores are 0 or 1.
    pub lost: i64,
    /// Pairs of base 0 and candidate 1, meaningful while all scores are 0 or 1.
    pub won: i64,
    /// False once a score is neither 0 nor 1.
    pub is_binary: bool,
}

impl Default for PairedSums {
    fn default() -> Self {
        Self {
            differences: Moments::default(),
            base: CompensatedSum::default(),
            candidate: CompensatedSum::default(),
            lost: 0,
            won: 0,
            is_binary: true,
        }
    }
}

impl PairedSums {
    /// The sums of one pair.
    #[inline]
    pub fn of(base: f64, candidate: f64) -> Self {
        let is_bit = |score: f64| score == 0.0 || score == 1.0;
        Self {
            differences: Moments::of(candidate - base),
            base: CompensatedSum::of(base),
            candidate: CompensatedSum::of(candidate),
            lost: i64::from(base > candidate),
            won: i64::from(candidate > base),
            is_binary: is_bit(base) && is_bit(candidate),
        }
    }

    /// Adds the pairs of another part.
    #[inline]
    pub fn merge(&mut self, other: &Self) {
        self.differences.merge(&other.differences);
        self.base.merge(other.base);
        self.candidate.merge(other.candidate);
        self.lost += other.lost;
        self.won += other.won;
        self.is_binary &= other.is_binary;
    }
}

/// The pairs of one comparison, in clusters or not, mergeable in any order.
#[derive(Debug, Clone)]
pub struct PairedSample {
    /// The sums.
    pub sums: PairedSums,
    /// Every difference, while there are at most [`FLIPPED_PAIRS_MAX`] and no clusters.
    few: Option<Vec<f64>>,
    /// The clusters, where the pairs have them.
    pub clusters: Option<Clusters>,
}

/// A mean difference with its interval and test; what cannot be computed is none.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct PairedDifference {
    /// How many pairs.
    pub n: i64,
    /// The mean of the base scores.
    pub base_mean: Option<f64>,
    /// The mean of the candidate scores.
    pub candidate_mean: Option<f64>,
    /// The mean difference.
    pub delta: Option<f64>,
    /// The standard deviation of the differences (n − 1).
    pub sd: Option<f64>,
    /// The standard error of the mean difference.
    pub se: Option<f64>,
    /// 95 % interval of the mean difference, lower end.
    pub ci_low: Option<f64>,
    /// 95 % interval of the mean difference, upper end.
    pub ci_high: Option<f64>,
    /// Mean difference over its standard error; none when that is 0.
    pub t: Option<f64>,
    /// The degrees of freedom of the interval.
    pub df: Option<f64>,
    /// The two-sided p-value.
    pub p: Option<f64>,
    /// The smallest effect that could be seen with 80 % power at the 5 % level.
    pub mde: Option<f64>,
    /// The test that p comes from; none of no pairs.
    pub method: Option<&'static str>,
}

impl PairedSample {
    /// No pairs.
    pub fn new(is_clustered: bool) -> Self {
        Self {
            sums: PairedSums::default(),
            few: (!is_clustered).then(Vec::new),
            clusters: is_clustered.then(Clusters::default),
        }
    }

    /// Adds one pair without a cluster.
    pub fn add(&mut self, base: f64, candidate: f64) {
        self.extend(std::iter::once((base, candidate)));
    }

    /// Adds pairs without clusters.
    pub fn extend(&mut self, pairs: impl Iterator<Item = (f64, f64)>) {
        // A local copy stays in registers.
        let mut sums = self.sums;
        for (base, candidate) in pairs {
            let pair = PairedSums::of(base, candidate);
            sums.merge(&pair);
            if self.few.is_some() {
                self.merge_few(Some(&[pair.differences.sum.high]));
            }
        }
        self.sums = sums;
    }

    /// Adds one pair of a cluster; without a name it is a cluster of its own.
    pub fn add_clustered(&mut self, base: f64, candidate: f64, cluster: Option<&str>) {
        let pair = PairedSums::of(base, candidate);
        self.sums.merge(&pair);
        if let Some(clusters) = &mut self.clusters {
            match cluster {
                Some(name) => clusters.merge_named(name, ClusterSum::of(pair.differences.sum.high)),
                None => clusters.merge_unnamed(&pair.differences),
            }
        }
    }

    /// Every difference, where they are few.
    pub fn few(&self) -> Option<&[f64]> {
        self.few.as_deref()
    }

    /// Adds the differences of another part; none when they are no longer few.
    pub fn merge_few(&mut self, other: Option<&[f64]>) {
        match (&mut self.few, other) {
            (Some(few), Some(other)) if few.len() + other.len() <= FLIPPED_PAIRS_MAX => {
                few.extend_from_slice(other);
            }
            _ => self.few = None,
        }
    }

    /// Bytes held outside the struct itself.
    pub fn heap_size(&self) -> usize {
        let few = self.few.as_ref().map_or(0, |few| few.capacity() * size_of::<f64>());
        few + self.clusters.as_ref().map_or(0, Clusters::heap_size)
    }

    /// The mean difference, its interval and its test.
    pub fn difference(&self) -> PairedDifference {
        let differences = &self.sums.differences;
        let n = differences.count;
        let Some(delta) = differences.mean() else {
            return PairedDifference { n, ..PairedDifference::default() };
        };
        let count = n as f64;
        let sd = differences.sd();
        let (se, df) = match &self.clusters {
            Some(clusters) => (clusters.standard_error(differences), (clusters.count() - 1) as f64),
            None => (sd.map(|sd| sd / count.sqrt()), count - 1.0),
        };
        let interval = se.and_then(|se| student_t_95(delta, se, df));
        let (method, p) = self.test(delta, se, df);
        PairedDifference {
            n,
            base_mean: finite(self.sums.base.divide(count).value()),
            candidate_mean: finite(self.sums.candidate.divide(count).value()),
            delta: Some(delta),
            sd,
            se,
            ci_low: interval.map(|(low, _)| low),
            ci_high: interval.map(|(_, high)| high),
            t: se.and_then(|se| finite(delta / se)),
            df: se.map(|_| df),
            p,
            mde: se.map(|se| (Z_975 + Z_80) * se),
            method: Some(method),
        }
    }

    fn test(&self, delta: f64, se: Option<f64>, df: f64) -> (&'static str, Option<f64>) {
        if self.clusters.is_some() {
            return ("cluster_t", student_t_test(delta, se, df));
        }
        if self.sums.is_binary {
            let p = mcnemar_exact(self.sums.lost.unsigned_abs(), self.sums.won.unsigned_abs());
            return ("mcnemar_exact", Some(p));
        }
        match &self.few {
            Some(few) if few.len() <= EXACT_PAIRS_MAX => ("sign_flip_exact", Some(sign_flip::exact(few))),
            Some(few) => ("sign_flip", Some(sign_flip::sampled(few))),
            None => ("paired_t", student_t_test(delta, se, df)),
        }
    }
}

/// The two-sided p-value of a mean over its standard error. Without spread there is no doubt left:
/// p is 1 when the mean is 0, and 0 when it is not.
fn student_t_test(mean: f64, se: Option<f64>, df: f64) -> Option<f64> {
    match se? {
        0.0 => Some(if mean == 0.0 { 1.0 } else { 0.0 }),
        se => finite(student_t::two_sided(mean / se, df)),
    }
}
