//! The confusion matrix, whose cells lead to their phrases, and the agreement beyond chance.

use maud::{Markup, html};

use super::super::figures;
use super::matrix::Matrix;
use super::section::Section;
use crate::domain::Metrics;

pub(super) fn section(metrics: &Metrics) -> Option<Section> {
    if metrics.confusion.iter().flatten().all(|count| *count == 0) {
        return None;
    }
    let matrix = Matrix {
        caption: "Rows: the expected level (of several the middle one). Columns: the answer. A number leads to its phrases.",
        key: "expected",
        side: "expected",
        counts: &metrics.confusion,
    };
    let body = html! {
        (matrix.render())
        (agreement(metrics))
    };
    Some(Section { id: "confusion", title: "Expected and answered", summary: String::new(), body })
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
