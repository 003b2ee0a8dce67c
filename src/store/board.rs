//! Where a load run and the workers that send for it meet: a board in PostgreSQL, the only clock that all of them see.
//!
//! Whoever begins the run posts a job; workers find it by its name, take a shard each, and tell what they see. Nothing
//! here knows what the texts say.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::postgres::PostgresStore;
use super::{PostgresLocation, StoreError, StoreOptions};
use crate::domain::RunId;

/// Whoever was not heard of for so long is gone.
pub(super) const GONE: Duration = Duration::from_secs(10);

/// The board.
#[derive(Debug)]
pub struct LoadBoard(pub(super) PostgresStore);

/// A job, as its workers find it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostedJob {
    /// The run.
    pub run: RunId,
    /// How many workers it wants.
    pub shards: usize,
    /// What it is.
    pub orders: String,
}

/// A worker's place in a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinedShard {
    /// The run.
    pub run: RunId,
    /// The number of the shard.
    pub shard: usize,
    /// The process that has it.
    pub worker: String,
}

/// How a load is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Nothing starts, and answers on their way are waited for.
    Drain,
    /// At once.
    Abort,
}

impl Stop {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Drain => "drain",
            Self::Abort => "abort",
        }
    }

    /// What is not known is the strictest.
    pub(super) fn from_stored(text: &str) -> Self {
        if text == Self::Drain.as_str() { Self::Drain } else { Self::Abort }
    }
}

/// What a worker hears when it tells something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Which load is next or under way, from 1; 0 before the first.
    pub load: u32,
    /// What it is.
    pub orders: Option<String>,
    /// When all begin.
    pub starts_at: Option<DateTime<Utc>>,
    /// Whether it is to be stopped.
    pub stop: Option<Stop>,
    /// How long nothing was heard of whoever began the run.
    pub silence: Duration,
    /// Whether the shard is still this worker's.
    pub is_ours: bool,
}

/// Something that a worker told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// Who.
    pub shard: usize,
    /// Its number among what this worker told.
    pub number: i64,
    /// What.
    pub body: String,
}

/// The database's clock beside this machine's.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    at: std::time::Instant,
    database: DateTime<Utc>,
    here: DateTime<Utc>,
    /// How wrong it may be.
    pub error: Duration,
}

impl Clock {
    /// What the database's clock showed in the middle of asking for it.
    pub(super) fn new(
        before: std::time::Instant,
        here: DateTime<Utc>,
        database: DateTime<Utc>,
        took: Duration,
    ) -> Self {
        let half = took / 2;
        let here = here + TimeDelta::from_std(half).unwrap_or_default();
        Self { at: before + half, database, here, error: half }
    }

    /// The moment at which the database's clock shows that time; none if it has passed.
    pub fn instant_of(&self, time: DateTime<Utc>) -> Option<std::time::Instant> {
        let ahead = (time - self.database).to_std().ok()?;
        let then = self.at + ahead;
        (then > std::time::Instant::now()).then_some(then)
    }

    /// How far this machine's clock is ahead, in milliseconds.
    #[expect(clippy::cast_precision_loss, reason = "no clock is so wrong")]
    pub fn ahead_ms(&self) -> f64 {
        (self.here - self.database).num_microseconds().unwrap_or(i64::MAX) as f64 / 1e3
    }
}

impl LoadBoard {
    /// Connects, and brings the tables up to date if the options say so.
    ///
    /// # Errors
    /// The database cannot be used.
    pub async fn open(at: &PostgresLocation, options: &StoreOptions) -> Result<Self, StoreError> {
        PostgresStore::open(at, &options.countable()).await.map(Self)
    }

    /// From here on each of its statements may take so long. Opening may have to wait for whoever brings the tables up to
    /// date.
    #[must_use]
    pub fn answering_within(mut self, limit: Duration) -> Self {
        self.0.database.operation_timeout = limit;
        self
    }

    /// Hangs up in order.
    pub async fn close(&self) {
        super::Store::close(&self.0).await;
    }
}
