//! Where a threshold on the score would cut: the ROC curve, and both errors over all thresholds.

use maud::{Markup, html};

use super::super::figures;
use super::section::{Table, Tone, cell, folded, mark};
use super::svg::{Plot, at, line, path, quarters};
use crate::stats::{Proportion, ScoredCases, ThresholdRow};

/// A miss is taken to be as dear as so many false alarms.
const MISS: f64 = 5.0;
/// The table has a row for about so many thresholds.
const ROWS: usize = 12;

fn share(proportion: Proportion) -> f64 {
    proportion.rate().unwrap_or(0.0)
}

/// The ROC curve; nothing without both kinds of phrases.
pub(super) fn roc(cases: &ScoredCases) -> Markup {
    let Some(area) = cases.roc_auc() else { return html! {} };
    let rows = cases.sweep();
    let curve = rows.iter().map(|row| (share(row.counts.false_positive_rate()), share(row.counts.recall())));
    let plot = Plot {
        id: "roc",
        title: format!(
            "ROC curve: the share of positive phrases found against the share of false alarms. The area below it is {}.",
            figures::number(Some(area))
        ),
        height: 260,
        x: quarters().into_iter().step_by(2).collect(),
        y: quarters(),
        stretched: html! {
            (line("diagonal", &path([(0.0, 0.0), (1.0, 1.0)])))
            (line("curve", &path(std::iter::once((0.0, 0.0)).chain(curve))))
        },
        over: html! {},
        axes: ["false positives", "positives found"],
    };
    html! {
        figure.square {
            figcaption { h3 { "Does the score separate?" } }
            (plot.render())
            (folded("The numbers", &table(&thinned(&rows))))
        }
    }
}

/// Both errors over all thresholds; nothing without both kinds of phrases.
pub(super) fn sweep(cases: &ScoredCases) -> Markup {
    let (Some(_), Some(cheapest)) = (cases.roc_auc(), cases.cheapest_threshold(1.0, MISS)) else {
        return html! {};
    };
    let rows = cases.sweep();
    let plot = Plot {
        id: "sweep",
        title: format!(
            "False positives and false negatives over the threshold. With a miss as dear as {MISS} false alarms, {} is the cheapest: {} false positives and {} false negatives.",
            figures::number(Some(cheapest.threshold)),
            figures::percent(cheapest.counts.false_positive_rate().rate()),
            figures::percent(cheapest.counts.false_negative_rate().rate())
        ),
        height: 220,
        x: [0.0, 0.2, 0.4, 0.6, 0.8, 1.0].map(|score| (score, format!("{score}"))).to_vec(),
        y: quarters(),
        stretched: html! {
            (line("curve", &steps(&rows, |row| share(row.counts.false_positive_rate()), 0.0)))
            (line("curve second", &steps(&rows, |row| share(row.counts.false_negative_rate()), 1.0)))
        },
        over: html! {
            line.limit x1=(at(cheapest.threshold)) x2=(at(cheapest.threshold)) y1="0" y2="100%" {}
        },
        axes: ["threshold", "share"],
    };
    html! {
        figure {
            figcaption {
                h3 { "Where would a threshold cut?" }
                p.legend aria-hidden="true" {
                    span { svg width="26" height="14" { line.curve x1="1" x2="25" y1="7" y2="7" {} } "false positives" }
                    span { svg width="26" height="14" { line.curve.second x1="1" x2="25" y1="7" y2="7" {} } "false negatives" }
                    span { svg width="10" height="14" { line.limit x1="5" x2="5" y1="0" y2="14" {} } "the cheapest, a miss as dear as " (MISS) " false alarms" }
                }
            }
            (plot.render())
            p.finding {
                (mark(Tone::Unsure)) " The cheapest threshold here is " b { (figures::number(Some(cheapest.threshold))) }
                ". " b { "It is chosen on the very phrases that it is judged on" }
                ", so on others it will do worse. Choose one on the phrases that you tune on, and judge it on those that you held back."
            }
        }
    }
}

/// The error as steps over the threshold. `above` is what it is where nothing is called positive any more.
fn steps(rows: &[ThresholdRow], error: impl Fn(&ThresholdRow) -> f64, above: f64) -> String {
    // A row holds from its own threshold down to the next lower one, so each level runs to the left.
    let mut points = vec![(1.0, above)];
    let mut level = above;
    for row in rows {
        points.extend([(row.threshold, level), (row.threshold, error(row))]);
        level = error(row);
    }
    points.push((0.0, level));
    path(points)
}

/// About [`ROWS`] of the rows, the first and the last among them.
fn thinned(rows: &[ThresholdRow]) -> Vec<ThresholdRow> {
    let step = rows.len().div_ceil(ROWS).max(1);
    let last = rows.len().saturating_sub(1);
    rows.iter().enumerate().filter(|(at, _)| at % step == 0 || *at == last).map(|(_, row)| *row).collect()
}

fn table(rows: &[ThresholdRow]) -> Markup {
    let rows = rows.iter().map(|row| {
        vec![
            cell(format!("{:.3}", row.threshold)),
            cell(figures::percent(row.counts.false_positive_rate().rate())),
            cell(figures::percent(row.counts.false_negative_rate().rate())),
            cell(figures::percent(row.counts.precision().rate())),
            cell(format!("{:.0}", row.cost(1.0, MISS))),
        ]
    });
    Table {
        caption: "Both errors at some thresholds",
        head: vec!["Threshold", "#False positives", "#False negatives", "#Precision", "#Cost"],
        rows: rows.collect(),
    }
    .render()
}
