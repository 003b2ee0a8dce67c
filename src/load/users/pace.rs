//! `max_rate` for users: each request takes the next free moment, first come first served.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};
use tokio::time::Instant;

use crate::load::alarm::Alarm;
use crate::target::Turnstile;

/// A request that woke late does not hold up the ones behind it, by so much at most. The spacing makes up for it, so that
/// no second holds more requests than it may.
const SLACK: Duration = Duration::from_millis(1);

/// Lets requests through one after the other, so far apart on average. What was missed for longer than [`SLACK`] is not
/// caught up with.
pub(super) struct Pace {
    next: Mutex<Next>,
    spacing: Duration,
    /// What this program missed in all, and everybody behind waited for, in nanoseconds.
    missed: AtomicU64,
}

/// The next moment, and the clock that tells when it has come.
struct Next {
    at: Instant,
    alarm: Alarm,
}

/// The right to send a request now.
pub(super) struct Passage<'a> {
    pace: &'a Pace,
    next: MutexGuard<'a, Next>,
    /// When it was asked for, and what had been missed until then.
    asked: Instant,
    missed: Duration,
}

impl Pace {
    /// So many a second at most.
    pub(super) fn new(rate: f64) -> io::Result<Self> {
        let next = Next { at: Instant::now(), alarm: Alarm::new()? };
        Ok(Self {
            next: Mutex::new(next),
            spacing: Duration::from_secs_f64((1.0 + SLACK.as_secs_f64()) / rate),
            missed: AtomicU64::new(0),
        })
    }

    fn missed(&self) -> Duration {
        Duration::from_nanos(self.missed.load(Ordering::Relaxed))
    }

    /// Waits for the next moment; whoever came earlier goes first.
    pub(super) async fn passage(&self) -> Passage<'_> {
        let (asked, missed) = (Instant::now(), self.missed());
        let mut next = self.next.lock().await;
        let at = next.at;
        while Instant::now() < at {
            next.alarm.until(at).await;
        }
        Passage { pace: self, next, asked, missed }
    }
}

impl Turnstile for Pace {
    fn turn(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async { self.passage().await.used(Instant::now()) })
    }
}

impl Passage<'_> {
    /// Since when nothing but the user itself was waited for.
    pub(super) fn free_since(&self) -> Instant {
        self.next.at
    }

    /// How long the rate alone held it back: not what this program missed meanwhile.
    pub(super) fn held(&self) -> Duration {
        let waited = self.next.at.saturating_duration_since(self.asked);
        waited.saturating_sub(self.pace.missed().saturating_sub(self.missed))
    }

    /// It was used at this moment.
    pub(super) fn used(mut self, at: Instant) {
        let spacing = self.pace.spacing;
        let free = self.next.at.max(self.asked);
        self.next.at = (self.next.at + spacing).max(at + spacing - SLACK.min(spacing));
        let missed = at.saturating_duration_since(free + SLACK).as_nanos();
        self.pace.missed.fetch_add(u64::try_from(missed).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_second_holds_more_requests_than_it_may() {
        let pace = std::sync::Arc::new(Pace::new(4000.0).unwrap());
        let mut tasks = Vec::new();
        for _ in 0..10 {
            let pace = std::sync::Arc::clone(&pace);
            tasks.push(tokio::spawn(async move {
                let mut sent = Vec::new();
                for _ in 0..800 {
                    let passage = pace.passage().await;
                    let now = Instant::now();
                    passage.used(now);
                    sent.push(now);
                }
                sent
            }));
        }
        let mut sent = Vec::new();
        for task in tasks {
            sent.extend(task.await.unwrap());
        }
        sent.sort();
        // Any 4,001 of them in a row take a second at least.
        let second = sent.windows(4001).map(|some| some[4000] - some[0]).min().unwrap();
        assert!(second >= Duration::from_secs(1), "{second:?}");
    }

    #[tokio::test]
    async fn who_wakes_late_takes_nothing_from_those_behind() {
        let pace = Pace::new(10.0).unwrap();
        let first = pace.passage().await;
        let began = first.free_since();
        first.used(began + Duration::from_micros(800));
        let second = pace.passage().await;
        let at = second.free_since();
        assert!(at - began < Duration::from_millis(101), "{:?}", at - began);
        second.used(at + Duration::from_millis(50));
        let third = pace.passage().await.free_since();
        assert!(third - at >= Duration::from_millis(149), "{:?}", third - at);
    }
}
