//! Rows as an Arrow IPC file.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow::ipc::writer::FileWriter;

use super::BatchWriter;
use crate::ReportError;

pub(super) struct IpcWriter<'a>(FileWriter<Box<dyn Write + Send + 'a>>);

impl<'a> IpcWriter<'a> {
    pub(super) fn try_new(schema: &Schema, out: Box<dyn Write + Send + 'a>) -> Result<Self, ReportError> {
        Ok(Self(FileWriter::try_new(out, schema)?))
    }
}

impl BatchWriter for IpcWriter<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), ReportError> {
        Ok(self.0.write(batch)?)
    }

    fn finish(&mut self) -> Result<(), ReportError> {
        self.0.finish()?;
        Ok(self.0.get_mut().flush()?)
    }
}
