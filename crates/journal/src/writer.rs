//! The one thread that writes: many requests, one sync.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use tokio::sync::oneshot;

use crate::journal::Shared;
use crate::segment::{Place, Record, Segment};
use crate::{JournalError, Receipt};

/// Bytes written before a sync, whatever else waits.
const BATCH_BYTES: usize = 16 << 20;

/// One request on its way to the disk.
pub(crate) struct Request {
    pub(crate) record: Record,
    pub(crate) reply: oneshot::Sender<Result<Receipt, JournalError>>,
}

/// The writing side of the log.
pub(crate) struct Writer {
    pub(crate) folder: PathBuf,
    pub(crate) segment_bytes: u64,
    pub(crate) number: u64,
    pub(crate) file: File,
    pub(crate) length: u64,
    pub(crate) shared: Arc<Shared>,
}

impl Writer {
    /// Serves requests until no handle of the journal is left.
    pub(crate) fn run(mut self, requests: &Receiver<Request>) {
        let mut failed: Option<String> = None;
        while let Ok(first) = requests.recv() {
            let mut bytes = first.record.bytes.len();
            let mut batch = vec![first];
            while bytes < BATCH_BYTES
                && let Ok(next) = requests.try_recv()
            {
                bytes += next.record.bytes.len();
                batch.push(next);
            }
            // After a failed sync nothing is known of what is on the disk: no later success would be
            // worth anything.
            let written = match &failed {
                None => self.write(&mut batch),
                Some(reason) => Err(JournalError::Stopped { reason: reason.clone() }),
            };
            match written {
                Ok(receipts) => {
                    for (request, receipt) in batch.into_iter().zip(receipts) {
                        // Whoever asked may be gone.
                        let _ = request.reply.send(Ok(receipt));
                    }
                }
                Err(error) => {
                    let reason = failed.get_or_insert_with(|| error.to_string()).clone();
                    for request in batch {
                        self.shared.forget_bytes(request.record.bytes.len() as u64);
                        let _ = request.reply.send(Err(JournalError::Stopped { reason: reason.clone() }));
                    }
                }
            }
        }
    }

    /// Writes and syncs; then, and only then, the rows can be read.
    fn write(&mut self, batch: &mut [Request]) -> Result<Vec<Receipt>, JournalError> {
        if self.length >= self.segment_bytes {
            self.roll()?;
        }
        let path = self.shared.path_of(self.number);
        let mut receipts = Vec::with_capacity(batch.len());
        let mut places = Vec::new();
        for request in batch.iter_mut() {
            let xact = self.shared.clock.next();
            request.record.seal(xact);
            self.file.write_all(&request.record.bytes).map_err(JournalError::io(&path))?;
            for mark in &request.record.marks {
                let place = Place {
                    segment: self.number,
                    offset: self.length + mark.offset as u64,
                    length: u32::try_from(mark.length).unwrap_or(u32::MAX),
                    xact,
                    id: mark.id,
                    trace: mark.trace,
                };
                places.push((mark.object.clone(), place));
            }
            self.length += request.record.bytes.len() as u64;
            receipts.push(Receipt { xact });
        }
        self.file.sync_data().map_err(JournalError::io(&path))?;
        // What rows add to a record is what their release gives back.
        let overhead: u64 = batch.iter().map(|request| request.record.bytes.len() as u64).sum::<u64>()
            - places.iter().map(|(_, place)| u64::from(place.length)).sum::<u64>();
        self.shared.forget_bytes(overhead);
        self.shared.publish(places);
        Ok(receipts)
    }

    fn roll(&mut self) -> Result<(), JournalError> {
        let number = self.number + 1;
        let (segment, file) = Segment::create(&self.folder, number)?;
        self.length = segment.file.metadata().map_err(JournalError::io(&segment.path))?.len();
        (self.number, self.file) = (number, file);
        self.shared.add_segment(segment);
        Ok(())
    }
}
