//! When each request should start: a pure function of the stages, the spacing and a seed.

use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::scenario_file::Spacing;

/// A stretch of time over which the load goes evenly from one value to another.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Ramp {
    /// Requests a second, or users, at its beginning.
    pub from: f64,
    /// And at its end.
    pub to: f64,
    /// How long it takes.
    pub duration: Duration,
}

impl Ramp {
    /// The load at a time after its beginning.
    pub fn at(&self, time: Duration) -> f64 {
        let share = time.as_secs_f64() / self.duration.as_secs_f64().max(f64::MIN_POSITIVE);
        self.from + (self.to - self.from) * share.clamp(0.0, 1.0)
    }

    /// Requests that it holds: the area below it.
    pub fn requests(&self) -> f64 {
        f64::midpoint(self.from, self.to) * self.duration.as_secs_f64()
    }

    /// The time by which `requests` of them should have started; none if it does not hold so many.
    fn time_of(&self, requests: f64) -> Option<f64> {
        let (length, slope) = (self.duration.as_secs_f64(), self.to - self.from);
        if requests >= self.requests() || length == 0.0 {
            return None;
        }
        // requests = from·t + slope/(2·length)·t²; this form of the root is stable for slopes near 0.
        let root = (self.from * self.from + 2.0 * slope / length * requests).max(0.0).sqrt();
        let time = 2.0 * requests / (self.from + root);
        Some(if time.is_finite() { time.min(length) } else { 0.0 })
    }
}

/// The intended starts, as times after the run's start, in order.
///
/// Evenly spaced, the n-th start is where the area below the ramps reaches n; as a Poisson process, where it reaches the
/// sum of n exponential draws of mean 1 (time-rescaling; Cinlar 1975). The same seed gives the same starts.
#[derive(Debug, Clone)]
pub struct Schedule {
    ramps: Vec<Ramp>,
    spacing: Spacing,
    random: ChaCha8Rng,
    ramp: usize,
    /// When the current ramp began, in seconds.
    began: f64,
    /// Area below the ramps before the current one.
    before: f64,
    /// Area at which the next start is.
    next: f64,
}

impl Schedule {
    /// The starts over these ramps.
    pub fn new(ramps: Vec<Ramp>, spacing: Spacing, seed: u64) -> Self {
        let mut schedule = Self {
            ramps,
            spacing,
            random: ChaCha8Rng::seed_from_u64(seed),
            ramp: 0,
            began: 0.0,
            before: 0.0,
            next: 0.0,
        };
        if spacing == Spacing::Poisson {
            schedule.next = schedule.gap();
        }
        schedule
    }

    fn gap(&mut self) -> f64 {
        match self.spacing {
            Spacing::Even => 1.0,
            // Of 1 − u, which is never 0.
            Spacing::Poisson => -(1.0 - self.random.random::<f64>()).ln(),
        }
    }
}

impl Iterator for Schedule {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        loop {
            let ramp = *self.ramps.get(self.ramp)?;
            if let Some(time) = ramp.time_of(self.next - self.before) {
                self.next += self.gap();
                return Some(Duration::from_secs_f64(self.began + time));
            }
            self.began += ramp.duration.as_secs_f64();
            self.before += ramp.requests();
            self.ramp += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starts(ramps: &[(f64, f64, u64)], spacing: Spacing, seed: u64) -> Vec<f64> {
        let ramp = |&(from, to, seconds)| Ramp { from, to, duration: Duration::from_secs(seconds) };
        let schedule = Schedule::new(ramps.iter().map(ramp).collect(), spacing, seed);
        schedule.map(|start| start.as_secs_f64()).collect()
    }

    #[test]
    fn a_constant_rate_is_evenly_spaced_from_the_start_on() {
        assert_eq!(starts(&[(4.0, 4.0, 1)], Spacing::Even, 0), [0.0, 0.25, 0.5, 0.75]);
    }

    #[test]
    fn a_ramp_from_nothing_starts_slowly_and_ends_at_its_target() {
        let found = starts(&[(0.0, 10.0, 10)], Spacing::Even, 0);
        assert_eq!(found.len(), 50);
        // n = t²/2.
        for (n, start) in (0_u32..).zip(&found) {
            assert!((start - (2.0 * f64::from(n)).sqrt()).abs() < 1e-9, "{n}: {start}");
        }
    }

    #[test]
    fn stages_follow_each_other_without_a_gap_and_a_jump_takes_no_time() {
        let found = starts(
            &[(10.0, 10.0, 1), (10.0, 100.0, 0), (100.0, 100.0, 1), (100.0, 0.0, 1)],
            Spacing::Even,
            0,
        );
        let within = |from: f64, to: f64| found.iter().filter(|start| (from..to).contains(*start)).count();
        assert_eq!((within(0.0, 1.0), within(1.0, 2.0), within(2.0, 3.0)), (10, 100, 50));
        assert!(found.is_sorted());
    }

    #[test]
    fn a_silence_between_two_stages_holds_no_start() {
        let found = starts(&[(5.0, 5.0, 1), (0.0, 0.0, 3), (5.0, 5.0, 1)], Spacing::Even, 0);
        assert_eq!(found.len(), 10);
        assert!(found.iter().all(|start| *start < 1.0 || *start >= 4.0));
    }

    #[test]
    fn poisson_starts_have_the_rate_and_the_variance_of_one_and_repeat_by_their_seed() {
        let found = starts(&[(1000.0, 1000.0, 20)], Spacing::Poisson, 7);
        assert_eq!(found, starts(&[(1000.0, 1000.0, 20)], Spacing::Poisson, 7));
        assert_ne!(found, starts(&[(1000.0, 1000.0, 20)], Spacing::Poisson, 8));
        let tenth = |i: u32| f64::from(i) / 10.0;
        let within = |i: u32| found.iter().filter(|start| (tenth(i)..tenth(i + 1)).contains(*start)).count();
        let counts: Vec<f64> = (0..200).map(|i| within(i) as f64).collect();
        let mean = counts.iter().sum::<f64>() / 200.0;
        let variance = counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / 199.0;
        // Mean and variance of a hundred each; four standard errors.
        assert!((mean - 100.0).abs() < 4.0 * 0.71, "{mean}");
        assert!((variance / mean - 1.0).abs() < 0.4, "{variance}");
    }

    #[test]
    fn huge_and_tiny_loads_stay_numbers() {
        assert_eq!(starts(&[(1e6, 1e6, 1)], Spacing::Even, 0).len(), 1_000_000);
        assert_eq!(starts(&[(1e-3, 1e-3, 500)], Spacing::Even, 0), [0.0]);
        assert!(starts(&[(0.0, 0.0, 500)], Spacing::Even, 0).is_empty());
        assert!(starts(&[], Spacing::Poisson, 0).is_empty());
    }
}
