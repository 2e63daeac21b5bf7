//! How alike two values are, from 0 to 1: what scorers of texts, numbers and JSON give.

use serde_json::Value;

/// Steps of an edit distance that are worth taking; beyond, larger pieces are compared.
const STEPS_MAX: usize = 4_000_000;

/// A text as the value that it stands for: JSON where it is JSON, else itself.
pub fn value_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_string()))
}

/// 1 − edit distance / length of the longer text, in characters. Very long texts are compared by words,
/// and longer ones by lines.
pub fn text_likeness(a: &str, b: &str) -> f64 {
    if a == b {
        return 1.0;
    }
    let by_pieces = |cut: fn(&str) -> Vec<&str>| likeness_of_pieces(&cut(a), &cut(b));
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let likeness = likeness_of_pieces(&a, &b)
        .or_else(|| by_pieces(|text| text.split_whitespace().collect()))
        .or_else(|| by_pieces(|text| text.lines().collect()))
        .unwrap_or(0.0);
    // One character differs at least, though words and lines do not tell which space is between them.
    likeness.min(1.0 - 1.0 / a.len().max(b.len()) as f64)
}

/// 1 − |a − b| / (|a| + |b|); two zeros are alike.
pub fn number_likeness(a: f64, b: f64) -> f64 {
    let size = a.abs() + b.abs();
    if size == 0.0 { 1.0 } else { (1.0 - (a - b).abs() / size).clamp(0.0, 1.0) }
}

/// Objects by the mean over their fields, lists by the mean over their places, numbers and texts as such;
/// what is on one side only, or of another kind, is not alike at all.
pub fn json_likeness(a: &Value, b: &Value) -> f64 {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            let names: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            mean(names.into_iter().map(|name| of_both(a.get(name), b.get(name))))
        }
        (Value::Array(a), Value::Array(b)) => {
            mean((0..a.len().max(b.len())).map(|place| of_both(a.get(place), b.get(place))))
        }
        (Value::String(a), Value::String(b)) => text_likeness(a, b),
        (Value::Number(a), Value::Number(b)) => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => number_likeness(a, b),
            _ => f64::from(u8::from(a == b)),
        },
        _ => f64::from(u8::from(a == b)),
    }
}

fn of_both(a: Option<&Value>, b: Option<&Value>) -> f64 {
    a.zip(b).map_or(0.0, |(a, b)| json_likeness(a, b))
}

fn mean(parts: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = parts.fold((0.0, 0.0), |(sum, count), part| (sum + part, count + 1.0));
    if count == 0.0 { 1.0 } else { sum / count }
}

fn likeness_of_pieces<T: PartialEq + Clone>(a: &[T], b: &[T]) -> Option<f64> {
    let longer = a.len().max(b.len());
    if longer == 0 {
        return Some(1.0);
    }
    let start = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[start..], &b[start..]);
    let end = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[..a.len() - end], &b[..b.len() - end]);
    let distance = || strsim::generic_levenshtein(&a.to_vec(), &b.to_vec()) as f64;
    (a.len().saturating_mul(b.len()) <= STEPS_MAX).then(|| 1.0 - distance() / longer as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_compared_letter_by_letter() {
        assert_eq!(text_likeness("", ""), 1.0);
        assert_eq!(text_likeness("kitten", "sitting"), 1.0 - 3.0 / 7.0);
        assert_eq!(text_likeness("abc", ""), 0.0);
        assert_eq!(text_likeness("größe", "größen"), 1.0 - 1.0 / 6.0);
    }

    #[test]
    fn long_texts_are_compared_by_words() {
        let long = |last: &str| format!("{}{last}", "x y ".repeat(4_000));
        assert_eq!(text_likeness(&long("a"), &long("b")), 1.0 - 1.0 / 16_001.0);
        let other = "z w ".repeat(1_000);
        let likeness = text_likeness(&"x y ".repeat(1_000), &other);
        assert_eq!(likeness, 0.0);
        let spaced = text_likeness(&"ab ".repeat(2_000), &"ab  ".repeat(2_000));
        assert_eq!(spaced, 1.0 - 1.0 / 8_000.0);
    }

    #[test]
    fn json_is_compared_field_by_field() {
        let likeness = |a: &str, b: &str| json_likeness(&value_of(a), &value_of(b));
        assert_eq!(likeness(r#"{"a": 1, "b": "x"}"#, r#"{"b": "x", "a": 1.0}"#), 1.0);
        assert_eq!(likeness(r#"{"a": 1}"#, r#"{"a": 1, "b": 2}"#), 0.5);
        assert_eq!(likeness("[1, 2, 3, 4]", "[1, 2]"), 0.5);
        assert_eq!(likeness("[]", "[]"), 1.0);
        assert_eq!(likeness("1", "true"), 0.0);
    }

    #[test]
    fn numbers_are_compared_by_their_size() {
        assert_eq!(number_likeness(0.0, 0.0), 1.0);
        assert_eq!(number_likeness(1.0, 3.0), 0.5);
        assert_eq!(number_likeness(-1.0, 1.0), 0.0);
    }
}
