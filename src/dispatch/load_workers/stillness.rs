//! Whether this process stood still: stopped by somebody, or on a machine that had no time for it. Whoever does hears
//! nothing meanwhile, and would take all others for silent.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// A shorter while is no standing still.
const NOTED: Duration = Duration::from_secs(1);

/// Looks again and again, in a task of its own, which waits for nobody: what is late there is this process.
#[derive(Debug)]
pub(super) struct Stillness {
    looks: Arc<Looks>,
    _looking: JoinSet<()>,
}

#[derive(Debug)]
struct Looks {
    began: Instant,
    /// When it looked last, in milliseconds after the beginning.
    last: AtomicU64,
    /// How long it stood still in all, in milliseconds.
    still: AtomicU64,
}

impl Stillness {
    /// Looks from now on.
    pub(super) fn watch() -> Self {
        let (last, still) = (AtomicU64::new(0), AtomicU64::new(0));
        let looks = Arc::new(Looks { began: Instant::now(), last, still });
        let mut looking = JoinSet::new();
        let own = Arc::clone(&looks);
        looking.spawn(async move {
            loop {
                sleep(LOOK_EVERY).await;
                own.look();
            }
        });
        Self { looks, _looking: looking }
    }

    /// How long it stood still in all until now.
    pub(super) fn total(&self) -> Duration {
        // Whoever asks may be the first to run again.
        self.looks.look();
        Duration::from_millis(self.looks.still.load(Ordering::Relaxed))
    }
}

impl Looks {
    fn look(&self) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let gap = now.saturating_sub(self.last.swap(now, Ordering::Relaxed));
        if Duration::from_millis(gap) >= NOTED {
            self.still.fetch_add(gap, Ordering::Relaxed);
        }
    }
}
