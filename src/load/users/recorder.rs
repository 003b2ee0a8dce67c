//! What the users' requests brought, counted.

use std::time::Duration;

use tokio::time::Instant;

use crate::domain::NoAnswerReason;
use crate::load::tally::{Ended, Known, LATE, Tally, Window};
use crate::target::Shot;

/// A request on its way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request {
    /// When it started.
    pub(super) sent: Instant,
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
    pub(super) fn new(known: Vec<Known>, slow: Option<Duration>, tally: Tally) -> Self {
        Self { known, slow, tally, window: Window::default() }
    }

    /// A request starts, so long after its user could have asked. Users ask when they do: it is intended then.
    pub(super) fn started(&mut self, request: &Request, lag: Duration) {
        self.window.intended += 1;
        self.window.started += 1;
        self.window.lag = self.window.lag.max(lag);
        if let Some(step) = request.step {
            let counts = &mut self.tally.steps[step].counts;
            counts.intended += 1;
            counts.started += 1;
            counts.late += u64::from(lag > LATE);
            self.tally.lag.record(lag);
        }
    }

    /// It ended. A user waits for nothing but the answer, so the response time is the service time.
    pub(super) fn ended(&mut self, request: &Request, shot: &Shot) {
        let time = request.sent.elapsed();
        let known = &self.known[request.phrase];
        let window = &mut self.window;
        match shot.answer {
            Ok(level) => {
                window.answered += 1;
                window.right += u64::from(known.passes[level.index()]);
            }
            Err(_) => window.unanswered += 1,
        }
        window.slow += u64::from(self.slow.is_some_and(|slow| time > slow));
        if shot.answer.is_ok() || shot.answer == Err(NoAnswerReason::Timeout) {
            window.response.record(time);
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
            response: time,
            service: time,
        };
        self.tally.record(known, &ended);
    }

    /// It is not waited for any more. Its user has waited so long at least.
    pub(super) fn abandoned(&mut self, request: &Request) {
        if let Some(step) = request.step {
            let step = &mut self.tally.steps[step];
            step.counts.abandoned += 1;
            step.response.record(request.sent.elapsed());
        }
    }

    /// What was seen since the last time, with these requests on their way.
    pub(super) fn look<'a>(&mut self, began: Instant, flying: impl Iterator<Item = &'a Request>) -> Window {
        let mut window = std::mem::take(&mut self.window);
        let now = Instant::now();
        window.at_s = (now - began).as_secs_f64();
        for request in flying {
            window.in_flight += 1;
            window.overdue += u64::from(self.slow.is_some_and(|slow| now - request.sent > slow));
        }
        window
    }
}
