//! The instants that a line means in a time zone.
//!
//! The crate knows which times of a clock on the wall match. Asked for instants, it goes wrong where the clock is changed:
//! behind the first pass of an hour that comes twice it finds the second pass, and then the first one again. So it is
//! asked for the times of a clock that never changes, between one change and the next.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Timelike, Utc};

use super::{CronLine, Zone};

const SECOND: TimeDelta = TimeDelta::seconds(1);

impl CronLine {
    /// The first instant after this one at which the line runs; none when there is none before the year 2100.
    pub fn next(&self, after: DateTime<Utc>, zone: Zone) -> Option<DateTime<Utc>> {
        let mut from = after.with_nanosecond(0)?;
        let mut offset = zone.offset(from);
        // The clock on the wall there; what is looked for comes behind it.
        let mut local = from.naive_utc() + offset;
        loop {
            let found = self.next_local(local)?;
            let instant = found.checked_sub_signed(offset)?.and_utc();
            let Some(change) = change(zone, from, instant) else {
                if self.follows_clock || zone.instant(found) == Some(instant) {
                    return Some(instant);
                }
                // The second pass of an hour that comes twice.
                (from, local) = (instant, found);
                continue;
            };
            offset = zone.offset(change);
            let resumes = change.naive_utc() + offset;
            if !self.follows_clock && found < resumes {
                return Some(change);
            }
            (from, local) = (change, resumes - SECOND);
        }
    }

    /// The first time behind this one that the line names.
    pub(super) fn next_local(&self, local: NaiveDateTime) -> Option<NaiveDateTime> {
        let next = |schedule: &cron::Schedule| schedule.after(&local.and_utc()).next();
        self.schedules.iter().filter_map(next).min().map(|time| time.naive_utc())
    }
}

/// The first instant after `from`, and not after `until`, at which the clock on the wall has been changed.
fn change(zone: Zone, from: DateTime<Utc>, until: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let offset = zone.offset(from);
    let mut before = from;
    // No zone has changed its clocks twice in a day.
    let mut behind = loop {
        let step = (before + TimeDelta::days(1)).min(until);
        if zone.offset(step) != offset {
            break step;
        }
        if step == until {
            return None;
        }
        before = step;
    };
    while behind - before > SECOND {
        let middle = before + TimeDelta::seconds((behind - before).num_seconds() / 2);
        if zone.offset(middle) == offset { before = middle } else { behind = middle }
    }
    Some(behind)
}
