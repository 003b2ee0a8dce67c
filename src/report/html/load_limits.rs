//! What a load has to hold, drawn into its charts: gates over the whole run, and what ends it.

use maud::{Markup, html};

use super::svg::at;
use crate::domain::{CheckMode, RunRecord};

/// The metrics of the chart of response times.
pub(super) const SLOW: [&str; 4] = ["latency_p50", "latency_p90", "latency_p95", "latency_p99"];

/// A limit, with what it is called.
pub(super) type Limit = (String, f64);

/// The gates on these metrics.
pub(super) fn limits(record: &RunRecord, metrics: &[&str]) -> Vec<Limit> {
    let checks = record.verdict.checks.iter().filter(|check| {
        metrics.contains(&check.metric.as_str())
            && check.slice.is_none()
            && matches!(check.mode, CheckMode::Point | CheckMode::Bound)
            && check.limit.is_finite()
    });
    let name = |metric: &str| match metric.strip_prefix("latency_") {
        Some(percentile) => format!("gate {percentile}"),
        None => "gate".to_owned(),
    };
    checks.map(|check| (name(&check.metric), check.limit)).collect()
}

/// With one more, where there is one.
pub(super) fn with(mut limits: Vec<Limit>, name: &str, limit: Option<f64>) -> Vec<Limit> {
    limits.extend(limit.map(|limit| (name.to_owned(), limit)));
    limits
}

/// A line for each that lies within the chart.
pub(super) fn drawn(limits: &[Limit], most: f64) -> Markup {
    html! {
        @for (name, limit) in limits.iter().filter(|(_, limit)| *limit <= most) {
            @let height = at(1.0 - limit / most);
            line.limit x1="0" x2="100%" y1=(height) y2=(height) { title { (name) } }
        }
    }
}

/// Each with its number, for the legend.
pub(super) fn named(limits: &[Limit], show: impl Fn(f64) -> String) -> Markup {
    html! {
        @for (name, limit) in limits {
            li { svg width="28" height="8" aria-hidden="true" { line.limit x1="0" x2="28" y1="4" y2="4" {} } " " (name) " " (show(*limit)) }
        }
    }
}
