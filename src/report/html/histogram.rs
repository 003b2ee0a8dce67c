//! A histogram of latencies over a logarithmic axis, with the percentiles marked.

use maud::{Markup, html};

use super::super::figures;
use super::section::{Table, cell, folded};
use super::svg::{Plot, Tick, at, number, ratio};
use crate::domain::LatencyReport;

/// The most bars that a histogram has.
const BARS: usize = 24;
/// The share of the height that the highest bar takes; above it is room for words.
const HIGHEST: f64 = 0.72;
/// Anything faster counts as this fast: a logarithm has no zero.
const FASTEST: f64 = 0.001;

/// A logarithmic axis in milliseconds.
struct Axis {
    low: f64,
    high: f64,
}

impl Axis {
    /// From the fastest to the slowest, at least a little wide.
    fn over(times: &[f64]) -> Self {
        let low = times.iter().copied().fold(f64::INFINITY, f64::min);
        let high = times.iter().copied().fold(FASTEST, f64::max);
        Self { low: (low * 0.98).max(FASTEST), high: (high * 1.02).max(low * 1.1) }
    }

    /// Where a time stands, from 0 to 1.
    fn place(&self, ms: f64) -> f64 {
        ((ms.max(FASTEST) / self.low).ln() / (self.high / self.low).ln()).clamp(0.0, 1.0)
    }

    /// The time at a place.
    fn time(&self, place: f64) -> f64 {
        self.low * (self.high / self.low).powf(place)
    }

    /// Round times, few enough to be read.
    fn ticks(&self) -> Vec<Tick> {
        let mut ticks = Vec::new();
        let mut decade = 10_f64.powf(self.low.log10().floor());
        while decade <= self.high {
            ticks.extend([1.0, 2.0, 5.0].map(|step| decade * step));
            decade *= 10.0;
        }
        ticks.retain(|ms| (self.low..=self.high).contains(ms));
        // A wide axis has room for powers of ten alone.
        if ticks.len() > 7 {
            ticks.retain(|ms| (ms.log10() - ms.log10().round()).abs() < 1e-9);
        }
        ticks.into_iter().map(|ms| (self.place(ms), round(ms))).collect()
    }
}

/// A round time without digits that say nothing.
fn round(ms: f64) -> String {
    if ms >= 1000.0 { format!("{} s", ms / 1000.0) } else { format!("{} ms", (ms * 1e6).round() / 1e6) }
}

/// The histogram with its data; nothing without a time.
pub(super) fn figure(times: &[f64], report: &LatencyReport) -> Markup {
    let times: Vec<f64> = times.iter().copied().filter(|ms| ms.is_finite() && *ms >= 0.0).collect();
    if times.is_empty() {
        return html! {};
    }
    let axis = Axis::over(&times);
    let counts = counts(&times, &axis);
    let most = counts.iter().copied().max().unwrap_or(0);
    let width = 1.0 / number(counts.len() as u64);
    let marks: Vec<(&str, f64)> = [("p50", report.p50_ms), ("p95", report.p95_ms), ("p99", report.p99_ms)]
        .into_iter()
        .filter_map(|(name, ms)| Some((name, ms.filter(|ms| ms.is_finite())?)))
        .collect();
    let plot = Plot {
        id: "latency-histogram",
        title: format!(
            "How many answers took how long, from {} to {}; half of them at most {}.",
            figures::duration(report.min_ms),
            figures::duration(report.max_ms),
            figures::duration(report.p50_ms)
        ),
        height: 170,
        x: axis.ticks(),
        y: vec![(0.0, "0".to_owned()), (HIGHEST, most.to_string())],
        stretched: html! {},
        over: html! {
            @for (bar, count) in counts.iter().enumerate() {
                @if *count > 0 {
                    @let (from, share) = (number(bar as u64) * width, ratio(*count, most) * HIGHEST);
                    rect.bar x=(at(from + width * 0.04)) width=(at(width * 0.92)) y=(at(1.0 - share)) height=(at(share)) {}
                }
            }
            @for (row, (name, ms)) in marks.iter().enumerate() {
                @let place = axis.place(*ms);
                line.limit x1=(at(place)) x2=(at(place)) y1="0" y2="100%" {}
                text.mark.(if place > 0.8 { "end" } else { "start" }) x=(at(place)) dx=(if place > 0.8 { "-5" } else { "5" }) y=(12 + row * 15) {
                    (name) " " (figures::duration(Some(*ms)))
                }
            }
        },
        axes: ["time, each step as many times as long", "answers"],
    };
    let rows = counts.iter().enumerate().filter(|(_, count)| **count > 0).map(|(bar, count)| {
        vec![cell(bounds(&axis, number(bar as u64) * width, width)), cell(count.to_string())]
    });
    let table = Table {
        caption: "Answers by the time that they took",
        head: vec!["Time", "#Answers"],
        rows: rows.collect(),
    };
    html! {
        figure {
            figcaption { h3 { "How long answers took" } }
            (plot.render())
            (folded("The numbers", &table.render()))
        }
    }
}

fn bounds(axis: &Axis, from: f64, width: f64) -> String {
    format!(
        "{} to {}",
        figures::duration(Some(axis.time(from))),
        figures::duration(Some(axis.time(from + width)))
    )
}

/// How many times fall into each bar; there are fewer bars for fewer times.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place from 0 to 1 on a few bars"
)]
fn counts(times: &[f64], axis: &Axis) -> Vec<u64> {
    let bars = (number(times.len() as u64).sqrt() * 2.0).ceil().clamp(5.0, number(BARS as u64));
    let mut counts = vec![0; bars as usize];
    for ms in times {
        let bar = ((axis.place(*ms) * bars) as usize).min(counts.len() - 1);
        counts[bar] += 1;
    }
    counts
}
