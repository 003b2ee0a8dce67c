//! Runs what waits in the queue, one job at a time.
//!
//! A job is held by a lease that is renewed while it runs. It ends in one of four ways: with a record that is kept, with
//! a reason why there is none, stopped by somebody (what was found is kept), or handed back to the queue because this
//! instance stops or could not renew the lease (what was found is forgotten: another run begins anew, and nothing half-done
//! is taken for a result). Who lost the job meanwhile changes nothing and tells nothing.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::Utc;
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::attempt::{Attempt, Outcome, attempt};
use super::delivery::{Delivery, damaged};
use super::error::chain;
use super::feed::{Feed, JobEvent};
use super::hold::{Hold, Reason};
use super::keep::spool;
use super::queue::{News, Queue, Turn};
use crate::domain::{Conclusion, Job, JobState, RunId, RunKind, RunRecord};
use crate::run::RunControl;
use crate::store::{JobEnd, Lease, Reap, StoreError, set_aside};

/// How often an idle worker looks for jobs that another instance took in, and for lost ones.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The longest it waits for a database that fails.
const LONGEST_WAIT: Duration = Duration::from_secs(15);
/// How long what was told to stop at once may take to do so.
const LAST_WAIT: Duration = Duration::from_secs(3);
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
    delivery: Delivery,
}

/// A job that was taken.
struct Taken {
    job: Job,
    lease: Lease,
    /// When the lease was asked for.
    asked: Instant,
}

impl Worker {
    /// A worker that holds jobs by leases of this length.
    pub fn new(queue: Arc<Queue>, lease: Duration, stopping: Stopping) -> Self {
        let delivery = Delivery::new(spool(&queue.config));
        Self { queue, lease, stopping, delivery }
    }

    /// Works until it is told to stop, and what it runs has ended or was handed back.
    pub async fn work(mut self) {
        let (mut wait, mut was_failing) = (LOOK_EVERY, false);
        while !self.stopping.drain.is_cancelled() {
            let next = self.next().await;
            match (was_failing, next.is_err()) {
                (false, true) => drop(self.queue.failing.fetch_add(1, Ordering::Relaxed)),
                (true, false) => drop(self.queue.failing.fetch_sub(1, Ordering::Relaxed)),
                (false, false) | (true, true) => {}
            }
            was_failing = next.is_err();
            match next {
                Ok(Some(taken)) => {
                    wait = LOOK_EVERY;
                    self.run(taken).await;
                    continue;
                }
                Ok(None) => wait = LOOK_EVERY,
                Err(error) => {
                    tracing::warn!(error = chain(&error), "the queue cannot be used");
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
    async fn next(&mut self) -> Result<Option<Taken>, StoreError> {
        // First: a job whose record waits here is not lost.
        self.deliver().await?;
        // Nor is one whose record waits in memory, and what began now could not be kept.
        if self.queue.in_memory() > 0 {
            return Ok(None);
        }
        let store = &self.queue.store;
        for job in store.reap_jobs(Reap::All).await? {
            tracing::warn!(job = %job.id, instance = job.instance, state = job.state.as_str(), "a run was lost");
            let turn = if matches!(job.state, JobState::Finished | JobState::Cancelled) {
                Turn::Ended
            } else {
                Turn::Lost
            };
            self.queue.tell(News { turn, job, record: None }).await;
        }
        let (again, asked) = (RunId::new(Utc::now(), rand::random()), Instant::now());
        let claimed = store.claim_job(&self.queue.instance, &again, self.lease).await?;
        Ok(claimed.map(|(job, lease)| Taken { job, lease, asked }))
    }

    /// Brings the records that wait in the spool to the store.
    async fn deliver(&mut self) -> Result<(), StoreError> {
        for job in self.delivery.look(self.queue.store.as_ref()).await? {
            self.queue.tell(News { turn: Turn::Ended, job, record: None }).await;
        }
        Ok(())
    }

    async fn run(&mut self, taken: Taken) {
        let Taken { job, lease, asked } = taken;
        tracing::info!(job = %job.id, name = job.name, target = job.target, attempt = job.attempt, "a run begins");
        let feed = self.queue.open_feed(&job);
        let (control, reason) = (RunControl::default(), Arc::new(Reason::default()));
        let (events, received) = mpsc::channel(EVENTS);
        let following = tokio::spawn(Arc::clone(&feed).follow(received));
        // A task of its own, so that a bug in it is a failed job and not the end of the worker.
        let running = tokio::spawn(attempt(
            Arc::clone(&self.queue),
            job.clone(),
            control.clone(),
            Arc::clone(&reason),
            events,
        ));
        let hold = Hold {
            queue: &self.queue,
            job: &job,
            lease: &lease,
            length: self.lease,
            stopping: &self.stopping,
            control: &control,
            reason: &reason,
        };
        let outcome = {
            let began = News { turn: Turn::Began, job: job.clone(), record: None };
            let ending = async { tokio::join!(finish(&hold, running), self.queue.tell(began)).0 };
            tokio::pin!(ending);
            tokio::select! {
                biased;
                outcome = &mut ending => outcome,
                () = hold.hold(asked) => ending.await,
            }
        };
        // What was told last is still on its way to the readers.
        let _ = tokio::time::timeout(LAST_WAIT, following).await;
        let abort = self.stopping.abort.clone();
        tokio::select! {
            () = self.end(&job, &lease, &feed, outcome) => {}
            () = soon_after(abort.cancelled()) => {
                tracing::warn!(job = %job.id, "the end of a run was not noted: the next start finds it out");
            }
        }
    }

    /// Writes down what came of a job, however long the database is away.
    async fn end(&mut self, job: &Job, lease: &Lease, feed: &Feed, mut outcome: Outcome) {
        let mut wait = LOOK_EVERY;
        loop {
            let written = self.note(lease, &mut outcome).await;
            match written {
                Ok(is_ours) => {
                    let now = self.queue.store.job(&job.id).await.unwrap_or_else(|_| job.clone());
                    match (now.state, now.message.as_deref()) {
                        (JobState::Failed | JobState::Lost, why) => {
                            tracing::error!(job = %job.id, requester = job.requester, why, "nothing came of a run");
                        }
                        _ => write_down(job, &outcome),
                    }
                    feed.tell(JobEvent::Ended(Arc::new(now.clone())));
                    self.queue.ready.notify_one();
                    let (turn, record) = match outcome {
                        // A pass that is not kept is no sign that all is well.
                        Outcome::Over { end, record, .. } => {
                            let counts = |record: &Arc<RunRecord>| {
                                end.state != JobState::Failed
                                    || record.verdict.conclusion != Conclusion::Passed
                            };
                            (Turn::Ended, record.filter(counts))
                        }
                        Outcome::HandBack => (Turn::HandedBack, None),
                    };
                    // Somebody else may have brought the record to the store, and told nobody.
                    let is_kept = record.as_ref().is_some_and(|record| now.run.as_ref() == Some(&record.id))
                        && now.state.is_over();
                    if is_ours || is_kept {
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

    /// Tries once to write it down; whether the job was still ours.
    async fn note(&mut self, lease: &Lease, outcome: &mut Outcome) -> Result<bool, StoreError> {
        match outcome {
            Outcome::Over { end, record, waits } => {
                // A job that has finished has its record where everybody finds it, if that can be.
                if let Some(path) = waits.as_ref() {
                    self.deliver().await?;
                    if let Some(bad) = set_aside(path) {
                        end.state = JobState::Failed;
                        end.message = Some(damaged(&bad));
                        *waits = None;
                    } else if !path.exists() {
                        (end.message, *waits) = (None, None);
                    }
                }
                let store = &self.queue.store;
                let ended = store.end_job(lease, end).await?.is_some();
                match record {
                    // Somebody took it for lost, and its record is kept all the same.
                    Some(record) if !ended && end.state != JobState::Failed => {
                        Ok(!store.settle_jobs(std::slice::from_ref(&record.id)).await?.is_empty())
                    }
                    Some(_) | None => Ok(ended),
                }
            }
            Outcome::HandBack => self.queue.store.hand_back_job(lease).await,
        }
    }
}

/// Waits for an attempt, and keeps what it found.
async fn finish(hold: &Hold<'_>, mut running: JoinHandle<Attempt>) -> Outcome {
    let Hold { queue, job, stopping, control, reason, .. } = hold;
    let ended = tokio::select! {
        biased;
        ended = &mut running => ended,
        // Whoever does not listen is left behind.
        () = soon_after(control.aborted()) => {
            running.abort();
            return left_behind(job.kind);
        }
    };
    let judged = match ended {
        Ok(Attempt::Judged(judged)) => judged,
        Ok(Attempt::Ended(outcome)) => return outcome,
        Err(panic) => return bug(job, &panic),
    };
    // However much of a hurry there is, the record comes into the store or the spool.
    let control = (*control).clone();
    match tokio::spawn(async move { judged.keep(&control, None).await }).await {
        Ok(executed) => {
            let executed = Box::pin(queue.insist(executed, stopping)).await;
            Outcome::of(executed, reason.get().copied())
        }
        Err(panic) => bug(job, &panic),
    }
}

/// What becomes of a job whose run did not end when it had to, if the job is still ours.
fn left_behind(kind: RunKind) -> Outcome {
    match kind {
        RunKind::Accuracy => Outcome::HandBack,
        // Nobody knows what it did to the target, so it is not begun again by itself.
        RunKind::Load => Outcome::over(JobEnd {
            state: JobState::Lost,
            conclusion: None,
            message: Some("it did not end in time when it was told to stop".to_owned()),
        }),
    }
}

fn bug(job: &Job, panic: &JoinError) -> Outcome {
    tracing::error!(job = %job.id, %panic, "a bug in thrash ended a run");
    Outcome::failed("a bug in thrash ended it; the log says where".to_owned(), None)
}

/// A moment after something happened.
async fn soon_after(happened: impl Future<Output = ()>) {
    happened.await;
    tokio::time::sleep(LAST_WAIT).await;
}

/// Says in the log how a run ended.
fn write_down(job: &Job, outcome: &Outcome) {
    let Job { id, name, target, .. } = job;
    match outcome {
        Outcome::HandBack => tracing::info!(job = %id, name, target, "a run went back to the queue"),
        Outcome::Over { end, .. } => {
            let verdict = end.conclusion.map_or(end.state.as_str(), Conclusion::as_str);
            if end.conclusion.is_none_or(|conclusion| conclusion == Conclusion::Passed) {
                tracing::info!(job = %id, name, target, verdict, "a run ended");
            } else {
                tracing::warn!(job = %id, name, target, verdict, "a run ended and did not pass");
            }
        }
    }
}
