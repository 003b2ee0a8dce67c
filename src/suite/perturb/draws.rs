//! Draws that depend on nothing but what is written here.
//!
//! Only the raw `ChaCha8` stream is taken from the crates: seeding and ranges are spelled out, because those of `rand`
//! may change between major versions and a recorded seed must not lose its meaning.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

/// A stream of draws.
pub(super) struct Draws(ChaCha8Rng);

impl Draws {
    /// The stream of this seed, phrase, purpose and index: their SHA-256 is the key.
    pub(super) fn new(seed: u64, phrase: &str, purpose: &str, index: u32) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(seed.to_le_bytes());
        for part in [phrase, purpose] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        hasher.update(index.to_le_bytes());
        Self(ChaCha8Rng::from_seed(hasher.finalize().into()))
    }

    /// An index below `bound`; 0 for a bound of 0.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        let scaled = (u128::from(self.0.next_u64()) * bound as u128) >> 64;
        // Below `bound`, so it fits.
        usize::try_from(scaled).unwrap_or_default()
    }

    /// One of these; `None` of none.
    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        from.get(self.below(from.len())).copied()
    }

    /// Puts the items into a drawn order (Fisher–Yates).
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }

    /// A drawn choice of at least one and at most half of the places below `bound`, in their order; of none if there
    /// is none.
    pub(super) fn some_of(&mut self, bound: usize) -> Vec<usize> {
        let mut places: Vec<usize> = (0..bound).collect();
        self.shuffle(&mut places);
        places.truncate(1 + self.below((bound / 2).max(1)));
        places.sort_unstable();
        places
    }
}
