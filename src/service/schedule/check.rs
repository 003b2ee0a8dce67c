//! What schedules name has to be there: a schedule that never begins a run looks like one that finds nothing.

use std::collections::BTreeMap;

use super::{ask, is_enabled};
use crate::config::{Config, ConfigError, PlannedJob};
use crate::dispatch::{AskError, chain, check_ask};
use crate::store::{ScheduleState, Store, StoreError};

/// Why a schedule cannot begin a run.
#[derive(Debug, thiserror::Error)]
pub enum ScheduleError {
    /// It names something that is not here.
    #[error(transparent)]
    Setting(ConfigError),
    /// What it names cannot be used.
    #[error("the schedule `{name}` cannot be run")]
    Job {
        /// The schedule.
        name: String,
        /// Why not.
        source: AskError,
    },
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ScheduleError {
    /// What is wrong on one line.
    pub fn in_a_line(&self) -> String {
        match self {
            Self::Setting(ConfigError::Invalid(problems)) => problems.in_a_line(),
            Self::Job { source, .. } => source.in_a_line(),
            Self::Setting(_) | Self::Store(_) => chain(self),
        }
    }

    /// How to mend it, where there is something to say.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Setting(error) => error.hint().map(str::to_owned),
            Self::Job { source, .. } => source.hint(),
            Self::Store(error) => error.hint().map(str::to_owned),
        }
    }
}

/// Refuses a job that could not be run.
///
/// # Errors
/// What is wrong, with the place in the configuration's file if it stands there.
pub fn check(config: &Config, job: &PlannedJob) -> Result<(), ScheduleError> {
    let name = &job.plan.name;
    let Err(error) = check_ask(config, &ask(job, None)) else { return Ok(()) };
    Err(match &error {
        AskError::Unknown { what, hint, .. } => {
            ScheduleError::Setting(config.schedule_error(name, what, error.to_string(), hint.clone()))
        }
        AskError::Unfit { message, hint } => {
            let what = match (&job.target, &job.scenario) {
                (Some(_), _) => "target",
                (None, Some(_)) => "scenario",
                (None, None) => "suite",
            };
            ScheduleError::Setting(config.schedule_error(name, what, message.clone(), hint.clone()))
        }
        _ => ScheduleError::Job { name: name.clone(), source: error },
    })
}

/// Why schedules could not be run, by name, of those that could not. Every suite that one names is read for it.
pub fn broken(config: &Config) -> BTreeMap<String, String> {
    let why = |job: PlannedJob| Some((job.plan.name.clone(), check(config, &job).err()?.in_a_line()));
    config.planned_jobs().into_iter().filter_map(why).collect()
}

/// Refuses schedules that are on and could not run.
///
/// # Errors
/// What is wrong with the first such, or the store fails.
pub async fn check_all(config: &Config, store: &dyn Store) -> Result<(), ScheduleError> {
    let states = store.schedule_states().await?;
    enabled(config, &states).iter().try_for_each(|job| check(config, job))
}

/// The jobs that begin by themselves, as their schedules stand.
pub fn enabled(config: &Config, states: &[ScheduleState]) -> Vec<PlannedJob> {
    let mut jobs = if config.schedules_are_off() { Vec::new() } else { config.planned_jobs() };
    jobs.retain(|job| is_enabled(job, states.iter().find(|state| state.name == job.plan.name)));
    jobs
}
