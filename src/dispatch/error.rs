//! Why a run cannot begin, and why one cannot be a baseline.

use std::error::Error;

use crate::demo::DemoError;
use crate::domain::RunId;
use crate::reference::ReferenceError;
use crate::store::{LocationError, StoreError};
use crate::suite::SuiteError;
use crate::target::{ConnectionError, ContractError, HealthError};

/// Why a run cannot begin. Nothing has been recorded.
#[derive(Debug, thiserror::Error)]
pub enum DispatchError {
    /// There is no such suite, or it is wrong.
    #[error(transparent)]
    Suite(#[from] SuiteError),
    /// There is no such target, or its contract is wrong.
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// The target's URL cannot be used.
    #[error("the target's URL cannot be used: {0}")]
    Url(String),
    /// The connection's settings cannot be used.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// The options do not fit the target.
    #[error("{message}")]
    Options {
        /// What does not fit.
        message: String,
        /// Advice.
        hint: String,
    },
    /// The reference model cannot be used.
    #[error("the reference cannot be used: {}", .0.explained())]
    Reference(#[from] ReferenceError),
    /// The run or the file that was named as the baseline is none.
    #[error("cannot use the baseline `{wanted}`: {reason}")]
    Baseline {
        /// What was named.
        wanted: String,
        /// Why it is none.
        reason: String,
    },
    /// The database's location cannot be read.
    #[error(transparent)]
    Location(#[from] LocationError),
    /// The embedded demo detector did not start.
    #[error(transparent)]
    Demo(#[from] DemoError),
    /// The target is not there, or not well.
    #[error(transparent)]
    Health(#[from] HealthError),
    /// The database in which a load run meets its workers cannot be used.
    #[error(transparent)]
    Board(#[from] StoreError),
    /// A load run and its workers did not find each other, or lost each other.
    #[error("{message}")]
    Workers {
        /// What happened.
        message: String,
        /// Advice.
        hint: String,
    },
    /// Another load is before this one, and it was not to wait.
    #[error("{message}")]
    Busy {
        /// Which one.
        message: String,
        /// Advice.
        hint: String,
    },
    /// A load waited for its turn in a queue that is gone.
    #[error("{message}: nothing was sent")]
    PlaceLost {
        /// What happened.
        message: String,
    },
    /// Somebody stopped it before anything was sent.
    #[error("{message}")]
    Stopped {
        /// Who, and when.
        message: String,
    },
    /// The system gives no thread or no clock for a load.
    #[error("the load cannot be made on this machine")]
    Load(#[source] std::io::Error),
}

impl DispatchError {
    /// How to mend it, where there is something to say.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Suite(error) => error.hint().map(str::to_owned),
            Self::Location(error) => Some(error.hint()),
            Self::Options { hint, .. } | Self::Workers { hint, .. } | Self::Busy { hint, .. } => Some(hint.clone()),
            Self::Board(error) => error.hint().map(str::to_owned),
            Self::Baseline { .. } => Some("`thrash runs list` shows the stored runs; nothing was sent".to_owned()),
            Self::Health(HealthError::Unreachable { .. }) => Some(
                "is it running, and is this its address? `thrash targets check` shows more; nothing was recorded".to_owned(),
            ),
            Self::Health(HealthError::Unhealthy { .. }) => Some("nothing was sent and nothing was recorded".to_owned()),
            Self::PlaceLost { .. } => Some("type it again once the database is there".to_owned()),
            // The text of a reference's ends with what it advises.
            Self::Reference(_)
            | Self::Contract(_)
            | Self::Url(_)
            | Self::Connection(_)
            | Self::Stopped { .. }
            | Self::Demo(_) => None,
            Self::Load(error) => no_files(error).then(|| {
                "allow this program more open files (`ulimit -n`); nothing is known of the target".to_owned()
            }),
        }
    }
}

/// Whether this process, or this machine, has as many files open as it may.
fn no_files(error: &std::io::Error) -> bool {
    // EMFILE and ENFILE, which have no kind of their own.
    cfg!(unix) && matches!(error.raw_os_error(), Some(23 | 24))
}

/// Why a run cannot be made a baseline.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// The store failed, or there is no such run.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nothing could be held against it.
    #[error("run `{run}` cannot be a baseline: {why}")]
    TooLittle {
        /// The run.
        run: RunId,
        /// What it lacks.
        why: &'static str,
    },
}

/// An error and its causes, each said once.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let more = next.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = next.source();
    }
    text
}
