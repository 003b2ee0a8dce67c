//! Cron lines, the clock, and what is due, with a clock that stands still.

mod day;
mod due;
mod laws;
mod lines;
mod service;
mod summer_time;

use chrono::{DateTime, Utc};
use thrash::schedule::{CronLine, Plan, Zone};

/// A time such as `2026-03-29T01:00:00Z`.
fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

fn line(text: &str) -> CronLine {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

fn zone(name: &str) -> Zone {
    name.parse().expect("a time zone")
}

/// The first so many times behind one.
fn times(text: &str, zone: Zone, after: &str, count: usize) -> Vec<DateTime<Utc>> {
    let line = line(text);
    std::iter::successors(line.next(at(after), zone), |time| line.next(*time, zone)).take(count).collect()
}

/// What the clock on the wall shows at these times.
fn shown(text: &str, place: &str, after: &str, count: usize) -> Vec<String> {
    let zone = zone(place);
    let show = |time: &DateTime<Utc>| zone.local(*time).format("%a %d %H:%M").to_string();
    times(text, zone, after, count).iter().map(show).collect()
}

fn plan(text: &str) -> Plan {
    Plan {
        name: "quick".to_owned(),
        line: line(text),
        zone: Zone::UTC,
        jitter: std::time::Duration::ZERO,
        catch_up: std::time::Duration::from_hours(6),
    }
}
