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
    let curves = [
        (
            &record.latency,
            "curve",
            "response time, from when a request should have started",
            "#Response time",
        ),
        (&record.attempt_latency, "curve faint", "service time, from when it did", "#Service time"),
    ];
    draw("Response and service time by percentile", &curves)
}

/// The response times of two runs.
pub(super) fn beside(baseline: &LatencyReport, candidate: &LatencyReport) -> Markup {
    let curves =
        [(candidate, "curve", "candidate", "#Candidate"), (baseline, "curve faint", "baseline", "#Baseline")];
    draw("Response time in both runs by percentile", &curves)
}

/// The first curve decides how far it goes.
fn draw(title: &'static str, curves: &[(&LatencyReport, &str, &str, &'static str); 2]) -> Markup {
    let read = |report: &LatencyReport| LatencyHistogram::from_base64(report.histogram.as_deref()?).ok();
    let found = curves.map(|(report, ..)| read(report));
    let Some(first) = &found[0] else { return html! {} };
    // As far as there are ten measurements beyond.
    let nines = (number(first.count().max(10)) / 10.0).log10().clamp(1.0, 4.0);
    let last = |histogram: &LatencyHistogram| at(histogram, 1.0 - 10_f64.powf(-nines));
    let most = found.iter().flatten().map(last).fold(1e-3, f64::max) * 1.05;
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
        title: format!("{title}."),
        height: 180,
        x,
        y: [0.0, 0.5, 1.0].map(|share| (share, figures::duration(Some(share * most)))).to_vec(),
        stretched: html! {
            @for ((_, class, ..), histogram) in curves.iter().zip(&found).rev() {
                @if let Some(histogram) = histogram { (line(class, &curve(histogram))) }
            }
        },
        over: html! {},
        axes: ["percentile", "at most"],
    };
    let rows = [0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999]
        .into_iter()
        .filter(|q| 1.0 - q >= 10_f64.powf(-nines) * 0.999);
    let rows = rows.map(|q| {
        let of = |histogram: &Option<LatencyHistogram>| {
            let time = histogram.as_ref().map(|histogram| figures::duration(Some(at(histogram, q))));
            cell(time.unwrap_or_else(|| figures::NOTHING.to_owned()))
        };
        vec![cell(format!("{} %", (q * 1e6).round() / 1e4)), of(&found[0]), of(&found[1])]
    });
    let head = vec!["Percentile", curves[0].3, curves[1].3];
    let table = Table { caption: title, head, rows: rows.collect() };
    html! {
        figure {
            figcaption { h3 { "By percentile" } }
            ul.legend { @for (_, class, word, _) in curves {
                li { svg width="28" height="8" aria-hidden="true" { path class=(class) d="M0 4H28" {} } " " (word) }
            } }
            (plot.render())
            (folded("The percentiles", &table.render()))
        }
    }
}

/// The time of a quantile in milliseconds.
fn at(histogram: &LatencyHistogram, quantile: f64) -> f64 {
    histogram.percentile(quantile.clamp(0.0, 1.0)).map_or(0.0, |time| time.as_secs_f64() * 1e3)
}
