//! The queue.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{Sqlite, SqliteTransaction};

use super::SqliteStore;
use crate::domain::{Job, NewJob, RunId};
use crate::store::StoreFuture;
use crate::store::columns::word as stored;
use crate::store::error::StoreError;
use crate::store::job_list;
use crate::store::jobs::{
    BATCH, FEW, HANDED_BACK, JobCounts, JobEnd, JobFilter, JobRow, Jobs, LOST, Lease, Reap, Renewed, SPOOLED,
    Submitted, TYPED_LOST, millis, word,
};

/// How times stand in the table, and what `strftime('%F %H:%M:%f')` writes.
const TIME: &str = "%Y-%m-%d %H:%M:%S%.3f";

/// The columns of a job, as [`JobRow`] has them.
macro_rules! columns {
    () => {
        "jobs.id, jobs.kind, name, jobs.target, priority, requester, idempotency_key, state, submitted_at, started_at,
            ended_at, attempt, times_lost, instance, cancelled_by, jobs.run_id, jobs.conclusion, message, typed,
            (SELECT answers_removed_at FROM retention JOIN test_runs kept ON kept.id = retention.run
                WHERE kept.run_id = jobs.run_id) AS answers_removed_at"
    };
}

/// A statement about jobs that gives them back.
macro_rules! returning {
    ($statement:literal) => {
        concat!($statement, " RETURNING ", columns!())
    };
}

/// The jobs, of which a condition follows.
macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", columns!(), " FROM jobs ", $rest)
    };
}

impl Jobs for SqliteStore {
    fn submit_job<'a>(&'a self, job: &'a NewJob, most: u32) -> StoreFuture<'a, Option<Submitted>> {
        Box::pin(async move {
            let row: Option<JobRow> = writing!(self, "put a run into the queue", |transaction| {
                sqlx::query_as(returning!(
                    "INSERT INTO jobs
                        (id, kind, name, target, priority, requester, idempotency_key, state, submitted_at)
                     SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, 'queued', strftime('%F %H:%M:%f')
                     WHERE (SELECT count(*) FROM jobs WHERE state = 'queued' AND NOT typed) < ?8
                     ON CONFLICT (requester, idempotency_key) DO NOTHING"
                ))
                .bind(job.id.as_str())
                .bind(stored(&job.kind))
                .bind(&job.name)
                .bind(&job.target)
                .bind(job.priority)
                .bind(&job.requester)
                .bind(&job.idempotency_key)
                .bind(i64::from(most))
                .fetch_optional(&mut *transaction)
                .await?
            })?;
            if let Some(row) = row {
                return Ok(Some(Submitted::New(row.into())));
            }
            let row: Option<JobRow> = self
                .database
                .within("look up a run by its key", async {
                    sqlx::query_as(select!("WHERE requester = ?1 AND idempotency_key = ?2"))
                        .bind(&job.requester)
                        .bind(&job.idempotency_key)
                        .fetch_optional(&self.pool)
                        .await
                })
                .await?;
            Ok(row.map(|row| Submitted::Known(row.into())))
        })
    }

    fn job<'a>(&'a self, id: &'a RunId) -> StoreFuture<'a, Job> {
        Box::pin(async move {
            let row: Option<JobRow> = self
                .database
                .within(&format!("look up run `{id}`"), async {
                    sqlx::query_as(select!("WHERE id = ?1"))
                        .bind(id.as_str())
                        .fetch_optional(&self.pool)
                        .await
                })
                .await?;
            row.map(Job::from).ok_or_else(|| StoreError::NotFound { query: id.to_string() })
        })
    }

    fn jobs<'a>(&'a self, filter: &'a JobFilter) -> StoreFuture<'a, Vec<Job>> {
        Box::pin(async move {
            let after = filter.after.as_ref().map(|(time, _)| time.format(TIME).to_string());
            let mut list = job_list::list::<Sqlite, _>(select!(""), "test_runs", filter, after);
            let rows: Vec<JobRow> =
                self.database.within("list the queue", list.build_query_as().fetch_all(&self.pool)).await?;
            Ok(rows.into_iter().map(Job::from).collect())
        })
    }

    fn enter_job<'a>(
        &'a self,
        job: &'a NewJob,
        instance: &'a str,
        lease: &'a Lease,
        by: Duration,
    ) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            writing!(self, "put a run into the queue", |transaction| {
                sqlx::query(
                    "INSERT INTO jobs
                        (id, kind, name, target, priority, requester, instance, typed, lease, lease_until, submitted_at,
                            state, started_at, attempt, run_id)
                     SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, TRUE, ?9, CAST(unixepoch('subsec') * 1000 AS INTEGER) + ?8, strftime('%F %H:%M:%f'),
                        CASE WHEN ?2 = 'load' THEN 'queued' ELSE 'running' END,
                        CASE WHEN ?2 = 'load' THEN NULL ELSE strftime('%F %H:%M:%f') END,
                        CASE WHEN ?2 = 'load' THEN 0 ELSE 1 END,
                        CASE WHEN ?2 = 'load' THEN NULL ELSE ?1 END
                     WHERE TRUE
                     ON CONFLICT (id) DO UPDATE SET lease_until = excluded.lease_until WHERE jobs.lease = excluded.lease",
                )
                .bind(job.id.as_str())
                .bind(stored(&job.kind))
                .bind(&job.name)
                .bind(&job.target)
                .bind(job.priority)
                .bind(&job.requester)
                .bind(instance)
                .bind(millis(by))
                .bind(&lease.word)
                .execute(&mut *transaction)
                .await?
            })?;
            Ok(())
        })
    }

    fn begin_load<'a>(&'a self, lease: &'a Lease, by: Duration) -> StoreFuture<'a, Option<Job>> {
        Box::pin(async move {
            let doing = format!("begin run `{}`", lease.job);
            let row: Option<JobRow> = writing!(self, &doing, |transaction| {
                let begun = sqlx::query_as(returning!(
                    "UPDATE jobs SET state = 'running', started_at = COALESCE(started_at, strftime('%F %H:%M:%f')), attempt = 1, run_id = id,
                        lease_until = CAST(unixepoch('subsec') * 1000 AS INTEGER) + ?3
                     WHERE id = ?1 AND lease = ?2 AND (state = 'running' OR (state = 'queued'
                        AND NOT EXISTS (SELECT 1 FROM jobs other WHERE other.kind = 'load' AND other.state = 'running')
                        AND NOT EXISTS (SELECT 1 FROM jobs other WHERE other.kind = 'load' AND other.state = 'queued'
                            AND other.typed AND other.lease_until >= CAST(unixepoch('subsec') * 1000 AS INTEGER)
                            AND (other.submitted_at, other.id) < (jobs.submitted_at, jobs.id))))"
                ))
                .bind(lease.job.as_str())
                .bind(&lease.word)
                .bind(millis(by))
                .fetch_optional(&mut *transaction)
                .await;
                match begun {
                    // Another load began after we looked: the index says no.
                    Err(sqlx::Error::Database(error)) if error.is_unique_violation() => None,
                    begun => begun?,
                }
            })?;
            Ok(row.map(Job::from))
        })
    }

    fn count_jobs(&self) -> StoreFuture<'_, JobCounts> {
        Box::pin(async move {
            let (queued, running): (i64, i64) = self
                .database
                .within("count the queue", async {
                    sqlx::query_as(
                        "SELECT (SELECT count(*) FROM jobs WHERE state = 'queued'),
                            (SELECT count(*) FROM jobs WHERE state = 'running')",
                    )
                    .fetch_one(&self.pool)
                    .await
                })
                .await?;
            Ok(JobCounts { queued: queued.unsigned_abs(), running: running.unsigned_abs() })
        })
    }

    fn claim_job<'a>(
        &'a self,
        instance: &'a str,
        run: &'a RunId,
        lease: Duration,
    ) -> StoreFuture<'a, Option<(Job, Lease)>> {
        Box::pin(async move {
            let word = word();
            let row: Option<JobRow> = writing!(self, "take a run from the queue", |transaction| {
                let claimed = sqlx::query_as(returning!(
                    "UPDATE jobs SET state = 'running', started_at = strftime('%F %H:%M:%f'), attempt = attempt + 1,
                        instance = ?1, lease = ?2, lease_until = CAST(unixepoch('subsec') * 1000 AS INTEGER) + ?3,
                        run_id = CASE WHEN attempt = 0 THEN id ELSE ?4 END
                     WHERE id = (
                        SELECT id FROM jobs waiting
                        WHERE state = 'queued' AND NOT typed AND NOT EXISTS (
                            SELECT 1 FROM jobs running WHERE running.state = 'running'
                                AND ((running.target = waiting.target AND NOT running.typed)
                                    OR (running.kind = 'load' AND waiting.kind = 'load')))
                        AND NOT (kind = 'load' AND EXISTS (
                            SELECT 1 FROM jobs own WHERE own.state = 'queued' AND own.typed
                                AND own.kind = 'load' AND own.lease_until >= CAST(unixepoch('subsec') * 1000 AS INTEGER)))
                        ORDER BY priority DESC, submitted_at, rowid LIMIT 1)"
                ))
                .bind(instance)
                .bind(&word)
                .bind(millis(lease))
                .bind(run.as_str())
                .fetch_optional(&mut *transaction)
                .await;
                match claimed {
                    // The index has the last word.
                    Err(sqlx::Error::Database(error)) if error.is_unique_violation() => None,
                    claimed => claimed?,
                }
            })?;
            Ok(row.map(Job::from).map(|job| {
                let lease = Lease { job: job.id.clone(), word };
                (job, lease)
            }))
        })
    }

    fn renew_job<'a>(&'a self, lease: &'a Lease, by: Duration) -> StoreFuture<'a, Renewed> {
        Box::pin(async move {
            let doing = format!("go on holding run `{}`", lease.job);
            let row: Option<Option<String>> = writing!(self, &doing, |transaction| {
                sqlx::query_scalar(
                    "UPDATE jobs SET lease_until = CAST(unixepoch('subsec') * 1000 AS INTEGER) + ?3
                     WHERE id = ?1 AND lease = ?2 AND state IN ('queued', 'running') RETURNING cancelled_by",
                )
                .bind(lease.job.as_str())
                .bind(&lease.word)
                .bind(millis(by))
                .fetch_optional(&mut *transaction)
                .await?
            })?;
            Ok(match row {
                None => Renewed::Over,
                Some(None) => Renewed::Held,
                Some(Some(_)) => Renewed::Cancelled,
            })
        })
    }

    fn end_job<'a>(&'a self, lease: &'a Lease, end: &'a JobEnd) -> StoreFuture<'a, Option<Job>> {
        Box::pin(async move {
            let doing = format!("note the end of run `{}`", lease.job);
            let row: Option<JobRow> = writing!(self, &doing, |transaction| {
                sqlx::query_as(returning!(
                    "UPDATE jobs SET state = ?3, conclusion = ?4, message = ?5, ended_at = strftime('%F %H:%M:%f'),
                        lease = NULL, lease_until = NULL
                     WHERE id = ?1 AND lease = ?2 AND state = 'running'"
                ))
                .bind(lease.job.as_str())
                .bind(&lease.word)
                .bind(end.state.as_str())
                .bind(end.conclusion.map(|conclusion| stored(&conclusion)))
                .bind(&end.message)
                .fetch_optional(&mut *transaction)
                .await?
            })?;
            Ok(row.map(Job::from))
        })
    }

    fn hand_back_job<'a>(&'a self, lease: &'a Lease) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let doing = format!("hand run `{}` back", lease.job);
            let done = writing!(self, &doing, |transaction| {
                sqlx::query(
                    "UPDATE jobs SET lease = NULL, lease_until = NULL, message = ?3,
                        state = CASE WHEN cancelled_by IS NULL THEN 'queued' ELSE 'cancelled' END,
                        ended_at = CASE WHEN cancelled_by IS NULL THEN NULL ELSE strftime('%F %H:%M:%f') END
                     WHERE id = ?1 AND lease = ?2 AND state = 'running'",
                )
                .bind(lease.job.as_str())
                .bind(&lease.word)
                .bind(HANDED_BACK)
                .execute(&mut *transaction)
                .await?
            })?;
            Ok(done.rows_affected() > 0)
        })
    }

    fn cancel_job<'a>(&'a self, id: &'a RunId, by: &'a str) -> StoreFuture<'a, Job> {
        Box::pin(async move {
            let doing = format!("stop run `{id}`");
            let row: Option<JobRow> = writing!(self, &doing, |transaction| {
                sqlx::query_as(returning!(
                    "UPDATE jobs SET cancelled_by = COALESCE(cancelled_by, ?2),
                        state = CASE state WHEN 'queued' THEN 'cancelled' ELSE state END,
                        ended_at = CASE state WHEN 'queued' THEN strftime('%F %H:%M:%f') ELSE ended_at END
                     WHERE id = ?1 AND state IN ('queued', 'running')"
                ))
                .bind(id.as_str())
                .bind(by)
                .fetch_optional(&mut *transaction)
                .await?
            })?;
            match row {
                Some(row) => Ok(row.into()),
                None => self.job(id).await,
            }
        })
    }

    fn reap_jobs(&self, whose: Reap) -> StoreFuture<'_, Vec<Job>> {
        Box::pin(async move {
            let rows: Vec<JobRow> =
                writing!(self, "look for lost runs", |transaction| reap(&mut transaction, whose).await?)?;
            Ok(rows.into_iter().map(Job::from).collect())
        })
    }

    fn settle_jobs<'a>(&'a self, runs: &'a [RunId]) -> StoreFuture<'a, Vec<Job>> {
        Box::pin(async move {
            let runs: Vec<&str> = runs.iter().map(RunId::as_str).collect();
            let runs = serde_json::Value::from(runs).to_string();
            let rows: Vec<JobRow> = writing!(self, "say which runs are over", |transaction| {
                sqlx::query_as(returning!(
                    "UPDATE jobs SET lease = NULL, lease_until = NULL,
                        ended_at = CASE state WHEN 'lost' THEN strftime('%F %H:%M:%f')
                            ELSE COALESCE(ended_at, strftime('%F %H:%M:%f')) END,
                        state = CASE WHEN cancelled_by IS NULL THEN 'finished' ELSE 'cancelled' END,
                        conclusion = (SELECT conclusion FROM test_runs run WHERE run.run_id = jobs.run_id),
                        message = CASE WHEN EXISTS (SELECT 1 FROM test_runs run WHERE run.run_id = jobs.run_id)
                            THEN NULL ELSE ?2 END
                     WHERE run_id IN (SELECT value FROM json_each(?1)) AND (state IN ('queued', 'lost')
                        OR (state = 'running' AND lease_until < CAST(unixepoch('subsec') * 1000 AS INTEGER))
                        OR (state IN ('finished', 'cancelled') AND message LIKE ?2 || '%'
                            AND EXISTS (SELECT 1 FROM test_runs run WHERE run.run_id = jobs.run_id)))"
                ))
                .bind(runs)
                .bind(SPOOLED)
                .fetch_all(&mut *transaction)
                .await?
            })?;
            Ok(rows.into_iter().map(Job::from).collect())
        })
    }

    fn fail_job<'a>(&'a self, run: &'a RunId, why: &'a str) -> StoreFuture<'a, Option<Job>> {
        Box::pin(async move {
            let row: Option<JobRow> = writing!(self, "say that a record is damaged", |transaction| {
                sqlx::query_as(returning!(
                    "UPDATE jobs SET message = ?3, ended_at = strftime('%F %H:%M:%f'),
                        conclusion = NULL, state = CASE state WHEN 'finished' THEN 'failed' ELSE state END
                     WHERE run_id = ?1 AND state IN ('finished', 'cancelled') AND message LIKE ?2 || '%'
                        AND NOT EXISTS (SELECT 1 FROM test_runs run WHERE run.run_id = jobs.run_id)"
                ))
                .bind(run.as_str())
                .bind(SPOOLED)
                .bind(why)
                .fetch_optional(&mut *transaction)
                .await?
            })?;
            Ok(row.map(Job::from))
        })
    }

    fn prune_jobs(&self, before: DateTime<Utc>, dry_run: bool) -> StoreFuture<'_, u64> {
        Box::pin(async move {
            if dry_run {
                let count = self.database.within("count old jobs", async {
                    sqlx::query_scalar::<_, i64>("SELECT count(*) FROM jobs WHERE ended_at < ?1")
                        .bind(before.format(TIME).to_string())
                        .fetch_one(&self.pool)
                        .await
                });
                return Ok(count.await?.unsigned_abs());
            }
            let mut gone = 0;
            loop {
                let done = writing!(self, "delete old jobs", |transaction| {
                    sqlx::query(
                        "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE ended_at < ?1 LIMIT ?2)",
                    )
                    .bind(before.format(TIME).to_string())
                    .bind(BATCH)
                    .execute(&mut *transaction)
                    .await?
                })?;
                gone += done.rows_affected();
                if done.rows_affected() < BATCH.unsigned_abs() {
                    return Ok(gone);
                }
            }
        })
    }

    fn forget_typed_jobs(&self, before: DateTime<Utc>) -> StoreFuture<'_, u64> {
        Box::pin(async move {
            let done = writing!(self, "delete old jobs", |transaction| {
                sqlx::query(
                    "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE typed AND ended_at < ?1 LIMIT ?2)",
                )
                .bind(before.format(TIME).to_string())
                .bind(FEW)
                .execute(&mut *transaction)
                .await?
            })?;
            Ok(done.rows_affected())
        })
    }
}

async fn reap(transaction: &mut SqliteTransaction<'_>, whose: Reap) -> sqlx::Result<Vec<JobRow>> {
    let mut rows: Vec<JobRow> = Vec::new();
    if whose == Reap::All {
        // What a load that was typed took from a service that was gone.
        rows = sqlx::query_as(returning!("UPDATE jobs SET untold = FALSE WHERE untold"))
            .fetch_all(&mut **transaction)
            .await?;
    }
    let kept: Vec<JobRow> = sqlx::query_as(returning!(
        "UPDATE jobs SET lease = NULL, lease_until = NULL, untold = NOT ?2 AND NOT typed, ended_at = strftime('%F %H:%M:%f'),
            state = CASE WHEN cancelled_by IS NULL THEN 'finished' ELSE 'cancelled' END,
            conclusion = run.conclusion, message = CASE WHEN typed THEN ?3 ELSE ?1 END
         FROM test_runs run
         WHERE state IN ('queued', 'running') AND lease_until < CAST(unixepoch('subsec') * 1000 AS INTEGER)
            AND (?2 OR typed OR (jobs.kind = 'load' AND lease_until < CAST(unixepoch('subsec') * 1000 AS INTEGER) - ?4))
            AND run.run_id = jobs.run_id"
    ))
    .bind(LOST)
    .bind(whose == Reap::All)
    .bind(TYPED_LOST)
    .bind(whose.abandoned())
    .fetch_all(&mut **transaction)
    .await?;
    let lost: Vec<JobRow> = sqlx::query_as(returning!(
        "UPDATE jobs SET lease = NULL, lease_until = NULL, untold = NOT ?2 AND NOT typed, times_lost = times_lost + 1,
            message = CASE WHEN typed THEN ?3 ELSE ?1 END,
            state = CASE WHEN cancelled_by IS NOT NULL THEN 'cancelled'
                WHEN kind = 'accuracy' AND times_lost = 0 AND NOT typed THEN 'queued' ELSE 'lost' END,
            ended_at = CASE WHEN cancelled_by IS NULL AND kind = 'accuracy' AND times_lost = 0 AND NOT typed THEN NULL
                ELSE strftime('%F %H:%M:%f') END
         WHERE state IN ('queued', 'running') AND lease_until < CAST(unixepoch('subsec') * 1000 AS INTEGER)
            AND (?2 OR typed OR (kind = 'load' AND lease_until < CAST(unixepoch('subsec') * 1000 AS INTEGER) - ?4))"
    ))
    .bind(LOST)
    .bind(whose == Reap::All)
    .bind(TYPED_LOST)
    .bind(whose.abandoned())
    .fetch_all(&mut **transaction)
    .await?;
    rows.extend(kept);
    rows.extend(lost);
    Ok(rows)
}
