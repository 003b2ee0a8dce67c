//! How fast a target is asked: slots, a rate, and patience when it says "too many requests".

use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// Gives out the right to send one request at a time.
///
/// The number of slots adapts: it halves when the target answers 429 and grows by one after as many good answers as
/// there are slots (additive increase, multiplicative decrease; Chiu and Jain 1989).
#[derive(Debug)]
pub(super) struct Pacer {
    most: usize,
    spacing: Option<Duration>,
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Debug)]
struct State {
    slots: usize,
    taken: usize,
    good_in_a_row: usize,
    not_before: Instant,
    next_start: Instant,
    slowed_at: Option<Instant>,
    last_progress: Instant,
}

/// The right to have one request on its way.
#[derive(Debug)]
pub(super) struct Slot<'a> {
    pacer: &'a Pacer,
    since: Instant,
}

/// What a 429 led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slowed {
    pub(super) slots: usize,
    /// Whether this is news, or one of several answers to requests that were already on their way.
    pub(super) news: bool,
}

impl Pacer {
    pub(super) fn new(most: usize, rate: Option<f64>) -> Self {
        let now = Instant::now();
        Self {
            most: most.max(1),
            spacing: rate.map(|rate| Duration::from_secs_f64(1.0 / rate)),
            state: Mutex::new(State {
                slots: most.max(1),
                taken: 0,
                good_in_a_row: 0,
                not_before: now,
                next_start: now,
                slowed_at: None,
                last_progress: now,
            }),
            freed: Notify::new(),
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // A panic elsewhere cannot leave these few numbers half-written.
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Waits until a request may be sent.
    pub(super) async fn slot(&self) -> Slot<'_> {
        loop {
            let freed = self.freed.notified();
            let wait_until = {
                let mut state = self.state();
                let now = Instant::now();
                let start = state.not_before.max(if self.spacing.is_some() { state.next_start } else { now });
                if state.taken >= state.slots {
                    None
                } else if start <= now {
                    state.taken += 1;
                    if let Some(spacing) = self.spacing {
                        // Time that went unused is gone: catching up would break the promised rate.
                        state.next_start = now.max(state.next_start) + spacing;
                    }
                    return Slot { pacer: self, since: now };
                } else {
                    Some(start)
                }
            };
            match wait_until {
                Some(until) => sleep_until(until).await,
                None => freed.await,
            }
        }
    }

    /// Notes an answer that was no 429.
    pub(super) fn went_well(&self) {
        let mut state = self.state();
        state.last_progress = Instant::now();
        state.good_in_a_row += 1;
        if state.good_in_a_row >= state.slots && state.slots < self.most {
            state.slots += 1;
            state.good_in_a_row = 0;
            drop(state);
            self.freed.notify_waiters();
        }
    }

    /// Notes a 429 for a request that was sent at `sent`; nothing is sent for `wait`.
    pub(super) fn too_many(&self, sent: Instant, wait: Duration) -> Slowed {
        let mut state = self.state();
        let now = Instant::now();
        state.not_before = state.not_before.max(now + wait);
        state.good_in_a_row = 0;
        let news = state.slowed_at.is_none_or(|slowed_at| sent >= slowed_at);
        if news {
            state.slots = (state.slots / 2).max(1);
            state.slowed_at = Some(now);
        }
        Slowed { slots: state.slots, news }
    }

    /// How long it is since the target last answered anything but 429.
    pub(super) fn without_progress(&self) -> Duration {
        self.state().last_progress.elapsed()
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
        self.pacer.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_of_429_halves_the_slots_once_and_good_answers_bring_them_back() {
        let pacer = Pacer::new(8, None);
        let sent = Instant::now();
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(pacer.too_many(sent, Duration::ZERO), Slowed { slots: 4, news: true });
        assert_eq!(pacer.too_many(sent, Duration::ZERO), Slowed { slots: 4, news: false });
        for _ in 0..4 {
            pacer.went_well();
        }
        assert_eq!(pacer.state().slots, 5);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_starts_before_the_wait_is_over() {
        let pacer = Pacer::new(2, None);
        let start = Instant::now();
        pacer.too_many(start, Duration::from_secs(7));
        let _slot = pacer.slot().await;
        assert_eq!(start.elapsed(), Duration::from_secs(7));
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_spaces_the_starts_and_never_catches_up() {
        let pacer = Pacer::new(10, Some(10.0));
        let start = Instant::now();
        tokio::time::advance(Duration::from_secs(5)).await;
        for _ in 0..3 {
            drop(pacer.slot().await);
        }
        assert_eq!(start.elapsed(), Duration::from_millis(5200));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slot_that_is_given_back_wakes_the_next_one() {
        let pacer = Pacer::new(1, None);
        let slot = pacer.slot().await;
        let waiting = pacer.slot();
        tokio::pin!(waiting);
        assert!(tokio::time::timeout(Duration::from_secs(1), &mut waiting).await.is_err());
        drop(slot);
        assert!(tokio::time::timeout(Duration::from_secs(1), waiting).await.is_ok());
    }
}
