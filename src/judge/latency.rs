//! Latencies in a form that a record can hold.

use std::time::Duration;

use crate::domain::LatencyReport;
use crate::stats::LatencyHistogram;

/// The report over latencies in milliseconds; without any, everything but the count is none.
pub fn latency_report(milliseconds: impl IntoIterator<Item = f64>) -> LatencyReport {
    let mut histogram = LatencyHistogram::new();
    for ms in milliseconds {
        histogram.record(Duration::try_from_secs_f64(ms / 1e3).unwrap_or_default());
    }
    histogram_report(&histogram)
}

/// The report over a histogram.
pub fn histogram_report(histogram: &LatencyHistogram) -> LatencyReport {
    let Some(summary) = histogram.summary() else { return LatencyReport::default() };
    LatencyReport {
        count: summary.count,
        min_ms: Some(summary.min_ms),
        mean_ms: Some(summary.mean_ms),
        p50_ms: Some(summary.p50_ms),
        p90_ms: Some(summary.p90_ms),
        p95_ms: Some(summary.p95_ms),
        p99_ms: Some(summary.p99_ms),
        max_ms: Some(summary.max_ms),
        histogram: Some(histogram.to_base64()),
    }
}
