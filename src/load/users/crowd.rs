//! The users, as far as they are not goose's: when each asks, what, and what comes back.
//!
//! All of them live on one thread, so the lock around what they share is never waited for. It is never held over an await.

use std::future::{Future, pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::sync::{Notify, SetOnce};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::pace::{Pace, Passage};
use super::plan::{Plan, Turn};
use crate::load::deck::Deck;
use crate::load::engine::Sending;
use crate::load::recorder::{Recorder, Request};
use crate::load::scenario::Scenario;
use crate::load::shard::Shard;
use crate::load::tally::{Tally, Window};
use crate::target::{Lane, LoadTarget, Turnstile};

/// All users, and what they share.
pub(super) struct Crowd {
    target: Arc<LoadTarget>,
    scenario: Arc<Scenario>,
    plan: Plan,
    /// When each step ends.
    ends: Vec<Duration>,
    warm_up: Duration,
    /// No start is later than this.
    end: Duration,
    /// Nor are there more.
    most: u64,
    first: u64,
    shard: Shard,
    /// When the run begins, if not at once.
    start: Option<Instant>,
    began: SetOnce<Instant>,
    pace: Option<Arc<Pace>>,
    shared: Mutex<Shared>,
    /// Something ended.
    changed: Notify,
}

struct Shared {
    deck: Deck,
    recorder: Recorder,
    /// Those who do not ask at the moment; one who asks takes itself out.
    users: Vec<Option<User>>,
    flying: Vec<Option<Request>>,
    /// Requests that started.
    started: u64,
    /// Users who will never ask again.
    done: usize,
    /// Nothing more starts.
    closed: bool,
}

/// One user.
struct User {
    lane: Lane,
    /// The phrases of its request.
    phrases: Vec<usize>,
    random: ChaCha8Rng,
    /// Has thought until then.
    ready: Option<Instant>,
    asked: u64,
}

/// Whether a request could begin.
enum Begin {
    Begun(Request),
    /// The load has no room for the user any more.
    NotNow,
    Never,
}

impl Crowd {
    /// # Errors
    /// The system gives no clock.
    pub(super) fn new(sending: Sending) -> std::io::Result<Self> {
        let recorder = Recorder::new(&sending);
        let Sending { scenario, ramps, warm_up, target, deck, first, longest, most, shard, start, .. } =
            sending;
        let plan = Plan::new(&shard.users(&ramps));
        let mut end = Duration::ZERO;
        let ends = ramps.iter().map(|ramp| {
            end += ramp.duration;
            end
        });
        let ends = ends.collect();
        let pace = match scenario.max_rate {
            Some(rate) => Some(Arc::new(Pace::new(shard.rate(rate))?)),
            None => None,
        };
        let user = |number: usize| {
            let seed = scenario.seed ^ (shard.number(number as u64) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let random = ChaCha8Rng::seed_from_u64(seed);
            Some(User { lane: lane(pace.as_ref()), phrases: Vec::new(), random, ready: None, asked: 0 })
        };
        let shared = Shared {
            deck,
            recorder,
            users: (0..plan.users()).map(user).collect(),
            flying: vec![None; plan.users()],
            started: 0,
            done: 0,
            closed: false,
        };
        Ok(Self {
            pace,
            end: plan.length().min(longest),
            target,
            plan,
            ends,
            warm_up,
            most,
            first,
            shard,
            start,
            began: SetOnce::new(),
            shared: Mutex::new(shared),
            changed: Notify::new(),
            scenario,
        })
    }

    pub(super) const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The run begins now, or when it was said to.
    pub(super) async fn begin(&self) {
        if let Some(start) = self.start {
            sleep_until(start).await;
        }
        // Once: goose does it a single time.
        let _ = self.began.set(self.start.unwrap_or_else(Instant::now));
    }

    /// Waits until it has begun; when it did.
    pub(super) async fn begun(&self) -> Instant {
        *self.began.wait().await
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A user's next request, with the wait for it. Never returns for one who has nothing more to ask.
    pub(super) async fn ask(&self, number: usize) {
        let Some(mut user) = self.shared().users.get_mut(number).and_then(Option::take) else {
            return pending().await;
        };
        let Some((request, held)) = self.start(number, &mut user).await else {
            self.leave();
            return pending().await;
        };
        let sent = self.target.send(&mut user.lane, &user.phrases, request.number);
        let shot = unless_it_panics(sent).await;
        user.asked += 1;
        let ready = Instant::now() + self.pause(&mut user.random);
        user.ready = Some(ready);
        let stays = self.scenario.iterations.is_none_or(|most| user.asked < most);
        {
            let mut shared = self.shared();
            shared.flying[number] = None;
            shared.recorder.held_back(&request, held, ready - request.due);
            if let Some(shot) = &shot {
                // A user waits for nothing but the answer: response time is service time.
                let brought = (user.phrases.as_slice(), user.lane.answers());
                shared.recorder.ended(&request, request.due, brought, shot);
            } else {
                shared.recorder.tally.lost += 1;
                user.lane = lane(self.pace.as_ref());
            }
            if stays {
                shared.users[number] = Some(user);
            }
        }
        if stays { self.changed.notify_one() } else { self.leave() }
    }

    /// A user has nothing more to ask.
    fn leave(&self) {
        self.shared().done += 1;
        self.changed.notify_one();
    }

    fn pause(&self, random: &mut ChaCha8Rng) -> Duration {
        let (from, to) = (self.scenario.think_time.from.0, self.scenario.think_time.to.0);
        from + to.saturating_sub(from).mul_f64(random.random::<f64>())
    }

    /// Waits until a user has thought, the load has room for it, and the rate allows it; then its request begins. With how
    /// long the rate alone held it back.
    async fn start(&self, number: usize, user: &mut User) -> Option<(Request, Duration)> {
        let began = *self.began.wait().await;
        let mut due = user.ready.unwrap_or(began);
        loop {
            let now = Instant::now();
            match self.plan.turn(number, due.max(now) - began) {
                Turn::Now if due > now => sleep_until(due).await,
                Turn::Now => {
                    let passage = match &self.pace {
                        Some(pace) => Some(pace.passage().await),
                        None => None,
                    };
                    let free = passage.as_ref().map_or(due, |passage| passage.free_since().max(due));
                    match self.try_start((number, &mut user.phrases), began, free) {
                        Begin::Begun(request) => {
                            let held = passage.as_ref().map_or(Duration::ZERO, Passage::held);
                            if let Some(passage) = passage {
                                passage.used(request.due);
                            }
                            return Some((request, held));
                        }
                        Begin::NotNow => {}
                        Begin::Never => return None,
                    }
                }
                Turn::At(time) => {
                    due = began + time;
                    sleep_until(due).await;
                }
                Turn::Never => return None,
            }
        }
    }

    /// A request that could have begun at `due` begins, if nothing has changed meanwhile: with phrases.
    fn try_start(&self, (number, phrases): (usize, &mut Vec<usize>), began: Instant, due: Instant) -> Begin {
        let sent = Instant::now();
        let after = sent - began;
        let mut guard = self.shared();
        let shared = &mut *guard;
        let among_all = self.shard.number(shared.started);
        if shared.closed || after >= self.end || among_all >= self.most {
            shared.closed = true;
            return Begin::Never;
        }
        if self.plan.turn(number, after) != Turn::Now {
            return Begin::NotNow;
        }
        let step = self.ends.partition_point(|end| *end <= after).min(self.ends.len().saturating_sub(1));
        let count = self.first + among_all;
        shared.started += 1;
        let request = Request {
            // Users ask when they do: it is intended then.
            due: sent,
            step: (after >= self.warm_up).then_some(step),
            number: count,
        };
        shared.deck.draw(count, phrases);
        let lag = sent - due.min(sent);
        shared.recorder.intended(&request, lag);
        shared.recorder.started(&request, lag);
        shared.flying[number] = Some(request);
        Begin::Begun(request)
    }

    /// Waits until nothing starts any more, and what is on its way has ended. After `drain` nothing starts.
    pub(super) async fn over(&self, drain: &CancellationToken) {
        let ended = async {
            let end = *self.began.wait().await + self.end;
            tokio::select! {
                () = sleep_until(end) => {}
                () = self.until(|shared| shared.closed || shared.done == shared.users.len()) => {}
            }
        };
        tokio::select! {
            biased;
            () = drain.cancelled() => {}
            () = ended => {}
        }
        self.shared().closed = true;
        self.until(|shared| shared.flying.iter().all(Option::is_none)).await;
    }

    async fn until(&self, holds: impl Fn(&Shared) -> bool) {
        while !holds(&self.shared()) {
            self.changed.notified().await;
        }
    }

    /// What was seen since the last time; none before the run has begun.
    pub(super) fn look(&self) -> Option<Window> {
        let began = *self.began.get()?;
        let mut guard = self.shared();
        let shared = &mut *guard;
        Some(shared.recorder.look(began, shared.flying.iter().flatten().copied()))
    }

    /// Those still on their way are not waited for.
    pub(super) fn abandon(&self) {
        let mut guard = self.shared();
        let shared = &mut *guard;
        shared.closed = true;
        let mut phrases = Vec::new();
        for request in shared.flying.iter_mut().filter_map(Option::take) {
            shared.deck.draw(request.number, &mut phrases);
            shared.recorder.abandoned(&request, &phrases);
        }
    }

    /// Everything that was found so far.
    pub(super) fn tally(&self) -> Tally {
        self.shared().recorder.tally.clone()
    }
}

/// A lane whose requests are paced together with all others.
fn lane(pace: Option<&Arc<Pace>>) -> Lane {
    Lane::new(pace.cloned().map(|pace| pace as Arc<dyn Turnstile>))
}

/// What comes of it; none if it panics. goose would lose the user without a word.
async fn unless_it_panics<T>(work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
        Ok(Poll::Ready(done)) => Poll::Ready(Some(done)),
        Ok(Poll::Pending) => Poll::Pending,
        Err(_) => Poll::Ready(None),
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_none_and_everything_else_is_what_it_is() {
        let panics = async {
            tokio::task::yield_now().await;
            assert_eq!(1, 2, "this panic is meant to be");
        };
        assert_eq!(unless_it_panics(panics).await, None);
        assert_eq!(unless_it_panics(async { 3 }).await, Some(3));
    }
}
