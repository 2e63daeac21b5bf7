//! What a reader of a format hands on, and to whom.

use std::cell::RefCell;
use std::sync::Arc;

use evalhouse_model::{Experiment, ExperimentStatus, Span};

use crate::error::{Extent, Fault};
use crate::load::Stop;
use crate::reason;
use crate::row::Names;

/// A run as its source knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Run {
    /// The source's own id, the same whenever the source is read.
    pub(crate) id: String,
    /// What to call the experiment.
    pub(crate) name: String,
}

/// Takes what a format's reader finds: experiments, their spans, and what is wrong.
///
/// Spans come in any order. The reader goes on after every call that gives no error, and stops at
/// once after one that does.
pub(crate) trait Receiver {
    /// Opens the experiment of a run, or finds it again.
    fn experiment(&mut self, run: &Run) -> Result<usize, Stop>;

    /// How many experiments were opened; they count from 0.
    fn experiments(&self) -> usize;

    /// The record of an experiment that was opened.
    fn record(&mut self, experiment: usize) -> &mut Experiment;

    /// Takes a span of an experiment.
    fn span(&mut self, experiment: usize, span: Span) -> Result<(), Stop>;

    /// Takes all spans of one trace, which only another whole trace replaces: the faster way.
    fn trace(&mut self, experiment: usize, spans: Vec<Span>) -> Result<(), Stop> {
        spans.into_iter().try_for_each(|span| self.span(experiment, span))
    }

    /// Takes what is wrong with one row of the source. An error means that the reader has to stop.
    fn fault(&mut self, fault: Fault) -> Result<(), Stop>;

    /// Hears of bytes of the source that were read.
    fn bytes_read(&mut self, bytes: u64) {
        let _ = bytes;
    }

    /// The source says, or shows, that the run it holds did not end.
    fn unfinished(&mut self, experiment: usize) {
        self.record(experiment).status = ExperimentStatus::Partial;
        self.note(experiment, reason::UNFINISHED_RUN, 1);
    }

    /// Counts what was tolerated.
    fn note(&mut self, experiment: usize, word: &'static str, count: u32) {
        if count > 0 {
            *self.record(experiment).notes.entry(word.to_string()).or_default() += i64::from(count);
        }
    }

    /// The source ends too early: what came before stays. Without an experiment every one that is open
    /// may have lost its last records.
    fn cut_off(&mut self, experiment: Option<usize>, fault: Fault) -> Result<(), Stop> {
        let cut = experiment.map_or(0..self.experiments(), |experiment| experiment..experiment + 1);
        if cut.is_empty() || fault.extent != Extent::Rest || fault.reason != reason::TRUNCATED {
            return self.fault(fault);
        }
        for experiment in cut {
            self.record(experiment).status = ExperimentStatus::Partial;
            self.note(experiment, reason::CUT_OFF, 1);
        }
        Ok(())
    }
}

/// Hears nothing: for a walk that only learns of a source, whose faults a second walk reports.
#[derive(Default)]
pub(crate) struct Deaf(Experiment);

impl Receiver for Deaf {
    fn experiment(&mut self, _run: &Run) -> Result<usize, Stop> {
        Ok(0)
    }

    fn experiments(&self) -> usize {
        0
    }

    fn record(&mut self, _experiment: usize) -> &mut Experiment {
        &mut self.0
    }

    fn span(&mut self, _experiment: usize, _span: Span) -> Result<(), Stop> {
        Ok(())
    }

    fn fault(&mut self, _fault: Fault) -> Result<(), Stop> {
        Ok(())
    }
}

/// A name that spans share.
pub(crate) fn shared(name: &str) -> Arc<str> {
    NAMES.with_borrow_mut(|names| names.get(name))
}

thread_local! {
    static NAMES: RefCell<Names> = RefCell::default();
}
