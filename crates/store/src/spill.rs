//! Rows set aside on disk in buckets, so that an experiment of any size is stored in bounded memory.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, Write};
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::StoreError;

/// Bytes buffered for each bucket: many are open at once.
const BUFFER_BYTES: usize = 64 << 10;

/// Buckets of values in temporary files, uncompressed: they are written and read once. A bucket has a file
/// when it has a value.
pub(crate) struct Buckets<T> {
    writers: Vec<Option<BufWriter<File>>>,
    bytes: Vec<u8>,
    values: PhantomData<T>,
}

impl<T: Serialize + DeserializeOwned> Buckets<T> {
    pub(crate) fn new(count: usize) -> Self {
        Self { writers: (0..count).map(|_| None).collect(), bytes: Vec::new(), values: PhantomData }
    }

    pub(crate) fn push(&mut self, bucket: usize, value: &T) -> Result<(), StoreError> {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        let bytes = postcard::to_extend(value, bytes)?;
        let writer = match &mut self.writers[bucket] {
            Some(writer) => writer,
            none => none.insert(BufWriter::with_capacity(BUFFER_BYTES, tempfile::tempfile()?)),
        };
        writer.write_all(&(bytes.len() as u64).to_le_bytes())?;
        writer.write_all(&bytes)?;
        self.bytes = bytes;
        Ok(())
    }

    /// Ends writing; the buckets are then read one after another.
    pub(crate) fn finish(self) -> Result<Vec<Bucket<T>>, StoreError> {
        self.writers
            .into_iter()
            .flatten()
            .map(|writer| {
                let mut file = writer.into_inner().map_err(|e| e.into_error())?;
                file.rewind()?;
                Ok(Bucket { file, values: PhantomData })
            })
            .collect()
    }
}

/// One bucket, written.
pub(crate) struct Bucket<T> {
    file: File,
    values: PhantomData<T>,
}

impl<T: DeserializeOwned> Bucket<T> {
    /// Reads the values back in the order they were pushed.
    pub(crate) fn read(self) -> Result<Vec<T>, StoreError> {
        let mut values = Vec::new();
        self.for_each(|value| {
            values.push(value);
            Ok(())
        })?;
        Ok(values)
    }

    /// Reads the values back one at a time.
    pub(crate) fn for_each(self, mut visit: impl FnMut(T) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let mut reader = BufReader::with_capacity(BUFFER_BYTES, self.file);
        let mut bytes = Vec::new();
        loop {
            let mut length = [0; 8];
            match reader.read_exact(&mut length) {
                Ok(()) => {}
                Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(()),
                Err(e) => return Err(e.into()),
            }
            bytes.resize(usize::try_from(u64::from_le_bytes(length)).unwrap_or(usize::MAX), 0);
            reader.read_exact(&mut bytes)?;
            visit(postcard::from_bytes(&bytes)?)?;
        }
    }
}
