//! Sums that keep the rounding error of each addition, so that the order of the additions and the
//! split of the rows over partitions do not show in the answer.
//!
//! A sum is an unevaluated pair of doubles, about 32 decimal digits (Ogita, Rump, Oishi, "Accurate
//! sum and dot product", SIAM J. Sci. Comput. 26, 2005).

/// A sum as an unevaluated pair: its value is `high + low`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CompensatedSum {
    /// The rounded sum.
    pub high: f64,
    /// What rounding lost.
    pub low: f64,
}

impl CompensatedSum {
    /// The sum of one value.
    pub fn of(value: f64) -> Self {
        Self { high: value, low: 0.0 }
    }

    /// The sum of one product, exact.
    pub fn of_product(left: f64, right: f64) -> Self {
        let (high, low) = two_product(left, right);
        Self { high, low }
    }

    /// Adds another sum to this one.
    #[inline]
    pub fn merge(&mut self, other: Self) {
        let (high, error) = two_sum(self.high, other.high);
        self.high = high;
        self.low += error + other.low;
    }

    /// The sum, rounded once.
    pub fn value(self) -> f64 {
        self.high + self.low
    }

    /// The sum divided by a number, as a pair.
    pub fn divide(self, divisor: f64) -> Self {
        let (high, low) = two_sum(self.high, self.low);
        let quotient = high / divisor;
        let (product, error) = two_product(quotient, divisor);
        let remainder = (high - product) - error + low;
        let (high, low) = two_sum(quotient, remainder / divisor);
        Self { high, low }
    }

    /// The product of two pairs, as a pair.
    pub fn multiply(self, other: Self) -> Self {
        let (high, error) = two_product(self.high, other.high);
        Self { high, low: error + (self.high * other.low + self.low * other.high) }
    }

    /// The difference of two pairs, as a pair.
    pub fn subtract(self, other: Self) -> Self {
        let (high, error) = two_sum(self.high, -other.high);
        Self { high, low: error + (self.low - other.low) }
    }
}

impl FromIterator<f64> for CompensatedSum {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut sum = Self::default();
        for value in values {
            sum.merge(Self::of(value));
        }
        sum
    }
}

/// The rounded sum and its exact error (Knuth).
#[inline]
fn two_sum(left: f64, right: f64) -> (f64, f64) {
    let sum = left + right;
    let right_part = sum - left;
    let left_part = sum - right_part;
    (sum, (left - left_part) + (right - right_part))
}

/// The rounded product and its exact error (Dekker and Veltkamp). A fused multiply-add would be
/// shorter, but is a library call on processors it is not compiled for. Of numbers beyond 2^996 the
/// error is left out: splitting them would overflow.
#[inline]
fn two_product(left: f64, right: f64) -> (f64, f64) {
    const SPLITTER: f64 = 134_217_729.0; // 2^27 + 1
    let split = |value: f64| {
        let scaled = SPLITTER * value;
        let high = scaled - (scaled - value);
        (high, value - high)
    };
    let product = left * right;
    let (left_high, left_low) = split(left);
    let (right_high, right_low) = split(right);
    let error =
        ((left_high * right_high - product) + left_high * right_low + left_low * right_high) + left_low * right_low;
    (product, if error.is_finite() { error } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_value_survives_large_ones() {
        let sum: CompensatedSum = [1e16, 1.0, -1e16].into_iter().collect();
        assert_eq!(sum.value(), 1.0);
    }

    #[test]
    fn products_are_exact() {
        let (product, error) = two_product(0.1, 0.1);
        assert_eq!(error, 0.1_f64.mul_add(0.1, -product));
        assert_ne!(error, 0.0);
    }

    #[test]
    fn products_of_huge_numbers_are_numbers() {
        assert_eq!(two_product(1e305, 2.0), (2e305, 0.0));
        assert_eq!(CompensatedSum::of(4e305).divide(4.0).value(), 1e305);
        assert_eq!(CompensatedSum::of_product(1e305, 1e305).value(), f64::INFINITY);
    }

    #[test]
    fn quotients_carry_the_remainder() {
        let third = CompensatedSum::of(1.0).divide(3.0);
        let back = third.multiply(CompensatedSum::of(3.0));
        assert!((back.subtract(CompensatedSum::of(1.0))).value().abs() < 1e-31);
    }
}
