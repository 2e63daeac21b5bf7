//! Logs that are zip archives, one member a sample.
//!
//! Samples are decoded on several threads and handed on in the order of the archive, so that two
//! imports give the same rows in the same order.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::ErrorKind;
use std::sync::mpsc::{Receiver as Channel, sync_channel};

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

/// The members of an archive that matter.
#[derive(Default)]
struct Members {
    header: Option<Member>,
    start: Option<Member>,
    samples: Vec<(String, Member)>,
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
    read_samples(&zip, &members.samples, &Context::of(&header), experiment, receiver)
}

/// Lists the members; of several with one name the last one counts.
fn list(zip: &Zip) -> Result<Members, Fault> {
    let mut members = Members::default();
    let mut known: HashMap<u128, usize> = HashMap::new();
    zip.each_member(|name, member| {
        match name {
            "header.json" => members.header = Some(member),
            "_journal/start.json" => members.start = Some(member),
            _ if name.starts_with("samples/") && name.ends_with(".json") => {
                let at = *known.entry(xxh3_128(name.as_bytes())).or_insert(members.samples.len());
                if let Some(earlier) = members.samples.get_mut(at) {
                    earlier.1 = member;
                    members.repeated += 1;
                } else {
                    members.samples.push((name.to_string(), member));
                }
            }
            _ => {}
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
    experiment: usize,
    receiver: &mut dyn Receiver,
) -> Result<(), Stop> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(members.len().max(1));
    std::thread::scope(|scope| {
        let mut channels: Vec<Channel<Result<Sample, Fault>>> = Vec::with_capacity(threads);
        for thread in 0..threads {
            let (sender, channel) = sync_channel(SAMPLES_AHEAD);
            channels.push(channel);
            scope.spawn(move || {
                let mut scratch = Scratch::default();
                for (at, (name, member)) in members.iter().enumerate().skip(thread).step_by(threads) {
                    let sample = read_sample(zip, name, member, context, at as u64 + 1, &mut scratch);
                    // Nobody listens any more when the import was stopped.
                    if sender.send(sample).is_err() {
                        return;
                    }
                }
            });
        }
        let mut attempts = Attempts::default();
        for (at, (name, member)) in members.iter().enumerate() {
            let sample = channels[at % threads].recv().unwrap_or_else(|_| {
                let message = format!("internal error: the reader of member `{name}` stopped");
                Err(Fault { extent: Extent::File, ..Fault::row(reason::UNREADABLE, message) })
            });
            match sample {
                Ok(sample) => attempts.hand_on(sample, experiment, receiver)?,
                Err(fault) => receiver.fault(fault)?,
            }
            receiver.bytes_read(member.compressed_bytes);
        }
        Ok(())
    })
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
