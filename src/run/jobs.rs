//! Which phrases go out together, and in which order.

use std::ops::Range;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::RunOptions;
use crate::domain::Phrase;

/// Phrases (by index) that go into one request, and in which pass over the suite.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) repeat: u32,
    pub(super) phrases: Vec<usize>,
}

/// How phrases become requests.
pub(super) struct Plan<'a> {
    pub(super) phrases: &'a [Phrase],
    pub(super) options: &'a RunOptions,
    /// Whether a batch carries the phrases' earlier messages.
    pub(super) batch_sends_history: bool,
}

impl Plan<'_> {
    /// Every pass over the first `judged` phrases, then the others, the variants, once.
    pub(super) fn passes(&self, judged: usize) -> Vec<Job> {
        let repeat = self.options.repeat;
        let mut jobs: Vec<Job> =
            (0..repeat).flat_map(|pass| self.pass(pass, pass, (0..judged).collect())).collect();
        jobs.extend(self.pass(0, repeat, (judged..self.phrases.len()).collect()));
        jobs
    }

    /// Some phrases again, in these passes.
    pub(super) fn again(&self, phrases: &[usize], passes: Range<u32>) -> Vec<Job> {
        passes.flat_map(|pass| self.pass(pass, pass + 1, phrases.to_vec())).collect()
    }

    /// A pass in an order of its own, so that a repeat does not follow its first try. A phrase whose earlier messages a
    /// batch would lose goes alone.
    fn pass(&self, repeat: u32, draw: u32, mut order: Vec<usize>) -> Vec<Job> {
        let batch = self.options.batch.max(1);
        let carries_history = batch == 1 || self.batch_sends_history;
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(self.options.seed.wrapping_add(u64::from(draw))));
        let (together, alone): (Vec<usize>, Vec<usize>) =
            order.into_iter().partition(|&index| carries_history || self.phrases[index].history.is_empty());
        let job = |phrases: &[usize]| Job { repeat, phrases: phrases.to_vec() };
        together.chunks(batch).chain(alone.chunks(1)).map(job).collect()
    }
}
