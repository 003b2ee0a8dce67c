//! What Prometheus is told, and what is made of it: the alerts and the dashboard under `docs/`.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};

use chrono::Duration;
use thrash::domain::{Conclusion, Job, JobState, RunKind, RunRecord, RunStatus};
use thrash::service::metrics::{Metrics, ServiceState};
use thrash::stats::LatencyHistogram;

use crate::support::prometheus::folder;
use crate::support::sample;

const ALERTS: &str = include_str!("../../docs/prometheus/alerts.yaml");
const DASHBOARD: &str = include_str!("../../docs/grafana/dashboard.json");

/// Everything that can be told, told.
fn everything() -> Metrics {
    let metrics = Metrics::default();
    metrics.count(&sample::record());
    metrics.set_service(ServiceState {
        store_up: Some(true),
        spooled: Some(2),
        in_memory: Some(1),
        jobs: [("queued".to_owned(), 3)].into(),
        targets_up: [("ash-nlp".to_owned(), false)].into(),
        schedule_lag: [("quick".to_owned(), 1.5)].into(),
        notifications: Some(1),
        notifications_given_up: Some(4),
    });
    metrics
}

fn value(metrics: &Metrics, start: &str) -> Option<f64> {
    let text = metrics.text().expect("a page");
    let mut lines = text.lines().filter(|line| line.starts_with(start));
    let line = lines.next()?;
    assert_eq!(lines.next(), None, "{start} is there once");
    Some(line.rsplit(' ').next().expect("a number").parse().expect("a number"))
}

/// Names of samples that a page of metrics holds.
fn names(page: &str) -> BTreeSet<&str> {
    let lines = page.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split(['{', ' ']).next()).collect()
}

fn promtool(arguments: &[&str], input: &str) -> (bool, String) {
    let mut child = Command::new(folder().join("promtool"))
        .args(arguments)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/prometheus"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool starts");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn the_lint_of_prometheus_has_nothing_to_say_to_the_names() {
    let page = everything().text().expect("a page");
    assert!(page.ends_with("# EOF\n"));
    let counters: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_suffix(" counter").and_then(|line| line.strip_prefix("# TYPE ")))
        .collect();
    // It knows the older text format alone; that one has no units, and counters are described by their whole names.
    let page: String = page
        .lines()
        .filter(|line| !line.starts_with("# UNIT") && *line != "# EOF")
        .map(|line| match line.split_once(' ').and_then(|(_, rest)| rest.split(' ').nth(1)) {
            Some(name) if counters.contains(&name) => line.replacen(name, &format!("{name}_total"), 1) + "\n",
            _ => format!("{line}\n"),
        })
        .collect();
    let (sound, said) = promtool(&["check", "metrics"], &page);
    assert!(sound, "{said}");
}

#[test]
fn the_numbers_are_those_of_the_newest_run() {
    let metrics = everything();
    let labels = r#"kind="accuracy",suite="quick",target="ash-nlp",demo="false""#;
    let of = |metrics: &Metrics, name: &str, more: &str| value(metrics, &format!("{name}{{{labels}{more}}}"));
    assert_eq!(of(&metrics, "thrash_run_accuracy_ratio", ""), Some(21.0 / 25.0));
    assert_eq!(of(&metrics, "thrash_runs_total", ",outcome=\"gate_failed\""), Some(1.0));
    assert_eq!(of(&metrics, "thrash_runs_total", ",outcome=\"passed\""), Some(0.0));
    assert_eq!(of(&metrics, "thrash_last_run_timestamp_seconds", ",outcome=\"passed\""), None);
    assert!(of(&metrics, "thrash_run_latency_seconds", ",percentile=\"95\"").is_some());
    assert_eq!(value(&metrics, "thrash_target_up{target=\"ash-nlp\"}"), Some(0.0));

    // An older record that comes late is counted and not shown.
    let mut late = sample::record();
    late.finished_at -= Duration::hours(1);
    late.metrics.accuracy.value = Some(1.0);
    metrics.count(&late);
    assert_eq!(of(&metrics, "thrash_run_accuracy_ratio", ""), Some(21.0 / 25.0));
    assert_eq!(of(&metrics, "thrash_runs_total", ",outcome=\"gate_failed\""), Some(2.0));

    // A newer one without a number leaves none behind.
    let mut blind: RunRecord = sample::record();
    blind.finished_at += Duration::hours(1);
    blind.metrics.false_positive_rate.value = None;
    blind.verdict.conclusion = Conclusion::Inconclusive;
    metrics.count(&blind);
    assert_eq!(of(&metrics, "thrash_run_false_positive_ratio", ""), None);
    assert_eq!(of(&metrics, "thrash_runs_total", ",outcome=\"inconclusive\""), Some(1.0));
    let ended =
        of(&metrics, "thrash_last_run_timestamp_seconds", ",outcome=\"inconclusive\"").expect("a time");
    assert_eq!(format!("{ended:.0}"), blind.finished_at.timestamp().to_string());
}

#[test]
fn a_run_that_was_cut_short_shows_no_numbers_of_its_own() {
    let metrics = everything();
    let accuracy = |metrics: &Metrics| {
        value(
            metrics,
            r#"thrash_run_accuracy_ratio{kind="accuracy",suite="quick",target="ash-nlp",demo="false"}"#,
        )
    };
    let cut = |status: RunStatus, conclusion: Conclusion, hours: i64| {
        let mut run = sample::record();
        run.finished_at += Duration::hours(hours);
        (run.status, run.verdict.conclusion, run.metrics.accuracy.value) = (status, conclusion, Some(1.0));
        run
    };
    // Somebody stopped it after a few phrases, all of them right: the run before still says how it stands.
    metrics.count(&cut(RunStatus::Interrupted, Conclusion::Interrupted, 1));
    assert_eq!(accuracy(&metrics), Some(21.0 / 25.0));
    // Of a target that died there are no numbers, and not those of before.
    metrics.count(&cut(RunStatus::Aborted, Conclusion::TargetFailed, 2));
    assert_eq!(accuracy(&metrics), None);
    metrics.count(&cut(RunStatus::Completed, Conclusion::Passed, 3));
    assert_eq!(accuracy(&metrics), Some(1.0));
    let mut job = job(JobState::Lost, None);
    job.target = "ash-nlp".to_owned();
    job.ended_at = Some(sample::record().finished_at + Duration::hours(4));
    metrics.count_job(&job, false);
    assert_eq!(accuracy(&metrics), None);
    // One that is older than what is shown changes nothing.
    metrics.count(&cut(RunStatus::Completed, Conclusion::Passed, 5));
    job.ended_at = job.ended_at.map(|ended| ended - Duration::hours(3));
    metrics.count_job(&job, false);
    assert_eq!(accuracy(&metrics), Some(1.0));
}

#[test]
fn a_run_from_before_the_start_is_shown_and_not_counted() {
    let metrics = Metrics::default();
    metrics.remember(&sample::record());
    let text = metrics.text().expect("a page");
    assert!(text.contains("thrash_run_accuracy_ratio{"));
    let counted = text.lines().filter(|line| line.starts_with("thrash_runs_total{"));
    assert!(counted.into_iter().all(|line| line.ends_with(" 0.0")), "{text}");
}

#[test]
fn a_job_that_came_to_no_run_is_counted_by_what_became_of_it() {
    let metrics = Metrics::default();
    metrics.expect(RunKind::Accuracy, "quick".to_owned(), "nlp", false);
    let count = |outcome: &str| {
        let labels = r#"kind="accuracy",suite="quick",target="nlp",demo="false""#;
        value(&metrics, &format!("thrash_runs_total{{{labels},outcome=\"{outcome}\"}}"))
    };
    assert_eq!((count("not_run"), count("target_failed")), (Some(0.0), Some(0.0)), "known before the first");
    let mut job = job(JobState::Failed, None);
    metrics.count_job(&job, false);
    job.state = JobState::Lost;
    metrics.count_job(&job, false);
    for conclusion in [Conclusion::Passed, Conclusion::GateFailed] {
        job.conclusion = Some(conclusion);
        metrics.count_job(&job, false);
    }
    assert_eq!(count("not_run"), Some(4.0), "what is not kept was no pass, and no run that can be seen");
    job.conclusion = Some(Conclusion::TargetFailed);
    metrics.count_job(&job, false);
    job.state = JobState::Running;
    metrics.count_job(&job, false);
    assert_eq!(
        (count("not_run"), count("target_failed"), count("gate_failed")),
        (Some(4.0), Some(1.0), Some(0.0))
    );
    let text = metrics.text().expect("a page");
    assert!(!names(&text).contains("thrash_run_accuracy_ratio"), "{text}");
}

fn job(state: JobState, conclusion: Option<Conclusion>) -> Job {
    let now = chrono::Utc::now();
    Job {
        id: thrash::domain::RunId::from_stored("a-job"),
        kind: RunKind::Accuracy,
        name: "quick".to_owned(),
        target: "nlp".to_owned(),
        priority: 0,
        requester: "schedule:quick".to_owned(),
        idempotency_key: None,
        state,
        submitted_at: now,
        started_at: Some(now),
        ended_at: Some(now),
        attempt: 1,
        times_lost: 0,
        instance: None,
        cancelled_by: None,
        run: None,
        conclusion,
        message: None,
        typed: false,
        answers_removed_at: None,
    }
}

#[test]
fn what_cannot_be_told_is_absent() {
    let text = Metrics::default().text().expect("a page");
    for name in ["thrash_store_up", "thrash_target_up", "thrash_spool_records", "thrash_run_accuracy_ratio"] {
        assert!(!names(&text).contains(name), "{name}\n{text}");
    }
}

#[test]
fn the_latencies_add_up() {
    let mut histogram = LatencyHistogram::new();
    let latencies = [3, 12, 12, 700, 45_000];
    for ms in latencies {
        histogram.record(std::time::Duration::from_millis(ms));
    }
    let mut record = sample::record();
    record.latency.histogram = Some(histogram.to_base64());
    let metrics = Metrics::default();
    metrics.count(&record);
    let start = "thrash_target_latency_seconds";
    let labels = r#"kind="accuracy",suite="quick",target="ash-nlp",demo="false""#;
    assert_eq!(value(&metrics, &format!("{start}_count{{{labels}}}")), Some(5.0));
    for (end, at_most) in
        [("0.005", 1.0), ("0.01", 1.0), ("0.025", 3.0), ("1.0", 4.0), ("30.0", 4.0), ("+Inf", 5.0)]
    {
        assert_eq!(
            value(&metrics, &format!("{start}_bucket{{le=\"{end}\",{labels}}}")),
            Some(at_most),
            "{end}"
        );
    }
    let sum = value(&metrics, &format!("{start}_sum{{{labels}}}")).expect("a sum");
    assert!((sum / 45.727 - 1.0).abs() < 0.001, "{sum}");
}

#[test]
fn labels_are_bounded_and_hold_no_phrase() {
    let metrics = Metrics::default();
    let mut record = sample::record();
    let text = record.results.iter().find_map(|result| result.text.clone()).expect("a phrase");
    for number in 0..300 {
        record.target.name = format!("target-{number}");
        metrics.count(&record);
    }
    let page = metrics.text().expect("a page");
    assert_eq!(page.lines().filter(|line| line.starts_with("thrash_run_accuracy_ratio{")).count(), 100);
    assert_eq!(value(&metrics, "thrash_series_dropped_total"), Some(200.0));
    assert!(!page.contains(&text));
}

#[test]
fn names_cannot_break_the_page() {
    let metrics = Metrics::default();
    let mut record = sample::record();
    record.target.name = "a\"} 1\nthrash_target_up{target=\"b\\".to_owned();
    metrics.count(&record);
    let page = metrics.text().expect("a page");
    assert!(!page.lines().any(|line| line.starts_with("thrash_target_up{")), "{page}");
    assert!(page.contains(r#"target="a\"} 1\nthrash_target_up{target=\"b\\""#), "{page}");
}

#[test]
fn the_alerts_wake_people_when_they_should() {
    let (sound, said) = promtool(&["check", "rules", "alerts.yaml"], "");
    assert!(sound, "{said}");
    let (right, said) = promtool(&["test", "rules", "alerts_test.yaml"], "");
    assert!(right, "{said}");
}

#[test]
fn alerts_and_dashboard_ask_for_metrics_that_exist() {
    let page = everything().text().expect("a page");
    let names = names(&page);
    let dashboard: serde_json::Value = serde_json::from_str(DASHBOARD).expect("JSON");
    assert!(dashboard["panels"].as_array().is_some_and(|panels| panels.len() > 10));
    for (place, text) in [("alerts", ALERTS), ("dashboard", DASHBOARD)] {
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let asked: BTreeSet<&str> =
            words.filter(|word| word.starts_with("thrash_") || word.starts_with("process_")).collect();
        assert!(asked.len() > 8, "{asked:?}");
        let missing: Vec<_> = asked.difference(&names).collect();
        assert!(missing.is_empty(), "{place}: {missing:?} of {names:?}");
    }
}
