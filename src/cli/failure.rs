//! A command that could not do its job: what, why, how to mend it, and the exit code.

use std::fmt;

use super::exit::Exit;
use super::output::Output;
use crate::config::ConfigError;
pub(super) use crate::dispatch::chain;
use crate::dispatch::{AskError, BaselineError, DispatchError};
use crate::load::ScenarioError;
use crate::reference::{FetchError, PullError, ReferenceError};
use crate::report::{ReportError, SinkError, WriteError};
use crate::service::ServeError;
use crate::service::schedule::ScheduleError;
use crate::store::{LocationError, StoreError, StoreErrorKind};
use crate::suite::LinesError;
use crate::target::ContractError;

/// Why a command failed.
#[derive(Debug)]
pub struct Failure {
    pub(super) exit: Exit,
    error: anyhow::Error,
    hint: Option<String>,
}

impl Failure {
    /// The caller asked for something that cannot be.
    pub(super) fn usage(message: impl fmt::Display, hint: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, error: anyhow::anyhow!("{message}"), hint: Some(hint.into()) }
    }

    /// What should not happen.
    pub(super) fn bug(error: impl Into<anyhow::Error>) -> Self {
        Self::new(Exit::Bug, error, None)
    }

    fn new(exit: Exit, error: impl Into<anyhow::Error>, hint: Option<String>) -> Self {
        Self { exit, error: error.into(), hint }
    }
}

impl Exit {
    /// The exit of a command that also failed to show what it found, which is said.
    pub(super) fn after(self, shown: Result<(), impl Into<Failure>>, output: Output) -> Self {
        match shown.map_err(Into::into) {
            Ok(()) => self,
            Err(failure) => {
                output.note(format!("error: {failure}"));
                self.or(failure.exit)
            }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&chain(self.error.as_ref()))?;
        if let Some(hint) = &self.hint {
            write!(f, "\nhint: {hint}")?;
        }
        Ok(())
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let hint = error.hint().map(str::to_owned);
        Self::new(Exit::Usage, error, hint)
    }
}

impl From<DispatchError> for Failure {
    fn from(error: DispatchError) -> Self {
        let exit = match &error {
            DispatchError::Suite(_)
            | DispatchError::Contract(_)
            | DispatchError::Url(_)
            | DispatchError::Connection(_)
            | DispatchError::Options { .. }
            | DispatchError::Reference(_)
            | DispatchError::Baseline { .. }
            | DispatchError::Location(_) => Exit::Usage,
            DispatchError::Board(_) | DispatchError::PlaceLost { .. } => Exit::Storage,
            // What fails on this machine says nothing of the target.
            DispatchError::Workers { .. } | DispatchError::Load(_) | DispatchError::Busy { .. } => {
                Exit::Inconclusive
            }
            DispatchError::Stopped { .. } => Exit::Interrupted,
            DispatchError::Demo(_) | DispatchError::Health(_) => Exit::TargetFailed,
        };
        let hint = error.hint();
        Self::new(exit, error, hint)
    }
}

impl From<ScenarioError> for Failure {
    fn from(error: ScenarioError) -> Self {
        let hint = error.hint().map(str::to_owned);
        Self::new(Exit::Usage, error, hint)
    }
}

impl From<BaselineError> for Failure {
    fn from(error: BaselineError) -> Self {
        match error {
            BaselineError::Store(error) => error.into(),
            error @ BaselineError::TooLittle { .. } => {
                Self::new(Exit::Usage, error, Some("take a complete run: `thrash runs list`".to_owned()))
            }
        }
    }
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        let exit = match &error {
            ServeError::Open { .. }
            | ServeError::NoKey
            | ServeError::OddKey
            | ServeError::UnfilledKey
            | ServeError::ShortKey
            | ServeError::NoStore
            | ServeError::Location(_)
            | ServeError::Metrics { .. }
            | ServeError::Tls { .. }
            | ServeError::Notify(_)
            | ServeError::Listen { .. } => Exit::Usage,
            ServeError::Schedule(error) => exit_of(error),
            ServeError::Store(_) => Exit::Storage,
            ServeError::Messages(_) => Exit::Bug,
        };
        let hint = error.hint();
        Self::new(exit, error, hint)
    }
}

fn exit_of(error: &ScheduleError) -> Exit {
    match error {
        ScheduleError::Setting(_) | ScheduleError::Job { .. } => Exit::Usage,
        ScheduleError::Store(_) => Exit::Storage,
    }
}

impl From<ScheduleError> for Failure {
    fn from(error: ScheduleError) -> Self {
        let hint = error.hint();
        Self::new(exit_of(&error), error, hint)
    }
}

impl From<AskError> for Failure {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Store(error) => error.into(),
            error => {
                let exit =
                    if matches!(error, AskError::Full { .. }) { Exit::TargetFailed } else { Exit::Usage };
                let hint = error.hint();
                Self::new(exit, error, hint)
            }
        }
    }
}

impl From<ReferenceError> for Failure {
    fn from(error: ReferenceError) -> Self {
        let hint = error.hint();
        Self::new(Exit::Usage, error, hint)
    }
}

impl From<LinesError> for Failure {
    fn from(error: LinesError) -> Self {
        let hint = error.hint().to_owned();
        Self::new(Exit::Usage, error, Some(hint))
    }
}

impl From<FetchError> for Failure {
    fn from(error: FetchError) -> Self {
        let exit = if error.is_of_disk() { Exit::Storage } else { Exit::TargetFailed };
        let hint = error.hint();
        Self::new(exit, error, hint)
    }
}

impl From<PullError> for Failure {
    fn from(error: PullError) -> Self {
        let exit = match &error {
            error if error.is_of_request() => Exit::Usage,
            error if error.is_of_disk() => Exit::Storage,
            _ => Exit::TargetFailed,
        };
        let hint = error.hint();
        Self::new(exit, error, hint)
    }
}

impl From<ContractError> for Failure {
    fn from(error: ContractError) -> Self {
        Self::new(Exit::Usage, error, None)
    }
}

impl From<LocationError> for Failure {
    fn from(error: LocationError) -> Self {
        let hint = error.hint();
        Self::new(Exit::Usage, error, Some(hint))
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let exit = match error.kind() {
            StoreErrorKind::NotFound | StoreErrorKind::Ambiguous | StoreErrorKind::InUse => Exit::Usage,
            _ => Exit::Storage,
        };
        let hint = error.hint().map(ToString::to_string);
        Self::new(exit, error, hint)
    }
}

impl From<SinkError> for Failure {
    fn from(error: SinkError) -> Self {
        let hint = error.hint();
        let exit = match &error {
            SinkError::Closed { .. } => Exit::Storage,
            _ => Exit::Usage,
        };
        Self::new(exit, error, hint)
    }
}

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Self {
        Self::new(Exit::Storage, error, None)
    }
}

impl From<ReportError> for Failure {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::Removed(_) => Self::new(
                Exit::Usage,
                error,
                Some("the other formats hold what is left of the run".to_owned()),
            ),
            error => Self::new(Exit::Bug, error, None),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(Exit::Storage, anyhow::Error::new(error).context("cannot write to standard output"), None)
    }
}
