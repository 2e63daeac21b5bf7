//! Where the mean of a series of runs changed.
//!
//! A run i has a mean y_i with standard error s_i. Between runs the mean varies too, by τ, which is
//! estimated from successive differences (their median square, so that a few jumps do not inflate
//! it). With weights w_i = 1/(s_i² + τ²), the statistic of a split is
//!
//! T_k = |ȳ_left − ȳ_right| / √(φ · (1/W_left + 1/W_right)),
//!
//! where φ is the weighted residual variance around the two means, with n − 2 degrees of freedom, and
//! at least 1 where standard errors are known: runs vary at least as much as their cases say. The
//! best split is the one with the largest T. Its p-value is the share of simulated normal series of
//! the same length without a change whose largest T is as large: it accounts for having looked at
//! every place, and, T having no unit, it holds whatever τ is. A split with an adjusted p below 0.05
//! divides the series, and each part is searched again (binary segmentation, Scott and Knott 1974),
//! with p doubled at each level. A series without a change is flagged in at most 5 % of cases; a unit
//! test says so.
//!
//! Two precautions keep that promise. No run is taken to be surer than the median run: with unequal
//! errors and a τ that the estimate missed, a run of very many cases would outweigh all others, and
//! up to 9 % of series would be flagged. And a split on whose sides nothing varies, where no error is
//! known, is none: of two runs of coin flips that all fell alike there is no telling how they vary.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use super::random::SplitMix64 as Random;

/// A change of the mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChangePoint {
    /// First run after the change, from 0.
    pub position: usize,
    /// Weighted mean of the stretch before it.
    pub before: f64,
    /// Weighted mean of the stretch after it.
    pub after: f64,
    /// p-value, corrected for places and for the depth of the search.
    pub p: f64,
}

/// Level at which a change is believed.
const ALPHA: f64 = 0.05;
/// Numbers drawn at most for one length of series, and simulations at least.
const DRAWS_MAX: usize = 2_000_000;
const SIMULATIONS_MIN: usize = 199;
const SIMULATIONS_MAX: usize = 39_999;
/// What is left of a sum of squares by rounding alone, as a share of it.
const ROUNDING: f64 = 1e-12;
/// Median of the square of a standard normal number.
const MEDIAN_CHI_SQUARE: f64 = 0.454_936_423_119_572_8;
/// Runs from which τ can be estimated.
const RUNS_MIN: usize = 5;

/// The changes of a series, by position. Runs without a finite mean are left out by the caller;
/// standard errors that are unknown are 0.
pub fn change_points(means: &[f64], errors: &[f64]) -> Vec<ChangePoint> {
    let mut known: Vec<f64> = errors.iter().copied().filter(|error| *error > 0.0).collect();
    let floor = if known.is_empty() { 0.0 } else { median(&mut known) };
    let errors: Vec<f64> = errors.iter().map(|error| error.max(floor)).collect();
    let errors = errors.as_slice();
    let mut found = Vec::new();
    let mut open = vec![(0, means.len().min(errors.len()), 0_u32)];
    while let Some((from, to, depth)) = open.pop() {
        if to - from < 3 || depth > 20 {
            continue;
        }
        let (y, s) = (&means[from..to], &errors[from..to]);
        let Some((place, p)) = best_split(y, s) else { continue };
        let p = (p * f64::from(1_u32 << depth)).min(1.0);
        if p < ALPHA {
            found.push((from + place, p));
            open.push((from, from + place, depth + 1));
            open.push((from + place, to, depth + 1));
        }
    }
    found.sort_by_key(|(place, _)| *place);
    let places: Vec<usize> = found.iter().map(|(place, _)| *place).collect();
    let stretch = |from: usize, to: usize| {
        let variance = between(&means[from..to], &errors[from..to]);
        weighted_mean(&means[from..to], &errors[from..to], variance)
    };
    let before = |i: usize| if i == 0 { 0 } else { places[i - 1] };
    let after = |i: usize| places.get(i + 1).copied().unwrap_or(means.len());
    found
        .iter()
        .enumerate()
        .map(|(i, (place, p))| ChangePoint {
            position: *place,
            before: stretch(before(i), *place),
            after: stretch(*place, after(i)),
            p: *p,
        })
        .collect()
}

/// The most likely place of one change, and its p-value: two standard errors above the share of
/// simulated series, for they are drawn once and for all, and their error is the same for everyone.
fn best_split(y: &[f64], s: &[f64]) -> Option<(usize, f64)> {
    let (place, statistic) = largest(y, s, between(y, s))?;
    let null = null_statistics(y.len());
    let as_large = null.len() - null.partition_point(|other| *other < statistic);
    let draws = (null.len() + 1) as f64;
    let share = (as_large + 1) as f64 / draws;
    Some((place, (share + 2.0 * (share * (1.0 - share) / draws).sqrt()).min(1.0)))
}

/// The largest statistics of simulated series without a change, smallest first. They depend on the
/// length alone, so each length is simulated once.
fn null_statistics(n: usize) -> Arc<[f64]> {
    static KNOWN: LazyLock<Mutex<HashMap<usize, Arc<[f64]>>>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let simulate = || {
        let mut random = Random::new(n as u64);
        let simulations = (DRAWS_MAX / n).clamp(SIMULATIONS_MIN, SIMULATIONS_MAX);
        let (mut series, errors) = (vec![0.0; n], vec![0.0; n]);
        let mut statistics: Vec<f64> = (0..simulations)
            .filter_map(|_| {
                series.iter_mut().for_each(|value| *value = random.normal());
                largest(&series, &errors, 1.0).map(|(_, statistic)| statistic)
            })
            .collect();
        statistics.sort_by(f64::total_cmp);
        statistics.into()
    };
    Arc::clone(known.entry(n).or_insert_with(simulate))
}

/// The variance between runs, beyond their standard errors.
fn between(y: &[f64], s: &[f64]) -> f64 {
    if y.len() < RUNS_MIN {
        return 0.0;
    }
    let mut squares: Vec<f64> = y.windows(2).map(|pair| (pair[1] - pair[0]).powi(2)).collect();
    let mut errors: Vec<f64> = s.windows(2).map(|pair| pair[0] * pair[0] + pair[1] * pair[1]).collect();
    let excess = median(&mut squares) / MEDIAN_CHI_SQUARE - median(&mut errors);
    (excess / 2.0).max(0.0)
}

fn median(values: &mut [f64]) -> f64 {
    let middle = values.len() / 2;
    let (low, high, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let high = *high;
    if low.len() < middle || values.len() % 2 == 1 {
        return high;
    }
    let low = values[..middle].iter().copied().fold(f64::NEG_INFINITY, f64::max);
    low + (high - low) / 2.0
}

fn weight(error: f64, variance: f64) -> f64 {
    // Runs without any known error weigh the same.
    let total = error * error + variance;
    if total > 0.0 { 1.0 / total } else { 1.0 }
}

fn weighted_mean(y: &[f64], s: &[f64], variance: f64) -> f64 {
    let (sum, total) = y.iter().zip(s).fold((0.0, 0.0), |(sum, total), (y, s)| {
        let w = weight(*s, variance);
        (sum + w * y, total + w)
    });
    sum / total
}

/// The split with the largest statistic; none where nothing differs, or nothing varies.
fn largest(y: &[f64], s: &[f64], variance: f64) -> Option<(usize, f64)> {
    let n = y.len();
    let centre = weighted_mean(y, s, variance);
    let (mut total, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for (y, s) in y.iter().zip(s) {
        let w = weight(*s, variance);
        let distance = y - centre;
        total += w;
        sum += w * distance;
        squares += w * distance * distance;
    }
    let least_spread = if s.iter().any(|s| *s > 0.0) { 1.0 } else { 0.0 };
    // Differences that rounding alone makes are none.
    let noise = f64::EPSILON * f64::EPSILON * total * centre.abs().max(1.0).powi(2) * n as f64;
    let (mut left, mut left_sum) = (0.0, 0.0);
    let mut best: Option<(usize, f64)> = None;
    for k in 1..n {
        let w = weight(s[k - 1], variance);
        left += w;
        left_sum += w * (y[k - 1] - centre);
        let (right, right_sum) = (total - left, sum - left_sum);
        let explained = left_sum * left_sum / left + right_sum * right_sum / right;
        if explained <= noise {
            continue;
        }
        let rest = if squares - explained > ROUNDING * squares { squares - explained } else { 0.0 };
        let spread = (rest / (n as f64 - 2.0).max(1.0)).max(least_spread);
        if spread == 0.0 {
            continue;
        }
        let difference = left_sum / left - right_sum / right;
        let statistic = difference.abs() / ((1.0 / left + 1.0 / right) * spread).sqrt();
        if !statistic.is_nan() && best.is_none_or(|(_, known)| statistic > known) {
            best = Some((k, statistic));
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(random: &mut Random, n: usize, tau: f64, error: f64, shift_at: Option<(usize, f64)>) -> Vec<f64> {
        (0..n)
            .map(|i| {
                let shift = shift_at.filter(|(at, _)| i >= *at).map_or(0.0, |(_, by)| by);
                0.7 + shift + random.normal() * (tau * tau + error * error).sqrt()
            })
            .collect()
    }

    /// The standard error of each run, by its place.
    type Errors = fn(usize, usize, &mut Random) -> f64;

    #[test]
    fn a_series_without_a_change_is_rarely_flagged() {
        const DRAWS: usize = 10_000;
        let kinds: [(&str, bool, Errors); 5] = [
            ("equal", true, |_, _, _| 0.01),
            ("unknown", false, |_, _, _| 0.01),
            ("of all sizes", true, |_, _, random| 0.003 * 10_f64.powf(random.uniform())),
            ("the last unsure", true, |i, n, _| if i + 1 == n { 0.1 } else { 0.01 }),
            ("the last very sure", true, |i, n, _| if i + 1 == n { 0.001 } else { 0.01 }),
        ];
        for (what, is_known, error) in kinds {
            let mut random = Random::new(7);
            for (n, tau) in [(3, 0.0), (6, 0.0), (12, 0.01), (20, 0.01), (40, 0.02)] {
                let flagged = (0..DRAWS)
                    .filter(|_| {
                        let errors: Vec<f64> = (0..n).map(|i| error(i, n, &mut random)).collect();
                        let run = |error: &f64| 0.7 + random.normal() * (tau * tau + error * error).sqrt();
                        let means: Vec<f64> = errors.iter().map(run).collect();
                        !change_points(&means, if is_known { &errors } else { &ZEROS[..n] }).is_empty()
                    })
                    .count();
                // 5 %, and two standard errors of so many draws.
                let share = flagged as f64 / DRAWS as f64;
                assert!(share <= 0.05 + 2.0 * (0.05 * 0.95 / DRAWS as f64).sqrt(), "{what}, n {n}, tau {tau}: {share}");
            }
        }
    }

    const ZEROS: [f64; 40] = [0.0; 40];

    #[test]
    fn runs_that_never_vary_have_no_changes() {
        assert!(change_points(&[1.0, 1.0, 1.0, 0.0, 0.0, 0.0], &[0.0; 6]).is_empty());
        assert!(change_points(&[0.7, 0.7, 0.7, 0.7, 0.3, 0.3, 0.3, 0.3, 0.3], &[0.0; 9]).is_empty());
        // One error makes them comparable.
        let errors = [0.05, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        assert_eq!(change_points(&[0.7, 0.7, 0.7, 0.7, 0.3, 0.3, 0.3, 0.3, 0.3], &errors)[0].position, 4);
    }

    #[test]
    fn a_drop_of_several_errors_is_found_where_it_is() {
        let mut random = Random::new(11);
        let mut exact = 0;
        for _ in 0..100 {
            let y = series(&mut random, 30, 0.005, 0.01, Some((20, -0.06)));
            let found = change_points(&y, &[0.01; 30]);
            exact += usize::from(
                found.iter().any(|change| change.position.abs_diff(20) <= 1 && change.after < change.before),
            );
        }
        assert!(exact >= 95, "{exact} of 100");
    }

    #[test]
    fn a_drop_in_the_last_run_alone_is_seen() {
        let mut y = vec![0.80, 0.81, 0.80, 0.79, 0.80, 0.81, 0.80, 0.80];
        y.push(0.60);
        let found = change_points(&y, &[0.01; 9]);
        assert_eq!(found.iter().map(|change| change.position).collect::<Vec<_>>(), [8]);
    }

    #[test]
    fn odd_series_do_no_harm() {
        assert!(change_points(&[], &[]).is_empty());
        assert!(change_points(&[1.0, 0.0], &[0.0, 0.0]).is_empty());
        assert!(change_points(&[0.5; 50], &[0.0; 50]).is_empty());
        assert!(change_points(&[0.5; 50], &[0.1; 50]).is_empty());
    }
}
