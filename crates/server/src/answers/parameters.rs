//! The parameters that several answers take, named as the command line's options.

use evalhouse_analysis::Reducer;

use crate::error::ApiError;
use crate::given::{Given, Parameter};

/// Rows of cases that are answered unless told otherwise.
pub(super) const ROWS_DEFAULT: usize = 1_000;
/// Rows of cases that one answer may have: it is held in memory. An export has no such end.
pub(super) const ROWS_MAX: usize = 100_000;

pub(super) const PROJECT: Parameter = Parameter::text("project", "Only experiments of this project");
pub(super) const WHERE: Parameter =
    Parameter::text("where", "Only cases for which this is true: scores.Factuality < 0.5, or a phrase");
pub(super) const KEY: Parameter =
    Parameter::text("key", "Expression that says which rows are the same case; the project's without, else input");
pub(super) const REDUCER: Parameter = Parameter::text(
    "reducer",
    "How trials become one value: mean, median, min, max, mode, majority, first, last, any, all, at_least(K), \
     pass@K, pass^K; the project's without, else mean",
);
pub(super) const EXPERIMENTS: Parameter =
    Parameter::text("experiment", "An experiment: id, name, PROJECT/NAME or rule").repeats();
pub(super) const BASE: Parameter =
    Parameter::text("base", "The experiment to compare with; baseline lets the candidate's rule choose").required();
pub(super) const GROUP_BY: Parameter =
    Parameter::text("group-by", "Sums up groups of cases: metadata.category; repeat to nest").repeats();
pub(super) const AGGREGATE: Parameter = Parameter::text(
    "aggregate",
    "How the scores of a group are summed up: avg, min, max, sum, median, count, stddev, p90; avg without",
);
pub(super) const SORT: Parameter =
    Parameter::text("sort", "Order: regressions:SCORE, improvements:SCORE, or EXPR [asc|desc], by commas").repeats();
pub(super) const COLUMNS: Parameter =
    Parameter::text("columns", "Expressions to show, by commas: input.question,scores.Factuality").repeats();
pub(super) const ALIGN: Parameter = Parameter::choice(
    "align",
    "Which trial of the base each row is held against: of the same index, the closest, or the worst",
    &["index", "closest", "worst"],
);
pub(super) const AGAINST: Parameter = Parameter::text("against", "Experiment to compare each case with");
pub(super) const SHIFT: Parameter = Parameter::count(
    "shift",
    "How many trials further the trial of the base is than that of the same index, round and round",
    ROWS_MAX,
);
pub(super) const PREVIEW: Parameter =
    Parameter::count("preview", "Characters after which texts and JSON are cut; whole without", u32::MAX as usize);
pub(super) const OFFSET: Parameter =
    Parameter::count("offset", "Rows to leave out before the first that is answered", u32::MAX as usize);
pub(super) const LIMIT: Parameter = Parameter::count("limit", "Rows to answer; 1000 cases without", ROWS_MAX);
pub(super) const SCORE: Parameter = Parameter::text("score", "The name of a score");

/// How trials become one value.
pub(super) fn reducer(given: &Given) -> Result<Option<Reducer>, ApiError> {
    given.parsed(&REDUCER)
}
