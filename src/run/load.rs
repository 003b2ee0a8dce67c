//! The load run: what a scenario asks for is sent, every answer judged, and the whole becomes a record.

#![expect(clippy::cast_precision_loss, reason = "no run has so many requests")]

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::RunControl;
use super::load_health::Looks;
use super::load_idle::idle;
use super::load_record::{Found, Held, RunFacts, Whole, record};
use super::measured::Measured;
use crate::domain::{LoadAbort, RunEvent, RunStatus, SearchRecord, ShardRecord, count};
use crate::gate::GateOptions;
use crate::load::{Deck, LoadEngine, Scenario, Sending, Shard, Tally, Watch, Window};
use crate::suite::Suite;
use crate::target::LoadTarget;

/// A load run that can begin.
#[derive(Debug)]
pub struct LoadRun {
    /// What is sent.
    pub scenario: Scenario,
    /// Its phrases.
    pub suite: Suite,
    /// The target, with the requests for every phrase.
    pub target: LoadTarget,
    /// Which phrase each request sends.
    pub deck: Deck,
    /// What sends.
    pub engine: LoadEngine,
    /// What the record says of the run besides.
    pub facts: RunFacts,
    /// What the run has to hold.
    pub gates: GateOptions,
    /// How long every phrase is asked once before the load, at most; none where that is not wanted.
    pub idle_pass: Option<Duration>,
}

impl LoadRun {
    /// Sends it all, or until it is stopped or has to be.
    ///
    /// # Errors
    /// The system gives no thread or no clock; nothing was sent then.
    pub async fn execute(
        self,
        control: RunControl,
        events: mpsc::Sender<RunEvent>,
    ) -> std::io::Result<Measured> {
        let Self { scenario, suite, target, deck, engine, facts, gates, idle_pass } = self;
        let (scenario, target) = (Arc::new(scenario), Arc::new(target));
        let tell = |event| {
            let _ = events.try_send(event);
        };
        if let Some(asked) = scenario.lowered_from {
            let name = &target.target().contract().name;
            let text = format!(
                "target `{name}` bears {} at once (`limits.concurrency`): `max_in_flight` is that, not {asked}",
                count(scenario.max_in_flight, "request", "requests")
            );
            tell(RunEvent::Noted { text });
        }
        let (idle, abort, exhausted) = match idle_pass {
            Some(longest) => {
                let found = idle(&target, &scenario, longest, facts.text, &control, &events).await;
                (Some(found.results), found.abort, found.exhausted)
            }
            None => (None, None, 0),
        };
        let idle_right = idle.as_ref().filter(|idle| idle.len() == target.phrases().len());
        let sending = Sending {
            ramps: Vec::new(),
            warm_up: scenario.warm_up,
            target: Arc::clone(&target),
            deck,
            idle_right: idle_right.map(|idle| idle.iter().map(|result| result.verdict.passes()).collect()),
            first: 0,
            longest: scenario.max_duration,
            most: scenario.max_requests,
            shard: Shard::WHOLE,
            start: None,
            scenario: Arc::clone(&scenario),
        };
        let whole =
            Whole { scenario: &scenario, suite: &suite, target: &target, facts: &facts, gates: &gates };
        let mut course = Course {
            watch: Watch::new(
                (scenario.abort_when, scenario.max_in_flight),
                scenario.length(),
                engine.threads(),
                engine.lateness(),
            ),
            scenario: &scenario,
            trying: None,
            control: &control,
            events: &events,
            engine: Arc::new(engine),
            abort,
            broken: None,
            lead: Duration::ZERO,
            shards: Vec::new(),
        };
        let began = Instant::now();
        let mut found = Found { idle, ..Found::new(Tally::default()) };
        // A load whose answers have nothing to stand beside is not begun.
        if !control.is_stopping() && course.abort.is_none() {
            tell(RunEvent::LoadStarted { planned: scenario.length(), judged: target.is_judged() });
            if scenario.is_search {
                search(&whole, &mut course, sending, &mut found).await?;
            } else {
                let ramps = scenario.steps.iter().map(|(_, ramp)| *ramp).collect();
                found.tally = course.send(Sending { ramps, ..sending }).await?;
            }
        }
        found.tally.exhausted += exhausted;
        found.duration = began.elapsed().saturating_sub(course.lead);
        (found.seconds, found.second_s) = course.watch.finish();
        found.status = match (&course.abort, &course.broken) {
            (None, _) if control.is_stopping() => RunStatus::Interrupted,
            (None, None) => RunStatus::Completed,
            _ => RunStatus::Aborted,
        };
        (found.abort, found.broken, found.shards) = (course.abort, course.broken, course.shards);
        found.finished_at = Utc::now();
        let record = record(&whole, &found);
        Ok(Measured { record, gates })
    }
}

/// Tries one load after the other until a gate breaks.
async fn search(
    whole: &Whole<'_>,
    course: &mut Course<'_>,
    sending: Sending,
    found: &mut Found,
) -> std::io::Result<()> {
    let mut result = SearchRecord { sustained: None, broken: None, reason: None };
    let began = Instant::now();
    let mut first = 0;
    for (_, ramp) in &whole.scenario.steps {
        if course.control.is_stopping() {
            break;
        }
        let from = began.elapsed();
        let longest = whole.scenario.max_duration.saturating_sub(from);
        let most = whole.scenario.max_requests.saturating_sub(first);
        // A load that cannot be tried to its end shows nothing. What the others took to end is not counted against it.
        let cut = whole.scenario.max_duration < whole.scenario.length() && longest < ramp.duration;
        if cut || (most as f64) < ramp.requests() {
            result.reason = Some("the limits of the scenario end it before that".to_owned());
            break;
        }
        course.watch.continue_at(from);
        course.trying = Some(ramp.to);
        found.begins.push(from);
        // What is cold is cold once; a short warm-up at each load lets the last one's requests drain.
        let warm_up = sending.warm_up.min(ramp.duration / 4);
        let step =
            Sending { ramps: vec![*ramp], warm_up, first, longest: ramp.duration, most, ..sending.clone() };
        let tally = course.send(step).await?;
        first += tally.steps.iter().map(|step| step.counts.intended).sum::<u64>() + tally.warm_up;
        if course.control.is_stopping() {
            found.join(tally);
            break;
        }
        let step = Found {
            idle: found.idle.clone(),
            seconds: course.watch.since(from),
            status: if course.abort.is_some() { RunStatus::Aborted } else { RunStatus::Completed },
            abort: course.abort.clone(),
            shards: course.shards.clone(),
            duration: ramp.duration,
            ..Found::new(tally.clone())
        };
        let held = whole.held(&step, *ramp);
        found.join(tally);
        let (reason, is_pardoned) = match held {
            Held::Yes => {
                result.sustained = Some(ramp.to);
                continue;
            }
            // What this machine could not do is no failure of the target.
            Held::Unknown(reason) => (reason, course.shards.iter().all(|shard| shard.trouble.is_none())),
            // That is what was looked for, and no failure of the target.
            Held::No(reason) => {
                result.broken = Some(ramp.to);
                (reason, result.sustained.is_some())
            }
        };
        result.reason = Some(reason);
        // Unless it did not survive it.
        match whole.target.look().await {
            Err(gone) if !gone.is_exhaustion() => {
                let at_ms = began.elapsed().as_secs_f64() * 1e3;
                let (rule, seen) = ("unhealthy: true".to_owned(), gone.to_string());
                course.abort = Some(LoadAbort { rule, seen, at_ms, timed_out: false });
            }
            look => {
                found.tally.exhausted += u64::from(look.is_err());
                if is_pardoned {
                    course.abort = None;
                }
            }
        }
        break;
    }
    found.search = Some(result);
    Ok(())
}

/// The run as it goes on.
struct Course<'a> {
    watch: Watch,
    scenario: &'a Scenario,
    /// The load that a search is at.
    trying: Option<f64>,
    control: &'a RunControl,
    events: &'a mpsc::Sender<RunEvent>,
    engine: Arc<LoadEngine>,
    abort: Option<LoadAbort>,
    /// Why this machine ended it before its time.
    broken: Option<String>,
    /// What passed before the load began.
    lead: Duration,
    /// The machines that sent.
    shards: Vec<ShardRecord>,
}

impl Course<'_> {
    /// Sends, watches, and ends it when it is too much.
    async fn send(&mut self, sending: Sending) -> std::io::Result<Tally> {
        let (windows, mut seen) = mpsc::unbounded_channel::<Window>();
        // Children: what ends this sending does not look like somebody's stop.
        let (drain, abort) = (self.control.drain.child_token(), self.control.abort.child_token());
        let mut looks = Looks::begin(&sending.target, &sending.scenario);
        let mut exhausted = 0;
        let began = Instant::now();
        let engine = Arc::clone(&self.engine);
        let (draining, aborting) = (drain.clone(), abort.clone());
        let running = tokio::spawn(async move { engine.run(sending, draining, aborting, windows).await });
        loop {
            tokio::select! {
                window = seen.recv() => {
                    let Some(window) = window else { break };
                    for second in self.watch.take(window) {
                        let stage = match self.trying {
                            Some(load) => Some(format!("trying {}", crate::load::Rate(load))),
                            None => self.scenario.stage_at(second.at_s),
                        };
                        let (second, length_s) = (Box::new(second), self.watch.slice_s());
                        let _ = self.events.try_send(RunEvent::LoadSecond { second, length_s, stage });
                    }
                    if self.abort.is_none() && let Some(found) = self.watch.too_much() {
                        self.end(found, &drain, &abort);
                    }
                }
                (found, unsent) = looks.failed() => {
                    exhausted = unsent;
                    if self.abort.is_none() {
                        self.end(LoadAbort { at_ms: began.elapsed().as_secs_f64() * 1e3, ..found }, &drain, &abort);
                    }
                }
            }
        }
        let mut sent = running.await.map_err(std::io::Error::other)??;
        sent.tally.exhausted += exhausted;
        if let Some(reason) = &sent.broken {
            let _ = self.events.try_send(RunEvent::GivenUp { reason: reason.clone() });
        }
        self.broken = sent.broken;
        self.lead += sent.lead;
        if let Some(abort) = &mut self.abort
            && abort.rule.starts_with("unhealthy")
        {
            abort.at_ms = (abort.at_ms - sent.lead.as_secs_f64() * 1e3).max(0.0);
        }
        self.join(sent.shards, began.elapsed().saturating_sub(sent.lead));
        Ok(sent.tally)
    }

    /// Notes what each of several machines sent. Without one of them it is another load, and the run is over.
    fn join(&mut self, shards: Vec<ShardRecord>, after: Duration) {
        let of = shards.len();
        for shard in shards {
            if let Some(trouble) = &shard.trouble
                && self.abort.is_none()
                && self.broken.is_none()
                && !self.control.is_stopping()
            {
                let seen = format!("worker {} {trouble}", shard.index);
                let _ = self.events.try_send(RunEvent::GivenUp { reason: seen.clone() });
                let at_ms = after.as_secs_f64() * 1e3;
                self.abort =
                    Some(LoadAbort { rule: format!("workers: {of}"), seen, at_ms, timed_out: false });
            }
            match self.shards.iter_mut().find(|known| known.index == shard.index) {
                Some(known) => {
                    known.trouble = known.trouble.take().or(shard.trouble);
                    known.started += shard.started;
                    known.answered += shard.answered;
                    known.cpu_ms += shard.cpu_ms;
                    known.lag_p99_ms = known.lag_p99_ms.into_iter().chain(shard.lag_p99_ms).reduce(f64::max);
                    known.clock_error_ms = known.clock_error_ms.max(shard.clock_error_ms);
                }
                None => self.shards.push(shard),
            }
        }
    }

    fn end(&mut self, found: LoadAbort, drain: &CancellationToken, abort: &CancellationToken) {
        let _ = self.events.try_send(RunEvent::GivenUp { reason: found.seen.clone() });
        self.abort = Some(found);
        drain.cancel();
        // Requests on their way are load as well.
        abort.cancel();
    }
}
