//! What Prometheus is told: the newest run of each series, how many runs there were, and the state of the service.
//!
//! Everything is told from what is known now, so a number that the newest run does not have is absent, never old.
//! Labels hold names from the configuration and the suites, never a phrase, and there is a bound on them.

#![allow(clippy::cast_precision_loss, reason = "Prometheus knows only floating-point numbers")]

mod exposition;
mod process;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, text};
use prometheus_client::registry::Registry;

use crate::domain::{Conclusion, Job, RunKind, RunRecord, RunStatus, SliceKind};
use crate::stats::LatencyHistogram;

/// Series beyond so many are counted and not shown: names of targets and suites come from people.
const MOST_SERIES: usize = 100;

/// Categories of a series beyond so many are counted and not shown.
const MOST_CATEGORIES: usize = 60;

/// Upper ends of the buckets of latencies, in seconds.
const BUCKETS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// What is known of every run and of the service.
#[derive(Debug)]
pub struct Metrics {
    known: Known,
    registry: Registry,
}

#[derive(Debug, Clone, Default)]
struct Known(Arc<Mutex<State>>);

impl Known {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Collector for Known {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        exposition::tell(&self.lock(), &mut encoder)?;
        process::tell(&mut encoder)
    }
}

/// The state of the service. What could not be told is none, and is not shown.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ServiceState {
    /// Whether the database takes what is written, and the queue works.
    pub store_up: Option<bool>,
    /// Records that wait for it.
    pub spooled: Option<u64>,
    /// Records that neither the database nor the spool takes.
    pub in_memory: Option<u64>,
    /// Jobs by their state.
    pub jobs: BTreeMap<String, u64>,
    /// Whether each target answered when it was last looked at.
    pub targets_up: BTreeMap<String, bool>,
    /// For how long each schedule owes a run, in seconds; 0 if it owes none.
    pub schedule_lag: BTreeMap<String, f64>,
    /// Notifications that wait to be sent.
    pub notifications: Option<u64>,
    /// Notifications that were given up, and are still remembered.
    pub notifications_given_up: Option<u64>,
}

#[derive(Debug, Default)]
struct State {
    series: BTreeMap<Key, Seen>,
    dropped_series: u64,
    service: ServiceState,
}

/// A series of runs, as its labels tell it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    kind: &'static str,
    suite: String,
    target: String,
    demo: bool,
}

/// What the runs of a series showed.
#[derive(Debug, Default)]
struct Seen {
    newest: Option<Newest>,
    /// Up to when the newest run is known, also where it has no numbers.
    known_to: Option<DateTime<Utc>>,
    /// When the newest run of each outcome ended.
    ended: BTreeMap<&'static str, DateTime<Utc>>,
    /// Runs of each outcome since the service started.
    runs: BTreeMap<&'static str, u64>,
    latency: Latency,
}

/// Latencies since the service started: how many are at most each bucket's end, and their sum in seconds.
#[derive(Debug, Default)]
struct Latency {
    buckets: [u64; BUCKETS.len()],
    count: u64,
    sum: f64,
}

/// The numbers of a series' newest run.
#[derive(Debug)]
struct Newest {
    seconds: f64,
    phrases: u64,
    rates: Rates,
    /// By category: accuracy, the rate of false alarms, the rate of misses.
    categories: Vec<(String, Rates)>,
    dropped_categories: u64,
    /// Percentiles in seconds.
    percentiles: [(&'static str, Option<f64>); 3],
    violations: u64,
    fail_open: u64,
    /// Checks that decide, of each outcome.
    checks: BTreeMap<&'static str, u64>,
}

/// Shares; none where there was nothing to divide by.
#[derive(Debug, Clone, Copy)]
struct Rates {
    accuracy: Option<f64>,
    /// The lower end of its 95 % interval.
    accuracy_lower: Option<f64>,
    false_positives: Option<f64>,
    false_negatives: Option<f64>,
    severe_misses: Option<f64>,
    unanswered: Option<f64>,
}

impl Default for Metrics {
    fn default() -> Self {
        let (known, mut registry) = (Known::default(), Registry::default());
        registry.register_collector(Box::new(known.clone()));
        Self { known, registry }
    }
}

impl Metrics {
    /// Counts a run that has ended, and shows its numbers unless a newer one of its series is known.
    pub fn count(&self, record: &RunRecord) {
        let mut state = self.known.lock();
        let Some(seen) = state.seen(Key::of(record)) else { return };
        *seen.runs.entry(record.verdict.conclusion.as_str()).or_default() += 1;
        seen.latency.add(record);
        seen.show(record);
    }

    /// Shows the numbers of a run that ended before the service started, unless a newer one of its series is known.
    pub fn remember(&self, record: &RunRecord) {
        let mut state = self.known.lock();
        if let Some(seen) = state.seen(Key::of(record)) {
            seen.show(record);
        }
    }

    /// Counts a job that came to no run that is kept; `demo` says whether it was meant for the demo.
    pub fn count_job(&self, job: &Job, demo: bool) {
        let Some(outcome) = job.outcome() else { return };
        let mut state = self.known.lock();
        let Some(seen) = state.seen(Key::of_job(job.kind, job.suite_name(), &job.target, demo)) else {
            return;
        };
        *seen.runs.entry(outcome).or_default() += 1;
        seen.note(outcome, job.ended_at);
        seen.show_none(job.ended_at);
    }

    /// Remembers a job that ended before the service started.
    pub fn remember_job(&self, job: &Job, demo: bool) {
        let mut state = self.known.lock();
        if let (Some(outcome), Some(seen)) =
            (job.outcome(), state.seen(Key::of_job(job.kind, job.suite_name(), &job.target, demo)))
        {
            seen.note(outcome, job.ended_at);
            seen.show_none(job.ended_at);
        }
    }

    /// Shows the counts of a series that will have runs, so that a rate over time sees the first one too.
    pub fn expect(&self, kind: RunKind, suite: String, target: &str, demo: bool) {
        self.known.lock().seen(Key::of_job(kind, suite, target, demo));
    }

    /// What the service is like now.
    pub fn set_service(&self, service: ServiceState) {
        self.known.lock().service = service;
    }

    /// How the store is now, which may have changed since the service was looked at, and what waits for it. What only a store
    /// that is up can tell is not known without.
    pub fn set_store(&self, up: bool, spooled: Option<u64>, in_memory: u64) {
        let service = &mut self.known.lock().service;
        (service.store_up, service.spooled, service.in_memory) = (Some(up), spooled, Some(in_memory));
        if !up {
            service.jobs.clear();
            service.schedule_lag.clear();
            (service.notifications, service.notifications_given_up) = (None, None);
        }
    }

    /// Everything, as `OpenMetrics` 1.0 text.
    ///
    /// # Errors
    /// A name that the format cannot hold, which would be a bug.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut page = String::new();
        text::encode(&mut page, &self.registry)?;
        Ok(page)
    }
}

impl Key {
    fn of(record: &RunRecord) -> Self {
        let RunRecord { suite, target, .. } = record;
        Self::of_job(record.kind, suite.name.clone(), &target.name, target.demo)
    }

    fn of_job(kind: RunKind, suite: String, target: &str, demo: bool) -> Self {
        Self { kind: kind.as_str(), suite, target: target.to_owned(), demo }
    }
}

impl State {
    fn seen(&mut self, key: Key) -> Option<&mut Seen> {
        if self.series.len() >= MOST_SERIES && !self.series.contains_key(&key) {
            self.dropped_series += 1;
            return None;
        }
        // From 0, so that a rate over time sees the first run too.
        let words = Conclusion::ALL.into_iter().map(Conclusion::as_str).chain([Job::NOT_RUN]);
        let runs = words.map(|outcome| (outcome, 0)).collect();
        Some(self.series.entry(key).or_insert_with(|| Seen { runs, ..Seen::default() }))
    }
}

impl Seen {
    fn note(&mut self, outcome: &'static str, at: Option<DateTime<Utc>>) {
        if let Some(at) = at {
            let ended = self.ended.entry(outcome).or_insert(at);
            *ended = at.max(*ended);
        }
    }

    fn show(&mut self, record: &RunRecord) {
        self.note(record.verdict.conclusion.as_str(), Some(record.finished_at));
        match record.status {
            RunStatus::Completed if record.verdict.conclusion != Conclusion::TargetFailed => {
                self.replace(record.finished_at, || Some(Newest::of(record)));
            }
            // What a dying target still answered says nothing of the rest.
            RunStatus::Completed | RunStatus::Aborted => self.replace(record.finished_at, || None),
            // Somebody stopped it: what the run before found still holds.
            RunStatus::Interrupted => {}
        }
    }

    /// Nothing came of the newest run, so there are no numbers of it.
    fn show_none(&mut self, at: Option<DateTime<Utc>>) {
        if let Some(at) = at {
            self.replace(at, || None);
        }
    }

    fn replace(&mut self, ended: DateTime<Utc>, newest: impl FnOnce() -> Option<Newest>) {
        if self.known_to.is_none_or(|known| known <= ended) {
            (self.known_to, self.newest) = (Some(ended), newest());
        }
    }
}

impl Newest {
    fn of(record: &RunRecord) -> Self {
        let all: Vec<(String, Rates)> = record
            .slices
            .iter()
            .filter(|slice| slice.kind == SliceKind::Category)
            .map(|slice| (slice.name.clone(), Rates::of(&slice.metrics)))
            .collect();
        let mut checks = BTreeMap::new();
        for check in record.verdict.checks.iter().filter(|check| check.severity.decides()) {
            *checks.entry(check.outcome.as_str()).or_default() += 1;
        }
        let seconds = |ms: Option<f64>| ms.map(|ms| ms / 1e3);
        Self {
            seconds: record.duration_ms / 1e3,
            phrases: record.metrics.phrases,
            rates: Rates::of(&record.metrics),
            dropped_categories: all.len().saturating_sub(MOST_CATEGORIES) as u64,
            categories: all.into_iter().take(MOST_CATEGORIES).collect(),
            percentiles: [
                ("50", seconds(record.latency.p50_ms)),
                ("95", seconds(record.latency.p95_ms)),
                ("99", seconds(record.latency.p99_ms)),
            ],
            violations: record.integrity.violations.len() as u64,
            fail_open: record.integrity.fail_open.len() as u64,
            checks,
        }
    }
}

impl Rates {
    fn of(metrics: &crate::domain::Metrics) -> Self {
        Self {
            accuracy: metrics.accuracy.value,
            accuracy_lower: metrics.accuracy.wilson.map(|[lower, _]| lower),
            false_positives: metrics.false_positive_rate.value,
            false_negatives: metrics.false_negative_rate.value,
            severe_misses: metrics.severe_miss_rate.value,
            unanswered: metrics.unanswered_rate.value,
        }
    }
}

impl Latency {
    /// Adds a run's latencies. A histogram that cannot be read adds nothing.
    fn add(&mut self, record: &RunRecord) {
        let Some(histogram) = &record.latency.histogram else { return };
        let Ok(histogram) = LatencyHistogram::from_base64(histogram) else { return };
        for (micros, count) in histogram.counts() {
            let seconds = micros as f64 / 1e6;
            if let Some(bucket) = BUCKETS.iter().position(|end| seconds <= *end) {
                self.buckets[bucket] += count;
            }
            self.count += count;
            self.sum += seconds * count as f64;
        }
    }
}
