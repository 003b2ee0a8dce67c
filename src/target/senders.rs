//! The clients of the HTTP library that a load sends by.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use reqwest::Client;

use super::client::{Bounds, Failure, exchange};
use super::outgoing::Outgoing;
use super::reading::RawAnswer;

/// As many as there are connections, where it is HTTP/2 and each has one. Lanes take them in turn.
#[derive(Debug, Default)]
pub(super) struct Senders {
    all: Vec<Sender>,
    next: AtomicUsize,
}

impl Senders {
    pub(super) fn new(clients: Vec<Client>) -> Self {
        let sender = |client| Sender { client, was_answered: AtomicBool::new(false) };
        Self { all: clients.into_iter().map(sender).collect(), next: AtomicUsize::new(0) }
    }

    /// That of the lane which keeps `place`, always the same one.
    pub(super) fn of(&self, place: &mut Option<usize>) -> &Sender {
        let place = *place.get_or_insert_with(|| self.next.fetch_add(1, Ordering::Relaxed));
        &self.all[place % self.all.len()]
    }
}

/// A client, and whether an answer has come by it.
#[derive(Debug)]
pub(super) struct Sender {
    client: Client,
    was_answered: AtomicBool,
}

impl Sender {
    /// The client itself, for what follows a request.
    pub(super) const fn client(&self) -> &Client {
        &self.client
    }

    /// Sends the request that `outgoing` makes, and reads the whole answer.
    pub(super) async fn send(
        &self,
        outgoing: impl Fn() -> Result<Outgoing, Failure>,
        bounds: Bounds,
    ) -> Result<RawAnswer, Failure> {
        let is_early = !self.was_answered.load(Ordering::Relaxed);
        let mut sent = exchange(&self.client, outgoing()?, bounds).await;
        if is_early && sent.as_ref().is_err_and(Failure::is_refused_unread) {
            // It went before the server had said how many it takes at once over this connection: that was our haste, and not
            // read by anybody. By now the library knows, and lets it wait here for its turn.
            sent = exchange(&self.client, outgoing()?, bounds).await;
        }
        if sent.is_ok() && is_early {
            self.was_answered.store(true, Ordering::Relaxed);
        }
        sent
    }
}
