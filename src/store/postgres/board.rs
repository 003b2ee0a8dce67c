//! The board's statements. All times are the database's, and each statement is whole in itself: a worker that is killed
//! leaves nothing half done, and what was told twice counts once.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use sqlx::Postgres;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;

use crate::domain::RunId;
use crate::store::board::{Clock, GONE, Heard, JoinedShard, LoadBoard, News, PostedJob, Stop};
use crate::store::error::StoreError;

/// Jobs that nobody has cared for in so many seconds are swept away, whatever their name.
const FORGOTTEN_S: f64 = 3600.0;
/// The clock is asked so often, and the quickest answer believed.
const ASK_CLOCK: usize = 5;

type Change<'a> = Query<'a, Postgres, PgArguments>;
type HeardRow = (i32, Option<String>, Option<DateTime<Utc>>, Option<String>, f64, bool);

impl LoadBoard {
    /// Posts a job; gives the run that has its name if another goes on under it.
    pub async fn post(&self, job: &str, posted: &PostedJob) -> Result<Option<RunId>, StoreError> {
        let store = &self.0;
        store
            .database
            .within("begin a load run with workers", async {
                let mut transaction = store.pool.begin_with(store.begin()).await?;
                sqlx::query(
                    "DELETE FROM ash_thrash.load_jobs
                     WHERE seen_at < clock_timestamp() - make_interval(secs => CASE job WHEN $1 THEN $2 ELSE $3 END)",
                )
                .bind(job)
                .bind(GONE.as_secs_f64())
                .bind(FORGOTTEN_S)
                .execute(&mut *transaction)
                .await?;
                let inserted = sqlx::query(
                    "INSERT INTO ash_thrash.load_jobs (run_id, job, shards, orders, seen_at)
                     VALUES ($1, $2, $3, $4, clock_timestamp()) ON CONFLICT (job) DO NOTHING",
                )
                .bind(posted.run.as_str())
                .bind(job)
                .bind(small(posted.shards))
                .bind(&posted.orders)
                .execute(&mut *transaction)
                .await?;
                let mut other: Option<String> = None;
                if inserted.rows_affected() == 0 {
                    other = sqlx::query_scalar("SELECT run_id FROM ash_thrash.load_jobs WHERE job = $1 AND run_id <> $2")
                        .bind(job)
                        .bind(posted.run.as_str())
                        .fetch_optional(&mut *transaction)
                        .await?;
                }
                transaction.commit().await?;
                Ok(other.map(RunId::from_stored))
            })
            .await
    }

    /// The job of this name, if one goes on.
    pub async fn find(&self, job: &str) -> Result<Option<PostedJob>, StoreError> {
        let row: Option<(String, i32, String)> = self
            .0
            .database
            .within("look for the load run", async {
                sqlx::query_as(
                    "SELECT run_id, shards, orders FROM ash_thrash.load_jobs
                     WHERE job = $1 AND seen_at > clock_timestamp() - make_interval(secs => $2)",
                )
                .bind(job)
                .bind(GONE.as_secs_f64())
                .fetch_optional(&self.0.pool)
                .await
            })
            .await?;
        Ok(row.map(|(run, shards, orders)| PostedJob {
            run: RunId::from_stored(run),
            shards: usize::try_from(shards).unwrap_or_default(),
            orders,
        }))
    }

    /// Takes a shard; false where another process has it. Before the first load begins it is given to whoever comes
    /// after a worker that is gone.
    pub async fn join(&self, joined: &JoinedShard) -> Result<bool, StoreError> {
        let taken = self
            .0
            .database
            .within("join the load run", async {
                sqlx::query(
                    "INSERT INTO ash_thrash.load_shards AS shard (run_id, shard, worker, seen_at)
                     SELECT run_id, $2, $3, clock_timestamp() FROM ash_thrash.load_jobs WHERE run_id = $1
                     ON CONFLICT (run_id, shard) DO UPDATE SET worker = excluded.worker, seen_at = excluded.seen_at
                        WHERE shard.worker = excluded.worker
                           OR shard.seen_at < clock_timestamp() - make_interval(secs => $4)
                          AND (SELECT load FROM ash_thrash.load_jobs WHERE run_id = $1) = 0",
                )
                .bind(joined.run.as_str())
                .bind(small(joined.shard))
                .bind(&joined.worker)
                .bind(GONE.as_secs_f64())
                .execute(&self.0.pool)
                .await
            })
            .await?;
        Ok(taken.rows_affected() > 0)
    }

    /// Tells news, the first of which has this number, and hears how the run stands; none if it is over. The job is
    /// locked against its end meanwhile: seen before and gone after, its shard would look like somebody else's.
    pub async fn tell(
        &self,
        joined: &JoinedShard,
        first: i64,
        news: &[String],
    ) -> Result<Option<Heard>, StoreError> {
        let numbers: Vec<i64> = (first..).take(news.len()).collect();
        let row: Option<HeardRow> = self
            .0
            .database
            .within("tell what the load does", async {
                sqlx::query_as(
                    "WITH job AS (
                        SELECT * FROM ash_thrash.load_jobs WHERE run_id = $1 FOR KEY SHARE
                     ), ours AS (
                        UPDATE ash_thrash.load_shards shard SET seen_at = clock_timestamp() FROM job
                        WHERE shard.run_id = job.run_id AND shard.shard = $2 AND shard.worker = $3
                        RETURNING shard.run_id, shard.shard
                     ), told AS (
                        INSERT INTO ash_thrash.load_news (run_id, shard, number, body)
                        SELECT ours.run_id, ours.shard, news.number, news.body
                        FROM ours, unnest($4::int8[], $5::text[]) AS news (number, body)
                        ON CONFLICT DO NOTHING
                     )
                     SELECT load, load_orders, starts_at, stop,
                        EXTRACT(EPOCH FROM clock_timestamp() - seen_at)::float8, EXISTS (SELECT 1 FROM ours)
                     FROM job",
                )
                .bind(joined.run.as_str())
                .bind(small(joined.shard))
                .bind(&joined.worker)
                .bind(numbers)
                .bind(news)
                .fetch_optional(&self.0.pool)
                .await
            })
            .await?;
        Ok(row.map(|(load, orders, starts_at, stop, silence, is_ours)| Heard {
            load: u32::try_from(load).unwrap_or_default(),
            orders,
            starts_at,
            stop: stop.as_deref().map(Stop::from_stored),
            silence: seconds(silence),
            is_ours,
        }))
    }

    /// What every worker told after the number that was read of it last. What was read before goes.
    pub async fn read(&self, run: &RunId, last: &[i64]) -> Result<Vec<News>, StoreError> {
        let shards: Vec<i32> = (0..last.len()).map(small).collect();
        let rows: Vec<(i32, i64, String)> = self
            .0
            .database
            .within("read what the workers tell", async {
                sqlx::query_as(
                    "WITH read AS (SELECT * FROM unnest($2::int4[], $3::int8[]) AS read (shard, number)),
                     gone AS (
                        DELETE FROM ash_thrash.load_news news USING read
                        WHERE news.run_id = $1 AND news.shard = read.shard AND news.number <= read.number
                     )
                     SELECT news.shard, news.number, news.body FROM ash_thrash.load_news news
                     JOIN read ON read.shard = news.shard
                     WHERE news.run_id = $1 AND news.number > read.number ORDER BY news.shard, news.number",
                )
                .bind(run.as_str())
                .bind(shards)
                .bind(last)
                .fetch_all(&self.0.pool)
                .await
            })
            .await?;
        let news = |(shard, number, body): (i32, i64, String)| News {
            shard: usize::try_from(shard).unwrap_or_default(),
            number,
            body,
        };
        Ok(rows.into_iter().map(news).collect())
    }

    /// The shards that are taken, and how long nothing was heard of each.
    pub async fn present(&self, run: &RunId) -> Result<Vec<(usize, Duration)>, StoreError> {
        let rows: Vec<(i32, f64)> = self
            .0
            .database
            .within("look for the workers", async {
                sqlx::query_as(
                    "SELECT shard, EXTRACT(EPOCH FROM clock_timestamp() - seen_at)::float8
                     FROM ash_thrash.load_shards WHERE run_id = $1 ORDER BY shard",
                )
                .bind(run.as_str())
                .fetch_all(&self.0.pool)
                .await
            })
            .await?;
        Ok(rows
            .into_iter()
            .map(|(shard, silence)| (usize::try_from(shard).unwrap_or(usize::MAX), seconds(silence)))
            .collect())
    }

    /// Takes a shard away from whoever has it, and nobody else gets it: what it tells from now on is not heard.
    pub async fn take_away(&self, run: &RunId, shard: usize) -> Result<(), StoreError> {
        let take =
            sqlx::query("UPDATE ash_thrash.load_shards SET worker = '' WHERE run_id = $1 AND shard = $2");
        self.change("give up a worker", run, take.bind(run.as_str()).bind(small(shard))).await
    }

    /// Whoever began the run is still there.
    pub async fn beat(&self, run: &RunId) -> Result<(), StoreError> {
        let beat =
            sqlx::query("UPDATE ash_thrash.load_jobs SET seen_at = clock_timestamp() WHERE run_id = $1");
        self.change("keep the load run", run, beat.bind(run.as_str())).await
    }

    /// Gives the orders of the next load. Given again they take back no start and no stop, however late they arrive.
    pub async fn order(&self, run: &RunId, load: u32, orders: &str) -> Result<(), StoreError> {
        let order = sqlx::query(
            "UPDATE ash_thrash.load_jobs SET load = $2, load_orders = $3,
                starts_at = CASE WHEN load = $2 THEN starts_at END, stop = CASE WHEN load = $2 THEN stop END
             WHERE run_id = $1 AND load <= $2",
        )
        .bind(run.as_str())
        .bind(i32::try_from(load).unwrap_or(i32::MAX))
        .bind(orders);
        self.change("begin the next load", run, order).await
    }

    /// All begin so long from now.
    pub async fn start(&self, run: &RunId, lead: Duration) -> Result<(), StoreError> {
        let start = sqlx::query(
            "UPDATE ash_thrash.load_jobs SET starts_at = COALESCE(starts_at, clock_timestamp() + make_interval(secs => $2))
             WHERE run_id = $1",
        )
        .bind(run.as_str())
        .bind(lead.as_secs_f64());
        self.change("start the load", run, start).await
    }

    /// All stop.
    pub async fn stop(&self, run: &RunId, how: Stop) -> Result<(), StoreError> {
        let stop = sqlx::query("UPDATE ash_thrash.load_jobs SET stop = $2 WHERE run_id = $1");
        self.change("stop the load", run, stop.bind(run.as_str()).bind(how.as_str())).await
    }

    /// The run is over.
    pub async fn remove(&self, run: &RunId) -> Result<(), StoreError> {
        let remove = sqlx::query("DELETE FROM ash_thrash.load_jobs WHERE run_id = $1");
        self.change("keep the load run", run, remove.bind(run.as_str())).await
    }

    async fn change(&self, doing: &str, run: &RunId, what: Change<'_>) -> Result<(), StoreError> {
        let changed = self.0.database.within(doing, what.execute(&self.0.pool)).await?;
        if changed.rows_affected() > 0 {
            Ok(())
        } else {
            Err(StoreError::NotFound { query: run.to_string() })
        }
    }

    /// The database's clock.
    pub async fn clock(&self) -> Result<Clock, StoreError> {
        let mut best = self.ask_clock().await?;
        for _ in 1..ASK_CLOCK {
            let clock = self.ask_clock().await?;
            if clock.error < best.error {
                best = clock;
            }
        }
        Ok(best)
    }

    async fn ask_clock(&self) -> Result<Clock, StoreError> {
        self.0
            .database
            .within("read the database's clock", async {
                let mut connection = self.0.pool.acquire().await?;
                let (before, here) = (Instant::now(), Utc::now());
                let database: DateTime<Utc> =
                    sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(&mut *connection).await?;
                Ok(Clock::new(before, here, database, before.elapsed()))
            })
            .await
    }
}

fn small(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX)
}
