//! The percentile curve of a load run: how slow the slowest one in ten, in a hundred, in a thousand are.

use maud::{Markup, html};

use super::super::figures;
use super::section::{Table, cell, folded};
use super::svg::{Plot, Tick, line, number, path};
use crate::domain::{LatencyReport, RunRecord};
use crate::stats::LatencyHistogram;

/// The quantiles that are written below the curve: none, nine in ten, and so on.
const NINES: [(f64, &str); 5] =
    [(0.0, "0"), (0.9, "90 %"), (0.99, "99 %"), (0.999, "99.9 %"), (0.9999, "99.99 %")];
/// Points of a curve.
const POINTS: u32 = 120;

/// Response and service time, quantile by quantile; nothing where nothing was measured.
pub(super) fn figure(record: &RunRecord) -> Markup {
    let read = |report: &LatencyReport| LatencyHistogram::from_base64(report.histogram.as_deref()?).ok();
    let (Some(response), service) = (read(&record.latency), read(&record.attempt_latency)) else {
        return html! {};
    };
    // As far as there are ten measurements beyond.
    let nines = (number(response.count().max(10)) / 10.0).log10().clamp(1.0, 4.0);
    let most = at(&response, 1.0 - 10_f64.powf(-nines)).max(1e-3) * 1.05;
    let curve = |histogram: &LatencyHistogram| {
        path((0..=POINTS).map(|i| {
            let share = f64::from(i) / f64::from(POINTS);
            (share, at(histogram, 1.0 - 10_f64.powf(-share * nines)) / most)
        }))
    };
    let x: Vec<Tick> = NINES
        .iter()
        .map(|(quantile, name)| (-(1.0 - quantile).log10() / nines, (*name).to_owned()))
        .filter(|(place, _)| *place <= 1.0)
        .collect();
    let plot = Plot {
        id: "load-percentiles",
        title: "Response and service time by percentile.".to_owned(),
        height: 180,
        x,
        y: [0.0, 0.5, 1.0].map(|share| (share, figures::duration(Some(share * most)))).to_vec(),
        stretched: html! {
            @if let Some(service) = &service { (line("curve faint", &curve(service))) }
            (line("curve", &curve(&response)))
        },
        over: html! {},
        axes: ["percentile", "at most"],
    };
    let rows = [0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999]
        .into_iter()
        .filter(|q| 1.0 - q >= 10_f64.powf(-nines) * 0.999);
    let rows = rows.map(|q| {
        let of = |histogram: Option<&LatencyHistogram>| {
            histogram.map_or_else(
                || figures::NOTHING.to_owned(),
                |histogram| figures::duration(Some(at(histogram, q))),
            )
        };
        vec![
            cell(format!("{} %", (q * 1e6).round() / 1e4)),
            cell(of(Some(&response))),
            cell(of(service.as_ref())),
        ]
    });
    let table = Table {
        caption: "Response and service time by percentile",
        head: vec!["Percentile", "#Response time", "#Service time"],
        rows: rows.collect(),
    };
    html! {
        figure {
            figcaption { h3 { "By percentile" } }
            ul.legend {
                li { svg width="28" height="8" aria-hidden="true" { path.curve d="M0 4H28" {} } " response time, from when a request should have started" }
                li { svg width="28" height="8" aria-hidden="true" { path class="curve faint" d="M0 4H28" {} } " service time, from when it did" }
            }
            (plot.render())
            (folded("The percentiles", &table.render()))
        }
    }
}

/// The time of a quantile in milliseconds.
fn at(histogram: &LatencyHistogram, quantile: f64) -> f64 {
    histogram.percentile(quantile.clamp(0.0, 1.0)).map_or(0.0, |time| time.as_secs_f64() * 1e3)
}
