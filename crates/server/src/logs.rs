//! The log: one line a request, and what goes wrong. No row, query or key is ever in it.
//!
//! Only events of our own crates are written: those of the engine and of the clients of object stores
//! quote plans and paths.

use std::io::Write;
use std::panic::PanicHookInfo;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// What the names of our crates begin with.
const OURS: &str = "evalhouse";

/// How lines of the log are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Text for people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// How much is logged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// What is the server's fault.
    Error,
    /// And what was refused.
    Warn,
    /// And every request.
    #[default]
    Info,
    /// And more.
    Debug,
}

impl LogLevel {
    fn filter(self) -> LevelFilter {
        match self {
            Self::Off => LevelFilter::OFF,
            Self::Error => LevelFilter::ERROR,
            Self::Warn => LevelFilter::WARN,
            Self::Info => LevelFilter::INFO,
            Self::Debug => LevelFilter::DEBUG,
        }
    }
}

/// Starts the log of the program; only the first call has an effect. Text has colours: the writer takes
/// them out where they do not belong.
pub fn start_logs<W>(format: LogFormat, level: LogLevel, writer: W)
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
    for<'a> <W as MakeWriter<'a>>::Writer: Write,
{
    let ours = Targets::new().with_target(OURS, level.filter());
    let lines = tracing_subscriber::fmt::layer().with_target(false).with_writer(writer);
    let registry = tracing_subscriber::registry();
    let started = match format {
        LogFormat::Text => registry.with(lines.with_filter(ours)).try_init(),
        LogFormat::Json => {
            registry.with(lines.with_ansi(false).json().flatten_event(true).with_filter(ours)).try_init()
        }
    };
    if started.is_ok() {
        std::panic::set_hook(Box::new(log_panic));
    }
}

/// The message of a panic may quote what it was working on; its place does not.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(place, "panic");
}
