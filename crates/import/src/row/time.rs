//! Times as sources write them, as microseconds since the Unix epoch.

use chrono::{DateTime, NaiveDate, NaiveDateTime};

/// The years that are taken for real.
const YEARS: std::ops::RangeInclusive<i32> = 1..=9999;

/// Reads RFC 3339 with any offset; a space for the `T` and no zone (meaning UTC) are accepted too.
pub(crate) fn parse_text(text: &str) -> Option<i64> {
    if let Some(micros) = parse_utc(text.as_bytes()) {
        return Some(micros);
    }
    let zoned = DateTime::parse_from_rfc3339(text).map(|time| time.to_utc());
    let time = zoned.or_else(|_| {
        let text = text.replacen(' ', "T", 1);
        NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f").map(|time| time.and_utc())
    });
    let time = time.ok()?;
    YEARS.contains(&chrono::Datelike::year(&time)).then(|| time.timestamp_micros())
}

/// Reads a Unix time. Its size tells seconds, milliseconds, microseconds and nanoseconds apart, for
/// any time between 1973 and 5138.
pub(crate) fn parse_number(text: &str) -> Option<i64> {
    let number: f64 = text.parse().ok()?;
    let micros = match number.abs() {
        size if size < 1e11 => number * 1e6,
        size if size < 1e14 => number * 1e3,
        size if size < 1e17 => number,
        size if size < 1e20 => number / 1e3,
        _ => return None,
    };
    Some(micros.round() as i64)
}

/// The common form, `2024-07-21T04:43:04.000Z`, without the general parser.
fn parse_utc(text: &[u8]) -> Option<i64> {
    let fraction = text.strip_suffix(b"Z")?.get(19..)?;
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if separators.iter().any(|&(at, byte)| text[at] != byte) {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(digits(&text[..4])? as i32, digits(&text[5..7])?, digits(&text[8..10])?)?;
    let time = date.and_hms_opt(digits(&text[11..13])?, digits(&text[14..16])?, digits(&text[17..19])?)?;
    let micros = match fraction {
        [] => 0,
        [b'.', places @ ..] if (1..=6).contains(&places.len()) => digits(places)? * 10_u32.pow(6 - places.len() as u32),
        _ => return None,
    };
    Some(time.and_utc().timestamp_micros() + i64::from(micros))
}

fn digits(text: &[u8]) -> Option<u32> {
    text.iter().try_fold(0, |value, byte| byte.is_ascii_digit().then(|| value * 10 + u32::from(byte - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_forms() {
        let micros = Some(1_721_536_984_120_000);
        for text in [
            "2024-07-21T04:43:04.12Z",
            "2024-07-21T04:43:04.120000Z",
            "2024-07-21T06:43:04.120+02:00",
            "2024-07-21 04:43:04.12",
            "2024-07-21T04:43:04.1200000Z",
        ] {
            assert_eq!(parse_text(text), micros, "{text}");
        }
        for text in ["", "yesterday", "2024-13-01T00:00:00Z", "2024-07-21", "+12345-01-01T00:00:00Z"] {
            assert_eq!(parse_text(text), None, "{text}");
        }
    }

    #[test]
    fn number_forms() {
        for text in ["1721536984.12", "1721536984120", "1721536984120000", "1721536984120000000"] {
            assert_eq!(parse_number(text), Some(1_721_536_984_120_000), "{text}");
        }
        assert_eq!(parse_number("1e300"), None);
    }
}
