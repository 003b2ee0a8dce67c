//! The store in a SQLite file, for one machine.
//!
//! Write-ahead logging lets readers and one writer work at once; a writer takes its lock when its transaction begins, so
//! that it waits for its turn there and nowhere else.

/// Does one thing in a transaction of its own, within the time that an operation may take.
macro_rules! writing {
    ($store:expr, $doing:expr, |$transaction:ident| $work:expr) => {
        $store
            .database
            .within($doing, async {
                let mut $transaction = $store.pool.begin_with(crate::store::sqlite::BEGIN).await?;
                let done = $work;
                $transaction.commit().await?;
                Ok(done)
            })
            .await
    };
}

mod baseline;
mod change;
mod jobs;
mod outbox;
mod query;
mod save;
mod schedules;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::migrate::AppliedMigration;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection, SqlitePool};

use super::driver::Database;
use super::error::{StoreError, StoreErrorKind};
use super::migrate::{MigrationStatus, Migrations};
use super::prune::{PrunePolicy, PruneReport};
use super::summary::{RunFilter, RunSummary};
use super::{Saved, Store, StoreFuture, StoreOptions, private};
use crate::domain::{Baseline, RunId, RunRecord, Series};

/// How every transaction that writes begins.
const BEGIN: &str = "BEGIN IMMEDIATE";

/// A SQLite file.
pub(super) struct SqliteStore {
    pool: SqlitePool,
    database: Database,
    migrations: Migrations,
    path: PathBuf,
    /// Which file it was when it was opened, where the system tells.
    file: Option<(u64, u64)>,
}

impl SqliteStore {
    pub(super) async fn open(path: &Path, options: &StoreOptions) -> Result<Self, StoreError> {
        prepare_file(path, options.migrate)?;
        let connect = SqliteConnectOptions::new()
            .filename(path)
            .foreign_keys(true)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(options.connect_timeout)
            .disable_statement_logging();
        let database = Database {
            name: path.display().to_string(),
            connect_timeout: options.connect_timeout,
            operation_timeout: options.operation_timeout,
            classify,
        };
        let pool = SqlitePoolOptions::new()
            .max_connections(4)
            .acquire_timeout(options.connect_timeout)
            .after_release(|connection, _| Box::pin(is_usable(connection)));
        let pool = database.connecting(pool.connect_with(connect)).await?;
        let migrations = Migrations::new(
            "thrash_migrations",
            &[
                ("runs", include_str!("../../../migrations/sqlite/0001_runs.sql")),
                ("baselines", include_str!("../../../migrations/sqlite/0002_baselines.sql")),
                ("jobs", include_str!("../../../migrations/sqlite/0003_jobs.sql")),
                ("notifications", include_str!("../../../migrations/sqlite/0004_notifications.sql")),
                ("load_workers", include_str!("../../../migrations/sqlite/0005_load_workers.sql")),
                ("retention", include_str!("../../../migrations/sqlite/0006_retention.sql")),
                ("lists", include_str!("../../../migrations/sqlite/0007_lists.sql")),
                ("good_news", include_str!("../../../migrations/sqlite/0008_good_news.sql")),
                ("heartbeat", include_str!("../../../migrations/sqlite/0009_heartbeat.sql")),
                ("job_lists", include_str!("../../../migrations/sqlite/0010_job_lists.sql")),
                ("typed_jobs", include_str!("../../../migrations/sqlite/0011_typed_jobs.sql")),
                ("typed_guard", include_str!("../../../migrations/sqlite/0012_typed_guard.sql")),
            ],
        );
        let store = Self { pool, database, migrations, path: path.to_owned(), file: file_at(path) };
        if options.migrate {
            store.migrate().await?;
        }
        Ok(store)
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        let applied = self.applied().await?;
        if !self.migrations.check(&self.database.name, &applied)? {
            return Ok(());
        }
        self.database
            .migrating(async {
                // A connection of its own, because a migration may have to make a table anew that others refer to, and
                // foreign keys can be put aside only from outside a transaction.
                let options = (*self.pool.connect_options()).clone().foreign_keys(false);
                let mut connection = options.connect().await?;
                use_write_ahead_log(&mut connection).await?;
                let mut transaction = connection.begin_with(BEGIN).await?;
                self.migrations.apply(&mut *transaction).await?;
                transaction.commit().await?;
                connection.close().await
            })
            .await
    }

    async fn applied(&self) -> Result<Vec<AppliedMigration>, StoreError> {
        self.database
            .within("read the schema version", async {
                let mut connection = self.pool.acquire().await?;
                match self.migrations.applied(&mut *connection).await {
                    Err(error) if lacks_table(&error) => Ok(Vec::new()),
                    other => other,
                }
            })
            .await
    }
}

/// Whether a connection may be used again.
///
/// SQLite ends a transaction by itself when the disk is full or fails. sqlx then counts it as open for ever, and whatever
/// begins on that connection later fails.
async fn is_usable(connection: &mut SqliteConnection) -> sqlx::Result<bool> {
    // Behind the rollback that a dropped transaction asks for.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

/// Which file stands at a path: its device and its number there.
#[cfg(unix)]
fn file_at(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    let file = path.metadata().ok()?;
    Some((file.dev(), file.ino()))
}

#[cfg(not(unix))]
fn file_at(_: &Path) -> Option<(u64, u64)> {
    None
}

/// Makes sure of the file, readable by its owner alone.
fn prepare_file(path: &Path, create: bool) -> Result<(), StoreError> {
    let failed =
        |doing, path: &Path, source| Err(StoreError::Io { doing, path: PathBuf::from(path), source });
    if path.exists() {
        return Ok(());
    }
    if !create {
        return failed("open the database", path, io::ErrorKind::NotFound.into());
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    if !folder.as_os_str().is_empty()
        && let Err(source) = private::create_folder(folder)
    {
        return failed("create the folder", folder, source);
    }
    private::create_file(path).or_else(|source| failed("create the database", path, source))
}

/// Turns write-ahead logging on, which stays with the file.
///
/// SQLite does not wait for its lock here, whatever the busy timeout, so two processes that create the same file would
/// fail; the caller's deadline ends the loop.
async fn use_write_ahead_log(connection: &mut SqliteConnection) -> sqlx::Result<()> {
    loop {
        match sqlx::query("PRAGMA journal_mode = WAL").execute(&mut *connection).await {
            Err(error) if classify(&error) == StoreErrorKind::Busy => {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            other => return other.map(drop),
        }
    }
}

fn lacks_table(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Migrate(cause) if cause.to_string().contains("no such table"))
}

/// The sort of failure, by SQLite's primary result code (<https://www.sqlite.org/rescode.html>).
fn classify(error: &sqlx::Error) -> StoreErrorKind {
    let cause = match error {
        sqlx::Error::Database(cause) => cause,
        sqlx::Error::Io(_) => return StoreErrorKind::Io,
        sqlx::Error::PoolTimedOut => return StoreErrorKind::Busy,
        _ => return StoreErrorKind::Failed,
    };
    let code: i32 = cause.code().and_then(|code| code.parse().ok()).unwrap_or_default();
    match code & 0xff {
        1 if cause.message().contains("no such") || cause.message().contains("has no column") => {
            StoreErrorKind::NotMigrated
        }
        5 | 6 => StoreErrorKind::Busy,
        3 | 8 | 10 | 14 => StoreErrorKind::Io,
        11 | 26 => StoreErrorKind::Corrupt,
        13 => StoreErrorKind::Full,
        23 => StoreErrorKind::Refused,
        _ => StoreErrorKind::Failed,
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SqliteStore({})", self.database.name)
    }
}

impl Store for SqliteStore {
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
        Box::pin(async { Ok(self.migrations.status(&self.applied().await?)) })
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
