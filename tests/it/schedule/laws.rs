//! What holds for every line, every zone and every time.

use std::time::Duration;

use chrono::{DateTime, Datelike, NaiveDateTime, TimeDelta, Timelike, Utc};
use proptest::prelude::*;
use thrash::schedule::{CronLine, Plan, Zone};

use super::{line, zone};

const ZONES: [&str; 8] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "America/St_Johns",
];

/// A field as text, and whether it holds for a number: written beside the program's own reading of it.
#[derive(Debug, Clone)]
struct Field {
    text: String,
    holds: Vec<u32>,
}

fn field(lowest: u32, highest: u32) -> impl Strategy<Value = Field> {
    let star = Just(Field { text: "*".to_owned(), holds: (lowest..=highest).collect() });
    let stepped = (1..=highest).prop_map(move |step| Field {
        text: format!("*/{step}"),
        holds: (lowest..=highest).filter(|n| (n - lowest).is_multiple_of(step)).collect(),
    });
    let range = (lowest..=highest, lowest..=highest, 1u32..5).prop_map(|(one, other, step)| {
        let (first, last) = (one.min(other), one.max(other));
        let text = if step == 1 { format!("{first}-{last}") } else { format!("{first}-{last}/{step}") };
        Field { text, holds: (first..=last).filter(|n| (n - first) % step == 0).collect() }
    });
    let list = proptest::collection::vec(lowest..=highest, 1..4).prop_map(|values| Field {
        text: values.iter().map(u32::to_string).collect::<Vec<_>>().join(","),
        holds: values,
    });
    prop_oneof![2 => star, 1 => stepped, 2 => range, 2 => list]
}

fn five() -> impl Strategy<Value = [Field; 5]> {
    (field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 7))
        .prop_map(|(minute, hour, day, month, weekday)| [minute, hour, day, month, weekday])
        .prop_filter("some day is like that", |[_, _, day, month, _]| {
            const LONGEST: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
            let first = day.holds.iter().min();
            LONGEST.iter().zip(1..).any(|(longest, number)| {
                month.holds.contains(&number) && first.is_some_and(|first| first <= longest)
            })
        })
}

fn text(fields: &[Field; 5]) -> String {
    fields.iter().map(|field| field.text.as_str()).collect::<Vec<_>>().join(" ")
}

/// Whether a minute of the clock on the wall matches, as the manual page says it.
fn matches(fields: &[Field; 5], time: NaiveDateTime) -> bool {
    let [minute, hour, day, month, weekday] = fields;
    let on_day = day.holds.contains(&time.day());
    let sunday_is_zero = time.weekday().num_days_from_sunday();
    let on_weekday = weekday.holds.iter().any(|named| named % 7 == sunday_is_zero);
    let days = if day.text.starts_with('*') || weekday.text.starts_with('*') {
        on_day && on_weekday
    } else {
        on_day || on_weekday
    };
    days && minute.holds.contains(&time.minute())
        && hour.holds.contains(&time.hour())
        && month.holds.contains(&time.month())
}

fn some_time() -> impl Strategy<Value = DateTime<Utc>> {
    // From 2010 to 2040, to the nanosecond.
    (1_262_304_000i64..2_208_988_800, 0u32..1_000_000_000)
        .prop_map(|(seconds, nanos)| DateTime::from_timestamp(seconds, nanos).expect("a time"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_line_of_five_runs_at_the_first_minute_that_matches(fields in five(), after in some_time()) {
        let found = line(&text(&fields)).next(after, Zone::UTC);
        let whole = after.naive_utc().with_second(0).and_then(|time| time.with_nanosecond(0)).expect("a time");
        // Four days and no longer, because the search is by hand.
        let by_hand = (1..=4 * 24 * 60)
            .map(|minutes| whole + TimeDelta::minutes(minutes))
            .find(|time| matches(&fields, *time));
        match (found, by_hand) {
            (Some(found), Some(by_hand)) => prop_assert_eq!(found.naive_utc(), by_hand),
            (Some(found), None) => prop_assert!(found.naive_utc() > whole + TimeDelta::days(4)),
            (None, by_hand) => prop_assert_eq!(by_hand, None),
        }
    }

    #[test]
    fn the_next_time_is_always_later_and_no_time_comes_twice(
        fields in five(), after in some_time(), place in proptest::sample::select(ZONES.to_vec()),
    ) {
        let (line, zone) = (line(&text(&fields)), zone(place));
        let mut last = after;
        for _ in 0..20 {
            let Some(next) = line.next(last, zone) else { break };
            prop_assert!(next > last, "{} after {last} in {place}: {next}", line);
            // Nothing lies between: asked a second before, the answer is the same.
            prop_assert_eq!(line.next(next - TimeDelta::seconds(1), zone), Some(next));
            prop_assert_eq!(line.next(last + (next - last) / 2, zone), Some(next));
            last = next;
        }
    }

    #[test]
    fn a_daily_time_runs_once_on_every_day(
        minute in 0u32..60, hour in 0u32..24, year in 2012i32..2036,
        place in proptest::sample::select(ZONES.to_vec()),
    ) {
        let (line, zone) = (line(&format!("{minute} {hour} * * *")), zone(place));
        let mut last = format!("{year}-01-01T00:00:00Z").parse::<DateTime<Utc>>().expect("a time");
        let mut day = None;
        for _ in 0..366 {
            last = line.next(last, zone).expect("there is always a next day");
            let today = zone.local(last).date();
            if let Some(day) = day {
                prop_assert_eq!(today, day + TimeDelta::days(1), "{} in {}", line, place);
            }
            day = Some(today);
        }
    }

    #[test]
    fn a_start_is_never_early_nor_beyond_the_jitter_nor_behind_the_next(
        fields in five(), after in some_time(), jitter in 0u64..100_000,
    ) {
        let line = line(&text(&fields));
        let plan = Plan {
            name: "nightly".to_owned(),
            line,
            zone: Zone::UTC,
            jitter: Duration::from_secs(jitter),
            catch_up: Duration::ZERO,
        };
        let Some(meant) = plan.next(after) else { return Ok(()) };
        let start = plan.start(meant);
        prop_assert_eq!(start, plan.start(meant));
        prop_assert!(start >= meant && (start - meant).num_seconds() <= i64::try_from(jitter).unwrap());
        if let Some(next) = plan.next(meant) {
            prop_assert!(start < next);
        }
    }

    #[test]
    fn no_text_breaks_the_reader(text in "[ -~\u{e9}\t]{0,40}") {
        if let Ok(line) = text.parse::<CronLine>() {
            line.next(DateTime::UNIX_EPOCH, Zone::UTC);
        }
    }

    #[test]
    fn a_clock_that_is_looked_at_now_and_then_runs_every_time_once(
        step in 1i64..800, jitter in 0u64..900,
    ) {
        // Every half hour of a day, and one that was seen is never due again.
        let plan = Plan { jitter: Duration::from_secs(jitter), ..super::plan("*/30 * * * *") };
        let begin: DateTime<Utc> = "2026-11-01T00:00:00Z".parse().expect("a time");
        let (mut seen, mut now, mut runs) = (begin, begin, Vec::new());
        while now < begin + TimeDelta::days(1) + TimeDelta::minutes(29) {
            let due = plan.due(seen, now);
            prop_assert_eq!(due.missed, 0);
            runs.extend(due.run);
            seen = due.seen.unwrap_or(seen);
            now += TimeDelta::seconds(step);
        }
        let expected: Vec<DateTime<Utc>> =
            (1..=48).map(|half_hours| begin + TimeDelta::minutes(30 * half_hours)).collect();
        prop_assert_eq!(runs, expected);
    }
}
