//! The text of values: as it is stored, and as the string it means.

use std::borrow::Cow;

use super::Value;
use super::scan::hex_escape;

/// The JSON text to store for a value.
///
/// It is the source's own text, every token as it was written, with three exceptions: a value that
/// spans lines loses the white space between its tokens, a bare `NaN` or `Infinity` becomes `null`,
/// and half a surrogate pair becomes `\ufffd`.
pub(crate) fn to_json(value: &Value<'_>) -> String {
    if value.is_storable() {
        return value.text.to_string();
    }
    let mut json = String::with_capacity(value.text.len());
    push_rewritten(&mut json, value.text);
    json
}

/// Appends what [`to_json`] gives.
pub(crate) fn push_json(json: &mut String, value: &Value<'_>) {
    if value.is_storable() {
        json.push_str(value.text);
    } else {
        push_rewritten(json, value.text);
    }
}

/// Copies tokens. The text is a checked value, so a quote opens a string and nothing else does.
fn push_rewritten(json: &mut String, text: &str) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let length = token_length(&bytes[at..]);
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => {}
            b'"' => push_string(json, &text[at..at + length]),
            b'N' | b'I' => json.push_str("null"),
            b'-' if bytes.get(at + 1) == Some(&b'I') => json.push_str("null"),
            _ => json.push_str(&text[at..at + length]),
        }
        at += length;
    }
}

/// The length of the string, word, number or single byte that starts here.
fn token_length(bytes: &[u8]) -> usize {
    match bytes[0] {
        b'"' => string_length(bytes),
        b'{' | b'}' | b'[' | b']' | b',' | b':' | b' ' | b'\t' | b'\n' | b'\r' => 1,
        _ => {
            let ends = |byte: &u8| matches!(byte, b'}' | b']' | b',' | b':' | b' ' | b'\t' | b'\n' | b'\r');
            bytes.iter().position(ends).unwrap_or(bytes.len())
        }
    }
}

/// The length of the checked value that starts here.
pub(crate) fn value_length(bytes: &[u8]) -> usize {
    if !matches!(bytes.first(), Some(b'{' | b'[')) {
        return if bytes.is_empty() { 0 } else { token_length(bytes) };
    }
    let (mut at, mut open) = (0, 0_u32);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at += string_length(&bytes[at..]),
            b'{' | b'[' => (at, open) = (at + 1, open + 1),
            b'}' | b']' if open == 1 => return at + 1,
            b'}' | b']' => (at, open) = (at + 1, open - 1),
            _ => at += 1,
        }
    }
    bytes.len()
}

fn string_length(bytes: &[u8]) -> usize {
    let mut at = 1;
    while let Some(offset) = memchr::memchr2(b'"', b'\\', bytes.get(at..).unwrap_or_default()) {
        at += offset;
        if bytes[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    bytes.len()
}

/// Copies a string in quotes, with `\ufffd` for each half of a surrogate pair.
fn push_string(json: &mut String, quoted: &str) {
    let mut rest = quoted;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        json.push_str(&rest[..at]);
        rest = &rest[at..];
        let (length, half) = match hex_escape(rest.as_bytes()) {
            None => (2, false),
            Some(unit) if (0xD800..0xDC00).contains(&unit) => match hex_escape(&rest.as_bytes()[6..]) {
                Some(low) if (0xDC00..0xE000).contains(&low) => (12, false),
                _ => (6, true),
            },
            Some(unit) => (6, (0xDC00..0xE000).contains(&unit)),
        };
        let (escape, after) = rest.split_at(length.min(rest.len()));
        json.push_str(if half { "\\ufffd" } else { escape });
        rest = after;
    }
    json.push_str(rest);
}

/// The string that a checked string value means; half a surrogate pair means U+FFFD.
pub(crate) fn unquote<'a>(quoted: &'a str) -> Cow<'a, str> {
    let inner = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Cow::Borrowed(inner);
    }
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        text.push_str(&rest[..at]);
        let (character, length) = unescape(&rest.as_bytes()[at..]);
        text.push(character);
        rest = rest.get(at + length..).unwrap_or_default();
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// The character that an escape means, and the escape's length.
fn unescape(bytes: &[u8]) -> (char, usize) {
    let simple = match bytes.get(1) {
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return unescape_unit(bytes),
        Some(&other) => char::from(other),
        None => char::REPLACEMENT_CHARACTER,
    };
    (simple, 2)
}

fn unescape_unit(bytes: &[u8]) -> (char, usize) {
    let unit = hex_escape(bytes).unwrap_or(0xFFFD);
    let low = bytes.get(6..).and_then(hex_escape).filter(|low| (0xDC00..0xE000).contains(low));
    match low {
        Some(low) if (0xD800..0xDC00).contains(&unit) => {
            let code = 0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
            (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 12)
        }
        _ => (char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER), 6),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Scanner;
    use super::*;
    use proptest::prelude::*;

    fn stored(text: &str) -> String {
        to_json(&Scanner::new(text).value().unwrap())
    }

    #[test]
    fn one_line_keeps_its_spelling() {
        assert_eq!(stored(r#"{"a" : 1.50, "b":"\u0000\/"}"#), r#"{"a" : 1.50, "b":"\u0000\/"}"#);
    }

    #[test]
    fn what_cannot_be_stored_is_rewritten() {
        assert_eq!(stored("{\n \"a b\" : [ 1e400 ,\tNaN, -Infinity ]\r\n}"), r#"{"a b":[1e400,null,null]}"#);
        assert_eq!(stored(r#"["\ud800\ud83d\ude00\udfff\\ud800"]"#), r#"["\ufffd\ud83d\ude00\ufffd\\ud800"]"#);
    }

    #[test]
    fn strings_mean_what_json_says() {
        assert_eq!(unquote(r#""a\n\u00e9\ud83d\ude00\"""#), "a\né😀\"");
        assert_eq!(unquote(r#""\ud800x""#), "\u{fffd}x");
    }

    proptest! {
        #[test]
        fn unquote_agrees_with_serde(text in any::<String>()) {
            let quoted = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(unquote(&quoted), text);
        }

        #[test]
        fn pretty_values_keep_their_tokens(keys in prop::collection::vec(any::<String>(), 0..4), number in any::<f64>()) {
            let value = serde_json::json!({"k": keys, "n": number, "o": {"x": [true, null, {}]}});
            let pretty = serde_json::to_string_pretty(&value).unwrap();
            prop_assert_eq!(stored(&pretty), serde_json::to_string(&value).unwrap());
        }
    }
}
