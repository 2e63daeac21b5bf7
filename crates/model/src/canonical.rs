//! Canonical JSON: one text per value, so that equal values have equal text and equal hash.
//!
//! Object keys are sorted by their bytes and the last of a repeated key wins; `1`, `1.0` and `1e0`
//! are one number; strings keep every character (no Unicode normalisation) and one spelling of each
//! escape; arrays keep their order; there is no white space.
//!
//! ```
//! use evalhouse_model::canonical::canonical_json;
//! assert_eq!(canonical_json(r#"{ "b": 2.0, "a": 1e0 }"#).unwrap(), r#"{"a":1,"b":2}"#);
//! assert_ne!(canonical_json(r#""1""#).unwrap(), canonical_json("1").unwrap());
//! ```

use std::borrow::Cow;
use std::ops::Range;

use xxhash_rust::xxh3::xxh3_128;

/// Values that nest deeper than this are refused: the walk is recursive.
const DEPTH_MAX: usize = 128;

/// Text that is not JSON.
#[derive(Debug, thiserror::Error)]
#[error("not valid JSON: {0}")]
pub struct CanonicalError(#[from] serde_json::Error);

/// The canonical text of a JSON text.
///
/// # Errors
/// When `json` is not one valid JSON value, or is nested deeper than 128 levels.
pub fn canonical_json(json: &str) -> Result<String, CanonicalError> {
    let mut out = String::with_capacity(json.len());
    write_canonical(json.trim(), &mut out)?;
    Ok(out)
}

/// The canonical text of a plain string taken as a JSON string.
pub fn canonical_string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    write_string(text, &mut out);
    out
}

/// The canonical text of a number; not-a-number and infinities, which JSON lacks, give `null`.
pub fn canonical_number(value: f64) -> String {
    let mut out = String::new();
    if value.is_finite() {
        write_f64(value, &mut out);
    } else {
        out.push_str("null");
    }
    out
}

/// A 126-bit hash of a canonical text: XXH3-128 without its two top bits, so that it fits a
/// 38-digit decimal, the widest exact integer type that Parquet, Delta and SQL engines share.
pub fn canonical_hash(canonical: &str) -> i128 {
    (xxh3_128(canonical.as_bytes()) >> 2) as i128
}

fn write_canonical(json: &str, out: &mut String) -> Result<(), CanonicalError> {
    // Checks the whole text; the walk below then reads each byte once more, whatever the nesting.
    serde_json::from_str::<serde::de::IgnoredAny>(json)?;
    Walk { json, at: 0 }.value(0, out)
}

/// A string of the text, unescaped: borrowed when it had no escape, and so needs none.
struct Text<'a>(Cow<'a, str>);

impl Text<'_> {
    fn write(&self, out: &mut String) {
        match &self.0 {
            Cow::Borrowed(plain) => {
                out.push('"');
                out.push_str(plain);
                out.push('"');
            }
            Cow::Owned(text) => write_string(text, out),
        }
    }
}

/// A walk over text that is known to be one JSON value.
struct Walk<'a> {
    json: &'a str,
    at: usize,
}

impl<'a> Walk<'a> {
    fn value(&mut self, depth: usize, out: &mut String) -> Result<(), CanonicalError> {
        if depth > DEPTH_MAX {
            return Err(CanonicalError(serde::de::Error::custom(format_args!(
                "values nest deeper than {DEPTH_MAX} levels"
            ))));
        }
        match self.peek() {
            Some(b'"') => self.string()?.write(out),
            Some(b'{') => self.object(depth, out)?,
            Some(b'[') => self.array(depth, out)?,
            Some(b'-' | b'0'..=b'9') => write_number(self.token(), out),
            _ => out.push_str(self.token()),
        }
        Ok(())
    }

    fn object(&mut self, depth: usize, out: &mut String) -> Result<(), CanonicalError> {
        let mut members: Vec<(Text<'a>, Range<usize>)> = Vec::new();
        let mut values = String::new();
        self.at += 1;
        while self.item(b'}') {
            let key = self.string()?;
            self.peek();
            self.at += 1;
            let start = values.len();
            self.value(depth + 1, &mut values)?;
            members.push((key, start..values.len()));
        }
        // Stable, so that the last of a repeated key is the last of its run.
        members.sort_by(|(a, _), (b, _)| a.0.cmp(&b.0));
        out.push('{');
        let mut separator = "";
        for (i, (key, value)) in members.iter().enumerate() {
            if members.get(i + 1).is_some_and(|(next, _)| next.0 == key.0) {
                continue;
            }
            out.push_str(separator);
            key.write(out);
            out.push(':');
            out.push_str(&values[value.clone()]);
            separator = ",";
        }
        out.push('}');
        Ok(())
    }

    fn array(&mut self, depth: usize, out: &mut String) -> Result<(), CanonicalError> {
        self.at += 1;
        out.push('[');
        let mut separator = "";
        while self.item(b']') {
            out.push_str(separator);
            self.value(depth + 1, out)?;
            separator = ",";
        }
        out.push(']');
        Ok(())
    }

    /// Whether another item follows, to whose start it goes; passes the closing bracket if not.
    fn item(&mut self, close: u8) -> bool {
        if self.peek() == Some(b',') {
            self.at += 1;
        }
        let more = self.peek().is_some_and(|byte| byte != close);
        self.at += usize::from(!more);
        more
    }

    /// The next byte that is no white space, which it goes to.
    fn peek(&mut self) -> Option<u8> {
        let rest = self.json.as_bytes().get(self.at..).unwrap_or_default();
        self.at += rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
        self.json.as_bytes().get(self.at).copied()
    }

    /// The string that starts here.
    fn string(&mut self) -> Result<Text<'a>, CanonicalError> {
        let start = self.at;
        let bytes = self.json.as_bytes();
        let mut escaped = false;
        self.at += 1;
        while let Some(offset) = memchr::memchr2(b'"', b'\\', bytes.get(self.at..).unwrap_or_default()) {
            self.at += offset;
            if bytes[self.at] == b'"' {
                break;
            }
            escaped = true;
            self.at += 2;
        }
        self.at += 1;
        if escaped {
            let quoted = self.json.get(start..self.at).unwrap_or_default();
            return Ok(Text(Cow::Owned(serde_json::from_str(quoted)?)));
        }
        Ok(Text(Cow::Borrowed(self.json.get(start + 1..self.at - 1).unwrap_or_default())))
    }

    /// The number or word that starts here.
    fn token(&mut self) -> &'a str {
        let start = self.at;
        let rest = self.json.as_bytes().get(start..).unwrap_or_default();
        let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r');
        self.at += rest.iter().position(ends).unwrap_or(rest.len());
        self.json.get(start..self.at).unwrap_or_default()
    }
}

fn write_number(literal: &str, out: &mut String) {
    let is_integer = !literal.bytes().any(|b| matches!(b, b'.' | b'e' | b'E'));
    if is_integer {
        // Any number of digits is kept: ids above 2^53 must not collide.
        out.push_str(if literal == "-0" { "0" } else { literal });
        return;
    }
    match literal.parse::<f64>() {
        Ok(value) if value.is_finite() => write_f64(value, out),
        // Outside the range of a double (1e999): the literal itself is the only exact text.
        _ => out.push_str(literal),
    }
}

fn write_f64(value: f64, out: &mut String) {
    const EXACT_INTEGER_MAX: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() <= EXACT_INTEGER_MAX {
        out.push_str(&format!("{}", value as i64));
    } else if let Some(number) = serde_json::Number::from_f64(value) {
        out.push_str(&number.to_string());
    }
}

fn write_string(text: &str, out: &mut String) {
    // serde_json's writer has one spelling for each escape and leaves other characters alone.
    match serde_json::to_string(text) {
        Ok(quoted) => out.push_str(&quoted),
        Err(_) => out.push_str("\"\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn canonical(json: &str) -> String {
        canonical_json(json).unwrap()
    }

    #[test]
    fn equal_values_have_equal_text() {
        assert_eq!(canonical(r#"{"a":1,"b":2}"#), canonical(r#"{"b":2.0,"a":1}"#));
        assert_eq!(canonical("[1.0, 1e0, 10E-1, -0, -0.0]"), "[1,1,1,0,0]");
        assert_eq!(canonical(r#""\u0041\/\n""#), r#""A/\n""#);
        assert_eq!(canonical(r#"{"a":1,"b":3,"a":2}"#), r#"{"a":2,"b":3}"#);
        assert_eq!(canonical(r#"{"\u0061":1, "a" : {} , "b":[ ]}"#), r#"{"a":{},"b":[]}"#);
        assert_eq!(canonical(" 12345678901234567890123 "), "12345678901234567890123");
    }

    #[test]
    fn different_values_differ() {
        assert_ne!(canonical(r#""1""#), canonical("1"));
        assert_ne!(canonical(r#"{"a":null}"#), canonical("{}"));
        assert_ne!(canonical("9007199254740993"), canonical("9007199254740992"));
        assert_ne!(canonical("\"\u{e9}\""), canonical("\"e\u{301}\""));
    }

    #[test]
    fn bad_text_is_an_error() {
        for bad in ["", "{", "nul", "[1,]", "\"a", "NaN", "1 2", "\"\\ud800\""] {
            assert!(canonical_json(bad).is_err(), "{bad}");
        }
        assert!(canonical_json(&"[".repeat(100_000)).is_err());
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(canonical_json(&nested(100)).is_ok());
        for levels in [130, 10_000] {
            assert!(canonical_json(&nested(levels)).is_err(), "{levels}");
        }
    }

    fn json_value() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<f64>().prop_filter("finite", |v| v.is_finite()).prop_map(Into::into),
            ".{0,8}".prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
                prop::collection::hash_map(".{0,4}", inner, 0..4)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    /// The rules again, over a tree.
    fn reference(value: &serde_json::Value) -> String {
        match value {
            serde_json::Value::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                members.sort_by_key(|(key, _)| *key);
                let member = |(key, value): &(&String, &serde_json::Value)| {
                    format!("{}:{}", canonical_string(key), reference(value))
                };
                format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(","))
            }
            serde_json::Value::Array(items) => {
                format!("[{}]", items.iter().map(reference).collect::<Vec<_>>().join(","))
            }
            serde_json::Value::Number(number) if number.is_f64() => canonical_number(number.as_f64().unwrap()),
            value => value.to_string(),
        }
    }

    proptest! {
        #[test]
        fn is_what_the_rules_say(value in json_value()) {
            prop_assert_eq!(canonical(&value.to_string()), reference(&value));
        }

        #[test]
        fn is_idempotent_and_ignores_layout(value in json_value()) {
            let once = canonical(&value.to_string());
            prop_assert_eq!(&canonical(&once), &once);
            prop_assert_eq!(&canonical(&serde_json::to_string_pretty(&value).unwrap()), &once);
        }
    }
}
