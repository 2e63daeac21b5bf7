//! How a number looks, everywhere: tabular, signed with a real minus, `–` where there is none.
//!
//! | what | looks like |
//! |---|---|
//! | a mean score between 0 and 1 | `83.00%` |
//! | the score of one case | `0.83` |
//! | a difference of such means | `−4.20` (points) |
//! | a p-value | `0.0003`, `<0.0001` |
//! | a count | `57,398` |
//! | a metric | `1.84 s`, `528 tok`, `$0.00181` |
//! | no value | `–`, never 0 |

/// What stands where there is no value.
pub const NONE: &str = "–";

const MINUS: char = '−';

/// Whether a score is shown in percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Every value lies between 0 and 1.
    Percent,
    /// Some value does not: it is shown as it is.
    Plain,
}

impl Scale {
    /// The scale that fits all of `values`.
    pub fn of(values: impl IntoIterator<Item = Option<f64>>) -> Self {
        let fits = |value: f64| (0.0..=1.0).contains(&value);
        if values.into_iter().flatten().all(fits) { Self::Percent } else { Self::Plain }
    }

    /// A mean: `83.00%`, or `8.30`.
    pub fn mean(self, value: Option<f64>) -> String {
        match self {
            Self::Percent => or_none(value, |value| format!("{}%", fixed(value * 100.0, 2))),
            Self::Plain => or_none(value, |value| fixed(value, 2)),
        }
    }

    /// A difference of means with its sign: `−4.20` points, or `−0.42`.
    pub fn difference(self, value: Option<f64>) -> String {
        or_none(value, |value| signed(value * self.factor(), 2))
    }

    /// A difference with its interval: `−4.20 ±1.80`, or both ends where they lie unevenly.
    pub fn difference_interval(self, delta: Option<f64>, low: Option<f64>, high: Option<f64>) -> String {
        interval(delta, low, high, self.factor(), 2)
    }

    /// A size without a sign: `3.10` points, or `0.31`.
    pub fn size(self, value: Option<f64>) -> String {
        or_none(value, |value| fixed(value * self.factor(), 2))
    }

    /// The unit of a difference, with a space before it.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Percent => " points",
            Self::Plain => "",
        }
    }

    fn factor(self) -> f64 {
        match self {
            Self::Percent => 100.0,
            Self::Plain => 1.0,
        }
    }
}

/// `delta ±half`, each times `factor`; `delta [low, high]` where the interval is not symmetric.
pub fn interval(delta: Option<f64>, low: Option<f64>, high: Option<f64>, factor: f64, decimals: usize) -> String {
    let Some(delta) = delta else { return NONE.to_string() };
    let shown = signed(delta * factor, decimals);
    let (Some(low), Some(high)) = (low, high) else { return shown };
    let half = (high - low) / 2.0;
    let symmetric = ((high + low) / 2.0 - delta).abs() * factor < 0.5 * 10f64.powi(-(decimals as i32));
    if symmetric {
        format!("{shown} ±{}", fixed(half * factor, decimals))
    } else {
        format!("{shown} [{}, {}]", signed(low * factor, decimals), signed(high * factor, decimals))
    }
}

/// The score of one case: `0.83`.
pub fn cell(value: Option<f64>) -> String {
    or_none(value, |value| fixed(value, 2))
}

/// A p-value: `0.0003`, `0.42`, `<0.0001`.
pub fn p_value(value: Option<f64>) -> String {
    or_none(value, |value| match value {
        p if p < 0.0001 => "<0.0001".to_string(),
        p if p < 0.1 => fixed(p, 4),
        p => fixed(p, 2),
    })
}

/// A p-value in a sentence: `p = 0.0003`, `p < 0.0001`.
pub fn p_phrase(value: f64) -> String {
    let shown = p_value(Some(value));
    match shown.strip_prefix('<') {
        Some(bound) => format!("p < {bound}"),
        None => format!("p = {shown}"),
    }
}

/// A count with thousands apart: `57,398`.
pub fn count(value: i64) -> String {
    group(&value.unsigned_abs().to_string(), value < 0)
}

/// A count and its noun: `1 row`, `2 rows`.
pub fn counted(value: i64, noun: &str) -> String {
    let plural = if value == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(value))
}

/// A metric with its unit: `1.84 s`, `528 tok`, `$0.00181`. What is counted and whole has no decimals.
pub fn metric(value: Option<f64>, unit: &str) -> String {
    or_none(value, |value| {
        let is_whole_count = matches!(unit, "" | "tok") && value.fract() == 0.0;
        let decimals = if is_whole_count { 0 } else { decimals(value) };
        with_unit(fixed(value, decimals), unit)
    })
}

/// The difference of a metric with its interval and unit, as precise as `reference`.
pub fn metric_difference(
    delta: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
    unit: &str,
    reference: f64,
) -> String {
    let Some(_) = delta else { return NONE.to_string() };
    let shown = interval(delta, low, high, 1.0, decimals(reference));
    if unit != "$" {
        return with_unit(shown, unit);
    }
    let sign_length = shown.chars().next().filter(|c| matches!(c, '+' | '−')).map_or(0, char::len_utf8);
    let (sign, size) = shown.split_at(sign_length);
    format!("{sign}${size}")
}

/// A relative change: `+12.5%`.
pub fn change(delta: Option<f64>, base: Option<f64>) -> String {
    match (delta, base) {
        (Some(delta), Some(base)) if base != 0.0 => format!("{}%", signed(delta / base.abs() * 100.0, 1)),
        _ => NONE.to_string(),
    }
}

/// Seconds as people say them: `850 ms`, `1.84 s`, `2 min 05 s`.
pub fn duration(seconds: Option<f64>) -> String {
    or_none(seconds, |seconds| match seconds.abs() {
        s if s < 0.9995 => format!("{} ms", fixed(seconds * 1000.0, 0)),
        s if s < 59.995 => format!("{} s", fixed(seconds, 2)),
        s => format!("{} min {:02.0} s", count((s / 60.0) as i64), (s % 60.0).floor()),
    })
}

/// Bytes in decimal units: `132.4 MB`.
pub fn bytes(value: f64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"];
    let mut size = value;
    let mut unit = 0;
    while size >= 999.95 && unit + 1 < units.len() {
        size /= 1000.0;
        unit += 1;
    }
    let decimals = if unit == 0 { 0 } else { 1 };
    format!("{} {}", fixed(size, decimals), units[unit])
}

/// An RFC 3339 time in UTC to the minute: `2025-03-03 09:00`.
pub fn minute(time: Option<&str>) -> String {
    match time {
        Some(time) if time.len() >= 16 && time.is_char_boundary(16) => time[..16].replace('T', " "),
        Some(time) => time.to_string(),
        None => NONE.to_string(),
    }
}

/// Fixed decimals, thousands apart, a real minus, no negative zero.
pub fn fixed(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    let digits = format!("{:.decimals$}", settled(value.abs()));
    let is_zero = digits.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    let negative = value < 0.0 && !is_zero;
    match digits.split_once('.') {
        Some((whole, fraction)) => format!("{}.{fraction}", group(whole, negative)),
        None => group(&digits, negative),
    }
}

/// The value to 12 significant digits: an average's last digits depend on the order of the additions,
/// and must not decide which way a tie is rounded. Counts of more digits stay whole.
fn settled(value: f64) -> f64 {
    const WHOLE_FROM: f64 = 1e9;
    if value >= WHOLE_FROM { value } else { format!("{value:.11e}").parse().unwrap_or(value) }
}

/// Like [`fixed`], with `+` before what is above zero.
pub fn signed(value: f64, decimals: usize) -> String {
    let shown = fixed(value, decimals);
    let is_zero = shown.bytes().all(|byte| matches!(byte, b'0' | b'.' | b','));
    if value > 0.0 && !is_zero { format!("+{shown}") } else { shown }
}

fn or_none(value: Option<f64>, show: impl FnOnce(f64) -> String) -> String {
    value.map_or_else(|| NONE.to_string(), show)
}

fn with_unit(shown: String, unit: &str) -> String {
    match unit {
        "" => shown,
        "$" => match shown.strip_prefix(MINUS) {
            Some(size) => format!("{MINUS}${size}"),
            None => format!("${shown}"),
        },
        unit => format!("{shown} {unit}"),
    }
}

/// Decimals that leave about four digits that matter.
fn decimals(value: f64) -> usize {
    match value.abs() {
        0.0 => 0,
        size if size >= 1000.0 => 0,
        size if size >= 100.0 => 1,
        size if size >= 1.0 => 2,
        size if size >= 0.1 => 3,
        size => (-size.log10().floor()) as usize + 2,
    }
    .min(10)
}

fn group(digits: &str, negative: bool) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 + MINUS.len_utf8());
    if negative {
        out.push(MINUS);
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_never_zero() {
        assert_eq!(cell(None), "–");
        assert_eq!(Scale::Percent.mean(None), "–");
        assert_eq!(metric(None, "s"), "–");
        assert_eq!(cell(Some(0.0)), "0.00");
    }

    #[test]
    fn means_are_percent_unless_out_of_range() {
        assert_eq!(Scale::of([Some(0.3), None]).mean(Some(0.83)), "83.00%");
        assert_eq!(Scale::of([Some(8.3)]).mean(Some(8.3)), "8.30");
    }

    #[test]
    fn differences_carry_sign_and_interval() {
        let percent = Scale::Percent;
        assert_eq!(percent.difference_interval(Some(-0.042), Some(-0.06), Some(-0.024)), "−4.20 ±1.80");
        assert_eq!(percent.difference_interval(Some(-0.042), Some(-0.09), Some(-0.024)), "−4.20 [−9.00, −2.40]");
        assert_eq!(percent.difference(Some(-0.00001)), "0.00");
        assert_eq!(percent.difference(Some(0.05)), "+5.00");
    }

    #[test]
    fn p_values_never_read_as_zero() {
        assert_eq!(p_value(Some(0.00003)), "<0.0001");
        assert_eq!(p_phrase(0.00003), "p < 0.0001");
        assert_eq!(p_phrase(0.0003), "p = 0.0003");
        assert_eq!(p_value(Some(0.42)), "0.42");
    }

    #[test]
    fn counts_and_sizes_are_grouped() {
        assert_eq!(count(57_398), "57,398");
        assert_eq!(count(-1_000), "−1,000");
        assert_eq!(count(999), "999");
        assert_eq!(counted(1, "row"), "1 row");
        assert_eq!(bytes(132_400_000.0), "132.4 MB");
        assert_eq!(bytes(12.0), "12 B");
    }

    #[test]
    fn metrics_carry_units() {
        assert_eq!(metric(Some(1.844), "s"), "1.84 s");
        assert_eq!(metric(Some(528.0), "tok"), "528 tok");
        assert_eq!(metric(Some(528.25), "tok"), "528.2 tok");
        assert_eq!(metric(Some(0.0018075), "$"), "$0.00181");
        assert_eq!(metric_difference(Some(-0.5), None, None, "s", 1.8), "−0.50 s");
        assert_eq!(metric_difference(Some(0.002), Some(0.001), Some(0.003), "$", 0.02), "+$0.0020 ±0.0010");
        assert_eq!(change(Some(0.25), Some(2.0)), "+12.5%");
        assert_eq!(change(Some(0.25), Some(0.0)), "–");
    }

    #[test]
    fn a_tie_is_rounded_one_way() {
        let last_digits = [78.804_999_999_999_98, 78.805, 78.805_000_000_000_02];
        assert_eq!(last_digits.map(|value| fixed(value, 2)), ["78.81"; 3].map(String::from));
        assert_eq!(fixed(1_234_567_890_123_456.0, 0), "1,234,567,890,123,456");
    }

    #[test]
    fn times_read_well() {
        assert_eq!(duration(Some(0.85)), "850 ms");
        assert_eq!(duration(Some(1.844)), "1.84 s");
        assert_eq!(duration(Some(125.0)), "2 min 05 s");
        assert_eq!(minute(Some("2025-03-03T09:00:00Z")), "2025-03-03 09:00");
    }
}
