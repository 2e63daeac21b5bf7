//! Ctrl-C: the running work is dropped, which cancels it.

use std::future::Future;

use anyhow::Context;

/// The user pressed Ctrl-C.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub(crate) struct Interrupted;

/// Waits for `work`, or for Ctrl-C, and then drops it.
pub(crate) async fn interruptible<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::select! {
        result = work => result,
        signal = tokio::signal::ctrl_c() => {
            signal.context("cannot listen for Ctrl-C")?;
            Err(Interrupted.into())
        }
    }
}

/// Whether this error is Ctrl-C.
pub(crate) fn is_interruption(error: &anyhow::Error) -> bool {
    error.is::<Interrupted>()
}
