//! What requests brought, counted: one recorder for each thread that sends, and nobody else touches it.

use std::time::Duration;

use tokio::time::Instant;

use super::engine::Sending;
use super::tally::{Ended, Known, LATE, Tally, Window, known};
use crate::domain::{LoadCounts, NoAnswerReason};
use crate::target::Shot;

/// One request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request {
    /// When it should start.
    pub(super) due: Instant,
    /// The step it belongs to; none in the warm-up.
    pub(super) step: Option<usize>,
    /// Its phrase.
    pub(super) phrase: usize,
    /// What makes it unlike all others.
    pub(super) number: u64,
}

/// Counts requests, and what was seen lately.
pub(super) struct Recorder {
    known: Vec<Known>,
    /// A response slower than this is counted as slow.
    slow: Option<Duration>,
    pub(super) tally: Tally,
    window: Window,
}

impl Recorder {
    pub(super) fn new(sending: &Sending) -> Self {
        Self {
            known: known(&sending.target, sending.idle_right.as_deref()),
            slow: sending.scenario.abort_when.latency_p95.map(|wait| wait.0),
            tally: Tally::empty(sending),
            window: Window::default(),
        }
    }

    /// Changes the counts that a request belongs to; it belongs to none in the warm-up.
    pub(super) fn count(&mut self, request: &Request, change: impl FnOnce(&mut LoadCounts)) {
        if let Some(step) = request.step {
            change(&mut self.tally.steps[step].counts);
        }
    }

    /// A request should start, and this program came to it so late.
    pub(super) fn intended(&mut self, request: &Request, lag: Duration) {
        self.window.intended += 1;
        self.window.lag = self.window.lag.max(lag);
        if request.step.is_some() {
            self.tally.lag.record(lag);
        }
        self.count(request, |counts| counts.intended += 1);
    }

    /// It starts, so late in all.
    pub(super) fn started(&mut self, request: &Request, late: Duration) {
        self.window.started += 1;
        self.count(request, |counts| {
            counts.started += 1;
            counts.late += u64::from(late > LATE);
        });
    }

    /// It ended; `sent` is when it started.
    pub(super) fn ended(&mut self, request: &Request, sent: Instant, shot: &Shot) {
        let now = Instant::now();
        let (response, service) = (now - request.due, now - sent);
        let known = &self.known[request.phrase];
        let window = &mut self.window;
        match shot.answer {
            Ok(level) => {
                window.answered += 1;
                window.right += u64::from(known.passes[level.index()]);
            }
            Err(_) => window.unanswered += 1,
        }
        window.slow += u64::from(self.slow.is_some_and(|slow| response > slow));
        if shot.answer.is_ok() || shot.answer == Err(NoAnswerReason::Timeout) {
            window.response.record(response);
        }
        self.tally.exhausted += u64::from(shot.exhausted);
        let Some(step) = request.step else {
            self.tally.warm_up += 1;
            return;
        };
        if let Some(accepted) = shot.accepted {
            self.tally.accepted.record(accepted);
        }
        let ended = Ended {
            step,
            phrase: request.phrase,
            answer: shot.answer,
            violations: shot.violations,
            cached: shot.cached,
            checks: shot.checks,
            opened: shot.opened,
            response,
            service,
        };
        self.tally.record(known, &ended);
    }

    /// It is not waited for any more. Whoever asked has waited so long at least.
    pub(super) fn abandoned(&mut self, request: &Request) {
        self.given_up(request, |counts| counts.abandoned += 1);
    }

    /// It was never sent. Whoever would have asked has waited so long at least.
    pub(super) fn dropped(&mut self, request: &Request) {
        self.given_up(request, |counts| counts.dropped += 1);
    }

    fn given_up(&mut self, request: &Request, change: impl FnOnce(&mut LoadCounts)) {
        if let Some(step) = request.step {
            let step = &mut self.tally.steps[step];
            change(&mut step.counts);
            step.response.record(request.due.elapsed());
        }
    }

    /// Whether a request is older than the scenario allows.
    pub(super) fn is_overdue(&self, request: &Request, now: Instant) -> bool {
        self.slow.is_some_and(|slow| now.saturating_duration_since(request.due) > slow)
    }

    /// What was seen since the last time, with these requests on their way.
    pub(super) fn look(&mut self, began: Instant, flying: impl Iterator<Item = Request>) -> Window {
        let mut window = std::mem::take(&mut self.window);
        let now = Instant::now();
        window.at_s = (now - began).as_secs_f64();
        for request in flying {
            window.in_flight += 1;
            window.overdue += u64::from(self.is_overdue(&request, now));
        }
        window
    }
}
