//! What goes into the outbox: for whom, and when.

use std::fmt::Write;

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};

use super::{AlertState, Channel, Event, Finding, Message, NotifyOptions, Saying, Severity};
use crate::store::{AlertChange, AlertNews, NewMessage};

impl NotifyOptions {
    /// The change that follows from a finding.
    pub(super) fn change(
        &self,
        finding: &Finding,
        from: Option<i64>,
        state: &AlertState,
        saying: Option<&Saying>,
        now: DateTime<Utc>,
    ) -> AlertChange {
        AlertChange {
            series: finding.series.key(),
            from,
            state: serde_json::to_string(state).unwrap_or_default(),
            episode: state.told.episode().map(str::to_owned),
            news: saying.map(|saying| AlertNews {
                episode: saying.episode.clone(),
                good: saying.event == Event::Well,
                messages: self.messages(finding, saying, now),
            }),
        }
    }

    /// The messages to the channels that take them.
    fn messages(&self, finding: &Finding, saying: &Saying, now: DateTime<Utc>) -> Vec<NewMessage> {
        let message = Message::of(finding, saying, self.public_url.as_deref());
        let body = serde_json::to_string(&message).unwrap_or_default();
        // That it is over is for whoever heard of it, however bad it was in the end; the store knows who did.
        let takes = |channel: &&Channel| saying.event == Event::Well || channel.least <= saying.severity;
        let channels = self.channels.iter().filter(takes);
        channels
            .map(|channel| NewMessage {
                key: key(&finding.series.key(), saying, &channel.name),
                channel: channel.name.clone(),
                urgent: saying.severity == Severity::Critical,
                due_at: self.due(saying, channel, now),
                body: body.clone(),
            })
            .collect()
    }

    /// When a channel is told: at once what is critical, and that it is well again; the rest when it has lasted a while;
    /// and in quiet hours nothing but what is critical.
    fn due(&self, saying: &Saying, channel: &Channel, now: DateTime<Utc>) -> DateTime<Utc> {
        if saying.severity == Severity::Critical {
            return now;
        }
        let patience = match saying.event {
            Event::Well | Event::Test => TimeDelta::zero(),
            Event::Broke | Event::Worse | Event::Unclear => {
                TimeDelta::from_std(self.warning_after).unwrap_or_default()
            }
        };
        let due = now.checked_add_signed(patience).unwrap_or(now);
        channel.quiet.as_ref().and_then(|quiet| quiet.end(due)).unwrap_or(due)
    }
}

/// The name of a message: the same for the same news to the same channel.
fn key(series: &str, saying: &Saying, channel: &str) -> String {
    let mut hash = Sha256::new();
    for part in [series, &saying.episode, saying.event.as_str(), saying.severity.as_str(), channel] {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    let mut key = String::from("msg_");
    for byte in hash.finalize().iter().take(16) {
        let _ = write!(key, "{byte:02x}");
    }
    key
}
