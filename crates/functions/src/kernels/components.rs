//! Aggregate scores of one row: several component scores made into one.

use std::fmt;
use std::str::FromStr;

/// What a missing component means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MissingPolicy {
    /// The score is made of the components that are there: a null score means "not applicable".
    #[default]
    Renormalise,
    /// The score is missing too.
    Null,
    /// The component counts as 0.
    Zero,
}

impl MissingPolicy {
    /// Every policy, as it is written.
    pub const NAMES: [&str; 3] = ["renormalise", "null", "zero"];
}

/// A text that names no policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownPolicy;

impl fmt::Display for UnknownPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unknown policy")
    }
}

impl std::error::Error for UnknownPolicy {}

impl FromStr for MissingPolicy {
    type Err = UnknownPolicy;

    fn from_str(text: &str) -> Result<Self, UnknownPolicy> {
        match text {
            "renormalise" => Ok(Self::Renormalise),
            "null" => Ok(Self::Null),
            "zero" => Ok(Self::Zero),
            _ => Err(UnknownPolicy),
        }
    }
}

/// How components become one score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Combination {
    /// Σ w·s / Σ w.
    Weighted,
    /// The smallest.
    Minimum,
    /// The largest.
    Maximum,
}

/// The score of one row while its components are added one by one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CombinedScore {
    value: f64,
    weight: f64,
    present: bool,
    missing: bool,
}

impl CombinedScore {
    /// A row without components yet.
    pub const EMPTY: Self = Self { value: 0.0, weight: 0.0, present: false, missing: false };

    /// Adds one component; the weight is looked at by [`Combination::Weighted`] alone.
    #[inline]
    pub fn add(&mut self, how: Combination, policy: MissingPolicy, score: Option<f64>, weight: f64) {
        let is_missing = score.is_none();
        self.missing |= is_missing;
        let score = match (score, policy) {
            (Some(score), _) => score,
            (None, MissingPolicy::Zero) => 0.0,
            (None, MissingPolicy::Renormalise | MissingPolicy::Null) => return,
        };
        let is_first = self.weight == 0.0;
        self.value = match how {
            Combination::Weighted => self.value + weight * score,
            Combination::Minimum if !is_first => self.value.min(score),
            Combination::Maximum if !is_first => self.value.max(score),
            Combination::Minimum | Combination::Maximum => score,
        };
        self.weight += weight;
        self.present |= !is_missing;
    }

    /// The score; none when every component is missing, whatever the policy.
    #[inline]
    pub fn finish(self, how: Combination, policy: MissingPolicy) -> Option<f64> {
        if !self.present || (self.missing && policy == MissingPolicy::Null) {
            return None;
        }
        match how {
            Combination::Weighted => Some(self.value / self.weight),
            Combination::Minimum | Combination::Maximum => Some(self.value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn combine(how: Combination, policy: MissingPolicy, parts: &[(Option<f64>, f64)]) -> Option<f64> {
        let mut row = CombinedScore::EMPTY;
        for (score, weight) in parts {
            row.add(how, policy, *score, *weight);
        }
        row.finish(how, policy)
    }

    #[test]
    fn policies_of_a_missing_component() {
        let parts = [(Some(1.0), 1.0), (None, 3.0)];
        assert_eq!(combine(Combination::Weighted, MissingPolicy::Renormalise, &parts), Some(1.0));
        assert_eq!(combine(Combination::Weighted, MissingPolicy::Null, &parts), None);
        assert_eq!(combine(Combination::Weighted, MissingPolicy::Zero, &parts), Some(0.25));
        assert_eq!(combine(Combination::Minimum, MissingPolicy::Zero, &parts), Some(0.0));
        assert_eq!(combine(Combination::Maximum, MissingPolicy::Renormalise, &parts), Some(1.0));
    }

    #[test]
    fn nothing_present_is_missing() {
        for policy in [MissingPolicy::Renormalise, MissingPolicy::Null, MissingPolicy::Zero] {
            assert_eq!(combine(Combination::Weighted, policy, &[(None, 1.0), (None, 1.0)]), None);
        }
    }

    #[test]
    fn negative_scores_compare_as_numbers() {
        let parts = [(Some(-2.0), 1.0), (Some(-1.0), 1.0)];
        assert_eq!(combine(Combination::Maximum, MissingPolicy::Null, &parts), Some(-1.0));
        assert_eq!(combine(Combination::Minimum, MissingPolicy::Null, &parts), Some(-2.0));
    }

    #[test]
    fn names_and_policies_agree() {
        for name in MissingPolicy::NAMES {
            assert!(name.parse::<MissingPolicy>().is_ok(), "{name}");
        }
        assert_eq!("".parse::<MissingPolicy>(), Err(UnknownPolicy));
    }
}
