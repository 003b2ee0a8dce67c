//! The connection to a target: the only place where an HTTP client is built.

use std::error::Error as _;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::header::{CONNECTION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, Client, Identity, Proxy, Url, Version, redirect};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};
use tower::util::MapFutureLayer;

use super::opened::counted;
use super::outgoing::Outgoing;
use super::reading::RawAnswer;
use crate::domain::{HttpVersion, NoAnswer, NoAnswerReason, Phase, Wait};

/// How long a connection may idle and still be used. Services close theirs after two seconds (gunicorn), five
/// (uvicorn, Node.js) or more: one that we drop first cannot be closed while a phrase is on its way.
const LONGEST_IDLE: Duration = Duration::from_secs(1);
/// The same over HTTP/2, where a server says goodbye before it closes. The library counts from the last request's start, so
/// that a shorter one would end a connection on which answers are waited for.
const LONGEST_IDLE_HTTP2: Duration = Duration::from_secs(90);

/// What every request says of itself.
pub(super) const USER_AGENT: &str =
    concat!("thrash/", env!("CARGO_PKG_VERSION"), " (synthetic test traffic)");

/// How to connect to a target.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Connection {
    /// The version of HTTP; `auto` takes HTTP/2 where TLS negotiates it.
    pub http: HttpVersion,
    /// Deadline for a connection, TLS included.
    pub connect_timeout: Wait,
    /// Deadline from the request to the answer's header; the attempt's whole deadline if there is none.
    pub headers_timeout: Option<Wait>,
    /// Deadline of a whole attempt.
    pub timeout: Option<Wait>,
    /// Largest answer that is read, in bytes.
    pub max_body: usize,
    /// Certificates (PEM) of a private authority, the only ones to be trusted.
    pub ca_file: Option<PathBuf>,
    /// A client certificate and its key (PEM, in one file).
    pub client_identity: Option<PathBuf>,
    /// Whether any certificate will do. For a self-signed test service only.
    pub insecure: bool,
    /// The proxy's URL; no proxy is used unless it is named here.
    pub proxy: Option<ProxyUrl>,
}

/// The URL of a proxy. It may hold a password, so it cannot be printed.
#[derive(Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ProxyUrl(String);

impl ProxyUrl {
    /// Its host; none where it is no URL.
    pub fn host(&self) -> Option<String> {
        // As `Proxy::all` reads it: `host:port` is a URL as well.
        let parsed = reqwest::Url::parse(&self.0).ok().filter(reqwest::Url::has_host);
        let parsed = parsed.or_else(|| reqwest::Url::parse(&format!("http://{}", self.0)).ok());
        parsed?.host_str().map(str::to_owned)
    }
}

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProxyUrl(•••)")
    }
}

impl Default for Connection {
    fn default() -> Self {
        Self {
            http: HttpVersion::Auto,
            connect_timeout: Wait(Duration::from_secs(3)),
            headers_timeout: None,
            timeout: None,
            max_body: 1 << 20,
            ca_file: None,
            client_identity: None,
            insecure: false,
            proxy: None,
        }
    }
}

/// Why there can be no connection at all, whatever the service does.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// A certificate file cannot be read.
    #[error("cannot read `{path}` of target `{target}`")]
    File {
        /// The target's name.
        target: String,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file or a setting does not hold what it should.
    #[error("`connection.{setting}` of target `{target}` cannot be used: {message}")]
    Setting {
        /// The target's name.
        target: String,
        /// The setting.
        setting: &'static str,
        /// What is wrong, without secrets.
        message: String,
    },
    /// A header's value is in an environment variable that is not set.
    #[error("target `{target}` needs the environment variable `{variable}` for the header `{header}`")]
    MissingVariable {
        /// The target's name.
        target: String,
        /// The variable.
        variable: String,
        /// The header.
        header: String,
    },
    /// A header's value has characters that no header can hold.
    #[error("the environment variable `{variable}` of target `{target}` does not hold a header value")]
    BadVariable {
        /// The target's name.
        target: String,
        /// The variable.
        variable: String,
    },
}

impl Connection {
    /// Whether it may be HTTP/2 over which this URL is asked.
    pub(super) fn may_speak_http2(&self, url: &Url) -> bool {
        match self.http {
            HttpVersion::Auto => url.scheme() != "http",
            HttpVersion::Http1 => false,
            HttpVersion::Http2 => true,
        }
    }

    /// Builds the client. `connections` is how many may idle in the pool; with none each is used for one request alone.
    /// `is_http2` says that the other side is known to speak HTTP/2.
    pub(super) fn client(
        &self,
        target: &str,
        url: &Url,
        connections: usize,
        is_http2: bool,
    ) -> Result<Client, ConnectionError> {
        let setting = |setting, message: String| ConnectionError::Setting {
            target: target.to_owned(),
            setting,
            message,
        };
        let mut builder = Client::builder()
            .user_agent(USER_AGENT)
            .redirect(redirect::Policy::none())
            // Every attempt must be seen and counted, so nothing is sent twice behind our back.
            .retry(reqwest::retry::never())
            .referer(false)
            // A library beside us turns it on for everybody; what is asked for is to be what the contract says.
            .no_gzip()
            .connect_timeout(self.connect_timeout.0)
            .pool_max_idle_per_host(connections)
            .pool_idle_timeout(if is_http2 { LONGEST_IDLE_HTTP2 } else { LONGEST_IDLE })
            .connector_layer(MapFutureLayer::new(counted))
            .no_proxy();
        let is_http1 = !self.may_speak_http2(url);
        if is_http1 {
            builder = builder.http1_only();
        } else if self.http == HttpVersion::Http2 {
            builder = builder.http2_prior_knowledge();
        }
        if is_http1 && connections == 0 {
            // HTTP/2 has no such header: there the connection is just closed.
            let close = [(CONNECTION, HeaderValue::from_static("close"))];
            builder = builder.default_headers(HeaderMap::from_iter(close));
        }
        if let Some(proxy) = &self.proxy {
            let proxy =
                Proxy::all(&proxy.0).map_err(|_| setting("proxy", "it is no URL of a proxy".to_owned()))?;
            builder = builder.proxy(proxy);
        }
        let read = |path: &PathBuf| {
            std::fs::read(path).map_err(|source| ConnectionError::File {
                target: target.to_owned(),
                path: path.clone(),
                source,
            })
        };
        if let Some(path) = &self.ca_file {
            let certificates = Certificate::from_pem_bundle(&read(path)?)
                .ok()
                .filter(|certificates| !certificates.is_empty())
                .ok_or_else(|| setting("ca_file", "it holds no PEM certificate".to_owned()))?;
            builder = builder.tls_certs_only(certificates);
        } else if url.scheme() == "http" && self.proxy.is_none() {
            // Nothing will be verified, and reading the system's certificates costs milliseconds.
            builder = builder.tls_certs_only([]);
        }
        if let Some(path) = &self.client_identity {
            let identity = Identity::from_pem(&read(path)?).map_err(|_| {
                setting("client_identity", "it holds no PEM certificate with its key".to_owned())
            })?;
            builder = builder.identity(identity);
        }
        if self.insecure {
            builder = builder.tls_danger_accept_invalid_certs(true);
        }
        builder.build().map_err(|error| setting("http", deepest(&error)))
    }
}

/// A client for files from the network: follows redirects, and goes through the proxy that the system names.
///
/// # Errors
/// TLS cannot be set up.
pub fn download_client(idle: Duration) -> Result<Client, reqwest::Error> {
    Client::builder()
        .user_agent(concat!("thrash/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(idle)
        .read_timeout(idle)
        // The bytes as they are: their hash is looked at.
        .no_gzip()
        .build()
}

/// Why an exchange failed, and where in it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Failure {
    pub(super) none: NoAnswer,
    pub(super) phase: Phase,
}

impl Failure {
    pub(super) fn new(reason: NoAnswerReason, detail: impl Into<String>, phase: Phase) -> Self {
        Self { none: NoAnswer { reason, detail: detail.into() }, phase }
    }

    pub(super) fn timeout(after: Duration, phase: Phase) -> Self {
        let what = match phase {
            Phase::Connect => "connecting",
            Phase::Headers => "waiting for the answer",
            Phase::Body => "reading the answer",
            Phase::Poll => "waiting for the decision",
        };
        Self::new(NoAnswerReason::Timeout, format!("timed out after {} {what}", Wait(after)), phase)
    }
}

impl Failure {
    /// Whether no port or file was left here.
    pub(super) fn is_exhaustion(&self) -> bool {
        is_exhaustion(self.none.reason, &self.none.detail)
    }

    /// Whether an HTTP/2 server refused it unread, as it does where more come at once over a connection than it takes.
    pub(super) fn is_refused_unread(&self) -> bool {
        // As h2 puts `REFUSED_STREAM`.
        self.none.reason == NoAnswerReason::ConnectionLost
            && self.none.detail.contains("refused stream before")
    }
}

/// Whether it failed because no port or file was left: those are this machine's, whoever is at the other end.
pub fn is_exhaustion(reason: NoAnswerReason, detail: &str) -> bool {
    let codes = ["os error 99", "os error 24", "os error 23"];
    reason == NoAnswerReason::Unreachable && codes.iter().any(|code| detail.contains(code))
}

/// Whether it failed as it does where the other side is there and does not speak HTTP/2: it would not negotiate it, or what
/// it said was none, or it closed the connection. Who was slow, refused or reset it has said nothing of that.
pub(super) fn is_no_http2(reason: NoAnswerReason, detail: &str) -> bool {
    // As rustls, h2 and hyper put it; hyper may keep for itself what h2 said.
    let words = match reason {
        NoAnswerReason::Tls => &["any known protocol", "NoApplicationProtocol"][..],
        NoAnswerReason::ConnectionLost | NoAnswerReason::Unreachable => &[
            "connection closed",
            "channel closed",
            "connection was not ready",
            "broken pipe",
            "frame with invalid size",
            "unspecific protocol error detected",
            "endpoint requires HTTP/1.1",
        ],
        _ => &[],
    };
    words.iter().any(|words| detail.contains(words))
}

/// Deadlines and cap of one exchange.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) headers: Duration,
    pub(super) total: Duration,
    pub(super) max_body: usize,
}

/// Sends a request and reads the whole answer.
pub(super) async fn exchange(
    client: &Client,
    outgoing: Outgoing,
    bounds: Bounds,
) -> Result<RawAnswer, Failure> {
    let start = Instant::now();
    let mut request = client.request(outgoing.method, outgoing.url).headers(outgoing.headers);
    if let Some(body) = outgoing.body {
        request = request.body(body);
    }
    let headers_after = bounds.headers.min(bounds.total);
    let mut response = match timeout_at(start + headers_after, request.send()).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => return Err(explain(&error, Phase::Headers)),
        Err(_) => return Err(Failure::timeout(headers_after, Phase::Headers)),
    };
    let status = response.status().as_u16();
    let is_http2 = response.version() == Version::HTTP_2;
    let headers = plain_headers(response.headers());
    let mut body = Vec::new();
    loop {
        let chunk = match timeout_at(start + bounds.total, response.chunk()).await {
            Ok(Ok(Some(chunk))) => chunk,
            Ok(Ok(None)) => break,
            Ok(Err(error)) => return Err(explain(&error, Phase::Body)),
            Err(_) => return Err(Failure::timeout(bounds.total, Phase::Body)),
        };
        if body.len() + chunk.len() > bounds.max_body {
            let detail = format!("the answer is larger than {} bytes", bounds.max_body);
            return Err(Failure::new(NoAnswerReason::TooLarge, detail, Phase::Body));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(RawAnswer { status, headers, body, is_http2 })
}

fn plain_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .filter_map(|(name, value): (&HeaderName, &HeaderValue)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        })
        .collect()
}

/// Our words for a failure of the HTTP library. Its own texts name URLs, and a URL may hold a password.
pub(super) fn explain(error: &reqwest::Error, phase: Phase) -> Failure {
    if let Some(tls) = find::<rustls::Error>(error) {
        return Failure::new(NoAnswerReason::Tls, format!("TLS failed: {tls}"), Phase::Connect);
    }
    if error.is_connect() {
        if error.is_timeout() {
            return Failure::new(NoAnswerReason::Timeout, "timed out connecting", Phase::Connect);
        }
        return Failure::new(NoAnswerReason::Unreachable, deepest(error), Phase::Connect);
    }
    if error.is_timeout() {
        return Failure::new(NoAnswerReason::Timeout, "timed out", phase);
    }
    let reason = if error.is_builder() { NoAnswerReason::Malformed } else { NoAnswerReason::ConnectionLost };
    Failure::new(reason, deepest(error), phase)
}

/// The first cause of the given type, also where `std::io` has wrapped it.
fn find<'a, E: std::error::Error + 'static>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a E> {
    let mut cause = Some(error);
    while let Some(this) = cause {
        if let Some(found) = this.downcast_ref::<E>() {
            return Some(found);
        }
        if let Some(io) = this.downcast_ref::<std::io::Error>()
            && let Some(inner) = io.get_ref()
            && let Some(found) = find::<E>(inner as &(dyn std::error::Error + 'static))
        {
            return Some(found);
        }
        cause = this.source();
    }
    None
}

/// The last cause in the chain: the one that says what happened.
fn deepest(error: &reqwest::Error) -> String {
    let Some(mut cause) = error.source() else { return "the request could not be sent".to_owned() };
    while let Some(next) = cause.source() {
        cause = next;
    }
    // HTTP/2 lets a server say goodbye in words of its own, and these may hold anything: ` (b"…")`.
    let text = cause.to_string();
    text.split_once(" (b\"").map_or(text.as_str(), |(ours, _)| ours).to_owned()
}
