//! Messages on their way: what people were told of a series, and what is still to be sent to them.
//!
//! How a series stands and the messages that follow from it are written together, or not at all; a message waits in the
//! outbox until one instance takes it, for as long as its lease, and says what became of it. Times are the callers':
//! the clocks of two instances must agree to within a lease.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::StoreFuture;

/// How a series stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertRow {
    /// Which state it is, counted from 1.
    pub version: i64,
    /// The state, as JSON.
    pub state: String,
}

/// A new state of a series, and the messages that follow from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertChange {
    /// The series.
    pub series: String,
    /// The version that the change was made of; none where there was no state.
    pub from: Option<i64>,
    /// The new state, as JSON.
    pub state: String,
    /// The trouble that people know of now.
    pub episode: Option<String>,
    /// What there is to say, if anything.
    pub news: Option<AlertNews>,
}

/// Something that is said of a series. It takes back what it makes untrue or needless, unless that is on its way:
/// earlier good news in any case, bad news of the same trouble if this is bad too, or if nobody has tried to send it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertNews {
    /// The trouble that it is about.
    pub episode: String,
    /// Whether it is over. That is told only where the last that was heard of the series is bad.
    pub good: bool,
    /// What is to be sent.
    pub messages: Vec<NewMessage>,
}

/// A message to one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// Its name: a message of the same name is in the outbox once.
    pub key: String,
    /// The channel's name.
    pub channel: String,
    /// Whether it goes before others.
    pub urgent: bool,
    /// When it is to be sent, at the earliest.
    pub due_at: DateTime<Utc>,
    /// What is said, as JSON.
    pub body: String,
}

/// What to take from the outbox, for one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim<'a> {
    /// The channel's name.
    pub channel: &'a str,
    /// What time it is.
    pub now: DateTime<Utc>,
    /// How long the message is ours.
    pub lease: Duration,
    /// At most so many attempts in a minute, whoever makes them.
    pub per_minute: u32,
}

/// A message that is ours to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub key: String,
    /// What is said, as JSON.
    pub body: String,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// When it was written.
    pub created_at: DateTime<Utc>,
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// It arrived.
    Done,
    /// It did not, and is tried again.
    Again {
        /// When.
        at: DateTime<Utc>,
        /// Why, without secrets.
        error: String,
    },
    /// It did not, and nobody tries any more.
    GivenUp {
        /// Why, without secrets.
        error: String,
    },
}

/// How many messages there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OutboxCounts {
    /// They wait for their time, or for another try.
    pub waiting: u64,
    /// They arrived.
    pub sent: u64,
    /// They were taken back before anybody tried.
    pub cancelled: u64,
    /// They never arrived, and nobody tries any more.
    pub given_up: u64,
}

/// The outbox's part of a store.
pub trait Outbox {
    /// How a series stands; none if nothing is known.
    fn alert<'a>(&'a self, series: &'a str) -> StoreFuture<'a, Option<AlertRow>>;

    /// Writes a new state and its messages; false if somebody else has changed the state, and then nothing was written.
    fn change_alert<'a>(&'a self, change: &'a AlertChange, now: DateTime<Utc>) -> StoreFuture<'a, bool>;

    /// Takes the next message that is due for a channel, unless the channel has had enough: urgent ones first. Bad news
    /// waits for nothing; good news waits for earlier bad news of its series, and does not go where later bad news is.
    fn claim_message<'a>(&'a self, claim: &'a Claim<'a>) -> StoreFuture<'a, Option<Claimed>>;

    /// Says what became of an attempt; false if the message is somebody else's by now, and then nothing was written.
    fn finish_message<'a>(
        &'a self,
        claimed: &'a Claimed,
        sent: &'a Sent,
        now: DateTime<Utc>,
    ) -> StoreFuture<'a, bool>;

    /// Gives up messages that still wait and were written before this time, whatever the channel: one that nobody
    /// sends to any more is nobody's. Gives the channel of each. Good news that later bad news made untrue is taken back instead.
    fn give_up_messages(&self, before: DateTime<Utc>, now: DateTime<Utc>) -> StoreFuture<'_, Vec<String>>;

    /// How many messages there are.
    fn outbox_counts(&self) -> StoreFuture<'_, OutboxCounts>;

    /// Deletes messages that were over before this time, but for those of a trouble that goes on; says how many. A dry run
    /// only counts them.
    fn forget_messages(&self, before: DateTime<Utc>, dry_run: bool) -> StoreFuture<'_, u64>;
}

/// A claimed message, as both databases select it: `id`, `key`, `body`, `attempts`, `created_at`.
pub(super) type ClaimedRow<T> = (i64, String, String, i64, T);

pub(super) fn claimed<T>(row: ClaimedRow<T>, time: impl Fn(T) -> DateTime<Utc>) -> Claimed {
    let (id, key, body, attempts, created_at) = row;
    Claimed {
        id,
        key,
        body,
        attempt: u32::try_from(attempts).unwrap_or(u32::MAX),
        created_at: time(created_at),
    }
}

/// The columns that an end sets: `state`, `due_at` if it is tried again, `error`.
pub(super) fn end(sent: &Sent) -> (&'static str, Option<DateTime<Utc>>, Option<&str>) {
    match sent {
        Sent::Done => ("sent", None, None),
        Sent::Again { at, error } => ("waiting", Some(*at), Some(error)),
        Sent::GivenUp { error } => ("given_up", None, Some(error)),
    }
}

/// Counts, from states and how many there are of each.
pub(super) fn counts(rows: &[(String, i64)]) -> OutboxCounts {
    let of = |state: &str| {
        let count = rows.iter().find(|(known, _)| known == state).map_or(0, |(_, count)| *count);
        u64::try_from(count).unwrap_or_default()
    };
    OutboxCounts {
        waiting: of("waiting"),
        sent: of("sent"),
        cancelled: of("cancelled"),
        given_up: of("given_up"),
    }
}
