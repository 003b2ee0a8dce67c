//! Keeps every run: in a SQLite file by default, in PostgreSQL for teams, in a spool folder while the database is away.
//!
//! [`StoreLocation::parse`] reads where, [`open`] connects and brings the tables up to date, and everything else goes
//! through the [`Store`] trait, which both databases fulfil alike. A run is stored whole or not at all, storing it twice
//! is the same as storing it once, and every wait has a deadline. No error names a phrase's text or a password.
//!
//! Called by the commands and the service; it knows the domain and nothing above it.

#![allow(clippy::doc_markdown, reason = "PostgreSQL and SQLite are names")]

mod baseline;
mod board;
mod codec;
mod columns;
mod driver;
mod error;
mod instance;
mod job_list;
mod jobs;
mod list;
mod location;
mod migrate;
mod outbox;
mod postgres;
mod private;
mod prune;
mod resolve;
mod schedules;
mod spool;
mod sqlite;
mod summary;
mod time;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::domain::{Baseline, RunId, RunRecord, Series};

pub use board::{Clock, Heard, JoinedShard, LoadBoard, News, PostedJob, Stop};
pub use codec::{RecordError, decode_record, encode_record};
pub use driver::DriverError;
pub use error::{StoreError, StoreErrorKind};
pub use instance::InstanceLock;
pub use jobs::{DELETED, JobCounts, JobEnd, JobFilter, Jobs, Lease, Reap, Renewed, SPOOLED, Submitted};
pub use location::{LocationError, PostgresLocation, StoreLocation};
pub use migrate::{MigrationStatus, SchemaMigration};
pub use outbox::{AlertChange, AlertNews, AlertRow, Claim, Claimed, NewMessage, Outbox, OutboxCounts, Sent};
pub use prune::{PrunePolicy, PruneReport, Prunes};
pub use schedules::{ScheduleState, Schedules};
pub use spool::{DeliveryReport, Spool};
pub(crate) use spool::{run_of, set_aside};
pub use summary::{RunFilter, RunSummary};

/// What a store's method returns: a future that another thread may drive.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// How a store is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreOptions {
    /// How long connecting may take, waiting for another process that holds a SQLite file included.
    pub connect_timeout: Duration,
    /// How long one operation may take.
    pub operation_timeout: Duration,
    /// Whether tables are created and brought up to date. Without it a missing SQLite file is an error.
    pub migrate: bool,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            operation_timeout: Duration::from_secs(30),
            migrate: true,
        }
    }
}

impl StoreOptions {
    /// The same with waits that the drivers can count: they take milliseconds as 32-bit numbers, and 0 as for ever.
    fn countable(&self) -> Self {
        let countable = |wait: Duration| wait.clamp(Duration::from_millis(2), Duration::from_hours(24));
        Self {
            connect_timeout: countable(self.connect_timeout),
            operation_timeout: countable(self.operation_timeout),
            migrate: self.migrate,
        }
    }
}

/// What saving did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    /// The run is stored now.
    Stored,
    /// A run of this id was stored before; nothing was written.
    AlreadyStored,
}

/// A place that keeps runs.
///
/// Runs of an earlier program that wrote the same tables are listed too, under ids like `legacy-7`; they have a summary
/// and no record.
pub trait Store: Jobs + Outbox + Schedules + Send + Sync + fmt::Debug {
    /// Stores a run, whole or not at all.
    fn save<'a>(&'a self, record: &'a RunRecord) -> StoreFuture<'a, Saved>;

    /// The record of a run.
    fn load<'a>(&'a self, id: &'a RunId) -> StoreFuture<'a, RunRecord>;

    /// The run that a person means: by its id, by the only prefix of one, or by `latest`.
    fn resolve<'a>(&'a self, query: &'a str) -> StoreFuture<'a, RunId>;

    /// The summaries of the runs that match, newest first.
    fn list<'a>(&'a self, filter: &'a RunFilter) -> StoreFuture<'a, Vec<RunSummary>>;

    /// The runs with a record that were stored last, whenever they began, newest first, with the numbers that they got
    /// one after the other.
    fn stored_last(&self, most: usize) -> StoreFuture<'_, Vec<(i64, RunId)>>;

    /// The summary of one run, which legacy runs have too.
    fn summary<'a>(&'a self, id: &'a RunId) -> StoreFuture<'a, RunSummary>;

    /// Deletes a run and its results; a baseline and a run that is held are refused.
    fn delete<'a>(&'a self, id: &'a RunId) -> StoreFuture<'a, ()>;

    /// Holds a run for this reason, so that nothing deletes it, or lifts that; a baseline stays as long as it is one.
    fn hold<'a>(&'a self, id: &'a RunId, reason: Option<&'a str>) -> StoreFuture<'a, ()>;

    /// Makes a run the baseline of its suite and target, in place of any other.
    fn set_baseline<'a>(
        &'a self,
        id: &'a RunId,
        note: Option<&'a str>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'a, Baseline>;

    /// The baseline of a series, if one is set.
    fn baseline<'a>(&'a self, series: &'a Series) -> StoreFuture<'a, Option<Baseline>>;

    /// Every baseline, by suite and target.
    fn baselines(&self) -> StoreFuture<'_, Vec<Baseline>>;

    /// Takes back that a run is a baseline; says whether it was one.
    fn clear_baseline<'a>(&'a self, id: &'a RunId) -> StoreFuture<'a, bool>;

    /// Deletes the runs that the policy no longer wants, or their answers. Held runs and baselines stay whole.
    fn prune<'a>(&'a self, policy: &'a PrunePolicy, now: DateTime<Utc>) -> StoreFuture<'a, PruneReport>;

    /// Which migrations the database has had and which are still to come.
    fn migrations(&self) -> StoreFuture<'_, MigrationStatus>;

    /// Whether the database answers.
    fn ping(&self) -> StoreFuture<'_, ()>;

    /// Whether the database takes what is written, by writing something small. One that is full, held by somebody or only
    /// to be read may answer all the same.
    fn beat(&self) -> StoreFuture<'_, ()>;

    /// Hangs up in order. A store that is dropped instead loses nothing.
    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// Connects to the database at `location` and, if the options say so, brings its tables up to date.
///
/// Several processes may do so at once: one migrates, the others wait for it.
pub async fn open(location: &StoreLocation, options: &StoreOptions) -> Result<Box<dyn Store>, StoreError> {
    let options = options.countable();
    Ok(match location {
        StoreLocation::Sqlite(path) => Box::new(sqlite::SqliteStore::open(path, &options).await?),
        StoreLocation::Postgres(at) => Box::new(postgres::PostgresStore::open(at, &options).await?),
    })
}
