//! `max_rate` for users: each request takes the next free moment, first come first served.

use std::io;
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};
use tokio::time::Instant;

use crate::load::alarm::Alarm;

/// Lets requests through one after the other, so far apart at least. What was missed is not caught up with.
pub(super) struct Pace {
    next: Mutex<Next>,
    spacing: Duration,
}

/// The next moment, and the clock that tells when it has come.
struct Next {
    at: Instant,
    alarm: Alarm,
}

/// The right to send a request now.
pub(super) struct Passage<'a> {
    next: MutexGuard<'a, Next>,
    spacing: Duration,
}

impl Pace {
    /// So many a second at most.
    pub(super) fn new(rate: f64) -> io::Result<Self> {
        let next = Next { at: Instant::now(), alarm: Alarm::new()? };
        Ok(Self { next: Mutex::new(next), spacing: Duration::from_secs_f64(1.0 / rate) })
    }

    /// Waits for the next moment; whoever came earlier goes first.
    pub(super) async fn passage(&self) -> Passage<'_> {
        let mut next = self.next.lock().await;
        let at = next.at;
        while Instant::now() < at {
            next.alarm.until(at).await;
        }
        Passage { next, spacing: self.spacing }
    }
}

impl Passage<'_> {
    /// Since when nothing but the user itself was waited for.
    pub(super) fn free_since(&self) -> Instant {
        self.next.at
    }

    /// It was used at this moment.
    pub(super) fn used(mut self, at: Instant) {
        self.next.at = at + self.spacing;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn requests_are_never_closer_than_the_rate_allows() {
        let pace = std::sync::Arc::new(Pace::new(500.0).unwrap());
        let mut tasks = Vec::new();
        for _ in 0..10 {
            let pace = std::sync::Arc::clone(&pace);
            tasks.push(tokio::spawn(async move {
                let mut sent = Vec::new();
                for _ in 0..10 {
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
        let gaps: Vec<Duration> = sent.windows(2).map(|two| two[1] - two[0]).collect();
        assert!(gaps.iter().all(|gap| *gap >= Duration::from_millis(2)), "{:?}", gaps.iter().min());
    }
}
