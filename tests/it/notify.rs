//! Telling people: what is said and when, in which words, and that it arrives once.

mod decide;
mod delivery;
mod quiet;
mod words;

use chrono::{DateTime, TimeDelta, Utc};
use thrash::domain::{RunId, RunKind, Secret};
use thrash::notify::{
    AlertSeries, Channel, ChannelKind, Finding, Notifier, NotifyOptions, Outcome, Severity,
};

/// So many minutes after noon.
fn minute(minutes: i64) -> DateTime<Utc> {
    "2026-11-02T12:00:00Z".parse::<DateTime<Utc>>().expect("a time") + TimeDelta::minutes(minutes)
}

fn series(suite: &str) -> AlertSeries {
    AlertSeries {
        suite: suite.to_owned(),
        target: "ash-nlp".to_owned(),
        demo: false,
        environment: Some("staging".to_owned()),
        kind: RunKind::Accuracy,
    }
}

/// A run of `quick` that ended at a minute.
fn found(minutes: i64, outcome: Outcome) -> Finding {
    Finding {
        series: series("quick"),
        at: minute(minutes),
        run: Some(RunId::from_stored(format!("run-{minutes}"))),
        outcome,
        sentence: "a sentence".to_owned(),
        facts: vec!["accuracy 84.0 % [65.3, 93.6]".to_owned()],
    }
}

const CRITICAL: Outcome = Outcome::Failed(Severity::Critical);
const WARNING: Outcome = Outcome::Failed(Severity::Warning);

fn channel(name: &str, kind: ChannelKind, url: &str) -> Channel {
    Channel::new(name, kind, &Secret::new(url), None).expect("a channel")
}

fn notifier(channels: Vec<Channel>) -> Notifier {
    Notifier::new(NotifyOptions { channels, ..NotifyOptions::default() }).expect("a client")
}
