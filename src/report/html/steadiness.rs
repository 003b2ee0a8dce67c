//! How steady the answers are: to the same phrase again, and to variants of it.

use maud::{Markup, html};

use super::super::figures;
use super::clean;
use super::section::{Section, Table, cell, folded};
use crate::domain::{Level, PerturbationCounts, PerturbationReport, RepeatReport, RunRecord};

/// So many flaky phrases are shown at once.
const SHOWN: usize = 20;

pub(super) fn section(record: &RunRecord) -> Option<Section> {
    if record.repeats.is_none() && record.perturbations.is_none() {
        return None;
    }
    let body = html! {
        @if let Some(repeats) = &record.repeats { h3 { "The same phrase again" } (repeated(repeats)) }
        @if let Some(report) = &record.perturbations { h3 { "Variants of the phrases" } (perturbed(report)) }
    };
    Some(Section { id: "steadiness", title: "Steadiness", summary: String::new(), body })
}

fn repeated(report: &RepeatReport) -> Markup {
    let (shown, more) = report.flaky.split_at(report.flaky.len().min(SHOWN));
    let table = |phrases: &[crate::domain::FlakyPhrase]| {
        let rows = phrases.iter().map(|phrase| {
            let answers =
                phrase.answers.iter().map(|answer| format!("{} ×{}", level(answer.level), answer.count));
            vec![
                html! { a href={ "#" (clean::anchor(&phrase.id)) } { (clean::name(&phrase.id)) } },
                cell(answers.collect::<Vec<_>>().join(", ")),
                cell(figures::percent(Some(phrase.agreement))),
                cell(format!("{} of {}", phrase.passing.count, phrase.passing.of)),
            ]
        });
        Table {
            caption: "Phrases whose answers differ",
            head: vec!["Phrase", "Answers", "#Agreement", "#Right"],
            rows: rows.collect(),
        }
        .render()
    };
    html! {
        dl.facts {
            dt { "Flip rate" } dd { b { (figures::rate(&report.flip_rate)) } " " span.detail { "answers unlike their phrase's most frequent one" } }
            dt { "Flaky phrases" } dd { b { (figures::rate(&report.flaky_rate)) } " " span.detail { (report.flaky_rate.count) " of " (report.flaky_rate.of) } }
            dt { "Always right" } dd { b { (figures::rate(&report.always_right)) } " " span.detail { (report.always_right.count) " of " (report.always_right.of) " phrases were right every time" } }
        }
        @if report.extra > 0 {
            p.note { (figures::count(report.extra, "further request was", "further requests were")) " sent, because an answer flipped or stood at a boundary." }
        }
        @if !shown.is_empty() { (table(shown)) }
        @if !more.is_empty() { (folded(&format!("{} more", more.len()), &table(more))) }
    }
}

fn level(level: Option<Level>) -> &'static str {
    level.map_or("no answer", Level::as_str)
}

fn perturbed(report: &PerturbationReport) -> Markup {
    let mut rows: Vec<Vec<Markup>> =
        report.kinds.iter().map(|(kind, counts)| row(kind.as_str(), counts)).collect();
    if report.kinds.len() > 1 {
        rows.push(row("all", &report.total));
    }
    let kinds = Table {
        caption: "Flips by what was done to the phrase",
        head: vec!["Kind", "#Variants", "#Flips", "#Up", "#Down", "#Alerts lost", "#Alerts raised", "#Rate"],
        rows,
    };
    let worst = report.worst.iter().map(|flip| {
        vec![
            html! { a href={ "#" (clean::anchor(&flip.phrase)) } { (clean::name(&flip.phrase)) } },
            cell(flip.kind.as_str()),
            cell(flip.base.as_str()),
            cell(flip.level.as_str()),
            cell(flip.score_change.map_or(figures::NOTHING.to_owned(), |change| format!("{change:+.2}"))),
        ]
    });
    let worst = Table {
        caption: "The worst flips",
        head: vec!["Phrase", "Done to it", "Phrase itself", "Variant", "#Score"],
        rows: worst.collect(),
    };
    let missing = report.total.unanswered + report.total.without_base;
    html! {
        p { "A variant is held against the answer to its own phrase, right or wrong. It counts in no other number." }
        (kinds.render())
        @if missing > 0 {
            p.note { (figures::count(missing, "variant has", "variants have")) " nothing to be compared, for want of an answer." }
        }
        @if report.total.unsteady > 0 {
            p.note { (figures::count(report.total.unsteady, "variant belongs", "variants belong")) " to a phrase that was itself answered in more than one way: a flip there may be noise." }
        }
        @if !worst.rows.is_empty() { (folded("The worst flips", &worst.render())) }
    }
}

fn row(name: &str, counts: &PerturbationCounts) -> Vec<Markup> {
    let some = |count: u64| html! { @if count > 0 { (count) } @else { span.nothing { "–" } } };
    vec![
        cell(name),
        cell(counts.variants.to_string()),
        some(counts.flips),
        some(counts.up),
        some(counts.down),
        some(counts.alerts_lost),
        some(counts.alerts_raised),
        cell(figures::rate(&counts.rate)),
    ]
}
