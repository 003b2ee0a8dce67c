//! A target under load: one attempt a request, no pause, no second try, nothing that waits for anything but the answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Client;
use reqwest::header::{HeaderName, HeaderValue};
use tokio::time::{Instant, timeout_at};

use super::ask::Target;
use super::checks::Checks;
use super::client::{Bounds, Failure};
use super::health::{DEADLINE, Health, HealthError};
use super::opened::Opened;
use super::outgoing::Outgoing;
use super::poll::Turnstile;
use super::reading::{RawAnswer, Reading};
use super::senders::{Sender, Senders};
use super::wire::{Received, Wire};
use crate::domain::{Answer, HttpVersion, Level, NoAnswerReason, Phase, Phrase};

/// A connection that has idled longer may be closed by the target in the moment when we write to it.
const LONGEST_IDLE: Duration = Duration::from_secs(1);
/// As long as the numbers of requests within a nonce: it is written into a request that is ready.
const COUNT_DIGITS: usize = 12;

/// How a target is loaded.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LoadOptions {
    /// Further headers of every request.
    pub headers: Vec<(String, String)>,
    /// Whether a connection is used for one request alone.
    pub close: bool,
    /// Deadline of a request; the target's if there is none.
    pub timeout: Option<Duration>,
    /// Rules over status, headers and body that every answer is held against; [`super::MOST_CHECKS`] at most.
    pub checks: Vec<String>,
    /// What every request carries instead of its phrase.
    pub body: Option<Vec<u8>>,
    /// Phrases of every request; from two on they go to the batch endpoint.
    pub batch: usize,
    /// Connections over which requests go where HTTP/2 is spoken, at most.
    pub connections: usize,
}

/// A target with the requests for every phrase, ready to be sent.
#[derive(Debug)]
pub struct LoadTarget {
    target: Target,
    phrases: Vec<Phrase>,
    close: bool,
    bounds: Bounds,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// Whether somebody looks at the headers of answers.
    wants_headers: bool,
    checks: Checks,
    /// The body of every request, where phrases have no part in it.
    body: Option<Vec<u8>>,
    path: Road,
    /// By whom the target's health is asked for: a look that waited for a connection of the load would say of the target
    /// what is ours.
    looker: Client,
}

/// How a request reaches the target.
#[derive(Debug)]
enum Road {
    /// By hand: plain HTTP/1.1 to one of these addresses. The requests for single phrases are ready; a batch is made when
    /// it is sent.
    Wire { addresses: Vec<SocketAddr>, requests: Vec<Ready> },
    /// By the client library: TLS, HTTP/2, a proxy, decisions that come later, or requests with the time in them.
    Clients(Senders),
}

/// A request as bytes, and where its count stands in them.
#[derive(Debug)]
struct Ready {
    bytes: Vec<u8>,
    counts: Vec<usize>,
}

/// What one request brought, besides the answers to its phrases.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Shot {
    /// The checks that the answer fails, a bit each; none where no answer came or nothing is checked.
    pub checks: Option<u64>,
    /// Until an asynchronous target had accepted the phrases.
    pub accepted: Option<Duration>,
    /// How long asking again for the decision waited for its turns.
    pub held: Duration,
    /// Connections that were opened since the last request of its lane.
    pub opened: u64,
    /// What went wrong on this machine: no port or no file was left.
    pub exhausted: bool,
}

/// What came back for one phrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShortAnswer {
    /// The level, or why there is none.
    pub level: Result<Level, NoAnswerReason>,
    /// Whether it breaks an invariant.
    pub violates: bool,
    /// Whether it says that it comes from a cache.
    pub cached: bool,
}

/// The place of one request at a time; it keeps its connection for the next one.
#[derive(Debug)]
pub struct Lane {
    wire: Option<(Wire, Instant)>,
    request: Vec<u8>,
    answers: Vec<ShortAnswer>,
    /// Who paces what follows the request; the target itself if nobody does.
    turns: Option<Arc<dyn Turnstile>>,
    opened: Opened,
    /// Its place among the lanes that send by clients.
    place: Option<usize>,
}

impl Lane {
    /// A lane without a connection. `turns` is who paces the requests, where somebody does: those by which an asynchronous
    /// target is asked for its decision wait for their turn, too.
    pub fn new(turns: Option<Arc<dyn Turnstile>>) -> Self {
        let (request, answers) = (Vec::new(), Vec::new());
        Self { wire: None, request, answers, turns, opened: Opened::default(), place: None }
    }

    /// What the last request brought, one answer for each of its phrases.
    pub fn answers(&self) -> &[ShortAnswer] {
        &self.answers
    }
}

impl LoadTarget {
    /// Makes the requests ready. The name of the target's host is looked up once.
    ///
    /// # Errors
    /// What cannot be sent, or a host that does not exist.
    pub async fn new(target: Target, phrases: Vec<Phrase>, options: &LoadOptions) -> Result<Self, String> {
        let mut bounds = target.bounds();
        if let Some(timeout) = options.timeout {
            bounds = Bounds { headers: timeout, total: timeout, ..bounds };
        }
        let header = |(name, value): &(String, String)| {
            let parsed = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value));
            let (Ok(name), Ok(value)) = parsed else { return Err(format!("`{name}` is no header")) };
            Ok((name, value))
        };
        let headers = options.headers.iter().map(header).collect::<Result<Vec<_>, _>>()?;
        let checks = Checks::compile(&options.checks)?;
        let wants_headers = target.contract.names_headers() || checks.name_headers();
        let looker = target.another_client(usize::from(!options.close)).map_err(|error| error.to_string())?;
        let mut loaded = Self {
            target,
            phrases,
            close: options.close,
            bounds,
            headers,
            wants_headers,
            checks,
            body: options.body.clone(),
            path: Road::Clients(Senders::default()),
            looker,
        };
        loaded.path = if loaded.is_plain() {
            let alone = if options.batch > 1 { 0 } else { loaded.phrases.len() };
            let requests = (0..alone).map(|phrase| loaded.ready(phrase)).collect::<Result<_, _>>()?;
            Road::Wire { addresses: loaded.addresses().await?, requests }
        } else {
            Road::Clients(loaded.senders(options.connections)?)
        };
        Ok(loaded)
    }

    /// As many clients as there are connections, where one client has one connection; else one has as many as are needed.
    fn senders(&self, connections: usize) -> Result<Senders, String> {
        if !self.may_speak_http2() || self.close {
            return Ok(Senders::new(vec![self.target.client.clone()]));
        }
        // Not the target's own: that one was made when nobody knew which HTTP the other side speaks.
        let another = |_| self.target.another_client(self.target.options.connections);
        let clients: Result<_, _> = (0..connections.max(1)).map(another).collect();
        clients.map(Senders::new).map_err(|error| error.to_string())
    }

    fn may_speak_http2(&self) -> bool {
        let contract = &self.target.contract;
        contract.connection.may_speak_http2(&contract.base_url)
    }

    /// Looks once whether the target is there and well, over a connection that no request of the load uses.
    ///
    /// # Errors
    /// The target cannot be tested now. It takes no longer than `deadline` to know.
    pub async fn look_for(&self, deadline: Duration) -> Result<Health, HealthError> {
        self.target.look_by(&self.looker, deadline).await
    }

    /// The same within the time that a look before a run has.
    ///
    /// # Errors
    /// As above.
    pub async fn look(&self) -> Result<Health, HealthError> {
        self.look_for(DEADLINE).await
    }

    /// The phrases, by the numbers they are sent by.
    pub fn phrases(&self) -> &[Phrase] {
        &self.phrases
    }

    /// Whether answers can be right or wrong: those to a fixed body are answers to nothing that was labelled.
    pub const fn is_judged(&self) -> bool {
        self.body.is_none()
    }

    /// The target.
    pub const fn target(&self) -> &Target {
        &self.target
    }

    /// Deadline of a request.
    pub const fn timeout(&self) -> Duration {
        self.bounds.total
    }

    fn is_plain(&self) -> bool {
        let contract = &self.target.contract;
        let request = &contract.request;
        contract.base_url.scheme() == "http"
            && contract.connection.proxy.is_none()
            && contract.connection.http != HttpVersion::Http2
            && contract.poll.is_none()
            && (self.body.is_some() || !request.body.has("timestamp"))
    }

    async fn addresses(&self) -> Result<Vec<SocketAddr>, String> {
        let url = &self.target.contract.base_url;
        let host =
            url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = url.port_or_known_default().unwrap_or(80);
        let found = tokio::net::lookup_host((host.as_str(), port)).await;
        let addresses: Vec<SocketAddr> = found.map(Iterator::collect).unwrap_or_default();
        if addresses.is_empty() { Err(format!("there is no host `{host}`")) } else { Ok(addresses) }
    }

    /// The request for these phrases, with the load run's own headers.
    fn outgoing(&self, phrases: &[usize], nonce: &str) -> Result<Outgoing, String> {
        let mut outgoing = match phrases {
            [phrase] => self.target.outgoing_as(&[&self.phrases[*phrase]], nonce)?,
            many => self.target.outgoing_as(&self.named(many), nonce)?,
        };
        if self.body.is_some() {
            outgoing.body.clone_from(&self.body);
        }
        for (name, value) in &self.headers {
            outgoing.headers.insert(name.clone(), value.clone());
        }
        Ok(outgoing)
    }

    fn named(&self, phrases: &[usize]) -> Vec<&Phrase> {
        phrases.iter().map(|phrase| &self.phrases[*phrase]).collect()
    }

    fn nonce(&self, count: u64) -> String {
        format!("{}-{count:0COUNT_DIGITS$}", self.target.options.run)
    }

    /// The request for a phrase, whose count is still to be written into it.
    fn ready(&self, phrase: usize) -> Result<Ready, String> {
        let nonce = self.nonce(0);
        let mut bytes = Vec::new();
        self.write(&self.outgoing(&[phrase], &nonce)?, &mut bytes);
        let counts = bytes
            .windows(nonce.len())
            .enumerate()
            .filter(|(_, window)| *window == nonce.as_bytes())
            .map(|(at, _)| at + nonce.len() - COUNT_DIGITS)
            .collect();
        Ok(Ready { bytes, counts })
    }

    /// Writes a request as it goes over the wire.
    fn write(&self, outgoing: &Outgoing, bytes: &mut Vec<u8>) {
        let body = outgoing.body.as_deref().unwrap_or_default();
        let url = &outgoing.url;
        let host = match (url.host_str(), url.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (host, _) => host.unwrap_or_default().to_owned(),
        };
        let target =
            url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        bytes.extend_from_slice(format!("{} {target} HTTP/1.1\r\n", outgoing.method).as_bytes());
        let mut line = |name: &str, value: &[u8]| {
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        };
        let ours = |name: &str| !outgoing.headers.contains_key(name);
        for (name, value) in
            [("host", host.as_str()), ("user-agent", super::client::USER_AGENT), ("accept", "*/*")]
        {
            if ours(name) {
                line(name, value.as_bytes());
            }
        }
        if self.close {
            line("connection", b"close");
        }
        if let Some(credentials) = credentials(url).filter(|_| ours("authorization")) {
            line("authorization", credentials.as_bytes());
        }
        line("content-length", body.len().to_string().as_bytes());
        let set_here = ["content-length", "connection", "transfer-encoding"];
        for (name, value) in outgoing.headers.iter().filter(|(name, _)| !set_here.contains(&name.as_str())) {
            line(name.as_str(), value.as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(body);
    }

    /// Sends phrases once, in one request, and leaves their answers in the lane. `count` makes the request unlike all
    /// others.
    pub async fn send(&self, lane: &mut Lane, phrases: &[usize], count: u64) -> Shot {
        lane.answers.clear();
        let shot = match &self.path {
            Road::Wire { addresses, requests } => {
                self.by_hand(lane, (addresses, requests), phrases, count).await
            }
            Road::Clients(senders) => {
                let sender = senders.of(&mut lane.place);
                let opened = lane.opened.by(sender.opened());
                opened.during(self.by_client(lane, sender, phrases, count)).await
            }
        };
        Shot { opened: lane.opened.take(), ..shot }
    }

    async fn by_hand(
        &self,
        lane: &mut Lane,
        (addresses, requests): (&[SocketAddr], &[Ready]),
        phrases: &[usize],
        count: u64,
    ) -> Shot {
        let deadline = Instant::now() + self.bounds.total;
        if let Err(failure) = self.make(lane, requests, phrases, count) {
            return failure.answer(lane, phrases);
        }
        let outcome = match timeout_at(deadline, self.by_wire(lane, addresses)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failure::timeout(self.bounds.total, Phase::Headers)),
        };
        match outcome {
            Ok(raw) => self.read(&raw, phrases, &mut lane.answers),
            Err(failure) => {
                lane.wire = None;
                failure.answer(lane, phrases)
            }
        }
    }

    /// Puts the request into the lane.
    fn make(&self, lane: &mut Lane, ready: &[Ready], phrases: &[usize], count: u64) -> Result<(), Failure> {
        lane.request.clear();
        if let ([phrase], false) = (phrases, ready.is_empty()) {
            let Ready { bytes, counts } = &ready[*phrase];
            lane.request.extend_from_slice(bytes);
            for at in counts {
                write_count(&mut lane.request[*at..*at + COUNT_DIGITS], count);
            }
        } else {
            let outgoing = self.outgoing(phrases, &self.nonce(count)).map_err(unsendable)?;
            self.write(&outgoing, &mut lane.request);
        }
        Ok(())
    }

    /// One exchange over the lane's connection, or over a new one where that was closed while it idled.
    async fn by_wire(&self, lane: &mut Lane, addresses: &[SocketAddr]) -> Result<RawAnswer, Failure> {
        // What was closed while it idled is seen here. One that closes when it has the request has had it: sent again,
        // it would be sent twice.
        let fresh = |(wire, used): &(Wire, Instant)| used.elapsed() < LONGEST_IDLE && !wire.is_stale();
        let kept = lane.wire.take().filter(fresh).map(|(wire, _)| wire);
        let mut wire = if let Some(wire) = kept {
            wire
        } else {
            let wire = Wire::connect(addresses, self.target.contract.connection.connect_timeout.0).await?;
            lane.opened.add();
            wire
        };
        let Received { raw, keep } =
            wire.exchange(&lane.request, self.bounds.max_body, self.wants_headers).await?;
        if keep && !self.close {
            lane.wire = Some((wire, Instant::now()));
        }
        Ok(raw)
    }

    async fn by_client(&self, lane: &mut Lane, sender: &Sender, phrases: &[usize], count: u64) -> Shot {
        let start = Instant::now();
        let outgoing = || self.outgoing(phrases, &self.nonce(count)).map_err(unsendable);
        let turns = lane.turns.clone();
        let turns = turns.as_deref().unwrap_or(&self.target.pacer);
        let (mut accepted, mut held) = (None, Duration::ZERO);
        let sent = sender.send(outgoing, self.bounds, turns, &mut held).await;
        let sent = match (&self.target.contract.poll, sent) {
            (Some(poll), Ok(raw)) if poll.accept.contains(&raw.status) => {
                accepted = Some(start.elapsed());
                self.target.decision(sender.client(), (poll, &raw), self.bounds, turns, &mut held).await
            }
            (_, sent) => sent,
        };
        match sent {
            Ok(raw) => Shot { accepted, held, ..self.read(&raw, phrases, &mut lane.answers) },
            Err(failure) => Shot { accepted, held, ..failure.answer(lane, phrases) },
        }
    }

    /// Reads the answer to each phrase.
    fn read(&self, raw: &RawAnswer, phrases: &[usize], answers: &mut Vec<ShortAnswer>) -> Shot {
        let contract = &self.target.contract;
        match (&contract.batch, phrases) {
            (Some(batch), [_, _, ..]) => {
                let readings = batch.read(&contract.response, &self.named(phrases), raw);
                answers.extend(readings.iter().map(|reading| self.short(reading)));
            }
            _ => answers.push(self.short(&Reading::brief(&contract.response, raw))),
        }
        Shot { checks: self.checks.broken_by(raw), ..Shot::default() }
    }

    fn short(&self, reading: &Reading) -> ShortAnswer {
        let cached = reading.cached | reading.answer_id.as_ref().is_some_and(|id| self.target.has_seen(id));
        let level = match &reading.answer {
            Answer::Prediction(prediction) => Ok(prediction.level),
            Answer::NoAnswer(none) => Err(none.reason),
        };
        ShortAnswer { level, violates: !reading.violations.is_empty(), cached }
    }
}

fn unsendable(detail: String) -> Failure {
    Failure::new(NoAnswerReason::Malformed, detail, Phase::Headers)
}

impl Failure {
    /// It is what every phrase of the request got.
    fn answer(&self, lane: &mut Lane, phrases: &[usize]) -> Shot {
        let none = ShortAnswer { level: Err(self.none.reason), violates: false, cached: false };
        lane.answers.extend(phrases.iter().map(|_| none));
        Shot { exhausted: self.is_exhaustion(), ..Shot::default() }
    }
}

/// Writes a number with leading zeros.
fn write_count(digits: &mut [u8], mut count: u64) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(count % 10).unwrap_or_default();
        count /= 10;
    }
}

/// User and password of a URL, as a header says them.
fn credentials(url: &reqwest::Url) -> Option<String> {
    use base64::Engine;
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let decoded = |text: &str| percent_decoded(text);
    let pair = format!("{}:{}", decoded(url.username()), decoded(url.password().unwrap_or_default()));
    Some(format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair)))
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let byte = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| *first == b'%');
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
