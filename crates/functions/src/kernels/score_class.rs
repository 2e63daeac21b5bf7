//! What became of one score of one case.

/// The class of a pair of scores. No name is longer than [`ScoreClass::NAME_MAX`] bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScoreClass {
    /// Better by more than the tolerance.
    Improved,
    /// Worse by more than the tolerance.
    Regressed,
    /// Within the tolerance.
    Unchanged,
    /// The base has a score, the candidate has none.
    LostScore,
    /// The candidate has a score, the base has none.
    GainedScore,
    /// Neither has a score.
    NoScore,
}

/// The tolerance of a score without one of its own: what rounding alone can do.
pub const DEFAULT_TOLERANCE: f64 = 1e-9;

/// Which way is better.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Direction {
    /// A higher score is better.
    #[default]
    Higher,
    /// A lower score is better.
    Lower,
}

impl Direction {
    /// Every direction, as it is written.
    pub const NAMES: [&str; 2] = ["higher", "lower"];

    /// The direction of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "higher" => Some(Self::Higher),
            "lower" => Some(Self::Lower),
            _ => None,
        }
    }
}

impl ScoreClass {
    /// The class of a pair.
    #[inline]
    pub fn of(base: Option<f64>, candidate: Option<f64>, tolerance: f64, direction: Direction) -> Self {
        let (base, candidate) = match (base, candidate) {
            (Some(base), Some(candidate)) => (base, candidate),
            (Some(_), None) => return Self::LostScore,
            (None, Some(_)) => return Self::GainedScore,
            (None, None) => return Self::NoScore,
        };
        let gain = match direction {
            Direction::Higher => candidate - base,
            Direction::Lower => base - candidate,
        };
        // A table and no branches: which way a score goes is hard to predict.
        const CLASSES: [[ScoreClass; 2]; 2] =
            [[ScoreClass::Unchanged, ScoreClass::Regressed], [ScoreClass::Improved, ScoreClass::Improved]];
        CLASSES[usize::from(gain > tolerance)][usize::from(gain < -tolerance)]
    }

    /// Every class, in the order of their numbers.
    pub const ALL: [Self; 6] =
        [Self::Improved, Self::Regressed, Self::Unchanged, Self::LostScore, Self::GainedScore, Self::NoScore];

    /// The bytes of the longest name.
    pub const NAME_MAX: usize = 12;

    /// The class as SQL and JSON write it.
    #[inline]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Improved => "improved",
            Self::Regressed => "regressed",
            Self::Unchanged => "unchanged",
            Self::LostScore => "lost_score",
            Self::GainedScore => "gained_score",
            Self::NoScore => "no_score",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(base: Option<f64>, candidate: Option<f64>) -> ScoreClass {
        ScoreClass::of(base, candidate, DEFAULT_TOLERANCE, Direction::Higher)
    }

    #[test]
    fn tolerance_is_absolute_and_inclusive() {
        assert_eq!(class(Some(0.3), Some(0.1 + 0.2)), ScoreClass::Unchanged);
        assert_eq!(ScoreClass::of(Some(0.5), Some(0.75), 0.25, Direction::Higher), ScoreClass::Unchanged);
        assert_eq!(class(Some(0.5), Some(0.75)), ScoreClass::Improved);
    }

    #[test]
    fn lower_turns_the_sign() {
        assert_eq!(ScoreClass::of(Some(2.0), Some(1.0), 0.0, Direction::Lower), ScoreClass::Improved);
        assert_eq!(ScoreClass::of(Some(1.0), Some(2.0), 0.0, Direction::Lower), ScoreClass::Regressed);
    }

    #[test]
    fn missing_scores_have_classes_of_their_own() {
        assert_eq!(class(Some(1.0), None), ScoreClass::LostScore);
        assert_eq!(class(None, Some(1.0)), ScoreClass::GainedScore);
        assert_eq!(class(None, None), ScoreClass::NoScore);
    }

    #[test]
    fn equal_infinities_are_unchanged() {
        assert_eq!(class(Some(f64::INFINITY), Some(f64::INFINITY)), ScoreClass::Unchanged);
    }

    #[test]
    fn classes_know_their_numbers_and_longest_name() {
        for (number, class) in ScoreClass::ALL.into_iter().enumerate() {
            assert_eq!(class as usize, number);
        }
        let longest = ScoreClass::ALL.iter().map(|class| class.name().len()).max();
        assert_eq!(longest, Some(ScoreClass::NAME_MAX));
    }

    #[test]
    fn names_and_directions_agree() {
        assert!(Direction::NAMES.iter().all(|name| Direction::from_name(name).is_some()));
    }
}
