//! A run that somebody types, in the queue that everybody shares.
//!
//! Its own process runs it, and nobody else: a suite at once, a load when no other one runs. Everybody sees it in the queue
//! and may stop it, and a lease that is no longer renewed says that its process is gone. The queue decides nothing about
//! what a run found: where it cannot be told, the run goes on, and says so at its end.

use std::future::Future;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use chrono::{TimeDelta, Utc};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};

use super::error::{DispatchError, chain};
use super::held::Held;
use super::hold::{RENEW_EVERY, RENEW_PATIENCE};
use super::keep::{Keeper, open_store};
use super::load::LoadPlan;
use super::load_check::busy;
use super::retention::RetentionPolicy;
use crate::config::Config;
use crate::domain::{Beside, Job, JobState, NewJob, RunId, RunKind};
use crate::run::RunControl;
use crate::store::{JobEnd, JobFilter, Lease, Reap, Renewed, Store, StoreError, StoreErrorKind};

/// How often a load that waits asks for its turn.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// How often it looks whether those before it are gone.
const REAP_EVERY: Duration = Duration::from_secs(10);
/// How long a database that is away for a moment is tried again.
const INSISTENCE: Duration = Duration::from_secs(4);
/// How often.
const INSIST_EVERY: Duration = Duration::from_millis(300);
/// How long the end of a run may take to be noted.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// How long leaving the queue may take.
const LEAVING: Duration = Duration::from_secs(2);
/// Loads that wait and are looked through for the one whose turn is next.
const WAITING: usize = 100;
/// Longest name of a user that is kept, in characters.
const LONGEST_USER: usize = 60;

/// Tells whoever typed it.
pub type Tell = Arc<dyn Fn(&str) + Send + Sync>;

/// A run in the queue, held by this process.
#[derive(Debug)]
pub struct Entry {
    pub(super) store: Arc<dyn Store>,
    job: NewJob,
    lease: Lease,
    /// How long the lease lasts from when it is renewed.
    length: Duration,
    /// Set once it was taken for gone: whether that is what ends its run.
    lost: OnceLock<bool>,
    /// When its lease was asked for that it held last.
    renewed: Mutex<SystemTime>,
}

/// Why a load has no place in the queue.
#[derive(Debug)]
pub enum NoEntry {
    /// No database is configured.
    NoDatabase,
    /// The queue could not be asked.
    Unknown(String),
    /// The load cannot begin.
    Failed(DispatchError),
}

/// Whether a load may begin.
enum Asked {
    /// It runs from now on.
    Begun,
    /// Another one is before it.
    Waits(Option<Job>),
    /// It is no longer in the queue.
    Over(Job),
}

/// What renewing a lease told, and who wants the run to stop, if somebody does.
enum Told {
    /// It is held.
    Hold,
    /// It is held, and is to stop.
    Stop(Option<String>),
    /// It was taken for gone.
    Over(Option<String>),
}

/// Who types here, as the queue calls them.
pub fn typist(config: &Config) -> String {
    let user = config.variable("USER").or_else(|| config.variable("LOGNAME")).unwrap_or_default();
    let known = |c: &char| c.is_alphanumeric() || "-_.@+".contains(*c);
    let user: String = user.chars().filter(known).take(LONGEST_USER).collect();
    if user.is_empty() { "cli".to_owned() } else { format!("cli:{user}") }
}

/// How this process is called in the queue.
pub fn instance_name() -> String {
    format!("{}-{}", host_name(), std::process::id())
}

/// How this machine is called; for people.
fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name: String =
        name.trim().chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).take(60).collect();
    if name.is_empty() { "host".to_owned() } else { name }
}

/// A run that is typed, as it is put into the queue.
pub(super) fn typed_job(config: &Config, id: &RunId, kind: RunKind, name: &str, target: &str) -> NewJob {
    NewJob {
        id: id.clone(),
        kind,
        name: name.to_owned(),
        target: target.to_owned(),
        priority: 0,
        requester: typist(config),
        idempotency_key: None,
    }
}

impl Entry {
    /// Puts a load into the queue, where it waits for its turn.
    ///
    /// # Errors
    /// Why it has no place there.
    pub async fn of_load(config: &Config, plan: &LoadPlan, control: &RunControl) -> Result<Self, NoEntry> {
        let location = Keeper::location(config).map_err(|error| NoEntry::Failed(error.into()))?;
        let location = location.ok_or(NoEntry::NoDatabase)?;
        let job = typed_job(config, plan.id(), RunKind::Load, plan.scenario(), plan.target());
        let unknown = |error: StoreError| NoEntry::Unknown(chain(&error));
        let store = tokio::select! {
            store = insist(|| open_store(config, &location, true)) => store.map_err(unknown)?,
            () = control.stopping() => return Err(NoEntry::Failed(stopped())),
        };
        let entry = Self::new(Arc::from(store), job, config.settings.service.lease.0);
        let entered = tokio::select! {
            entered = entry.enter() => entered.map_err(unknown),
            () = control.stopping() => Err(NoEntry::Failed(stopped())),
        };
        match entered {
            Ok(()) => {
                entry.forget_old(config).await;
                Ok(entry)
            }
            Err(error) => {
                // It may be in the queue all the same: the answer was lost.
                entry.leave().await;
                Err(error)
            }
        }
    }

    pub(super) fn new(store: Arc<dyn Store>, job: NewJob, length: Duration) -> Self {
        Self {
            store,
            lease: Lease::new(&job.id),
            job,
            length,
            lost: OnceLock::new(),
            renewed: Mutex::new(SystemTime::now()),
        }
    }

    pub(super) async fn enter(&self) -> Result<(), StoreError> {
        let instance = instance_name();
        insist(|| self.store.enter_job(&self.job, &instance, &self.lease, self.length)).await
    }

    /// Deletes old jobs that were typed: where there is no service nobody else does.
    pub(super) async fn forget_old(&self, config: &Config) {
        let age = RetentionPolicy::from(&config.settings.retention).traces;
        let before = age.and_then(|age| Utc::now().checked_sub_signed(TimeDelta::from_std(age).ok()?));
        if let Some(before) = before
            && let Ok(Err(error)) = timeout(LEAVING, self.store.forget_typed_jobs(before)).await
        {
            tracing::debug!(error = chain(&error), "old jobs stay");
        }
    }

    /// The store that the queue is in.
    pub fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }

    /// Waits until no other load runs, nor one that was typed waits before this one; `tell` is called with the other one
    /// whenever it is another. With `waits` false it is an error if there is one.
    ///
    /// # Errors
    /// It did not get its turn: somebody stopped it, or the queue was lost. Nothing was sent.
    pub async fn turn(
        self,
        waits: bool,
        control: &RunControl,
        say: Tell,
        tell: impl Fn(&Job),
    ) -> Result<Held, DispatchError> {
        let (mut before, mut answered, mut reaped) = (None, Instant::now(), None::<Instant>);
        loop {
            let reaps = reaped.is_none_or(|reaped| reaped.elapsed() > REAP_EVERY);
            let asked = tokio::select! {
                biased;
                () = control.stopping() => {
                    self.leave().await;
                    return Err(stopped());
                }
                asked = self.ask(reaps) => asked,
            };
            if reaps && asked.is_ok() {
                reaped = Some(Instant::now());
            }
            match asked {
                Ok(Asked::Begun) => return Ok(Held::hold(self, control.clone(), say)),
                Ok(Asked::Over(job)) => return Err(self.over(&job)),
                Ok(Asked::Waits(other)) => {
                    answered = Instant::now();
                    match other {
                        Some(other) if !waits => {
                            self.leave().await;
                            return Err(busy(&other));
                        }
                        Some(other) if before.as_ref() != Some(&other.id) => {
                            tell(&other);
                            before = Some(other.id);
                        }
                        // The one before it has just ended, or was told of.
                        Some(_) | None => {}
                    }
                }
                // By then it counts as lost.
                Err(error) if answered.elapsed() > self.length => {
                    return Err(DispatchError::PlaceLost {
                        message: format!("the queue was lost while this load waited: {}", chain(&error)),
                    });
                }
                Err(error) => tracing::warn!(error = chain(&error), "the queue cannot be asked"),
            }
            tokio::select! {
                () = control.stopping() => {}
                () = sleep(ASK_EVERY) => {}
            }
        }
    }

    async fn ask(&self, reaps: bool) -> Result<Asked, StoreError> {
        if reaps {
            // No service may be there to do it, and who is gone would be waited for.
            self.store.reap_jobs(Reap::Abandoned(self.length * 2)).await?;
        }
        let asked = SystemTime::now();
        if self.store.begin_load(&self.lease, self.length).await?.is_some() {
            self.held_from(asked);
            return Ok(Asked::Begun);
        }
        match self.store.renew_job(&self.lease, self.length).await? {
            Renewed::Over => Ok(Asked::Over(self.store.job(&self.lease.job).await?)),
            Renewed::Held | Renewed::Cancelled => Ok(Asked::Waits(self.before().await?)),
        }
    }

    /// The load that this one waits for.
    async fn before(&self) -> Result<Option<Job>, StoreError> {
        let loads = |state| JobFilter {
            states: vec![state],
            kind: Some(RunKind::Load),
            limit: Some(WAITING),
            ..JobFilter::default()
        };
        let other = |job: &Job| job.id != self.lease.job;
        if let Some(running) = self.store.jobs(&loads(JobState::Running)).await?.pop().filter(other) {
            return Ok(Some(running));
        }
        let waiting = JobFilter { typed: Some(true), ..loads(JobState::Queued) };
        Ok(self.store.jobs(&waiting).await?.pop().filter(other))
    }

    /// The load that runs against the same target, if that can be told.
    pub(super) async fn load_at_its_target(&self) -> Option<Job> {
        let running = JobFilter {
            states: vec![JobState::Running],
            kind: Some(RunKind::Load),
            target: Some(self.job.target.clone()),
            limit: Some(1),
            ..JobFilter::default()
        };
        let looked = async {
            // One that is gone runs until somebody says so, and no service may be there.
            self.store.reap_jobs(Reap::Abandoned(self.length * 2)).await?;
            self.store.jobs(&running).await
        };
        timeout(LEAVING, looked).await.ok()?.ok()?.pop()
    }

    /// Why a load that waited is no longer in the queue.
    fn over(&self, job: &Job) -> DispatchError {
        match &job.cancelled_by {
            Some(by) => DispatchError::Stopped {
                message: format!("run `{}` was cancelled by {by} while it waited: nothing was sent", job.id),
            },
            None => DispatchError::PlaceLost {
                message: format!(
                    "run `{}` lost its place in the queue: nothing was heard of it for {:?}",
                    job.id, self.length
                ),
            },
        }
    }

    /// Leaves the queue, if that can be.
    pub async fn leave(&self) {
        let leaving = async {
            let job = self.store.cancel_job(&self.lease.job, &self.job.requester).await?;
            // It may have had its turn in this very moment.
            if !job.state.is_over() {
                self.store.end_job(&self.lease, &not_sent()).await?;
            }
            Ok::<_, StoreError>(())
        };
        // What is not said now, the end of the lease says.
        if let Ok(Err(error)) = timeout(LEAVING, leaving).await {
            tracing::debug!(error = chain(&error), "the queue was not left");
        }
    }

    /// Renews the lease until the run is over, and then says so; gives what the queue could not be told.
    pub(super) async fn hold(
        &self,
        control: RunControl,
        say: Tell,
        mut over: oneshot::Receiver<JobEnd>,
    ) -> Option<String> {
        let mut is_stopped = false;
        let end = loop {
            tokio::select! {
                biased;
                end = &mut over => break end,
                () = sleep((self.length / 3).min(RENEW_EVERY)) => {}
            }
            let renewal = timeout((self.length / 3).max(RENEW_PATIENCE), self.renew());
            let told = tokio::select! {
                biased;
                end = &mut over => break end,
                told = renewal => told,
            };
            let (by, is_over) = match told {
                Ok(Ok(Told::Hold) | Err(_)) | Err(_) => continue,
                Ok(Ok(Told::Stop(by))) => (by, false),
                Ok(Ok(Told::Over(by))) => (by, true),
            };
            if let Some(by) = by.as_ref().filter(|_| !is_stopped) {
                say(&format!("stopped by {by}: waiting for the answers on their way"));
            }
            if is_over {
                let ends = self.job.kind == RunKind::Load && by.is_none() && !control.is_stopping();
                if ends {
                    say("its place in the queue is lost, another load may have begun: nothing more is sent");
                }
                let _ = self.lost.set(ends);
                // A suite that was taken for lost goes on, unless somebody had stopped it.
                if ends || by.is_some() {
                    control.drain();
                }
                break over.await;
            }
            if by.is_some() {
                is_stopped = true;
                control.drain();
            }
        };
        let end = end.unwrap_or_else(|_| not_sent());
        match self.note(&end).await {
            Err(error) => Some(format!("the queue does not know that this run has ended: {}", chain(&error))),
            // The record of a load says it.
            Ok(false) if self.job.kind == RunKind::Accuracy => Some(format!(
                "this run was taken for lost, for nothing was heard of it in the queue for {:?}; it is none the worse",
                self.length
            )),
            Ok(_) => None,
        }
    }

    /// Goes on holding the job.
    async fn renew(&self) -> Result<Told, StoreError> {
        let asked = SystemTime::now();
        let renewed = self.store.renew_job(&self.lease, self.length).await?;
        if renewed != Renewed::Over {
            self.held_from(asked);
        }
        let by = async { self.store.job(&self.lease.job).await.map(|job| job.cancelled_by) };
        Ok(match renewed {
            Renewed::Held => Told::Hold,
            Renewed::Cancelled => Told::Stop(by.await?),
            // That it is over must be heard, whoever wanted it.
            Renewed::Over => Told::Over(by.await.unwrap_or_default()),
        })
    }

    fn held_from(&self, asked: SystemTime) {
        *self.renewed.lock().unwrap_or_else(PoisonError::into_inner) = asked;
    }

    /// Says how it ended; whether it had been held until then.
    async fn note(&self, end: &JobEnd) -> Result<bool, StoreError> {
        if self.store.end_job(&self.lease, end).await?.is_some() {
            return Ok(true);
        }
        if end.conclusion.is_none() {
            // Nothing is kept of it.
            self.store.cancel_job(&self.lease.job, &self.job.requester).await?;
        } else if end.state != JobState::Failed {
            // It was taken for lost, and its record is kept all the same.
            self.store.settle_jobs(std::slice::from_ref(&self.lease.job)).await?;
        }
        Ok(false)
    }

    /// Whether another load may have been sent beside this one, whose sending is over; and whether that ended it.
    pub(super) async fn beside(&self) -> Option<(Beside, bool)> {
        let why = match timeout(PATIENCE, self.store.renew_job(&self.lease, self.length)).await {
            // Nobody else could begin as long as it was held.
            Ok(Ok(Renewed::Held | Renewed::Cancelled)) => return None,
            Ok(Ok(Renewed::Over)) => {
                let _ = self.lost.set(false);
                String::new()
            }
            Ok(Err(error)) => chain(&error),
            Err(_) => format!("no answer within {PATIENCE:?}"),
        };
        Some(self.not_asked(&why))
    }

    /// The same where the queue cannot be asked: a lease that is over may be somebody else's by now.
    pub(super) fn not_asked(&self, why: &str) -> (Beside, bool) {
        let lost = self.lost.get();
        let renewed = *self.renewed.lock().unwrap_or_else(PoisonError::into_inner);
        // By the clock that goes on while this machine sleeps.
        let is_over = renewed.elapsed().map_or(true, |since| since > self.length);
        let reason = match lost {
            Some(_) => format!(
                "nothing was heard of it in the queue for {:?}, so another load may have been sent beside it",
                self.length
            ),
            None => format!("whether another load was sent beside it is not known at its end: {why}"),
        };
        (Beside { place_lost: lost.is_some() || is_over, reason }, lost.is_some_and(|ends| *ends))
    }
}

/// Tries for a while what a database that is away for a moment refuses.
async fn insist<T, F: Future<Output = Result<T, StoreError>>>(
    mut attempt: impl FnMut() -> F,
) -> Result<T, StoreError> {
    let began = Instant::now();
    loop {
        match attempt().await {
            Err(error) if passes(&error) && began.elapsed() < INSISTENCE => sleep(INSIST_EVERY).await,
            done => return done,
        }
    }
}

/// Whether it may be otherwise in a moment.
fn passes(error: &StoreError) -> bool {
    matches!(error.kind(), StoreErrorKind::Unreachable | StoreErrorKind::Busy)
}

/// Somebody stopped a load that waits.
fn stopped() -> DispatchError {
    DispatchError::Stopped { message: "stopped while it waited for its turn: nothing was sent".to_owned() }
}

/// The end of a run that was stopped before it began.
pub(super) fn not_sent() -> JobEnd {
    JobEnd { state: JobState::Cancelled, conclusion: None, message: Some("nothing was sent yet".to_owned()) }
}
