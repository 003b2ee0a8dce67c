//! Sending phrases: side by side, until all are sent, somebody stops it, or the target is dead.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::RunControl;
use super::jobs::Job;
use super::workers::work_off;
use crate::domain::{Answer, NoAnswerReason, Observation, Phrase, RunEvent};
use crate::judge::judge;
use crate::target::Target;

/// What all requests of a run share.
pub(super) struct Sender {
    pub(super) target: Target,
    /// The suite's phrases, and after them the variants.
    pub(super) phrases: Vec<Phrase>,
    /// So many of the phrases, the first ones, have a label; the others are variants.
    pub(super) judged: usize,
    /// Requests in flight at once, at most; the target may allow fewer.
    pub(super) concurrency: usize,
    /// So many requests in a row without any answer end the run.
    pub(super) give_up_after: usize,
    /// Requests in a row that brought no answer at all.
    pub(super) failed_in_a_row: AtomicUsize,
    pub(super) gave_up: CancellationToken,
    pub(super) control: RunControl,
    pub(super) start: Instant,
    pub(super) events: mpsc::Sender<RunEvent>,
}

/// What came back.
pub(super) struct Sent {
    /// How many answers there should have been.
    pub(super) planned: usize,
    /// The phrases by index, with what was seen of them.
    pub(super) observed: Vec<(usize, Observation)>,
    /// Answers that a bug of ours lost.
    pub(super) lost: usize,
    /// When the last one had come, from the run's start.
    pub(super) until: Duration,
}

impl Sender {
    /// Sends the jobs.
    pub(super) async fn send(self: &Arc<Self>, jobs: Vec<Job>) -> Sent {
        let jobs = Arc::new(jobs);
        let begun = Arc::new(AtomicUsize::new(0));
        let job = |number| {
            let (sender, jobs, begun) = (Arc::clone(self), Arc::clone(&jobs), Arc::clone(&begun));
            async move {
                begun.fetch_add(1, Ordering::Relaxed);
                let seen = sender.request(&jobs[number]).await?;
                let answered = seen.iter().any(|(_, observation)| observation.answer.level().is_some());
                sender.give_up_if_dead(answered, begun.load(Ordering::Relaxed) < jobs.len());
                Some(seen)
            }
        };
        let done = work_off(jobs.len(), self.concurrency, job).await;
        Sent {
            planned: jobs.iter().map(|job| job.phrases.len()).sum(),
            observed: done.found,
            lost: done.lost.into_iter().map(|number| jobs[number].phrases.len()).sum(),
            until: self.start.elapsed(),
        }
    }

    /// Whether the target caches answers, as far as that can be seen; and how many answers a bug of ours lost.
    pub(super) async fn look_for_a_cache(self: &Arc<Self>) -> (Option<bool>, usize) {
        let look = |_| {
            let sender = Arc::clone(self);
            async move {
                let tell = |event| sender.tell(event);
                Some(vec![sender.target.caches(&sender.gave_up, &tell).await])
            }
        };
        let done = work_off(1, 1, look).await;
        (done.found.into_iter().next().flatten(), done.lost.len())
    }

    /// Sends one job; gives none when that was stopped.
    async fn request(&self, job: &Job) -> Option<Vec<(usize, Observation)>> {
        if self.gave_up.is_cancelled() {
            return None;
        }
        let phrases: Vec<&Phrase> = job.phrases.iter().map(|&index| &self.phrases[index]).collect();
        let tell = |event| self.tell(event);
        let observations = tokio::select! {
            biased;
            () = self.control.abort.cancelled() => return None,
            asked = self.target.ask(&phrases, job.repeat, self.start, &self.gave_up, &tell) => asked?,
        };
        for (&index, observation) in job.phrases.iter().zip(&observations) {
            self.tell_of(index, observation);
        }
        Some(job.phrases.iter().copied().zip(observations).collect())
    }

    /// Tells who listens; an event that nobody takes in time is lost.
    pub(super) fn tell(&self, event: RunEvent) {
        let _ = self.events.try_send(event);
    }

    fn tell_of(&self, index: usize, observation: &Observation) {
        let phrase = &self.phrases[index];
        let level = observation.answer.level();
        // A variant is right or wrong only beside its phrase, which may still be on its way.
        let verdict = (index < self.judged)
            .then(|| judge(phrase.expected, phrase.lowest_passing(), phrase.highest_passing(), level));
        let no_answer: Option<NoAnswerReason> = match &observation.answer {
            Answer::NoAnswer(none) => Some(none.reason),
            Answer::Prediction(_) => None,
        };
        self.tell(RunEvent::Observed {
            phrase: phrase.id.clone(),
            verdict,
            no_answer,
            latency: Duration::try_from_secs_f64(observation.latency_ms / 1e3).unwrap_or_default(),
            attempts: observation.attempts.len(),
        });
    }

    /// Notes whether a request brought an answer, and gives up when none has for too long and `more` are to be sent.
    fn give_up_if_dead(&self, answered: bool, more: bool) {
        if answered {
            self.failed_in_a_row.store(0, Ordering::Relaxed);
            return;
        }
        let in_a_row = self.failed_in_a_row.fetch_add(1, Ordering::Relaxed) + 1;
        if in_a_row == self.give_up_after && more {
            let reason = format!("{in_a_row} requests in a row brought no answer");
            self.tell(RunEvent::GivenUp { reason });
            self.gave_up.cancel();
        }
    }
}
