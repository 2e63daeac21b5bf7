//! Zip archives: the list of their members, and each member's decoded bytes.

use std::io::{self, BufReader, Read};

use rawzip::{
    CompressionMethod, RECOMMENDED_BUFFER_SIZE, ZipArchive, ZipArchiveEntryWayfinder, ZipLocator, ZipVerification,
};

use crate::content::Content;
use crate::error::Fault;
use crate::reason;

/// What a zip archive starts with, unless it is empty.
pub(crate) const MAGIC: &[u8] = b"PK\x03\x04";

/// Members listed at most.
const MEMBERS_MAX: u64 = 50_000_000;

/// An opened archive.
pub(crate) struct Zip {
    archive: ZipArchive<Content>,
}

/// One member: where it is, and how it is compressed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member {
    place: ZipArchiveEntryWayfinder,
    method: CompressionMethod,
    pub(crate) compressed_bytes: u64,
    pub(crate) decoded_bytes: u64,
}

/// Bytes of a buffer that are kept for the next member.
const SCRATCH_BYTES_KEPT: usize = 16 << 20;

/// Buffers of a thread that decodes one member after another: a decoder and its memory cost more
/// than a small member.
#[derive(Default)]
pub(crate) struct Scratch {
    decoder: Option<zstd::bulk::Decompressor<'static>>,
    compressed: Vec<u8>,
    decoded: Vec<u8>,
}

impl Scratch {
    /// Gives back what a large member took.
    pub(crate) fn trim(&mut self) {
        for buffer in [&mut self.compressed, &mut self.decoded] {
            buffer.clear();
            buffer.shrink_to(SCRATCH_BYTES_KEPT);
        }
    }
}

impl Zip {
    /// Finds the archive's directory.
    pub(crate) fn open(content: Content) -> Result<Self, Fault> {
        let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
        let length = content.length;
        let archive = ZipLocator::new().locate_in_reader(content, &mut buffer, length).map_err(|(_, error)| {
            let message = format!("the zip archive has no readable directory at its end: {error}");
            Fault::file(reason::CORRUPT_COMPRESSION, message)
                .at(1, None)
                .with_hint("it may be cut off: copy it again, or wait until it is written")
        })?;
        Ok(Self { archive })
    }

    /// Visits the members in the order of the directory; folders are passed. Stops when told to.
    pub(crate) fn each_member(&self, mut each: impl FnMut(&str, Member) -> bool) -> Result<(), Fault> {
        let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
        let mut entries = self.archive.entries(&mut buffer);
        for _ in 0..MEMBERS_MAX {
            let Some(entry) = entries.next_entry().map_err(|error| damaged(&error.to_string()))? else { return Ok(()) };
            if entry.is_dir() {
                continue;
            }
            let member = Member {
                place: entry.wayfinder(),
                method: entry.compression_method(),
                compressed_bytes: entry.compressed_size_hint(),
                decoded_bytes: entry.uncompressed_size_hint(),
            };
            if !each(&String::from_utf8_lossy(entry.file_path().as_bytes()), member) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Decodes a whole member of at most `limit` bytes and checks it against its checksum.
    pub(crate) fn read_whole<'s>(
        &self,
        member: &Member,
        limit: usize,
        scratch: &'s mut Scratch,
    ) -> io::Result<&'s [u8]> {
        scratch.decoded.clear();
        let entry = self.archive.get_entry(member.place).map_err(io::Error::other)?;
        let size = usize::try_from(member.decoded_bytes).unwrap_or(usize::MAX);
        if size > limit {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it unpacks to {size} bytes")));
        }
        if member.method != CompressionMethod::ZSTD {
            self.read(member)?.take(limit as u64 + 1).read_to_end(&mut scratch.decoded)?;
            return Ok(&scratch.decoded);
        }
        scratch.compressed.clear();
        let mut reader = entry.reader();
        reader.read_to_end(&mut scratch.compressed)?;
        scratch.decoded.reserve(size);
        let Scratch { decoder, compressed, decoded } = &mut *scratch;
        let decoder = match decoder {
            Some(decoder) => decoder,
            None => decoder.insert(zstd::bulk::Decompressor::new()?),
        };
        // One call takes all frames that the member is made of.
        let length = decoder.decompress_to_buffer(compressed, decoded)?;
        let found = ZipVerification { crc: rawzip::crc32(decoded), uncompressed_size: length as u64 };
        reader.claim_verifier().valid(found).map_err(io::Error::other)?;
        Ok(&scratch.decoded)
    }

    /// Reads a member, decoded and checked against its checksum at its end.
    pub(crate) fn read(&self, member: &Member) -> io::Result<Box<dyn Read + '_>> {
        let entry = self.archive.get_entry(member.place).map_err(io::Error::other)?;
        let data = BufReader::with_capacity(64 << 10, entry.reader());
        let decoded: Box<dyn Read + '_> = match member.method {
            CompressionMethod::STORE => Box::new(data),
            CompressionMethod::DEFLATE => Box::new(flate2::bufread::DeflateDecoder::new(data)),
            CompressionMethod::ZSTD => Box::new(zstd::stream::read::Decoder::with_buffer(data)?),
            other => {
                let message = format!("compression method {} is not read; repack it with deflate", other.as_u16());
                return Err(io::Error::new(io::ErrorKind::Unsupported, message));
            }
        };
        Ok(Box::new(entry.verifying_reader(decoded)))
    }
}

fn damaged(what: &str) -> Fault {
    Fault::file(reason::CORRUPT_COMPRESSION, format!("the zip archive's directory is damaged: {what}")).at(1, None)
}
