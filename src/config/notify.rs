//! Who is told when something breaks.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Config, ConfigError};
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
    /// A value that decodes and still makes no sense: its key, and what is wrong.
    pub(super) fn senseless(&self) -> Option<(&'static str, &'static str)> {
        if self.channels.values().any(|channel| channel.per_minute == 0) {
            return Some(("notify.channels", "`per_minute` must be at least 1"));
        }
        if self.give_up_after.0.is_zero() {
            return Some(("notify.give_up_after", "it must be above zero"));
        }
        None
    }
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
