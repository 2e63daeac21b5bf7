//! How far two judges of the same things agree, beyond what chance alone would give.
//!
//! With p_ij the share of things that the first judge puts in category i and the second in j, and
//! p_i·, p_·j the margins:
//!
//! - κ = (Σ p_ii − Σ p_i·p_·i) / (1 − Σ p_i·p_·i) (Cohen 1960);
//! - weighted κ = 1 − Σ w_ij p_ij / Σ w_ij p_i·p_·j with w_ij = |i − j| or (i − j)², i and j being
//!   places in the order of the categories (Cohen 1968);
//! - the standard error of κ is the large-sample one of Fleiss, Cohen and Everitt (1969), which does
//!   not assume κ = 0.

use super::normal::Z_975;

/// Two judgements of the same things, counted: `counts[i][j]` things are in the i-th category of the
/// first judge and the j-th of the second, categories in order and the same for both.
#[derive(Debug, Clone, PartialEq)]
pub struct Agreement {
    /// Things judged by both.
    pub n: i64,
    /// Share of things put in the same category.
    pub observed: f64,
    /// That share if the judges were independent.
    pub expected: f64,
    /// Cohen's κ; none when chance alone explains everything (one category).
    pub kappa: Option<f64>,
    /// Its standard error.
    pub se: Option<f64>,
    /// 95 % interval of κ, lower end.
    pub ci_low: Option<f64>,
    /// 95 % interval of κ, upper end.
    pub ci_high: Option<f64>,
    /// κ with distances between categories as weights.
    pub linear: Option<f64>,
    /// κ with squared distances as weights.
    pub quadratic: Option<f64>,
}

/// The agreement that a square table of counts shows; none of no things.
pub fn agreement(counts: &[Vec<i64>]) -> Option<Agreement> {
    let size = counts.len();
    let n: i64 = counts.iter().flatten().sum();
    if n == 0 {
        return None;
    }
    let total = n as f64;
    let share = |i: usize, j: usize| counts[i][j] as f64 / total;
    let rows: Vec<f64> = (0..size).map(|i| (0..size).map(|j| share(i, j)).sum()).collect();
    let columns: Vec<f64> = (0..size).map(|j| (0..size).map(|i| share(i, j)).sum()).collect();
    let observed: f64 = (0..size).map(|i| share(i, i)).sum();
    let expected: f64 = (0..size).map(|i| rows[i] * columns[i]).sum();
    let kappa = (expected < 1.0).then(|| (observed - expected) / (1.0 - expected));
    let weighted = |power: i32| {
        let (mut seen, mut chance) = (0.0, 0.0);
        for (i, row) in rows.iter().enumerate() {
            for (j, column) in columns.iter().enumerate() {
                let weight = (i.abs_diff(j) as f64).powi(power);
                seen += weight * share(i, j);
                chance += weight * row * column;
            }
        }
        (chance > 0.0).then(|| 1.0 - seen / chance)
    };
    let se = kappa.map(|kappa| {
        let mut a = 0.0;
        let mut b = 0.0;
        for i in 0..size {
            a += share(i, i) * (1.0 - (rows[i] + columns[i]) * (1.0 - kappa)).powi(2);
            for (j, row) in rows.iter().enumerate() {
                if i != j {
                    b += share(i, j) * (columns[i] + row).powi(2);
                }
            }
        }
        b *= (1.0 - kappa).powi(2);
        let c = (kappa - expected * (1.0 - kappa)).powi(2);
        ((a + b - c).max(0.0) / ((1.0 - expected).powi(2) * total)).sqrt()
    });
    let end = |sign: f64| kappa.zip(se).map(|(kappa, se)| kappa + sign * Z_975 * se);
    Some(Agreement {
        n,
        observed,
        expected,
        kappa,
        se,
        ci_low: end(-1.0),
        ci_high: end(1.0),
        linear: weighted(1),
        quadratic: weighted(2),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_textbook_table() {
        // 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no: κ = 0.4.
        let found = agreement(&[vec![20, 5], vec![10, 15]]).unwrap();
        assert_eq!(found.n, 50);
        assert!((found.observed - 0.7).abs() < 1e-12);
        assert!((found.expected - 0.5).abs() < 1e-12);
        assert!((found.kappa.unwrap() - 0.4).abs() < 1e-12);
        assert!((found.linear.unwrap() - 0.4).abs() < 1e-12, "two categories have one distance");
    }

    #[test]
    fn one_category_says_nothing() {
        let found = agreement(&[vec![7]]).unwrap();
        assert_eq!(found.kappa, None);
        assert_eq!(agreement(&[]), None);
    }

    #[test]
    fn judges_that_agree_have_no_error() {
        let found = agreement(&[vec![5, 0], vec![0, 5]]).unwrap();
        assert_eq!(found.kappa, Some(1.0));
        assert!(found.se.unwrap() < 1e-9);
    }
}
