//! The settings of the service.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use reqwest::Url;
use schemars::JsonSchema;
use serde::Deserialize;

use super::Config;
use crate::domain::{Secret, Wait};

/// The service.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceSettings {
    /// Where it listens.
    #[schemars(with = "String")]
    pub listen: SocketAddr,
    /// Where it shows its metrics.
    #[schemars(with = "String")]
    pub metrics_listen: SocketAddr,
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

    /// Where the service shows its metrics.
    pub fn metrics_listen(&self) -> SocketAddr {
        let service = &self.settings.service;
        let mut listen = service.metrics_listen;
        listen.set_port(service.metrics_port.unwrap_or(listen.port()));
        listen
    }
}

/// An address that can stand in a message: whoever reads it gets no secret with it.
fn is_web_address(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    })
}

/// Origins are compared as they are written, so one in other words would let nobody in.
fn is_origin(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https") && url.origin().ascii_serialization() == text
    })
}

impl ServiceSettings {
    /// A value that decodes and still makes no sense: its key, and what is wrong.
    pub(super) fn senseless(&self) -> Option<(&'static str, &'static str)> {
        let is_hash = |text: &str| {
            text.strip_prefix("sha256:")
                .is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
        };
        let is_token = |text: &str| {
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        let is_path = |text: &str| {
            text.is_empty()
                || (text.starts_with('/')
                    && !text.ends_with('/')
                    && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_/.".contains(&b)))
        };
        let is_host = |text: &String| {
            text.parse::<IpAddr>().is_ok()
                || (!text.is_empty()
                    && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)))
        };
        [
            (!is_path(&self.base_path), "service.base_path", "it must be empty, or such as `/thrash`"),
            (
                self.public_url.as_deref().is_some_and(|url| !is_web_address(url)),
                "service.public_url",
                "it must be such as `https://thrash.example/thrash`: http or https, and no user, query or fragment",
            ),
            (
                !self.hosts.iter().all(is_host),
                "service.hosts",
                "each must be the name of one host, such as `thrash.example`, without scheme, port and `*`; leave the \
                 list empty for any name, where there is a key",
            ),
            (
                !self.cors_origins.iter().all(|text| is_origin(text)),
                "service.cors_origins",
                "each must be one origin as browsers write it, such as `https://status.example` or \
                 `http://10.0.0.7:3000`, without path and `*`",
            ),
            (
                self.tls.certificate.is_some() != self.tls.key.is_some(),
                "service.tls",
                "a certificate needs its key, and a key its certificate",
            ),
            (!is_token(&self.key_header), "service.key_header", "it must be the name of a header"),
            (
                !self.keys.iter().all(|key| is_hash(&key.hash)),
                "service.keys",
                "each hash must be `sha256:` and 64 hexadecimal digits: `thrash serve --hash-key` makes one",
            ),
            (
                self.keys.iter().any(|key| key.scopes.is_empty() || !is_token(&key.name)),
                "service.keys",
                "each key needs scopes, and a name of letters, digits, `-` and `_`",
            ),
            (self.rate_limit.max == 0, "service.rate_limit.max", "it must be at least 1"),
            (self.rate_limit.window.0.as_millis() == 0, "service.rate_limit.window", "it must be above zero"),
            (
                !(1024..=64 << 20).contains(&self.body_limit),
                "service.body_limit",
                "it must be from 1024 to 64 MiB",
            ),
            (self.header_timeout.0.as_millis() == 0, "service.header_timeout", "it must be above zero"),
            (self.request_timeout.0.as_millis() == 0, "service.request_timeout", "it must be above zero"),
            (
                !(1..=100_000).contains(&self.connections),
                "service.connections",
                "it must be from 1 to 100000",
            ),
            (!(1..=64).contains(&self.workers), "service.workers", "it must be from 1 to 64"),
            (self.queue_limit == 0, "service.queue_limit", "it must be at least 1"),
            (self.lease.0.as_secs() < 1, "service.lease", "it must be at least 1s"),
        ]
        .into_iter()
        .find_map(|(wrong, key, message)| wrong.then_some((key, message)))
    }
}
