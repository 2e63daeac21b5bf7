//! Rows on their way out: written as they come, in bounded memory.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::execution::SendableRecordBatchStream;
use evalhouse_report::{BatchOptions, Format, batch_writer};
use evalhouse_session::Session;
use futures::StreamExt;
use tokio::sync::mpsc;

use crate::app::App;
use crate::error::ApiError;
use crate::gate::{GRACE, Running, too_long};
use crate::given::{Given, Parameter};

/// Media type of Parquet files, which are compressed already.
pub(crate) const PARQUET: &str = "application/vnd.apache.parquet";
/// Media type of JSON.
pub(crate) const JSON: &str = "application/json";
/// Rows written at a time.
const SLICE_ROWS: usize = 1_024;
/// Bytes that are held back, so that an answer that fails early fails with its message.
const HELD_BYTES: usize = 64 << 10;
/// Pieces on their way to the client; when they are not taken the query waits.
const PIECES: usize = 4;
/// How long a client may take nothing.
const PATIENCE: Duration = Duration::from_secs(60);

/// Names of the formats that rows are answered in.
const FORMATS: [&str; 5] = ["json", "jsonl", "csv", "parquet", "arrow"];

/// How the rows are written.
pub(crate) const FORMAT: Parameter = Parameter::choice("format", "How the rows are written; JSON without", &FORMATS);
/// Whether a spreadsheet may open the rows.
pub(crate) const SPREADSHEET_SAFE: Parameter =
    Parameter::flag("spreadsheet-safe", "Writes ' before CSV text that a spreadsheet would run as a formula");

/// The media types that rows may be answered in.
pub(crate) fn media_types() -> [&'static str; 5] {
    [Format::Json, Format::Jsonl, Format::Csv, Format::Parquet, Format::Arrow].map(media_type)
}

fn media_type(format: Format) -> &'static str {
    match format {
        Format::Json => JSON,
        Format::Jsonl => "application/x-ndjson",
        Format::Csv => "text/csv; charset=utf-8",
        Format::Parquet => PARQUET,
        Format::Arrow => "application/vnd.apache.arrow.file",
        Format::Table | Format::Markdown => "text/plain; charset=utf-8",
    }
}

/// Answers the rows of a query. The query stops when the client goes away, takes nothing for a
/// minute, or a limit is reached; what was not sent by then is missing, and the answer is broken off
/// so that the client knows.
pub(crate) async fn answer<F>(
    app: &App,
    session: Session,
    given: &Given,
    query: impl FnOnce(Session) -> F + Send + 'static,
) -> Result<Response, ApiError>
where
    F: Future<Output = Result<SendableRecordBatchStream, ApiError>> + Send,
{
    let format = given.parsed(&FORMAT)?.unwrap_or(Format::Json);
    let options = BatchOptions { width: None, spreadsheet_safe: given.flag(&SPREADSHEET_SAFE) };
    answer_as(app, session, format, options, query).await
}

/// Answers the rows of a query, as [`answer`] does, in this format.
pub(crate) async fn answer_as<F>(
    app: &App,
    session: Session,
    format: Format,
    options: BatchOptions,
    query: impl FnOnce(Session) -> F + Send + 'static,
) -> Result<Response, ApiError>
where
    F: Future<Output = Result<SendableRecordBatchStream, ApiError>> + Send,
{
    stream(app, media_type(format), move |out| async move {
        let stream = query(session.clone());
        produce(&session, stream, format, options, out).await
    })
    .await
}

/// Answers what a query writes, as it comes. The query ends as that of [`answer`] does.
pub(crate) async fn stream<F>(
    app: &App,
    media_type: &'static str,
    write: impl FnOnce(Out) -> F + Send + 'static,
) -> Result<Response, ApiError>
where
    F: Future<Output = Result<(), ApiError>> + Send,
{
    let limit = app.gate().query_time();
    let (sender, mut pieces) = mpsc::channel(PIECES);
    let out = Out {
        sender,
        buffer: Buffer::default(),
        has_sent: Arc::default(),
        left: limit,
        limit,
        rows_left: app.limits().query_rows,
        rows: app.limits().query_rows,
    };
    let producer = app.gate().start(async move {
        let failing = out.share();
        if let Err(error) = write(out).await {
            failing.fail(error).await;
        }
    });
    let producer = producer.await?;
    // A query that does not give way is not waited for.
    let Ok(first) = tokio::time::timeout(limit + GRACE, pieces.recv()).await else {
        return Err(too_long(limit));
    };
    let first = match first {
        Some(Ok(bytes)) => bytes,
        Some(Err(error)) => return Err(error),
        // The producer ends without a piece only when it panics.
        None => return Err(ApiError::fault("a query panicked")),
    };
    let body = Body::from_stream(Pieces::stream(first, pieces, producer));
    Ok((StatusCode::OK, [(CONTENT_TYPE, media_type)], body).into_response())
}

async fn produce(
    session: &Session,
    stream: impl Future<Output = Result<SendableRecordBatchStream, ApiError>>,
    format: Format,
    options: BatchOptions,
    mut out: Out,
) -> Result<(), ApiError> {
    let mut stream = out.within(stream).await??;
    let mut writer = batch_writer(format, &stream.schema(), options, Box::new(out.buffer.clone()))?;
    while let Some(batch) = out.next(session, &mut stream).await? {
        for slice in slices(&batch) {
            writer.write(&slice)?;
            out.send(HELD_BYTES).await?;
        }
    }
    writer.finish()?;
    out.send(0).await
}

/// A batch in parts that are written at a time.
pub(crate) fn slices(batch: &RecordBatch) -> impl Iterator<Item = RecordBatch> {
    let starts = (0..batch.num_rows()).step_by(SLICE_ROWS);
    starts.map(|start| batch.slice(start, SLICE_ROWS.min(batch.num_rows() - start)))
}

fn too_many(limit: u64) -> ApiError {
    let message = format!("the query gives more than {limit} rows, which is the limit");
    ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, message)
        .with_hint("add a LIMIT or a condition; `evalhouse serve --query-rows` raises the limit")
}

/// Where a query's rows go, and what the query may still take.
pub(crate) struct Out {
    sender: mpsc::Sender<Result<Bytes, ApiError>>,
    buffer: Buffer,
    has_sent: Arc<AtomicBool>,
    /// The query's own time: a slow client is not the query's fault.
    left: Duration,
    limit: Duration,
    rows_left: u64,
    rows: u64,
}

impl Out {
    /// Another handle to the same client.
    fn share(&self) -> Self {
        let (sender, buffer, has_sent) = (self.sender.clone(), self.buffer.clone(), Arc::clone(&self.has_sent));
        Self { sender, buffer, has_sent, ..*self }
    }

    /// Does a part of the query's work, within its time.
    pub(crate) async fn within<T>(&mut self, work: impl Future<Output = T>) -> Result<T, ApiError> {
        let started = Instant::now();
        let result = tokio::time::timeout(self.left, work).await.map_err(|_| too_long(self.limit));
        self.left = self.left.saturating_sub(started.elapsed());
        result
    }

    /// The next rows, within the query's time and number of rows.
    pub(crate) async fn next(
        &mut self,
        session: &Session,
        stream: &mut SendableRecordBatchStream,
    ) -> Result<Option<RecordBatch>, ApiError> {
        let Some(batch) = self.within(stream.next()).await? else { return Ok(None) };
        let batch = batch.map_err(|error| session.run_error(error))?;
        let left = self.rows_left.checked_sub(batch.num_rows() as u64);
        self.rows_left = left.ok_or_else(|| too_many(self.rows))?;
        Ok(Some(batch))
    }

    /// Writes bytes, and sends what has been written when that is enough.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<(), ApiError> {
        self.buffer.extend(bytes);
        self.send(HELD_BYTES).await
    }

    /// Sends what has been written.
    pub(crate) async fn finish(mut self) -> Result<(), ApiError> {
        self.send(0).await
    }

    /// Sends what has been written when it is more than `held` bytes.
    async fn send(&mut self, held: usize) -> Result<(), ApiError> {
        let Some(bytes) = self.buffer.take(held) else { return Ok(()) };
        self.has_sent.store(true, Ordering::Relaxed);
        let gone = |_| ApiError::fault("the client went away");
        let sent = tokio::time::timeout(PATIENCE, self.sender.send(Ok(bytes))).await;
        sent.map_err(|_| ApiError::fault("the client took nothing"))?.map_err(gone)
    }

    /// Breaks the answer off.
    async fn fail(&self, error: ApiError) {
        if self.has_sent.load(Ordering::Relaxed) {
            tracing::warn!(status = error.status().as_u16(), "an answer was broken off");
        }
        // A client that is gone needs no message.
        let _ = tokio::time::timeout(PATIENCE, self.sender.send(Err(error))).await;
    }
}

/// Bytes between a writer that does not wait and a channel that does.
#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Buffer {
    fn take(&self, held: usize) -> Option<Bytes> {
        let mut bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (bytes.len() >= held).then(|| std::mem::take(&mut *bytes).into())
    }

    fn extend(&self, bytes: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The pieces of an answer with the query that makes them, which ends when they are dropped.
struct Pieces {
    pieces: mpsc::Receiver<Result<Bytes, ApiError>>,
    _query: Running<()>,
}

impl Pieces {
    fn stream(
        first: Bytes,
        pieces: mpsc::Receiver<Result<Bytes, ApiError>>,
        query: Running<()>,
    ) -> impl futures::Stream<Item = Result<Bytes, ApiError>> + Send {
        let rest = futures::stream::unfold(Self { pieces, _query: query }, |mut this| async move {
            let piece = this.pieces.recv().await?;
            Some((piece, this))
        });
        // Fused: a compressed body is asked again after its end.
        futures::stream::once(async { Ok(first) }).chain(rest).fuse()
    }
}
