//! What the endpoints share: switches, counters, cache, rate limit, and the demo's own death.

use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::HeaderMap;
use tokio::sync::Notify;

use super::behaviour::Behaviour;
use super::cache::Cache;
use super::key::InternalKey;
use super::limit::RateLimit;
use super::request::Question;

/// The header whose key lifts the rate limit.
const KEY_HEADER: &str = "x-ash-internal-key";

/// How many requests the demo has seen, and what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestCounts {
    /// `POST /analyze`, whatever the outcome.
    pub analyze: u64,
    /// `POST /analyze/batch`, whatever the outcome.
    pub batch: u64,
    /// `GET /health`.
    pub health: u64,
    /// Messages that were analysed.
    pub messages: u64,
    /// Answers from the cache.
    pub cached: u64,
    /// Bodies that were refused (422, 413).
    pub refused: u64,
    /// Requests above the rate limit (429).
    pub limited: u64,
    /// Injected errors.
    pub failed: u64,
    /// Injected answers that say `safe` because nothing was analysed.
    pub failed_open: u64,
    /// Injected HTML pages.
    pub html: u64,
    /// Requests to other paths or with other methods (404, 405).
    pub elsewhere: u64,
}

/// The state behind the endpoints.
pub(super) struct Service {
    behaviour: Behaviour,
    keys: Vec<InternalKey>,
    started: Instant,
    memory: Mutex<Memory>,
    /// Told when the last request that may be answered has been.
    pub(super) death: Notify,
}

#[derive(Default)]
struct Memory {
    counts: RequestCounts,
    limit: RateLimit,
    cache: Cache,
    arrived: u64,
    answered: u64,
    analyses: u64,
}

impl Service {
    pub(super) fn new(behaviour: Behaviour, keys: Vec<InternalKey>) -> Self {
        Self { behaviour, keys, started: Instant::now(), memory: Mutex::default(), death: Notify::new() }
    }

    pub(super) fn behaviour(&self) -> &Behaviour {
        &self.behaviour
    }

    pub(super) fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    pub(super) fn counts(&self) -> RequestCounts {
        self.memory().counts
    }

    pub(super) fn count(&self, add: impl FnOnce(&mut RequestCounts)) {
        add(&mut self.memory().counts);
    }

    /// The number of a request that has just arrived, and the duty to answer it, unless the demo dies before.
    pub(super) fn arrive(&self) -> (u64, Option<Answering<'_>>) {
        let mut memory = self.memory();
        let number = memory.arrived;
        memory.arrived += 1;
        match self.behaviour.die_after {
            Some(last) if number >= last => {
                if memory.answered >= last {
                    self.death.notify_one();
                }
                (number, None)
            }
            Some(_) | None => (number, Some(Answering(self))),
        }
    }

    /// The number of the analysis that begins now.
    pub(super) fn next_analysis(&self) -> u64 {
        let mut memory = self.memory();
        let number = memory.analyses;
        memory.analyses += 1;
        number
    }

    /// Lets a client in, or says the limit and how long to wait.
    pub(super) fn admit(
        &self,
        client: IpAddr,
        headers: &HeaderMap,
        now: Instant,
    ) -> Result<(), (u32, Duration)> {
        let Some(limit) = self.behaviour.rate_limit else { return Ok(()) };
        let key = headers.get(KEY_HEADER).map(axum::http::HeaderValue::as_bytes);
        if key.is_some_and(|key| self.keys.iter().any(|known| known.is(key))) {
            return Ok(());
        }
        let mut memory = self.memory();
        memory.limit.admit(client, limit, now).map_err(|wait| {
            memory.counts.limited += 1;
            (limit, wait)
        })
    }

    /// The body given to the same question before, if it is fresh.
    pub(super) fn cached(&self, question: &Question, now: Instant) -> Option<Bytes> {
        self.behaviour.cache_seconds?;
        let mut memory = self.memory();
        let body = memory.cache.get(question, now)?;
        memory.counts.cached += 1;
        Some(body)
    }

    /// Keeps an answer, if answers are kept.
    pub(super) fn keep(&self, question: Question, body: Bytes, now: Instant) {
        if let Some(seconds) = self.behaviour.cache_seconds {
            self.memory().cache.put(question, body, now, Duration::from_secs(seconds));
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The duty to answer one request; dropped when the answer is ready, or the client gone.
pub(super) struct Answering<'a>(&'a Service);

impl Drop for Answering<'_> {
    fn drop(&mut self) {
        let mut memory = self.0.memory();
        memory.answered += 1;
        if self.0.behaviour.die_after.is_some_and(|last| memory.answered >= last) {
            self.0.death.notify_one();
        }
    }
}
