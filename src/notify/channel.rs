//! Where messages go.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::Url;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{QuietHours, Severity};
use crate::domain::{Secret, is_this_machine};

/// What stands at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChannelKind {
    /// A webhook of a Discord channel.
    Discord,
    /// An incoming webhook of Slack.
    Slack,
    /// A service of somebody's own, which takes JSON, signed if there is a key.
    Webhook,
}

/// Where messages go, and which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Its name, as the configuration has it.
    pub name: String,
    /// What stands at the other end.
    pub kind: ChannelKind,
    url: Secret,
    key: Option<Key>,
    /// Nothing of less weight goes there.
    pub least: Severity,
    /// When only what is critical goes there.
    pub quiet: Option<QuietHours>,
    /// At most so many attempts in a minute.
    pub per_minute: u32,
}

/// What messages are signed with. It cannot be printed.
#[derive(Clone, PartialEq, Eq)]
struct Key(Vec<u8>);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(•••)")
    }
}

/// Why a channel cannot be used. It never repeats the URL or the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// It is no URL.
    #[error("its URL cannot be read: write the whole of it, such as `https://hooks.example/a/b`")]
    NoUrl,
    /// Whoever listens on the way could read it.
    #[error("its URL must begin with `https://`; `http://` goes to this machine alone")]
    NotSafe,
    /// The key is not what it says.
    #[error("its key begins with `whsec_` and is not Base64")]
    Key,
    /// Only webhooks of one's own are signed.
    #[error("only a channel of kind `webhook` takes a key")]
    KeyNotWanted,
}

impl Channel {
    /// How long the other end may take to answer.
    pub(super) const DEADLINE: Duration = Duration::from_secs(10);

    /// A channel for everything, at any hour, at most ten messages a minute.
    ///
    /// # Errors
    /// It cannot be used.
    pub fn new(
        name: impl Into<String>,
        kind: ChannelKind,
        url: &Secret,
        key: Option<&Secret>,
    ) -> Result<Self, ChannelError> {
        let url = Url::parse(url.expose().trim()).map_err(|_| ChannelError::NoUrl)?;
        let is_here = is_this_machine(url.host_str().unwrap_or_default());
        match url.scheme() {
            "https" => {}
            "http" if is_here => {}
            _ => return Err(ChannelError::NotSafe),
        }
        if url.port() == Some(0) {
            return Err(ChannelError::NoUrl);
        }
        let key = match key {
            Some(_) if kind != ChannelKind::Webhook => return Err(ChannelError::KeyNotWanted),
            Some(key) => Some(Key(bytes(key)?)),
            None => None,
        };
        Ok(Self {
            name: name.into(),
            kind,
            url: Secret::new(url),
            key,
            least: Severity::Warning,
            quiet: None,
            per_minute: 10,
        })
    }

    pub(super) fn url(&self) -> &Secret {
        &self.url
    }

    pub(super) fn key(&self) -> Option<&[u8]> {
        self.key.as_ref().map(|key| key.0.as_slice())
    }
}

/// The key's bytes: Base64 behind `whsec_`, as <https://www.standardwebhooks.com> has it, or the text itself.
fn bytes(key: &Secret) -> Result<Vec<u8>, ChannelError> {
    let text = key.expose().trim();
    match text.strip_prefix("whsec_") {
        Some(coded) => BASE64_STANDARD.decode(coded).map_err(|_| ChannelError::Key),
        None => Ok(text.as_bytes().to_vec()),
    }
}
