//! What every request is answered from.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use evalhouse_live::Live;
use evalhouse_session::{Session, SessionOptions};
use serde::Serialize;

use crate::auth::{Auth, Caller};
use crate::engine::Engine;
use crate::error::ApiError;
use crate::gate::Gate;
use crate::guard::Guard;
use crate::keys::KeyRing;
use crate::metrics::Metrics;
use crate::options::{Limits, PageFiles, ServerOptions};
use crate::scorings::Scorings;

/// The state of the server. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    engine: Engine,
    gate: Gate,
    auth: Auth,
    guard: Guard,
    limits: Limits,
    metrics: Metrics,
    live: Live,
    scorings: Scorings,
    page: Option<PageFiles>,
    /// Without a slash at its end.
    public_url: String,
    /// Held by who makes an object of a name, so that two requests do not make two.
    making: tokio::sync::Mutex<()>,
    is_stopping: AtomicBool,
}

impl App {
    /// The state of a server that listens at an address.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub(crate) fn new(
        live: Live,
        session: SessionOptions,
        options: &ServerOptions,
        listen: SocketAddr,
    ) -> std::io::Result<Self> {
        let limits = options.limits.clone();
        let metrics = Metrics::default();
        let running = (metrics.queries_running.clone(), metrics.queries_waiting.clone());
        let gate = Gate::new(&limits, options.query_threads(), running.0, running.1)?;
        let query_memory = limits.query_memory_of(session.memory_limit_or_default());
        let engine = Engine::new(live.clone(), session, query_memory);
        let public_url = options.url_at(listen).trim_end_matches('/').to_string();
        let inner = Inner {
            engine,
            gate,
            auth: Auth::new(KeyRing::new(live.store().clone()), listen.ip().is_loopback()),
            guard: Guard::new(options, listen),
            limits,
            metrics,
            live,
            scorings: Scorings::default(),
            page: options.page,
            public_url,
            making: tokio::sync::Mutex::new(()),
            is_stopping: AtomicBool::new(false),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Where sessions come from.
    pub fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    /// The gate that queries go through.
    pub fn gate(&self) -> &Gate {
        &self.inner.gate
    }

    /// What requests may take.
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// What is counted.
    pub fn metrics(&self) -> &Metrics {
        &self.inner.metrics
    }

    /// Where rows are written to.
    pub fn live(&self) -> &Live {
        &self.inner.live
    }

    /// Scorers that run over cases.
    pub(crate) fn scorings(&self) -> &Scorings {
        &self.inner.scorings
    }

    /// The files of the page.
    pub(crate) fn page(&self) -> Option<PageFiles> {
        self.inner.page
    }

    /// The URL that clients use, without a slash at its end.
    pub fn public_url(&self) -> &str {
        &self.inner.public_url
    }

    /// Held by who makes an object of a name, so that two requests do not make two.
    pub(crate) fn making(&self) -> &tokio::sync::Mutex<()> {
        &self.inner.making
    }

    pub(crate) fn auth(&self) -> &Auth {
        &self.inner.auth
    }

    pub(crate) fn guard(&self) -> &Guard {
        &self.inner.guard
    }

    /// Whether the server takes no more requests.
    pub(crate) fn is_stopping(&self) -> bool {
        self.inner.is_stopping.load(Ordering::Relaxed)
    }

    pub(crate) fn stop(&self) {
        self.inner.is_stopping.store(true, Ordering::Relaxed);
    }

    /// Asks a question of a session over what the caller may see, and answers it as JSON. The
    /// question is dropped, and with it its queries, when the caller goes away.
    ///
    /// # Errors
    /// The question's own, and those of [`Gate::run`].
    pub async fn ask<T, F>(
        &self,
        caller: &Caller,
        question: impl FnOnce(Session) -> F + Send + 'static,
    ) -> Result<Response, ApiError>
    where
        T: Serialize + Send + 'static,
        F: Future<Output = Result<T, ApiError>> + Send,
    {
        let session = self.engine().session(caller).await?;
        let body = self.gate().run(async move {
            let answer = question(session).await?;
            serde_json::to_vec(&answer).map_err(|_| ApiError::fault("answer: JSON"))
        });
        Ok((StatusCode::OK, [(CONTENT_TYPE, "application/json")], body.await?).into_response())
    }
}
