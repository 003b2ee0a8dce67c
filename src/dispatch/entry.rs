//! A run that somebody types, in the queue that everybody shares.
//!
//! Its own process runs it, and nobody else: a suite at once, a load when no other one runs. Everybody sees it in the queue
//! and may stop it, and a lease that is no longer renewed says that its process is gone. The queue decides nothing about
//! what a run found: where it cannot be told, the run goes on, and says so at its end.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::attempt::not_begun;
use super::error::{DispatchError, chain};
use super::hold::{RENEW_EVERY, RENEW_PATIENCE};
use super::keep::{Keeper, open_store};
use super::load::LoadPlan;
use crate::config::Config;
use crate::domain::{Job, JobState, NewJob, RunId, RunKind};
use crate::run::RunControl;
use crate::store::{JobEnd, JobFilter, Lease, Reap, Renewed, Store, StoreError};

/// How often a load that waits asks for its turn.
const ASK_EVERY: Duration = Duration::from_millis(500);
/// How long the end of a run may take to be noted.
const PATIENCE: Duration = Duration::from_secs(5);
/// And where the database did not take its record.
const LESS_PATIENCE: Duration = Duration::from_secs(1);
/// And once everything is to stop at once: the record may have taken almost all the time that there is.
const LAST_PATIENCE: Duration = Duration::from_millis(500);
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
    store: Arc<dyn Store>,
    lease: Lease,
    kind: RunKind,
    /// How long the lease lasts from when it is renewed.
    length: Duration,
    requester: String,
}

/// An entry that is held while its run goes on.
#[derive(Debug)]
pub struct Held {
    store: Option<Arc<dyn Store>>,
    over: oneshot::Sender<JobEnd>,
    /// Gives what the queue could not be told.
    holding: JoinHandle<Option<String>>,
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
    /// Why there is no queue.
    pub async fn of_load(config: &Config, plan: &LoadPlan) -> Result<Self, String> {
        let location = Keeper::location(config).map_err(|error| chain(&error))?;
        let location = location.ok_or_else(|| "no database is configured".to_owned())?;
        let job = typed_job(config, plan.id(), RunKind::Load, plan.scenario(), plan.target());
        let entering = async {
            let store: Arc<dyn Store> = Arc::from(open_store(config, &location, true).await?);
            Self::new(store, &job, config.settings.service.lease.0).await
        };
        entering.await.map_err(|error| chain(&error))
    }

    async fn new(store: Arc<dyn Store>, job: &NewJob, length: Duration) -> Result<Self, StoreError> {
        let lease = store.enter_job(job, &instance_name(), length).await?;
        Ok(Self { store, lease, kind: job.kind, length, requester: job.requester.clone() })
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
        let (mut before, mut answered) = (None, Instant::now());
        loop {
            let asked = tokio::select! {
                biased;
                () = control.stopping() => {
                    self.leave().await;
                    return Err(DispatchError::Stopped { message: "stopped while it waited for its turn: nothing was sent".to_owned() });
                }
                asked = self.ask() => asked,
            };
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

    async fn ask(&self) -> Result<Asked, StoreError> {
        // No service may be there to do it, and who is gone would be waited for.
        self.store.reap_jobs(Reap::Unattended).await?;
        if self.store.begin_load(&self.lease, self.length).await?.is_some() {
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
        if let Some(running) = self.store.jobs(&loads(JobState::Running)).await?.pop() {
            return Ok(Some(running));
        }
        let waiting = JobFilter { typed: Some(true), ..loads(JobState::Queued) };
        let first = self.store.jobs(&waiting).await?.pop();
        Ok(first.filter(|first| first.id != self.lease.job))
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
    async fn leave(&self) {
        let leaving = async {
            let job = self.store.cancel_job(&self.lease.job, &self.requester).await?;
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
    async fn hold(
        self,
        control: RunControl,
        say: Tell,
        mut over: oneshot::Receiver<JobEnd>,
    ) -> Option<String> {
        let (mut renewed, mut has_lapsed, mut is_stopped) = (Instant::now(), false, false);
        let end = loop {
            tokio::select! {
                biased;
                end = &mut over => break end,
                () = sleep((self.length / 3).min(RENEW_EVERY)) => {}
            }
            let asked = Instant::now();
            let renewal = timeout((self.length / 3).max(RENEW_PATIENCE), self.renew());
            let by = tokio::select! {
                biased;
                end = &mut over => break end,
                renewal = renewal => match renewal {
                    Ok(Ok(by)) => {
                        renewed = asked;
                        by
                    }
                    Ok(Err(_)) | Err(_) => None,
                },
            };
            has_lapsed |= renewed.elapsed() > self.length;
            if let Some(by) = by.filter(|_| !is_stopped) {
                is_stopped = true;
                say(&format!("stopped by {by}: waiting for the answers on their way"));
                control.drain();
            }
        };
        let end = end.unwrap_or_else(|_| not_sent());
        match self.note(&end).await {
            Ok(()) if has_lapsed && self.kind == RunKind::Load => Some(format!(
                "the database was away for longer than `service.lease` ({:?}): another load may have begun meanwhile",
                self.length
            )),
            Ok(()) => None,
            Err(error) => Some(format!("the queue does not know that this run has ended: {}", chain(&error))),
        }
    }

    /// Goes on holding the job; who asks it to stop, if somebody does.
    async fn renew(&self) -> Result<Option<String>, StoreError> {
        match self.store.renew_job(&self.lease, self.length).await? {
            Renewed::Held => Ok(None),
            // One that was taken for lost goes on, unless somebody had stopped it.
            Renewed::Cancelled | Renewed::Over => Ok(self.store.job(&self.lease.job).await?.cancelled_by),
        }
    }

    async fn note(&self, end: &JobEnd) -> Result<(), StoreError> {
        let ended = self.store.end_job(&self.lease, end).await?;
        if ended.is_none() && end.state != JobState::Failed {
            // It was taken for lost, and its record is kept all the same.
            self.store.settle_jobs(std::slice::from_ref(&self.lease.job)).await?;
        }
        Ok(())
    }
}

impl Held {
    fn hold(entry: Entry, control: RunControl, say: Tell) -> Self {
        let (over, ended) = oneshot::channel();
        let store = Some(Arc::clone(&entry.store));
        Self { store, over, holding: tokio::spawn(entry.hold(control, say, ended)) }
    }

    /// Puts a suite into the queue as soon as the store is open, and holds it. The run need not wait for that.
    pub(super) fn suite(
        job: NewJob,
        store: oneshot::Receiver<Arc<dyn Store>>,
        length: Duration,
        control: RunControl,
        say: Tell,
    ) -> Self {
        let (over, ended) = oneshot::channel();
        let holding = tokio::spawn(async move {
            // Whoever keeps the record says why there is no store.
            let Ok(store) = store.await else { return None };
            match Entry::new(store, &job, length).await {
                Ok(entry) => entry.hold(control, say, ended).await,
                Err(error) => Some(format!("the queue does not know of this run: {}", chain(&error))),
            }
        });
        Self { store: None, over, holding }
    }

    /// The store that the queue is in, if it was opened for that.
    pub(super) fn store(&self) -> Option<Arc<dyn Store>> {
        self.store.clone()
    }

    /// Says how the run ended; gives what the queue could not be told. Where the database did not even take the record
    /// (`is_well`) it is not waited for as long, and once everything is to stop at once hardly at all.
    pub(super) async fn end(self, end: JobEnd, is_well: bool, control: &RunControl) -> Option<String> {
        let Self { store: _, over, mut holding } = self;
        // Nobody hears it where the queue could not be entered.
        let _ = over.send(end);
        let hurry = async {
            let aborted = async {
                control.aborted().await;
                sleep(LAST_PATIENCE).await;
            };
            let _ = timeout(if is_well { PATIENCE } else { LESS_PATIENCE }, aborted).await;
        };
        tokio::select! {
            biased;
            untold = &mut holding => untold.unwrap_or_else(|panic| Some(panic.to_string())),
            () = hurry => {
                holding.abort();
                Some("the queue was not told in time that this run has ended".to_owned())
            }
        }
    }

    /// Says that no run came of it, and why.
    pub(super) async fn fail(self, error: &DispatchError, control: &RunControl) {
        let end = match error {
            DispatchError::Stopped { .. } => not_sent(),
            error => not_begun(error),
        };
        let store = self.store();
        if let Some(untold) = self.end(end, true, control).await {
            tracing::warn!("{untold}");
        }
        if let Some(store) = store {
            store.close().await;
        }
    }
}

/// The end of a run that was stopped before it began.
pub(super) fn not_sent() -> JobEnd {
    JobEnd { state: JobState::Cancelled, conclusion: None, message: Some("nothing was sent yet".to_owned()) }
}

/// Another load is before this one.
fn busy(other: &Job) -> DispatchError {
    DispatchError::Busy {
        message: format!("{}; nothing was sent", before_it(other)),
        hint: "leave `--no-wait` out to wait for its end; `thrash runs queue` shows what else waits"
            .to_owned(),
    }
}

/// What a load waits for, in words.
pub fn before_it(other: &Job) -> String {
    let Job { id, name, target, requester, .. } = other;
    let instance = other.instance.as_deref().unwrap_or("somewhere");
    let (state, since) = match other.started_at {
        Some(since) => ("runs", since),
        None => ("waits", other.submitted_at),
    };
    let since = since.format("%Y-%m-%d %H:%M:%S UTC");
    format!(
        "the load `{name}` against `{target}` (run {id} of {requester}) {state} on {instance} since {since}"
    )
}
