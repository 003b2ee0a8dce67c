//! Seeded draws that stay the same on every platform and across versions of `rand`.
//!
//! Only the raw `ChaCha8` stream is taken from the crates; seeding and ranges are spelled out here, because
//! `seed_from_u64` and `random_range` may change between major versions and a recorded seed must not lose its
//! meaning.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A stream of draws fixed by its seed.
pub(super) struct Draws(ChaCha8Rng);

impl Draws {
    /// The stream of this seed: little endian in the first eight key bytes, the others zero.
    pub(super) fn new(seed: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        Self(ChaCha8Rng::from_seed(key))
    }

    /// A uniform index below `bound`; the bias of the multiply-shift is below 2⁻³² for any real suite.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.0.next_u64()) * bound as u128) >> 64) as usize
    }

    /// A uniform number in [0, 1) with 53 bits.
    pub(super) fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }
}
