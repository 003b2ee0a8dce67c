//! Schedules as people see them, and what they may do to them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use super::{ask, enabled, is_enabled, line, requester};
use crate::config::{Config, PlannedJob};
use crate::dispatch::{AskError, Queue, check_ask};
use crate::domain::{Job, JobState, RunId};
use crate::store::{JobFilter, ScheduleState, Store, StoreError, Submitted};

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
    /// What came of its newest run that is over: `passed` alone is good, `not_run` means that it could not begin.
    pub last_outcome: Option<&'static str>,
    /// That run, as it was asked for.
    pub last_run: Option<RunId>,
    /// Why it could not be run now, if that was looked at and it could not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken: Option<String>,
}

/// Jobs of a schedule that are looked through for the newest that began: those that wait are few.
const NEWEST: usize = 20;

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
    let mut views = Vec::new();
    for job in config.planned_jobs() {
        let state = states.iter().find(|state| state.name == job.plan.name);
        views.push(view(config, &job, state, last(store, &job).await?, now));
    }
    Ok(views)
}

/// Says of each schedule why it cannot be run, where that was [found](super::broken).
pub fn mark_broken(views: &mut [ScheduleView], broken: &BTreeMap<String, String>) {
    for view in views {
        view.broken = broken.get(&view.name).cloned();
    }
}

/// For how long each schedule that is on owes a run, in seconds, by its name; 0 if it owes none. It does from the start
/// that no run was begun for since, whatever became of it: handed in and waiting, or passed over.
///
/// # Errors
/// The store fails.
pub async fn lags(
    config: &Config,
    store: &dyn Store,
    states: &[ScheduleState],
    now: DateTime<Utc>,
) -> Result<BTreeMap<String, f64>, StoreError> {
    let mut lags = BTreeMap::new();
    for job in enabled(config, states) {
        let Some(state) = states.iter().find(|state| state.name == job.plan.name) else { continue };
        let from = begun(store, &job, state.last_at)
            .await?
            .map_or(state.owed_from, |begun| begun.max(state.owed_from));
        let lag = job.plan.next(from).map(|meant| (now - job.plan.start(meant)).as_seconds_f64());
        lags.extend(lag.map(|lag| (job.plan.name.clone(), lag.max(0.0))));
    }
    Ok(lags)
}

/// When a run of the job was begun last. By the database's clock, so never before the time that it was meant for.
async fn begun(
    store: &dyn Store,
    job: &PlannedJob,
    handed_in: Option<DateTime<Utc>>,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    let filter =
        JobFilter { requester: Some(requester(&job.plan.name)), limit: Some(NEWEST), ..JobFilter::default() };
    let began = |job: &Job| {
        let meant = job.idempotency_key.as_deref().and_then(|key| key.parse().ok());
        job.started_at.map(|started| meant.map_or(started, |meant: DateTime<Utc>| meant.max(started)))
    };
    let jobs = store.jobs(&filter).await?;
    // Those that are gone for their age had begun.
    Ok(if jobs.is_empty() { handed_in } else { jobs.iter().filter_map(began).max() })
}

/// The job's newest run that is over.
async fn last(store: &dyn Store, job: &PlannedJob) -> Result<Option<Job>, StoreError> {
    let filter = JobFilter {
        states: JobState::ALL.into_iter().filter(|state| state.is_over()).collect(),
        requester: Some(requester(&job.plan.name)),
        limit: Some(1),
        ..JobFilter::default()
    };
    Ok(store.jobs(&filter).await?.pop())
}

fn view(
    config: &Config,
    job: &PlannedJob,
    state: Option<&ScheduleState>,
    last: Option<Job>,
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
        last_outcome: last.as_ref().and_then(Job::outcome),
        last_run: last.map(|last| last.id),
        broken: None,
    }
}

fn late(job: &PlannedJob) -> chrono::TimeDelta {
    chrono::TimeDelta::from_std(job.plan.jitter).unwrap_or_default()
}

/// Switches a job on or off; what the configuration says anyway needs no switch.
///
/// # Errors
/// It is to be on and could not be run, or the store fails.
pub async fn enable(
    config: &Config,
    store: &dyn Store,
    job: &PlannedJob,
    on: bool,
    now: DateTime<Utc>,
) -> Result<ScheduleView, AskError> {
    if on {
        check_ask(config, &ask(job, None))?;
    }
    let states = store.schedule_states().await?;
    let state = states.into_iter().find(|state| state.name == job.plan.name);
    let state = if is_enabled(job, state.as_ref()) == on {
        state
    } else {
        let switch = (job.enabled != on).then_some(on);
        Some(store.switch_schedule(&job.plan.name, &line(job), switch, now).await?)
    };
    Ok(view(config, job, state.as_ref(), last(store, job).await?, now))
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
