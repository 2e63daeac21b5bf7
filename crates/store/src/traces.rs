//! Spans become traces, and a trace becomes a case: its root with scores and metrics rolled up.
//!
//! Rules: semantics, sections 0 and 12. A score of a case is the mean over all spans that carry it,
//! nulls ignored. A metric is the sum over spans that are not a scorer's and not below one.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use evalhouse_model::canonical::{canonical_hash, canonical_json};
use evalhouse_model::{Span, SpanType};
use serde::{Deserialize, Serialize};

use crate::RowError;

/// Purpose of a scorer span, inherited by everything below it.
const SCORER: &str = "scorer";

/// One case: the root span with what was rolled up from its trace.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Case {
    pub(crate) root: Span,
    pub(crate) scores: Vec<(Arc<str>, Option<f64>)>,
    pub(crate) metrics: Vec<(Arc<str>, f64)>,
    pub(crate) key_hash: Option<i128>,
    pub(crate) span_count: i64,
    pub(crate) trial_index: i64,
}

/// Rows that were dropped, by reason.
#[derive(Debug, Default)]
pub(crate) struct Dropped {
    counts: indexmap::IndexMap<&'static str, i64>,
}

impl Dropped {
    pub(crate) fn count(&mut self, reason: &'static str, rows: usize) {
        *self.counts.entry(reason).or_default() += i64::try_from(rows).unwrap_or(i64::MAX);
    }

    /// Whether rows were lost that the source meant to hold.
    pub(crate) fn any_bad(&self) -> bool {
        self.counts.keys().any(|reason| !matches!(*reason, "older_version" | "repeated_row" | "deleted"))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, i64)> {
        self.counts.iter().map(|(reason, rows)| (*reason, *rows))
    }
}

/// What to do with a row that cannot be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnBadRow {
    /// Stop at the first.
    Stop,
    /// Leave it out and count it.
    Skip,
}

/// A row's identity, all that duplicates need.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct RowIdentity {
    pub(crate) id: u128,
    pub(crate) span_id: u128,
    pub(crate) version: u64,
    pub(crate) position: i64,
    pub(crate) line: u64,
    pub(crate) deleted: bool,
}

impl RowIdentity {
    pub(crate) fn of(span: &Span) -> Self {
        Self {
            id: xxhash_rust::xxh3::xxh3_128(span.id.as_bytes()),
            span_id: xxhash_rust::xxh3::xxh3_128(span.span_id.as_bytes()),
            version: span.version,
            position: span.position,
            line: span.line,
            deleted: span.deleted,
        }
    }
}

/// Finds the positions of rows that another row supersedes or duplicates.
///
/// Of rows with one id the largest version stays, once; a tombstone that stays drops itself too. Two
/// rows without a version are an error, as are two rows with one span id.
pub(crate) fn superseded(
    rows: &[RowIdentity],
    on_bad_row: OnBadRow,
    dropped: &mut Dropped,
) -> Result<HashSet<i64>, RowError> {
    let mut newest: HashMap<u128, RowIdentity> = HashMap::with_capacity(rows.len());
    let mut gone = HashSet::new();
    for row in rows {
        let Some(known) = newest.get_mut(&row.id) else {
            newest.insert(row.id, *row);
            continue;
        };
        if row.version == known.version && row.version != 0 {
            // Overlapping pages of a fetch repeat a row under the same version.
            dropped.count("repeated_row", 1);
            gone.insert(row.position);
            continue;
        }
        if row.version == known.version {
            bad_row(on_bad_row, dropped, 1, || RowError {
                line: row.line,
                field: "id".into(),
                reason: "duplicate_id",
                message: format!("the row on line {} has the same id", known.line),
            })?;
            gone.insert(row.position);
            continue;
        }
        dropped.count("older_version", 1);
        gone.insert(row.position.min(known.position));
        if row.version > known.version {
            gone.insert(known.position);
            gone.remove(&row.position);
            *known = *row;
        } else {
            gone.remove(&known.position);
            gone.insert(row.position);
        }
    }
    for row in newest.values().filter(|row| row.deleted) {
        dropped.count("deleted", 1);
        gone.insert(row.position);
    }
    let mut spans: HashMap<u128, u64> = HashMap::with_capacity(rows.len());
    for row in rows.iter().filter(|row| !gone.contains(&row.position)).collect::<Vec<_>>() {
        if let Some(line) = spans.insert(row.span_id, row.line) {
            bad_row(on_bad_row, dropped, 1, || RowError {
                line: row.line,
                field: "span_id".into(),
                reason: "duplicate_span_id",
                message: format!("the row on line {line} has the same span id"),
            })?;
            gone.insert(row.position);
        }
    }
    Ok(gone)
}

fn bad_row(
    on_bad_row: OnBadRow,
    dropped: &mut Dropped,
    rows: usize,
    error: impl FnOnce() -> RowError,
) -> Result<(), RowError> {
    match on_bad_row {
        OnBadRow::Stop => Err(error()),
        OnBadRow::Skip => {
            dropped.count(error().reason, rows);
            Ok(())
        }
    }
}

/// Groups spans by trace, checks each trace, and rolls it up. Returns the cases and all other spans,
/// each with its effective purpose.
pub(crate) fn assemble(
    spans: Vec<Span>,
    on_bad_row: OnBadRow,
    dropped: &mut Dropped,
) -> Result<(Vec<Case>, Vec<Span>), RowError> {
    let mut order: Vec<usize> = (0..spans.len()).collect();
    order.sort_by(|&a, &b| {
        (&spans[a].root_span_id, spans[a].position).cmp(&(&spans[b].root_span_id, spans[b].position))
    });
    let mut slots: Vec<Option<Span>> = spans.into_iter().map(Some).collect();
    let mut cases = Vec::new();
    let mut children = Vec::new();
    let mut first_error: Option<RowError> = None;
    let mut rest = order.as_slice();
    while let Some(&first) = rest.first() {
        let trace_id = slots[first].as_ref().map(|span| span.root_span_id.clone()).unwrap_or_default();
        let same = |&&i: &&usize| slots[i].as_ref().is_some_and(|span| span.root_span_id == trace_id);
        let length = rest.iter().take_while(same).count().max(1);
        let (members, tail) = rest.split_at(length);
        rest = tail;
        let mut trace: Vec<Span> = members.iter().filter_map(|&i| slots[i].take()).collect();
        match check(&mut trace, on_bad_row, dropped) {
            Ok(Some(root)) => {
                let root = trace.swap_remove(root);
                let case = roll_up(root, &trace);
                sort_by_start(&mut trace);
                cases.push(case);
                children.append(&mut trace);
            }
            Ok(None) => {}
            // The error that a reader of the file meets first, whatever the trace ids sort to.
            Err(error) => match &first_error {
                Some(known) if known.line <= error.line => {}
                _ => first_error = Some(error),
            },
        }
    }
    match first_error {
        Some(error) => Err(error),
        None => Ok((cases, children)),
    }
}

/// Rolls up one trace that is whole and sound, and gives any other back: rows of several traces, tombstones,
/// rows with one id, or what [`assemble`] would complain of.
pub(crate) fn assemble_sound(mut trace: Vec<Span>, rows: &[RowIdentity]) -> Result<(Case, Vec<Span>), Vec<Span>> {
    let is_distinct = |id: fn(&RowIdentity) -> u128| {
        let mut ids: Vec<u128> = rows.iter().map(id).collect();
        ids.sort_unstable();
        ids.windows(2).all(|pair| pair[0] != pair[1])
    };
    let is_one = trace.iter().all(|span| span.root_span_id == trace[0].root_span_id && !span.deleted);
    if !is_one || !is_distinct(|row| row.id) || !is_distinct(|row| row.span_id) {
        return Err(trace);
    }
    match check(&mut trace, OnBadRow::Stop, &mut Dropped::default()) {
        Ok(Some(root)) => {
            let root = trace.swap_remove(root);
            let case = roll_up(root, &trace);
            sort_by_start(&mut trace);
            Ok((case, trace))
        }
        _ => Err(trace),
    }
}

/// Rolls up traces of which nothing may be left out: what a server has been given.
///
/// The first row without a parent is the root. Further roots, and spans whose parents are missing or
/// their own descendants, stay as spans of the trace; a trace without a root is spans without a case.
pub(crate) fn assemble_all(mut spans: Vec<Span>) -> (Vec<Case>, Vec<Span>) {
    spans.sort_by(|a, b| (&a.root_span_id, a.position).cmp(&(&b.root_span_id, b.position)));
    let mut cases = Vec::new();
    let mut children: Vec<Span> = Vec::new();
    let mut rest = spans.into_iter().peekable();
    while let Some(first) = rest.next() {
        let mut trace = vec![first];
        while let Some(span) = rest.next_if(|span| span.root_span_id == trace[0].root_span_id) {
            trace.push(span);
        }
        inherit_purpose(&mut trace);
        if let Some(root) = trace.iter().position(|span| span.span_parents.is_empty()) {
            let root = trace.remove(root);
            cases.push(roll_up(root, &trace));
        }
        sort_by_start(&mut trace);
        children.append(&mut trace);
    }
    (cases, children)
}

/// Marks everything below a scorer span, wherever in the trace the scorer is.
fn inherit_purpose(trace: &mut [Span]) {
    let is_scorer = |span: &Span| span.purpose.as_deref() == Some(SCORER);
    let mut below: HashMap<String, Vec<usize>> = HashMap::new();
    for (i, span) in trace.iter().enumerate() {
        for parent in &span.span_parents {
            below.entry(parent.clone()).or_default().push(i);
        }
    }
    let mut stack: Vec<String> = trace.iter().filter(|span| is_scorer(span)).map(|span| span.span_id.clone()).collect();
    while let Some(parent) = stack.pop() {
        // Taken out, so that a cycle ends.
        for child in below.remove(&parent).unwrap_or_default() {
            let span = &mut trace[child];
            if span.purpose.is_none() {
                span.purpose = Some(SCORER.into());
            }
            if is_scorer(span) {
                stack.push(span.span_id.clone());
            }
        }
    }
}

fn sort_by_start(trace: &mut [Span]) {
    trace.sort_by(|a, b| {
        let start = |span: &Span| span.start.unwrap_or(f64::NEG_INFINITY);
        start(a).total_cmp(&start(b)).then(a.position.cmp(&b.position))
    });
}

/// Checks one trace and marks scorer spans. Returns the index of the root, or nothing when the whole
/// trace was dropped. Dropped rows are taken out of `trace`.
fn check(trace: &mut Vec<Span>, on_bad_row: OnBadRow, dropped: &mut Dropped) -> Result<Option<usize>, RowError> {
    let Some(root) = trace.iter().position(|span| span.span_parents.is_empty()) else {
        let Some(span) = trace.first() else { return Ok(None) };
        let (line, trace_id) = (span.line, span.root_span_id.clone());
        bad_row(on_bad_row, dropped, trace.len(), || RowError {
            line,
            field: "span_parents".into(),
            reason: "no_root",
            message: format!("trace `{trace_id}` has no root: every span of it names a parent"),
        })?;
        trace.clear();
        return Ok(None);
    };
    let root_line = trace[root].line;
    let mut keep = vec![true; trace.len()];
    for (i, span) in trace.iter().enumerate() {
        if i != root && span.span_parents.is_empty() {
            bad_row(on_bad_row, dropped, 1, || RowError {
                line: span.line,
                field: "span_parents".into(),
                reason: "second_root",
                message: format!(
                    "span `{}` has no parent, but trace `{}` already has a root (line {root_line})",
                    span.span_id, span.root_span_id
                ),
            })?;
            keep[i] = false;
        }
    }
    drop_unreachable(trace, root, &mut keep, on_bad_row, dropped)?;
    let root_id = trace[root].span_id.clone();
    let mut kept = keep.iter();
    trace.retain(|_| kept.next().copied().unwrap_or(true));
    Ok(trace.iter().position(|span| span.span_id == root_id))
}

/// Walks down from the root; inherits the scorer purpose on the way. Spans that are never reached
/// hang below a parent that is missing, was dropped, or is their own descendant.
fn drop_unreachable(
    trace: &mut [Span],
    root: usize,
    keep: &mut [bool],
    on_bad_row: OnBadRow,
    dropped: &mut Dropped,
) -> Result<(), RowError> {
    let index: HashMap<String, usize> = trace.iter().enumerate().map(|(i, span)| (span.span_id.clone(), i)).collect();
    let mut below: HashMap<usize, Vec<usize>> = HashMap::new();
    for (i, span) in trace.iter().enumerate() {
        for parent in &span.span_parents {
            if let Some(&parent) = index.get(parent) {
                below.entry(parent).or_default().push(i);
            }
        }
    }
    let mut reached = vec![false; trace.len()];
    let mut stack = vec![root];
    reached[root] = true;
    while let Some(parent) = stack.pop() {
        let scorer = trace[parent].purpose.as_deref() == Some(SCORER);
        for &child in below.get(&parent).map(Vec::as_slice).unwrap_or_default() {
            if scorer && trace[child].purpose.is_none() {
                trace[child].purpose = Some(SCORER.into());
            }
            if keep[child] && !reached[child] {
                reached[child] = true;
                stack.push(child);
            }
        }
    }
    for (i, span) in trace.iter().enumerate() {
        let unknown = span.span_parents.iter().find(|parent| !index.contains_key(*parent));
        if !keep[i] || (reached[i] && unknown.is_none()) {
            continue;
        }
        let (reason, message) = match unknown {
            Some(parent) => (
                "unknown_parent",
                format!("parent `{parent}` of span `{}` is not in trace `{}`", span.span_id, span.root_span_id),
            ),
            None => (
                "cycle",
                format!(
                    "span `{}` is not below the root of trace `{}`: its parents form a cycle or were dropped",
                    span.span_id, span.root_span_id
                ),
            ),
        };
        bad_row(on_bad_row, dropped, 1, || RowError {
            line: span.line,
            field: "span_parents".into(),
            reason,
            message,
        })?;
        keep[i] = false;
    }
    Ok(())
}

/// Rolls a trace up into its case.
fn roll_up(root: Span, children: &[Span]) -> Case {
    let all = || std::iter::once(&root).chain(children);
    let scores = mean_scores(all());
    let metrics = sum_metrics(&root, children);
    let key_hash = root
        .input
        .as_deref()
        .and_then(|input| canonical_json(input).ok())
        .filter(|key| key != "null")
        .map(|key| canonical_hash(&key));
    let span_count = i64::try_from(children.len()).unwrap_or(i64::MAX).saturating_add(1);
    Case { scores, metrics, key_hash, span_count, trial_index: 0, root }
}

fn mean_scores<'a>(spans: impl Iterator<Item = &'a Span>) -> Vec<(Arc<str>, Option<f64>)> {
    let mut means: Vec<(Arc<str>, f64, u32)> = Vec::new();
    for (name, value) in spans.flat_map(|span| &span.scores) {
        let slot = match means.iter().position(|(known, _, _)| known == name) {
            Some(slot) => slot,
            None => {
                means.push((Arc::clone(name), 0.0, 0));
                means.len() - 1
            }
        };
        if let Some(value) = value {
            means[slot].1 += value;
            means[slot].2 += 1;
        }
    }
    let mean = |sum: f64, count: u32| (count > 0).then(|| sum / f64::from(count));
    means.into_iter().map(|(name, sum, count)| (name, mean(sum, count))).collect()
}

/// Token counts of which the model spans' part is kept as well, where other spans log some too: a task may
/// repeat what its calls have logged. Prompt and completion come first.
const LLM_TOKENS: [(&str, &str); 4] = [
    ("prompt_tokens", "llm_prompt_tokens"),
    ("completion_tokens", "llm_completion_tokens"),
    ("prompt_cached_tokens", "llm_prompt_cached_tokens"),
    ("prompt_cache_creation_tokens", "llm_prompt_cache_creation_tokens"),
];

fn sum_metrics(root: &Span, children: &[Span]) -> Vec<(Arc<str>, f64)> {
    let mut sums: Vec<(Arc<str>, f64, u32)> = Vec::new();
    let mut add = |name: &Arc<str>, value: f64| match sums.iter_mut().find(|(known, _, _)| known == name) {
        Some((_, sum, count)) => {
            *sum += value;
            *count += 1;
        }
        None => sums.push((Arc::clone(name), value, 1)),
    };
    let counted = || std::iter::once(root).chain(children).filter(|span| span.purpose.as_deref() != Some(SCORER));
    for (name, value) in counted().flat_map(|span| &span.metrics) {
        if !matches!(&**name, "start" | "end" | "duration") {
            add(name, *value);
        }
    }
    // Derived from the spans; a source that logs the same name itself is not counted twice.
    let mut derived: Vec<(&str, f64)> = Vec::new();
    let logged_tokens = sums.iter().any(|(name, _, _)| &**name == "tokens");
    if !logged_tokens {
        let part = |wanted: &str| sums.iter().find(|(name, _, _)| &**name == wanted).map(|(_, sum, _)| *sum);
        if let (Some(prompt), Some(completion)) = (part("prompt_tokens"), part("completion_tokens")) {
            derived.push(("tokens", prompt + completion));
        }
    }
    let elapsed = |span: &Span| span.start.zip(span.end).map(|(start, end)| end - start);
    let kind = |span: &Span| SpanType::parse(span.span_type.as_deref());
    if !children.is_empty() {
        let logged = |wanted: &str| sums.iter().find(|(name, _, _)| &**name == wanted).map(|(_, sum, _)| *sum);
        let all = || logged("tokens").or_else(|| derived.first().map(|(_, tokens)| *tokens));
        let of_llm = |wanted: &str| {
            let spans = counted().filter(|span| kind(span) == SpanType::Llm);
            let own = spans.flat_map(|span| &span.metrics).filter(|(name, _)| &**name == wanted);
            own.map(|(_, value)| *value).reduce(|sum, value| sum + value)
        };
        let parts = LLM_TOKENS.map(|(name, _)| of_llm(name));
        let tokens = (parts[0].is_some() || parts[1].is_some())
            .then(|| parts[0].unwrap_or_default() + parts[1].unwrap_or_default());
        let named = LLM_TOKENS.iter().zip(parts).map(|((name, own), part)| (*own, part, logged(name)));
        let apart: Vec<_> = named.chain([("llm_tokens", tokens, all())]).collect();
        derived
            .extend(apart.into_iter().filter(|(_, part, sum)| part != sum).filter_map(|(n, part, _)| Some((n, part?))));
    }
    let task = children.iter().find(|span| kind(span) == SpanType::Task && span.purpose.is_none());
    let logged_duration =
        |span: &Span| span.metrics.iter().find(|(name, _)| &**name == "duration").map(|(_, value)| *value);
    if let Some(duration) = task.and_then(elapsed).or_else(|| elapsed(root)).or_else(|| logged_duration(root)) {
        derived.push(("duration", duration));
    }
    let failed = |span: &&Span| span.error.is_some();
    let of_kind = |wanted: SpanType| counted().filter(move |span| kind(span) == wanted);
    let count = |spans: usize| spans as f64;
    derived.push(("errors", count(counted().filter(failed).count())));
    if !children.is_empty() {
        derived.push(("llm_calls", count(of_kind(SpanType::Llm).count())));
        derived.push(("tool_calls", count(of_kind(SpanType::Tool).count())));
        derived.push(("llm_errors", count(of_kind(SpanType::Llm).filter(failed).count())));
        derived.push(("tool_errors", count(of_kind(SpanType::Tool).filter(failed).count())));
        let durations: Vec<f64> = of_kind(SpanType::Llm).filter_map(elapsed).collect();
        if !durations.is_empty() {
            derived.push(("llm_duration", durations.iter().sum()));
        }
    }
    let mut metrics: Vec<(Arc<str>, f64)> = Vec::with_capacity(sums.len() + derived.len());
    for (name, sum, spans) in sums {
        // A mean, not a sum: waiting for two first tokens is not one longer wait.
        let value = if &*name == "time_to_first_token" { sum / f64::from(spans) } else { sum };
        metrics.push((name, value));
    }
    for (name, value) in derived {
        match metrics.iter_mut().find(|(known, _)| &**known == name) {
            // Counts and times of the spans themselves win over a logged number of the same name,
            // except that a run without child spans may know its calls only by what it logged.
            Some((_, known)) if !children.is_empty() => *known = value,
            Some(_) => {}
            None => metrics.push((Arc::from(name), value)),
        }
    }
    metrics
}

/// Sorts cases by key, creation and id, and numbers the trials of each key. Cases without a key
/// come last; each is its own trial 0.
pub(crate) fn number_trials(cases: &mut [Case]) {
    cases.sort_by(|a, b| {
        let key = |case: &Case| (case.key_hash.is_none(), case.key_hash);
        (key(a), a.root.created, &a.root.id).cmp(&(key(b), b.root.created, &b.root.id))
    });
    let mut previous: Option<i128> = None;
    let mut index = 0;
    for case in cases {
        index = if case.key_hash.is_some() && case.key_hash == previous { index + 1 } else { 0 };
        previous = case.key_hash;
        case.trial_index = index;
    }
}

/// Number of distinct keys of cases sorted by [`number_trials`].
pub(crate) fn distinct_keys(cases: &[Case]) -> i64 {
    let first_trials = cases.iter().filter(|case| case.key_hash.is_some() && case.trial_index == 0);
    i64::try_from(first_trials.count()).unwrap_or(i64::MAX)
}
