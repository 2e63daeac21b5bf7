//! The name of every stored column, written once.
//!
//! A stored path is `field.key` for scores, metrics and shredded JSON (`scores.Factuality`,
//! `metadata.model`, `input.user.tier`): the way people write it. Names that a Delta table cannot
//! hold are percent-encoded in the stored column name and decoded everywhere else.

/// Project name.
pub const PROJECT: &str = "project";
/// Experiment name.
pub const EXPERIMENT: &str = "experiment";
/// Experiment id.
pub const EXPERIMENT_ID: &str = "experiment_id";
/// Row id.
pub const ID: &str = "id";
/// Span id.
pub const SPAN_ID: &str = "span_id";
/// Trace id.
pub const ROOT_SPAN_ID: &str = "root_span_id";
/// Parent span ids.
pub const SPAN_PARENTS: &str = "span_parents";
/// True on the root of a trace; the partition column.
pub const IS_ROOT: &str = "is_root";
/// Position in the source.
pub const POSITION: &str = "position";
/// Creation time.
pub const CREATED: &str = "created";
/// Span name.
pub const NAME: &str = "name";
/// Span type.
pub const TYPE: &str = "type";
/// `scorer` on a scorer span and, by inheritance, on everything below it.
pub const PURPOSE: &str = "purpose";
/// Start, Unix seconds.
pub const START: &str = "start";
/// End, Unix seconds.
pub const END: &str = "end";
/// Input, JSON.
pub const INPUT: &str = "input";
/// Output, JSON.
pub const OUTPUT: &str = "output";
/// Expected output, JSON.
pub const EXPECTED: &str = "expected";
/// Error, JSON.
pub const ERROR: &str = "error";
/// Metadata, JSON.
pub const METADATA: &str = "metadata";
/// Tags.
pub const TAGS: &str = "tags";
/// The span's own scores as logged, JSON.
pub const SCORES: &str = "scores";
/// The span's own metrics as logged, JSON.
pub const METRICS: &str = "metrics";
/// Span attributes as logged, JSON.
pub const SPAN_ATTRIBUTES: &str = "span_attributes";
/// Caller context, JSON.
pub const CONTEXT: &str = "context";
/// Origin (dataset row), JSON.
pub const ORIGIN: &str = "origin";
/// Fields of the source without a column, JSON.
pub const EXTRA: &str = "extra";
/// Transaction that wrote the row (`_xact_id`); null where the source has none.
pub const XACT: &str = "_xact_id";
/// What the experiment id of rows that no longer hold begins with: kept for reads as of an older
/// transaction, and seen by nothing else.
pub const HISTORY_PREFIX: &str = "history:";
/// The whole `extra` of a version of a row that says that the row was deleted.
pub const TOMBSTONE: &str = "{\"_object_delete\":true}";
/// 126-bit hash of the default comparison key (canonical JSON of `input`), null when the key is null.
pub const COMPARISON_KEY_HASH: &str = "comparison_key_hash";
/// 0-based index of the trial among the cases of one experiment with equal keys.
pub const TRIAL_INDEX: &str = "trial_index";
/// Number of spans in the trace, root included.
pub const SPAN_COUNT: &str = "span_count";

/// Columns that hold JSON text.
pub const JSON_COLUMNS: [&str; 11] =
    [INPUT, OUTPUT, EXPECTED, ERROR, METADATA, SCORES, METRICS, SPAN_ATTRIBUTES, CONTEXT, ORIGIN, EXTRA];

/// JSON columns whose scalar paths are shredded into typed columns of their own.
pub const SHREDDED_COLUMNS: [&str; 4] = [METADATA, INPUT, OUTPUT, EXPECTED];

/// Metrics that evalhouse derives for a case (semantics, section 12), with their units.
pub const DERIVED_METRICS: [(&str, &str); 12] = [
    ("duration", "s"),
    ("llm_duration", "s"),
    ("prompt_tokens", "tok"),
    ("completion_tokens", "tok"),
    ("tokens", "tok"),
    ("estimated_cost", "$"),
    ("time_to_first_token", "s"),
    ("llm_calls", ""),
    ("tool_calls", ""),
    ("errors", ""),
    ("llm_errors", ""),
    ("tool_errors", ""),
];

/// The unit of a metric by its name: `s`, `ms`, `tok`, `$` or nothing.
pub fn metric_unit(name: &str) -> &'static str {
    if let Some((_, unit)) = DERIVED_METRICS.iter().find(|(known, _)| *known == name) {
        return unit;
    }
    if name.ends_with("_ms") {
        "ms"
    } else if name.ends_with("_s") || name.ends_with("duration") || name.ends_with("_seconds") {
        "s"
    } else if name.ends_with("tokens") {
        "tok"
    } else if name == "cost" || name.ends_with("_cost") || name.ends_with("_usd") {
        "$"
    } else {
        ""
    }
}

/// Whether less of this metric is better. Durations, tokens, cost, calls and errors are; of a
/// metric of unknown meaning nothing is claimed, and it counts as lower-is-better like the rest.
pub fn lower_is_better(metric: &str) -> bool {
    !metric.ends_with("_per_second") && !metric.ends_with("throughput")
}

/// The stored column name of `field` + `key`, for example `scores` + `Answer Correctness` →
/// `scores.Answer%20Correctness`.
///
/// Delta column names may not hold ` ,;{}()\n\t=`; those bytes, `%` itself, `"` and control
/// characters are percent-encoded. [`decode_column`] reverses it.
pub fn encode_column(field: &str, key: &str) -> String {
    let mut column = String::with_capacity(field.len() + 1 + key.len());
    column.push_str(field);
    column.push('.');
    push_encoded(&mut column, key, false);
    column
}

/// Like [`encode_column`], with upper-case letters encoded too, for a name that differs from a
/// stored one only in case: Delta, Spark and DuckDB compare column names without case.
pub fn encode_column_case(field: &str, key: &str) -> String {
    let mut column = format!("{field}.");
    push_encoded(&mut column, key, true);
    column
}

fn push_encoded(column: &mut String, key: &str, encode_upper: bool) {
    for c in key.chars() {
        let reserved = matches!(c, ' ' | ',' | ';' | '{' | '}' | '(' | ')' | '=' | '%' | '"' | '`')
            || c.is_control()
            || (encode_upper && c.is_uppercase());
        if reserved {
            let mut buffer = [0; 4];
            for byte in c.encode_utf8(&mut buffer).bytes() {
                column.push_str(&format!("%{byte:02X}"));
            }
        } else {
            column.push(c);
        }
    }
}

/// The name as people write it of a stored column: `scores.Answer%20Correctness` →
/// `scores.Answer Correctness`. Text that is no valid encoding is returned as it is.
pub fn decode_column(column: &str) -> String {
    if !column.contains('%') {
        return column.to_string();
    }
    let mut bytes = Vec::with_capacity(column.len());
    let mut rest = column.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = (first == b'%').then(|| tail.get(..2)).flatten();
        let decoded = hex.and_then(|h| std::str::from_utf8(h).ok()).and_then(|h| u8::from_str_radix(h, 16).ok());
        match decoded {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| column.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_readable_and_case_safe() {
        assert_eq!(encode_column("scores", "Answer Correctness"), "scores.Answer%20Correctness");
        assert_eq!(encode_column_case("scores", "F"), "scores.%46");
        assert_eq!(decode_column("scores.%46"), "scores.F");
        assert_eq!(decode_column("50%"), "50%");
    }

    proptest! {
        #[test]
        fn any_name_survives(key in ".{0,40}") {
            prop_assert_eq!(decode_column(&encode_column("f", &key)), format!("f.{key}"));
            prop_assert_eq!(decode_column(&encode_column_case("f", &key)), format!("f.{key}"));
        }
    }
}
