//! How long it took: percentiles with their intervals, and a histogram.

use maud::{Markup, html};

use super::super::figures;
use super::histogram;
use super::section::{Section, Table, cell};
use crate::domain::{LatencyReport, RunRecord};
use crate::stats::{Confidence, LatencyHistogram, percentile};

/// The percentiles that are shown.
const QUANTILES: [(&str, f64); 4] = [("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)];

/// The section; none where nothing was answered.
pub(super) fn section(record: &RunRecord) -> Option<Section> {
    let reports = [
        ("Answers, end to end", Some(&record.latency)),
        ("Attempts", (record.integrity.retries > 0).then_some(&record.attempt_latency)),
        ("Until accepted", record.accept_latency.as_ref()),
        ("The service's own time", Some(&record.service_latency)),
    ];
    let rows: Vec<Vec<Markup>> = reports
        .into_iter()
        .filter_map(|(name, report)| report.filter(|report| report.count > 0).map(|report| row(name, report)))
        .collect();
    if rows.is_empty() {
        return None;
    }
    let head = vec!["Measured", "#Count", "#p50", "#p90", "#p95", "#p99", "#Max", "#Mean"];
    let answered = record.results.iter().flat_map(|result| &result.observations);
    let times: Vec<f64> =
        answered.filter(|seen| seen.answer.level().is_some()).map(|seen| seen.latency_ms).collect();
    let body = html! {
        (Table { caption: "Percentiles of the latency with their 95 % intervals", head, rows }.render())
        @if let Some(short) = too_few(record.latency.count) { p.note { (short) } }
        (histogram::figure(&times, &record.latency))
    };
    let summary = match record.latency.p95_ms {
        Some(_) => format!("p95 {}", figures::duration(record.latency.p95_ms)),
        None => String::new(),
    };
    Some(Section { id: "latency", title: "Latency", summary, body })
}

fn row(name: &str, report: &LatencyReport) -> Vec<Markup> {
    let histogram = report.histogram.as_deref().and_then(|text| LatencyHistogram::from_base64(text).ok());
    let mut row = vec![cell(name), cell(report.count.to_string())];
    let points = [report.p50_ms, report.p90_ms, report.p95_ms, report.p99_ms];
    for ((_, quantile), point) in QUANTILES.into_iter().zip(points) {
        let interval = histogram.as_ref().map(|histogram| interval(histogram, quantile));
        row.push(html! {
            (figures::duration(point))
            @if let Some(interval) = interval { i { (interval) } }
        });
    }
    row.push(cell(figures::duration(report.max_ms)));
    row.push(cell(figures::duration(report.mean_ms)));
    row
}

/// The interval by ranks; an end that so few values do not support is open.
fn interval(histogram: &LatencyHistogram, quantile: f64) -> String {
    let Some(found) = histogram.percentile_interval(quantile, Confidence::PERCENT_95) else {
        return String::new();
    };
    let end = |end: Option<std::time::Duration>| {
        end.map_or("?".to_owned(), |end| figures::duration(Some(end.as_secs_f64() * 1e3)))
    };
    format!("[{}, {}]", end(found.lower), end(found.upper))
}

/// Which percentiles so few answers give no interval for.
fn too_few(answers: u64) -> Option<String> {
    let short: Vec<String> = QUANTILES
        .into_iter()
        .filter_map(|(name, quantile)| {
            let least = percentile::min_count_two_sided(quantile, Confidence::PERCENT_95)?;
            (answers < least).then(|| format!("{name} needs {least}"))
        })
        .collect();
    (answers > 0 && !short.is_empty()).then(|| {
        format!(
            "{answers} answers are too few for a two-sided interval of every percentile: {}.",
            short.join(", ")
        )
    })
}
