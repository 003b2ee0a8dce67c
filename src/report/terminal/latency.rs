//! Latency, end to end and by attempt, and which of its percentiles so few answers cannot pin down.

use crate::domain::{LatencyReport, RunRecord};

use super::super::figures;
use super::columns::{
    self,
    Side::{Left, Right},
};
use super::page::{Line, Page, Tone};

/// A percentile and the least number of measurements whose largest is its upper confidence limit, two-sided 95 %: the
/// least n with pⁿ ≤ 0.025 (David & Nagaraja, Order Statistics, §7.1).
const LEAST: [(&str, u64); 4] = [("p50", 6), ("p90", 36), ("p95", 72), ("p99", 368)];

pub(super) fn show(page: &mut Page, record: &RunRecord) {
    let mut rows = Vec::new();
    if record.latency.count > 0 {
        rows.push(row("answer", "answers", &record.latency));
    }
    let retried = record.integrity.retries > 0 || rows.is_empty();
    if retried && record.attempt_latency.count > 0 {
        rows.push(row("attempt", "attempts", &record.attempt_latency));
    }
    if let Some(accepted) = record.accept_latency.as_ref().filter(|accepted| accepted.count > 0) {
        rows.push(row("accepted", "accepted", accepted));
    }
    if rows.is_empty() {
        return;
    }
    rows.insert(0, ["", "p50", "p90", "p95", "p99", "max"].map(str::to_owned).to_vec());
    let without_p90 = rows.iter().map(|row| [&row[..2], &row[3..]].concat()).collect();
    let room = page.width().saturating_sub(4);
    let mut lines =
        columns::fitting([rows, without_p90], &[Left, Right, Right, Right, Right, Right], room, 24)
            .into_iter();
    page.blank();
    page.line(columns::titled("Latency", &lines.next().unwrap_or_default(), 4));
    for line in lines {
        page.line(Line::of(Tone::Plain, format!("    {line}")));
    }
    if let Some(warning) = too_few(record.latency.count) {
        page.paragraph(Line::of(Tone::Plain, "    "), Tone::Dim, &warning);
    }
}

fn row(one: &str, many: &str, latency: &LatencyReport) -> Vec<String> {
    let mut row = vec![figures::count(latency.count, one, many)];
    let columns = [latency.p50_ms, latency.p90_ms, latency.p95_ms, latency.p99_ms, latency.max_ms];
    row.extend(columns.map(figures::duration));
    row
}

/// Which percentiles so few answers give no 95 % interval for; none if there are enough for all, or no answer.
fn too_few(answers: u64) -> Option<String> {
    let short = LEAST.iter().filter(|(_, least)| answers < *least);
    let short: Vec<String> = short.map(|(percentile, least)| format!("{percentile} (n≥{least})")).collect();
    (answers > 0 && !short.is_empty()).then(|| format!("too few for a 95 % interval of {}", short.join(", ")))
}
