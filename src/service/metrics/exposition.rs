//! What is known, as `OpenMetrics` 1.0.

#![allow(clippy::cast_precision_loss, reason = "Prometheus knows only floating-point numbers")]

use std::collections::BTreeMap;
use std::fmt::Error;

use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use super::{BUCKETS, Key, Newest, Rates, Seen, ServiceState, State};

/// Labels: names with values.
type Labels = Vec<(&'static str, String)>;

pub(super) fn tell(state: &State, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
    let build =
        vec![("version", env!("CARGO_PKG_VERSION").to_owned()), ("commit", env!("THRASH_COMMIT").to_owned())];
    gauges(encoder, "thrash_build_info", "The program.", None, [(build, 1.0)])?;
    runs(state, encoder)?;
    newest(state, encoder)?;
    latency(state, encoder)?;
    service(&state.service, encoder)
}

fn runs(state: &State, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
    let rows = |of: fn(&Seen) -> Vec<(&'static str, f64)>| {
        let each = state.series.iter();
        each.flat_map(move |(key, seen)| {
            of(seen).into_iter().map(|(outcome, value)| (key.with("outcome", outcome), value))
        })
    };
    counters(
        encoder,
        "thrash_runs",
        "Runs that ended or could not begin since the service started, by whomever they were started.",
        rows(|seen| seen.runs.iter().map(|(outcome, count)| (*outcome, *count as f64)).collect()),
    )?;
    gauges(
        encoder,
        "thrash_last_run_timestamp",
        "When the newest run of an outcome ended.",
        Some(&Unit::Seconds),
        rows(|seen| {
            let millis = |ended: &chrono::DateTime<chrono::Utc>| ended.timestamp_millis() as f64 / 1e3;
            seen.ended.iter().map(|(outcome, ended)| (*outcome, millis(ended))).collect()
        }),
    )?;
    counters(
        encoder,
        "thrash_series_dropped",
        "Runs of series beyond the most that are shown.",
        [(Labels::new(), state.dropped_series as f64)],
    )
}

/// What of a newest run is a number by itself.
type Number = (&'static str, &'static str, Option<Unit>, fn(&Newest) -> Option<f64>);

/// A share that the whole run and each category has.
type Share = (&'static str, &'static str, fn(&Rates) -> Option<f64>);

fn newest(state: &State, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
    let newest = || state.series.iter().filter_map(|(key, seen)| Some((key, seen.newest.as_ref()?)));
    let numbers: [Number; 5] = [
        ("thrash_run_duration", "How long the newest run sent phrases.", Some(Unit::Seconds), |run| {
            Some(run.seconds)
        }),
        ("thrash_run_phrases", "Phrases that the newest run judged.", None, |run| Some(run.phrases as f64)),
        (
            "thrash_run_invariant_violations",
            "Answers of the newest run that contradict themselves.",
            None,
            |run| Some(run.violations as f64),
        ),
        (
            "thrash_run_fail_open",
            "Phrases of the newest run answered with \"could not analyse\".",
            None,
            |run| Some(run.fail_open as f64),
        ),
        ("thrash_run_categories_dropped", "Categories beyond the most that are shown.", None, |run| {
            Some(run.dropped_categories as f64)
        }),
    ];
    for (name, help, unit, of) in numbers {
        let rows = newest().filter_map(|(key, run)| Some((key.labels(), of(run)?)));
        gauges(encoder, name, help, unit.as_ref(), rows)?;
    }
    let shares: [Share; 6] = [
        ("accuracy", "right answers, unanswered phrases being wrong", |rates| rates.accuracy),
        ("accuracy_lower", "the lower end of the 95 % interval of the accuracy", |rates| {
            rates.accuracy_lower
        }),
        ("false_positive", "negatives answered at or above the alert level", |rates| rates.false_positives),
        ("false_negative", "positives answered below it or not at all", |rates| rates.false_negatives),
        ("severe_miss", "high and critical phrases answered below high or not at all", |rates| {
            rates.severe_misses
        }),
        ("unanswered", "phrases without an answer", |rates| rates.unanswered),
    ];
    let ratio = Unit::Other("ratio".to_owned());
    for (name, help, of) in shares {
        let rows = newest().filter_map(|(key, run)| Some((key.labels(), of(&run.rates)?)));
        let help = format!("Of the newest run: {help}. Absent where it has no such number.");
        gauges(encoder, &format!("thrash_run_{name}"), &help, Some(&ratio), rows)?;
    }
    for (name, help, of) in shares {
        let rows = newest().flat_map(|(key, run)| {
            let each = run.categories.iter();
            each.filter_map(move |(category, rates)| Some((key.with("category", category), of(rates)?)))
        });
        let help = format!("Of a category of the newest run: {help}.");
        gauges(encoder, &format!("thrash_category_{name}"), &help, Some(&ratio), rows)?;
    }
    let rows = newest().flat_map(|(key, run)| {
        let each = run.percentiles.iter();
        each.filter_map(move |(percentile, seconds)| Some((key.with("percentile", percentile), (*seconds)?)))
    });
    let help = "Latency of the newest run, retries included; under load from the intended start.";
    gauges(encoder, "thrash_run_latency", help, Some(&Unit::Seconds), rows)?;
    let rows = newest().flat_map(|(key, run)| {
        let each = run.checks.iter();
        each.map(move |(outcome, count)| (key.with("outcome", outcome), *count as f64))
    });
    gauges(encoder, "thrash_run_checks", "Checks of the newest run that decide, by outcome.", None, rows)
}

fn latency(state: &State, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
    let help = "Latency of answers in runs that ended since the service started, retries included.";
    let mut family = encoder.encode_descriptor(
        "thrash_target_latency",
        help,
        Some(&Unit::Seconds),
        MetricType::Histogram,
    )?;
    for (key, seen) in &state.series {
        let latency = &seen.latency;
        let over = latency.count - latency.buckets.iter().sum::<u64>();
        let ends = BUCKETS.into_iter().chain([f64::INFINITY]);
        let buckets: Vec<(f64, u64)> = ends.zip(latency.buckets.into_iter().chain([over])).collect();
        family.encode_family(&key.labels())?.encode_histogram::<NoLabelSet>(
            latency.sum,
            latency.count,
            &buckets,
            None,
        )?;
    }
    Ok(())
}

fn service(service: &ServiceState, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
    let flag = |up: bool| if up { 1.0 } else { 0.0 };
    let alone = |value: Option<f64>| value.map(|value| (Labels::new(), value));
    let each = |name: &'static str, values: &BTreeMap<String, f64>| -> Vec<(Labels, f64)> {
        values.iter().map(|(value, number)| (vec![(name, value.clone())], *number)).collect()
    };
    let up: BTreeMap<String, f64> =
        service.targets_up.iter().map(|(name, up)| (name.clone(), flag(*up))).collect();
    let jobs: BTreeMap<String, f64> =
        service.jobs.iter().map(|(state, count)| (state.clone(), *count as f64)).collect();
    let up_help = "Whether the target answered when it was last looked at.";
    gauges(encoder, "thrash_target_up", up_help, None, each("target", &up))?;
    gauges(
        encoder,
        "thrash_store_up",
        "Whether the database answers.",
        None,
        alone(service.store_up.map(flag)),
    )?;
    let spooled = alone(service.spooled.map(|count| count as f64));
    gauges(encoder, "thrash_spool_records", "Records that wait for the database.", None, spooled)?;
    let in_memory = alone(service.in_memory.map(|count| count as f64));
    let in_memory_help = "Records that neither the database nor the spool takes: they are in memory alone.";
    gauges(encoder, "thrash_memory_records", in_memory_help, None, in_memory)?;
    gauges(encoder, "thrash_queue_jobs", "Jobs by state.", None, each("state", &jobs))?;
    let lag_help = "How long ago a schedule should have begun a run and has not since; 0 if it has.";
    let lag = each("schedule", &service.schedule_lag);
    gauges(encoder, "thrash_schedule_lag", lag_help, Some(&Unit::Seconds), lag)?;
    let waiting = alone(service.notifications.map(|count| count as f64));
    gauges(encoder, "thrash_notifications_waiting", "Notifications that wait to be sent.", None, waiting)?;
    let given_up = alone(service.notifications_given_up.map(|count| count as f64));
    gauges(encoder, "thrash_notifications_given_up", "Notifications that never arrived.", None, given_up)
}

impl Key {
    fn labels(&self) -> Labels {
        vec![
            ("kind", self.kind.to_owned()),
            ("suite", self.suite.clone()),
            ("target", self.target.clone()),
            ("demo", self.demo.to_string()),
        ]
    }

    fn with(&self, name: &'static str, value: &str) -> Labels {
        let mut labels = self.labels();
        labels.push((name, value.to_owned()));
        labels
    }
}

pub(super) fn gauges(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    unit: Option<&Unit>,
    rows: impl IntoIterator<Item = (Labels, f64)>,
) -> Result<(), Error> {
    let mut family = encoder.encode_descriptor(name, help, unit, MetricType::Gauge)?;
    for (labels, value) in rows {
        if labels.is_empty() {
            family.encode_gauge(&value)?;
        } else {
            family.encode_family(&labels)?.encode_gauge(&value)?;
        }
    }
    Ok(())
}

pub(super) fn counters(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    rows: impl IntoIterator<Item = (Labels, f64)>,
) -> Result<(), Error> {
    let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    for (labels, value) in rows {
        if labels.is_empty() {
            family.encode_counter::<NoLabelSet, _, f64>(&value, None)?;
        } else {
            family.encode_family(&labels)?.encode_counter::<NoLabelSet, _, f64>(&value, None)?;
        }
    }
    Ok(())
}
