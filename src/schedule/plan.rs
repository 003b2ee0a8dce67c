//! What is due.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};

use super::{CronLine, Zone};

/// When a job runs, and how exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The job's name: with the time it decides how much later it starts.
    pub name: String,
    /// When it is meant to run.
    pub line: CronLine,
    /// By which clock.
    pub zone: Zone,
    /// It starts up to so much later, so that not all the world does at six o'clock.
    pub jitter: Duration,
    /// How late a run that was missed is still made up for.
    pub catch_up: Duration,
}

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Due {
    /// The time that is to be run now: the newest one, however many were missed.
    pub run: Option<DateTime<Utc>>,
    /// The newest time that is behind us, run or not: the next look begins there.
    pub seen: Option<DateTime<Utc>>,
    /// Times that passed and are not run.
    pub missed: u64,
}

/// A service that looks every second may still be this late.
const ON_TIME: Duration = Duration::from_mins(1);

impl Plan {
    /// The first time after this one that the line means.
    pub fn next(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.line.next(after, self.zone)
    }

    /// When the run that is meant for this time starts: always the same for the same name and time, on every machine,
    /// and before the next one.
    pub fn start(&self, meant: DateTime<Utc>) -> DateTime<Utc> {
        let hash =
            Sha256::new().chain_update(&self.name).chain_update(meant.timestamp().to_be_bytes()).finalize();
        let draw = hash.iter().take(8).fold(0u64, |draw, byte| draw << 8 | u64::from(*byte));
        let longest = u64::try_from(self.jitter.as_millis()).unwrap_or(u64::MAX - 1).min(u64::MAX - 1);
        let late = i64::try_from(draw % (longest + 1)).unwrap_or(0);
        let start = meant + TimeDelta::try_milliseconds(late).unwrap_or_default();
        match self.next(meant) {
            Some(next) if start >= next => next - TimeDelta::milliseconds(1),
            _ => start,
        }
    }

    /// What is due now, if everything up to `seen` is done with.
    pub fn due(&self, seen: DateTime<Utc>, now: DateTime<Utc>) -> Due {
        let late = TimeDelta::from_std(self.catch_up.max(ON_TIME)).unwrap_or(TimeDelta::MAX);
        let jitter = TimeDelta::from_std(self.jitter).unwrap_or(TimeDelta::MAX);
        let patience = late.checked_add(&jitter).and_then(|wait| wait.checked_add(&TimeDelta::seconds(1)));
        // What is older than that will not be run, and there may be years of it.
        let oldest = patience.and_then(|patience| now.checked_sub_signed(patience));
        let mut from = oldest.map_or(seen, |oldest| seen.max(oldest));
        let mut due = Due::default();
        if from > seen && self.next(seen).is_some_and(|first| first <= from) {
            due.missed += 1;
        }
        while let Some(meant) = self.next(from).filter(|meant| *meant <= now) {
            let start = self.start(meant);
            if start > now {
                break;
            }
            due.missed += u64::from(due.run.is_some());
            due.seen = Some(meant);
            due.run = (now - start <= late).then_some(meant);
            due.missed += u64::from(due.run.is_none());
            from = meant;
        }
        if due.seen.is_none() && due.missed > 0 {
            due.seen = Some(from);
        }
        due
    }
}
