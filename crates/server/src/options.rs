//! How the server listens, and what it grants.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use url::Url;

/// The port that is listened on unless another is asked for.
pub const DEFAULT_PORT: u16 = 8787;
/// The least memory that a query is given.
const QUERY_MEMORY_MIN: usize = 256 << 20;

/// Gives a file of the page by its path, such as `index.html`.
pub type PageFiles = fn(&str) -> Option<Cow<'static, [u8]>>;

/// How the server listens.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The URL that clients use, where it is another one: behind a proxy, say.
    pub public_url: Option<Url>,
    /// Further names that requests may be addressed to.
    pub allow_hosts: Vec<String>,
    /// What requests may take.
    pub limits: Limits,
    /// Threads that work on queries; default one a core.
    pub threads: Option<usize>,
    /// The files of the page; without them it says how to build it.
    pub page: Option<PageFiles>,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), DEFAULT_PORT),
            public_url: None,
            allow_hosts: Vec::new(),
            limits: Limits::default(),
            threads: None,
            page: None,
        }
    }
}

impl ServerOptions {
    /// The URL that clients use of a server that listens at an address.
    pub fn url_at(&self, listen: SocketAddr) -> String {
        let ip = listen.ip();
        let host = match ip {
            _ if ip.is_unspecified() || ip.is_loopback() => "localhost".to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
            IpAddr::V4(ip) => ip.to_string(),
        };
        self.public_url.as_ref().map_or_else(|| format!("http://{host}:{}", listen.port()), Url::to_string)
    }

    /// Threads that work on queries.
    pub(crate) fn query_threads(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.unwrap_or_else(cores).max(1)
    }
}

/// What requests may take.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of a request's body, also after decompression.
    pub body_bytes: usize,
    /// Bytes of a request's line and headers.
    pub header_bytes: usize,
    /// How long a request's headers may take to come, and an idle connection is kept.
    pub header_time: Duration,
    /// How long a body may take to come, beyond the time that a slow line needs for its bytes.
    pub body_time: Duration,
    /// How long a request may take, its body and a streamed answer apart.
    pub request_time: Duration,
    /// Connections at a time; more wait to be accepted.
    pub connections: usize,
    /// Queries that run at a time.
    pub queries: usize,
    /// Queries that may wait; one more is answered 429.
    pub queued_queries: usize,
    /// How long a query may take, its answer included.
    pub query_time: Duration,
    /// Bytes that a query may hold in memory before it uses the disk; default the session's memory
    /// limit shared among the queries that may run at a time.
    pub query_memory: Option<usize>,
    /// Rows that a query may give.
    pub query_rows: u64,
    /// How long requests in flight may take to end when the server stops.
    pub drain_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            body_bytes: 64 << 20,
            header_bytes: 64 << 10,
            header_time: Duration::from_secs(75),
            body_time: Duration::from_secs(30),
            request_time: Duration::from_secs(120),
            connections: 1_024,
            queries: (2 * cores).max(4),
            queued_queries: 256,
            query_time: Duration::from_secs(60),
            query_memory: None,
            query_rows: 100_000_000,
            drain_time: Duration::from_secs(30),
        }
    }
}

impl Limits {
    /// Bytes that one query may hold, of what all may hold.
    pub(crate) fn query_memory_of(&self, all: usize) -> usize {
        self.query_memory.unwrap_or_else(|| (all / self.queries.max(1)).max(QUERY_MEMORY_MIN))
    }
}
