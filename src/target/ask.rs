//! Asking a target about phrases: attempts, retries and what came of them.

use std::collections::HashSet;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use reqwest::Client;
use reqwest::header::{HeaderName, HeaderValue};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::attempt::Next;
use super::client::{Bounds, ConnectionError};
use super::contract::Contract;
use super::outgoing::{HeaderFill, header_fills};
use super::pace::{LONGEST_BACKOFF, Pacer, Slowed, backoff};
use super::reading::Reading;
use crate::domain::{
    Annotations, Answer, Attempt, HttpVersion, Level, LevelSet, Observation, Phrase, PhraseSource, RunEvent,
    Tolerance,
};

/// How a target is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct AskOptions {
    /// Requests in flight at once, at most; the contract's limit holds as well.
    pub concurrency: usize,
    /// Connections that may wait for a further request; with none each is used for one request alone.
    pub connections: usize,
    /// Requests a second, at most; the contract's limit holds as well.
    pub rate: Option<f64>,
    /// Deadline of one attempt, where the contract names none.
    pub timeout: Duration,
    /// Further attempts after a failure that allows one; 429 is waited out and does not count.
    pub retries: u32,
    /// How long a target may answer nothing but 429 before phrases go unanswered.
    pub patience: Duration,
    /// The run's id, sent as `X-Thrash-Run`.
    pub run: String,
}

/// A contract with a connection.
pub struct Target {
    pub(super) contract: Contract,
    pub(super) client: Client,
    pub(super) headers: Vec<(HeaderName, HeaderFill)>,
    pub(super) run_header: HeaderValue,
    pub(super) pacer: Pacer,
    pub(super) options: AskOptions,
    pub(super) nonce: AtomicU64,
    seen: Seen,
    /// Whether a look at its health was answered over HTTP/2.
    pub(super) spoke_http2: AtomicBool,
}

impl fmt::Debug for Target {
    // The headers hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("contract", &self.contract)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Target {
    /// Connects a contract: builds the client and looks up the headers' secrets. Nothing is sent yet.
    ///
    /// # Errors
    /// A certificate, a proxy or a variable that cannot be used.
    pub fn connect(
        contract: Contract,
        options: AskOptions,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ConnectionError> {
        let concurrency =
            contract.limits.concurrency.map_or(options.concurrency, |most| most.min(options.concurrency));
        let rate = match (contract.limits.rate, options.rate) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let is_http2 = contract.connection.http == HttpVersion::Http2;
        let client =
            contract.connection.client(&contract.name, &contract.base_url, options.connections, is_http2)?;
        let headers = header_fills(&contract, environment)?;
        Ok(Self {
            client,
            headers,
            run_header: HeaderValue::from_str(&options.run)
                .unwrap_or_else(|_| HeaderValue::from_static("unnamed")),
            pacer: Pacer::new(concurrency, rate, options.patience),
            nonce: AtomicU64::new(0),
            seen: Seen::default(),
            spoke_http2: AtomicBool::new(false),
            contract,
            options,
        })
    }

    /// A client of the same kind with connections of its own, so many of which may idle. Once a look was answered over HTTP/2
    /// they are kept as those are.
    pub(super) fn another_client(&self, connections: usize) -> Result<Client, ConnectionError> {
        let contract = &self.contract;
        let is_http2 =
            contract.connection.http == HttpVersion::Http2 || self.spoke_http2.load(Ordering::Relaxed);
        contract.connection.client(&contract.name, &contract.base_url, connections, is_http2)
    }

    /// The contract.
    pub const fn contract(&self) -> &Contract {
        &self.contract
    }

    pub(super) fn bounds(&self) -> Bounds {
        let connection = &self.contract.connection;
        let total = connection.timeout.map_or(self.options.timeout, |wait| wait.0);
        let headers = connection.headers_timeout.map_or(total, |wait| wait.0);
        Bounds { headers, total, max_body: connection.max_body }
    }

    /// Asks about phrases that go into one request, and keeps at it as long as that is safe and useful.
    ///
    /// Gives one observation a phrase, in their order; times in it count from `run_start`. Gives nothing when `stop`
    /// came before the phrases had their last attempt: what was cut short is not an answer that failed. `tell` hears
    /// of every 429 that slows the run down.
    pub async fn ask(
        &self,
        phrases: &[&Phrase],
        repeat: u32,
        run_start: Instant,
        stop: &CancellationToken,
        tell: &(dyn Fn(RunEvent) + Sync),
    ) -> Option<Vec<Observation>> {
        let (attempts, readings) = self.readings(phrases, run_start, stop, tell).await?;
        Some(readings.into_iter().map(|reading| self.observation(repeat, &attempts, reading)).collect())
    }

    /// Every attempt, and what the last one brought.
    async fn readings(
        &self,
        phrases: &[&Phrase],
        run_start: Instant,
        stop: &CancellationToken,
        tell: &(dyn Fn(RunEvent) + Sync),
    ) -> Option<(Vec<Attempt>, Vec<Reading>)> {
        let mut attempts: Vec<Attempt> = Vec::new();
        let mut retries = 0;
        let mut lost = false;
        let readings = loop {
            let slot = tokio::select! {
                biased;
                () = stop.cancelled() => return None,
                slot = self.pacer.slot() => slot,
            };
            let sent = slot.since();
            let done = self.attempt(phrases, run_start).await;
            drop(slot);
            attempts.push(done.attempt);
            let again = match done.next {
                Next::TooMany => match self.pacer.too_many(sent, done.retry_after) {
                    Slowed::OutOfPatience => break done.readings,
                    Slowed::Waits { wait, slots, news } => {
                        if news {
                            tell(RunEvent::Slowed { wait, concurrency: slots });
                        }
                        continue;
                    }
                },
                Next::Stands => false,
                Next::Again => true,
                // Once is a connection that the target had just closed; twice is a target that fails.
                Next::AgainOnce => !std::mem::replace(&mut lost, true),
            };
            self.pacer.progressed(done.readings.iter().any(|reading| reading.answer.level().is_some()));
            if !again || retries == self.options.retries {
                break done.readings;
            }
            let wait = done.retry_after.unwrap_or(backoff(retries)).min(LONGEST_BACKOFF);
            retries += 1;
            tokio::select! {
                () = stop.cancelled() => return None,
                () = sleep(wait) => {}
            }
        };
        Some((attempts, readings))
    }

    fn observation(&self, repeat: u32, attempts: &[Attempt], reading: Reading) -> Observation {
        let cached = reading.cached | reading.answer_id.as_ref().is_some_and(|id| self.has_seen(id));
        let mut attempts = attempts.to_vec();
        if let Some(last) = attempts.last_mut() {
            // In a batch each phrase has a fate of its own.
            last.failure = match &reading.answer {
                Answer::Prediction(_) => None,
                Answer::NoAnswer(none) => Some(none.reason),
            };
        }
        let started_ms = attempts.first().map_or(0.0, |first| first.started_ms);
        let ended_ms = attempts.last().map_or(0.0, |last| last.started_ms + last.latency_ms);
        Observation {
            repeat,
            started_ms,
            latency_ms: ended_ms - started_ms,
            attempts,
            answer: reading.answer,
            violations: reading.violations,
            cached,
        }
    }

    /// Notes what should be different in every fresh answer, and tells whether it had been seen.
    pub(super) fn has_seen(&self, answer_id: &str) -> bool {
        self.seen.again(answer_id)
    }

    /// Sends one phrase once and shows how the answer was read; nothing is retried.
    pub async fn try_phrase(&self, phrase: &Phrase) -> (Attempt, Reading) {
        let _slot = self.pacer.slot().await;
        let mut done = self.attempt(&[phrase], Instant::now()).await;
        (done.attempt, done.readings.remove(0))
    }

    /// Whether the target was seen to answer from a cache: the same harmless phrase is sent twice, one after the other.
    /// None when it did not answer both times, when `stop` came first, or when its contract names no sign of a cache.
    ///
    /// It may go on beside a run: it waits its turn like every request, and compares its two answers with each other
    /// alone.
    pub async fn caches(&self, stop: &CancellationToken, tell: &(dyn Fn(RunEvent) + Sync)) -> Option<bool> {
        if !self.contract.sees_caches() {
            return None;
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => None,
            caches = self.repeats_itself(stop, tell) => caches,
        }
    }

    async fn repeats_itself(
        &self,
        stop: &CancellationToken,
        tell: &(dyn Fn(RunEvent) + Sync),
    ) -> Option<bool> {
        let phrase = harmless_phrase();
        let mut ids: Vec<Option<String>> = Vec::new();
        let mut cached = false;
        for _ in 0..2 {
            let (_, mut readings) = self.readings(&[&phrase], Instant::now(), stop, tell).await?;
            let reading = readings.pop()?;
            reading.answer.prediction()?;
            cached = reading.cached;
            ids.push(reading.answer_id);
        }
        Some(cached || (ids[0].is_some() && ids[0] == ids[1]))
    }
}

/// Answer ids that are kept.
const MOST_SEEN: usize = 1 << 18;

/// The answer ids that were seen, as hashes: a long run sees many, and only their being different matters.
#[derive(Debug, Default)]
struct Seen {
    hasher: RandomState,
    hashes: Mutex<HashSet<u64>>,
}

impl Seen {
    /// Notes an id, and tells whether it had been seen.
    fn again(&self, id: &str) -> bool {
        let hash = self.hasher.hash_one(id);
        // A panic elsewhere cannot leave the set half-written.
        let mut hashes = self.hashes.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // A load run may last for days: what comes after so many is only looked for among them.
        if hashes.len() < MOST_SEEN { !hashes.insert(hash) } else { hashes.contains(&hash) }
    }
}

/// A phrase that says nothing about anybody, for looking at a target.
pub fn harmless_phrase() -> Phrase {
    Phrase {
        id: "thrash-look".to_owned(),
        text: "Good morning! The bus is a little late today.".to_owned(),
        category: "look".to_owned(),
        capability: None,
        tags: Vec::new(),
        expected: LevelSet::only(Level::None),
        escalation: Tolerance::NONE,
        de_escalation: Tolerance::NONE,
        critical: false,
        must_pass: false,
        pair: None,
        seed_of: None,
        history: Vec::new(),
        split: None,
        language: None,
        annotations: Annotations::default(),
        note: None,
        source: PhraseSource::default(),
    }
}
