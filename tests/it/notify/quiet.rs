//! Quiet hours, by the clock on the wall.

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use thrash::notify::QuietHours;

fn hours(from: &str, to: &str, zone: &str) -> QuietHours {
    serde_yaml::from_str(&format!("{{from: '{from}', to: '{to}', zone: {zone}}}")).expect("quiet hours")
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

#[test]
fn they_go_over_midnight_and_by_the_clock_of_the_place() {
    let night = hours("22:00", "07:00", "Europe/Berlin");
    // In winter Berlin is an hour ahead.
    for (time, end) in [
        ("2026-11-02T20:59:59Z", None),
        ("2026-11-02T21:00:00Z", Some("2026-11-03T06:00:00Z")),
        ("2026-11-03T02:00:00Z", Some("2026-11-03T06:00:00Z")),
        ("2026-11-03T05:59:59Z", Some("2026-11-03T06:00:00Z")),
        ("2026-11-03T06:00:00Z", None),
    ] {
        assert_eq!(night.end(at(time)), end.map(at), "{time}");
    }
    let lunch = hours("12:00", "13:00", "UTC");
    assert_eq!(lunch.end(at("2026-11-02T12:30:00Z")), Some(at("2026-11-02T13:00:00Z")));
    assert_eq!(lunch.end(at("2026-11-02T13:00:00Z")), None);
    assert_eq!(hours("12:00", "12:00", "UTC").end(at("2026-11-02T12:00:00Z")), None, "none at all");
}

#[test]
fn an_end_that_the_clock_jumps_over_comes_with_the_jump() {
    let night = hours("22:00", "02:30", "Europe/Berlin");
    assert_eq!(night.end(at("2026-03-29T00:30:00Z")), Some(at("2026-03-29T01:30:00Z")));
    assert_eq!(night.end(at("2026-10-24T23:30:00Z")), Some(at("2026-10-25T00:30:00Z")), "the first of two");
}

#[test]
fn what_is_no_time_of_the_day_is_refused() {
    for text in ["{from: '25:00', to: '07:00', zone: UTC}", "{from: '22', to: '07:00', zone: UTC}"] {
        assert!(
            serde_yaml::from_str::<QuietHours>(text).unwrap_err().to_string().contains("no time of the day")
        );
    }
    let error = serde_yaml::from_str::<QuietHours>("{from: '22:00', to: '07:00', zone: Mars}").unwrap_err();
    assert!(error.to_string().contains("`Mars` is no time zone"), "{error}");
}

proptest! {
    #[test]
    fn they_end_and_not_before_now(
        seconds in 1_700_000_000i64..1_900_000_000, from in 0u32..1440, to in 0u32..1440,
        zone in proptest::sample::select(vec!["UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/New_York"]),
    ) {
        let clock = |minutes: u32| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        let quiet = hours(&clock(from), &clock(to), zone);
        let now = DateTime::from_timestamp(seconds, 0).unwrap();
        if let Some(end) = quiet.end(now) {
            prop_assert!(end > now && (end - now).num_hours() <= 25);
        }
    }
}
