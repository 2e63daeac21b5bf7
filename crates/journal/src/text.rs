//! JSON text looked at without recursion or parsing into values.

use std::borrow::Cow;
use std::collections::BTreeMap;

use memchr::memchr2;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::fault::FaultReason;

/// Refuses text whose nesting is deeper than `limit` levels or whose strings stand for no Unicode text.
/// The text is known to be JSON, but nothing is known of its depth: this must not recurse.
pub(crate) fn check(json: &str, limit: usize) -> Result<(), FaultReason> {
    let bytes = json.as_bytes();
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'"' => at = string_end(json, at)?,
            b'[' | b'{' => {
                depth += 1;
                if depth > limit {
                    return Err(FaultReason::TooDeep { limit });
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

/// Where a string ends, its quote included, that begins before `at`; most of it is passed over many bytes at a time.
fn string_end(json: &str, mut at: usize) -> Result<usize, FaultReason> {
    let bytes = json.as_bytes();
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += found + 1;
        if bytes[at - 1] == b'"' {
            return Ok(at);
        }
        at += escape_length(&json[at..])?;
    }
    Ok(bytes.len())
}

/// Bytes of the escape that follows a backslash; a surrogate pair is one escape.
fn escape_length(rest: &str) -> Result<usize, FaultReason> {
    let unit = |from: usize| rest.get(from..from + 4).and_then(|digits| u16::from_str_radix(digits, 16).ok());
    if !rest.starts_with('u') {
        return Ok(1);
    }
    match unit(1) {
        Some(0xD800..=0xDBFF) => match (rest.get(5..7), unit(7)) {
            (Some("\\u"), Some(0xDC00..=0xDFFF)) => Ok(11),
            _ => Err(FaultReason::LoneSurrogate),
        },
        Some(0xDC00..=0xDFFF) => Err(FaultReason::LoneSurrogate),
        _ => Ok(5),
    }
}

/// Whether the text is an object.
pub(crate) fn is_object(value: &RawValue) -> bool {
    value.get().starts_with('{')
}

/// The JSON of a value made of strings, lists and JSON text, which always has one.
pub(crate) fn raw(value: &(impl Serialize + ?Sized)) -> Box<RawValue> {
    let raw = to_raw_value(value);
    debug_assert!(raw.is_ok(), "strings, lists and JSON text are written without fail");
    raw.unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// Text that is the same for equal values: no spaces, sorted keys, one way to escape. Numbers stay as
/// they are written, since no type holds them all. Recurses as deep as the text, which was checked.
pub(crate) fn canonical(value: &RawValue) -> Cow<'_, str> {
    let text = value.get();
    match text.as_bytes().first() {
        Some(b'"') => serde_json::from_str(text).map(|string: String| raw(&string).get().to_owned().into()),
        Some(b'[') => serde_json::from_str(text).map(|items: Vec<&RawValue>| {
            let items: Vec<_> = items.into_iter().map(canonical).collect();
            format!("[{}]", items.join(",")).into()
        }),
        Some(b'{') => serde_json::from_str(text).map(|members: BTreeMap<String, &RawValue>| {
            let members: Vec<_> =
                members.into_iter().map(|(key, value)| format!("{}:{}", raw(&key), canonical(value))).collect();
            format!("{{{}}}", members.join(",")).into()
        }),
        _ => Ok(text.into()),
    }
    .unwrap_or(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_counts_brackets_outside_of_strings() {
        assert_eq!(check(r#"{"a[[[": ["\"[[", {}]}"#, 3), Ok(()));
        assert_eq!(check(r#"{"a": [{}]}"#, 2), Err(FaultReason::TooDeep { limit: 2 }));
        assert_eq!(check(r#"[[],[],[]]"#, 2), Ok(()));
        assert_eq!(check(r#""\\", [[]]"#, 1), Err(FaultReason::TooDeep { limit: 1 }));
        assert_eq!(check(&"[".repeat(10_000_000), 200), Err(FaultReason::TooDeep { limit: 200 }));
    }

    #[test]
    fn surrogates_come_in_pairs() {
        for good in [r#""\ud83d\ude00""#, r#""\u00e9 é \\ud800""#, r#""\\\\""#, r#""\uD7FF\uE000""#] {
            assert_eq!(check(good, 0), Ok(()), "{good}");
        }
        for bad in [r#""\ud83d""#, r#""\ude00""#, r#""\ud83d\ud83d""#, r#""\ud83dé""#, r#""\uD800x\uDC00""#] {
            assert_eq!(check(bad, 0), Err(FaultReason::LoneSurrogate), "{bad}");
        }
    }

    #[test]
    fn equal_values_have_one_canonical_text() {
        let canonical_of = |text: &str| canonical(&RawValue::from_string(text.to_owned()).unwrap()).into_owned();
        assert_eq!(canonical_of(r#"{"b" : [1, "\u0041"], "a": null}"#), r#"{"a":null,"b":[1,"A"]}"#);
        assert_ne!(canonical_of("1180591620717411303424"), canonical_of("1180591620717411303425"));
    }
}
