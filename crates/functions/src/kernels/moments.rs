//! Count, mean and standard deviation of a set of values, mergeable in any order.
//!
//! Sum and sum of squares are kept as exact pairs (see [`CompensatedSum`]) and not as running mean
//! and squared deviation: a running form loses digits differently for each split of the rows, which
//! shows as soon as the mean is large against the spread. With pairs the spread keeps twelve digits
//! up to a mean of 10⁹ times the spread.

use super::compensated::CompensatedSum;

/// The state of a set of finite values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    /// How many values.
    pub count: i64,
    /// Their sum.
    pub sum: CompensatedSum,
    /// The sum of their squares.
    pub squares: CompensatedSum,
    /// The smallest; +∞ of none.
    pub min: f64,
    /// The largest; −∞ of none.
    pub max: f64,
}

impl Default for Moments {
    fn default() -> Self {
        Self {
            count: 0,
            sum: CompensatedSum::default(),
            squares: CompensatedSum::default(),
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
        }
    }
}

impl Moments {
    /// The state of one value.
    #[inline]
    pub fn of(value: f64) -> Self {
        Self {
            count: 1,
            sum: CompensatedSum::of(value),
            squares: CompensatedSum::of_product(value, value),
            min: value,
            max: value,
        }
    }

    /// Adds one value.
    #[inline]
    pub fn add(&mut self, value: f64) {
        self.merge(&Self::of(value));
    }

    /// Adds the values of another set.
    #[inline]
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.sum.merge(other.sum);
        self.squares.merge(other.squares);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// The mean as a pair; of no values, not a number.
    pub fn mean_pair(&self) -> CompensatedSum {
        self.sum.divide(self.count as f64)
    }

    /// The mean; none of no values, or when the sum is beyond the range of a double.
    pub fn mean(&self) -> Option<f64> {
        finite(self.mean_pair().value())
    }

    /// Σ (x − m)² around a centre m near the mean.
    pub fn squared_deviation(&self, center: CompensatedSum) -> f64 {
        // Σx² − m·(2Σx − n·m)
        let count_center = center.multiply(CompensatedSum::of(self.count as f64));
        let mut inner = self.sum;
        inner.merge(self.sum);
        let inner = inner.subtract(count_center);
        let squares = self.squares.subtract(center.multiply(inner)).value();
        // Not `max`, which would turn a sum beyond the range of a double into 0.
        if squares < 0.0 { 0.0 } else { squares }
    }

    /// The sample standard deviation (n − 1); none of fewer than two values.
    pub fn sd(&self) -> Option<f64> {
        if self.count < 2 {
            return None;
        }
        // Equal values have no spread at all, not the last digit of a rounded square.
        if self.min == self.max {
            return Some(0.0);
        }
        finite((self.squared_deviation(self.mean_pair()) / (self.count - 1) as f64).sqrt())
    }
}

impl FromIterator<f64> for Moments {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut moments = Self::default();
        for value in values {
            moments.merge(&Self::of(value));
        }
        moments
    }
}

/// The value when it is finite.
pub(crate) fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_survives_a_large_mean() {
        let moments: Moments = [1e9 + 1.0, 1e9 + 2.0, 1e9 + 3.0, 1e9 + 4.0].into_iter().collect();
        let expected = (5.0_f64 / 3.0).sqrt();
        assert_eq!(moments.mean(), Some(1e9 + 2.5));
        assert!((moments.sd().unwrap() / expected - 1.0).abs() < 1e-14);
    }

    #[test]
    fn equal_values_have_no_spread() {
        let moments: Moments = std::iter::repeat_n(0.1, 10).collect();
        assert_eq!(moments.sd(), Some(0.0));
        assert_eq!(moments.mean(), Some(0.1));
    }

    #[test]
    fn none_and_one() {
        assert_eq!((Moments::default().mean(), Moments::default().sd()), (None, None));
        assert_eq!((Moments::of(2.0).mean(), Moments::of(2.0).sd()), (Some(2.0), None));
    }

    #[test]
    fn beyond_the_range_of_a_double_is_none() {
        let moments: Moments = [1e308, -1e308, 1e200].into_iter().collect();
        assert_eq!(moments.sd(), None);
    }
}
