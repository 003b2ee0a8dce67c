//! The store in PostgreSQL, for a team: schema `ash_thrash`, beside the programs that have used it before.

/// Does one thing in a transaction of its own, within the time that an operation may take.
macro_rules! writing {
    ($store:expr, $doing:expr, |$transaction:ident| $work:expr) => {
        $store
            .database
            .within($doing, async {
                let mut $transaction = $store.pool.begin_with($store.begin()).await?;
                let done = $work;
                $transaction.commit().await?;
                Ok(done)
            })
            .await
    };
}

mod baseline;
mod board;
mod change;
mod jobs;
mod outbox;
mod query;
mod save;
mod schedules;

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::migrate::AppliedMigration;
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, PgPool, SqlStr};
use sqlx::{SqlSafeStr, postgres::PgTransaction};

use super::driver::{Database, MIGRATION_TIMEOUT};
use super::error::{StoreError, StoreErrorKind};
use super::location::PostgresLocation;
use super::migrate::{MigrationStatus, Migrations};
use super::prune::{PrunePolicy, PruneReport};
use super::summary::{RunFilter, RunSummary};
use super::{Saved, Store, StoreFuture, StoreOptions};
use crate::domain::{Baseline, RunId, RunRecord, Series};

/// The key of the advisory lock that a migrating process holds: `thrash` in ASCII.
const MIGRATION_LOCK: i64 = 0x7468_7261_7368;

/// A PostgreSQL database.
pub(super) struct PostgresStore {
    pool: PgPool,
    pub(super) database: Database,
    migrations: Migrations,
}

impl PostgresStore {
    pub(super) async fn open(at: &PostgresLocation, options: &StoreOptions) -> Result<Self, StoreError> {
        let connect = at.options().clone().disable_statement_logging();
        let database = Database {
            name: at.to_string(),
            connect_timeout: options.connect_timeout,
            operation_timeout: options.operation_timeout,
            classify,
        };
        // The first connection is not the pool's: the pool would try a refused one again until the deadline, and then
        // say no more than that it waited.
        let mut first = database.connecting(connect.connect()).await?;
        let patience = options.connect_timeout;
        let pool = PgPoolOptions::new()
            .max_connections(8)
            .acquire_timeout(patience)
            .after_release(move |connection, _| Box::pin(answers(connection, patience)));
        let store = Self {
            pool: pool.connect_lazy_with(connect),
            database,
            migrations: Migrations::new(
                "ash_thrash.thrash_migrations",
                &[
                    ("runs", include_str!("../../../migrations/postgres/0001_runs.sql")),
                    ("baselines", include_str!("../../../migrations/postgres/0002_baselines.sql")),
                    ("jobs", include_str!("../../../migrations/postgres/0003_jobs.sql")),
                    ("notifications", include_str!("../../../migrations/postgres/0004_notifications.sql")),
                    ("load_workers", include_str!("../../../migrations/postgres/0005_load_workers.sql")),
                    ("retention", include_str!("../../../migrations/postgres/0006_retention.sql")),
                    ("lists", include_str!("../../../migrations/postgres/0007_lists.sql")),
                    ("good_news", include_str!("../../../migrations/postgres/0008_good_news.sql")),
                    ("heartbeat", include_str!("../../../migrations/postgres/0009_heartbeat.sql")),
                    ("job_lists", include_str!("../../../migrations/postgres/0010_job_lists.sql")),
                    ("typed_jobs", include_str!("../../../migrations/postgres/0011_typed_jobs.sql")),
                    ("typed_guard", include_str!("../../../migrations/postgres/0012_typed_guard.sql")),
                ],
            ),
        };
        if options.migrate {
            store.migrate(&mut first).await?;
        }
        let _ = tokio::time::timeout(options.connect_timeout, first.close()).await;
        Ok(store)
    }

    async fn migrate(&self, connection: &mut PgConnection) -> Result<(), StoreError> {
        let applied = self.applied(connection).await?;
        if !self.migrations.check(&self.database.name, &applied)? {
            return Ok(());
        }
        self.database
            .migrating(async {
                let mut transaction = connection.begin_with(self.begin()).await?;
                sqlx::query("SELECT set_config('statement_timeout', $1, true)")
                    .bind(MIGRATION_TIMEOUT.as_millis().to_string())
                    .execute(&mut *transaction)
                    .await?;
                sqlx::query("SELECT pg_advisory_xact_lock($1)")
                    .bind(MIGRATION_LOCK)
                    .execute(&mut *transaction)
                    .await?;
                create_schema(&mut transaction).await?;
                self.migrations.apply(&mut *transaction).await?;
                transaction.commit().await
            })
            .await
    }

    async fn applied(&self, connection: &mut PgConnection) -> Result<Vec<AppliedMigration>, StoreError> {
        self.database
            .within("read the schema version", async {
                let there: bool =
                    sqlx::query_scalar("SELECT to_regclass('ash_thrash.thrash_migrations') IS NOT NULL")
                        .fetch_one(&mut *connection)
                        .await?;
                if there { self.migrations.applied(connection).await } else { Ok(Vec::new()) }
            })
            .await
    }

    /// How every transaction that writes begins: with the server's own deadlines, which end what we no longer wait for.
    /// The last one ends those of a client that is cut off, before others give up waiting for its locks.
    ///
    /// They belong to the transaction, because connection poolers refuse them as start-up parameters.
    fn begin(&self) -> SqlStr {
        let limit = self.database.operation_timeout.as_millis();
        AssertSqlSafe(format!(
            "BEGIN; SET LOCAL statement_timeout = {limit}; SET LOCAL lock_timeout = {}; \
             SET LOCAL idle_in_transaction_session_timeout = {}; SET LOCAL client_min_messages = warning",
            limit / 2,
            limit / 3,
        ))
        .into_sql_str()
    }
}

/// Whether a connection may be used again. One that is cut off would be waited for as long as the system holds it open,
/// and its place in the pool with it.
async fn answers(connection: &mut PgConnection, patience: Duration) -> sqlx::Result<bool> {
    tokio::time::timeout(patience, connection.ping())
        .await
        .unwrap_or(Err(sqlx::Error::PoolTimedOut))
        .map(|()| true)
}

/// Creates the schema where it is missing. `IF NOT EXISTS` alone would ask for the right to create schemas even where
/// there is nothing to create.
async fn create_schema(transaction: &mut PgTransaction<'_>) -> sqlx::Result<()> {
    let missing: bool = sqlx::query_scalar("SELECT to_regnamespace('ash_thrash') IS NULL")
        .fetch_one(&mut **transaction)
        .await?;
    if missing {
        sqlx::query("CREATE SCHEMA IF NOT EXISTS ash_thrash").execute(&mut **transaction).await?;
    }
    Ok(())
}

/// The sort of failure, by SQLSTATE (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).
fn classify(error: &sqlx::Error) -> StoreErrorKind {
    let cause = match error {
        sqlx::Error::Database(cause) => cause,
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolTimedOut => {
            return StoreErrorKind::Unreachable;
        }
        _ => return StoreErrorKind::Failed,
    };
    match cause.code().as_deref().unwrap_or_default() {
        // The user or password; no such database; no right to; a standby that only reads.
        "28000" | "28P01" | "3D000" | "42501" | "25006" => StoreErrorKind::Refused,
        // Shutting down, crashed, starting up.
        "57P01" | "57P02" | "57P03" => StoreErrorKind::Unreachable,
        // A lock or the statement took too long, a deadlock, a conflict, too many connections.
        "55P03" | "57014" | "40P01" | "40001" | "53300" => StoreErrorKind::Busy,
        // No such table, column or schema.
        "42P01" | "42703" | "3F000" => StoreErrorKind::NotMigrated,
        "53100" => StoreErrorKind::Full,
        "XX001" | "XX002" => StoreErrorKind::Corrupt,
        code if code.starts_with("08") => StoreErrorKind::Unreachable,
        code if code.starts_with("58") => StoreErrorKind::Io,
        _ => StoreErrorKind::Failed,
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresStore({})", self.database.name)
    }
}

impl Store for PostgresStore {
    fn save<'a>(&'a self, record: &'a RunRecord) -> StoreFuture<'a, Saved> {
        Box::pin(save::save(self, record))
    }

    fn load<'a>(&'a self, id: &'a RunId) -> StoreFuture<'a, RunRecord> {
        Box::pin(query::load(self, id))
    }

    fn resolve<'a>(&'a self, query: &'a str) -> StoreFuture<'a, RunId> {
        Box::pin(query::resolve(self, query))
    }

    fn list<'a>(&'a self, filter: &'a RunFilter) -> StoreFuture<'a, Vec<RunSummary>> {
        Box::pin(query::list(self, filter))
    }

    fn stored_last(&self, most: usize) -> StoreFuture<'_, Vec<(i64, RunId)>> {
        Box::pin(query::stored_last(self, most))
    }

    fn summary<'a>(&'a self, id: &'a RunId) -> StoreFuture<'a, RunSummary> {
        Box::pin(query::summary(self, id))
    }

    fn delete<'a>(&'a self, id: &'a RunId) -> StoreFuture<'a, ()> {
        Box::pin(change::delete(self, id))
    }

    fn hold<'a>(&'a self, id: &'a RunId, reason: Option<&'a str>) -> StoreFuture<'a, ()> {
        Box::pin(change::hold(self, id, reason))
    }

    fn set_baseline<'a>(
        &'a self,
        id: &'a RunId,
        note: Option<&'a str>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'a, Baseline> {
        Box::pin(baseline::set(self, id, note, now))
    }

    fn baseline<'a>(&'a self, series: &'a Series) -> StoreFuture<'a, Option<Baseline>> {
        Box::pin(baseline::find(self, series))
    }

    fn baselines(&self) -> StoreFuture<'_, Vec<Baseline>> {
        Box::pin(baseline::list(self))
    }

    fn clear_baseline<'a>(&'a self, id: &'a RunId) -> StoreFuture<'a, bool> {
        Box::pin(baseline::clear(self, id))
    }

    fn prune<'a>(&'a self, policy: &'a PrunePolicy, now: DateTime<Utc>) -> StoreFuture<'a, PruneReport> {
        Box::pin(change::prune(self, policy, now))
    }

    fn migrations(&self) -> StoreFuture<'_, MigrationStatus> {
        Box::pin(async {
            let mut connection = self.database.connecting(self.pool.acquire()).await?;
            Ok(self.migrations.status(&self.applied(&mut connection).await?))
        })
    }

    fn ping(&self) -> StoreFuture<'_, ()> {
        Box::pin(query::ping(self))
    }

    fn beat(&self) -> StoreFuture<'_, ()> {
        Box::pin(change::beat(self))
    }

    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {
            let _ = tokio::time::timeout(self.database.connect_timeout, self.pool.close()).await;
        })
    }
}
