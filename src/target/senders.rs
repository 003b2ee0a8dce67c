//! The clients of the HTTP library that a load sends by.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::Client;
use tokio::time::Instant;

use super::client::{Bounds, Failure, exchange};
use super::outgoing::Outgoing;
use super::poll::Turnstile;
use super::reading::RawAnswer;

/// As many as there are connections, where it is HTTP/2 and each has one. Lanes take them in turn.
#[derive(Debug, Default)]
pub(super) struct Senders {
    all: Vec<Sender>,
    next: AtomicUsize,
}

impl Senders {
    pub(super) fn new(clients: Vec<Client>) -> Self {
        let sender = |client| Sender { client, ..Sender::default() };
        Self { all: clients.into_iter().map(sender).collect(), next: AtomicUsize::new(0) }
    }

    /// That of the lane which keeps `place`, always the same one.
    pub(super) fn of(&self, place: &mut Option<usize>) -> &Sender {
        let place = *place.get_or_insert_with(|| self.next.fetch_add(1, Ordering::Relaxed));
        &self.all[place % self.all.len()]
    }
}

/// A client, and over how many connections it has heard from the server.
#[derive(Debug, Default)]
pub(super) struct Sender {
    client: Client,
    /// Connections that it has opened.
    opened: Arc<AtomicU64>,
    /// The last of them over which a request was answered or refused.
    heard: AtomicU64,
}

impl Sender {
    /// The client itself, for what follows a request.
    pub(super) const fn client(&self) -> &Client {
        &self.client
    }

    /// Where its connections are counted.
    pub(super) const fn opened(&self) -> &Arc<AtomicU64> {
        &self.opened
    }

    /// Sends the request that `outgoing` makes, and reads the whole answer. What is sent again waits until `turns` says so,
    /// which is added to `held`.
    pub(super) async fn send(
        &self,
        outgoing: impl Fn() -> Result<Outgoing, Failure>,
        bounds: Bounds,
        turns: &dyn Turnstile,
        held: &mut Duration,
    ) -> Result<RawAnswer, Failure> {
        let (begun, heard) = (Instant::now(), self.heard.load(Ordering::Relaxed));
        let before = self.opened.load(Ordering::Relaxed);
        let sent = exchange(&self.client, outgoing()?, bounds).await;
        let is_refused = sent.as_ref().is_err_and(Failure::is_refused_unread);
        if sent.is_ok() || is_refused {
            // It may have gone over a newer one, but no older.
            self.heard.fetch_max(before, Ordering::Relaxed);
        }
        if !is_refused || heard >= self.opened.load(Ordering::Relaxed) {
            return sent;
        }
        // It went before the server had said anything over this connection, so neither how many requests it takes at once: our
        // haste, and read by nobody. By now the library knows, and lets it wait here.
        let left = bounds.total.saturating_sub(begun.elapsed());
        let asked = Instant::now();
        turns.turn().await;
        *held += asked.elapsed();
        exchange(&self.client, outgoing()?, Bounds { total: left, ..bounds }).await
    }
}
