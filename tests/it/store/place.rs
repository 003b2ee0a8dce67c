//! Fresh databases for tests, gone when the test is.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use thrash::store::{self, Store, StoreLocation, StoreOptions};

/// Options for a machine that runs many tests at once.
pub(crate) fn patient() -> StoreOptions {
    StoreOptions { connect_timeout: Duration::from_mins(1), ..StoreOptions::default() }
}

/// A place for one test's store.
pub(crate) trait Place {
    fn url(&self) -> String;

    fn location(&self) -> StoreLocation {
        StoreLocation::parse(&self.url()).expect("a valid location")
    }

    async fn open(&self) -> Box<dyn Store> {
        store::open(&self.location(), &patient()).await.expect("the store opens")
    }
}

/// A SQLite file in a folder of its own.
pub(crate) struct SqlitePlace {
    folder: tempfile::TempDir,
}

impl SqlitePlace {
    #[expect(clippy::unused_async, reason = "made like the other place")]
    pub(crate) async fn fresh() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    pub(crate) fn file(&self) -> std::path::PathBuf {
        self.folder.path().join("runs.db")
    }
}

impl Place for SqlitePlace {
    fn url(&self) -> String {
        format!("sqlite://{}", self.file().display())
    }
}

/// A PostgreSQL database of its own in the tests' cluster.
pub(crate) struct PostgresPlace {
    server: String,
    name: String,
}

impl PostgresPlace {
    pub(crate) async fn fresh() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let server = server_url();
        let name = format!("thrash_test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        run(&server, format!("CREATE DATABASE {name} TEMPLATE template0")).await;
        Self { server, name }
    }

    /// A connection of the test's own.
    pub(crate) async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.url()).await.expect("the test's database answers")
    }

    /// Runs statements as the superuser.
    pub(crate) async fn run(&self, sql: impl Into<String>) {
        run(&self.url(), sql.into()).await;
    }

    /// The place's URL with another user and password.
    pub(crate) fn url_as(&self, user: &str, password: &str) -> String {
        let (_, host) = self.server.split_once('@').expect("the server's URL has a user");
        let (host, _) = host.split_once('/').unwrap_or((host, ""));
        format!("postgres://{user}:{password}@{host}/{}", self.name)
    }
}

impl Place for PostgresPlace {
    fn url(&self) -> String {
        let (server, _) = self.server.rsplit_once('/').expect("the server's URL names a database");
        format!("{server}/{}", self.name)
    }
}

impl Drop for PostgresPlace {
    fn drop(&mut self) {
        let (server, drop_it) =
            (self.server.clone(), format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
        // The test's own runtime cannot be waited for from inside it.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(run(&server, drop_it));
        });
        let _ = dropping.join();
    }
}

async fn run(url: &str, sql: String) {
    let mut connection = PgConnection::connect(url).await.expect("the test's PostgreSQL answers");
    connection.execute(AssertSqlSafe(sql)).await.expect("the statement runs");
    connection.close().await.expect("the connection closes");
}

fn server_url() -> String {
    std::env::var("THRASH_TEST_POSTGRES").expect(
        "THRASH_TEST_POSTGRES is not set: run `./.ci/test`, or `.ci/postgres cargo test`, \
         which start a throw-away PostgreSQL for the tests",
    )
}
