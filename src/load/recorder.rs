//! What requests brought, counted: one recorder for each thread that sends, and nobody else touches it.

use std::time::Duration;

use tokio::time::Instant;

use super::engine::Sending;
use super::tally::{Known, LATE, Tally, Window, known};
use crate::domain::{LoadCounts, NoAnswerReason};
use crate::target::{ShortAnswer, Shot};

/// One request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request {
    /// When it should start.
    pub(super) due: Instant,
    /// The step it belongs to; none in the warm-up.
    pub(super) step: Option<usize>,
    /// What makes it unlike all others.
    pub(super) number: u64,
}

/// How often it is looked what was seen, and told.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(250);
/// A look that is later than this had nobody to make it.
const UNSEEN: Duration = Duration::from_millis(500);

/// Counts requests, and what was seen lately.
pub(super) struct Recorder {
    known: Vec<Known>,
    /// When the run began, as far as its requests are told from one another by it.
    began: Instant,
    /// A response slower than this is counted as slow.
    slow: Option<Duration>,
    pub(super) tally: Tally,
    window: Window,
    /// Until when what was seen is told.
    told_s: f64,
}

impl Recorder {
    pub(super) fn new(sending: &Sending) -> Self {
        Self {
            known: known(&sending.target, sending.idle_right.as_deref()),
            began: sending.start.unwrap_or_else(Instant::now),
            slow: sending.scenario.abort_when.latency_p95.map(|wait| wait.0),
            tally: Tally::empty(sending),
            window: Window::default(),
            told_s: 0.0,
        }
    }

    /// Changes the counts that a request belongs to; it belongs to none in the warm-up.
    pub(super) fn count(&mut self, request: &Request, change: impl FnOnce(&mut LoadCounts)) {
        if let Some(step) = request.step {
            change(&mut self.tally.steps[step].counts);
        }
    }

    /// The user who asked had waited so long for `max_rate`, and took so long for everything else.
    pub(super) fn held_back(&mut self, request: &Request, waited: Duration, rest: Duration) {
        if request.step.is_some() {
            self.tally.held_back += waited;
            self.tally.users_time += waited + rest;
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
        if let Some(step) = request.step {
            self.tally.steps[step].started((request.due + late).saturating_duration_since(self.began));
        }
        self.count(request, |counts| {
            counts.started += 1;
            counts.late += u64::from(late > LATE);
        });
    }

    /// It ended; `sent` is when it started. `phrases` are those that it holds, `answers` what came back for each.
    pub(super) fn ended(
        &mut self,
        request: &Request,
        sent: Instant,
        (phrases, answers): (&[usize], &[ShortAnswer]),
        shot: &Shot,
    ) {
        let now = Instant::now();
        let (response, service) = (now - request.due, now - sent);
        let (outcome, is_waited_for) = outcome(answers);
        let window = &mut self.window;
        match outcome {
            Ok(()) => window.answered += 1,
            Err(reason) => {
                window.unanswered += 1;
                *window.no_answer.entry(reason).or_default() += 1;
            }
        }
        window.phrases += phrases.len() as u64;
        window.slow += u64::from(self.slow.is_some_and(|slow| response > slow));
        if is_waited_for {
            window.response.record(response);
        }
        self.tally.exhausted += u64::from(shot.exhausted);
        if request.step.is_none() {
            self.tally.warm_up += 1;
        }
        if let Some(step) = request.step {
            if let Some(accepted) = shot.accepted {
                self.tally.accepted.record(accepted);
                self.tally.held.record(shot.held);
            }
            for (place, [count, of]) in self.tally.checks.iter_mut().enumerate() {
                let Some(failed) = shot.checks else { break };
                *count += failed >> place & 1;
                *of += 1;
            }
            let step = &mut self.tally.steps[step];
            step.counts.connections += shot.opened;
            match outcome {
                Ok(()) => step.counts.answered += 1,
                Err(reason) => *step.counts.no_answer.entry(reason).or_default() += 1,
            }
            if is_waited_for {
                step.response.record(response);
                step.service.record(service);
            }
        }
        for (phrase, answer) in phrases.iter().zip(answers) {
            let known = &self.known[*phrase];
            let is_right = answer.level.is_ok_and(|level| known.passes[level.index()]);
            self.window.right += u64::from(is_right);
            self.window.unanswered_phrases += u64::from(answer.level.is_err());
            if let Some(step) = request.step {
                self.tally.answer((step, *phrase), known, *answer, is_right);
                if is_waited_for {
                    self.tally.categories[known.category].record(response);
                    self.tally.category_services[known.category].record(service);
                }
            }
        }
    }

    /// It is not waited for any more. Whoever asked for these phrases has waited so long at least.
    pub(super) fn abandoned(&mut self, request: &Request, phrases: &[usize]) {
        self.given_up(request, phrases, |counts| counts.abandoned += 1);
    }

    /// It was never sent. Whoever would have asked for these phrases has waited so long at least.
    pub(super) fn dropped(&mut self, request: &Request, phrases: &[usize]) {
        self.given_up(request, phrases, |counts| counts.dropped += 1);
    }

    fn given_up(&mut self, request: &Request, phrases: &[usize], change: impl FnOnce(&mut LoadCounts)) {
        let Some(step) = request.step else { return };
        let (step, waited) = (&mut self.tally.steps[step], request.due.elapsed());
        change(&mut step.counts);
        step.response.record(waited);
        for phrase in phrases {
            self.tally.categories[self.known[*phrase].category].record(waited);
        }
    }

    /// Whether a request is older than the scenario allows.
    pub(super) fn is_overdue(&self, request: &Request, now: Instant) -> bool {
        self.slow.is_some_and(|slow| now.saturating_duration_since(request.due) > slow)
    }

    /// What was seen since the last time, with these requests on their way. Whoever looks late stood still.
    pub(super) fn look(&mut self, began: Instant, flying: impl Iterator<Item = Request>) -> Window {
        let mut window = std::mem::take(&mut self.window);
        let now = Instant::now();
        window.at_s = now.saturating_duration_since(began).as_secs_f64();
        window.from_s = std::mem::replace(&mut self.told_s, window.at_s);
        let unseen = Duration::from_secs_f64((window.at_s - window.from_s).max(0.0));
        if unseen > UNSEEN {
            self.tally.stood_still += unseen.saturating_sub(LOOK_EVERY);
        }
        for request in flying {
            window.in_flight += 1;
            window.overdue += u64::from(self.is_overdue(&request, now));
        }
        window
    }
}

/// Whether a request was answered: where any of its phrases was, and else why the first was not. And whether its time says
/// how long somebody waits. That of an answer does, and of a timeout: somebody waited so long at least, and without these
/// the slowest would make the percentiles better. That of a refusal would make them better, too, and is left out.
fn outcome(answers: &[ShortAnswer]) -> (Result<(), NoAnswerReason>, bool) {
    let mut outcome = Err(NoAnswerReason::Malformed);
    for answer in answers.iter().rev() {
        match answer.level {
            Ok(_) => return (Ok(()), true),
            Err(reason) => outcome = Err(reason),
        }
    }
    (outcome, outcome == Err(NoAnswerReason::Timeout))
}
