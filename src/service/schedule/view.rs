//! Schedules as people see them, and what they may do to them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use super::{ask, is_enabled, line};
use crate::config::{Config, PlannedJob};
use crate::dispatch::{AskError, Queue};
use crate::domain::Job;
use crate::store::{ScheduleState, Store, StoreError, Submitted};

/// A schedule, as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ScheduleView {
    /// Its name.
    pub name: String,
    /// When it runs.
    pub cron: String,
    /// By which clock.
    pub zone: String,
    /// The suite that is run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suite: Option<String>,
    /// Or the load scenario.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scenario: Option<String>,
    /// The target, if it names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Whether it begins by itself.
    pub enabled: bool,
    /// Whether somebody has switched it at run time, so that the configuration does not hold.
    pub switched: bool,
    /// When it starts next; none while it is off.
    pub next: Option<DateTime<Utc>>,
    /// The newest time that was run.
    pub last: Option<DateTime<Utc>>,
}

/// The configured job of this name.
pub fn planned_job(config: &Config, name: &str) -> Option<PlannedJob> {
    config.planned_jobs().into_iter().find(|job| job.plan.name == name)
}

/// Every configured schedule, by name.
///
/// # Errors
/// The store fails.
pub async fn views(
    config: &Config,
    store: &dyn Store,
    now: DateTime<Utc>,
) -> Result<Vec<ScheduleView>, StoreError> {
    let states = store.schedule_states().await?;
    let state = |job: &PlannedJob| states.iter().find(|state| state.name == job.plan.name);
    Ok(config.planned_jobs().iter().map(|job| view(config, job, state(job), now)).collect())
}

/// How long the next start of each schedule that is on is overdue, in seconds, by its name; 0 if it is not.
///
/// # Errors
/// The store fails.
pub async fn lags(
    config: &Config,
    store: &dyn Store,
    now: DateTime<Utc>,
) -> Result<BTreeMap<String, f64>, StoreError> {
    let states = store.schedule_states().await?;
    let lag = |job: &PlannedJob| {
        let state = states.iter().find(|state| state.name == job.plan.name);
        if !is_enabled(job, state) || config.schedules_are_off() {
            return None;
        }
        let meant = job.plan.next(state?.seen_at)?;
        Some(((now - job.plan.start(meant)).as_seconds_f64()).max(0.0))
    };
    let jobs = config.planned_jobs();
    Ok(jobs.iter().filter_map(|job| Some((job.plan.name.clone(), lag(job)?))).collect())
}

fn view(
    config: &Config,
    job: &PlannedJob,
    state: Option<&ScheduleState>,
    now: DateTime<Utc>,
) -> ScheduleView {
    let enabled = is_enabled(job, state) && !config.schedules_are_off();
    // A time that is done with does not come again, and one whose start waits is still to come.
    let from = state.map_or(now, |state| state.seen_at.max(now - late(job)));
    let mut starts = std::iter::successors(job.plan.next(from), |meant| job.plan.next(*meant));
    let next = starts.by_ref().map(|meant| job.plan.start(meant)).find(|start| *start > now);
    ScheduleView {
        name: job.plan.name.clone(),
        cron: job.plan.line.to_string(),
        zone: job.plan.zone.to_string(),
        suite: job.suite.clone(),
        scenario: job.scenario.clone(),
        target: job.target.clone(),
        enabled,
        switched: state.is_some_and(|state| state.enabled.is_some()),
        next: next.filter(|_| enabled),
        last: state.and_then(|state| state.last_at),
    }
}

fn late(job: &PlannedJob) -> chrono::TimeDelta {
    chrono::TimeDelta::from_std(job.plan.jitter).unwrap_or_default()
}

/// Switches a job on or off; what the configuration says anyway needs no switch.
///
/// # Errors
/// The store fails.
pub async fn enable(
    config: &Config,
    store: &dyn Store,
    job: &PlannedJob,
    on: bool,
    now: DateTime<Utc>,
) -> Result<ScheduleView, StoreError> {
    let states = store.schedule_states().await?;
    let state = states.into_iter().find(|state| state.name == job.plan.name);
    let state = if is_enabled(job, state.as_ref()) == on {
        state
    } else {
        let switch = (job.enabled != on).then_some(on);
        Some(store.switch_schedule(&job.plan.name, &line(job), switch, now).await?)
    };
    Ok(view(config, job, state.as_ref(), now))
}

/// Puts a run of the job into the queue now, whatever its schedule says.
///
/// # Errors
/// It cannot be run, or the store fails.
pub async fn run_now(queue: &Queue, job: &PlannedJob) -> Result<Job, AskError> {
    match queue.submit(ask(job, None)).await? {
        Submitted::New(job) | Submitted::Known(job) => Ok(job),
    }
}
