//! How fast a target is asked: slots, a rate, and patience when it says "too many requests".

use std::sync::Mutex;
use std::time::Duration;

use rand::RngExt;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// The first wait before another attempt; it doubles from there.
const FIRST_BACKOFF: Duration = Duration::from_millis(200);
/// The longest wait before another attempt that nobody asked for.
pub(super) const LONGEST_BACKOFF: Duration = Duration::from_secs(5);
/// Longer than any run, and still a time that can be added to now.
const FOREVER: Duration = Duration::from_hours(24 * 365);

/// The wait before another attempt, `retry` from 0: exponential, with half of it random, so that many clients do not
/// come back at once.
pub(super) fn backoff(retry: u32) -> Duration {
    let full = (FIRST_BACKOFF * 2u32.pow(retry.min(8))).min(LONGEST_BACKOFF);
    full.mul_f64(rand::rng().random_range(0.5..=1.0))
}

/// Gives out the right to send one request at a time.
///
/// The number of slots adapts: it halves when the target answers 429 and grows by one after as many good answers as
/// there are slots (additive increase, multiplicative decrease; Chiu and Jain 1989).
#[derive(Debug)]
pub(super) struct Pacer {
    most: usize,
    spacing: Option<Duration>,
    patience: Duration,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    slots: usize,
    taken: usize,
    good_in_a_row: usize,
    not_before: Instant,
    next_start: Instant,
    slowed_at: Option<Instant>,
    slowed_in_a_row: u32,
    /// Since when the target has answered nothing but 429.
    refused_since: Option<Instant>,
}

/// The right to have one request on its way.
#[derive(Debug)]
pub(super) struct Slot<'a> {
    pacer: &'a Pacer,
    since: Instant,
}

/// What a 429 led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slowed {
    /// Nothing new is sent for a while.
    Waits {
        wait: Duration,
        slots: usize,
        /// Whether this is news, or one of several answers to requests that were already on their way.
        news: bool,
    },
    /// The wait would be longer than the patience.
    OutOfPatience,
}

impl Pacer {
    /// `rate` is in requests a second.
    pub(super) fn new(most: usize, rate: Option<f64>, patience: Duration) -> Self {
        let now = Instant::now();
        let spacing = |rate: f64| Duration::try_from_secs_f64(1.0 / rate).unwrap_or(FOREVER).min(FOREVER);
        Self {
            most: most.max(1),
            spacing: rate.map(spacing),
            patience: patience.min(FOREVER),
            state: Mutex::new(State {
                slots: most.max(1),
                taken: 0,
                good_in_a_row: 0,
                not_before: now,
                next_start: now,
                slowed_at: None,
                slowed_in_a_row: 0,
                refused_since: None,
            }),
            changed: Notify::new(),
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // A panic elsewhere cannot leave these few numbers half-written.
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Waits until a phrase may be sent.
    pub(super) async fn slot(&self) -> Slot<'_> {
        loop {
            // Made before the state is looked at: a slot that is freed in between still wakes it.
            let changed = self.changed.notified();
            let start = {
                let mut state = self.state();
                if state.taken < state.slots {
                    let now = Instant::now();
                    let not_before = state.not_before;
                    match self.start(&mut state, now, not_before) {
                        None => {
                            state.taken += 1;
                            return Slot { pacer: self, since: now };
                        }
                        start => start,
                    }
                } else {
                    None
                }
            };
            match start {
                Some(start) => sleep_until(start).await,
                None => changed.await,
            }
        }
    }

    /// Waits until a request may be sent that belongs to a phrase on its way: only the rate can hold it back.
    pub(super) async fn turn(&self) {
        loop {
            let now = Instant::now();
            let Some(start) = self.start(&mut self.state(), now, now) else { return };
            sleep_until(start).await;
        }
    }

    /// Starts a request, or says when to try again.
    fn start(&self, state: &mut State, now: Instant, not_before: Instant) -> Option<Instant> {
        let Some(spacing) = self.spacing else { return (not_before > now).then_some(not_before) };
        let start = not_before.max(state.next_start);
        if start > now {
            return Some(start);
        }
        // Time that went unused is gone: catching up would break the promised rate.
        state.next_start = now + spacing;
        None
    }

    /// Notes a response that was no 429, and whether it answered.
    pub(super) fn progressed(&self, answered: bool) {
        let mut state = self.state();
        state.refused_since = None;
        state.slowed_in_a_row = 0;
        if !answered {
            return;
        }
        state.good_in_a_row += 1;
        if state.good_in_a_row >= state.slots && state.slots < self.most {
            state.slots += 1;
            state.good_in_a_row = 0;
            drop(state);
            self.changed.notify_waiters();
        }
    }

    /// Notes a 429 for a request that was sent at `sent`, and the wait that it asked for.
    pub(super) fn too_many(&self, sent: Instant, asked: Option<Duration>) -> Slowed {
        let mut state = self.state();
        let now = Instant::now();
        let refused_since = *state.refused_since.get_or_insert(now);
        state.good_in_a_row = 0;
        let news = state.slowed_at.is_none_or(|slowed_at| sent >= slowed_at);
        // Never sooner than asked; and a target that asks for nothing is left alone for longer and longer.
        let wait = asked.unwrap_or_default().max(backoff(state.slowed_in_a_row));
        if news {
            state.slots = (state.slots / 2).max(1);
            state.slowed_at = Some(now);
            state.slowed_in_a_row += 1;
        }
        if now - refused_since + wait > self.patience {
            return Slowed::OutOfPatience;
        }
        state.not_before = state.not_before.max(now + wait);
        Slowed::Waits { wait, slots: state.slots, news }
    }
}

impl Slot<'_> {
    /// When the slot was given.
    pub(super) const fn since(&self) -> Instant {
        self.since
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.pacer.state().taken -= 1;
        // All of them: one alone might be a waiter that has just been dropped, and the slot would be lost.
        self.pacer.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const PATIENCE: Duration = Duration::from_mins(3);

    #[tokio::test(start_paused = true)]
    async fn a_burst_of_429_halves_the_slots_once_and_good_answers_bring_them_back() {
        let pacer = Pacer::new(8, None, PATIENCE);
        let sent = Instant::now();
        tokio::time::advance(Duration::from_millis(1)).await;
        let slowed =
            |news| move |slowed| matches!(slowed, Slowed::Waits { slots: 4, news: n, .. } if n == news);
        assert!(slowed(true)(pacer.too_many(sent, None)));
        assert!(slowed(false)(pacer.too_many(sent, None)));
        for _ in 0..4 {
            pacer.progressed(true);
        }
        assert_eq!(pacer.state().slots, 5);
        for _ in 0..40 {
            pacer.progressed(false);
        }
        assert_eq!(pacer.state().slots, 5, "what is no answer is no reason to ask more");
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_starts_before_the_wait_is_over() {
        let pacer = Pacer::new(2, None, PATIENCE);
        let start = Instant::now();
        pacer.too_many(start, Some(Duration::from_secs(7)));
        let _slot = pacer.slot().await;
        assert_eq!(start.elapsed(), Duration::from_secs(7));
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_beyond_the_patience_holds_nothing_up() {
        let pacer = Pacer::new(2, None, PATIENCE);
        let start = Instant::now();
        assert_eq!(pacer.too_many(start, Some(Duration::from_mins(4))), Slowed::OutOfPatience);
        let _slot = pacer.slot().await;
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn patience_runs_from_the_first_429_to_the_next_answer_of_another_kind() {
        let pacer = Pacer::new(2, None, PATIENCE);
        tokio::time::advance(PATIENCE * 2).await;
        let asked = Some(Duration::from_mins(2));
        assert!(matches!(pacer.too_many(Instant::now(), asked), Slowed::Waits { .. }));
        tokio::time::advance(Duration::from_mins(2)).await;
        pacer.progressed(false);
        assert!(matches!(pacer.too_many(Instant::now(), asked), Slowed::Waits { .. }));
        tokio::time::advance(Duration::from_mins(2)).await;
        assert_eq!(pacer.too_many(Instant::now(), asked), Slowed::OutOfPatience);
    }

    #[tokio::test(start_paused = true)]
    async fn a_target_that_names_no_wait_is_asked_less_and_less_often() {
        let pacer = Pacer::new(1, None, PATIENCE);
        let mut waits = Vec::new();
        for _ in 0..8 {
            let Slowed::Waits { wait, .. } = pacer.too_many(Instant::now(), None) else { panic!("patient") };
            waits.push(wait);
        }
        assert!(waits[0] <= FIRST_BACKOFF);
        assert!(waits[7] >= LONGEST_BACKOFF / 2);
        pacer.progressed(true);
        assert!(
            matches!(pacer.too_many(Instant::now(), None), Slowed::Waits { wait, .. } if wait <= FIRST_BACKOFF)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_spaces_the_starts_and_never_catches_up() {
        let pacer = Pacer::new(10, Some(10.0), PATIENCE);
        let start = Instant::now();
        tokio::time::advance(Duration::from_secs(5)).await;
        for _ in 0..3 {
            drop(pacer.slot().await);
            pacer.turn().await;
        }
        assert_eq!(start.elapsed(), Duration::from_millis(5500));
    }

    #[tokio::test(start_paused = true)]
    async fn rates_that_no_clock_can_hold_do_no_harm() {
        for rate in [f64::MIN_POSITIVE, 1e-9, f64::MAX] {
            let pacer = Pacer::new(1, Some(rate), Duration::MAX);
            drop(pacer.slot().await);
            pacer.too_many(Instant::now(), Some(Duration::from_hours(24)));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_slot_that_is_given_back_wakes_the_next_one() {
        let pacer = Pacer::new(1, None, PATIENCE);
        let slot = pacer.slot().await;
        let waiting = pacer.slot();
        tokio::pin!(waiting);
        assert!(tokio::time::timeout(Duration::from_secs(1), &mut waiting).await.is_err());
        drop(slot);
        assert!(tokio::time::timeout(Duration::from_secs(1), waiting).await.is_ok());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn no_wakeup_is_lost_among_two_hundred_workers() {
        let pacer = Arc::new(Pacer::new(200, None, PATIENCE));
        // Few slots and many who wait; every tenth is dropped while it does.
        for _ in 0..8 {
            tokio::time::sleep(Duration::from_millis(1)).await;
            pacer.too_many(Instant::now(), None);
            pacer.state().not_before = Instant::now();
        }
        let work = |worker: usize| {
            let pacer = Arc::clone(&pacer);
            async move {
                for turn in 0..50 {
                    let waits = if (worker + turn).is_multiple_of(10) {
                        Duration::ZERO
                    } else {
                        Duration::from_mins(1)
                    };
                    if let Ok(slot) = tokio::time::timeout(waits, pacer.slot()).await {
                        tokio::task::yield_now().await;
                        drop(slot);
                        pacer.progressed(turn % 3 == 0);
                    }
                }
            }
        };
        let workers: tokio::task::JoinSet<()> = (0..200).map(work).collect();
        let all = tokio::time::timeout(Duration::from_secs(30), workers.join_all());
        assert!(all.await.is_ok(), "somebody still waits");
        assert_eq!(pacer.state().taken, 0);
    }
}
