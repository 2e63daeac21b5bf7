//! Ctrl-C: the running work is dropped, which cancels it.
//!
//! A thread of its own waits for the signal, because queries may keep all others busy.

use std::future::Future;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinError;

use crate::error::Exit;

/// The user pressed Ctrl-C.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub(crate) struct Interrupted;

/// How often Ctrl-C was pressed.
static PRESSED: LazyLock<watch::Receiver<u64>> = LazyLock::new(|| {
    let (sender, receiver) = watch::channel(0);
    std::thread::spawn(move || count_signals(&sender));
    receiver
});

/// Whether the program ends with the running work.
static IS_LAST: AtomicBool = AtomicBool::new(false);

/// How long an interrupted program may take to remove its temporary files.
pub(crate) const CLEAN_UP_TIME: Duration = Duration::from_secs(5);

/// Runs the program's only work to its end, or drops it on Ctrl-C.
///
/// Work that does not let go in time is ended with the program.
pub(crate) async fn interruptible<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let mut pressed = PRESSED.clone();
    IS_LAST.store(true, Ordering::Relaxed);
    tokio::select! {
        result = work => result,
        Ok(()) = pressed.changed() => Err(Interrupted.into()),
    }
}

/// Runs one of many works to its end, or until Ctrl-C; then it is told to stop and waited for, so
/// that it has let go of the terminal.
pub(crate) async fn interruptible_among_others<T: Send + 'static>(
    work: impl Future<Output = anyhow::Result<T>> + Send + 'static,
) -> anyhow::Result<T> {
    let mut pressed = PRESSED.clone();
    pressed.mark_unchanged();
    let mut task = tokio::spawn(work);
    tokio::select! {
        ended = &mut task => result(ended),
        Ok(()) = pressed.changed() => {
            task.abort();
            // Cancelled, or just finished: the user gave it up either way.
            let _ = task.await;
            Err(Interrupted.into())
        }
    }
}

/// Whether this error is Ctrl-C.
pub(crate) fn is_interruption(error: &anyhow::Error) -> bool {
    error.is::<Interrupted>()
}

fn result<T>(ended: Result<anyhow::Result<T>, JoinError>) -> anyhow::Result<T> {
    match ended {
        Ok(result) => result,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(error) => Err(error.into()),
    }
}

/// Counts signals for as long as the program runs. Without a way to hear them, they end it.
fn count_signals(sender: &watch::Sender<u64>) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else { return };
    runtime.block_on(async {
        while tokio::signal::ctrl_c().await.is_ok() {
            sender.send_modify(|count| *count += 1);
            if IS_LAST.load(Ordering::Relaxed) {
                std::thread::spawn(|| {
                    std::thread::sleep(CLEAN_UP_TIME);
                    std::process::exit(i32::from(Exit::Interrupted.code()));
                });
            }
        }
    });
}
