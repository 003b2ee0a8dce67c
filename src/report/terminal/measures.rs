//! The measures: how often it matters, and how much better than chance the answers are.

use crate::domain::{HumanAgreement, Metrics, Rate, RunRecord};

use super::super::figures;
use super::columns::{
    self,
    Side::{Left, Right},
};
use super::page::{Line, Page, Tone};

pub(super) fn show(page: &mut Page, record: &RunRecord) {
    let metrics = &record.metrics;
    if metrics.phrases == 0 {
        return;
    }
    let rates = [
        rate("false positives", &metrics.false_positive_rate),
        rate("false negatives", &metrics.false_negative_rate),
        rate("severe misses", &metrics.severe_miss_rate),
    ];
    let scores = [
        ["kappa", &figures::estimate(metrics.scores.kappa_quadratic.as_ref())],
        ["macro-F1", &figures::number(metrics.scores.macro_f1)],
        ["MCC", &figures::number(metrics.scores.mcc)],
    ]
    .map(|row| row.map(str::to_owned).to_vec());
    let beside: Vec<Vec<String>> =
        rates.iter().zip(&scores).map(|(rate, score)| [rate.as_slice(), score].concat()).collect();
    let beside = columns::lines(&beside, &[Left, Right, Right, Left, Left, Left]);
    page.section("Measures", &lift(metrics));
    let fits = beside.iter().all(|line| columns::width_of([line.trim_end()]) + 4 <= page.width());
    let lines = if fits {
        beside
    } else {
        [columns::lines(&rates, &[Left, Right, Right, Left]), columns::lines(&scores, &[Left, Left])].concat()
    };
    for line in lines {
        page.line(Line::of(Tone::Plain, format!("    {line}")));
    }
    if let Some(agreement) = &record.human_agreement {
        page.paragraph(Line::of(Tone::Plain, "    "), Tone::Dim, &people(agreement));
    }
}

/// What kappa has to be held against.
fn people(agreement: &HumanAgreement) -> String {
    let HumanAgreement { alpha, phrases, annotations } = agreement;
    format!(
        "people agree with each other α = {} ({annotations} labels on {phrases} phrases); a service cannot be asked \
         to agree more",
        figures::number(*alpha)
    )
}

/// A rate with what it counts.
fn rate(name: &str, rate: &Rate) -> Vec<String> {
    let of = format!("{}/{}", rate.count, rate.of);
    vec![name.to_owned(), of, figures::percent(rate.value), figures::percent_interval(rate.wilson)]
}

/// What the answers are worth beyond those of somebody who does not read the phrases.
fn lift(metrics: &Metrics) -> String {
    metrics.best_constant.map_or_else(String::new, |constant| {
        let (lift, accuracy) =
            (figures::points(metrics.lift), figures::percent(metrics.best_constant_accuracy));
        format!("lift {lift} over always answering `{constant}` ({accuracy})")
    })
}
