//! Samples that a log holds more than once: retried, or scored anew.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use evalhouse_model::Span;

use super::sample::{Sample, id_of};
use crate::load::Stop;
use crate::receive::Receiver;

/// Hands on samples. Of several with one id and epoch the last counts, whole: what an earlier attempt
/// had and the later one has not is deleted.
#[derive(Default)]
pub(super) struct Attempts {
    /// By the hash of the case's id.
    known: HashMap<u128, Attempt>,
}

/// The ids of the spans of one attempt, as far as they differ between attempts.
struct Attempt {
    /// Spans of events are numbered from 1.
    events: usize,
    /// Scores with a span of their own.
    scores: Vec<Arc<str>>,
}

impl Attempts {
    pub(super) fn hand_on(
        &mut self,
        sample: Sample,
        experiment: usize,
        receiver: &mut dyn Receiver,
    ) -> Result<(), Stop> {
        for (word, count) in sample.notes {
            receiver.note(experiment, word, count);
        }
        for span in self.left_behind(&sample.spans) {
            receiver.span(experiment, span)?;
        }
        receiver.trace(experiment, sample.spans)
    }

    /// How many cases there are.
    pub(super) fn cases(&self) -> i64 {
        i64::try_from(self.known.len()).unwrap_or(i64::MAX)
    }

    /// Hashes of the ids of the cases.
    pub(super) fn ids(&self) -> HashSet<u128> {
        self.known.keys().copied().collect()
    }

    /// Tombstones of the spans of an earlier attempt that this one has none for.
    fn left_behind(&mut self, spans: &[Span]) -> Vec<Span> {
        let Some((case, below)) = spans.split_first() else { return Vec::new() };
        let of_scores = format!("{}/score/", case.id);
        let (scores, events): (Vec<&Span>, Vec<&Span>) = below.iter().partition(|span| span.id.starts_with(&of_scores));
        let events = events.len();
        let scores: Vec<Arc<str>> = scores.iter().flat_map(|span| &span.scores).map(|(name, _)| name.clone()).collect();
        let earlier = self.known.insert(id_of(case), Attempt { events, scores: scores.clone() });
        let Some(earlier) = earlier else { return Vec::new() };
        let of_events = (events + 1..=earlier.events).map(|number| format!("{}/{number}", case.id));
        let gone = earlier.scores.into_iter().filter(|name| !scores.contains(name));
        let ids = of_events.chain(gone.map(|name| format!("{of_scores}{name}")));
        ids.map(|id| tombstone(id, case)).collect()
    }
}

fn tombstone(id: String, case: &Span) -> Span {
    Span {
        span_id: id.clone(),
        id,
        root_span_id: case.root_span_id.clone(),
        version: case.version,
        line: case.line,
        deleted: true,
        ..Span::default()
    }
}
