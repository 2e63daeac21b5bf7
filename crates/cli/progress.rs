//! How an import proceeds: a bar on a terminal, a line now and then elsewhere.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use evalhouse_import::{NoProgress, Progress};
use evalhouse_report::number;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::printer::Printer;

/// How often a line is printed where there is no terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(3);
/// How often the text beside the bar changes.
const BAR_INTERVAL: Duration = Duration::from_millis(100);

/// A running display of an import.
pub(crate) enum Display {
    /// Nobody watches.
    Silent,
    /// A bar on a terminal.
    Bar(Arc<Bar>),
    /// Lines in a log.
    Lines(Arc<Lines>),
}

/// Starts the display that fits where notes go.
pub(crate) fn start(printer: &Printer) -> Display {
    if printer.is_quiet() {
        Display::Silent
    } else if std::io::stderr().is_terminal() {
        Display::Bar(Arc::new(Bar::new()))
    } else {
        Display::Lines(Arc::new(Lines { printer: *printer, tally: Tally::new(LINE_INTERVAL) }))
    }
}

impl Display {
    /// What the import reports to.
    pub(crate) fn watcher(&self) -> Arc<dyn Progress> {
        match self {
            Self::Silent => Arc::new(NoProgress),
            Self::Bar(bar) => bar.clone(),
            Self::Lines(lines) => lines.clone(),
        }
    }
}

impl Drop for Display {
    /// Takes the bar away, also when the import is cancelled; what was done is for the report to say.
    fn drop(&mut self) {
        if let Self::Bar(bar) = self {
            bar.bar.finish_and_clear();
        }
    }
}

/// What has been done so far.
struct Tally {
    files_planned: AtomicU64,
    files: AtomicU64,
    bytes_planned: AtomicU64,
    bytes: AtomicU64,
    rows: AtomicU64,
    begin: Instant,
    interval: Duration,
    shown: Mutex<Instant>,
}

impl Tally {
    fn new(interval: Duration) -> Self {
        let begin = Instant::now();
        let zero = AtomicU64::default;
        Self {
            files_planned: zero(),
            files: zero(),
            bytes_planned: zero(),
            bytes: zero(),
            rows: zero(),
            begin,
            interval,
            shown: Mutex::new(begin),
        }
    }

    fn plan(&self, files: usize, bytes: u64) {
        self.files_planned.store(files as u64, Ordering::Relaxed);
        self.bytes_planned.store(bytes, Ordering::Relaxed);
    }

    /// Whether it is time to show the numbers again.
    fn is_due(&self) -> bool {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = shown.elapsed() >= self.interval;
        if is_due {
            *shown = Instant::now();
        }
        is_due
    }

    /// `12 of 44 files, 57,398 rows`.
    fn counts(&self) -> String {
        let count = |value: &AtomicU64| number::count(value.load(Ordering::Relaxed) as i64);
        let (files, planned) = (count(&self.files), count(&self.files_planned));
        format!("{files} of {planned} files, {} rows", count(&self.rows))
    }

    /// `45.2 MB/s, 8.00 s left`.
    fn speed(&self) -> String {
        let seconds = self.begin.elapsed().as_secs_f64();
        let bytes = self.bytes.load(Ordering::Relaxed) as f64;
        let left = self.bytes_planned.load(Ordering::Relaxed) as f64 - bytes;
        let rate = bytes / seconds.max(0.001);
        if bytes == 0.0 || left <= 0.0 {
            return format!("{}/s", number::bytes(rate));
        }
        format!("{}/s, {} left", number::bytes(rate), number::duration(Some(left / rate)))
    }
}

/// A bar on a terminal.
pub(crate) struct Bar {
    bar: ProgressBar,
    tally: Tally,
}

impl Bar {
    fn new() -> Self {
        // Nothing is drawn before it is known what there is to do.
        let bar = ProgressBar::hidden();
        let template = "{spinner} [{bar:24}] {percent:>3}%  {msg}  {decimal_bytes_per_sec}  {eta} left";
        // The template is constant; were it wrong, the default style would do.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("━━ "));
        }
        Self { bar, tally: Tally::new(BAR_INTERVAL) }
    }

    fn refresh(&self) {
        if self.tally.is_due() {
            self.bar.set_message(self.tally.counts());
        }
    }
}

impl Progress for Bar {
    fn planned(&self, files: usize, bytes: u64) {
        self.tally.plan(files, bytes);
        self.bar.set_length(bytes);
        self.bar.set_message(self.tally.counts());
        self.bar.set_draw_target(ProgressDrawTarget::stderr());
        self.bar.enable_steady_tick(BAR_INTERVAL);
    }

    fn bytes_read(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    fn rows_read(&self, rows: u64) {
        self.tally.rows.fetch_add(rows, Ordering::Relaxed);
        self.refresh();
    }

    fn file_finished(&self, _path: &str) {
        self.tally.files.fetch_add(1, Ordering::Relaxed);
        self.refresh();
    }

    fn committing(&self, experiments: usize) {
        let what = number::counted(experiments as i64, "experiment");
        self.bar.set_message(format!("{}, committing {what}", self.tally.counts()));
    }
}

/// Lines in a log.
pub(crate) struct Lines {
    printer: Printer,
    tally: Tally,
}

impl Lines {
    fn refresh(&self) {
        if self.tally.is_due() {
            self.printer.note(&format!("importing: {}, {}", self.tally.counts(), self.tally.speed()));
        }
    }
}

impl Progress for Lines {
    fn planned(&self, files: usize, bytes: u64) {
        self.tally.plan(files, bytes);
        let files = number::counted(files as i64, "file");
        self.printer.note(&format!("importing {files}, {}", number::bytes(bytes as f64)));
    }

    fn bytes_read(&self, bytes: u64) {
        self.tally.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.refresh();
    }

    fn rows_read(&self, rows: u64) {
        self.tally.rows.fetch_add(rows, Ordering::Relaxed);
    }

    fn file_finished(&self, _path: &str) {
        self.tally.files.fetch_add(1, Ordering::Relaxed);
        self.refresh();
    }
}
