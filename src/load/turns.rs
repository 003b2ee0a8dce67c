//! `max_rate` for the threads that send by a schedule: each request takes the next free moment, whichever thread it is of.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::target::Turnstile;

/// One request after the other, so far apart at least. What was missed is not caught up with.
#[derive(Debug)]
pub(super) struct Turns {
    began: Instant,
    spacing: u64,
    /// The next free moment, in nanoseconds since the beginning.
    next: AtomicU64,
}

impl Turns {
    /// So many a second at most.
    pub(super) fn new(rate: f64) -> Self {
        let spacing = nanoseconds(Duration::try_from_secs_f64(1.0 / rate).unwrap_or(Duration::MAX));
        Self { began: Instant::now(), spacing, next: AtomicU64::new(0) }
    }

    /// When the next request may start, if that is not now.
    pub(super) fn take(&self) -> Option<Instant> {
        let now = nanoseconds(self.began.elapsed());
        let after = |next: u64| Some(next.max(now).saturating_add(self.spacing));
        // Nothing else is shared by it, and every thread sees its changes in one order.
        let next = self.next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, after).unwrap_or(now);
        (next > now).then(|| self.began + Duration::from_nanos(next))
    }
}

impl Turnstile for Turns {
    fn turn(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {
            if let Some(at) = self.take() {
                sleep_until(at).await;
            }
        })
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_turns_of_all_threads_are_as_far_apart_as_those_of_one() {
        let turns = Turns::new(1000.0);
        let mut taken: Vec<Instant> = std::thread::scope(|scope| {
            let take = || (0..100).map(|_| turns.take().unwrap_or_else(Instant::now)).collect::<Vec<_>>();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(take)).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        taken.sort_unstable();
        // The first may start at once, and is seen a moment later than it was.
        let gaps: Vec<Duration> = taken[1..].windows(2).map(|two| two[1] - two[0]).collect();
        assert!(gaps.iter().all(|gap| *gap >= Duration::from_millis(1)), "{:?}", gaps.iter().min());
    }

    #[test]
    fn what_was_missed_is_not_caught_up_with() {
        let turns = Turns::new(100.0);
        assert_eq!(turns.take(), None);
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(turns.take(), None);
        assert!(turns.take().is_some());
    }
}
