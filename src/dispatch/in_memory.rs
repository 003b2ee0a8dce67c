//! A finished run whose record neither the store nor the spool takes: it waits in memory until one of them does.
//!
//! Its job stays held meanwhile, its worker does nothing else, and no other worker here takes a job: there are never more
//! of these records than workers, and none has to go to make room for another.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::error::chain;
use super::execute::{Executed, HURRY};
use super::keep::{Keeper, Kept, keep, spool};
use super::queue::Queue;
use super::worker::Stopping;
use crate::domain::RunRecord;

/// From the first attempt to the second. Each further pause is twice as long.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// How many records are in memory alone.
#[derive(Debug, Default)]
pub(super) struct InMemory {
    waiting: AtomicUsize,
    lost: AtomicUsize,
}

impl Queue {
    /// How many finished runs wait in memory, because neither the store nor the spool takes them.
    pub fn in_memory(&self) -> usize {
        self.in_memory.waiting.load(Ordering::Relaxed)
    }

    /// How many of them were given up because this instance stops.
    pub fn lost(&self) -> usize {
        self.in_memory.lost.load(Ordering::Relaxed)
    }

    /// Keeps a run that nothing took yet, however long that takes. When this instance stops it is tried a last time.
    pub(super) async fn insist(&self, executed: Executed, stopping: &Stopping) -> Executed {
        let Executed { record, kept, delivered, untold } = executed;
        let is_lost = |kept: &Kept| matches!(kept, Kept::Lost { .. });
        if !is_lost(&kept) {
            return Executed { record, kept, delivered, untold };
        }
        self.in_memory.waiting.fetch_add(1, Ordering::Relaxed);
        let kept = self.try_again(&record, kept, stopping).await;
        if is_lost(&kept) {
            self.in_memory.lost.fetch_add(1, Ordering::Relaxed);
        }
        self.in_memory.waiting.fetch_sub(1, Ordering::Relaxed);
        Executed { record, kept, delivered, untold }
    }

    async fn try_again(&self, record: &RunRecord, mut kept: Kept, stopping: &Stopping) -> Kept {
        let (run, conclusion) = (&record.id, record.verdict.conclusion.as_str());
        let sentence = &record.verdict.sentence;
        let mut pause = PAUSE;
        while let Kept::Lost { cause, spool } = &kept {
            let (database, spool) = (chain(cause), chain(spool));
            if stopping.abort.is_cancelled() {
                tracing::error!(%run, conclusion, sentence, database, spool, "NOT KEPT: a finished run is lost");
                break;
            }
            tracing::error!(%run, conclusion, sentence, database, spool,
                "a finished run is in memory alone until the database or the spool takes it: make room");
            tokio::select! {
                () = stopping.abort.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
            kept = self.keep_now(record, stopping).await;
        }
        kept
    }

    /// Tries once.
    async fn keep_now(&self, record: &RunRecord, stopping: &Stopping) -> Kept {
        let location = Keeper::location(&self.config).ok().flatten();
        let location = location.map(|location| location.redacted()).unwrap_or_default();
        let storing = async {
            let saved = self.store.save(record).await;
            saved.map(|_| Kept::Stored { location: location.clone(), earlier: Vec::new() })
        };
        let hurry = async {
            stopping.abort.cancelled().await;
            tokio::time::sleep(HURRY).await;
        };
        keep(record, &location, storing, &spool(&self.config), hurry).await
    }
}
