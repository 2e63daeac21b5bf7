//! The bytes of a source at any place: of a file, or of an object in a bucket.

use std::fs::File;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};
use rawzip::{FileReader, ReaderAt};
use tokio::runtime::Handle;

/// Bytes fetched from an object store at a time.
const BLOCK_BYTES: u64 = 4 << 20;

/// The bytes of one source, readable at any place and from any thread.
#[derive(Clone)]
pub(crate) struct Content {
    reader: Arc<dyn ReaderAt + Send + Sync>,
    pub(crate) length: u64,
}

impl Content {
    pub(crate) fn of_file(file: File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Self { reader: Arc::new(FileReader::from(file)), length })
    }

    pub(crate) fn of_object(object: RemoteObject) -> Self {
        let length = object.length;
        Self { reader: Arc::new(object), length }
    }

    /// Reads from a place on.
    pub(crate) fn stream(&self, from: u64) -> Stream {
        Stream { content: self.clone(), at: from }
    }
}

impl ReaderAt for Content {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.reader.read_at(buffer, offset)
    }
}

impl Length for Content {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for Content {
    type T = io::BufReader<Stream>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(io::BufReader::new(self.stream(start)))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        if start.saturating_add(length as u64) > self.length {
            return Err(ParquetError::EOF("the file ends before a part that it names".into()));
        }
        let mut buffer = vec![0; length];
        self.read_exact_at(&mut buffer, start)?;
        Ok(buffer.into())
    }
}

/// A source read from one place on.
pub(crate) struct Stream {
    content: Content,
    at: u64,
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.content.read_at(buffer, self.at)?;
        self.at += length as u64;
        Ok(length)
    }
}

/// An object in a bucket, fetched block by block; the last block is kept.
pub(crate) struct RemoteObject {
    store: Arc<dyn ObjectStore>,
    path: Path,
    length: u64,
    runtime: Handle,
    block: Mutex<(u64, Bytes)>,
}

impl RemoteObject {
    pub(crate) fn new(store: Arc<dyn ObjectStore>, path: Path, length: u64, runtime: Handle) -> Self {
        Self { store, path, length, runtime, block: Mutex::new((0, Bytes::new())) }
    }
}

impl ReaderAt for RemoteObject {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        if offset >= self.length || buffer.is_empty() {
            return Ok(0);
        }
        let mut block = self.block.lock().unwrap_or_else(PoisonError::into_inner);
        let (start, bytes) = &*block;
        if !(*start..start + bytes.len() as u64).contains(&offset) {
            let range = offset..self.length.min(offset + BLOCK_BYTES);
            let fetched = self.runtime.block_on(self.store.get_range(&self.path, range)).map_err(io::Error::other)?;
            *block = (offset, fetched);
        }
        let (start, bytes) = &*block;
        let here = &bytes[(offset - start) as usize..];
        let length = here.len().min(buffer.len());
        buffer[..length].copy_from_slice(&here[..length]);
        Ok(length)
    }
}
