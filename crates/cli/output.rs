//! Answers and rows on their way out.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anstream::StripStream;
use anyhow::Context;
use datafusion::execution::SendableRecordBatchStream;
use evalhouse_report::{Answer, BatchOptions, BatchWriter, Format, batch_writer, number, write_answer};
use evalhouse_session::SessionError;
use futures::TryStreamExt;
use tempfile::NamedTempFile;

use crate::error::InputError;
use crate::printer::Printer;
use crate::settings::Settings;

/// Prints an answer in the format asked for, as a table by default.
pub(crate) fn print_answer(
    answer: &impl Answer,
    all: bool,
    settings: &Settings,
    printer: &Printer,
) -> anyhow::Result<()> {
    let format = settings.format.unwrap_or_default();
    refuse_binary_on_terminal(format, printer)?;
    let view = settings.view(printer, all);
    Ok(write_answer(answer, format, &view, printer.answer(format).as_mut())?)
}

/// Where rows go, and how they are written there.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// A file; standard output where there is none.
    path: Option<PathBuf>,
    format: Format,
}

impl Target {
    /// Resolves what the user asked for: a format by name, or by the ending of the file.
    pub(crate) fn resolve(
        path: Option<PathBuf>,
        default: Format,
        settings: &Settings,
        printer: &Printer,
    ) -> anyhow::Result<Self> {
        let format = match (settings.format, &path) {
            (Some(format), _) => format,
            (None, None) => default,
            (None, Some(path)) => format_of(path)?,
        };
        if path.is_none() {
            refuse_binary_on_terminal(format, printer)?;
        }
        Ok(Self { path, format })
    }

    /// How rows are written.
    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Whether only one result can go there.
    pub(crate) fn takes_one(&self) -> bool {
        self.path.is_some() || self.format.is_binary()
    }

    /// Writes the rows of a stream and says how many there were.
    pub(crate) async fn write(
        &self,
        rows: SendableRecordBatchStream,
        settings: &Settings,
        printer: &Printer,
    ) -> anyhow::Result<()> {
        match &self.path {
            Some(path) => {
                let count = number::counted(save_rows(rows, self.format, settings, path).await? as i64, "row");
                printer.note(&format!("wrote {count} to {} as {}", path.display(), self.format));
            }
            None => {
                let options = settings.batch_options(printer);
                let mut writer = batch_writer(self.format, &rows.schema(), options, printer.answer(self.format))?;
                let count = write_rows(rows, writer.as_mut()).await?;
                printer.note(&number::counted(count as i64, "row"));
            }
        }
        Ok(())
    }
}

fn format_of(path: &Path) -> anyhow::Result<Format> {
    Format::of_path(path).ok_or_else(|| {
        let message = format!("`{}` does not say which format to write", path.display());
        let hint = "end it with .jsonl, .json, .csv, .parquet, .arrow, .md or .txt, or add --format";
        InputError::with_hint(message, hint).into()
    })
}

/// Writes the rows of a stream to a file, which is there whole or not at all.
async fn save_rows(
    rows: SendableRecordBatchStream,
    format: Format,
    settings: &Settings,
    path: &Path,
) -> anyhow::Result<u64> {
    let cannot = || format!("cannot write `{}`", path.display());
    let options = BatchOptions { width: None, spreadsheet_safe: settings.spreadsheet_safe };
    if is_special(path) {
        let file = File::options().write(true).open(path).with_context(cannot)?;
        let mut writer = batch_writer(format, &rows.schema(), options, file_sink(format, file))?;
        return write_rows(rows, writer.as_mut()).await;
    }
    let temporary = temporary_beside(path).with_context(cannot)?;
    let file = temporary.as_file().try_clone().with_context(cannot)?;
    let mut writer = batch_writer(format, &rows.schema(), options, file_sink(format, file))?;
    let count = write_rows(rows, writer.as_mut()).await?;
    drop(writer);
    temporary.persist(path).map_err(|error| error.error).with_context(cannot)?;
    Ok(count)
}

/// A file to write rows to. Text in a file has no colours; the bytes of other formats are data.
pub(crate) fn file_sink(format: Format, file: File) -> Box<dyn Write + Send> {
    match format {
        Format::Table | Format::Markdown => Box::new(BufWriter::new(StripStream::new(file))),
        _ => Box::new(BufWriter::new(file)),
    }
}

/// Writes every batch of a stream, then the end.
pub(crate) async fn write_rows(
    mut rows: SendableRecordBatchStream,
    writer: &mut dyn BatchWriter,
) -> anyhow::Result<u64> {
    let mut count = 0;
    while let Some(batch) = rows.try_next().await.map_err(SessionError::of)? {
        writer.write(&batch)?;
        count += batch.num_rows() as u64;
    }
    writer.finish()?;
    Ok(count)
}

/// Binary formats are of no use on a terminal, and may upset it.
pub(crate) fn refuse_binary_on_terminal(format: Format, printer: &Printer) -> anyhow::Result<()> {
    if format.is_binary() && printer.is_terminal() {
        let message = format!("`{format}` is binary and standard output is a terminal");
        return Err(InputError::with_hint(message, "send it to a file: > FILE").into());
    }
    Ok(())
}

/// A device or a pipe: something to write into, not to replace.
fn is_special(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| !metadata.is_file())
}

/// An unnamed file in the folder of `path`, with the rights that a new file gets.
fn temporary_beside(path: &Path) -> io::Result<NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.prefix(".evalhouse-").tempfile_in(folder)
}
