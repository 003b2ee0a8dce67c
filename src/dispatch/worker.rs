//! Runs what waits in the queue, one job at a time.
//!
//! A job is held by a lease that is renewed while it runs. It ends in one of four ways: with a record that is kept, with
//! a reason why there is none, stopped by somebody (what was found is kept), or handed back to the queue because this
//! instance stops (what was found is forgotten: another run begins anew, and nothing half-done is taken for a result).

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use chrono::Utc;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::error::{DispatchError, chain};
use super::execute::{Executed, Prepared};
use super::feed::{Feed, JobEvent};
use super::keep::{Kept, deliver_spool, spool};
use super::load::PreparedLoad;
use super::queue::{News, Queue, Turn, Work, known_work};
use crate::domain::{Conclusion, Job, JobState, RunEvent, RunId, RunKind, RunRecord, RunRequest, RunStatus};
use crate::load::shipped_scenario;
use crate::run::RunControl;
use crate::store::{JobEnd, Lease, Renewed};

/// How often an idle worker looks for jobs that another instance took in, and for lost ones.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A lease is renewed at least so often: that is how a wish to stop comes from another instance.
const RENEW_EVERY: Duration = Duration::from_secs(3);
/// The longest it waits for a database that fails.
const LONGEST_WAIT: Duration = Duration::from_secs(15);
/// How long a run that was told to stop at once may take to do so.
const LAST_WAIT: Duration = Duration::from_secs(3);
/// How often the spool is looked into.
const SPOOL_EVERY: Duration = Duration::from_mins(1);
/// Events that wait for the feed before further ones are lost to it.
const EVENTS: usize = 1024;

/// How the service stops.
#[derive(Debug, Clone, Default)]
pub struct Stopping {
    /// No new work.
    pub drain: CancellationToken,
    /// What runs still is given up.
    pub abort: CancellationToken,
}

/// Runs jobs until it is told to stop.
#[derive(Debug)]
pub struct Worker {
    queue: Arc<Queue>,
    lease: Duration,
    stopping: Stopping,
}

/// Why a run was told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Why {
    /// It was not.
    Not = 0,
    /// Somebody asked for that.
    Cancelled = 1,
    /// The lease is over: the job is somebody else's.
    Superseded = 2,
    /// This instance stops.
    Leaving = 3,
}

/// The first reason to stop a run, for those who run it and those who hold its lease.
#[derive(Debug, Default)]
struct Reason(AtomicU8);

impl Reason {
    /// Notes the reason, unless there is one.
    fn note(&self, why: Why) {
        let _ = self.0.compare_exchange(Why::Not as u8, why as u8, Ordering::AcqRel, Ordering::Acquire);
    }

    fn get(&self) -> Why {
        match self.0.load(Ordering::Acquire) {
            1 => Why::Cancelled,
            2 => Why::Superseded,
            3 => Why::Leaving,
            _ => Why::Not,
        }
    }
}

/// What came of a job.
enum Outcome {
    Over(JobEnd, Option<Arc<RunRecord>>),
    HandBack,
    /// It is not ours any more.
    Nothing,
}

impl Worker {
    /// A worker that holds jobs by leases of this length.
    pub fn new(queue: Arc<Queue>, lease: Duration, stopping: Stopping) -> Self {
        Self { queue, lease, stopping }
    }

    /// Works until it is told to stop, and what it runs has ended or was handed back.
    pub async fn work(self) {
        let (mut wait, mut spool_at) = (LOOK_EVERY, Instant::now());
        while !self.stopping.drain.is_cancelled() {
            if Instant::now() >= spool_at {
                spool_at = Instant::now() + SPOOL_EVERY;
                deliver_spool(&spool(&self.queue.config), self.queue.store.as_ref()).await;
            }
            match self.next().await {
                Ok(Some((job, lease))) => {
                    wait = LOOK_EVERY;
                    self.run(job, lease).await;
                    continue;
                }
                Ok(None) => wait = LOOK_EVERY,
                Err(error) => {
                    tracing::warn!(error = chain(&error), "the queue cannot be read");
                    wait = (wait * 2).min(LONGEST_WAIT);
                }
            }
            tokio::select! {
                () = self.stopping.drain.cancelled() => {}
                () = self.queue.ready.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Takes lost jobs from who lost them, then the next one that may begin.
    async fn next(&self) -> Result<Option<(Job, Lease)>, crate::store::StoreError> {
        let store = &self.queue.store;
        for job in store.reap_jobs().await? {
            tracing::warn!(job = %job.id, instance = job.instance, state = job.state.as_str(), "a run was lost");
            let turn = if matches!(job.state, JobState::Finished | JobState::Cancelled) {
                Turn::Ended
            } else {
                Turn::Lost
            };
            self.queue.tell(News { turn, job, record: None }).await;
        }
        let again = RunId::new(Utc::now(), rand::random());
        store.claim_job(&self.queue.instance, &again, self.lease).await
    }

    async fn run(&self, job: Job, lease: Lease) {
        tracing::info!(job = %job.id, name = job.name, target = job.target, attempt = job.attempt, "a run begins");
        let feed = self.queue.open_feed(&job);
        self.queue.tell(News { turn: Turn::Began, job: job.clone(), record: None }).await;
        let (control, reason) = (RunControl::default(), Arc::new(Reason::default()));
        let (events, received) = mpsc::channel(EVENTS);
        let following = tokio::spawn(Arc::clone(&feed).follow(received));
        let holding = self.hold(&job, &lease, &control, &reason);
        // A task of its own, so that a bug in it is a failed job and not the end of the worker.
        let running = tokio::spawn(execute(
            Arc::clone(&self.queue),
            job.clone(),
            control.clone(),
            Arc::clone(&reason),
            events,
        ));
        let ended = async {
            let mut running = running;
            tokio::select! {
                ended = &mut running => Some(ended),
                // Whoever does not listen is left behind.
                () = async { control.aborted().await; tokio::time::sleep(LAST_WAIT).await } => {
                    running.abort();
                    None
                }
            }
        };
        let outcome = {
            tokio::pin!(ended, holding);
            tokio::select! {
                biased;
                ended = &mut ended => ended,
                () = &mut holding => ended.await,
            }
        };
        let outcome = match outcome {
            Some(Ok(outcome)) => outcome,
            Some(Err(panic)) => {
                tracing::error!(job = %job.id, %panic, "a bug in thrash ended a run");
                Outcome::Over(failed("a bug in thrash ended it; the log says where".to_owned(), None), None)
            }
            None if reason.get() == Why::Superseded => Outcome::Nothing,
            None => Outcome::HandBack,
        };
        // What was told last is still on its way to the readers.
        let _ = tokio::time::timeout(LAST_WAIT, following).await;
        self.end(&job, &lease, &feed, outcome).await;
    }

    /// Renews the lease, and passes on who wants the run to stop. Ends when nobody has to be asked any more.
    async fn hold(&self, job: &Job, lease: &Lease, control: &RunControl, reason: &Reason) {
        let stop = |why| {
            reason.note(why);
            // Of a load that is stopped something is left: what it did to the target until then.
            if job.kind == RunKind::Load || why == Why::Cancelled { control.drain() } else { control.abort() }
        };
        let mut renewed = Instant::now();
        let mut drain = self.stopping.drain.clone();
        loop {
            tokio::select! {
                () = tokio::time::sleep((self.lease / 3).min(RENEW_EVERY)) => {}
                () = self.queue.asked.notified() => {}
                () = self.stopping.abort.cancelled() => {
                    stop(Why::Leaving);
                    control.abort();
                    return;
                }
                () = drain.cancelled() => {
                    // A suite may still come to its end in time. A load is not begun again by itself, so it ends here.
                    if job.kind == RunKind::Load {
                        stop(Why::Leaving);
                    }
                    drain = CancellationToken::new();
                    continue;
                }
            }
            match self.queue.store.renew_job(lease, self.lease).await {
                Ok(Renewed::Held) => renewed = Instant::now(),
                Ok(Renewed::Cancelled) => {
                    renewed = Instant::now();
                    stop(Why::Cancelled);
                }
                Ok(Renewed::Over) => {
                    tracing::warn!(job = %job.id, "the run is somebody else's by now: it is given up here");
                    return stop(Why::Superseded);
                }
                Err(error) => {
                    tracing::warn!(job = %job.id, error = chain(&error), "the lease of a run cannot be renewed");
                    // Another instance may take a load for lost, and begin the next: never two at once.
                    if job.kind == RunKind::Load && renewed.elapsed() > self.lease {
                        return stop(Why::Superseded);
                    }
                }
            }
        }
    }

    /// Writes down what came of a job, however long the database is away.
    async fn end(&self, job: &Job, lease: &Lease, feed: &Feed, outcome: Outcome) {
        let store = &self.queue.store;
        let mut wait = LOOK_EVERY;
        let (turn, record) = match &outcome {
            Outcome::Over(_, record) => (Turn::Ended, record.clone()),
            Outcome::HandBack => (Turn::HandedBack, None),
            Outcome::Nothing => (Turn::Lost, None),
        };
        loop {
            let written = match &outcome {
                Outcome::Over(end, _) => store.end_job(lease, end).await.map(|job| job.is_some()),
                Outcome::HandBack => store.hand_back_job(lease).await,
                Outcome::Nothing => Ok(false),
            };
            match written {
                Ok(is_ours) => {
                    let now = store.job(&job.id).await.unwrap_or_else(|_| job.clone());
                    tracing::info!(job = %job.id, state = now.state.as_str(), "a run ended");
                    feed.tell(JobEvent::Ended(Arc::new(now.clone())));
                    self.queue.ready.notify_one();
                    if is_ours {
                        self.queue.tell(News { turn, job: now, record }).await;
                    }
                    return;
                }
                Err(error) => {
                    tracing::warn!(job = %job.id, error = chain(&error), "the end of a run cannot be noted");
                    if self.stopping.abort.is_cancelled() {
                        return;
                    }
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(LONGEST_WAIT);
                }
            }
        }
    }
}

/// Prepares, runs and keeps.
async fn execute(
    queue: Arc<Queue>,
    job: Job,
    control: RunControl,
    reason: Arc<Reason>,
    events: mpsc::Sender<RunEvent>,
) -> Outcome {
    // Another instance may know targets that this one does not: what would be asked here under that name is another thing.
    if !queue.config.served_targets().contains(&job.target) {
        let message = format!("the instance that took it knows no target `{}`", job.target);
        return Outcome::Over(failed(message, None), None);
    }
    let config = queue.config.for_target(&job.target);
    let id = job.run.clone().unwrap_or_else(|| job.id.clone());
    let executed = match job.kind {
        RunKind::Accuracy => {
            if let Err(error) = known_work(&config, &Work::Suite(job.name.clone())) {
                return Outcome::Over(failed(chain(&error), None), None);
            }
            let request = RunRequest { suites: vec![job.name.clone()], ..RunRequest::default() };
            let prepared = tokio::select! {
                prepared = Prepared::named(&config, &request, &[], id) => prepared,
                () = control.stopping() => return unbegun(reason.get()),
            };
            let prepared = match prepared {
                Ok(prepared) => prepared,
                Err(error) => return Outcome::Over(not_begun(&error), None),
            };
            let judged = Box::pin(prepared.judge(control, events)).await;
            match (judged.record.status, reason.get()) {
                (RunStatus::Interrupted, Why::Leaving) => return Outcome::HandBack,
                (RunStatus::Interrupted, Why::Superseded) => return Outcome::Nothing,
                // It had come to its end before it was told to stop, or is to be kept as far as it came.
                (RunStatus::Completed | RunStatus::Aborted | RunStatus::Interrupted, _) => {
                    judged.keep().await
                }
            }
        }
        RunKind::Load => {
            let scenario = match shipped_scenario(&job.name) {
                Ok(scenario) => scenario,
                Err(error) => return Outcome::Over(failed(chain(&error), None), None),
            };
            let prepared = tokio::select! {
                prepared = Box::pin(PreparedLoad::named(&config, scenario, &[], None, id)) => prepared,
                () = control.stopping() => return unbegun(reason.get()),
            };
            let executed = match prepared {
                Ok(prepared) => Box::pin(prepared.execute(control, events)).await,
                Err(error) => Err(error),
            };
            match executed {
                Ok(executed) => executed,
                Err(error) => return Outcome::Over(not_begun(&error), None),
            }
        }
    };
    kept(executed, reason.get())
}

/// What becomes of a job whose run was told to stop before its first phrase.
fn unbegun(why: Why) -> Outcome {
    match why {
        Why::Cancelled | Why::Not => Outcome::Over(
            JobEnd {
                state: JobState::Cancelled,
                conclusion: None,
                message: Some("nothing was sent yet".to_owned()),
            },
            None,
        ),
        Why::Leaving => Outcome::HandBack,
        Why::Superseded => Outcome::Nothing,
    }
}

/// What becomes of a job whose run has ended.
fn kept(executed: Executed, why: Why) -> Outcome {
    let Executed { record, kept, .. } = executed;
    let message = match &kept {
        Kept::Stored { .. } => None,
        Kept::NotWanted => Some("no store is configured: the record was not kept".to_owned()),
        Kept::Spooled { cause, .. } => Some(format!("the record waits in the spool: {}", chain(cause))),
        Kept::Lost { cause, spool } => {
            Some(format!("NOT KEPT: {}; and the spool cannot take it either: {}", chain(cause), chain(spool)))
        }
    };
    let is_kept = matches!(kept, Kept::Stored { .. } | Kept::Spooled { .. });
    let state = match (is_kept, record.status, why) {
        (false, ..) => JobState::Failed,
        (true, RunStatus::Interrupted, Why::Cancelled) => JobState::Cancelled,
        (true, ..) => JobState::Finished,
    };
    let end = JobEnd { state, conclusion: Some(record.verdict.conclusion), message };
    Outcome::Over(end, Some(Arc::new(record)))
}

fn not_begun(error: &DispatchError) -> JobEnd {
    let conclusion = match error {
        DispatchError::Health(_) => Some(Conclusion::TargetFailed),
        // What fails on this machine says nothing of the target.
        DispatchError::Demo(_)
        | DispatchError::Load(_)
        | DispatchError::Suite(_)
        | DispatchError::Contract(_)
        | DispatchError::Url(_)
        | DispatchError::Connection(_)
        | DispatchError::Options { .. }
        | DispatchError::Reference(_)
        | DispatchError::Baseline { .. }
        | DispatchError::Location(_)
        | DispatchError::Board(_)
        | DispatchError::Workers { .. } => None,
    };
    failed(chain(error), conclusion)
}

fn failed(message: String, conclusion: Option<Conclusion>) -> JobEnd {
    JobEnd { state: JobState::Failed, conclusion, message: Some(message) }
}
