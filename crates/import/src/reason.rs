//! The words for everything that can be wrong with a source, each written once.
//!
//! A word names the outcome in messages, in the notes of an experiment and in `docs/import.md`. The
//! store adds its own for what only a whole trace shows (`duplicate_id`, `unknown_parent`, …).

/// No JSON.
pub(crate) const BAD_JSON: &str = "bad_json";
/// The text ends inside a row.
pub(crate) const TRUNCATED: &str = "truncated";
/// Compressed bytes that no decoder accepts.
pub(crate) const CORRUPT_COMPRESSION: &str = "corrupt_compression";
/// Bytes that are no UTF-8.
pub(crate) const INVALID_UTF8: &str = "invalid_utf8";
/// The source itself fails to give its bytes.
pub(crate) const UNREADABLE: &str = "unreadable";
/// Text that is not UTF-8 from the start.
pub(crate) const UTF16: &str = "utf16";
/// JSON, but no object.
pub(crate) const NOT_AN_OBJECT: &str = "not_an_object";
/// An object that is no row of an eval.
pub(crate) const NOT_A_ROW: &str = "not_a_row";
/// A known field holds a value of another type.
pub(crate) const WRONG_TYPE: &str = "wrong_type";
/// A score that is a string, an array or an object.
pub(crate) const SCORE_NOT_NUMBER: &str = "score_not_number";
/// A score that is infinite.
pub(crate) const SCORE_NOT_FINITE: &str = "score_not_finite";
/// A metric that is no number.
pub(crate) const METRIC_NOT_NUMBER: &str = "metric_not_number";
/// A time that cannot be read.
pub(crate) const BAD_TIME: &str = "bad_time";
/// Nesting beyond the limit.
pub(crate) const TOO_DEEP: &str = "too_deep";
/// A row longer than the limit.
pub(crate) const TOO_LONG: &str = "too_long";
/// A child span that names no trace.
pub(crate) const MISSING_ROOT_SPAN_ID: &str = "missing_root_span_id";
/// A partial update of a row.
pub(crate) const MERGE_ROW: &str = "merge_row";

/// A score `NaN`, stored as null.
pub(crate) const NAN_SCORE: &str = "nan_score";
/// A boolean score, stored as 0 or 1.
pub(crate) const BOOLEAN_SCORE: &str = "boolean_score";
/// A finite score outside [0, 1], stored as it is.
pub(crate) const SCORE_OUT_OF_RANGE: &str = "score_out_of_range";
/// A metric that is NaN or infinite, not stored.
pub(crate) const NAN_METRIC: &str = "nan_metric";
/// A deprecated `caller_*` metric, not stored.
pub(crate) const CALLER_METRIC: &str = "caller_metric";
/// A bare `NaN` or `Infinity` in other data, stored as null.
pub(crate) const NAN_VALUE: &str = "nan_value";
/// Half a surrogate pair, stored as U+FFFD.
pub(crate) const LONE_SURROGATE: &str = "lone_surrogate";
/// A key that an object holds twice; the last one counts.
pub(crate) const DUPLICATE_KEY: &str = "duplicate_key";
/// A score that is a text, an array or an object: kept as it is, without a number.
pub(crate) const SCORE_IS_LABEL: &str = "score_is_label";
/// The source ends too early; what came before is stored.
pub(crate) const CUT_OFF: &str = "cut_off";
/// The source says that its run did not end.
pub(crate) const UNFINISHED_RUN: &str = "unfinished_run";
/// Bytes that are no UTF-8, stored as U+FFFD.
pub(crate) const REPLACED_UTF8: &str = "replaced_utf8";
/// A record that a later one of the same source replaces.
pub(crate) const REPEATED_RECORD: &str = "repeated_record";
/// The source is of a newer version of its format than the one that was read for.
pub(crate) const NEWER_VERSION: &str = "newer_version";
/// The source has as many rows as its tool gives at most.
pub(crate) const ROWS_AT_LIMIT: &str = "rows_at_limit";
/// Every word of this crate that makes a row unusable; `--keep-going` counts by them.
pub(crate) const SKIPPING: [&str; 15] = [
    BAD_JSON,
    TRUNCATED,
    CORRUPT_COMPRESSION,
    INVALID_UTF8,
    NOT_AN_OBJECT,
    NOT_A_ROW,
    WRONG_TYPE,
    SCORE_NOT_NUMBER,
    SCORE_NOT_FINITE,
    METRIC_NOT_NUMBER,
    BAD_TIME,
    TOO_DEEP,
    TOO_LONG,
    MISSING_ROOT_SPAN_ID,
    MERGE_ROW,
];

/// The store's words for rows that do not fit together.
pub(crate) const SKIPPING_IN_STORE: [&str; 6] =
    ["duplicate_id", "duplicate_span_id", "no_root", "second_root", "unknown_parent", "cycle"];

/// True for a word that says that a row was not stored because something is wrong with it.
pub fn is_skipping(word: &str) -> bool {
    SKIPPING.contains(&word) || SKIPPING_IN_STORE.contains(&word)
}

/// What a word means, as `docs/import.md` says it.
pub fn meaning_of(word: &str) -> Option<&'static str> {
    let rows = include_str!("../../../docs/import.md").lines().filter_map(|line| line.strip_prefix("| `"));
    let mut meanings = rows.filter_map(|row| row.split_once("` | ")).filter(|(known, _)| *known == word);
    meanings.next().map(|(_, meaning)| meaning.trim_end_matches('|').trim())
}

/// Every word for what is tolerated; the last three are counted by the store.
#[cfg(test)]
pub(crate) const TOLERATED: [&str; 18] = [
    NAN_SCORE,
    BOOLEAN_SCORE,
    SCORE_OUT_OF_RANGE,
    NAN_METRIC,
    CALLER_METRIC,
    NAN_VALUE,
    LONE_SURROGATE,
    DUPLICATE_KEY,
    SCORE_IS_LABEL,
    CUT_OFF,
    UNFINISHED_RUN,
    REPLACED_UTF8,
    REPEATED_RECORD,
    NEWER_VERSION,
    ROWS_AT_LIMIT,
    "older_version",
    "repeated_row",
    "deleted",
];

/// A source that holds no eval results.
pub(crate) const NOT_RECOGNISED: &str = "not_recognised";
/// A source without any row.
pub(crate) const NO_ROWS: &str = "no_rows";
/// The name belongs to another experiment of the project.
pub(crate) const NAME_TAKEN: &str = "name_taken";
/// Two files of one import hold the same experiment.
pub(crate) const DUPLICATE_EXPERIMENT: &str = "duplicate_experiment";
/// The experiment is stored under another project.
pub(crate) const EXPERIMENT_ELSEWHERE: &str = "experiment_elsewhere";
/// One name was given, and the rows are of several experiments.
pub(crate) const MANY_EXPERIMENTS: &str = "many_experiments";

/// An archive that unpacks to far more than its size.
pub(crate) const ARCHIVE_TOO_LARGE: &str = "archive_too_large";
/// A column that the user named is not there, or nothing that a column can be.
pub(crate) const NO_SUCH_COLUMN: &str = "no_such_column";
/// Two columns could be the same thing.
pub(crate) const AMBIGUOUS_COLUMN: &str = "ambiguous_column";

/// Every word of this crate that stops a whole file.
#[cfg(test)]
pub(crate) const STOPPING: [&str; 11] = [
    UNREADABLE,
    UTF16,
    NOT_RECOGNISED,
    NO_ROWS,
    NAME_TAKEN,
    DUPLICATE_EXPERIMENT,
    EXPERIMENT_ELSEWHERE,
    MANY_EXPERIMENTS,
    ARCHIVE_TOO_LARGE,
    NO_SUCH_COLUMN,
    AMBIGUOUS_COLUMN,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_documented_once() {
        let page = include_str!("../../../docs/import.md");
        let words = SKIPPING.iter().chain(&SKIPPING_IN_STORE).chain(&STOPPING).chain(&TOLERATED);
        for word in words.clone() {
            assert_eq!(page.matches(&format!("\n| `{word}` |")).count(), 1, "{word}");
        }
        let (_, tables) = page.split_once("## What can be wrong").unwrap();
        let documented = tables.lines().filter(|line| line.starts_with("| `")).count();
        assert_eq!(documented, words.count());
    }
}
