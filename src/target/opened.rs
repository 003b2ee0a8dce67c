//! Connections that the client library opens, counted for the requests that they are opened for.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

tokio::task_local! {
    /// Who sends at the moment.
    static SENDER: Opened;
}

/// Connections that were opened for somebody.
#[derive(Debug, Clone, Default)]
pub(super) struct Opened {
    lately: Arc<AtomicU64>,
    /// By the client that is used, ever.
    ever: Arc<AtomicU64>,
}

impl Opened {
    /// The same count for somebody who uses the client that counts its own here.
    pub(super) fn by(&self, ever: &Arc<AtomicU64>) -> Self {
        Self { lately: Arc::clone(&self.lately), ever: Arc::clone(ever) }
    }

    /// One more.
    pub(super) fn add(&self) {
        self.lately.fetch_add(1, Ordering::Relaxed);
        self.ever.fetch_add(1, Ordering::Relaxed);
    }

    /// How many since the last time.
    pub(super) fn take(&self) -> u64 {
        self.lately.swap(0, Ordering::Relaxed)
    }

    /// Counts those that are opened for this work.
    pub(super) fn during<F: Future>(&self, work: F) -> impl Future<Output = F::Output> {
        SENDER.scope(self.clone(), work)
    }
}

/// The opening of a connection, counted for whoever sends now, if it comes about.
pub(super) fn counted<F, C, E>(opening: F) -> impl Future<Output = Result<C, E>>
where
    F: Future<Output = Result<C, E>>,
{
    // Asked before the first wait: the library may end in a task of its own what another connection made needless.
    let sender = SENDER.try_with(Opened::clone).ok();
    async move {
        let connection = opening.await?;
        if let Some(sender) = sender {
            sender.add();
        }
        Ok(connection)
    }
}
