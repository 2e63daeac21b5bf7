//! The gate before the engine: how many queries run, how many wait, and for how long.
//!
//! Queries run on threads of their own, so that a heavy one does not keep others from being answered.
//! A query is a task; whoever asked for it holds the task's handle, and dropping that ends the query.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::http::StatusCode;
use prometheus_client::metrics::gauge::Gauge;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

use crate::error::ApiError;
use crate::options::Limits;

/// When somebody who finds no room should come back.
const COME_BACK: Duration = Duration::from_secs(1);

/// How long to wait for a query to stop when its time is over.
pub(crate) const GRACE: Duration = Duration::from_secs(1);
/// Bytes of stack of a thread: plans nest.
const STACK_BYTES: usize = 32 << 20;

/// Lets queries in, a few at a time.
#[derive(Debug)]
pub struct Gate {
    threads: Threads,
    room: Arc<Semaphore>,
    waiting: AtomicUsize,
    waiting_max: usize,
    query_time: Duration,
    running_gauge: Gauge,
    waiting_gauge: Gauge,
}

impl Gate {
    /// A gate with threads of its own.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub(crate) fn new(limits: &Limits, threads: usize, running: Gauge, waiting: Gauge) -> std::io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name("evalhouse-query")
            .thread_stack_size(STACK_BYTES)
            .enable_all()
            .build()?;
        Ok(Self {
            threads: Threads(Some(runtime)),
            room: Arc::new(Semaphore::new(limits.queries.max(1))),
            waiting: AtomicUsize::new(0),
            waiting_max: limits.queued_queries,
            query_time: limits.query_time,
            running_gauge: running,
            waiting_gauge: waiting,
        })
    }

    /// Runs a query to its end, or until its time is over or the caller is gone.
    ///
    /// # Errors
    /// The query's own, 429 when too many wait, 422 when it takes too long.
    pub async fn run<T: Send + 'static>(
        &self,
        query: impl Future<Output = Result<T, ApiError>> + Send + 'static,
    ) -> Result<T, ApiError> {
        let limit = self.query_time;
        let task = self.start(async move { tokio::time::timeout(limit, query).await }).await?;
        match tokio::time::timeout(limit + GRACE, task.ended()).await {
            Ok(ended) => ended?.unwrap_or_else(|_| Err(too_long(limit))),
            // The query does not give way: it is told to stop, and its caller does not wait until it does.
            Err(_) => Err(too_long(limit)),
        }
    }

    /// Starts a query that keeps its own time, once there is room. It ends with the handle.
    ///
    /// # Errors
    /// 429 when too many wait.
    pub(crate) async fn start<T: Send + 'static>(
        &self,
        query: impl Future<Output = T> + Send + 'static,
    ) -> Result<Running<T>, ApiError> {
        let permit = self.enter().await?;
        let running = Counted::new(&self.running_gauge);
        let task = async move {
            let _held = (permit, running);
            query.await
        };
        Ok(Running(self.threads.handle()?.spawn(task)))
    }

    /// How long a query may take.
    pub(crate) fn query_time(&self) -> Duration {
        self.query_time
    }

    async fn enter(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        let room = Arc::clone(&self.room);
        let closed = |_| ApiError::fault("the gate is closed");
        if let Ok(permit) = Arc::clone(&room).try_acquire_owned() {
            return Ok(permit);
        }
        // Counted by a guard: who waits may go away.
        let _waits = Waits::join(self)?;
        match tokio::time::timeout(self.query_time, room.acquire_owned()).await {
            Ok(permit) => permit.map_err(closed),
            // Those that run do not give way.
            Err(_) => Err(no_room("no query has ended for as long as one may take".into())),
        }
    }
}

/// The error of a query that took too long.
pub(crate) fn too_long(limit: Duration) -> ApiError {
    ApiError::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        format!("the query took longer than its limit of {} seconds and was stopped", limit.as_secs_f64()),
    )
    .with_hint("ask for fewer columns or rows; `evalhouse serve --query-time` raises the limit")
}

/// The error of a query that is not let in.
fn no_room(message: String) -> ApiError {
    let error = ApiError::new(StatusCode::TOO_MANY_REQUESTS, message).with_hint("try again in a moment");
    error.retry_after(COME_BACK)
}

/// A query that runs until it ends or this is dropped.
pub(crate) struct Running<T>(JoinHandle<T>);

impl<T> Running<T> {
    /// Waits for its end.
    async fn ended(mut self) -> Result<T, ApiError> {
        (&mut self.0).await.map_err(|error| ApiError::fault(if error.is_panic() { "a query panicked" } else { "gone" }))
    }
}

impl<T> Drop for Running<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A gauge that is one higher for as long as this lives.
struct Counted(Gauge);

impl Counted {
    fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

struct Waits<'a> {
    gate: &'a Gate,
    _counted: Counted,
}

impl<'a> Waits<'a> {
    fn join(gate: &'a Gate) -> Result<Self, ApiError> {
        let before = gate.waiting.fetch_add(1, Ordering::Relaxed);
        if before >= gate.waiting_max {
            gate.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(no_room(format!("{before} queries are waiting already")));
        }
        Ok(Self { gate, _counted: Counted::new(&gate.waiting_gauge) })
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.gate.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A runtime that may be dropped anywhere: its threads are not waited for.
#[derive(Debug)]
struct Threads(Option<Runtime>);

impl Threads {
    fn handle(&self) -> Result<&Handle, ApiError> {
        self.0.as_ref().map(Runtime::handle).ok_or_else(|| ApiError::fault("the query threads are gone"))
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(queries: usize, queued_queries: usize, query_time: Duration) -> Arc<Gate> {
        let limits = Limits { queries, queued_queries, query_time, ..Limits::default() };
        Arc::new(Gate::new(&limits, 1, Gauge::default(), Gauge::default()).unwrap())
    }

    #[tokio::test]
    async fn a_query_that_nobody_waits_for_ends() {
        let gate = gate(1, 0, Duration::from_secs(60));
        let endless = gate.run(std::future::pending::<Result<(), ApiError>>());
        assert!(tokio::time::timeout(Duration::from_millis(50), endless).await.is_err());
        // Its place is free again.
        let next = tokio::time::timeout(Duration::from_secs(5), async {
            while gate.running_gauge.get() > 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            gate.run(async { Ok(1) }).await
        });
        assert_eq!(next.await.unwrap().unwrap(), 1);
    }

    #[tokio::test]
    async fn a_query_that_takes_too_long_is_stopped() {
        let gate = gate(1, 0, Duration::from_millis(20));
        let error = gate.run(std::future::pending::<Result<(), ApiError>>()).await.unwrap_err();
        assert_eq!(error.status(), StatusCode::UNPROCESSABLE_ENTITY);
    }

    #[tokio::test]
    async fn who_finds_no_room_is_told_to_come_back() {
        let gate = gate(1, 0, Duration::from_secs(60));
        let held = gate.start(std::future::pending::<()>()).await.unwrap_or_else(|error| panic!("{error}"));
        let error = gate.run(async { Ok(()) }).await.unwrap_err();
        assert_eq!(error.status(), StatusCode::TOO_MANY_REQUESTS);
        drop(held);
    }

    #[tokio::test]
    async fn who_waits_as_long_as_a_query_may_take_is_told_to_come_back() {
        let gate = gate(1, 1, Duration::from_millis(20));
        let held = gate.start(std::future::pending::<()>()).await.unwrap_or_else(|error| panic!("{error}"));
        let error = gate.run(async { Ok(()) }).await.unwrap_err();
        assert_eq!(error.status(), StatusCode::TOO_MANY_REQUESTS);
        drop(held);
    }

    #[tokio::test]
    async fn a_panic_is_an_error() {
        let gate = gate(1, 0, Duration::from_secs(60));
        let error = gate.run(async { panic!("on purpose") as Result<(), ApiError> }).await.unwrap_err();
        assert_eq!(error.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
}
