//! Who is told when something breaks.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::sense::{Findings, INSTANT, MONTH, is_name};
use super::{Config, ConfigError};
use crate::document::Path;
use crate::domain::{Secret, Wait};
use crate::notify::{Channel, ChannelError, ChannelKind, NotifyOptions, QuietHours, Severity};

/// Who is told, and when.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NotifySettings {
    /// How long something that is not critical is left to mend itself.
    pub warning_after: Wait,
    /// How old a message becomes before nobody tries to send it any more.
    pub give_up_after: Wait,
    /// When only what is critical is told.
    pub quiet: Option<QuietHours>,
    /// Where messages go, by name.
    pub channels: BTreeMap<String, ChannelSettings>,
}

/// Where messages go. URLs and keys are secrets, and stand in environment variables.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChannelSettings {
    /// What stands at the other end.
    pub kind: ChannelKind,
    /// The environment variable that holds its URL.
    pub url_env: String,
    /// The environment variable that holds the key to sign with, for a `webhook`.
    #[serde(default)]
    pub key_env: Option<String>,
    /// Nothing of less weight goes there.
    #[serde(default = "warning")]
    pub least: Severity,
    /// Its own quiet hours.
    #[serde(default)]
    pub quiet: Option<QuietHours>,
    /// At most so many attempts in a minute.
    #[serde(default = "ten")]
    pub per_minute: u32,
}

const fn warning() -> Severity {
    Severity::Warning
}

const fn ten() -> u32 {
    10
}

/// Channels that are there as soon as their variable is set.
const USUAL: [(&str, &str, ChannelKind); 2] = [
    ("discord", "DISCORD_WEBHOOK_URL", ChannelKind::Discord),
    ("slack", "SLACK_WEBHOOK", ChannelKind::Slack),
];

impl NotifySettings {
    /// Notes every value that decodes and still makes no sense.
    pub(super) fn look_for_nonsense(&self, found: &mut Findings) {
        found.time("notify.warning_after", self.warning_after, Duration::ZERO, MONTH);
        found.time("notify.give_up_after", self.give_up_after, INSTANT, MONTH);
        let is_no_time = |quiet: &Option<QuietHours>| quiet.as_ref().is_some_and(|q| q.from == q.to);
        let no_time =
            "it ends when it begins, so nothing would ever be quiet: `least: critical` is for all hours";
        found.note(is_no_time(&self.quiet), "notify.quiet", no_time);
        for (name, channel) in &self.channels {
            let path = Path::of("notify.channels").join(name.as_str());
            if !is_name(name) {
                found.at_key(path.clone(), "a channel's name is of 1 to 40 letters, digits, `-` and `_`");
            }
            if channel.per_minute == 0 {
                found.at(path.join("per_minute"), "`per_minute` must be at least 1");
            }
            if is_no_time(&channel.quiet) {
                found.at(path.join("quiet"), no_time);
            }
            let variables = [("url_env", Some(&channel.url_env)), ("key_env", channel.key_env.as_ref())];
            for (key, variable) in variables {
                if variable.is_some_and(|name| !is_variable(name)) {
                    let message =
                        "it must be the name of an environment variable; the secret itself stands there";
                    found.at(path.join(key), message).is_secret = true;
                }
            }
        }
    }
}

/// Whether it can be the name of an environment variable. An address or a key is none.
fn is_variable(text: &str) -> bool {
    text.len() <= 100
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

impl Config {
    /// Who is told, and when: the configured channels, and those whose usual variable is set.
    ///
    /// # Errors
    /// A channel cannot be used, or its variable is not set.
    pub fn notify(&self) -> Result<NotifyOptions, ConfigError> {
        let settings = &self.settings.notify;
        let mut channels = Vec::new();
        for (name, channel) in &settings.channels {
            let url = self.secret(name, &channel.url_env)?;
            let key = channel.key_env.as_deref().map(|variable| self.secret(name, variable)).transpose()?;
            let made = Channel::new(name, channel.kind, &url, key.as_ref());
            let mut made = made.map_err(|error| unusable(&channel.url_env, error))?;
            made.least = channel.least;
            made.quiet = channel.quiet.clone().or_else(|| settings.quiet.clone());
            made.per_minute = channel.per_minute;
            channels.push(made);
        }
        for (name, variable, kind) in USUAL {
            let is_configured = settings.channels.contains_key(name)
                || settings.channels.values().any(|channel| channel.url_env == variable);
            let Some(url) = self.variable(variable).filter(|_| !is_configured) else { continue };
            let made = Channel::new(name, kind, &Secret::new(url), None);
            let mut made = made.map_err(|error| unusable(variable, error))?;
            made.quiet.clone_from(&settings.quiet);
            channels.push(made);
        }
        Ok(NotifyOptions {
            channels,
            warning_after: settings.warning_after.0,
            give_up_after: settings.give_up_after.0,
            public_url: self.settings.service.public_url.clone(),
        })
    }

    fn secret(&self, channel: &str, variable: &str) -> Result<Secret, ConfigError> {
        self.variable(variable).map(Secret::new).ok_or_else(|| ConfigError::Variable {
            name: variable.to_owned(),
            message: format!("it is not set, and the channel `{channel}` needs it"),
        })
    }
}

fn unusable(variable: &str, error: ChannelError) -> ConfigError {
    ConfigError::Variable {
        name: variable.to_owned(),
        message: format!("the channel cannot be used: {error}"),
    }
}
