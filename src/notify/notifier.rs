//! From findings to the outbox, and from there to the channels.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;

use super::retry::wait;
use super::send::send;
use super::{AlertState, Channel, Event, Finding, Message, SendError};
use crate::store::{AlertRow, Claim, Claimed, Sent, Store, StoreError};
use crate::target::WebhookClient;

/// Who is told, and when.
#[derive(Debug, Clone)]
pub struct NotifyOptions {
    /// Where messages go.
    pub channels: Vec<Channel>,
    /// How long something that is not critical is left to mend itself.
    pub warning_after: Duration,
    /// How old a message becomes before nobody tries to send it any more.
    pub give_up_after: Duration,
    /// Where this service can be seen from outside.
    pub public_url: Option<String>,
}

impl Default for NotifyOptions {
    fn default() -> Self {
        Self {
            channels: Vec::new(),
            warning_after: Duration::from_mins(5),
            give_up_after: Duration::from_hours(24),
            public_url: None,
        }
    }
}

/// What became of what was due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Delivered {
    /// Messages that arrived.
    pub sent: u64,
    /// Messages that did not, and are tried again.
    pub failed: u64,
    /// Messages that nobody tries any more.
    pub given_up: u64,
}

/// Tells people.
#[derive(Debug)]
pub struct Notifier {
    options: NotifyOptions,
    client: WebhookClient,
}

/// How long a message is ours: longer than an attempt may take.
const LEASE: Duration = Duration::from_mins(1);
/// How often the outbox is looked into.
const LOOK: Duration = Duration::from_secs(2);
/// After a store that failed.
const STORE_AWAY: Duration = Duration::from_secs(15);
/// So many times somebody else may be faster in changing the same series.
const TRIES: usize = 20;

impl Notifier {
    /// A notifier that has sent nothing yet.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(options: NotifyOptions) -> Result<Self, reqwest::Error> {
        Ok(Self { options, client: WebhookClient::new(Duration::from_secs(5))? })
    }

    /// Its channels.
    pub fn channels(&self) -> &[Channel] {
        &self.options.channels
    }

    /// Takes note of a finding, and writes what there is to say into the outbox; gives what that is.
    ///
    /// # Errors
    /// The store fails. Nothing was noted then, and it can be tried again.
    pub async fn observe(
        &self,
        store: &dyn Store,
        finding: &Finding,
        now: DateTime<Utc>,
    ) -> Result<Option<Event>, StoreError> {
        if self.options.channels.is_empty() {
            return Ok(None);
        }
        let series = finding.series.key();
        for _ in 0..TRIES {
            let row = store.alert(&series).await?;
            let state = row.as_ref().map(read).unwrap_or_default();
            let Some((state, saying)) = state.after(finding) else { return Ok(None) };
            let from = row.map(|row| row.version);
            let change = self.options.change(finding, from, &state, saying.as_ref(), now);
            if store.change_alert(&change, now).await? {
                return Ok(saying.map(|saying| saying.event));
            }
        }
        tracing::warn!(series, "others keep changing what is known of this series: a finding was not noted");
        Ok(None)
    }

    /// Sends what is due on every channel, one after the other.
    ///
    /// # Errors
    /// The store fails.
    pub async fn deliver(&self, store: &dyn Store, now: DateTime<Utc>) -> Result<Delivered, StoreError> {
        let mut all = Delivered::default();
        for channel in &self.options.channels {
            let one = self.deliver_to(store, channel, &|| now).await?;
            all.sent += one.sent;
            all.failed += one.failed;
            all.given_up += one.given_up;
        }
        Ok(all)
    }

    /// Sends what is due on a channel until nothing is.
    async fn deliver_to(
        &self,
        store: &dyn Store,
        channel: &Channel,
        now: &(dyn Fn() -> DateTime<Utc> + Sync),
    ) -> Result<Delivered, StoreError> {
        let mut delivered = Delivered::default();
        loop {
            let (name, per_minute) = (channel.name.as_str(), channel.per_minute);
            let claim = Claim { channel: name, now: now(), lease: LEASE, per_minute };
            let Some(claimed) = store.claim_message(&claim).await? else { return Ok(delivered) };
            let sent = self.attempt(channel, &claimed, now).await;
            let (id, attempt) = (&claimed.key, claimed.attempt);
            match &sent {
                Sent::Done => delivered.sent += 1,
                Sent::Again { error, .. } => {
                    delivered.failed += 1;
                    tracing::warn!(id, attempt, "a message did not arrive: {error}");
                }
                Sent::GivenUp { error } => {
                    delivered.given_up += 1;
                    tracing::error!(id, attempt, "a message never arrived, and is given up: {error}");
                }
            }
            if !store.finish_message(&claimed, &sent, now()).await? {
                tracing::warn!(id, "a message took longer than its lease, and may arrive twice");
            }
        }
    }

    /// Gives up what has waited for too long, also for channels that nobody sends to any more; says how many.
    ///
    /// # Errors
    /// The store fails.
    pub async fn give_up(&self, store: &dyn Store, now: DateTime<Utc>) -> Result<u64, StoreError> {
        let patience = TimeDelta::from_std(self.options.give_up_after).unwrap_or(TimeDelta::MAX);
        let Some(before) = now.checked_sub_signed(patience) else { return Ok(0) };
        let channels = store.give_up_messages(before, now).await?;
        for channel in &channels {
            let known = self.channels().iter().any(|known| known.name == *channel);
            let why =
                if known { "it waited for too long" } else { "that channel is not configured any more" };
            tracing::error!(channel, "a message never arrived, and is given up: {why}");
        }
        Ok(channels.len() as u64)
    }

    async fn attempt(
        &self,
        channel: &Channel,
        claimed: &Claimed,
        now: &(dyn Fn() -> DateTime<Utc> + Sync),
    ) -> Sent {
        let message: Message = match serde_json::from_str(&claimed.body) {
            Ok(message) => message,
            Err(error) => return Sent::GivenUp { error: format!("it cannot be read: {error}") },
        };
        let patience = TimeDelta::from_std(self.options.give_up_after).unwrap_or(TimeDelta::MAX);
        if now() - claimed.created_at > patience {
            return Sent::GivenUp { error: "it waited too long to be news".to_owned() };
        }
        let Err(error) = send(&self.client, channel, &claimed.key, &message, now()).await else {
            return Sent::Done;
        };
        let wait = wait(claimed.attempt, error.hope, rand::random());
        let at = now() + TimeDelta::from_std(wait).unwrap_or_default();
        let error = error.to_string();
        if at - claimed.created_at > patience { Sent::GivenUp { error } } else { Sent::Again { at, error } }
    }

    /// Sends one message that says it is a test, at once and past the outbox.
    ///
    /// # Errors
    /// It did not arrive.
    pub async fn test(&self, channel: &Channel, now: DateTime<Utc>) -> Result<(), SendError> {
        let id = format!("test_{:032x}", rand::random::<u128>());
        send(&self.client, channel, &id, &Message::test(&channel.name, now), now).await
    }

    /// Sends what is due until it is stopped; an attempt that is under way is brought to its end. Channels do not wait
    /// for one another: one that hangs holds up none.
    pub async fn work(&self, store: &dyn Store, stop: &CancellationToken) {
        let channels = self.options.channels.iter();
        let mut working: Vec<_> =
            channels.map(|channel| Box::pin(self.work_on(store, channel, stop))).collect();
        std::future::poll_fn(|context| {
            working.retain_mut(|channel| channel.as_mut().poll(context).is_pending());
            if working.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
    }

    async fn work_on(&self, store: &dyn Store, channel: &Channel, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            let pause = match self.deliver_to(store, channel, &Utc::now).await {
                Ok(_) => LOOK,
                Err(error) => {
                    tracing::warn!(channel = channel.name, %error, "the outbox cannot be read");
                    STORE_AWAY
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
}

/// The state of a row. One that cannot be read, of a newer program perhaps, is begun anew: better told twice than never.
fn read(row: &AlertRow) -> AlertState {
    serde_json::from_str(&row.state)
        .inspect_err(|error| tracing::warn!(%error, "what people were told cannot be read"))
        .unwrap_or_default()
}
