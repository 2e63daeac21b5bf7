//! An opened source: plain, gzip or zstd, told by its first bytes.

use std::cell::RefCell;
use std::io::{self, BufReader, Read};
use std::rc::Rc;

use xxhash_rust::xxh3::Xxh3;

/// Raw bytes read from the source at a time.
const RAW_BUFFER_BYTES: usize = 256 << 10;

/// Hears of raw bytes as they are read.
pub(crate) type Meter = Rc<dyn Fn(u64)>;

/// The decoded bytes of a source.
pub(crate) struct Input {
    decoded: Box<dyn Read>,
    raw: Rc<RefCell<RawState>>,
}

/// What is known of the raw bytes read so far.
struct RawState {
    hash: Xxh3,
    failed: bool,
}

/// The raw source, hashed and counted as it is read.
struct Raw<R> {
    source: R,
    state: Rc<RefCell<RawState>>,
    meter: Meter,
}

impl Input {
    /// Opens a source by its first bytes.
    pub(crate) fn open(source: impl Read + 'static, meter: Meter) -> io::Result<Self> {
        let raw = Rc::new(RefCell::new(RawState { hash: Xxh3::new(), failed: false }));
        let mut source = Raw { source, state: Rc::clone(&raw), meter };
        let mut magic = Vec::with_capacity(4);
        source.by_ref().take(4).read_to_end(&mut magic)?;
        let compression = Compression::of(&magic);
        let source = BufReader::with_capacity(RAW_BUFFER_BYTES, io::Cursor::new(magic).chain(source));
        let decoded: Box<dyn Read> = match compression {
            Compression::None => Box::new(source),
            Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(source)),
            Compression::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(source)?),
        };
        Ok(Self { decoded, raw })
    }

    /// True when the source itself failed, not its content.
    pub(crate) fn source_failed(&self) -> bool {
        self.raw.borrow().failed
    }

    /// The xxh3-128 of the raw bytes read so far, in hex.
    pub(crate) fn hash(&self) -> String {
        format!("{:032x}", self.raw.borrow().hash.digest128())
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.decoded.read(buffer)
    }
}

impl<R: Read> Read for Raw<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.source.read(buffer) {
            Ok(length) => {
                self.state.borrow_mut().hash.update(&buffer[..length]);
                (self.meter)(length as u64);
                Ok(length)
            }
            Err(error) => {
                self.state.borrow_mut().failed = error.kind() != io::ErrorKind::Interrupted;
                Err(error)
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compression {
    None,
    Gzip,
    Zstd,
}

impl Compression {
    fn of(magic: &[u8]) -> Self {
        match magic {
            [0x1F, 0x8B, ..] => Self::Gzip,
            // A frame, or a skippable frame before one.
            [0x28, 0xB5, 0x2F, 0xFD] | [0x50..=0x5F, 0x2A, 0x4D, 0x18] => Self::Zstd,
            _ => Self::None,
        }
    }
}
