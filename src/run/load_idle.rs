//! The idle pass: every phrase once before the load, one request at a time, under the rails of the load.

#![expect(clippy::cast_precision_loss, reason = "no run has so many requests")]

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use tokio::sync::mpsc;
use tokio::time::{Instant, interval, sleep_until};

use super::RunControl;
use super::load_health::Looks;
use super::workers::work_off;
use crate::domain::{
    Answer, LoadAbort, Observation, Phrase, PhraseResult, RunEvent, TextPolicy, Wait, count,
};
use crate::judge::judge_phrase;
use crate::load::{AbortEntry, Scenario, Watch, Window};
use crate::target::{LoadTarget, is_exhaustion};

/// It takes no longer than this where nobody says otherwise.
pub const IDLE_LONGEST: Duration = Duration::from_mins(10);
/// How often the rails are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What the target answers without load.
pub(super) struct Idle {
    pub(super) results: Vec<PhraseResult>,
    /// Why there can be no load.
    pub(super) abort: Option<LoadAbort>,
    /// Requests that found no port or file on this machine.
    pub(super) exhausted: u64,
}

/// Asks every phrase once, as any run does. Requests hold as many phrases as under load: what the load does to answers is
/// not what a batch does to them. It takes no longer than `longest`; the phrases that it has come to by then, in random
/// order, stand for all.
pub(super) async fn idle(
    target: &Arc<LoadTarget>,
    scenario: &Scenario,
    longest: Duration,
    text: TextPolicy,
    control: &RunControl,
    events: &mpsc::Sender<RunEvent>,
) -> Idle {
    let all = target.phrases().len();
    let _ = events.try_send(RunEvent::IdleStarted { planned: all, longest });
    let start = Instant::now();
    let (stop, abort) = (control.drain.child_token(), control.abort.child_token());
    let lately = Arc::new(Lately::new(scenario.abort_when, start));
    // As even as can be: the last one is not much smaller than the others.
    let requests = all.div_ceil(scenario.batch);
    let mut order: Vec<usize> = (0..requests).collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(scenario.seed));
    let ask = |place: usize| {
        let request = order[place];
        let (target, events, lately) = (Arc::clone(target), events.clone(), Arc::clone(&lately));
        let (stop, abort) = (stop.clone(), abort.clone());
        async move {
            let tell = |event| {
                let _ = events.try_send(event);
            };
            let numbers = request * all / requests..(request + 1) * all / requests;
            let phrases: Vec<&Phrase> = target.phrases()[numbers.clone()].iter().collect();
            lately.started();
            let asked = tokio::select! {
                biased;
                () = abort.cancelled() => None,
                asked = target.target().ask(&phrases, 0, start, &stop, &tell) => asked,
            };
            lately.ended(asked.as_deref());
            let asked = asked?;
            for seen in &asked {
                tell(RunEvent::IdleObserved { answered: is_answered(seen) });
            }
            Some(numbers.zip(asked.into_iter().map(|seen| vec![seen])).collect())
        }
    };
    // One at a time: a target that bears no second request would not be idle.
    let mut asking = pin!(work_off(requests, 1, ask));
    let mut watch = Watch::new((scenario.abort_when, 1), longest, 1, Duration::ZERO);
    let mut looks = Looks::begin(target, scenario);
    let mut ticks = interval(LOOK_EVERY);
    let mut found = None;
    let mut done = loop {
        let too_much = tokio::select! {
            done = &mut asking => break done,
            _ = ticks.tick() => {
                watch.take(lately.look());
                watch.too_much()
            }
            (found, unsent) = looks.failed() => {
                lately.state().exhausted += unsent;
                Some(LoadAbort { at_ms: start.elapsed().as_secs_f64() * 1e3, ..found })
            }
            () = sleep_until(start + longest), if !stop.is_cancelled() => {
                stop.cancel();
                None
            }
        };
        if let Some(too_much) = too_much.filter(|_| found.is_none()) {
            found = Some(too_much);
            abort.cancel();
        }
    };
    watch.take(lately.look());
    let found = found.or_else(|| watch.too_much()).or_else(|| lately.is_silent());
    // Somebody's stop is no failure of the target.
    let found = found.filter(|_| !control.is_stopping()).map(|found| {
        let seen = format!("before the load: {}", found.seen);
        let _ = events.try_send(RunEvent::GivenUp { reason: seen.clone() });
        LoadAbort { seen, ..found }
    });
    done.found.sort_by_key(|(number, _)| *number);
    if found.is_none() && start.elapsed() >= longest && done.found.len() < all {
        let text = format!(
            "after {} without load {} of {all} phrases were asked: they stand for all",
            Wait(longest),
            done.found.len()
        );
        let _ = events.try_send(RunEvent::Noted { text });
    }
    let alert_level = target.target().contract().alert_level;
    let result = |(number, seen): (usize, Vec<Observation>)| {
        judge_phrase(&target.phrases()[number], alert_level, text, seen)
    };
    let exhausted = lately.state().exhausted;
    Idle { results: done.found.into_iter().map(result).collect(), abort: found, exhausted }
}

fn is_answered(seen: &Observation) -> bool {
    matches!(seen.answer, Answer::Prediction(_))
}

fn is_unsent(seen: &Observation) -> bool {
    matches!(&seen.answer, Answer::NoAnswer(none) if is_exhaustion(none.reason, &none.detail))
}

/// What came back lately, for the rails.
struct Lately {
    rules: AbortEntry,
    start: Instant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    window: Window,
    /// When the request on its way started.
    since: Option<Instant>,
    phrases: u64,
    unanswered: u64,
    /// Requests that found no port or file.
    exhausted: u64,
}

impl Lately {
    fn new(rules: AbortEntry, start: Instant) -> Self {
        Self { rules, start, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere cannot leave these few numbers half-written.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_slow(&self, since: Instant) -> bool {
        self.rules.latency_p95.is_some_and(|limit| since.elapsed() > limit.0)
    }

    fn started(&self) {
        self.state().since = Some(Instant::now());
    }

    /// A request has ended; with nothing where it was stopped.
    fn ended(&self, asked: Option<&[Observation]>) {
        let mut state = self.state();
        let since = state.since.take();
        let Some(asked) = asked else { return };
        let answered = asked.iter().filter(|seen| is_answered(seen)).count();
        let (phrases, unanswered) = (asked.len() as u64, (asked.len() - answered) as u64);
        state.phrases += phrases;
        state.unanswered += unanswered;
        state.exhausted += u64::from(asked.iter().any(is_unsent));
        let window = &mut state.window;
        window.phrases += phrases;
        window.unanswered_phrases += unanswered;
        window.answered += u64::from(answered > 0);
        window.unanswered += u64::from(answered == 0);
        if answered == 0
            && let Some(Answer::NoAnswer(none)) = asked.first().map(|seen| &seen.answer)
        {
            *window.no_answer.entry(none.reason).or_default() += 1;
        }
        window.slow += u64::from(since.is_some_and(|since| self.is_slow(since)));
    }

    /// What was seen since the last time.
    fn look(&self) -> Window {
        let mut state = self.state();
        let window = std::mem::take(&mut state.window);
        Window {
            at_s: self.start.elapsed().as_secs_f64(),
            in_flight: u64::from(state.since.is_some()),
            overdue: u64::from(state.since.is_some_and(|since| self.is_slow(since))),
            ..window
        }
    }

    /// Whether too few phrases were answered, however few there are.
    fn is_silent(&self) -> Option<LoadAbort> {
        let state = self.state();
        let most = self.rules.error_rate;
        (state.unanswered as f64 > most.value() * state.phrases as f64).then(|| LoadAbort {
            rule: format!("error_rate: {most}"),
            seen: format!(
                "{} of {} {} no answer",
                state.unanswered,
                count(state.phrases, "phrase", "phrases"),
                if state.unanswered == 1 { "has" } else { "have" }
            ),
            at_ms: self.start.elapsed().as_secs_f64() * 1e3,
            timed_out: false,
        })
    }
}
