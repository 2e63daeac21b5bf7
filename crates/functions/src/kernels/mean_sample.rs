//! The mean of a set of scores with its interval.

use super::clusters::{ClusterSum, Clusters};
use super::interval::{student_t_95, wilson_95};
use super::moments::Moments;

/// The scores of one set, in clusters or not, mergeable in any order.
#[derive(Debug, Clone)]
pub struct MeanSample {
    /// Count, sum and squares of the scores.
    pub scores: Moments,
    /// False once a score is neither 0 nor 1.
    pub is_binary: bool,
    /// The clusters, where the scores have them.
    pub clusters: Option<Clusters>,
}

/// A mean with its interval; what cannot be computed is none.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct MeanInterval {
    /// How many scores.
    pub n: i64,
    /// Their mean.
    pub mean: Option<f64>,
    /// Their standard deviation (n − 1).
    pub sd: Option<f64>,
    /// The standard error of the mean.
    pub se: Option<f64>,
    /// 95 % interval, lower end.
    pub ci_low: Option<f64>,
    /// 95 % interval, upper end.
    pub ci_high: Option<f64>,
    /// How the interval was made: `wilson`, `t` or `cluster_t`; none of no scores.
    pub method: Option<&'static str>,
}

impl MeanSample {
    /// An empty set.
    pub fn new(is_clustered: bool) -> Self {
        Self { scores: Moments::default(), is_binary: true, clusters: is_clustered.then(Clusters::default) }
    }

    /// Adds one score without a cluster.
    #[inline]
    pub fn add(&mut self, score: f64) {
        self.scores.merge(&Moments::of(score));
        self.is_binary &= score == 0.0 || score == 1.0;
    }

    /// Adds one score of a cluster; without a name it is a cluster of its own.
    pub fn add_clustered(&mut self, score: f64, cluster: Option<&str>) {
        self.add(score);
        if let Some(clusters) = &mut self.clusters {
            match cluster {
                Some(name) => clusters.merge_named(name, ClusterSum::of(score)),
                None => clusters.merge_unnamed(&Moments::of(score)),
            }
        }
    }

    /// The mean and its interval.
    pub fn interval(&self) -> MeanInterval {
        let n = self.scores.count;
        let Some(mean) = self.scores.mean() else {
            return MeanInterval { n, ..MeanInterval::default() };
        };
        let sd = self.scores.sd();
        let count = n as f64;
        let plain_error = sd.map(|sd| sd / count.sqrt());
        let (method, se, interval) = match &self.clusters {
            Some(clusters) => {
                let se = clusters.standard_error(&self.scores);
                let df = (clusters.count() - 1) as f64;
                ("cluster_t", se, se.and_then(|se| student_t_95(mean, se, df)))
            }
            None if self.is_binary => ("wilson", plain_error, wilson_95(mean, count)),
            None => {
                let interval = plain_error.and_then(|se| student_t_95(mean, se, count - 1.0));
                ("t", plain_error, interval)
            }
        };
        MeanInterval {
            n,
            mean: Some(mean),
            sd,
            se,
            ci_low: interval.map(|(low, _)| low),
            ci_high: interval.map(|(_, high)| high),
            method: Some(method),
        }
    }
}
