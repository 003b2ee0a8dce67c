//! The reliability diagram: what a score promised, and how often it was so.

use maud::{Markup, html};

use super::super::figures;
use super::section::{Table, cell, folded};
use super::svg::{Plot, at, line, path, quarters, ratio};
use crate::stats::{Binning, CalibrationBin, Confidence, IntervalMethod, ScoredCases};

/// The diagram with its data; nothing without cases.
pub(super) fn figure(cases: &ScoredCases) -> Markup {
    let Some(calibration) = cases.calibration(Binning::default()) else { return html! {} };
    let bins = &calibration.bins;
    let largest = bins.iter().map(|bin| bin.observed.trials()).max().unwrap_or(0);
    let diagram = Plot {
        id: "reliability",
        title: format!(
            "Reliability diagram: the share of positive phrases against the mean score, in {} bins; on the diagonal a score is honest. The largest error of a bin is {}.",
            bins.len(),
            figures::number(Some(calibration.max_error))
        ),
        height: 240,
        x: scores(),
        y: quarters(),
        stretched: line("diagonal", &path([(0.0, 0.0), (1.0, 1.0)])),
        over: html! { @for bin in bins { (dot(bin)) } },
        axes: ["score", "share that must reach a human"],
    };
    let histogram = Plot {
        id: "score-histogram",
        title: format!("How many phrases have which score; the fullest tenth holds {largest}."),
        height: 60,
        x: Vec::new(),
        y: vec![(1.0, largest.to_string())],
        stretched: html! {},
        over: html! {
            @for bin in bins {
                @let share = ratio(bin.observed.trials(), largest);
                rect.bar x=(at(bin.lower + 0.005)) width=(at(bin.upper - bin.lower - 0.01)) y=(at(1.0 - share)) height=(at(share)) {}
            }
        },
        axes: ["", "phrases"],
    };
    html! {
        figure {
            figcaption { h3 { "Is a score of 0.8 right eight times in ten?" } }
            (diagram.render())
            (histogram.render())
            (folded("The numbers", &table(bins)))
        }
    }
}

fn scores() -> Vec<(f64, String)> {
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0].map(|score| (score, format!("{score}"))).to_vec()
}

fn range(bin: &CalibrationBin) -> String {
    format!("{:.1}–{:.1}", bin.lower, bin.upper)
}

fn interval(bin: &CalibrationBin) -> Option<[f64; 2]> {
    let interval = bin.observed.interval(IntervalMethod::Wilson, Confidence::PERCENT_95)?;
    Some([interval.lower, interval.upper])
}

fn dot(bin: &CalibrationBin) -> Markup {
    let Some(rate) = bin.observed.rate() else { return html! {} };
    let x = at(bin.mean_score);
    html! {
        @if let Some([lower, upper]) = interval(bin) { line.range x1=(x) x2=(x) y1=(at(1.0 - lower)) y2=(at(1.0 - upper)) {} }
        circle cx=(x) cy=(at(1.0 - rate)) r="4.5" {}
    }
}

fn table(bins: &[CalibrationBin]) -> Markup {
    let rows = bins.iter().map(|bin| {
        vec![
            cell(range(bin)),
            cell(bin.observed.trials().to_string()),
            cell(figures::number(Some(bin.mean_score))),
            cell(figures::share(bin.observed.rate(), interval(bin))),
            cell(figures::number(Some(bin.error()))),
        ]
    });
    Table {
        caption: "Scores against outcomes",
        head: vec!["Scores", "#Phrases", "#Mean score", "#Share positive", "#Error"],
        rows: rows.collect(),
    }
    .render()
}
