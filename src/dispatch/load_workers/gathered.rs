//! What the workers of a load told, added up.

use super::message::What;
use crate::domain::ShardRecord;
use crate::load::{Tally, Window};

/// One load, as its workers told it.
pub(super) struct Gathered {
    pub(super) tally: Tally,
    shards: Vec<Shard>,
}

#[derive(Clone, Default)]
struct Shard {
    record: ShardRecord,
    is_ready: bool,
    /// It has told all that it counted.
    is_done: bool,
}

impl Gathered {
    /// Nothing yet, of so many workers; `empty` is a tally of nothing.
    pub(super) fn new(empty: Tally, shards: usize) -> Self {
        let shard =
            |index| Shard { record: ShardRecord { index, ..ShardRecord::default() }, ..Shard::default() };
        Self { tally: empty, shards: (0..shards).map(shard).collect() }
    }

    /// Takes in what a worker told; gives what it saw.
    pub(super) fn take(&mut self, index: usize, what: What) -> Vec<Window> {
        let of = self.shards.len();
        let Some(shard) = self.shards.get_mut(index) else { return Vec::new() };
        match what {
            What::Ready { threads, clock_ms, clock_error_ms } => {
                shard.is_ready = true;
                let record = &mut shard.record;
                (record.threads, record.clock_ms, record.clock_error_ms) =
                    (threads, clock_ms, clock_error_ms);
                Vec::new()
            }
            What::Seen(mut windows) => {
                for window in &mut windows {
                    // Each thread of each worker has a number of its own.
                    window.thread = window.thread * of + index;
                }
                windows
            }
            What::Done { tally, trouble } => {
                // Who was given up has been said to be in no number.
                if shard.is_done || shard.record.trouble.is_some() {
                    return Vec::new();
                }
                shard.is_done = true;
                if !self.tally.fits(&tally) {
                    self.lose(index, "counted something else than the others");
                    return Vec::new();
                }
                let total = tally.total().counts;
                let record = &mut shard.record;
                (record.started, record.answered) = (total.started, total.answered);
                record.cpu_ms = tally.cpu.as_secs_f64() * 1e3;
                record.lag_p99_ms = tally.lag.percentile(0.99).map(|lag| lag.as_secs_f64() * 1e3);
                record.trouble = record.trouble.take().or(trouble);
                self.tally.merge(&tally);
                Vec::new()
            }
            What::Failed(reason) => {
                shard.is_done = true;
                self.lose(index, reason);
                Vec::new()
            }
        }
    }

    /// A worker of which nothing more is expected.
    pub(super) fn lose(&mut self, index: usize, reason: impl Into<String>) {
        if let Some(shard) = self.shards.get_mut(index)
            && shard.record.trouble.is_none()
        {
            shard.record.trouble = Some(reason.into());
        }
    }

    /// So do all that have not told what they counted.
    pub(super) fn lose_the_rest(&mut self, reason: &str) {
        for index in self.waited_for().collect::<Vec<_>>() {
            self.lose(index, reason);
        }
    }

    /// The workers that have not told what they counted, and may yet.
    pub(super) fn waited_for(&self) -> impl Iterator<Item = usize> + '_ {
        let open = |shard: &&Shard| !shard.is_done && shard.record.trouble.is_none();
        self.shards.iter().filter(open).map(|shard| shard.record.index)
    }

    pub(super) fn not_ready(&self) -> impl Iterator<Item = usize> + '_ {
        self.shards.iter().filter(|shard| !shard.is_ready).map(|shard| shard.record.index)
    }

    pub(super) fn is_troubled(&self) -> bool {
        self.shards.iter().any(|shard| shard.record.trouble.is_some())
    }

    pub(super) fn records(&self) -> Vec<ShardRecord> {
        self.shards.iter().map(|shard| shard.record.clone()).collect()
    }
}
