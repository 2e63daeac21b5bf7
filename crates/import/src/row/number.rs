//! Whether a number survives as a 64-bit float.

/// Whether a number's text stands for the same number once it was read as a float and is written again.
pub(crate) fn is_float(text: &str) -> bool {
    // No float rounds so few digits, without an exponent.
    if text.len() <= 15 && !text.contains(['e', 'E']) {
        return true;
    }
    let number: f64 = text.parse().unwrap_or(f64::NAN);
    number.is_finite() && Decimal::of(text) == Decimal::of(&format!("{number:e}"))
}

/// The value of a number's text.
#[derive(Debug, PartialEq)]
struct Decimal {
    is_negative: bool,
    /// Without zeros at either end; none for 0.
    digits: String,
    /// The power of ten of the first digit.
    power: i64,
}

impl Decimal {
    fn of(text: &str) -> Self {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let mantissa = mantissa.trim_start_matches('-');
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = [whole, fraction].concat();
        let digits = all.trim_start_matches('0');
        if digits.is_empty() {
            return Self { is_negative: false, digits: String::new(), power: 0 };
        }
        // An exponent beyond i64 is of no float but 0 and the infinite ones.
        let exponent: i64 = exponent.parse().unwrap_or(i64::MIN);
        let power = exponent.saturating_add(whole.len() as i64 - (all.len() - digits.len()) as i64 - 1);
        Self { is_negative: text.starts_with('-'), digits: digits.trim_end_matches('0').to_string(), power }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_stay_what_they_are() {
        let short = ["0", "-0", "0.0", "1", "-1.5", "1.10", "1e300", "1E+22", "5e-324", "0e99999999999999999999"];
        let long =
            ["0.30000000000000004", "1750000000.123456", "9007199254740992", "-9007199254740994", "1.5000000000000000"];
        for text in short.into_iter().chain(long) {
            assert!(is_float(text), "{text}");
        }
        assert!(is_float(&format!("1{}", "0".repeat(22))));
    }

    #[test]
    fn other_numbers_would_change() {
        let whole = ["9007199254740993", "-9007199254740993", "12345678901234567", "1180591620717411303425"];
        let beyond = ["1e400", "-1e99999999999999999999", "1e-400", "1e-99999999999999999999"];
        let long = ["0.1234567890123456789", "0.10000000000000000001", "9007199254740993.1"];
        for text in whole.into_iter().chain(beyond).chain(long) {
            assert!(!is_float(text), "{text}");
        }
    }
}
