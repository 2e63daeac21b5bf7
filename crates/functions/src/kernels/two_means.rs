//! Whether two means that share no cases differ.
//!
//! | values of both sides | test |
//! |---|---|
//! | all 0 or 1 | Fisher's exact test of the two shares (see [`fisher`](super::fisher)) |
//! | all equal on each side | the same, of "has the value of the first side": there are two values |
//! | any | the larger of Welch's p and Student's with a pooled variance |
//!
//! Why the larger: with few values on a side each of the two fails in its own way. Welch's test
//! believes a side whose few values happen to be equal to have no spread at all; the pooled test
//! believes a side whose few values happen to hold a rare one to have the small spread of the rest.
//! Searching 48 slices of 400 cases, with nothing to be found, one of them finds something in up to
//! 99 % and up to 58 % of searches after Holm's correction, over ten distributions of differences; the
//! larger of the two in at most 4 %. And as each is valid where its assumption holds, the larger is
//! valid where either does (R. L. Berger, Technometrics 24, 1982: intersection–union tests).

use super::fisher::fisher_exact;
use super::student_t;

/// A mean with its standard error over a number of values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanOf {
    /// The mean.
    pub mean: f64,
    /// Its standard error; 0 where it is not known.
    pub standard_error: f64,
    /// Values it is of.
    pub count: f64,
    /// Whether all values are 0 or 1.
    pub is_binary: bool,
}

/// The two-sided p-value of "the means are equal" by the test that fits; none where a side has no
/// value, or one value and the other side a spread.
pub fn difference_p(a: &MeanOf, b: &MeanOf) -> Option<f64> {
    let cases = [a, b].map(|side| side.count as u64);
    if cases.contains(&0) {
        None
    } else if a.is_binary && b.is_binary {
        Some(fisher_exact([a, b].map(|side| (side.mean * side.count).round() as u64), cases))
    } else if a.standard_error == 0.0 && b.standard_error == 0.0 {
        Some(if a.mean == b.mean { 1.0 } else { fisher_exact([cases[0], 0], cases) })
    } else {
        Some(welch(a, b)?.max(pooled(a, b)?))
    }
}

/// Welch's test, for spreads that may differ (B. L. Welch, Biometrika 34, 1947).
pub fn welch(a: &MeanOf, b: &MeanOf) -> Option<f64> {
    let [va, vb] = [a, b].map(|side| side.standard_error * side.standard_error);
    let df = (va + vb).powi(2) / (va * va / (a.count - 1.0) + vb * vb / (b.count - 1.0));
    test(a, b, va + vb, df)
}

/// Student's test, for one spread of both sides (Student, Biometrika 6, 1908).
pub fn pooled(a: &MeanOf, b: &MeanOf) -> Option<f64> {
    let [sa, sb] = [a, b].map(|side| side.standard_error.powi(2) * side.count * (side.count - 1.0));
    let df = a.count + b.count - 2.0;
    test(a, b, (sa + sb) / df * (1.0 / a.count + 1.0 / b.count), df)
}

fn test(a: &MeanOf, b: &MeanOf, variance: f64, df: f64) -> Option<f64> {
    if a.count < 2.0 || b.count < 2.0 || variance == 0.0 {
        return None;
    }
    Some(student_t::two_sided((a.mean - b.mean) / variance.sqrt(), df)).filter(|p| p.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::family::holm_adjusted;
    use crate::kernels::moments::Moments;
    use crate::kernels::random::SplitMix64;

    fn side(mean: f64, sd: f64, count: f64) -> MeanOf {
        MeanOf { mean, standard_error: sd / count.sqrt(), count, is_binary: false }
    }

    #[test]
    fn values_without_a_spread_are_no_certainty() {
        let p = |a: (f64, f64), b: (f64, f64)| difference_p(&side(a.0, 0.0, a.1), &side(b.0, 0.0, b.1)).unwrap();
        assert_eq!(p((0.5, 9.0), (0.5, 9.0)), 1.0);
        assert!((p((0.5, 2.0), (0.6, 2.0)) - 1.0 / 3.0).abs() < 1e-15);
        assert!((p((0.5, 1.0), (0.6, 9.0)) - 0.1).abs() < 1e-15);
        assert!(p((-1.0, 50.0), (0.0, 350.0)) < 1e-50);
        assert_eq!(difference_p(&side(0.5, 0.0, 1.0), &side(0.6, 0.1, 9.0)), None);
        assert_eq!(difference_p(&side(0.5, 0.0, 0.0), &side(0.6, 0.0, 9.0)), None);
        let passes = |mean: f64| MeanOf { is_binary: true, ..side(mean, 0.0, 2.0) };
        assert!((difference_p(&passes(1.0), &passes(0.0)).unwrap() - 1.0 / 3.0).abs() < 1e-15);
    }

    /// The search that `explain` makes: cases in six fields of eight values, the common ones far more
    /// common than the rare ones, every slice of five cases or more against all others, Holm.
    fn false_alarms(cases: usize, difference: fn(&mut SplitMix64) -> f64) -> f64 {
        const SEARCHES: usize = 2_000;
        let mut random = SplitMix64::new(5);
        let alarms = (0..SEARCHES).filter(|_| {
            let differences: Vec<f64> = (0..cases).map(|_| difference(&mut random)).collect();
            let mut tests = Vec::new();
            for _ in 0..6 {
                let values: Vec<usize> = (0..cases).map(|_| (random.uniform().powi(3) * 8.0) as usize).collect();
                for value in 0..8 {
                    let part = |is_inside: bool| -> Moments {
                        let chosen = values.iter().zip(&differences);
                        chosen.filter(|(own, _)| (**own == value) == is_inside).map(|(_, d)| *d).collect()
                    };
                    let of = |m: &Moments| side(m.mean().unwrap(), m.sd().unwrap_or(0.0), m.count as f64);
                    let (inside, outside) = (part(true), part(false));
                    if inside.count >= 5 && outside.count > 0 {
                        tests.push(difference_p(&of(&inside), &of(&outside)).unwrap_or(f64::NAN));
                    }
                }
            }
            holm_adjusted(&tests).iter().any(|p| *p < 0.05)
        });
        alarms.count() as f64 / SEARCHES as f64
    }

    #[test]
    fn a_search_of_many_slices_rarely_finds_what_is_not_there() {
        fn falls(random: &mut SplitMix64, fall: f64, rise: f64) -> f64 {
            match random.uniform() {
                u if u < fall => -1.0,
                u if u < fall + rise => 1.0,
                _ => 0.0,
            }
        }
        type Draw = fn(&mut SplitMix64) -> f64;
        let kinds: [(&str, Draw); 6] = [
            ("30 % fall, 10 % rise", |random| falls(random, 0.3, 0.1)),
            ("5 % fall, 1 % rise", |random| falls(random, 0.05, 0.01)),
            ("1 % fall", |random| falls(random, 0.01, 0.0)),
            ("95 % fall", |random| falls(random, 0.95, 0.0)),
            ("normal", SplitMix64::normal),
            ("long tail", |random| (1.5 * random.normal()).exp()),
        ];
        for cases in [60, 400] {
            for (what, difference) in kinds {
                let share = false_alarms(cases, difference);
                assert!(share <= 0.05, "{what}, {cases} cases: {share}");
            }
        }
    }
}
