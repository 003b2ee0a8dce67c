//! The confusion matrix, whose cells lead to their phrases, and the agreement beyond chance.

use maud::{Markup, html};

use super::super::figures;
use super::section::Section;
use super::svg::ratio;
use crate::domain::{Level, Metrics};

/// Shades that a cell can have.
const SHADES: [&str; 6] = ["s0", "s1", "s2", "s3", "s4", "s5"];

pub(super) fn section(metrics: &Metrics) -> Option<Section> {
    let rows: Vec<(Level, &Vec<u64>)> = Level::ALL.into_iter().zip(&metrics.confusion).collect();
    if rows.iter().all(|(_, row)| row.iter().all(|count| *count == 0)) {
        return None;
    }
    let body = html! {
        div.scroll role="group" aria-label="Confusion matrix" tabindex="0" {
            table.matrix {
                caption { "Rows: the expected level (of several the middle one). Columns: the answer. A number leads to its phrases." }
                thead { tr {
                    th scope="col" { span.unseen { "expected" } }
                    @for level in Level::ALL { th scope="col" { (level.as_str()) } }
                    th scope="col" { "no answer" }
                } }
                tbody { @for (expected, counts) in &rows { (row(*expected, counts)) } }
            }
        }
        (agreement(metrics))
    };
    Some(Section { id: "confusion", title: "Expected and answered", summary: String::new(), body })
}

fn row(expected: Level, counts: &[u64]) -> Markup {
    let all: u64 = counts.iter().sum();
    html! {
        tr {
            th scope="row" { (expected.as_str()) }
            @for answered in 0..=Level::ALL.len() {
                @let count = counts.get(answered).copied().unwrap_or_default();
                @let got = Level::ALL.get(answered).map_or("no answer", |level| level.as_str());
                @let own = if answered == expected.index() { " own" } else { "" };
                @if count == 0 {
                    td class={ "s0" (own) } { span.nothing { "·" } }
                } @else {
                    td class={ (shade(count, all)) (own) } {
                        a href=(link(expected, got)) aria-label=(format!("expected {expected}, answered {got}: {}", figures::count(count, "phrase", "phrases"))) {
                            (count)
                        }
                    }
                }
            }
        }
    }
}

/// The phrases of a cell.
fn link(expected: Level, got: &str) -> String {
    format!("#show=all&expected={expected}&got={}", super::clean::encode(got))
}

/// The darker, the larger the share of the row.
fn shade(count: u64, of: u64) -> &'static str {
    let share = ratio(count, of);
    let at = [0.0, 0.1, 0.25, 0.5, 0.75].iter().filter(|from| share > **from).count();
    SHADES[at.min(SHADES.len() - 1)]
}

/// How much better than chance the answers are.
fn agreement(metrics: &Metrics) -> Markup {
    let scores = &metrics.scores;
    let constant = metrics.best_constant.map(|level| {
        format!("over always answering “{level}” ({})", figures::percent(metrics.best_constant_accuracy))
    });
    let rows = [
        ("Lift", figures::points(metrics.lift), constant.unwrap_or_default()),
        (
            "Kappa",
            figures::estimate(scores.kappa_quadratic.as_ref()),
            "quadratic weights, 95 % interval".to_owned(),
        ),
        ("Macro-F1", figures::number(scores.macro_f1), "mean of the five levels".to_owned()),
        ("MCC", figures::number(scores.mcc), "Matthews' correlation".to_owned()),
        ("Distance", figures::number(scores.mean_distance), "mean levels off".to_owned()),
        ("Bias", signed(scores.bias), "mean levels too high; below 0 is too low".to_owned()),
    ];
    html! {
        dl.facts {
            @for (name, value, detail) in rows { dt { (name) } dd { b { (value) } " " span.detail { (detail) } } }
        }
        @if metrics.straddling > 0 {
            p.note {
                (figures::count(metrics.straddling, "phrase expects", "phrases expect"))
                " levels on both sides of the alert level, and neither error rate looks there."
            }
        }
    }
}

fn signed(value: Option<f64>) -> String {
    match value.filter(|value| value.is_finite()) {
        Some(value) => format!("{value:+.2}"),
        None => figures::NOTHING.to_owned(),
    }
}
