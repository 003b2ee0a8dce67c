//! The lanes of a sending thread: each has one request on its way at most, and all of them take from one queue.
//!
//! Everything is on one thread, so nothing is locked: what is shared is shared by `Rc` and `Cell`.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::{AbortHandle, spawn_local};
use tokio::time::{Instant, sleep_until};

use super::deck::Deck;
use super::recorder::{Recorder, Request};
use super::scenario_file::Beyond;
use super::tally::Window;
use super::turns::Turns;
use crate::target::{Lane, LoadTarget, Turnstile};

/// Starts that wait for a lane, at most; further ones are dropped and counted.
const LONGEST_QUEUE: usize = 1_000_000;

/// The lanes of a thread, and what they found.
pub(super) struct Pool {
    target: Arc<LoadTarget>,
    most: usize,
    beyond: Beyond,
    /// Never more than `max_rate`, not even to catch up.
    turns: Option<Arc<Turns>>,
    lanes: RefCell<Vec<Rc<Slot>>>,
    /// The lanes without work; the last to come is the first to go, so that few connections stay warm.
    idle: RefCell<Vec<usize>>,
    queue: RefCell<VecDeque<Request>>,
    deck: RefCell<Deck>,
    pub(super) recorder: RefCell<Recorder>,
    /// Somebody became idle.
    freed: Notify,
}

struct Slot {
    work: Cell<Option<Request>>,
    wake: Notify,
    /// The request on its way.
    flying: Cell<Option<Request>>,
    /// The one that waits for its turn, because no more may be sent.
    paced: Cell<Option<Request>>,
    task: Cell<Option<AbortHandle>>,
}

impl Pool {
    pub(super) fn new(
        target: Arc<LoadTarget>,
        (deck, recorder): (Deck, Recorder),
        (most, beyond): (usize, Beyond),
        turns: Option<Arc<Turns>>,
    ) -> Rc<Self> {
        Rc::new(Self {
            target,
            most: most.max(1),
            beyond,
            turns,
            lanes: RefCell::default(),
            idle: RefCell::default(),
            queue: RefCell::default(),
            deck: RefCell::new(deck),
            recorder: RefCell::new(recorder),
            freed: Notify::new(),
        })
    }

    /// Gives a request to a lane: an idle one, a new one, or the one that is free first.
    pub(super) fn dispatch(self: &Rc<Self>, request: Request, lag: Duration) {
        let mut recorder = self.recorder.borrow_mut();
        recorder.intended(&request, lag);
        let idle = self.idle.borrow_mut().pop();
        if let Some(lane) = idle {
            let lanes = self.lanes.borrow();
            lanes[lane].work.set(Some(request));
            lanes[lane].wake.notify_one();
        } else if self.lanes.borrow().len() < self.most {
            self.open(request);
        } else if self.beyond == Beyond::Drop || self.queue.borrow().len() >= LONGEST_QUEUE {
            recorder.count(&request, |counts| counts.dropped += 1);
        } else {
            recorder.count(&request, |counts| counts.waited += 1);
            self.queue.borrow_mut().push_back(request);
        }
    }

    /// A further lane, with its first request.
    fn open(self: &Rc<Self>, request: Request) {
        let slot = Rc::new(Slot {
            work: Cell::new(Some(request)),
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
        let mut lane = Lane::new(self.turns.clone().map(|turns| turns as Arc<dyn Turnstile>));
        let mut phrases = Vec::new();
        loop {
            let Some(request) = slot.work.take() else {
                slot.wake.notified().await;
                continue;
            };
            if let Some(at) = self.turns.as_ref().and_then(|turns| turns.take()) {
                slot.paced.set(Some(request));
                sleep_until(at).await;
                slot.paced.set(None);
            }
            self.deck.borrow_mut().draw(request.number, &mut phrases);
            let sent = Instant::now();
            self.recorder.borrow_mut().started(&request, sent.saturating_duration_since(request.due));
            slot.flying.set(Some(request));
            let brought = self.target.send(&mut lane, &phrases, request.number).await;
            slot.flying.set(None);
            self.recorder.borrow_mut().ended(&request, sent, (&phrases, lane.answers()), &brought);
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

    /// What was seen since the last time.
    pub(super) fn look(&self, since: Instant) -> Window {
        let mut recorder = self.recorder.borrow_mut();
        let (lanes, queue, now) = (self.lanes.borrow(), self.queue.borrow(), Instant::now());
        let mut window = recorder.look(since, lanes.iter().filter_map(|slot| slot.flying.get()));
        let is_overdue = |request: &Request| recorder.is_overdue(request, now);
        let paced = lanes.iter().filter_map(|slot| slot.paced.get()).filter(is_overdue).count();
        // The oldest are the first.
        let waiting = queue.iter().take_while(|request| is_overdue(request)).count();
        window.overdue += (paced + waiting) as u64;
        window
    }

    /// Gives up the requests that still wait.
    pub(super) fn give_up_waiting(&self) {
        let (mut deck, mut phrases) = (self.deck.borrow_mut(), Vec::new());
        for request in self.queue.borrow_mut().drain(..) {
            deck.draw(request.number, &mut phrases);
            self.recorder.borrow_mut().dropped(&request, &phrases);
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

    /// Ends every lane at once.
    pub(super) fn abort(&self) {
        let mut recorder = self.recorder.borrow_mut();
        let (mut deck, mut phrases) = (self.deck.borrow_mut(), Vec::new());
        for slot in self.lanes.borrow().iter() {
            if let Some(task) = slot.task.take() {
                task.abort();
            }
            if let Some(request) = slot.paced.take().or_else(|| slot.work.take()) {
                deck.draw(request.number, &mut phrases);
                recorder.dropped(&request, &phrases);
            }
            if let Some(request) = slot.flying.take() {
                deck.draw(request.number, &mut phrases);
                recorder.abandoned(&request, &phrases);
            }
        }
    }
}
