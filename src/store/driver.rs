//! The rim to sqlx: deadlines around its futures, and its errors made fit to be read.

use std::future::Future;
use std::time::Duration;

use sqlx::migrate::MigrateError;

use super::error::{StoreError, StoreErrorKind};

/// What a database or its driver said, in one line.
///
/// sqlx's own errors repeat their cause in their text, and their `Debug` holds the rejected row, phrase text included;
/// so only the message and the code are kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DriverError(String);

/// How long bringing the tables up to date may take: a migration may have to read every record there is.
pub(super) const MIGRATION_TIMEOUT: Duration = Duration::from_mins(10);

/// A database as its errors name it, with the patience that we have for it.
#[derive(Debug, Clone)]
pub(super) struct Database {
    /// Its location, without a password.
    pub(super) name: String,
    /// How long connecting may take.
    pub(super) connect_timeout: Duration,
    /// How long an operation may take.
    pub(super) operation_timeout: Duration,
    /// Which sort of failure an error is.
    pub(super) classify: fn(&sqlx::Error) -> StoreErrorKind,
}

impl Database {
    /// Waits for an operation, as long as one may take.
    pub(super) async fn within<T>(
        &self,
        doing: &str,
        work: impl Future<Output = sqlx::Result<T>>,
    ) -> Result<T, StoreError> {
        self.wait(self.operation_timeout, doing, work).await
    }

    /// Waits for a connection, as long as that may take.
    pub(super) async fn connecting<T>(
        &self,
        work: impl Future<Output = sqlx::Result<T>>,
    ) -> Result<T, StoreError> {
        self.wait(self.connect_timeout, "open the store", work).await
    }

    /// Waits for the tables to be brought up to date.
    pub(super) async fn migrating<T>(
        &self,
        work: impl Future<Output = sqlx::Result<T>>,
    ) -> Result<T, StoreError> {
        self.wait(MIGRATION_TIMEOUT, "create the tables", work).await
    }

    async fn wait<T>(
        &self,
        limit: Duration,
        doing: &str,
        work: impl Future<Output = sqlx::Result<T>>,
    ) -> Result<T, StoreError> {
        match tokio::time::timeout(limit, work).await {
            Ok(done) => done.map_err(|error| self.describe(doing, error)),
            Err(_) => {
                Err(StoreError::TimedOut { doing: doing.into(), database: self.name.clone(), after: limit })
            }
        }
    }

    fn describe(&self, doing: &str, error: sqlx::Error) -> StoreError {
        let error = innermost(error);
        StoreError::Database {
            kind: (self.classify)(&error),
            doing: doing.into(),
            database: self.name.clone(),
            source: DriverError(message(&error)),
        }
    }
}

/// The error that a failed migration wraps.
fn innermost(error: sqlx::Error) -> sqlx::Error {
    match error {
        sqlx::Error::Migrate(wrapped) => match *wrapped {
            MigrateError::Execute(cause) | MigrateError::ExecuteMigration(cause, _) => innermost(cause),
            other => sqlx::Error::Migrate(Box::new(other)),
        },
        other => other,
    }
}

fn message(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(cause) => {
            let code = cause.code().map(|code| format!(" (code {code})")).unwrap_or_default();
            format!("{}{code}", cause.message())
        }
        sqlx::Error::Io(cause) => cause.to_string(),
        sqlx::Error::Tls(cause) | sqlx::Error::Configuration(cause) => cause.to_string(),
        other => other.to_string(),
    }
}
