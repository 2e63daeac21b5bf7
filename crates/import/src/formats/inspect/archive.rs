//! Logs that are zip archives, one member a sample.
//!
//! Samples are decoded on several threads and handed on in the order of the archive, so that two
//! imports give the same rows in the same order.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::io::ErrorKind;
use std::sync::mpsc::{Receiver as Channel, sync_channel};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use xxhash_rust::xxh3::xxh3_128;

use crate::discover::Source;
use crate::error::{Extent, Fault};
use crate::load::Stop;
use crate::reason;
use crate::receive::Receiver;
use crate::records::{checked, text_of};
use crate::rows::ROW_BYTES_MAX;
use crate::zip::{Member, Scratch, Zip};

use super::attempts::Attempts;
use super::header::Header;
use super::sample::{Context, Sample, convert};
use super::{open, rewrites};

/// Samples that a thread may be ahead.
const SAMPLES_AHEAD: usize = 4;

/// Bytes of samples that are decoded and not yet handed on, beside the one whose turn it is.
const BYTES_AHEAD: u64 = 128 << 20;

/// The members of an archive that matter.
#[derive(Default)]
struct Members {
    header: Option<Member>,
    start: Option<Member>,
    samples: Vec<(String, Member)>,
    summaries: Option<Member>,
    /// Summaries that were written while the run went on, by their numbers.
    journal: BTreeMap<u64, Member>,
    /// Members whose name came again later.
    repeated: u32,
}

/// The run's id, from the header alone.
pub(super) fn run_id(source: &Source) -> Option<String> {
    let zip = Zip::open(source.open().ok()?).ok()?;
    let mut found = None;
    zip.each_member(|name, member| {
        if name == "header.json" || (name == "_journal/start.json" && found.is_none()) {
            found = Some(member);
        }
        true
    })
    .ok()?;
    read_header(&zip, &found?).ok()?.run_id()
}

pub(super) fn read(source: &Source, receiver: &mut dyn Receiver) -> Result<(), Stop> {
    let content =
        source.open().map_err(|e| Fault::file(reason::UNREADABLE, format!("cannot be opened: {e}")).at(1, None))?;
    let zip = Zip::open(content)?;
    let members = list(&zip)?;
    // A log without a header is of a run that goes on, or that died.
    let Some(first) = members.header.as_ref().or(members.start.as_ref()) else {
        let message = "the archive has neither `header.json` nor `_journal/start.json`";
        return Err(Fault::file(reason::NOT_A_ROW, message).at(1, None).into());
    };
    let header = read_header(&zip, first)?;
    if header.eval.is_none() {
        let message = "a log needs an object `eval` that says what was run";
        return Err(Fault::file(reason::NOT_A_ROW, message).at(1, None).into());
    }
    let experiment = open(&header, source, receiver)?;
    receiver.note(experiment, reason::REPEATED_RECORD, members.repeated);
    let context = Context::of(&header);
    let mut attempts = Attempts::default();
    read_samples(&zip, &members.samples, &context, &mut attempts, experiment, receiver)?;
    if header.declared_total().is_some_and(|total| total == attempts.cases()) {
        return Ok(());
    }
    read_summaries(&zip, &members, &context, attempts, experiment, receiver)
}

/// Lists the members; of several with one name the last one counts.
fn list(zip: &Zip) -> Result<Members, Fault> {
    let mut members = Members::default();
    let mut known: HashMap<u128, usize> = HashMap::new();
    zip.each_member(|name, member| {
        match name {
            "header.json" => members.header = Some(member),
            "_journal/start.json" => members.start = Some(member),
            "summaries.json" => members.summaries = Some(member),
            _ if name.starts_with("samples/") && name.ends_with(".json") => {
                let at = *known.entry(xxh3_128(name.as_bytes())).or_insert(members.samples.len());
                if let Some(earlier) = members.samples.get_mut(at) {
                    earlier.1 = member;
                    members.repeated += 1;
                } else {
                    members.samples.push((name.to_string(), member));
                }
            }
            _ => {
                let number = name.strip_prefix("_journal/summaries/").and_then(|name| name.strip_suffix(".json"));
                if let Some(number) = number.and_then(|number| number.parse().ok()) {
                    members.journal.insert(number, member);
                }
            }
        }
        true
    })?;
    Ok(members)
}

fn read_header(zip: &Zip, member: &Member) -> Result<Header, Fault> {
    let mut scratch = Scratch::default();
    let text = read_text(zip, "header.json", member, &mut scratch)?;
    Ok(Header::of(checked(&text, 1, true)?))
}

/// The decoded bytes of a member. One that unpacks to more than a row may have is refused.
fn read_text<'s>(zip: &Zip, name: &str, member: &Member, scratch: &'s mut Scratch) -> Result<Cow<'s, str>, Fault> {
    let bytes = zip.read_whole(member, ROW_BYTES_MAX, scratch).map_err(|error| {
        let word = if error.kind() == ErrorKind::FileTooLarge { reason::TOO_LONG } else { reason::CORRUPT_COMPRESSION };
        Fault::row(word, format!("member `{name}` cannot be unpacked: {error}")).at(1, None)
    })?;
    Ok(text_of(bytes))
}

fn read_samples(
    zip: &Zip,
    members: &[(String, Member)],
    context: &Context,
    attempts: &mut Attempts,
    experiment: usize,
    receiver: &mut dyn Receiver,
) -> Result<(), Stop> {
    let budget = Budget::default();
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(members.len().max(1));
    std::thread::scope(|scope| {
        let mut channels: Vec<Channel<Result<Sample, Fault>>> = Vec::with_capacity(threads);
        for thread in 0..threads {
            let (sender, channel) = sync_channel(SAMPLES_AHEAD);
            channels.push(channel);
            let budget = &budget;
            scope.spawn(move || {
                let mut scratch = Scratch::default();
                for (at, (name, member)) in members.iter().enumerate().skip(thread).step_by(threads) {
                    budget.take(at, member.decoded_bytes);
                    let sample = read_sample(zip, name, member, context, at as u64 + 1, &mut scratch);
                    scratch.trim();
                    // Nobody listens any more when the import was stopped.
                    if sender.send(sample).is_err() {
                        return;
                    }
                }
            });
        }
        let _open = OpenBudget(&budget);
        for (at, (name, member)) in members.iter().enumerate() {
            let sample = channels[at % threads].recv().unwrap_or_else(|_| {
                let message = format!("internal error: the reader of member `{name}` stopped");
                Err(Fault { extent: Extent::File, ..Fault::row(reason::UNREADABLE, message) })
            });
            match sample {
                Ok(sample) => attempts.hand_on(sample, experiment, receiver)?,
                Err(fault) => receiver.fault(fault)?,
            }
            budget.give_back(member.decoded_bytes);
            receiver.bytes_read(member.compressed_bytes);
        }
        Ok(())
    })
}

/// Cases of samples that are not in the archive, or cannot be read: their summaries have the scores.
fn read_summaries(
    zip: &Zip,
    members: &Members,
    context: &Context,
    mut attempts: Attempts,
    experiment: usize,
    receiver: &mut dyn Receiver,
) -> Result<(), Stop> {
    let whole = attempts.ids();
    let mut scratch = Scratch::default();
    let mut ordinal = members.samples.len() as u64;
    let all: Vec<Member> = match members.summaries {
        Some(summaries) => vec![summaries],
        None => members.journal.values().copied().collect(),
    };
    for member in &all {
        let text = read_text(zip, "summaries", member, &mut scratch);
        let summaries = text.as_ref().map_err(Clone::clone).and_then(|text| checked(text, 1, true));
        let summaries = match summaries {
            Ok(summaries) => summaries,
            Err(fault) => {
                receiver.fault(fault)?;
                continue;
            }
        };
        for summary in summaries.items() {
            ordinal += 1;
            match convert(summary, context, ordinal, 1) {
                Ok(sample) if sample.id().is_some_and(|id| whole.contains(&id)) => {}
                Ok(mut sample) => {
                    sample.notes.extend(rewrites(&summary, false));
                    attempts.hand_on(sample, experiment, receiver)?;
                }
                Err(fault) => receiver.fault(fault)?,
            }
        }
    }
    Ok(())
}

/// How many bytes of samples may be decoded ahead. The sample that is to be handed on next always may, so
/// that nobody waits for one that waits itself.
#[derive(Default)]
struct Budget {
    state: Mutex<BudgetState>,
    changed: Condvar,
}

#[derive(Default)]
struct BudgetState {
    bytes: u64,
    handed_on: usize,
    is_closed: bool,
}

impl Budget {
    fn state(&self) -> MutexGuard<'_, BudgetState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the sample at a place may be decoded.
    fn take(&self, at: usize, bytes: u64) {
        let must_wait = |state: &mut BudgetState| {
            let is_full = state.bytes.saturating_add(bytes) > BYTES_AHEAD;
            is_full && at != state.handed_on && !state.is_closed
        };
        let waited = self.changed.wait_while(self.state(), must_wait);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        state.bytes = state.bytes.saturating_add(bytes);
    }

    fn give_back(&self, bytes: u64) {
        let mut state = self.state();
        state.bytes = state.bytes.saturating_sub(bytes);
        state.handed_on += 1;
        self.changed.notify_all();
    }
}

/// Lets everybody go on who waits when the samples are no longer handed on.
struct OpenBudget<'a>(&'a Budget);

impl Drop for OpenBudget<'_> {
    fn drop(&mut self) {
        self.0.state().is_closed = true;
        self.0.changed.notify_all();
    }
}

fn read_sample(
    zip: &Zip,
    name: &str,
    member: &Member,
    context: &Context,
    ordinal: u64,
    scratch: &mut Scratch,
) -> Result<Sample, Fault> {
    let text = read_text(zip, name, member, scratch)?;
    let in_member = |fault: Fault| Fault { message: format!("member `{name}`: {}", fault.message), ..fault };
    let value = checked(&text, 1, true).map_err(in_member)?;
    let mut sample = convert(value, context, ordinal, 1).map_err(in_member)?;
    sample.notes.extend(rewrites(&value, matches!(text, Cow::Owned(_))));
    Ok(sample)
}
