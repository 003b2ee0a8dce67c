//! Clocks that are changed: what is left out is made up for once, what comes twice counts once, and a line that
//! follows the clock follows it.

use super::{at, line, shown, times, zone};

/// In Berlin 02:00 becomes 03:00 on 29 March 2026, and 03:00 becomes 02:00 on 25 October.
const SPRING: &str = "2026-03-28T12:00:00Z";
const AUTUMN: &str = "2026-10-24T12:00:00Z";

#[test]
fn a_time_that_is_left_out_is_made_up_for_when_the_clock_has_jumped() {
    assert_eq!(shown("30 2 * * *", "Europe/Berlin", SPRING, 2), ["Sun 29 03:00", "Mon 30 02:30"]);
    assert_eq!(shown("0 2 * * *", "Europe/Berlin", SPRING, 2), ["Sun 29 03:00", "Mon 30 02:00"]);
    assert_eq!(shown("0 6 * * *", "Europe/Berlin", SPRING, 2), ["Sun 29 06:00", "Mon 30 06:00"]);
    // Several that are left out, and one that falls on that instant anyway, are one.
    assert_eq!(
        shown("0,15,30 2,3 * * *", "Europe/Berlin", SPRING, 4),
        ["Sun 29 03:00", "Sun 29 03:15", "Sun 29 03:30", "Mon 30 02:00"]
    );
}

#[test]
fn a_time_that_comes_twice_counts_the_first_time() {
    let twice = times("30 2 * * *", zone("Europe/Berlin"), AUTUMN, 2);
    assert_eq!(twice, [at("2026-10-25T00:30:00Z"), at("2026-10-26T01:30:00Z")]);
    // Asked in the middle of the second pass, too.
    let next = line("30 2 * * *").next(at("2026-10-25T01:10:00Z"), zone("Europe/Berlin"));
    assert_eq!(next, Some(at("2026-10-26T01:30:00Z")));
}

#[test]
fn a_line_that_follows_the_clock_runs_on_as_before() {
    for start in [SPRING, AUTUMN] {
        let times = times("*/30 * * * *", zone("Europe/Berlin"), start, 96);
        assert!(times.windows(2).all(|pair| (pair[1] - pair[0]).num_minutes() == 30), "{times:?}");
    }
    assert_eq!(
        shown("15 * * * *", "Europe/Berlin", "2026-10-24T23:30:00Z", 4),
        ["Sun 25 02:15", "Sun 25 02:15", "Sun 25 03:15", "Sun 25 04:15"]
    );
    assert_eq!(
        shown("15 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", 2),
        ["Sun 29 01:15", "Sun 29 03:15"]
    );
    assert_eq!(shown("*/20 2 * * *", "Europe/Berlin", SPRING, 1), ["Mon 30 02:00"]);
}

#[test]
fn half_an_hour_and_a_whole_day_are_changes_like_any_other() {
    // Lord Howe Island changes by 30 minutes: on 4 October 2026 02:00 becomes 02:30.
    assert_eq!(
        shown("10 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", 2),
        ["Sun 04 02:30", "Mon 05 02:10"]
    );
    // Samoa left out 30 December 2011.
    assert_eq!(
        shown("0 6 * * *", "Pacific/Apia", "2011-12-29T12:00:00Z", 3),
        ["Thu 29 06:00", "Sat 31 00:00", "Sat 31 06:00"]
    );
}

#[test]
fn the_last_second_before_a_change_is_still_before_it() {
    let next = line("0 3 * * *").next(at("2026-03-29T00:59:59.999999999Z"), zone("Europe/Berlin"));
    assert_eq!(next, Some(at("2026-03-29T01:00:00Z")));
    let next = line("0 3 * * *").next(at("2026-03-29T01:00:00Z"), zone("Europe/Berlin"));
    assert_eq!(next, Some(at("2026-03-30T01:00:00Z")));
}
