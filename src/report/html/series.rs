//! A number over runs, drawn.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::section::Tone;
use super::svg::{Plot, Tick, at, line, number, path};

/// A run's value.
pub(crate) struct Point {
    pub(crate) at: DateTime<Utc>,
    /// None where the run has none.
    pub(crate) value: Option<f64>,
    /// How the run came out.
    pub(crate) tone: Tone,
}

/// A number over runs, oldest first.
pub(crate) struct Chart<'a> {
    /// Unique on the page.
    pub(crate) id: &'a str,
    pub(crate) name: &'static str,
    /// The number as text.
    pub(crate) show: fn(Option<f64>) -> String,
    pub(crate) points: Vec<Point>,
    /// What a gate asks of it.
    pub(crate) limit: Option<f64>,
    /// The place of the first run after a shift.
    pub(crate) shift: Option<usize>,
    /// What stands below the name.
    pub(crate) note: String,
}

impl Chart<'_> {
    /// The chart; nothing where no run has the number.
    pub(crate) fn render(&self) -> Markup {
        let runs = self.points.len();
        let of = |(at, point): (usize, &Point)| Some((at, point.value.filter(|value| value.is_finite())?));
        let values: Vec<(usize, f64)> = self.points.iter().enumerate().filter_map(of).collect();
        let Some((_, last)) = values.last() else { return html! {} };
        let show = |value: f64| (self.show)(Some(value));
        let limit = self.limit;
        let (low, high) = range(values.iter().map(|(_, value)| *value).chain(limit));
        let y = |value: f64| (value - low) / (high - low);
        let place = |at: f64| at / number(runs.saturating_sub(1).max(1) as u64);
        let x = |at: usize| place(number(at as u64));
        let day = |point: Option<&Point>| {
            point.map(|point| point.at.format("%Y-%m-%d").to_string()).unwrap_or_default()
        };
        let gate = limit.map(|limit| format!("; the gate is at {}", show(limit))).unwrap_or_default();
        let shift = self.shift.map(|at| place(number(at as u64) - 0.5));
        let plot = Plot {
            id: self.id,
            title: format!("{} over {runs} runs, now {}{gate}.", self.name, show(*last)),
            height: 120,
            x: vec![(0.0, day(self.points.first())), (1.0, day(self.points.last()))],
            y: Vec::<Tick>::from([(0.0, show(low)), (1.0, show(high))]),
            stretched: html! {
                @if let Some(shift) = shift { (line("diagonal", &path([(shift, 0.0), (shift, 1.0)]))) }
                (line("curve", &path(values.iter().map(|(at, value)| (x(*at), y(*value))))))
            },
            over: html! {
                @if let Some(limit) = limit {
                    line.limit x1="0" x2="100%" y1=(at(1.0 - y(limit))) y2=(at(1.0 - y(limit))) {}
                }
                @for (place, value) in &values {
                    circle.(self.points[*place].tone.class()) cx=(at(x(*place))) cy=(at(1.0 - y(*value))) r=(if place + 1 == runs { "5" } else { "3" }) {}
                }
            },
            axes: ["", ""],
        };
        html! {
            figure {
                figcaption { h3 { (self.name) " " b { (show(*last)) } } p.note { (self.note) } }
                (plot.render())
            }
        }
    }
}

/// The least and the largest value, and a little more on both sides.
fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    let room = ((high - low) * 0.1).max(high.abs() * 0.005).max(1e-6);
    ((low - room).max(0.0), high + room)
}
