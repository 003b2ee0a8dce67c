//! What can go wrong with a store, written for the person who will fix it.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::codec::RecordError;
use super::driver::DriverError;
use super::resolve::LATEST;
use crate::domain::{RunId, Series};

/// The sort of a [`StoreError`]: one table maps it to exit codes, one to HTTP statuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StoreErrorKind {
    /// The database cannot be reached or does not answer in time.
    Unreachable,
    /// It answers, and does not let us: user, password, database, rights.
    Refused,
    /// Somebody else holds it.
    Busy,
    /// There is no such run.
    NotFound,
    /// Several runs match.
    Ambiguous,
    /// The run is needed.
    InUse,
    /// What is stored cannot be read.
    Corrupt,
    /// A newer program wrote it.
    NewerSchema,
    /// Its tables are older than this program, and migrating was not asked for.
    NotMigrated,
    /// No room is left.
    Full,
    /// A file or folder cannot be read or written.
    Io,
    /// Anything else that the database says.
    Failed,
}

/// What went wrong with a store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database failed.
    #[error("cannot {doing}: the database `{database}` {}", state(*.kind))]
    Database {
        /// The sort of failure.
        kind: StoreErrorKind,
        /// What was being done.
        doing: String,
        /// The database, without a password.
        database: String,
        /// What the database or its driver said.
        source: DriverError,
    },
    /// The database kept us waiting.
    #[error("cannot {doing}: the database `{database}` did not answer within {after:?}")]
    TimedOut {
        /// What was being done.
        doing: String,
        /// The database, without a password.
        database: String,
        /// How long we waited.
        after: Duration,
    },
    /// There is no such run.
    #[error("no stored run matches `{query}`")]
    NotFound {
        /// What was asked for.
        query: String,
    },
    /// Several runs match.
    #[error("`{query}` matches several stored runs: {}", candidate_list(.candidates, *.more))]
    Ambiguous {
        /// What was asked for.
        query: String,
        /// The runs that match, newest first.
        candidates: Vec<RunId>,
        /// Whether there are more than these.
        more: bool,
    },
    /// A run that an earlier program stored.
    #[error("run `{id}` was stored by an earlier program: it has a summary, but no record")]
    NoRecord {
        /// The run.
        id: RunId,
    },
    /// A run that later ones are held against.
    #[error("run `{id}` is the baseline of {series}")]
    IsBaseline {
        /// The run.
        id: RunId,
        /// Whose baseline it is.
        series: Series,
    },
    /// A run that must not be deleted.
    #[error("run `{id}` is held{}", because(.reason.as_deref()))]
    OnHold {
        /// The run.
        id: RunId,
        /// Why.
        reason: Option<String>,
    },
    /// A record that cannot be read.
    #[error("cannot read the record of {of}")]
    Record {
        /// The run or the file.
        of: String,
        /// Why.
        source: RecordError,
    },
    /// A newer program changed the tables.
    #[error(
        "the database `{database}` has schema version {found}, this program knows versions up to {known}"
    )]
    NewerSchema {
        /// The database, without a password.
        database: String,
        /// The version it has.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// A migration ran that is not the one we have under this number.
    #[error("the database `{database}` has had a migration {version} that is not this program's")]
    ForeignMigration {
        /// The database, without a password.
        database: String,
        /// The migration's number.
        version: i64,
    },
    /// Another service works on the database.
    #[error("another `thrash serve` works on the database `{database}`{}", holder(.by))]
    Held {
        /// The database.
        database: String,
        /// What the other one says of itself.
        by: String,
    },
    /// A file or folder failed.
    #[error("cannot {doing} `{}`", .path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl StoreError {
    /// The sort of error.
    pub fn kind(&self) -> StoreErrorKind {
        match self {
            Self::Database { kind, .. } => *kind,
            Self::TimedOut { .. } => StoreErrorKind::Unreachable,
            Self::NotFound { .. } | Self::NoRecord { .. } => StoreErrorKind::NotFound,
            Self::Ambiguous { .. } => StoreErrorKind::Ambiguous,
            Self::IsBaseline { .. } | Self::OnHold { .. } => StoreErrorKind::InUse,
            Self::Held { .. } => StoreErrorKind::Busy,
            Self::Record { source: RecordError::Newer { .. }, .. } | Self::NewerSchema { .. } => {
                StoreErrorKind::NewerSchema
            }
            Self::Record { source: RecordError::Unreadable { .. }, .. } | Self::ForeignMigration { .. } => {
                StoreErrorKind::Corrupt
            }
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreErrorKind::Full,
                _ => StoreErrorKind::Io,
            },
        }
    }

    /// What the person may do about it, where there is something to say.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Held { .. } => {
                return Some("stop that one first, or let several share a PostgreSQL database: DATABASE_URL");
            }
            Self::NotFound { query } if query == LATEST => return Some("`thrash quick` makes one"),
            Self::OnHold { .. } => return Some("`thrash runs release RUN` lifts that, if you may"),
            _ => {}
        }
        match self.kind() {
            StoreErrorKind::Unreachable => {
                Some("check that the database runs and that host and port are right")
            }
            StoreErrorKind::Refused => Some(
                "check user, password and database, and that the user may create tables in schema `ash_thrash`",
            ),
            StoreErrorKind::Busy => Some("another process holds the database; try again when it is done"),
            StoreErrorKind::NotFound => Some("`thrash runs list` shows the stored runs"),
            StoreErrorKind::Ambiguous => Some("write more of the id"),
            StoreErrorKind::InUse => {
                Some("`thrash baseline set` another run first, or delete it with `--force`")
            }
            StoreErrorKind::Corrupt => Some("move it out of the way or restore it from a backup"),
            StoreErrorKind::NewerSchema => Some("use the newer version of thrash that wrote it"),
            StoreErrorKind::NotMigrated => Some("run `thrash db migrate`"),
            StoreErrorKind::Full => Some("make room: `thrash db prune` deletes old runs"),
            StoreErrorKind::Io => Some("check that the path exists and may be written to"),
            StoreErrorKind::Failed => None,
        }
    }
}

/// How a database stands when it fails like this; the end of a sentence that begins with its name.
fn state(kind: StoreErrorKind) -> &'static str {
    match kind {
        StoreErrorKind::Unreachable => "cannot be reached",
        StoreErrorKind::Refused => "does not let us",
        StoreErrorKind::Busy => "is held by another process",
        StoreErrorKind::Corrupt => "is damaged, or no database",
        StoreErrorKind::NotMigrated => "lacks tables or columns",
        StoreErrorKind::Full => "has no room left",
        StoreErrorKind::Io => "cannot be read or written",
        StoreErrorKind::NotFound
        | StoreErrorKind::Ambiguous
        | StoreErrorKind::InUse
        | StoreErrorKind::NewerSchema
        | StoreErrorKind::Failed => "reports an error",
    }
}

fn because(reason: Option<&str>) -> String {
    reason.map(|reason| format!(": {reason}")).unwrap_or_default()
}

fn holder(by: &str) -> String {
    if by.is_empty() { String::new() } else { format!(": {by}") }
}

fn candidate_list(candidates: &[RunId], more: bool) -> String {
    let mut names: Vec<&str> = candidates.iter().map(RunId::as_str).collect();
    if more {
        names.push("…");
    }
    names.join(", ")
}
