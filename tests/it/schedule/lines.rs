//! What lines of five and six fields mean, and which are refused.

use chrono::{Datelike, Weekday};
use thrash::schedule::{CronLine, Zone};

use super::{at, line, shown, times};

const START: &str = "2026-11-01T00:00:00Z";

/// The days of the week that a field of a line of five names.
fn weekdays(field: &str) -> Vec<Weekday> {
    let times = times(&format!("0 12 * * {field}"), Zone::UTC, START, 14);
    let mut days: Vec<Weekday> = times.iter().map(Datelike::weekday).collect();
    days.sort_by_key(Weekday::num_days_from_sunday);
    days.dedup();
    days
}

#[test]
fn days_of_the_week_are_those_of_cron5() {
    use Weekday::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
    for (field, expected) in [
        ("0", vec![Sun]),
        ("7", vec![Sun]),
        ("1", vec![Mon]),
        ("sun", vec![Sun]),
        ("SAT", vec![Sat]),
        ("1-5", vec![Mon, Tue, Wed, Thu, Fri]),
        ("mon-fri", vec![Mon, Tue, Wed, Thu, Fri]),
        ("5-7", vec![Sun, Fri, Sat]),
        ("0-2", vec![Sun, Mon, Tue]),
        ("0,7", vec![Sun]),
        ("6,0", vec![Sun, Sat]),
        ("1-5/2", vec![Mon, Wed, Fri]),
        ("*/2", vec![Sun, Tue, Thu, Sat]),
        ("*", vec![Sun, Mon, Tue, Wed, Thu, Fri, Sat]),
    ] {
        assert_eq!(weekdays(field), expected, "{field}");
    }
}

#[test]
fn a_line_of_six_is_the_crates_own_with_sunday_as_1() {
    assert_eq!(shown("0 30 6 * * 1", "UTC", START, 2), ["Sun 01 06:30", "Sun 08 06:30"]);
    assert_eq!(shown("0 30 6 * * Mon", "UTC", START, 1), ["Mon 02 06:30"]);
    let seconds: Vec<u32> =
        times("*/20 * * * * *", Zone::UTC, START, 4).iter().map(chrono::Timelike::second).collect();
    assert_eq!(seconds, [20, 40, 0, 20]);
}

#[test]
fn a_day_of_the_month_or_a_day_of_the_week() {
    // Both are named: the 13th, and every Friday.
    assert_eq!(
        shown("0 0 13 * 5", "UTC", "2026-01-31T00:00:00Z", 5),
        ["Fri 06 00:00", "Fri 13 00:00", "Fri 20 00:00", "Fri 27 00:00", "Fri 06 00:00"]
    );
    assert_eq!(
        shown("0 0 1,15 * 3", "UTC", START, 4),
        ["Wed 04 00:00", "Wed 11 00:00", "Sun 15 00:00", "Wed 18 00:00"]
    );
    // One of them begins with a star: then both have to hold, as cron(5) has it.
    assert_eq!(shown("0 0 */2 * 1", "UTC", START, 3), ["Mon 09 00:00", "Mon 23 00:00", "Mon 07 00:00"]);
    assert_eq!(shown("0 0 13 * *", "UTC", START, 2), ["Fri 13 00:00", "Sun 13 00:00"]);
}

#[test]
fn the_lines_of_existing_installations_mean_what_they_always_did() {
    assert_eq!(shown("0 6 * * *", "UTC", START, 2), ["Sun 01 06:00", "Mon 02 06:00"]);
    assert_eq!(shown("*/30 * * * *", "UTC", START, 3), ["Sun 01 00:30", "Sun 01 01:00", "Sun 01 01:30"]);
    assert_eq!(shown("0 21 * * *", "UTC", START, 1), ["Sun 01 21:00"]);
    assert_eq!(
        shown("5-59/20 8-10/2 * jan,NOV *", "UTC", START, 4),
        ["Sun 01 08:05", "Sun 01 08:25", "Sun 01 08:45", "Sun 01 10:05"]
    );
}

#[test]
fn names_of_whole_lines_are_known() {
    for (name, first) in [
        ("@hourly", "Sun 01 01:00"),
        ("@daily", "Mon 02 00:00"),
        ("@midnight", "Mon 02 00:00"),
        ("@weekly", "Sun 08 00:00"),
        ("@monthly", "Tue 01 00:00"),
        ("@yearly", "Fri 01 00:00"),
        ("@Annually", "Fri 01 00:00"),
    ] {
        assert_eq!(shown(name, "UTC", START, 1), [first], "{name}");
    }
}

#[test]
fn a_leap_day_is_found_eight_years_on() {
    assert_eq!(line("0 0 29 2 *").next(at("2096-03-01T00:00:00Z"), Zone::UTC), None, "2100 is no leap year");
    assert_eq!(
        line("0 0 29 2 *").next(at("2026-01-01T00:00:00Z"), Zone::UTC),
        Some(at("2028-02-29T00:00:00Z"))
    );
}

#[test]
fn what_is_no_line_is_refused_with_the_field_and_the_reason() {
    for (text, words) in [
        ("", "0 fields"),
        ("0 6 * *", "4 fields"),
        ("0 0 6 * * * 2026", "7 fields"),
        ("60 * * * *", "minute: `60` is no number from 0 to 59"),
        ("* 24 * * *", "hour: `24`"),
        ("* * 0 * *", "day of the month: `0`"),
        ("* * * 13 *", "month: `13` is no number from 1 to 12, or from `jan` to `dec`"),
        ("* * * * 8", "day of the week: `8`"),
        ("* * * * fri-mon", "runs backwards"),
        ("22-2 * * * *", "runs backwards"),
        ("5/15 * * * *", "write `5-59/…`"),
        ("*/0 * * * *", "the step `0`"),
        ("*/-5 * * * *", "the step `-5`"),
        ("+5 * * * *", "`+5`"),
        ("1,,2 * * * *", "``"),
        ("? * * * *", "`?`"),
        ("0 0 30 2 *", "no day is like that"),
        ("@reboot", "the names for that are @hourly, @daily"),
        ("6", "1 field:"),
        ("0 99 6 * * *", ""),
    ] {
        let error = text.parse::<CronLine>().expect_err(text).to_string();
        assert!(error.contains(words) && error.starts_with(&format!("`{text}`")), "{text}: {error}");
        assert!(!error.contains('\n'), "{error}");
    }
}
