//! Two loads over each other: rates and response times over time, and the percentiles.

use maud::{Markup, html};

use super::super::{figures, loads};
use super::load::{time_ticks, value_ticks};
use super::load_curve;
use super::section::{Section, Table, cell};
use super::svg::{Plot, line, number, path};
use crate::domain::{LoadBrief, LoadComparison, LoadSecond};

/// The section; none where they were no load runs.
pub(super) fn section(both: Option<&LoadComparison>) -> Option<Section> {
    let both = both?;
    let rows = loads::rows(both).into_iter().map(|row| row.into_iter().map(cell).collect());
    let table =
        Table { caption: "Both loads", head: vec!["", "#Baseline", "#Candidate"], rows: rows.collect() };
    let body = html! {
        (table.render())
        (over_time(both))
        (load_curve::beside(&both.baseline.response, &both.candidate.response))
    };
    let p95 = |load: &LoadBrief| figures::duration(load.response.p95_ms);
    let summary = format!("p95 {}, and {} before", p95(&both.candidate), p95(&both.baseline));
    Some(Section { id: "load", title: "Load", summary, body })
}

/// What tells the two runs apart in every chart.
pub(super) fn legend() -> Markup {
    let key = |class: &str, word: &str| html! { li { svg width="28" height="8" aria-hidden="true" { path class=(class) d="M0 4H28" {} } " " (word) } };
    html! { ul.legend { (key("curve faint", "baseline")) (key("curve", "candidate")) } }
}

fn over_time(both: &LoadComparison) -> Markup {
    let sides = [(&both.baseline, "curve faint"), (&both.candidate, "curve")];
    let end = |load: &LoadBrief| load.seconds.last().map_or(0.0, |second| second.at_s + slice_s(load));
    let end = end(&both.baseline).max(end(&both.candidate));
    if sides.iter().any(|(load, _)| load.seconds.len() < 2) {
        return html! {};
    }
    let most = |of: &dyn Fn(&LoadBrief, &LoadSecond) -> Option<f64>| {
        let all =
            sides.iter().flat_map(|(load, _)| load.seconds.iter().filter_map(move |second| of(load, second)));
        all.fold(1.0, f64::max) * 1.05
    };
    let curves = |of: &dyn Fn(&LoadBrief, &LoadSecond) -> Option<f64>, most: f64| {
        html! { @for (load, class) in sides {
            (line(class, &path(load.seconds.iter().filter_map(|second| {
                Some(((second.at_s + slice_s(load) / 2.0) / end, of(load, second)? / most))
            }))))
        } }
    };
    let slow = |_: &LoadBrief, second: &LoadSecond| second.p95_ms;
    let started = |load: &LoadBrief, second: &LoadSecond| Some(number(second.started) / load.second_s);
    let silent = |load: &LoadBrief, second: &LoadSecond| Some(number(second.unanswered) / load.second_s);
    let plot = |id,
                title: &str,
                of: &dyn Fn(&LoadBrief, &LoadSecond) -> Option<f64>,
                show: &dyn Fn(f64) -> String,
                axis| {
        let most = most(of);
        let plot = Plot {
            id,
            title: title.to_owned(),
            height: 160,
            x: time_ticks(end),
            y: value_ticks(most, show),
            stretched: curves(of, most),
            over: html! {},
            axes: ["time", axis],
        };
        plot.render()
    };
    let rate = |rate: f64| format!("{rate:.0}/s");
    html! {
        figure {
            figcaption { h3 { "Over time" } }
            (legend())
            (plot("loads-latency", "Response time in both runs: p95 of each second.", &slow, &|ms| figures::duration(Some(ms)), "p95"))
            (plot("loads-rate", "Requests started a second in both runs.", &started, &rate, "started"))
            (plot("loads-silent", "Requests without an answer a second in both runs.", &silent, &rate, "no answer"))
        }
    }
}

/// How long one of the slices is that are shown.
fn slice_s(load: &LoadBrief) -> f64 {
    match load.seconds.as_slice() {
        [first, second, ..] => second.at_s - first.at_s,
        _ => load.second_s,
    }
}
