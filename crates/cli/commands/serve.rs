//! `evalhouse serve`: the store as a service.

use std::future::Future;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use evalhouse_live::{JournalOptions, Live, LiveOptions};
use evalhouse_server::{DEFAULT_PORT, Limits, LogFormat, LogLevel, Server, ServerOptions, start_logs};
use evalhouse_session::SessionOptions;
use evalhouse_store::Store;
use url::Url;

use crate::arguments::{parse_duration, parse_size};
use crate::error::Exit;
use crate::printer::Printer;
use crate::settings::Settings;

const EXAMPLES: &str = "\
Examples:
  evalhouse serve
  evalhouse serve --listen 127.0.0.1:9000 --log-format json
  evalhouse keys create ci --role write
  evalhouse serve --listen 0.0.0.0:8787 --public-url https://evals.example.com

On this machine alone, no key is needed until one is made. Other machines need a key:
`evalhouse keys create NAME`. A request has to name the server by an address or name
that it knows: the address it listens on, localhost, --public-url, --allow-host.

Ctrl-C or SIGTERM stops it: requests in flight are finished first.";

/// Options of `serve`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ServeArguments {
    /// Where to listen: HOST:PORT, or a port of this machine alone
    #[arg(long, value_name = "ADDR", value_parser = parse_address, default_value = "127.0.0.1:8787")]
    listen: SocketAddr,
    /// The URL that clients use, where it is another one
    #[arg(long, value_name = "URL", value_parser = parse_url)]
    public_url: Option<Url>,
    /// A further name that requests may be addressed to; repeat for several
    #[arg(long, value_name = "NAME")]
    allow_host: Vec<String>,
    /// Folder on this machine's disk for rows on their way into the store
    /// [default: `journal` in the store, and for a store in a bucket a folder below ./.evalhouse-journals]
    #[arg(long, value_name = "DIR", verbatim_doc_comment)]
    journal: Option<PathBuf>,
    /// Bytes that the journal may hold; writers are told to wait when it is full
    #[arg(long, value_name = "SIZE", value_parser = parse_size, default_value = "1G")]
    journal_limit: usize,
    #[command(flatten)]
    limits: LimitArguments,
    /// How the log is written, on standard error
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = log_format_parser())]
    log_format: LogFormat,
    /// How much is logged
    #[arg(long, value_name = "LEVEL", default_value = "warn")]
    log_level: LogLevelName,
}

/// What requests may take.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
struct LimitArguments {
    /// Size of a request's body, also after decompression
    #[arg(long, value_name = "SIZE", value_parser = parse_size, default_value = "64M")]
    body_limit: usize,
    /// Connections at a time
    #[arg(long, value_name = "N", value_parser = parse_count, default_value = "1024")]
    connections: usize,
    /// Queries that run at a time [default: two a core, at least 4]
    #[arg(long, value_name = "N", value_parser = parse_count)]
    queries: Option<usize>,
    /// Queries that may wait; one more is told to come back
    #[arg(long, value_name = "N", default_value = "256")]
    queued_queries: usize,
    /// How long a query may take
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "60s")]
    query_time: Duration,
    /// Memory of one query before it uses the disk [default: --memory-limit, shared among --queries]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    query_memory: Option<usize>,
    /// Rows that a query may give
    #[arg(long, value_name = "N", default_value = "100000000")]
    query_rows: u64,
    /// How long requests in flight may take to end when the server stops
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "30s")]
    drain_time: Duration,
}

impl From<LimitArguments> for Limits {
    fn from(given: LimitArguments) -> Self {
        let usual = Self::default();
        Self {
            body_bytes: given.body_limit,
            connections: given.connections,
            queries: given.queries.unwrap_or(usual.queries),
            queued_queries: given.queued_queries,
            query_time: given.query_time,
            query_memory: given.query_memory,
            query_rows: given.query_rows,
            drain_time: given.drain_time,
            // A request has the time of its query, and some to wait for it.
            request_time: usual.request_time + given.query_time,
            ..usual
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LogLevelName {
    /// Nothing
    Off,
    /// What is the server's fault
    Error,
    /// And what was refused
    Warn,
    /// And every request
    Info,
    /// And more
    Debug,
}

impl From<LogLevelName> for LogLevel {
    fn from(name: LogLevelName) -> Self {
        match name {
            LogLevelName::Off => Self::Off,
            LogLevelName::Error => Self::Error,
            LogLevelName::Warn => Self::Warn,
            LogLevelName::Info => Self::Info,
            LogLevelName::Debug => Self::Debug,
        }
    }
}

pub(crate) async fn run(arguments: ServeArguments, settings: &Settings, printer: &Printer) -> anyhow::Result<Exit> {
    let level = if settings.quiet { LogLevel::Error } else { arguments.log_level.into() };
    start_logs(arguments.log_format, level, anstream::stderr);
    let store = Store::create(&settings.store).await?;
    let session =
        SessionOptions { memory_limit: settings.memory_limit, threads: settings.threads, ..SessionOptions::default() };
    let options = ServerOptions {
        listen: arguments.listen,
        public_url: arguments.public_url,
        allow_hosts: arguments.allow_host,
        limits: arguments.limits.into(),
        threads: settings.threads,
        page: Some(evalhouse_page::file),
    };
    let journal = JournalOptions { bytes_max: arguments.journal_limit as u64, ..JournalOptions::default() };
    let stop = stop_signal()?;
    let folder = arguments.journal.unwrap_or_else(|| journal_of(&settings.store));
    let live = Live::open(store, &folder, LiveOptions { journal, ..LiveOptions::default() }).await?;
    let server = Server::bind(live, session, &options).await?;
    let url = server.app().public_url().to_string();
    printer.note(&format!("evalhouse serves {} at {url}", settings.store));
    // The key is known to whoever made it; where none is needed, the SDK still wants one.
    let key = if server.needs_key().await? { "YOUR_KEY" } else { "local" };
    printer.text(&format!("export BRAINTRUST_APP_URL={url}\nexport BRAINTRUST_API_KEY={key}"))?;
    server.run(stop).await?;
    printer.note("stopped");
    Ok(Exit::Done)
}

/// Where the journal of a store is when nobody says.
fn journal_of(store: &str) -> PathBuf {
    let folder = match store.strip_prefix("file://") {
        Some(path) => Some(path),
        None => Some(store).filter(|store| !store.contains("://")),
    };
    match folder {
        Some(folder) => Path::new(folder).join("journal"),
        None => {
            let name: String = store.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
            Path::new(".evalhouse-journals").join(name)
        }
    }
}

/// Ends at the first Ctrl-C or SIGTERM; the next one ends the program at once.
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    Ok(async move {
        #[cfg(unix)]
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
        tokio::spawn(async {
            if tokio::signal::ctrl_c().await.is_ok() {
                std::process::exit(i32::from(Exit::Interrupted.code()));
            }
        });
    })
}

fn log_format_parser() -> impl TypedValueParser<Value = LogFormat> {
    PossibleValuesParser::new(["text", "json"]).map(|name| match name.as_str() {
        "json" => LogFormat::Json,
        _ => LogFormat::Text,
    })
}

/// Reads `127.0.0.1:8787`, `localhost:8787`, `8787`, `0.0.0.0`.
fn parse_address(text: &str) -> Result<SocketAddr, String> {
    if let Ok(port) = text.trim_start_matches(':').parse::<u16>() {
        return Ok(SocketAddr::from(([127, 0, 0, 1], port)));
    }
    if let Ok(ip) = text.parse() {
        return Ok(SocketAddr::new(ip, DEFAULT_PORT));
    }
    let found =
        text.to_socket_addrs().map_err(|error| format!("expected HOST:PORT, such as 127.0.0.1:8787 ({error})"))?;
    found.into_iter().next().ok_or_else(|| "the host has no address".to_string())
}

fn parse_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("{error}; expected https://HOST"))?;
    match (url.scheme(), url.path(), url.query()) {
        ("http" | "https", "/", None) if url.host_str().is_some() => Ok(url),
        _ => Err("expected http:// or https:// with a host and no path".to_string()),
    }
}

fn parse_count(text: &str) -> Result<usize, String> {
    let count = text.parse::<usize>().ok().filter(|count| *count > 0);
    count.ok_or_else(|| "expected a number above 0".to_string())
}
