//! Rows as a Parquet file.

use std::io::Write;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::BatchWriter;
use crate::ReportError;

/// A row group is closed when it holds about this much, so that memory stays bounded.
const ROW_GROUP_BYTES: usize = 64 << 20;

pub(super) struct ParquetWriter<'a>(ArrowWriter<Box<dyn Write + Send + 'a>>);

impl<'a> ParquetWriter<'a> {
    pub(super) fn try_new(schema: &Schema, out: Box<dyn Write + Send + 'a>) -> Result<Self, ReportError> {
        let compression = Compression::ZSTD(ZstdLevel::default());
        let properties = WriterProperties::builder().set_compression(compression).build();
        Ok(Self(ArrowWriter::try_new(out, Arc::new(schema.clone()), Some(properties))?))
    }
}

impl BatchWriter for ParquetWriter<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), ReportError> {
        self.0.write(batch)?;
        if self.0.in_progress_size() > ROW_GROUP_BYTES {
            self.0.flush()?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), ReportError> {
        self.0.finish()?;
        Ok(self.0.inner_mut().flush()?)
    }
}
