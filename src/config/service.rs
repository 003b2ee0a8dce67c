//! The settings of the service.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;
use schemars::JsonSchema;
use serde::Deserialize;

use super::Config;
use super::sense::{DAY, Findings, HOUR, INSTANT, MONTH};
use crate::document::Path;
use crate::domain::{Secret, Wait};

/// Where the service listens and shows its metrics, if nothing else is said.
const PORT: u16 = 8884;
const METRICS_PORT: u16 = 9094;
/// What a variable that was not set comes to.
const HASH_OF_NOTHING: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// Headers that say something else, so that no key can come in them.
const HTTPS_OWN: [&str; 10] = [
    "Connection",
    "Content-Length",
    "Content-Type",
    "Cookie",
    "Host",
    "Keep-Alive",
    "Origin",
    "TE",
    "Transfer-Encoding",
    "Upgrade",
];

/// The service.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceSettings {
    /// Where it listens; nothing: on every IPv4 address of this machine where callers need a key, else on loopback.
    #[schemars(with = "Option<String>")]
    pub listen: Option<SocketAddr>,
    /// Where it shows its metrics; nothing: port 9094 of the same address.
    #[schemars(with = "Option<String>")]
    pub metrics_listen: Option<SocketAddr>,
    /// The port of `metrics_listen`, if it is another one.
    pub metrics_port: Option<u16>,
    /// The certificate by which it is called over HTTPS.
    pub tls: TlsSettings,
    /// The path below which everything is, behind a proxy that passes it on; empty for none.
    pub base_path: String,
    /// Where it can be seen from outside, that path included; messages link to it.
    pub public_url: Option<String>,
    /// Whether callers need a key; nothing: as soon as there is one.
    pub authentication: Option<bool>,
    /// The header that carries the key; `Authorization: Bearer` always may.
    pub key_header: String,
    /// A key that may do everything.
    pub internal_key: Option<String>,
    /// Further keys, as hashes.
    pub keys: Vec<KeySettings>,
    /// Names by which browsers may call it, besides those of this machine.
    pub hosts: Vec<String>,
    /// Origins whose pages may call it; none by default.
    pub cors_origins: Vec<String>,
    /// Requests of one client.
    pub rate_limit: RateLimitSettings,
    /// Largest body of a request, in bytes.
    pub body_limit: usize,
    /// How long the head of a request may take to arrive, and a connection may be idle.
    pub header_timeout: Wait,
    /// How long a request may take, event streams excepted.
    pub request_timeout: Wait,
    /// Connections at once; when there are more, the one that has been idle longest is closed.
    pub connections: usize,
    /// Runs at once in this process, each against another target.
    pub workers: usize,
    /// Runs that may wait at once, over all instances; one more is refused.
    pub queue_limit: u32,
    /// How long an instance may be silent before its run is taken for lost.
    pub lease: Wait,
    /// How long a stop waits for what runs.
    pub stop_within: Wait,
}

/// A certificate and its key, both or none.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsSettings {
    /// The certificate and those that vouch for it, in PEM.
    pub certificate: Option<PathBuf>,
    /// Its private key, in PEM.
    pub key: Option<PathBuf>,
}

/// A key by its hash.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeySettings {
    /// Who holds it, for the log.
    pub name: String,
    /// `sha256:` and 64 hexadecimal digits; `thrash serve --hash-key` makes it.
    pub hash: String,
    /// What it is good for.
    pub scopes: Vec<Scope>,
}

/// What a key is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Looking.
    Read,
    /// And starting and stopping runs.
    Run,
    /// And changing what later runs are held against, and when they begin.
    Admin,
}

/// Requests of one client.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateLimitSettings {
    /// Whether they are counted.
    pub enabled: bool,
    /// Over how long.
    pub window: Wait,
    /// So many.
    pub max: u32,
}

impl Scope {
    /// Whether it includes another one.
    pub const fn covers(self, needed: Self) -> bool {
        (self as u8) >= (needed as u8)
    }

    /// The scope's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Run => "run",
            Self::Admin => "admin",
        }
    }
}

impl Config {
    /// The key that may do everything, if there is one.
    pub fn internal_key(&self) -> Option<Secret> {
        self.settings.service.internal_key.clone().filter(|key| !key.is_empty()).map(Secret::new)
    }

    /// Where the service listens.
    pub fn listen(&self) -> SocketAddr {
        self.settings.service.listens_on()
    }

    /// Where the service shows its metrics.
    pub fn metrics_listen(&self) -> SocketAddr {
        self.settings.service.tells_metrics_on()
    }
}

/// Whether no part of a path leads elsewhere.
fn is_plain_path(path: &str) -> bool {
    path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

/// An address that can stand in a message: whoever reads it gets no secret with it, and wherever it is read it means
/// the same.
fn is_web_address(text: &str) -> bool {
    let is_plain = |sign: char| sign.is_ascii_graphic() && !"<>\"'\\^`{|}".contains(sign);
    let Some((_, rest)) = text.split_once("://") else { return false };
    let path = rest.split_once('/').map_or("", |(_, path)| path);
    Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && !rest.contains('@')
            && url.port() != Some(0)
            && url.query().is_none()
            && url.fragment().is_none()
    }) && text.chars().all(is_plain)
        && !rest.starts_with('/')
        && (path.is_empty() || is_plain_path(path.strip_suffix('/').unwrap_or(path)))
}

/// Origins are compared as they are written, so one in other words would let nobody in.
fn is_origin(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https") && url.origin().ascii_serialization() == text
    })
}

/// Whether a browser could ask for something by this name.
fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    // What ends in a number is an address, or nothing.
    let is_name = |text: &str| {
        text.len() <= 253
            && text.split('.').all(is_label)
            && text.rsplit('.').next().is_some_and(|last| !last.bytes().all(|byte| byte.is_ascii_digit()))
    };
    text.parse::<IpAddr>().is_ok() || is_name(text)
}

fn is_base_path(text: &str) -> bool {
    let is_plain = |sign: char| sign.is_ascii_alphanumeric() || "-_./".contains(sign);
    text.is_empty()
        || (text.len() <= 200
            && text.chars().all(is_plain)
            && text.strip_prefix('/').is_some_and(is_plain_path))
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

fn is_hash(text: &str) -> bool {
    text.strip_prefix("sha256:")
        .is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

impl ServiceSettings {
    /// Whether callers need a key.
    pub fn needs_key(&self) -> bool {
        let is_given = self.internal_key.as_ref().is_some_and(|key| !key.is_empty());
        self.authentication.unwrap_or(is_given || !self.keys.is_empty())
    }

    /// Where no key is asked for nobody else may call.
    fn listens_on(&self) -> SocketAddr {
        let host = if self.needs_key() { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::LOCALHOST };
        self.listen.unwrap_or_else(|| SocketAddr::from((host, PORT)))
    }

    fn tells_metrics_on(&self) -> SocketAddr {
        let mut beside = self.listens_on();
        beside.set_port(METRICS_PORT);
        let mut listen = self.metrics_listen.unwrap_or(beside);
        listen.set_port(self.metrics_port.unwrap_or(listen.port()));
        listen
    }

    /// Notes every value that decodes and still makes no sense.
    pub(super) fn look_for_nonsense(&self, found: &mut Findings) {
        let (listen, metrics) = (self.listens_on(), self.tells_metrics_on());
        // `[::]` is every address, `0.0.0.0` those of IPv4.
        let shares = |one: IpAddr, other: IpAddr| {
            one == other || (one.is_unspecified() && (one.is_ipv6() || other.is_ipv4()))
        };
        let is_shared = shares(listen.ip(), metrics.ip()) || shares(metrics.ip(), listen.ip());
        if is_shared && listen.port() == metrics.port() && listen.port() != 0 {
            let key = if self.metrics_port.is_some() { "metrics_port" } else { "metrics_listen" };
            found.at(Path::of("service").join(key), format!("the service itself listens on {listen}"));
            found.at(Path::of("service.listen"), format!("its metrics are shown on {metrics}"));
        }
        found.note(
            !is_base_path(&self.base_path),
            "service.base_path",
            "it must be empty, or such as `/thrash`: letters, digits, `-`, `_` and `.`, and nothing that leads elsewhere",
        );
        if self.public_url.as_deref().is_some_and(|url| !is_web_address(url)) {
            let message = "it must be such as `https://thrash.example/thrash`: http or https, no user, query or fragment, \
                           and no sign that has to be escaped";
            found.at(Path::of("service.public_url"), message).is_secret = true;
        } else if self.public_url.as_ref().is_some_and(|url| {
            Url::parse(url).is_ok_and(|url| !url.path().trim_end_matches('/').ends_with(&self.base_path))
        }) {
            let message = format!(
                "it must end in `service.base_path`, which is `{}`: links lead there",
                self.base_path
            );
            found.at(Path::of("service.public_url"), message);
        }
        for (place, _) in self.hosts.iter().enumerate().filter(|(_, host)| !is_host(host)) {
            let message = "it must be the name of one host, such as `thrash.example`, without scheme, port and `*`; leave \
                           the list empty for any name, where there is a key";
            found.at(Path::of("service.hosts").join(place), message);
        }
        for (place, _) in self.cors_origins.iter().enumerate().filter(|(_, origin)| !is_origin(origin)) {
            let message = "it must be one origin as browsers write it, such as `https://status.example` or \
                           `http://10.0.0.7:3000`, without path and `*`";
            found.at(Path::of("service.cors_origins").join(place), message);
        }
        found.note(
            self.tls.certificate.is_some() != self.tls.key.is_some(),
            "service.tls",
            "a certificate needs its key, and a key its certificate",
        );
        let is_taken = HTTPS_OWN.iter().any(|taken| taken.eq_ignore_ascii_case(&self.key_header));
        found.note(
            !is_token(&self.key_header) || is_taken,
            "service.key_header",
            "it must be the name of a header, and none that HTTP itself uses",
        );
        self.look_at_keys(found);
        found.note(self.rate_limit.max == 0, "service.rate_limit.max", "it must be at least 1");
        found.note(
            !(1024..=64 << 20).contains(&self.body_limit),
            "service.body_limit",
            "it must be from 1024 to 64 MiB",
        );
        found.note(
            !(1..=100_000).contains(&self.connections),
            "service.connections",
            "it must be from 1 to 100000",
        );
        found.note(!(1..=64).contains(&self.workers), "service.workers", "it must be from 1 to 64");
        found.note(self.queue_limit == 0, "service.queue_limit", "it must be at least 1");
        found.time("service.rate_limit.window", self.rate_limit.window, INSTANT, MONTH);
        found.time("service.header_timeout", self.header_timeout, INSTANT, HOUR);
        found.time("service.request_timeout", self.request_timeout, INSTANT, DAY);
        found.time("service.lease", self.lease, Duration::from_secs(1), HOUR);
        found.time("service.stop_within", self.stop_within, Duration::ZERO, DAY);
    }

    fn look_at_keys(&self, found: &mut Findings) {
        for (place, key) in self.keys.iter().enumerate() {
            let path = Path::of("service.keys").join(place);
            let before = &self.keys[..place];
            if !is_hash(&key.hash) {
                let message =
                    "it must be `sha256:` and 64 hexadecimal digits: `thrash serve --hash-key` makes one";
                found.at(path.join("hash"), message).is_secret = true;
            } else if key.hash.eq_ignore_ascii_case(HASH_OF_NOTHING) {
                found.at(path.join("hash"), "this is the hash of an empty key").is_secret = true;
            } else if before.iter().any(|other| other.hash.eq_ignore_ascii_case(&key.hash)) {
                found.at(path.join("hash"), "this key is listed twice").is_secret = true;
            }
            if key.scopes.is_empty() || !is_token(&key.name) {
                found.at(path, "a key needs scopes, and a name of letters, digits, `-` and `_`").is_secret =
                    true;
            } else if before.iter().any(|other| other.name == key.name) {
                found
                    .at(path.join("name"), "two keys have this name, and the log could not tell them apart")
                    .is_secret = true;
            }
        }
    }
}
