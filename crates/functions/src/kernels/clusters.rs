//! The standard error of a mean when values come in clusters that are alike inside.
//!
//! SE² = 1/n² · Σ_g (Σ_{i∈g} (x_i − x̄))² · G/(G−1), with G clusters over n values: the sandwich
//! estimator of a regression on a constant (Liang and Zeger 1986; E. Miller, "Adding Error Bars to
//! Evals", arXiv:2411.00640, section 2.2) with the usual factor for few clusters.
//!
//! Only Σ_{i∈g} x_i and the number of values are needed of each cluster, because
//! Σ_{i∈g} (x_i − x̄) = Σ_{i∈g} x_i − n_g·x̄.

use std::collections::HashMap;

use super::compensated::CompensatedSum;
use super::moments::{Moments, finite};

/// What is kept of one cluster.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ClusterSum {
    /// How many values.
    pub count: i64,
    /// Their sum.
    pub sum: CompensatedSum,
}

impl ClusterSum {
    /// The state of one value.
    pub fn of(value: f64) -> Self {
        Self { count: 1, sum: CompensatedSum::of(value) }
    }

    fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.sum.merge(other.sum);
    }
}

/// The clusters of a set of values, by name. A value without a cluster is a cluster of its own.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Clusters {
    named: HashMap<String, ClusterSum>,
    unnamed: Moments,
    name_bytes: usize,
}

impl Clusters {
    /// Adds a part of a named cluster.
    pub fn merge_named(&mut self, name: &str, part: ClusterSum) {
        if let Some(cluster) = self.named.get_mut(name) {
            cluster.merge(part);
        } else {
            self.name_bytes += name.len();
            self.named.insert(name.to_owned(), part);
        }
    }

    /// Adds values that have no cluster.
    pub fn merge_unnamed(&mut self, part: &Moments) {
        self.unnamed.merge(part);
    }

    /// The values that have no cluster.
    pub fn unnamed(&self) -> &Moments {
        &self.unnamed
    }

    /// The named clusters, sorted by name.
    pub fn sorted(&self) -> Vec<(&str, ClusterSum)> {
        let mut clusters: Vec<_> = self.named.iter().map(|(name, sum)| (name.as_str(), *sum)).collect();
        clusters.sort_unstable_by_key(|(name, _)| *name);
        clusters
    }

    /// The number of clusters.
    pub fn count(&self) -> i64 {
        self.named.len() as i64 + self.unnamed.count
    }

    /// The standard error of the mean of all values; none with fewer than two clusters.
    pub fn standard_error(&self, all: &Moments) -> Option<f64> {
        let clusters = self.count();
        if clusters < 2 {
            return None;
        }
        // One value repeated in every cluster has no error, not the last digit of a rounded mean.
        if all.min == all.max {
            return Some(0.0);
        }
        let mean = all.mean_pair();
        let mut squares = CompensatedSum::of(self.unnamed.squared_deviation(mean));
        for cluster in self.named.values() {
            let residual = residual(cluster, mean);
            squares.merge(CompensatedSum::of_product(residual, residual));
        }
        let correction = clusters as f64 / (clusters - 1) as f64;
        finite((squares.value() * correction).sqrt() / all.count as f64)
    }

    /// Bytes held outside the struct itself.
    pub fn heap_size(&self) -> usize {
        self.named.capacity() * (size_of::<(String, ClusterSum)>() + 1) + self.name_bytes
    }
}

/// Σ_{i∈g} (x_i − x̄), with what is only rounding taken as 0.
fn residual(cluster: &ClusterSum, mean: CompensatedSum) -> f64 {
    const ROUNDING: f64 = 1e-29;
    let expected = mean.multiply(CompensatedSum::of(cluster.count as f64));
    let residual = cluster.sum.subtract(expected).value();
    let scale = cluster.sum.high.abs() + expected.high.abs();
    if residual.abs() <= ROUNDING * scale { 0.0 } else { residual }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clusters(rows: &[(Option<&str>, f64)]) -> (Clusters, Moments) {
        let mut clusters = Clusters::default();
        for (name, value) in rows {
            match name {
                Some(name) => clusters.merge_named(name, ClusterSum::of(*value)),
                None => clusters.merge_unnamed(&Moments::of(*value)),
            }
        }
        (clusters, rows.iter().map(|(_, value)| *value).collect())
    }

    #[test]
    fn by_hand() {
        // Mean 0.5; residuals a: 1, b: −1; SE² = (1 + 1) · 2/1 / 16.
        let (clusters, all) = clusters(&[(Some("a"), 1.0), (Some("a"), 1.0), (Some("b"), 0.0), (Some("b"), 0.0)]);
        assert_eq!(clusters.standard_error(&all), Some(0.5));
    }

    #[test]
    fn clusters_of_one_are_the_plain_standard_error() {
        let values = [0.2, 0.9, 0.4, 0.7, 0.1];
        let named: Vec<_> = ["a", "b", "c", "d", "e"].into_iter().map(Some).zip(values).collect();
        let unnamed: Vec<_> = std::iter::repeat(None).zip(values).collect();
        let plain = values.into_iter().collect::<Moments>().sd().unwrap() / 5.0_f64.sqrt();
        for rows in [named, unnamed] {
            let (clusters, all) = clusters(&rows);
            assert!((clusters.standard_error(&all).unwrap() / plain - 1.0).abs() < 1e-14);
        }
    }

    #[test]
    fn one_cluster_has_no_error() {
        let (clusters, all) = clusters(&[(Some("a"), 1.0), (Some("a"), 0.0)]);
        assert_eq!(clusters.standard_error(&all), None);
    }

    #[test]
    fn clusters_with_equal_means_have_none_either() {
        let third = 1.0 / 3.0;
        let rows: Vec<_> =
            ["a", "b", "c"].iter().flat_map(|g| [(Some(*g), third), (Some(*g), 0.1), (Some(*g), 0.9)]).collect();
        let (clusters, all) = clusters(&rows);
        assert_eq!(clusters.standard_error(&all), Some(0.0));
    }
}
