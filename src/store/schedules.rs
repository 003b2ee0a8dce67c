//! When schedules ran, and what somebody said of them while the service was running.

use chrono::{DateTime, Utc};

use super::StoreFuture;

/// How a schedule stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleState {
    /// Its name.
    pub name: String,
    /// The cron line and the zone that it was begun with.
    pub line: String,
    /// Whether somebody has switched it on or off; none is as configured.
    pub enabled: Option<bool>,
    /// Times up to this one are done with.
    pub seen_at: DateTime<Utc>,
    /// The newest time that was run.
    pub last_at: Option<DateTime<Utc>>,
    /// No run is owed for times up to this one: then it was begun, given another line or switched, or what it had missed
    /// until then was given up.
    pub owed_from: DateTime<Utc>,
}

/// The schedules' part of a store.
pub trait Schedules {
    /// Every schedule that was ever begun or switched, by name.
    fn schedule_states(&self) -> StoreFuture<'_, Vec<ScheduleState>>;

    /// Begins a schedule: a new one, or one with another line than before, has nothing to catch up with.
    fn begin_schedule<'a>(
        &'a self,
        name: &'a str,
        line: &'a str,
        now: DateTime<Utc>,
    ) -> StoreFuture<'a, ScheduleState>;

    /// Switches a schedule on or off, or leaves it as configured. What it missed while it was off stays missed.
    fn switch_schedule<'a>(
        &'a self,
        name: &'a str,
        line: &'a str,
        enabled: Option<bool>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'a, ScheduleState>;

    /// Says that everything up to `seen` is done with, which time was run, and whether what was missed is given up;
    /// false if another instance said so first.
    fn advance_schedule<'a>(
        &'a self,
        name: &'a str,
        seen: DateTime<Utc>,
        ran: Option<DateTime<Utc>>,
        gives_up: bool,
    ) -> StoreFuture<'a, bool>;
}

/// A schedule, as both databases select it: `name`, `line`, `enabled`, `seen_at`, `last_at`, `changed_at`.
pub(super) type ScheduleRow<T> = (String, String, Option<bool>, T, Option<T>, T);

pub(super) fn schedule<T>(row: ScheduleRow<T>, time: impl Fn(T) -> DateTime<Utc>) -> ScheduleState {
    let (name, line, enabled, seen_at, last_at, changed_at) = row;
    let (seen_at, owed_from) = (time(seen_at), time(changed_at));
    ScheduleState { name, line, enabled, seen_at, last_at: last_at.map(time), owed_from }
}
