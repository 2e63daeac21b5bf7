//! Logs that are one JSON document.

use crate::discover::Source;
use crate::error::Fault;
use crate::load::Stop;
use crate::read::JsonStream;
use crate::reason;
use crate::receive::Receiver;
use crate::records::{checked, json_stream, text_of};

use super::attempts::Attempts;
use super::header::Header;
use super::sample::{Context, convert};
use super::{open, rewrites};

/// Reads a log. Its samples usually come after what says whose they are; a log with another order is
/// read twice.
pub(super) fn read(source: &Source, receiver: &mut dyn Receiver) -> Result<(), Stop> {
    let mut header = Header::default();
    let ended = read_header(&mut json_stream(source)?, &mut header)?;
    if ended == Ended::AtSamples && (header.eval.is_none() || header.status.is_none()) {
        let mut stream = json_stream(source)?;
        stream.enter_object()?;
        while let Some(key) = stream.key()? {
            read_part(&mut stream, &key, &mut header)?;
        }
    }
    if header.eval.is_none() {
        let message = "a log needs an object `eval` that says what was run";
        return Err(Fault::file(reason::NOT_A_ROW, message).at(1, None).into());
    }
    let experiment = open(&header, source, receiver)?;
    let mut samples = Samples { context: Context::of(&header), experiment, count: 0, attempts: Attempts::default() };
    let walked = samples.walk(&mut json_stream(source)?, &mut header, receiver);
    // What comes after the samples may complete what was known of the run.
    header.describe_rest(receiver, experiment);
    walked
}

#[derive(PartialEq, Eq)]
enum Ended {
    AtSamples,
    AtEnd,
}

/// Reads the parts before the samples.
fn read_header(stream: &mut JsonStream, header: &mut Header) -> Result<Ended, Stop> {
    if !stream.enter_object()? {
        return Err(Fault::file(reason::NOT_AN_OBJECT, "a log is one object").at(1, None).into());
    }
    while let Some(key) = stream.key()? {
        if key == "samples" {
            return Ok(Ended::AtSamples);
        }
        read_part(stream, &key, header)?;
    }
    Ok(Ended::AtEnd)
}

fn read_part(stream: &mut JsonStream, key: &str, header: &mut Header) -> Result<(), Stop> {
    if matches!(key, "samples" | "reductions") {
        return Ok(stream.skip()?);
    }
    let line = stream.line();
    let piece = stream.piece()?;
    let text = text_of(stream.bytes(&piece));
    header.set(key, checked(&text, line, true)?);
    Ok(())
}

struct Samples {
    context: Context,
    experiment: usize,
    count: u64,
    attempts: Attempts,
}

impl Samples {
    fn walk(&mut self, stream: &mut JsonStream, header: &mut Header, receiver: &mut dyn Receiver) -> Result<(), Stop> {
        stream.enter_object()?;
        loop {
            let outcome = match stream.key() {
                Ok(None) => return Ok(()),
                Ok(Some(key)) if key == "samples" => self.elements(stream, receiver),
                Ok(Some(key)) => read_part(stream, &key, header),
                Err(fault) => Err(fault.into()),
            };
            match outcome {
                Ok(()) => {}
                Err(Stop::Fault(fault)) => return receiver.cut_off(Some(self.experiment), fault),
                Err(stop) => return Err(stop),
            }
        }
    }

    fn elements(&mut self, stream: &mut JsonStream, receiver: &mut dyn Receiver) -> Result<(), Stop> {
        if !stream.enter_array()? {
            return Ok(stream.skip()?);
        }
        while stream.element()? {
            let piece = stream.piece()?;
            self.count += 1;
            let text = text_of(stream.bytes(&piece));
            let sample = checked(&text, piece.line, true).and_then(|value| {
                let mut sample = convert(value, &self.context, self.count, piece.line)?;
                sample.notes.extend(rewrites(&value, matches!(text, std::borrow::Cow::Owned(_))));
                Ok(sample)
            });
            match sample {
                Ok(sample) => self.attempts.hand_on(sample, self.experiment, receiver)?,
                Err(fault) => receiver.fault(fault)?,
            }
        }
        Ok(())
    }
}
