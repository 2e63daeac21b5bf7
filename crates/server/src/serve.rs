//! Listening: connections in, and out again in good order.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use evalhouse_live::{Live, LiveError};
use evalhouse_session::SessionOptions;
use evalhouse_store::StoreError;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::app::App;
use crate::keys::KeyRing;
use crate::options::ServerOptions;
use crate::router::router;

/// Headers of a request; more are answered 431.
const HEADERS_MAX: usize = 128;
/// How long to wait when the system has no connection to give: it may be out of files.
const PAUSE: Duration = Duration::from_millis(100);

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("cannot listen on {listen}: {source}")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Whoever reaches the address could read everything.
    #[error("{listen} can be reached from other machines, and there is no API key")]
    Unprotected {
        /// The address.
        listen: SocketAddr,
    },
    /// The system gives no threads.
    #[error("cannot start threads: {0}")]
    Threads(std::io::Error),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ServeError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Listen { .. } => Some("choose another address with --listen HOST:PORT; port 0 takes a free one"),
            Self::Unprotected { .. } => {
                Some("make a key with `evalhouse keys create NAME`, or listen on 127.0.0.1 alone")
            }
            Self::Threads(_) => None,
            Self::Store(error) => error.hint(),
        }
    }

    /// Whether the user can mend it.
    pub fn is_users(&self) -> bool {
        matches!(self, Self::Listen { .. } | Self::Unprotected { .. })
    }
}

/// A server that listens.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    app: App,
}

impl Server {
    /// Listens for requests over the store that rows are written to; none is answered before
    /// [`Self::run`].
    ///
    /// # Errors
    /// When the address is taken, or can be reached by others and there is no key.
    pub async fn bind(live: Live, session: SessionOptions, options: &ServerOptions) -> Result<Self, ServeError> {
        let listen = options.listen;
        if !listen.ip().is_loopback() && !KeyRing::new(live.store().clone()).opens().await? {
            return Err(ServeError::Unprotected { listen });
        }
        let wrong = |source| ServeError::Listen { listen, source };
        let listener = TcpListener::bind(listen).await.map_err(wrong)?;
        let address = listener.local_addr().map_err(wrong)?;
        let app = App::new(live, session, options, address).map_err(ServeError::Threads)?;
        Ok(Self { listener, address, app })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What requests are answered from.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Whether a request needs a key.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn needs_key(&self) -> Result<bool, StoreError> {
        Ok(!self.app.auth().is_open().await?)
    }

    /// Answers requests until `shutdown`. Then no connection is taken any more, requests in flight have
    /// a while to end, and what was logged is put into the store.
    ///
    /// # Errors
    /// When rows stay in the journal; the next start finds them there.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), LiveError> {
        let Self { listener, app, .. } = self;
        let service = TowerToHyperService::new(router(app.clone()));
        let limits = app.limits().clone();
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(limits.header_time)
            .max_header_size(limits.header_bytes)
            .max_headers(HEADERS_MAX);
        let room = Arc::new(Semaphore::new(limits.connections));
        let open = GracefulShutdown::new();
        let keeper = tokio::spawn({
            let live = app.live().clone();
            async move { live.keep().await }
        });
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            let (stream, permit) = tokio::select! {
                () = &mut shutdown => break,
                accepted = accept(&listener, &room) => accepted,
            };
            let connection = http.serve_connection(TokioIo::new(stream), service.clone());
            let connection = open.watch(connection);
            let connections = app.metrics().connections.clone();
            connections.inc();
            tokio::spawn(async move {
                // A client that breaks off is its own affair.
                let _ = connection.await;
                connections.dec();
                drop(permit);
            });
        }
        drop(listener);
        app.stop();
        let unfinished = tokio::time::timeout(limits.drain_time, open.shutdown()).await.is_err();
        if unfinished {
            tracing::warn!("stopped with requests in flight");
        }
        keeper.abort();
        app.live().settle_all().await
    }
}

/// The next connection, once there is room for it.
async fn accept(listener: &TcpListener, room: &Arc<Semaphore>) -> (TcpStream, Option<OwnedSemaphorePermit>) {
    // The semaphore is never closed.
    let permit = Arc::clone(room).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Small answers are not held back; a stream that refuses the option works all the same.
                let _ = stream.set_nodelay(true);
                return (stream, permit);
            }
            // The other side is gone already, or the system has no file left: try again.
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}
