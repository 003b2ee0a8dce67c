//! How long the requests of a load run took by category: long phrases may be slower than short ones.

use maud::{Markup, html};

use super::super::figures;
use super::clean;
use super::section::{Table, cell};
use crate::domain::{LatencyReport, LoadRecord};

/// Response and service time of each category; nothing where there is only one.
pub(super) fn table(load: &LoadRecord) -> Markup {
    if load.categories.len() < 2 {
        return html! {};
    }
    let times = |report: Option<&LatencyReport>| {
        let of = |time: fn(&LatencyReport) -> Option<f64>| cell(figures::duration(report.and_then(time)));
        [of(|report| report.p50_ms), of(|report| report.p95_ms), of(|report| report.p99_ms)]
    };
    let rows = load.categories.iter().map(|(name, response)| {
        let mut row = vec![cell(clean::name(name)), cell(response.count.to_string())];
        row.extend(times(Some(response)));
        row.extend(times(load.category_services.get(name)));
        row
    });
    let head = vec![
        "Category",
        "#Phrases waited for",
        "#Response p50",
        "#Response p95",
        "#Response p99",
        "#Service p50",
        "#Service p95",
        "#Service p99",
    ];
    let caption = "Response and service time by category";
    html! { h3 { "By category" } (Table { caption, head, rows: rows.collect() }.render()) }
}
