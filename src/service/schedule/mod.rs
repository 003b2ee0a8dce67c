//! Puts runs into the queue when it is their time.
//!
//! Each time is handed in under a key made of it, so that of several instances on one database one makes the run, and
//! one that is killed between handing in and noting that does no harm. A time at which the job's last run is still under
//! way is passed over. What the service missed while it was away is run once, if it is not too late.

mod check;
mod view;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

pub use check::{ScheduleError, broken, check, check_all, enabled};
pub use view::{ScheduleView, enable, lags, mark_broken, planned_job, run_now, views};

use crate::config::{Config, PlannedJob};
use crate::dispatch::{Ask, AskError, Queue, Work, asked_target, chain};
use crate::domain::{JobState, RunKind};
use crate::store::{JobFilter, ScheduleState, Store, StoreError};

/// The longest that it does not look: somebody may have switched something.
const LOOK: Duration = Duration::from_secs(5);
/// After a store that failed.
const STORE_AWAY: Duration = Duration::from_secs(15);

/// Hands in what is due.
#[derive(Debug)]
pub struct Scheduler {
    jobs: Vec<PlannedJob>,
    queue: Arc<Queue>,
    store: Arc<dyn Store>,
}

/// What was done with a time that was due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// It is in the queue, put there by this instance or another.
    HandedIn,
    /// The last run is still under way.
    PassedOver,
    /// The queue is full: it is tried again at the next look, as long as it may be caught up with.
    NoRoom,
    /// It cannot be put into the queue.
    Refused(String),
}

/// A time that was due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turned {
    /// The job's name.
    pub name: String,
    /// The time that was meant.
    pub meant: DateTime<Utc>,
    /// What was done.
    pub done: Done,
}

/// Who asks for the runs of a job.
pub fn requester(name: &str) -> String {
    format!("schedule:{name}")
}

/// The line as the store remembers it: another line or zone begins anew.
fn line(job: &PlannedJob) -> String {
    format!("{} {}", job.plan.line, job.plan.zone)
}

/// What is asked for.
fn ask(job: &PlannedJob, key: Option<String>) -> Ask {
    let work = match (&job.suite, &job.scenario) {
        (Some(suite), _) => Work::Suite(suite.clone()),
        (None, scenario) => Work::Scenario(scenario.clone().unwrap_or_default()),
    };
    let (target, requester) = (job.target.clone(), requester(&job.plan.name));
    Ask { work, target, priority: 0, requester, idempotency_key: key }
}

/// The series of a job's runs: what they do, the suite's name as records have it, and the target's.
pub fn series(config: &Config, job: &PlannedJob) -> (RunKind, String, String) {
    let ask = ask(job, None);
    let target = asked_target(config, &ask);
    match ask.work {
        Work::Suite(name) => (RunKind::Accuracy, name, target),
        Work::Scenario(name) => (RunKind::Load, RunKind::Load.suite_name(&name), target),
    }
}

/// Whether a job begins by itself.
fn is_enabled(job: &PlannedJob, state: Option<&ScheduleState>) -> bool {
    state.and_then(|state| state.enabled).unwrap_or(job.enabled)
}

impl Scheduler {
    /// The configured jobs; none where the configuration stops all.
    pub fn new(config: &Config, queue: Arc<Queue>, store: Arc<dyn Store>) -> Self {
        let jobs = if config.schedules_are_off() { Vec::new() } else { config.planned_jobs() };
        Self { jobs, queue, store }
    }

    /// Begins every job: one that is new has nothing to catch up with.
    ///
    /// # Errors
    /// The store fails.
    pub async fn begin(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        for job in &self.jobs {
            self.store.begin_schedule(&job.plan.name, &line(job), now).await?;
        }
        Ok(())
    }

    /// Hands in what is due now.
    ///
    /// # Errors
    /// The store fails. What was handed in by then is not handed in again.
    pub async fn tick(&self, now: DateTime<Utc>) -> Result<Vec<Turned>, StoreError> {
        let states = self.store.schedule_states().await?;
        let mut turned = Vec::new();
        for job in &self.jobs {
            let name = &job.plan.name;
            let Some(state) = states.iter().find(|state| state.name == *name) else { continue };
            if !is_enabled(job, Some(state)) {
                continue;
            }
            let due = job.plan.due(state.seen_at, now);
            if due.missed > 0 {
                tracing::warn!(schedule = name, missed = due.missed, "times passed while nobody looked");
            }
            let done = match due.run {
                Some(meant) => Some((meant, self.hand_in(job, meant).await?)),
                None => None,
            };
            if let Some(seen) = due.seen.filter(|_| !matches!(done, Some((_, Done::NoRoom)))) {
                let ran = done.as_ref().filter(|(_, done)| *done == Done::HandedIn).map(|(meant, _)| *meant);
                self.store.advance_schedule(name, seen, ran, due.run.is_none()).await?;
            }
            turned.extend(done.map(|(meant, done)| Turned { name: name.clone(), meant, done }));
        }
        Ok(turned)
    }

    async fn hand_in(&self, job: &PlannedJob, meant: DateTime<Utc>) -> Result<Done, StoreError> {
        let name = &job.plan.name;
        let key = meant.to_rfc3339();
        let under_way = JobFilter {
            states: vec![JobState::Queued, JobState::Running],
            requester: Some(requester(name)),
            ..JobFilter::default()
        };
        let under_way = self.store.jobs(&under_way).await?;
        // Another instance may have handed in this very time.
        if let Some(other) = under_way.iter().find(|job| job.idempotency_key.as_ref() != Some(&key)) {
            tracing::warn!(schedule = name, run = %other.id, "the last run is still under way: a time is passed over");
            return Ok(Done::PassedOver);
        }
        match self.queue.submit_unseen(ask(job, Some(key))).await {
            Ok(_) => Ok(Done::HandedIn),
            Err(AskError::Store(error)) => Err(error),
            Err(error @ AskError::Full { .. }) => {
                tracing::warn!(
                    schedule = name,
                    error = chain(&error),
                    "a job has to wait for room in the queue"
                );
                Ok(Done::NoRoom)
            }
            Err(error) => {
                let text = chain(&error);
                tracing::error!(schedule = name, error = text, "a job cannot be put into the queue");
                Ok(Done::Refused(text))
            }
        }
    }

    /// Hands in what is due until it is stopped.
    pub async fn work(self, stop: CancellationToken) {
        let mut begun = false;
        while !stop.is_cancelled() {
            let now = Utc::now();
            let looked = async {
                if !begun {
                    self.begin(now).await?;
                }
                self.tick(now).await
            };
            let pause = match looked.await {
                Ok(_) => {
                    begun = true;
                    self.pause(now)
                }
                Err(error) => {
                    tracing::warn!(error = chain(&error), "the schedules cannot be read");
                    STORE_AWAY
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Until the next start, or until it is time to look again.
    fn pause(&self, now: DateTime<Utc>) -> Duration {
        // A time that is meant has passed when its start comes, so it is asked for from a while before.
        let starts = self.jobs.iter().filter_map(|job| {
            let jitter = chrono::TimeDelta::from_std(job.plan.jitter).ok()?;
            let meant = job.plan.next(now.checked_sub_signed(jitter)?)?;
            let start = job.plan.start(meant);
            (start > now).then(|| (start - now).to_std().ok()).flatten()
        });
        starts.min().unwrap_or(LOOK).clamp(Duration::from_millis(10), LOOK)
    }
}
