//! A page over two runs, and the numbers of a comparison wherever it is shown.

use maud::{Markup, html};

use super::super::figures;
use super::flips::{self, difference, probability};
use super::page::Page;
use super::section::{Place, Section, Table, cell};
use super::{clean, gates, loads, verdict};
use crate::domain::{Estimate, PairedTest, RunComparison, RunVerdict, SliceComparison};

/// The whole page: the verdict on the candidate, its gates, and what changed.
pub(crate) fn page(comparison: &RunComparison, decided: &RunVerdict) -> Page {
    let tone = verdict::tone(decided.conclusion);
    let candidate = &comparison.candidate;
    let header = html! {
        p.origin { "thrash · a comparison" }
        (verdict::conclusion(decided))
        p.lead { (flips::summary(comparison)) "." }
        @if !decided.sentence.is_empty() { p.why { (verdict::sentence(&decided.sentence)) } }
        dl.runs {
            dt { "Baseline" } dd { (flips::brief(&comparison.baseline)) }
            dt { "Candidate" } dd { (flips::brief(candidate)) }
        }
    };
    let changed = html! {
        (flips::warnings(comparison))
        (flips::outcome(comparison))
        (flips::apart(comparison))
        (flips::changes(comparison, Place::Alone))
    };
    let sections = [
        Some(gates::section(decided, None, Place::Alone)),
        loads::section(comparison.load.as_deref()),
        Some(Section {
            id: "flips",
            title: "What changed",
            summary: flips::summary(comparison),
            body: changed,
        }),
        Some(Section { id: "numbers", title: "Numbers", summary: String::new(), body: numbers(comparison) }),
    ];
    let sections = sections.into_iter().flatten().collect();
    let title = format!(
        "{} {} and {}",
        tone.mark(),
        clean::name(comparison.baseline.id.as_str()),
        clean::name(candidate.id.as_str())
    );
    Page { title, tone, header, sections, data: None, frame: None }
}

/// Rates, slices and latency of both runs.
pub(super) fn numbers(comparison: &RunComparison) -> Markup {
    let rates = comparison.metrics.iter().map(|metric| {
        let mut row = vec![
            cell(clean::name(&metric.metric)),
            cell(figures::rate(&metric.baseline)),
            cell(figures::rate(&metric.candidate)),
        ];
        row.extend(paired(&metric.test, metric.metric.ends_with("_rate")));
        row
    });
    let rates = Table {
        caption: "Rates in both runs",
        head: vec![
            "Rate",
            "#Baseline",
            "#Candidate",
            "#Worse",
            "#Better",
            "#Difference",
            "#p worse",
            "#p changed",
        ],
        rows: rates.collect(),
    };
    html! {
        @if !rates.rows.is_empty() { h3 { "Rates" } (rates.render()) }
        (slices(comparison))
        (latency(comparison))
        @if comparison.accuracy.answers.is_some() {
            p.note { "Differences are in percentage points with 95 % intervals as wide as the phrases scatter; p is of the randomization test by phrases. "
                "What has no answer is counted by requests, with Newcombe's interval and Fisher's exact test. Worse and better count phrases whose share changed beyond chance." }
        } @else { p.note {
            "Differences are in percentage points with Newcombe's paired 95 % interval; p is McNemar's mid-p. "
            "The same phrases in a suite are no sample: every flip is real. The intervals tell what to expect of phrases like these."
        } }
    }
}

/// The slices in which something moved.
fn slices(comparison: &RunComparison) -> Markup {
    let moved = |slice: &&SliceComparison| slice.test.regressed + slice.test.improved > 0;
    let rows = comparison.slices.iter().filter(moved).map(|slice| {
        let mut row = vec![
            html! { (clean::name(&slice.name)) @if slice.critical { " (critical)" } },
            cell(slice.kind.as_str()),
        ];
        row.extend(paired(&slice.test, false));
        row.push(cell(probability(slice.test.p_worse_holm)));
        row
    });
    let table = Table {
        caption: "Accuracy of the slices in which something moved",
        head: vec![
            "Slice",
            "Kind",
            "#Worse",
            "#Better",
            "#Difference",
            "#p worse",
            "#p changed",
            "#p worse (Holm)",
        ],
        rows: rows.collect(),
    };
    html! { @if !table.rows.is_empty() { h3 { "Slices that moved" } (table.render()) } }
}

fn paired(test: &PairedTest, of_errors: bool) -> Vec<Markup> {
    vec![
        cell(test.regressed.to_string()),
        cell(test.improved.to_string()),
        cell(difference(test, of_errors)),
        cell(probability(Some(test.p_worse))),
        cell(probability(Some(test.p_changed))),
    ]
}

fn latency(comparison: &RunComparison) -> Markup {
    let rows = comparison.latency.iter().map(|row| {
        vec![
            cell(format!("p{}", row.quantile * 100.0)),
            cell(spread(&row.baseline, figures::duration)),
            cell(spread(&row.candidate, figures::duration)),
            cell(spread(&row.ratio, |ratio| format!("×{}", figures::number(ratio)))),
        ]
    });
    let table = Table {
        caption: "Latency in both runs",
        head: vec!["Percentile", "#Baseline", "#Candidate", "#Candidate / baseline"],
        rows: rows.collect(),
    };
    html! { @if !table.rows.is_empty() { h3 { "Latency" } (table.render()) } }
}

/// A number with as much of its interval as there is.
fn spread(estimate: &Estimate, show: impl Fn(Option<f64>) -> String) -> String {
    let value = show(Some(estimate.value));
    match (estimate.lower, estimate.upper) {
        (None, None) => value,
        (lower, upper) => format!("{value} [{}, {}]", show(lower), show(upper)),
    }
}
