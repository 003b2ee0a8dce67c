//! What is due after a while away.

use std::time::Duration;

use thrash::schedule::{Due, Plan};

use super::{at, plan};

#[test]
fn nothing_is_due_before_its_time_and_it_is_due_at_it() {
    let plan = plan("0 6 * * *");
    let seen = at("2026-11-01T06:00:00Z");
    assert_eq!(plan.due(seen, at("2026-11-02T05:59:59.999Z")), Due::default());
    let six = Some(at("2026-11-02T06:00:00Z"));
    assert_eq!(plan.due(seen, at("2026-11-02T06:00:00Z")), Due { run: six, seen: six, missed: 0 });
}

#[test]
fn what_was_missed_is_caught_up_once_with_the_newest_time() {
    let plan = plan("*/30 * * * *");
    let due = plan.due(at("2026-11-01T00:00:00Z"), at("2026-11-01T03:10:00Z"));
    let newest = at("2026-11-01T03:00:00Z");
    assert_eq!(due, Due { run: Some(newest), seen: Some(newest), missed: 5 });
    assert_eq!(plan.due(newest, at("2026-11-01T03:10:00Z")), Due::default());
}

#[test]
fn what_was_missed_too_long_ago_is_not_made_up_for() {
    let plan = plan("0 6 * * *");
    let seen = at("2026-11-01T06:00:00Z");
    assert_eq!(
        plan.due(seen, at("2026-11-02T12:00:00Z")).run,
        Some(at("2026-11-02T06:00:00Z")),
        "six hours late is within the limit"
    );
    let late = plan.due(seen, at("2026-11-02T12:00:01Z"));
    assert_eq!((late.run, late.missed), (None, 1));
    assert_eq!(
        plan.due(late.seen.unwrap(), at("2026-11-03T06:00:00Z")).run,
        Some(at("2026-11-03T06:00:00Z"))
    );
    // Without a limit worth the name, a service that looks now and then still runs what it has just passed.
    let strict = Plan { catch_up: Duration::ZERO, ..plan };
    assert!(strict.due(seen, at("2026-11-02T06:00:59Z")).run.is_some());
    assert!(strict.due(seen, at("2026-11-02T06:01:01Z")).run.is_none());
}

#[test]
fn years_away_take_no_time_and_leave_one_run() {
    let plan = plan("* * * * * *");
    let started = std::time::Instant::now();
    let due = plan.due(at("1999-01-01T00:00:00Z"), at("2026-11-02T12:00:00Z"));
    assert_eq!(due.run, Some(at("2026-11-02T12:00:00Z")));
    assert!(due.missed > 0);
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

#[test]
fn a_clock_that_was_set_back_runs_nothing_twice() {
    let plan = plan("*/30 * * * *");
    assert_eq!(plan.due(at("2026-11-01T03:00:00Z"), at("2026-11-01T01:00:00Z")), Due::default());
}

#[test]
fn a_start_that_waits_is_due_when_it_has_waited() {
    let plan = Plan { jitter: Duration::from_mins(20), ..plan("0 6 * * *") };
    let (seen, meant) = (at("2026-11-01T06:00:00Z"), at("2026-11-02T06:00:00Z"));
    let start = plan.start(meant);
    assert!(start > meant, "drawn by the name and the time: {start}");
    assert_eq!(plan.due(seen, start - chrono::TimeDelta::milliseconds(1)), Due::default());
    assert_eq!(plan.due(seen, start).run, Some(meant));
    let other = Plan { name: "other".to_owned(), ..plan };
    assert_ne!(other.start(meant), start, "another name draws another wait");
}
