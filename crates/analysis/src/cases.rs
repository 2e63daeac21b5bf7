//! The cases of an experiment as a table, perhaps against a baseline.

use std::collections::BTreeSet;

use datafusion::common::JoinType;
use datafusion::dataframe::DataFrame;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::functions_aggregate::expr_fn::{avg, count, first_value};
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::expr::{Sort, WindowFunction};
use datafusion::logical_expr::{Expr, ExprFunctionExt, WindowFunctionDefinition, ident, lit, when};
use evalhouse_model::{CaseCell, CaseColumn, CaseRow, CaseTable, ProjectSettings, schema};
use evalhouse_session::{BASE, CANDIDATE, Session};

use crate::answer::Answer;
use crate::filter::Filter;
use crate::key::Key;
use crate::measures::{Measure, measures};
use crate::scope::{cases_of, has_group_size, parse, side, with_group_size, with_trials};
use crate::{AnalysisError, Selected, comparable};

/// Rows shown when no limit is given.
const LIMIT_DEFAULT: usize = 50;

/// Scores shown when no columns are named.
const SCORES_DEFAULT: usize = 64;

/// What to show.
#[derive(Debug, Clone, Default)]
pub struct CasesOptions {
    /// Baseline to hold every case against.
    pub against: Option<Selected>,
    /// Comparison key; default `input`.
    pub key: Option<String>,
    /// Only cases that satisfy this condition.
    pub filter: Option<String>,
    /// Order: `regressions:SCORE` or `improvements:SCORE` (with a baseline), or an expression, with
    /// `asc` or `desc`. Without one: worst regressions first with a baseline, else source order.
    pub sort: Vec<String>,
    /// Expressions to show; default input, output, the first 64 scores and the duration.
    pub columns: Option<Vec<String>>,
    /// Rows to show; default 50.
    pub limit: Option<usize>,
    /// Rows to leave out before those that are shown.
    pub offset: usize,
    /// Characters after which a value is cut; texts and JSON come whole without.
    pub preview: Option<usize>,
    /// Which trial of the baseline lines up with each row.
    pub align: Alignment,
    /// How many trials further the baseline's trial of the same index is, round and round.
    pub shift: usize,
    /// The condition chooses the baseline's cases as well, as a diff does; else every case that it keeps
    /// is held against whatever the baseline has.
    pub filter_base: bool,
}

/// Which trial of the baseline a row is held against.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Alignment {
    /// The one of the same index; the mean of all where there is none.
    #[default]
    Index,
    /// The one whose scores are nearest.
    Closest,
    /// The one against which the row does worst.
    Worst,
}

/// Lists cases. With a baseline each trial is held against the baseline's trial of the same index,
/// or against the mean of the baseline's trials where it has no such trial.
///
/// # Errors
/// When an expression does not parse or the store cannot be read.
pub async fn cases(
    session: &Session,
    experiment: &Selected,
    options: &CasesOptions,
) -> Result<CaseTable, AnalysisError> {
    let Planned { plan, counted, columns } = planned(session, experiment, options).await?;
    let total = Answer::of(counted.aggregate(vec![], vec![count(lit(1)).alias("total")])?).await?.int(0, "total");
    let limit = options.limit.unwrap_or(LIMIT_DEFAULT);
    let answer = Answer::of(plan.limit(options.offset, Some(limit))?).await?;
    let mut warnings = match &options.against {
        Some(base) => comparable::of_experiments(session, base, experiment).await?,
        None => Vec::new(),
    };
    let scores = session.score_names(&experiment.experiment).len();
    if options.columns.is_none() && scores > SCORES_DEFAULT {
        warnings.push(format!("of {scores} scores the first {SCORES_DEFAULT} are shown: name others as columns"));
    }
    let rows = (0..answer.rows()).map(|row| case_row(&answer, row, &columns, options));
    Ok(CaseTable {
        experiment: side(experiment),
        against: options.against.as_ref().map(side),
        rows: rows.collect(),
        total,
        warnings,
        columns: columns.into_iter().map(|column| column.shown).collect(),
    })
}

/// Streams the rows of [`cases`], all that there are without a limit: a column each for what is shown,
/// and for scores and metrics held against a baseline what it has, the delta, and the class.
///
/// # Errors
/// As [`cases`].
pub async fn cases_as_rows(
    session: &Session,
    experiment: &Selected,
    options: &CasesOptions,
) -> Result<SendableRecordBatchStream, AnalysisError> {
    let Planned { plan, columns, .. } = planned(session, experiment, options).await?;
    let with_base = options.against.is_some();
    let mut out = vec![ident("id"), ident("trial")];
    out.extend(with_base.then(|| ident("presence")));
    let mut names = BTreeSet::new();
    for (i, column) in columns.iter().enumerate() {
        let name = &column.shown.name;
        if !names.insert(name) {
            continue;
        }
        out.push(ident(format!("v{i}")).alias(name));
        if with_base && column.is_number() {
            let beside = [("b", "baseline"), ("d", "delta"), ("c", "class")];
            out.extend(beside.map(|(of, what)| ident(format!("{of}{i}")).alias(format!("{name}.{what}"))));
        }
    }
    Ok(plan.select(out)?.limit(options.offset, options.limit)?.execute_stream().await?)
}

/// The rows with the id of the baseline's row that each is held against in `base_id`.
pub(crate) async fn held_against(
    session: &Session,
    rows: DataFrame,
    sides: (&Selected, &Selected),
    key: &Key,
    options: &CasesOptions,
) -> Result<DataFrame, AnalysisError> {
    against(session, rows, sides, key, options, &[], None).await
}

/// What is shown, before it runs.
struct Planned {
    /// The rows in their order.
    plan: DataFrame,
    /// As many rows, for less work: what only holds cases against the baseline leaves none out.
    counted: DataFrame,
    columns: Vec<Column>,
}

/// The rows in their order: what is shown in `v0`, `v1`, …, with what the baseline has in `b0`, the
/// delta in `d0` and the class in `c0`.
async fn planned(session: &Session, experiment: &Selected, options: &CasesOptions) -> Result<Planned, AnalysisError> {
    let filter = options.filter.as_deref().map(Filter::read).transpose()?;
    let both: Vec<&Selected> = options.against.iter().chain([experiment]).collect();
    let key = Key::of(session, options.key.as_deref(), &both);
    // Trials are numbered before any is left out: a filter does not change which trial a row is.
    let mut rows = with_trials(session, cases_of(session, experiment, None).await?, &key)?;
    let others = options.sort.iter().chain(options.columns.iter().flatten());
    let asks_size = |text: &String| Filter::read(directed(text).0).is_ok_and(|read| read.counts_trials());
    if others.into_iter().any(asks_size) {
        rows = with_group_size(session, rows, &key)?;
    }
    let paired = filter.as_ref().filter(|filter| options.against.is_some() && filter.is_paired());
    rows = match (&filter, paired) {
        (None, _) => rows,
        (Some(filter), Some(_)) => filter.keep_own(session, rows, &key)?,
        (Some(filter), None) => filter.keep_all(session, rows, &key)?,
    };
    let columns = columns_of(session, experiment, options, &rows)?;
    let own = rows.clone();
    let plan = match &options.against {
        Some(base) => against(session, rows, (experiment, base), &key, options, &columns, paired).await?,
        None => {
            let shown = columns.iter().enumerate();
            let shown = shown.map(|(i, column)| Ok(column.value.own()?.alias(format!("v{i}"))));
            let shown = shown.collect::<Result<Vec<Expr>, AnalysisError>>()?;
            let fixed = [
                ident(schema::ID).alias("id"),
                ident(schema::TRIAL_INDEX).alias("trial"),
                ident(schema::POSITION).alias("position"),
            ];
            let keys = sort_keys(session, experiment, options, &rows, &[])?;
            let sort_columns = keys.iter().enumerate();
            let sort_columns = sort_columns.map(|(i, key)| Ok(key.by.own()?.alias(format!("o{i}"))));
            let sort_columns = sort_columns.collect::<Result<Vec<Expr>, AnalysisError>>()?;
            rows.select(fixed.into_iter().chain(shown).chain(sort_columns).collect::<Vec<_>>())?.sort(outer(&keys))?
        }
    };
    let counted = if paired.is_some() { plan.clone() } else { own };
    Ok(Planned { plan, counted, columns })
}

struct Column {
    shown: CaseColumn,
    value: Value,
    /// A score or metric, which can be held against the baseline's.
    measure: Option<Measure>,
}

impl Column {
    fn is_number(&self) -> bool {
        self.measure.is_some()
    }
}

/// What a column shows or a sort key goes by.
enum Value {
    /// An expression over the row's own case.
    Own(Expr),
    /// An expression that speaks of the baseline's case as well.
    Paired(Filter),
    /// The delta of a column.
    Delta(usize),
}

impl Value {
    /// Reads an expression; one about pairs needs a baseline.
    fn read(
        session: &Session,
        place: &'static str,
        text: &str,
        rows: &DataFrame,
        with_base: bool,
    ) -> Result<Self, AnalysisError> {
        let read = Filter::read_at(place, text)?;
        if with_base && read.is_paired() {
            return Ok(Self::Paired(read));
        }
        Ok(Self::Own(parse(session, place, text, rows.schema())?))
    }

    fn own(&self) -> Result<Expr, AnalysisError> {
        match self {
            Self::Own(expression) => Ok(expression.clone()),
            // Read without a baseline there is nothing else; with one, these are made after the join.
            Self::Paired(_) | Self::Delta(_) => Ok(lit(datafusion::common::ScalarValue::Null)),
        }
    }

    fn paired(&self) -> Option<&Filter> {
        match self {
            Self::Paired(read) => Some(read),
            Self::Own(_) | Self::Delta(_) => None,
        }
    }
}

/// One key of the order.
struct SortKey {
    by: Value,
    ascending: bool,
}

fn columns_of(
    session: &Session,
    experiment: &Selected,
    options: &CasesOptions,
    rows: &DataFrame,
) -> Result<Vec<Column>, AnalysisError> {
    let settings = session.settings(&experiment.experiment.project);
    if let Some(texts) = &options.columns {
        let column = |text: &String| -> Result<Column, AnalysisError> {
            let value = Value::read(session, "--columns", text, rows, options.against.is_some())?;
            Ok(column_of(text, value, &settings))
        };
        return texts.iter().map(column).collect();
    }
    let mut columns: Vec<Column> =
        [schema::INPUT, schema::OUTPUT].map(|name| column_of(name, Value::Own(ident(name)), &settings)).into();
    let (scores, metrics): (Vec<Measure>, Vec<Measure>) =
        measures(session, &[experiment]).into_iter().partition(Measure::is_score);
    let duration = metrics.into_iter().filter(|metric| metric.name == "duration");
    let shown = scores.into_iter().take(SCORES_DEFAULT).chain(duration);
    columns.extend(shown.map(|m| column_of(&format!("{}.{}", m.field, m.name), Value::Own(m.value()), &settings)));
    Ok(columns)
}

fn column_of(text: &str, value: Value, settings: &ProjectSettings) -> Column {
    // A bare score or metric can be held against the baseline's; any other expression is shown only.
    let measure = match &value {
        Value::Own(Expr::Column(column)) => [schema::SCORES, schema::METRICS].into_iter().find_map(|field| {
            let name = column.name.strip_prefix(field)?.strip_prefix('.')?;
            Some(Measure::new(field, name, settings))
        }),
        _ => None,
    };
    let (kind, unit) = match &measure {
        Some(measure) if measure.is_score() => ("score", ""),
        Some(measure) => ("metric", schema::metric_unit(&measure.name)),
        None => ("text", ""),
    };
    Column { shown: CaseColumn { name: text.into(), kind: kind.into(), unit: unit.into() }, value, measure }
}

/// The candidate's rows with the baseline's trial that lines up, or the mean of its trials.
async fn against(
    session: &Session,
    rows: DataFrame,
    (experiment, base): (&Selected, &Selected),
    key: &Key,
    options: &CasesOptions,
    columns: &[Column],
    filter: Option<&Filter>,
) -> Result<DataFrame, AnalysisError> {
    // What is held against the baseline: what is shown, and what a condition on pairs may name.
    let mut held: Vec<Measure> = columns.iter().filter_map(|column| column.measure.clone()).collect();
    let keys = sort_keys(session, experiment, options, &rows, columns)?;
    let paired: Vec<&Filter> = filter
        .into_iter()
        .chain(columns.iter().filter_map(|column| column.value.paired()))
        .chain(keys.iter().filter_map(|key| key.by.paired()))
        .collect();
    // What lines up does not depend on what is shown.
    let goes_by_scores = options.align != Alignment::Index;
    if !paired.is_empty() || goes_by_scores {
        let rest = measures(session, &[base, experiment]).into_iter().filter(|m| !held.contains(m));
        held.extend(rest.filter(|m| !paired.is_empty() || m.is_score()).collect::<Vec<_>>());
    }
    let carried: BTreeSet<String> = paired.iter().flat_map(|read| read.carried(session, rows.schema())).collect();
    // Which trial a row is depends on the key in use, and on how trials line up: it comes with them.
    let carried: Vec<String> = carried.into_iter().filter(|name| name != schema::TRIAL_INDEX).collect();

    let hash = key.hash(session, rows.schema())?;
    let mut ours = vec![
        ident(schema::ID).alias("id"),
        ident(schema::TRIAL_INDEX).alias("trial"),
        ident(schema::POSITION).alias("position"),
        hash.alias("c_key"),
    ];
    for (i, column) in columns.iter().enumerate() {
        ours.push(column.value.own()?.alias(format!("v{i}")));
    }
    for (i, key) in keys.iter().enumerate() {
        ours.push(key.by.own()?.alias(format!("k{i}")));
    }
    ours.extend(held.iter().enumerate().map(|(m, measure)| measure.value().alias(format!("n{m}"))));
    ours.extend(carried.iter().map(|name| ident(name).alias(format!("ours_{name}"))));
    let candidate = rows.clone().select(ours)?;

    let mut base_cases = with_trials(session, cases_of(session, base, None).await?, key)?;
    if has_group_size(&rows) {
        base_cases = with_group_size(session, base_cases, key)?;
    }
    let mut base_rows = base_cases.clone();
    if options.filter_base
        && let Some(text) = &options.filter
    {
        base_rows = Filter::read(text)?.keep_own(session, base_rows, key)?;
    }
    let base_hash = key.hash(session, base_rows.schema())?;
    let mut by_trial = vec![
        base_hash.clone().alias("t_key"),
        ident(schema::TRIAL_INDEX).alias("t_trial"),
        ident(schema::ID).alias("t_id"),
    ];
    by_trial.extend(held.iter().enumerate().map(|(m, measure)| measure.value().alias(format!("t{m}"))));
    let by_trial = base_rows.clone().select(by_trial)?;
    let mut of_case: Vec<Expr> =
        held.iter().enumerate().map(|(m, measure)| avg(measure.value()).alias(format!("m{m}"))).collect();
    let first = |name: &str| first_value(ident(name), key.trial_order()).alias(format!("theirs_{name}"));
    of_case.extend(carried.iter().map(|name| first(name)));
    of_case.push(count(lit(1)).alias("m_rows"));
    let by_case = base_rows.aggregate(vec![base_hash.alias("m_key")], of_case)?;

    let lined_up = match options.align {
        Alignment::Index if options.shift == 0 => {
            candidate.join(by_trial, JoinType::Left, &["c_key", "trial"], &["t_key", "t_trial"], None)?
        }
        align => {
            let all = with_count_of_trials(candidate.join(by_trial, JoinType::Left, &["c_key"], &["t_key"], None)?)?;
            let distance = match align {
                Alignment::Index => steps_to_trial(options.shift),
                _ => distance(&held, align)?,
            };
            let place = row_number()
                .partition_by(vec![ident("id")])
                .order_by(vec![distance.sort(true, false), ident("t_trial").sort(true, true)])
                .build()?;
            all.window(vec![place.alias("place")])?
                .filter(ident("place").eq(lit(1_i64)))?
                .drop_columns(&["place", "trials"])?
        }
    };
    let mut joined = lined_up.join(by_case, JoinType::Left, &["c_key"], &["m_key"], None)?;
    if let Some(filter) = filter.filter(|filter| filter.asks_presence()) {
        let theirs = filter.keep_own(session, base_cases, key)?;
        let shape = Shape { columns, keys: &keys, held: &held, carried: &carried };
        joined = joined.union(base_only(session, theirs, rows, key, &shape)?)?;
    }
    let base_value =
        |m: usize| when(ident("t_key").is_not_null(), ident(format!("t{m}"))).otherwise(ident(format!("m{m}")));
    let presence = when(ident("c_key").is_null().and(ident("t_key").is_not_null()), lit("base_only"))
        .when(ident("c_key").is_null(), lit("null_key"))
        .when(ident("m_key").is_null(), lit("candidate_only"))
        .otherwise(lit("matched"))?;
    let mut all: Vec<Expr> = joined.schema().fields().iter().map(|field| ident(field.name())).collect();
    let is_ours = || ident("c_key").is_not_null().or(ident("t_key").is_null());
    all.push(when(is_ours(), ident("trial")).end()?.alias_qualified(Some(CANDIDATE), schema::TRIAL_INDEX));
    all.push(ident("t_trial").alias_qualified(Some(BASE), schema::TRIAL_INDEX));
    all.push(presence.alias("presence"));
    for (m, measure) in held.iter().enumerate() {
        let name = format!("{}.{}", measure.field, measure.name);
        all.push(ident(format!("n{m}")).alias_qualified(Some(CANDIDATE), &name));
        all.push(base_value(m)?.alias_qualified(Some(BASE), name));
    }
    for name in &carried {
        all.push(ident(format!("ours_{name}")).alias_qualified(Some(CANDIDATE), name));
        all.push(ident(format!("theirs_{name}")).alias_qualified(Some(BASE), name));
    }
    let mut joined = joined.select(all)?;
    if let Some(filter) = filter {
        let condition = filter.over_pairs(session, joined.schema(), &held)?;
        joined = joined.filter(condition)?;
    }

    let regression = session.function("regression")?;
    let mut out = ["id", "trial", "position", "presence"].map(ident).to_vec();
    out.push(ident("t_id").alias("base_id"));
    for (i, column) in columns.iter().enumerate() {
        out.push(match column.value.paired() {
            Some(read) => read.value_over_pairs(session, joined.schema(), &held)?.alias(format!("v{i}")),
            None => ident(format!("v{i}")),
        });
    }
    for (i, column) in columns.iter().enumerate() {
        let Some(measure) = &column.measure else { continue };
        let Some(m) = held.iter().position(|known| known == measure) else { continue };
        let base_value = base_value(m)?;
        out.push(base_value.clone().alias(format!("b{i}")));
        out.push((ident(format!("v{i}")) - base_value.clone()).alias(format!("d{i}")));
        let reading = [lit(measure.tolerance), lit(measure.direction())];
        let class = regression.call([base_value, ident(format!("v{i}"))].into_iter().chain(reading).collect());
        out.push(
            when(ident("m_key").is_not_null().and(ident("c_key").is_not_null()), class).end()?.alias(format!("c{i}")),
        );
    }
    for (i, key) in keys.iter().enumerate() {
        out.push(match &key.by {
            Value::Paired(read) => read.value_over_pairs(session, joined.schema(), &held)?.alias(format!("o{i}")),
            Value::Own(_) => ident(format!("k{i}")).alias(format!("o{i}")),
            Value::Delta(_) => continue,
        });
    }
    order(joined.select(out)?, &keys, columns)
}

/// What the rows of a comparison carry.
struct Shape<'a> {
    columns: &'a [Column],
    keys: &'a [SortKey],
    held: &'a [Measure],
    carried: &'a [String],
}

/// The baseline's rows whose case the candidate lacks, in the columns of the rows that are held
/// against it: the values that are compared are the baseline's, all others are shown as its own.
fn base_only(
    session: &Session,
    theirs: DataFrame,
    ours: DataFrame,
    key: &Key,
    shape: &Shape<'_>,
) -> Result<DataFrame, AnalysisError> {
    let hash = key.hash(session, theirs.schema())?;
    let nothing = || lit(datafusion::common::ScalarValue::Null);
    let mut out = vec![
        ident(schema::ID).alias("id"),
        ident(schema::TRIAL_INDEX).alias("trial"),
        ident(schema::POSITION).alias("position"),
        nothing().alias("c_key"),
    ];
    for (i, column) in shape.columns.iter().enumerate() {
        let value = if column.is_number() { nothing() } else { column.value.own()? };
        out.push(value.alias(format!("v{i}")));
    }
    for (i, key) in shape.keys.iter().enumerate() {
        out.push(key.by.own()?.alias(format!("k{i}")));
    }
    out.extend((0..shape.held.len()).map(|m| nothing().alias(format!("n{m}"))));
    out.extend(shape.carried.iter().map(|name| nothing().alias(format!("ours_{name}"))));
    let theirs_of = [hash.clone(), ident(schema::TRIAL_INDEX), ident(schema::ID)];
    out.extend(theirs_of.into_iter().zip(["t_key", "t_trial", "t_id"]).map(|(of, name)| of.alias(name)));
    out.extend(shape.held.iter().enumerate().map(|(m, measure)| measure.value().alias(format!("t{m}"))));
    out.push(hash.clone().alias("m_key"));
    out.extend((0..shape.held.len()).map(|m| nothing().alias(format!("m{m}"))));
    out.extend(shape.carried.iter().map(|name| ident(name).alias(format!("theirs_{name}"))));
    out.push(lit(1_i64).alias("m_rows"));
    let known = ours.clone().select(vec![key.hash(session, ours.schema())?.alias("known")])?;
    let theirs = theirs.select(out)?.filter(ident("t_key").is_not_null())?;
    Ok(theirs.join(known, JoinType::LeftAnti, &["t_key"], &["known"], None)?)
}

/// How many trials on from the one `shift` after that of the row's index a trial of the baseline is, where
/// the first comes after the last.
fn steps_to_trial(shift: usize) -> Expr {
    let wanted = ident("trial") + lit(i64::try_from(shift).unwrap_or_default());
    let trials = || ident("trials");
    (ident("t_trial") - wanted % trials() + trials()) % trials()
}

/// The rows with how many trials of the baseline each has.
fn with_count_of_trials(rows: DataFrame) -> Result<DataFrame, AnalysisError> {
    let count = WindowFunctionDefinition::AggregateUDF(count_udaf());
    let count = Expr::from(WindowFunction::new(count, vec![lit(1_i64)]));
    Ok(rows.window(vec![count.partition_by(vec![ident("id")]).build()?.alias("trials")])?)
}

/// How far a trial of the baseline is from the candidate's row: by the scores of both, or by how
/// badly the candidate does against it.
fn distance(held: &[Measure], align: Alignment) -> Result<Expr, AnalysisError> {
    let mut total = lit(0.0);
    for (m, measure) in held.iter().enumerate().filter(|(_, measure)| measure.is_score()) {
        let (ours, theirs) = (ident(format!("n{m}")), ident(format!("t{m}")));
        let gain = if measure.lower_is_better { theirs - ours } else { ours - theirs };
        let part = match align {
            Alignment::Worst => gain,
            _ => datafusion::functions::expr_fn::abs(gain),
        };
        total = total + datafusion::prelude::coalesce(vec![part, lit(0.0)]);
    }
    Ok(total)
}

/// The user's sort keys.
fn sort_keys(
    session: &Session,
    experiment: &Selected,
    options: &CasesOptions,
    rows: &DataFrame,
    columns: &[Column],
) -> Result<Vec<SortKey>, AnalysisError> {
    let with_base = options.against.is_some();
    options.sort.iter().map(|text| sort_key(session, experiment, text, rows, columns, with_base)).collect()
}

fn sort_key(
    session: &Session,
    experiment: &Selected,
    text: &str,
    rows: &DataFrame,
    columns: &[Column],
    with_base: bool,
) -> Result<SortKey, AnalysisError> {
    let wrong = |message: String| AnalysisError::Expression { place: "--sort", text: text.into(), message };
    for (word, worst_first) in [("regressions:", true), ("improvements:", false)] {
        let Some(name) = text.strip_prefix(word) else { continue };
        if columns.is_empty() {
            return Err(wrong("there is nothing to regress from: name a baseline with --against".into()));
        }
        let found = columns
            .iter()
            .position(|c| c.is_number() && (c.shown.name == name || c.shown.name == format!("scores.{name}")));
        let Some(found) = found else {
            // A score or metric that is not shown.
            let all = measures(session, &[experiment]);
            let Some(measure) = all.iter().find(|m| m.name == name || format!("{}.{}", m.field, m.name) == name) else {
                let known: Vec<&str> = all.iter().map(|measure| measure.name.as_str()).collect();
                return Err(wrong(format!("there is no score or metric `{name}`; there are {}", known.join(", "))));
            };
            let delta = format!("delta({}.\"{}\")", measure.field, measure.name.replace('"', "\"\""));
            let by = Value::Paired(Filter::read_at("--sort", &delta)?);
            return Ok(SortKey { by, ascending: worst_first != measure.lower_is_better });
        };
        let better_is_more = columns[found].measure.as_ref().is_none_or(|measure| !measure.lower_is_better);
        return Ok(SortKey { by: Value::Delta(found), ascending: worst_first == better_is_more });
    }
    let (expression, ascending) = directed(text);
    Ok(SortKey { by: Value::read(session, "--sort", expression, rows, with_base)?, ascending })
}

/// An expression without the `asc` or `desc` after it, and whether it ascends.
fn directed(text: &str) -> (&str, bool) {
    match text.trim().rsplit_once(' ') {
        Some((expression, word)) if word.eq_ignore_ascii_case("desc") => (expression, false),
        Some((expression, word)) if word.eq_ignore_ascii_case("asc") => (expression, true),
        _ => (text, true),
    }
}

/// Sort keys over the output columns `o0`, `o1`, …; source order breaks ties.
fn outer(keys: &[SortKey]) -> Vec<Sort> {
    let chosen = keys.iter().enumerate().map(|(i, key)| ident(format!("o{i}")).sort(key.ascending, false));
    chosen.chain(by_place()).collect()
}

/// Source order, in which no two rows are equal: a page of the rows begins where the one before it ends.
fn by_place() -> [Sort; 2] {
    [ident("position"), ident("id")].map(|column| column.sort(true, false))
}

fn order(table: DataFrame, keys: &[SortKey], columns: &[Column]) -> Result<DataFrame, AnalysisError> {
    let mut sorts: Vec<Sort> = Vec::new();
    for (i, key) in keys.iter().enumerate() {
        let column = match &key.by {
            Value::Delta(column) => ident(format!("d{column}")),
            Value::Own(_) | Value::Paired(_) => ident(format!("o{i}")),
        };
        sorts.push(column.sort(key.ascending, false));
    }
    if keys.is_empty() {
        // Most scores regressed first, then the deepest fall.
        let scores = || (0..columns.len()).filter(|i| columns[*i].shown.kind == "score");
        let regressed = scores()
            .map(|i| Ok(when(ident(format!("c{i}")).eq(lit("regressed")), lit(1_i64)).otherwise(lit(0_i64))?))
            .collect::<Result<Vec<Expr>, AnalysisError>>()?;
        if let Some(total) = sum(regressed) {
            sorts.push(total.sort(false, false));
        }
        let falls_when_less = |i: usize| columns[i].measure.as_ref().is_none_or(|measure| !measure.lower_is_better);
        sorts.extend(scores().map(|i| ident(format!("d{i}")).sort(falls_when_less(i), false)));
    }
    sorts.extend(by_place());
    Ok(table.sort(sorts)?)
}

/// The terms added pair by pair: the planner walks what is below each addition, and a chain of hundreds of
/// scores would keep it for minutes.
fn sum(mut terms: Vec<Expr>) -> Option<Expr> {
    while terms.len() > 1 {
        let mut rest = terms.into_iter();
        terms = std::iter::from_fn(|| {
            let first = rest.next()?;
            Some(match rest.next() {
                Some(second) => first + second,
                None => first,
            })
        })
        .collect();
    }
    terms.pop()
}

fn case_row(answer: &Answer, row: usize, columns: &[Column], options: &CasesOptions) -> CaseRow {
    let with_base = options.against.is_some();
    let cells = (0..columns.len()).map(|i| {
        let is_compared = with_base && columns[i].is_number();
        CaseCell {
            value: cut(answer.value_of(row, &format!("v{i}")), options.preview),
            base: is_compared.then(|| answer.float(row, &format!("b{i}"))).flatten(),
            delta: is_compared.then(|| answer.float(row, &format!("d{i}"))).flatten(),
            class: is_compared.then(|| answer.text(row, &format!("c{i}"))).flatten(),
        }
    });
    CaseRow {
        id: answer.text(row, "id").unwrap_or_default(),
        trial: answer.int(row, "trial"),
        presence: with_base.then(|| answer.text(row, "presence")).flatten(),
        base_id: with_base.then(|| answer.text(row, "base_id")).flatten(),
        cells: cells.collect(),
    }
}

/// The beginning of a long value, with a mark where it was cut.
fn cut(value: serde_json::Value, preview: Option<usize>) -> serde_json::Value {
    use serde_json::Value;
    let Some(limit) = preview else { return value };
    let text = match &value {
        Value::String(text) => std::borrow::Cow::Borrowed(text.as_str()),
        Value::Array(_) | Value::Object(_) => value.to_string().into(),
        _ => return value,
    };
    match text.char_indices().nth(limit) {
        Some((end, _)) => Value::String(format!("{}…", text.get(..end).unwrap_or_default())),
        None => value,
    }
}
