//! The part of a load that one of several machines sends.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::schedule::Ramp;

/// One of several senders that make a load together: of everything that has a number it takes every so-manieth. What all
/// of them send is what one alone would have sent, no more and no less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Which one it is, from 0.
    pub index: usize,
    /// How many there are.
    pub count: usize,
}

impl Shard {
    /// Who sends alone.
    pub const WHOLE: Self = Self { index: 0, count: 1 };

    /// Whether the start with this number is its own.
    pub const fn has(self, number: u64) -> bool {
        number % self.count as u64 == self.index as u64
    }

    /// The number that its n-th has among all.
    pub const fn number(self, n: u64) -> u64 {
        n * self.count as u64 + self.index as u64
    }

    /// Its part of so many that may be there at once; the parts of all are so many.
    pub const fn share(self, all: usize) -> usize {
        all / self.count + if self.index < all % self.count { 1 } else { 0 }
    }

    /// Its part of a rate. Parts are whole requests a second, so that no second holds more of all of them than of one
    /// process; the fraction is the first one's. Where there are more shards than requests, it may be none.
    pub fn rate(self, all: f64) -> f64 {
        let whole = Duration::try_from_secs_f64(all).map_or(0, |time| time.as_secs());
        let share = self.share(usize::try_from(whole).unwrap_or(usize::MAX)) as f64;
        if self.index == 0 { share + all.fract() } else { share }
    }

    /// One of its threads, as a sender of its own.
    #[must_use]
    pub const fn thread(self, thread: usize, threads: usize) -> Self {
        Self { index: self.index + self.count * thread, count: self.count * threads }
    }

    /// The load of users as this shard sees it: its n-th user is there while the whole load has that user.
    pub(super) fn users(self, ramps: &[Ramp]) -> Vec<Ramp> {
        let own = |load: f64| (load - self.index as f64) / self.count as f64;
        ramps
            .iter()
            .map(|ramp| Ramp { from: own(ramp.from), to: own(ramp.to), duration: ramp.duration })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(count: usize) -> impl Iterator<Item = Shard> {
        (0..count).map(move |index| Shard { index, count })
    }

    #[test]
    fn every_number_is_somebodys_and_nobody_elses_however_many_threads_each_has() {
        let senders = [Shard { index: 0, count: 3 }.thread(0, 1)]
            .into_iter()
            .chain((0..2).map(|thread| Shard { index: 1, count: 3 }.thread(thread, 2)))
            .chain((0..5).map(|thread| Shard { index: 2, count: 3 }.thread(thread, 5)));
        let senders: Vec<Shard> = senders.collect();
        for number in 0..300 {
            assert_eq!(senders.iter().filter(|sender| sender.has(number)).count(), 1, "{number}");
        }
        for sender in all(7) {
            assert!((0..20).all(|n| sender.has(sender.number(n))));
        }
    }

    #[test]
    fn the_parts_are_the_whole() {
        for most in 0..50 {
            assert_eq!(all(4).map(|shard| shard.share(most)).sum::<usize>(), most);
        }
    }

    #[test]
    fn the_parts_of_a_rate_are_whole_and_sum_to_it() {
        for (rate, parts) in [
            (10.0, [3.0, 3.0, 2.0, 2.0]),
            (100.0, [25.0; 4]),
            (5.5, [2.5, 1.0, 1.0, 1.0]),
            (3.0, [1.0, 1.0, 1.0, 0.0]),
        ] {
            assert_eq!(all(4).map(|shard| shard.rate(rate)).collect::<Vec<_>>(), parts);
        }
        assert_eq!(Shard::WHOLE.rate(0.5).to_bits(), 0.5_f64.to_bits());
    }

    #[test]
    fn the_users_of_all_shards_are_the_users_of_the_load() {
        let ramps = [(0.0, 10.0), (10.0, 10.0), (10.0, 1.5), (1.5, 7.2)].map(|(from, to)| Ramp {
            from,
            to,
            duration: Duration::from_secs(10),
        });
        // Between the moments at which a user comes or goes.
        for (at, ramp) in
            (0..100).map(|tenth| f64::from(tenth) / 10.0 + 0.03).flat_map(|at| ramps.map(|ramp| (at, ramp)))
        {
            let whole =
                (0..12).filter(|user| ramp.at(Duration::from_secs_f64(at)) > f64::from(*user)).count();
            let parts = all(3).map(|shard| {
                let own = shard.users(&[ramp])[0].at(Duration::from_secs_f64(at));
                (0..12).filter(|user| own > f64::from(*user)).count()
            });
            assert_eq!(parts.sum::<usize>(), whole, "at {at} of {ramp:?}");
        }
    }
}
