//! The queue: runs that somebody asked for, and who runs them.
//!
//! Whoever takes a job holds it by a lease, a word that nobody else knows, and renews that while it runs. A lease that is
//! not renewed in time is over: [`Jobs::reap_jobs`] gives the job to somebody else, and whatever its first holder says of
//! it later changes nothing. The database holds the clock that leases go by, so that machines need not agree on the time.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{ColumnIndex, Decode, FromRow, Row, Type};

use super::StoreFuture;
use super::columns::from_word;
use crate::domain::{Conclusion, Job, JobState, NewJob, RunId, RunKind};

/// What is said of a job whose holder is gone.
pub(super) const LOST: &str = "the instance that ran it was lost";
/// What is said of a job that was typed and whose process is gone.
pub(super) const TYPED_LOST: &str = "the process that was started for it in a terminal was lost";
/// What is said of a job whose holder gave it up.
pub(super) const HANDED_BACK: &str = "the instance that ran it gave it back";

/// What is said of a job whose record the database has not taken yet.
pub const SPOOLED: &str = "the record waits in the spool";
/// What is said of a job whose record somebody deleted: it is none that could not be kept.
pub const DELETED: &str = "its record was deleted";

/// Jobs that go in one transaction, so that deleting years of them neither holds the lock long nor meets a deadline.
pub(super) const BATCH: i64 = 5_000;

/// Typed jobs that go when another one is entered.
pub(super) const FEW: i64 = 200;

/// Which jobs are listed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JobFilter {
    /// Only jobs in one of these states; empty means all.
    pub states: Vec<JobState>,
    /// Only jobs that run a suite, or only those that run a scenario.
    pub kind: Option<RunKind>,
    /// Only jobs of this suite or scenario.
    pub name: Option<String>,
    /// Only jobs against this target.
    pub target: Option<String>,
    /// Only jobs that this requester asked for.
    pub requester: Option<String>,
    /// Only jobs that were typed in a terminal, or only those that were not.
    pub typed: Option<bool>,
    /// Only jobs of whose run nothing is stored: failed and lost ones, and those whose record still waits in a spool.
    pub without_run: bool,
    /// Only jobs after this one in the list: its time of submission, and its name.
    pub after: Option<(DateTime<Utc>, RunId)>,
    /// At most so many.
    pub limit: Option<usize>,
}

/// What became of a job that was handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Submitted {
    /// It is in the queue.
    New(Job),
    /// This requester had handed one in with the same key; here it is, and nothing was changed.
    Known(Job),
}

/// How many jobs are not over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JobCounts {
    /// Those that wait.
    pub queued: u64,
    /// Those that somebody runs.
    pub running: u64,
}

/// The right to run a job, and to say what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The job.
    pub job: RunId,
    /// What only its holder knows.
    pub word: String,
}

impl Lease {
    /// A lease of a job that is to be entered.
    pub fn new(job: &RunId) -> Self {
        Self { job: job.clone(), word: word() }
    }
}

/// What renewing a lease told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewed {
    /// It holds on.
    Held,
    /// It holds on, and somebody asks the job to stop.
    Cancelled,
    /// It is over: the job is somebody else's, or nobody's.
    Over,
}

/// Whose jobs are taken from them once their lease is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reap {
    /// Everybody's, by a service that tells of it.
    All,
    /// Those that were typed, which nobody runs again.
    Typed,
    /// Those that were typed, and loads whose lease has been over for so long: no service looks after them, and a load that
    /// is typed would wait in vain. The next service that reaps everybody's is given these, too, and tells of them.
    Abandoned(Duration),
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobEnd {
    /// Its last state.
    pub state: JobState,
    /// What came out.
    pub conclusion: Option<Conclusion>,
    /// What else there is to say.
    pub message: Option<String>,
}

/// The queue's part of a store.
pub trait Jobs {
    /// Puts a job into the queue, once for each key of a requester; none if `most` wait there already, typed ones not
    /// counted.
    fn submit_job<'a>(&'a self, job: &'a NewJob, most: u32) -> StoreFuture<'a, Option<Submitted>>;

    /// A job as it stands.
    fn job<'a>(&'a self, id: &'a RunId) -> StoreFuture<'a, Job>;

    /// The jobs that match, the one that was asked for last first.
    fn jobs<'a>(&'a self, filter: &'a JobFilter) -> StoreFuture<'a, Vec<Job>>;

    /// Puts a job of this instance's own into the queue, held by this lease from the beginning: nobody else takes it. A
    /// suite runs at once; a load waits for [`Jobs::begin_load`], and has to be renewed meanwhile. One that is there
    /// already by this lease stays as it is: the answer was lost.
    fn enter_job<'a>(
        &'a self,
        job: &'a NewJob,
        instance: &'a str,
        lease: &'a Lease,
        by: Duration,
    ) -> StoreFuture<'a, ()>;

    /// Begins a load that was entered and waits, if no other one runs and none that was typed waited before it. One that
    /// has begun by this lease stays as it is: the answer was lost.
    fn begin_load<'a>(&'a self, lease: &'a Lease, by: Duration) -> StoreFuture<'a, Option<Job>>;

    /// How many jobs wait, and how many run.
    fn count_jobs(&self) -> StoreFuture<'_, JobCounts>;

    /// Takes the next job for this instance, if one may begin: the highest priority first, the oldest of those. Never a
    /// second load, and never a second run against a target; nothing that was typed, and no load while one that was typed
    /// waits for its turn. `run` is the name of a run that is not the job's first.
    fn claim_job<'a>(
        &'a self,
        instance: &'a str,
        run: &'a RunId,
        lease: Duration,
    ) -> StoreFuture<'a, Option<(Job, Lease)>>;

    /// Goes on holding a job.
    fn renew_job<'a>(&'a self, lease: &'a Lease, by: Duration) -> StoreFuture<'a, Renewed>;

    /// Says how a job ended; none if the lease is over, and then nothing was written.
    fn end_job<'a>(&'a self, lease: &'a Lease, end: &'a JobEnd) -> StoreFuture<'a, Option<Job>>;

    /// Puts a job back into the queue, for another one to run it; whether the lease still held. A job that somebody asks
    /// to stop is cancelled instead.
    fn hand_back_job<'a>(&'a self, lease: &'a Lease) -> StoreFuture<'a, bool>;

    /// Stops a job: at once if it waits; else its holder is told when it renews. One that is over stays as it is.
    fn cancel_job<'a>(&'a self, id: &'a RunId, by: &'a str) -> StoreFuture<'a, Job>;

    /// Takes the jobs whose lease is over from their holders, and gives them as they are then. One whose run is kept has
    /// finished; an accuracy run that was not lost before is queued again, unless it was typed; the others are lost.
    fn reap_jobs(&self, whose: Reap) -> StoreFuture<'_, Vec<Job>>;

    /// Says that the jobs of these runs are over, and gives those that were not: their records are kept by now, or wait in
    /// a spool. A job that somebody holds is left to its holder; one that is lost, or waits to be run again, is not.
    fn settle_jobs<'a>(&'a self, runs: &'a [RunId]) -> StoreFuture<'a, Vec<Job>>;

    /// Says of the job of this run that the record which waited for the database is damaged, and gives it: it was over,
    /// and has failed. One that somebody stopped stays so.
    fn fail_job<'a>(&'a self, run: &'a RunId, why: &'a str) -> StoreFuture<'a, Option<Job>>;

    /// Deletes the jobs that were over before then, and says how many; what their runs found stays. Their idempotency
    /// keys go with them. A dry run only counts them.
    fn prune_jobs(&self, before: DateTime<Utc>, dry_run: bool) -> StoreFuture<'_, u64>;

    /// Deletes some of the typed jobs that were over before then: so many that their number falls with each
    /// that is entered, and so few that nobody waits for it.
    fn forget_typed_jobs(&self, before: DateTime<Utc>) -> StoreFuture<'_, u64>;
}

impl Reap {
    /// How long the lease of a load that was not typed has to be over, in milliseconds; none where those stay.
    pub(super) fn abandoned(self) -> Option<i64> {
        match self {
            Self::All => Some(0),
            Self::Typed => None,
            Self::Abandoned(wait) => Some(millis(wait)),
        }
    }
}

/// A job, as both databases select it.
pub(super) struct JobRow(Job);

impl<'r, R: Row> FromRow<'r, R> for JobRow
where
    &'static str: ColumnIndex<R>,
    i32: Decode<'r, R::Database> + Type<R::Database>,
    String: Decode<'r, R::Database> + Type<R::Database>,
    bool: Decode<'r, R::Database> + Type<R::Database>,
    DateTime<Utc>: Decode<'r, R::Database> + Type<R::Database>,
{
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        let text = |column: &'static str| row.try_get::<Option<String>, _>(column);
        let time = |column: &'static str| row.try_get::<Option<DateTime<Utc>>, _>(column);
        Ok(Self(Job {
            id: RunId::from_stored(row.try_get::<String, _>("id")?),
            kind: known::<RunKind>("kind", &row.try_get::<String, _>("kind")?)?,
            name: row.try_get("name")?,
            target: row.try_get("target")?,
            priority: row.try_get("priority")?,
            requester: row.try_get("requester")?,
            idempotency_key: text("idempotency_key")?,
            state: known::<JobState>("state", &row.try_get::<String, _>("state")?)?,
            submitted_at: row.try_get("submitted_at")?,
            started_at: time("started_at")?,
            ended_at: time("ended_at")?,
            attempt: row.try_get("attempt")?,
            times_lost: row.try_get("times_lost")?,
            instance: text("instance")?,
            cancelled_by: text("cancelled_by")?,
            run: text("run_id")?.map(RunId::from_stored),
            conclusion: text("conclusion")?.as_deref().and_then(from_word),
            message: text("message")?,
            typed: row.try_get("typed")?,
            answers_removed_at: time("answers_removed_at")?,
        }))
    }
}

/// The value of this name. A newer program may know more of them, and what it wrote must not be taken for something else.
fn known<T: serde::de::DeserializeOwned>(column: &str, word: &str) -> sqlx::Result<T> {
    from_word(word).ok_or_else(|| sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: format!("this program does not know `{word}`").into(),
    })
}

impl From<JobRow> for Job {
    fn from(row: JobRow) -> Self {
        row.0
    }
}

/// A word that nobody guesses.
pub(super) fn word() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// A wait in whole milliseconds, at least one.
pub(super) fn millis(wait: Duration) -> i64 {
    i64::try_from(wait.as_millis()).unwrap_or(i64::MAX).clamp(1, 1 << 40)
}
