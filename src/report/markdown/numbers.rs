//! The categories and the latency.

use super::super::figures;
use super::escape::code;
use super::page::{Page, table};
use crate::domain::{LatencyReport, Metrics, RunRecord, Slice, SliceKind};

/// So many categories are shown.
const MOST: usize = 60;

pub(super) fn show(page: &mut Page, record: &RunRecord) {
    let mut slices: Vec<&Slice> =
        record.slices.iter().filter(|slice| slice.kind == SliceKind::Category).collect();
    if !slices.is_empty() {
        slices.sort_by_key(|slice| slice.metrics.accuracy.count == slice.metrics.accuracy.of);
        let mut rows = vec![row("**all**".to_owned(), None, &record.metrics)];
        rows.extend(slices.iter().map(|slice| row(code(&slice.name), slice.target_accuracy, &slice.metrics)));
        let head = ["category", "right", "accuracy", "target", "under", "over", "unanswered"];
        page.block("### Categories");
        page.block(table(&head, rows, MOST, |row| row));
    }
    latency(page, record);
}

fn row(name: String, target: Option<f64>, metrics: &Metrics) -> Vec<String> {
    let some = |count: u64| if count == 0 { figures::NOTHING.to_owned() } else { count.to_string() };
    let verdicts = metrics.verdicts;
    vec![
        name,
        format!("{}/{}", metrics.accuracy.count, metrics.accuracy.of),
        figures::rate(&metrics.accuracy),
        target.map_or_else(String::new, |target| figures::percent(Some(target))),
        some(verdicts.under),
        some(verdicts.over),
        some(verdicts.unanswered),
    ]
}

fn latency(page: &mut Page, record: &RunRecord) {
    let mut rows = Vec::new();
    let mut add = |what: &str, latency: &LatencyReport| {
        if latency.count > 0 {
            let percentiles =
                [latency.p50_ms, latency.p90_ms, latency.p95_ms, latency.p99_ms, latency.max_ms];
            let mut row = vec![format!("{} {what}", latency.count)];
            row.extend(percentiles.map(figures::duration));
            rows.push(row);
        }
    };
    add("answers", &record.latency);
    if record.integrity.retries > 0 {
        add("attempts", &record.attempt_latency);
    }
    add("answers, by the target's clock", &record.service_latency);
    if !rows.is_empty() {
        page.block("### Latency");
        page.block(table(&["", "p50", "p90", "p95", "p99", "max"], rows, MOST, |row| row));
    }
}
