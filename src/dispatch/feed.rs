//! What a job tells while it runs, for as many readers as there are.
//!
//! The newest events are kept in a ring, each with its number, so that a reader who comes late or was away reads on from
//! where it was. Nobody waits for a reader: one that falls behind the ring misses what has left it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, watch};

use crate::domain::{Job, JobState, RunEvent, Verdict};

/// Events that are kept: those of a run of the whole suite.
const KEPT: usize = 2048;

/// Something that happened to a job.
#[derive(Debug, Clone)]
pub enum JobEvent {
    /// An instance began to run it.
    Began(Arc<Job>),
    /// The run tells.
    Run(Arc<RunEvent>),
    /// It is over, or waits again.
    Ended(Arc<Job>),
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// How many phrases will be sent.
    pub planned: usize,
    /// How many have their answer, or will never have one.
    pub done: usize,
    /// How many of those were judged; variants are not.
    pub judged: usize,
    /// How many of those passed.
    pub passed: usize,
    /// How many of those got no answer.
    pub unanswered: usize,
}

/// A job's events.
#[derive(Debug)]
pub struct Feed {
    attempt: i32,
    ring: Mutex<Ring>,
    /// The number of the newest event.
    newest: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Ring {
    /// The newest, the last with the number `count`.
    events: VecDeque<JobEvent>,
    count: u64,
    progress: Progress,
    is_over: bool,
}

/// What a reader gets.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Events with their numbers, which count from 1.
    pub events: Vec<(u64, JobEvent)>,
    /// Whether there will be no more.
    pub is_over: bool,
}

impl Feed {
    pub(super) fn new(job: Job) -> Arc<Self> {
        let feed = Self { attempt: job.attempt, ring: Mutex::default(), newest: watch::Sender::new(0) };
        feed.tell(JobEvent::Began(Arc::new(job)));
        Arc::new(feed)
    }

    /// Which attempt at the job this is; the numbers of events count anew in each.
    pub fn attempt(&self) -> i32 {
        self.attempt
    }

    /// How far the run of this job is; none where nobody runs it, or another instance does by now.
    pub fn progress_of(&self, job: &Job) -> Option<Progress> {
        let is_this = job.state == JobState::Running && job.attempt == self.attempt;
        is_this.then(|| self.ring().progress)
    }

    /// The events after the one of this number, at once if there are any or it is over.
    pub async fn after(&self, number: u64) -> Batch {
        let mut newest = self.newest.subscribe();
        loop {
            newest.mark_unchanged();
            let batch = self.ring().after(number);
            if !batch.events.is_empty() || batch.is_over {
                return batch;
            }
            // The sender is in `self`.
            let _ = newest.changed().await;
        }
    }

    /// Takes in what the run tells, until the run is over.
    pub(super) async fn follow(self: Arc<Self>, mut events: mpsc::Receiver<RunEvent>) {
        while let Some(event) = events.recv().await {
            self.tell(JobEvent::Run(Arc::new(event)));
        }
    }

    pub(super) fn tell(&self, event: JobEvent) {
        let count = self.ring().take(event);
        self.newest.send_replace(count);
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    fn take(&mut self, event: JobEvent) -> u64 {
        match &event {
            JobEvent::Began(_) => {}
            JobEvent::Run(event) => self.progress.count(event),
            JobEvent::Ended(_) => self.is_over = true,
        }
        if self.events.len() == KEPT {
            self.events.pop_front();
        }
        self.events.push_back(event);
        self.count += 1;
        self.count
    }

    fn after(&self, number: u64) -> Batch {
        let first = self.count - self.events.len() as u64 + 1;
        let events = (first..).zip(&self.events).filter(|(n, _)| *n > number);
        Batch { events: events.map(|(n, event)| (n, event.clone())).collect(), is_over: self.is_over }
    }
}

impl Progress {
    fn count(&mut self, event: &RunEvent) {
        match event {
            RunEvent::Started { planned } | RunEvent::IdleStarted { planned, .. } => {
                *self = Self { planned: *planned, ..Self::default() };
            }
            RunEvent::Extended { more } => self.planned += more,
            RunEvent::Observed { verdict, no_answer, .. } => {
                self.done += 1;
                self.judged += usize::from(verdict.is_some());
                self.passed += usize::from(verdict.is_some_and(Verdict::passes));
                self.unanswered += usize::from(no_answer.is_some());
            }
            RunEvent::IdleObserved { answered } => {
                self.done += 1;
                self.unanswered += usize::from(!answered);
            }
            RunEvent::Slowed { .. }
            | RunEvent::ReferenceAwaited { .. }
            | RunEvent::WorkersAwaited { .. }
            | RunEvent::Noted { .. }
            | RunEvent::LoadStarted { .. }
            | RunEvent::LoadSecond { .. }
            | RunEvent::GivenUp { .. } => {}
        }
    }
}
