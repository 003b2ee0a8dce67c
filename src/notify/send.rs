//! One message to one channel, once.

use chrono::{DateTime, Utc};

use super::retry::Hope;
use super::{Channel, ChannelKind, Message, discord, slack, webhook};
use crate::target::WebhookClient;

/// Why a message did not arrive. It never repeats the channel's URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("channel `{channel}`: {message}")]
pub struct SendError {
    channel: String,
    message: String,
    pub(super) hope: Hope,
}

/// Sends a message. `id` is the same at every attempt, so that a receiver can tell.
pub(super) async fn send(
    client: &WebhookClient,
    channel: &Channel,
    id: &str,
    message: &Message,
    now: DateTime<Utc>,
) -> Result<(), SendError> {
    let failed = |message: String, hope| SendError { channel: channel.name.clone(), message, hope };
    let value = match channel.kind {
        ChannelKind::Discord => Ok(discord::body(message)),
        ChannelKind::Slack => Ok(slack::body(message)),
        ChannelKind::Webhook => serde_json::to_value(message),
    };
    let body = value.map_err(|error| failed(error.to_string(), Hope::Mended))?.to_string().into_bytes();
    let headers = match channel.kind {
        ChannelKind::Discord | ChannelKind::Slack => Vec::new(),
        ChannelKind::Webhook => webhook::headers(id, now, &body, channel.key()),
    };
    let answer = client.post(channel.url(), &headers, body, Channel::DEADLINE).await;
    let answer = answer.map_err(|message| failed(message, Hope::Soon))?;
    let said = |words: &str| format!("it answered HTTP {}{words}", answer.status);
    match answer.status {
        200..=299 => Ok(()),
        300..=399 => Err(failed(said(", and redirects are not followed"), Hope::Mended)),
        408 | 425 | 429 | 500.. => {
            let hope = answer.retry_after.map_or(Hope::Soon, Hope::After);
            Err(failed(said(""), hope))
        }
        _ => Err(failed(said(": is its URL still right?"), Hope::Mended)),
    }
}
