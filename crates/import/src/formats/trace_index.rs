//! The trees of traces whose spans come in any order, some of them twice and some not at all.
//!
//! A first walk over a source tells the index each span's trace, id and parent. A second walk asks it
//! where each span belongs: so that every trace has one root, and no span a parent that is not there.

use std::collections::{HashMap, HashSet};

use evalhouse_model::Span;
use xxhash_rust::xxh3::xxh3_128;

use super::spans::{root, set_kind};
use crate::json::ObjectText;

/// What was told of one span.
struct Told {
    span: u128,
    parent: Option<u128>,
    /// The larger version of two spans with one id counts; of equal ones the later.
    version: i64,
    ordinal: u64,
}

/// Spans by trace.
#[derive(Default)]
pub(super) struct TraceIndex {
    told: HashMap<u128, Vec<Told>>,
    ordinal: u64,
    /// Root of each trace, as the row id that it gets.
    roots: HashMap<u128, String>,
    /// Traces that several spans, or none, could be the root of.
    headless: HashSet<u128>,
    /// Spans that are cut off from a parent that is not there.
    cut: HashSet<u128>,
    /// Ordinals of spans that another one replaces.
    replaced: HashSet<u64>,
    asked: u64,
}

/// Where a span belongs.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It is the root of its trace.
    Root,
    /// Below the span with this row id.
    Below(String),
    /// A newer one of the same id takes its place.
    Replaced,
}

/// The row id of a span: ids of spans need be unique in their trace only.
pub(super) fn row_id(trace: &str, span: &str) -> String {
    format!("{trace}:{span}")
}

fn hash(trace: &str, span: &str) -> u128 {
    xxh3_128(row_id(trace, span).as_bytes())
}

impl TraceIndex {
    /// Takes a span of the first walk.
    pub(super) fn tell(&mut self, trace: &str, span: &str, parent: Option<&str>, version: i64) {
        let parent = parent.filter(|parent| !parent.is_empty()).map(|parent| hash(trace, parent));
        let told = Told { span: hash(trace, span), parent, version, ordinal: self.ordinal };
        self.ordinal += 1;
        let spans = self.told.entry(xxh3_128(trace.as_bytes())).or_default();
        // The root is known by name only while its span is told; a trace without one gets its own id.
        if told.parent.is_none() {
            self.roots.entry(xxh3_128(trace.as_bytes())).or_insert_with(|| row_id(trace, span));
        }
        spans.push(told);
    }

    /// Ends the first walk.
    pub(super) fn finish(&mut self) {
        for (trace, mut spans) in std::mem::take(&mut self.told) {
            self.drop_replaced(&mut spans);
            let heads = heads(&spans);
            self.cut.extend(heads.iter().map(|&head| spans[head].span));
            let is_told = matches!(heads.as_slice(), [only] if spans[*only].parent.is_none());
            if !is_told {
                self.headless.insert(trace);
                self.roots.remove(&trace);
            }
        }
    }

    fn drop_replaced(&mut self, spans: &mut Vec<Told>) {
        let mut best: HashMap<u128, (i64, u64)> = HashMap::with_capacity(spans.len());
        for told in spans.iter() {
            let known = best.entry(told.span).or_insert((told.version, told.ordinal));
            if (told.version, told.ordinal) >= *known {
                *known = (told.version, told.ordinal);
            }
        }
        spans.retain(|told| {
            let is_best = best.get(&told.span) == Some(&(told.version, told.ordinal));
            if !is_best {
                self.replaced.insert(told.ordinal);
            }
            is_best
        });
    }

    /// Where the next span of the second walk belongs; spans come in the order of the first walk.
    pub(super) fn place(&mut self, trace: &str, span: &str, parent: Option<&str>) -> Place {
        let ordinal = self.asked;
        self.asked += 1;
        if self.replaced.contains(&ordinal) {
            return Place::Replaced;
        }
        let is_headless = self.headless.contains(&xxh3_128(trace.as_bytes()));
        match parent {
            _ if !self.cut.contains(&hash(trace, span)) => {
                Place::Below(parent.map_or_else(|| trace.to_string(), |parent| row_id(trace, parent)))
            }
            _ if is_headless => Place::Below(trace.to_string()),
            _ => Place::Root,
        }
    }

    /// The row id of the root of a trace that has spans or, without any, the trace's own id.
    pub(super) fn root_of(&self, trace: &str) -> String {
        self.roots.get(&xxh3_128(trace.as_bytes())).cloned().unwrap_or_else(|| trace.to_string())
    }

    /// A root for a trace of which there is no span, once.
    pub(super) fn bare_root(&mut self, trace: &str) -> Option<Span> {
        let hash = xxh3_128(trace.as_bytes());
        if self.roots.contains_key(&hash) {
            return None;
        }
        self.roots.insert(hash, trace.to_string());
        let mut span = root(trace.to_string());
        let mut input = ObjectText::new();
        // Traces of which nothing is known are not trials of one case.
        input.put_text("trace_id", Some(trace));
        span.input = input.finish();
        Some(span)
    }

    /// A root for a trace that has none of its own, once: it takes over what its first span says.
    pub(super) fn missing_root(&mut self, trace: &str, first: &Span) -> Option<Span> {
        let hash = xxh3_128(trace.as_bytes());
        if !self.headless.contains(&hash) || self.roots.contains_key(&hash) {
            return None;
        }
        self.roots.insert(hash, trace.to_string());
        let mut span = root(trace.to_string());
        set_kind(&mut span, "trace", "eval", false);
        span.created = first.created;
        span.line = first.line;
        span.input.clone_from(&first.input);
        span.output.clone_from(&first.output);
        Some(span)
    }
}

/// Places of the spans that everything else is below of: without a parent, with a parent that is not
/// there, or in a circle of parents.
fn heads(spans: &[Told]) -> Vec<usize> {
    let places: HashMap<u128, usize> = spans.iter().enumerate().map(|(at, told)| (told.span, at)).collect();
    let mut below: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut heads = Vec::new();
    for (at, told) in spans.iter().enumerate() {
        match told.parent.and_then(|parent| places.get(&parent)) {
            Some(&parent) if parent != at => below.entry(parent).or_default().push(at),
            _ => heads.push(at),
        }
    }
    let mut reached = vec![false; spans.len()];
    let mut next_head = 0;
    let mut candidate = 0;
    loop {
        while let Some(&head) = heads.get(next_head) {
            next_head += 1;
            let mut stack = vec![head];
            while let Some(at) = stack.pop() {
                if !std::mem::replace(&mut reached[at], true) {
                    stack.extend(below.get(&at).into_iter().flatten());
                }
            }
        }
        match reached[candidate..].iter().position(|reached| !reached) {
            Some(offset) => {
                candidate += offset;
                heads.push(candidate);
            }
            None => return heads,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(spans: &[(&str, Option<&str>)]) -> Vec<Place> {
        let mut index = TraceIndex::default();
        spans.iter().for_each(|(span, parent)| index.tell("t", span, *parent, 0));
        index.finish();
        spans.iter().map(|(span, parent)| index.place("t", span, *parent)).collect()
    }

    #[test]
    fn one_root_stays_the_root() {
        let below = |id: &str| Place::Below(id.to_string());
        assert_eq!(index(&[("b", Some("a")), ("a", None)]), [below("t:a"), Place::Root]);
    }

    #[test]
    fn orphans_and_circles_hang_below_a_root_of_their_own() {
        let below = |id: &str| Place::Below(id.to_string());
        assert_eq!(index(&[("b", Some("gone"))]), [below("t")]);
        assert_eq!(index(&[("a", None), ("b", None)]), [below("t"), below("t")]);
        assert_eq!(index(&[("a", Some("b")), ("b", Some("a"))]), [below("t"), below("t:a")]);
    }

    #[test]
    fn the_last_of_two_alike_counts() {
        assert_eq!(index(&[("a", None), ("a", None)]), [Place::Replaced, Place::Root]);
    }
}
