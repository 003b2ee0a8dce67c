//! Asking a target about phrases: attempts, retries and what came of them.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use chrono::Utc;
use rand::RngExt;
use reqwest::Client;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value as Json;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::client::{Bounds, ConnectionError, Failure, Outgoing, exchange};
use super::contract::{Batch, Contract, HeaderSource};
use super::expression::Scope;
use super::http_time::retry_after;
use super::pace::Pacer;
use super::reading::{RawAnswer, Reading};
use super::template::{Filling, Piece, fill_text};
use crate::domain::{
    Answer, Attempt, Level, LevelSet, NoAnswer, NoAnswerReason, Observation, Phase, Phrase, PhraseSource,
    RunEvent, Tolerance,
};

/// The first wait before another attempt; it doubles from there.
const BACKOFF: Duration = Duration::from_millis(200);
/// The longest wait before another attempt.
const LONGEST_BACKOFF: Duration = Duration::from_secs(5);

/// How a target is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct AskOptions {
    /// Requests in flight at once, at most; the contract's limit holds as well.
    pub concurrency: usize,
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
#[derive(Debug)]
pub struct Target {
    contract: Contract,
    client: Client,
    headers: Vec<(HeaderName, HeaderFill)>,
    run_header: HeaderValue,
    pacer: Pacer,
    options: AskOptions,
    nonce: AtomicU64,
    seen: Mutex<HashSet<String>>,
}

#[derive(Debug)]
enum HeaderFill {
    Fixed(HeaderValue),
    Pieces(Vec<Piece>),
}

/// What one attempt at one or more phrases led to.
struct Attempted {
    attempt: Attempt,
    /// One reading a phrase.
    readings: Vec<Reading>,
    /// What the answer asked us to wait.
    retry_after: Option<Duration>,
    retry: Retry,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Retry {
    /// The answer stands.
    Never,
    /// Nothing was processed, so another attempt is safe.
    Safe,
    /// The target asked for patience.
    TooMany,
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
        let client = contract.connection.client(&contract.name, &contract.base_url, concurrency)?;
        let headers = header_fills(&contract, environment)?;
        Ok(Self {
            client,
            headers,
            run_header: HeaderValue::from_str(&options.run)
                .unwrap_or_else(|_| HeaderValue::from_static("unnamed")),
            pacer: Pacer::new(concurrency, rate),
            nonce: AtomicU64::new(0),
            seen: Mutex::new(HashSet::new()),
            contract,
            options,
        })
    }

    /// The contract.
    pub const fn contract(&self) -> &Contract {
        &self.contract
    }

    pub(super) const fn client(&self) -> &Client {
        &self.client
    }

    /// The headers of a request; every one says that it is a test.
    pub(super) fn headers(&self, id: &str, nonce: &str) -> HeaderMap {
        let filling = Filling { id, nonce, run: &self.options.run, ..Filling::default() };
        let mut headers = HeaderMap::with_capacity(self.headers.len() + 2);
        headers.insert(HeaderName::from_static("x-thrash-run"), self.run_header.clone());
        for (name, fill) in &self.headers {
            let value = match fill {
                HeaderFill::Fixed(value) => Some(value.clone()),
                HeaderFill::Pieces(pieces) => HeaderValue::from_str(&fill_text(pieces, &filling)).ok(),
            };
            if let Some(value) = value {
                headers.insert(name.clone(), value);
            }
        }
        headers
    }

    fn bounds(&self) -> Bounds {
        let connection = &self.contract.connection;
        let total = connection.timeout.map_or(self.options.timeout, |wait| wait.0);
        let headers = connection.headers_timeout.map_or(total, |wait| wait.0);
        Bounds { headers, total, max_body: connection.max_body }
    }

    /// Asks about phrases that go into one request, and keeps at it as long as that is safe and useful.
    ///
    /// Gives one observation a phrase, or nothing when `stop` came before the first attempt.
    pub async fn ask(
        &self,
        phrases: &[&Phrase],
        repeat: u32,
        run_start: Instant,
        stop: &CancellationToken,
        tell: &(dyn Fn(RunEvent) + Sync),
    ) -> Option<Vec<Observation>> {
        let mut attempts: Vec<Attempt> = Vec::new();
        let mut readings: Vec<Reading> = Vec::new();
        let mut started = None;
        let mut retries = 0;
        loop {
            let slot = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                slot = self.pacer.slot() => slot,
            };
            let sent = slot.since();
            started.get_or_insert(sent);
            let done = self.attempt(phrases, run_start).await;
            drop(slot);
            readings = done.readings;
            attempts.push(done.attempt);
            let backoff = backoff(retries.min(8));
            match done.retry {
                Retry::Never => {
                    self.pacer.went_well();
                    break;
                }
                Retry::Safe if retries < self.options.retries => {
                    retries += 1;
                    tokio::select! {
                        () = stop.cancelled() => break,
                        () = sleep(done.retry_after.unwrap_or(backoff).min(LONGEST_BACKOFF)) => {}
                    }
                }
                Retry::Safe => break,
                Retry::TooMany => {
                    let wait = done.retry_after.unwrap_or(backoff).max(Duration::from_millis(50));
                    let slowed = self.pacer.too_many(sent, wait);
                    if slowed.news {
                        tell(RunEvent::Slowed { wait, concurrency: slowed.slots });
                    }
                    if self.pacer.without_progress() + wait > self.options.patience {
                        break;
                    }
                }
            }
        }
        let started = started?;
        let latency_ms = attempts.last().map_or(0.0, |last| last.started_ms + last.latency_ms)
            - attempts.first().map_or(0.0, |first| first.started_ms);
        let observe = |reading: Reading| {
            let cached = reading.cached || self.seen_before(reading.answer_id.as_ref());
            Observation {
                repeat,
                started_ms: millis(started.saturating_duration_since(run_start)),
                latency_ms,
                attempts: attempts.clone(),
                answer: reading.answer,
                violations: reading.violations,
                cached,
            }
        };
        Some(readings.into_iter().map(observe).collect())
    }

    /// Sends one phrase once and shows how the answer was read; nothing is retried.
    pub async fn try_phrase(&self, phrase: &Phrase) -> (Attempt, Reading) {
        let mut done = self.attempt(&[phrase], Instant::now()).await;
        (done.attempt, done.readings.remove(0))
    }

    /// Whether the target was seen to answer from a cache: the same harmless phrase is sent twice. None when it did
    /// not answer both times.
    pub async fn caches(&self) -> Option<bool> {
        let phrase = harmless_phrase();
        let (_, first) = self.try_phrase(&phrase).await;
        let (_, second) = self.try_phrase(&phrase).await;
        first.answer.prediction()?;
        second.answer.prediction()?;
        let same_id = first.answer_id.is_some() && first.answer_id == second.answer_id;
        Some(second.cached || same_id)
    }

    fn seen_before(&self, answer_id: Option<&String>) -> bool {
        let Some(id) = answer_id else { return false };
        !self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(id.clone())
    }

    async fn attempt(&self, phrases: &[&Phrase], run_start: Instant) -> Attempted {
        let start = Instant::now();
        let bounds = self.bounds();
        let mut accepted_ms = None;
        let mut exchanged = match self.outgoing(phrases) {
            Ok(outgoing) => exchange(&self.client, outgoing, bounds).await,
            Err(detail) => Err(Failure::new(NoAnswerReason::Malformed, detail, Phase::Headers)),
        };
        if let (Some(poll), Ok(raw)) = (&self.contract.poll, &exchanged)
            && poll.accept.contains(&raw.status)
        {
            accepted_ms = Some(millis(start.elapsed()));
            exchanged = self.decision(poll, raw, bounds).await;
        }
        let latency_ms = millis(start.elapsed());
        let attempt = |status, failure, phase| Attempt {
            started_ms: millis(start.saturating_duration_since(run_start)),
            latency_ms,
            accepted_ms,
            status,
            failure,
            phase,
        };
        match exchanged {
            Ok(raw) => {
                let readings = self.read(phrases, &raw);
                let failure = readings.iter().find_map(|reading| match &reading.answer {
                    Answer::NoAnswer(none) => Some(none.reason),
                    Answer::Prediction(_) => None,
                });
                let retry = match raw.status {
                    429 => Retry::TooMany,
                    502..=504 => Retry::Safe,
                    _ => Retry::Never,
                };
                let retry_after = retry_after(&raw.headers, SystemTime::now());
                Attempted { attempt: attempt(Some(raw.status), failure, None), readings, retry_after, retry }
            }
            Err(failure) => {
                // Only a connection that never came about leaves nothing behind at the target.
                let unsent = failure.phase == Phase::Connect && failure.none.reason != NoAnswerReason::Tls;
                let retry = if unsent { Retry::Safe } else { Retry::Never };
                let attempt = attempt(None, Some(failure.none.reason), Some(failure.phase));
                let readings = phrases.iter().map(|_| Reading::none(failure.none.clone())).collect();
                Attempted { attempt, readings, retry_after: None, retry }
            }
        }
    }

    fn outgoing(&self, phrases: &[&Phrase]) -> Result<Outgoing, String> {
        let count = self.nonce.fetch_add(1, Ordering::Relaxed);
        let nonce = format!("{}-{count}", self.options.run);
        let timestamp = Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        let common =
            Filling { nonce: &nonce, run: &self.options.run, timestamp: &timestamp, ..Filling::default() };
        let request = &self.contract.request;
        let (path, body, id) = match (&self.contract.batch, phrases) {
            (_, [phrase]) => (&request.path, request.body.fill(&common.with(phrase)), phrase.id.as_str()),
            (Some(batch), _) => {
                let items: Vec<Json> =
                    phrases.iter().map(|phrase| batch.item.fill(&common.with(phrase))).collect();
                (&batch.path, batch.body.fill(&Filling { items: &items, ..common.clone() }), "batch")
            }
            (None, _) => return Err("the contract has no batch endpoint".to_owned()),
        };
        let mut headers = self.headers(id, &nonce);
        headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
        let body = serde_json::to_vec(&body).map_err(|error| error.to_string())?;
        Ok(Outgoing {
            method: request.method.clone(),
            url: self.contract.url(path)?,
            headers,
            body: Some(body),
        })
    }

    fn read(&self, phrases: &[&Phrase], raw: &RawAnswer) -> Vec<Reading> {
        match (&self.contract.batch, phrases) {
            (Some(batch), [_, _, ..]) => match self.read_batch(batch, phrases, raw) {
                Ok(readings) => readings,
                Err(none) => phrases.iter().map(|_| Reading::none(none.clone())).collect(),
            },
            _ => vec![Reading::of(&self.contract.response, raw)],
        }
    }

    /// Takes a batch answer apart. An answer that cannot be matched with its phrase is no answer: a service that drops
    /// a message shifts all that follow.
    fn read_batch(
        &self,
        batch: &Batch,
        phrases: &[&Phrase],
        raw: &RawAnswer,
    ) -> Result<Vec<Reading>, NoAnswer> {
        let malformed = |detail: String| NoAnswer { reason: NoAnswerReason::Malformed, detail };
        let map = &self.contract.response;
        if !map.statuses.contains(&raw.status) {
            return Err(raw.refusal());
        }
        let scope = |body| Scope::new(raw.status, &raw.headers, body);
        let answers = match batch.answers.find(&scope(raw.json(map.any_content_type)?)).map_err(malformed)? {
            Some(Json::Array(answers)) => answers,
            _ => return Err(malformed(format!("the batch answer has no list `{}`", batch.answers.source()))),
        };
        let read = |answer: Json| Reading::of_json(map, raw.status, &raw.headers, answer);
        let Some(answer_id) = &batch.answer_id else {
            if answers.len() != phrases.len() {
                let detail =
                    format!("{} phrases were sent and {} answers came back", phrases.len(), answers.len());
                return Err(malformed(detail));
            }
            return Ok(answers.into_iter().map(read).collect());
        };
        let mut by_id: Vec<(Option<Json>, Json)> = Vec::with_capacity(answers.len());
        for answer in answers {
            by_id.push((answer_id.find(&scope(answer.clone())).map_err(malformed)?, answer));
        }
        let mut find = |phrase: &Phrase| {
            let place = by_id
                .iter()
                .position(|(id, _)| id.as_ref().and_then(Json::as_str) == Some(phrase.id.as_str()))?;
            Some(by_id.swap_remove(place).1)
        };
        Ok(phrases
            .iter()
            .map(|phrase| match find(phrase) {
                Some(answer) => read(answer),
                None => Reading::none(malformed("the batch answer leaves this phrase out".to_owned())),
            })
            .collect())
    }
}

impl<'a> Filling<'a> {
    fn with(&self, phrase: &'a Phrase) -> Self {
        Self { text: &phrase.text, history: &phrase.history, id: &phrase.id, ..self.clone() }
    }
}

fn header_fills(
    contract: &Contract,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<(HeaderName, HeaderFill)>, ConnectionError> {
    let mut fills = Vec::new();
    for (name, source) in &contract.request.headers {
        let fill = match source {
            HeaderSource::Text(pieces) => HeaderFill::Pieces(pieces.clone()),
            HeaderSource::Env { variable, optional } => match environment(variable) {
                None if *optional => continue,
                None => {
                    return Err(ConnectionError::MissingVariable {
                        target: contract.name.clone(),
                        variable: variable.clone(),
                        header: name.to_string(),
                    });
                }
                Some(value) => {
                    let mut value =
                        HeaderValue::from_str(&value).map_err(|_| ConnectionError::BadVariable {
                            target: contract.name.clone(),
                            variable: variable.clone(),
                        })?;
                    value.set_sensitive(true);
                    HeaderFill::Fixed(value)
                }
            },
        };
        fills.push((name.clone(), fill));
    }
    Ok(fills)
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
        language: None,
        note: None,
        source: PhraseSource::default(),
    }
}

/// Exponential, with half of it random, so that many clients do not come back at once.
fn backoff(retry: u32) -> Duration {
    let full = (BACKOFF * 2u32.pow(retry)).min(LONGEST_BACKOFF);
    full.mul_f64(rand::rng().random_range(0.5..=1.0))
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
