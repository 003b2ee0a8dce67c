//! The lanes of a sending thread: each has one request on its way at most, and all of them take from one queue.
//!
//! Everything is on one thread, so nothing is locked: what is shared is shared by `Rc` and `Cell`.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::{AbortHandle, spawn_local};
use tokio::time::{Instant, sleep_until};

use super::scenario_file::Beyond;
use super::tally::{Ended, Known, LATE, Tally, Window};
use crate::domain::NoAnswerReason;
use crate::target::{Lane, LoadTarget, Shot};

/// Starts that wait for a lane, at most; further ones are dropped and counted.
const LONGEST_QUEUE: usize = 1_000_000;

/// One request that is to be sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start {
    /// When it should start.
    pub(super) due: Instant,
    /// The step it belongs to; none in the warm-up.
    pub(super) step: Option<usize>,
    /// Its phrase.
    pub(super) phrase: usize,
    /// What makes it unlike all others.
    pub(super) number: u64,
}

/// The lanes of a thread, and what they found.
pub(super) struct Pool {
    target: std::sync::Arc<LoadTarget>,
    known: Vec<Known>,
    most: usize,
    beyond: Beyond,
    /// A response slower than this is counted as slow.
    slow: Option<Duration>,
    /// Between two requests at least.
    spacing: Option<Duration>,
    not_before: Cell<Instant>,
    lanes: RefCell<Vec<Rc<Slot>>>,
    /// The lanes without work; the last to come is the first to go, so that few connections stay warm.
    idle: RefCell<Vec<usize>>,
    queue: RefCell<VecDeque<Start>>,
    pub(super) tally: RefCell<Tally>,
    pub(super) window: RefCell<Window>,
    /// Somebody became idle.
    freed: Notify,
}

struct Slot {
    work: Cell<Option<Start>>,
    wake: Notify,
    /// The request on its way.
    flying: Cell<Option<Start>>,
    /// The start that waits for its turn, because no more may be sent.
    paced: Cell<Option<Start>>,
    task: Cell<Option<AbortHandle>>,
}

impl Pool {
    pub(super) fn new(
        target: std::sync::Arc<LoadTarget>,
        known: Vec<Known>,
        tally: Tally,
        (most, beyond): (usize, Beyond),
        slow: Option<Duration>,
        spacing: Option<Duration>,
    ) -> Rc<Self> {
        Rc::new(Self {
            target,
            known,
            most: most.max(1),
            beyond,
            slow,
            spacing,
            not_before: Cell::new(Instant::now()),
            lanes: RefCell::default(),
            idle: RefCell::default(),
            queue: RefCell::default(),
            tally: RefCell::new(tally),
            window: RefCell::default(),
            freed: Notify::new(),
        })
    }

    /// Gives a start to a lane: an idle one, a new one, or the one that is free first.
    pub(super) fn dispatch(self: &Rc<Self>, start: Start) {
        self.window.borrow_mut().intended += 1;
        self.count(start, |counts| counts.intended += 1);
        let idle = self.idle.borrow_mut().pop();
        if let Some(lane) = idle {
            let lanes = self.lanes.borrow();
            lanes[lane].work.set(Some(start));
            lanes[lane].wake.notify_one();
        } else if self.lanes.borrow().len() < self.most {
            self.open(start);
        } else if self.beyond == Beyond::Drop || self.queue.borrow().len() >= LONGEST_QUEUE {
            self.count(start, |counts| counts.dropped += 1);
        } else {
            self.count(start, |counts| counts.waited += 1);
            self.queue.borrow_mut().push_back(start);
        }
    }

    fn count(&self, start: Start, change: impl FnOnce(&mut crate::domain::LoadCounts)) {
        if let Some(step) = start.step {
            change(&mut self.tally.borrow_mut().steps[step].counts);
        }
    }

    /// A further lane, with its first start.
    fn open(self: &Rc<Self>, start: Start) {
        let slot = Rc::new(Slot {
            work: Cell::new(Some(start)),
            wake: Notify::new(),
            flying: Cell::new(None),
            paced: Cell::new(None),
            task: Cell::new(None),
        });
        let number = self.lanes.borrow().len();
        self.lanes.borrow_mut().push(Rc::clone(&slot));
        let pool = Rc::clone(self);
        let lane = Rc::clone(&slot);
        let task = spawn_local(async move { pool.work(number, &lane).await });
        slot.task.set(Some(task.abort_handle()));
    }

    async fn work(&self, number: usize, slot: &Slot) {
        let mut lane = Lane::new();
        loop {
            let Some(start) = slot.work.take() else {
                slot.wake.notified().await;
                continue;
            };
            if let Some(at) = self.pace() {
                slot.paced.set(Some(start));
                sleep_until(at).await;
                slot.paced.set(None);
            }
            let sent = Instant::now();
            self.window.borrow_mut().started += 1;
            let is_late = sent.saturating_duration_since(start.due) > LATE;
            self.count(start, |counts| {
                counts.started += 1;
                counts.late += u64::from(is_late);
            });
            slot.flying.set(Some(start));
            let brought = self.target.send(&mut lane, start.phrase, start.number).await;
            slot.flying.set(None);
            self.ended(start, sent, &brought);
            let next = self.queue.borrow_mut().pop_front();
            if next.is_some() {
                slot.work.set(next);
                // A target that answers at once must not keep the thread from everybody else.
                tokio::task::yield_now().await;
            } else {
                self.idle.borrow_mut().push(number);
                self.freed.notify_waiters();
            }
        }
    }

    /// When the next request may start, if that is not now: never more than `max_rate`, not even to catch up.
    fn pace(&self) -> Option<Instant> {
        let spacing = self.spacing?;
        let now = Instant::now();
        let at = self.not_before.get().max(now);
        self.not_before.set(at + spacing);
        (at > now).then_some(at)
    }

    fn ended(&self, start: Start, sent: Instant, shot: &Shot) {
        let now = Instant::now();
        let (response, service) = (now - start.due, now - sent);
        let known = &self.known[start.phrase];
        let right = shot.answer.is_ok_and(|level| known.passes[level.index()]);
        {
            let mut window = self.window.borrow_mut();
            if shot.answer.is_ok() {
                window.answered += 1;
            } else {
                window.unanswered += 1;
            }
            window.right += u64::from(right);
            window.slow += u64::from(self.slow.is_some_and(|slow| response > slow));
            if shot.answer.is_ok() || shot.answer == Err(NoAnswerReason::Timeout) {
                window.response.record(response);
            }
        }
        let mut tally = self.tally.borrow_mut();
        tally.exhausted += u64::from(shot.exhausted);
        let Some(step) = start.step else {
            tally.warm_up += 1;
            return;
        };
        if let Some(accepted) = shot.accepted {
            tally.accepted.record(accepted);
        }
        let ended = Ended {
            step,
            phrase: start.phrase,
            answer: shot.answer,
            violations: shot.violations,
            cached: shot.cached,
            checks: shot.checks,
            opened: shot.opened,
            response,
            service,
        };
        tally.record(known, &ended);
    }

    /// What was seen since the last time.
    pub(super) fn look(&self, since: Instant) -> Window {
        let mut window = std::mem::take(&mut *self.window.borrow_mut());
        let now = Instant::now();
        window.at_s = (now - since).as_secs_f64();
        for slot in self.lanes.borrow().iter() {
            if let Some(start) = slot.flying.get() {
                window.in_flight += 1;
                window.overdue += u64::from(self.slow.is_some_and(|slow| now - start.due > slow));
            }
            if let Some(start) = slot.paced.get() {
                window.overdue += u64::from(self.slow.is_some_and(|slow| now > start.due + slow));
            }
        }
        if let Some(slow) = self.slow {
            window.overdue +=
                self.queue.borrow().iter().take_while(|start| now - start.due > slow).count() as u64;
        }
        window
    }

    /// Gives up the starts that still wait; they were intended and never sent.
    pub(super) fn give_up_waiting(&self) {
        let now = Instant::now();
        for start in self.queue.borrow_mut().drain(..) {
            if let Some(step) = start.step {
                let step = &mut self.tally.borrow_mut().steps[step];
                step.counts.dropped += 1;
                // It has waited so long at least.
                step.response.record(now.saturating_duration_since(start.due));
            }
        }
    }

    /// Whether every lane is idle and nothing waits.
    fn is_empty(&self) -> bool {
        self.queue.borrow().is_empty() && self.idle.borrow().len() == self.lanes.borrow().len()
    }

    /// Waits until every request has ended.
    pub(super) async fn emptied(&self) {
        loop {
            let freed = self.freed.notified();
            if self.is_empty() {
                return;
            }
            freed.await;
        }
    }

    /// Ends every lane at once. Who was still waiting has waited so long at least.
    pub(super) fn abort(&self) {
        let now = Instant::now();
        for slot in self.lanes.borrow().iter() {
            if let Some(task) = slot.task.take() {
                task.abort();
            }
            if let Some(start) = slot.paced.take().or_else(|| slot.work.take()) {
                self.count(start, |counts| counts.dropped += 1);
            }
            if let Some(start) = slot.flying.take()
                && let Some(step) = start.step
            {
                let step = &mut self.tally.borrow_mut().steps[step];
                step.counts.abandoned += 1;
                step.response.record(now - start.due);
            }
        }
    }
}
