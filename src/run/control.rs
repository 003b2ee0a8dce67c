//! Stopping a run from outside.

use tokio_util::sync::CancellationToken;

/// Two ways to stop: softly, so that answers on their way still count, and at once.
#[derive(Debug, Clone, Default)]
pub struct RunControl {
    pub(super) drain: CancellationToken,
    pub(super) abort: CancellationToken,
}

impl RunControl {
    /// Sends nothing new and waits for what is on its way.
    pub fn drain(&self) {
        self.drain.cancel();
    }

    /// Stops now; what has been observed is kept.
    pub fn abort(&self) {
        self.drain.cancel();
        self.abort.cancel();
    }

    /// Waits until a stop is asked for.
    pub async fn stopping(&self) {
        self.drain.cancelled().await;
    }

    /// Waits until everything is to stop at once.
    pub async fn aborted(&self) {
        self.abort.cancelled().await;
    }

    /// Whether everything is to stop at once.
    pub fn is_aborted(&self) -> bool {
        self.abort.is_cancelled()
    }

    /// Whether a stop was asked for.
    pub fn is_stopping(&self) -> bool {
        self.drain.is_cancelled()
    }
}
