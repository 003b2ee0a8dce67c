//! Slices as dots and whiskers: categories with their targets, capabilities, and the rest.

use maud::{Markup, html};

use super::super::figures;
use super::clean;
use super::section::{Section, Table, Tone, breakable, cell, folded, mark};
use super::verdict::of_check;
use super::whisker::{Whisker, legend};
use crate::domain::{CheckSource, Metrics, RunRecord, Slice, SliceKind};

/// So many tags are listed.
const WEAKEST: usize = 20;

/// The categories, those in trouble first.
pub(super) fn categories(record: &RunRecord) -> Option<Section> {
    let mut slices = of(record, SliceKind::Category);
    if slices.is_empty() {
        return None;
    }
    slices.sort_by_key(|slice| (rank(outcome(record, slice)), wrong(slice) == 0));
    let failed = slices.iter().filter(|slice| outcome(record, slice) == Tone::Bad).count();
    let mut summary = figures::count(slices.len() as u64, "category", "categories");
    if failed > 0 {
        summary = format!("{failed} of {summary} below target");
    }
    let body = html! {
        (table("Accuracy by category", record, &slices, true))
        (legend("the category's target"))
        p.note { "Categories of fewer than 10 phrases are shown and not gated: one phrase would decide." }
    };
    Some(Section { id: "categories", title: "Categories", summary, body })
}

/// The capabilities, the weakest first, and the other ways to slice.
pub(super) fn capabilities(record: &RunRecord) -> Option<Section> {
    let sorted = |kind| {
        let mut slices = of(record, kind);
        slices.sort_by(|one, other| value(one).total_cmp(&value(other)).then(wrong(other).cmp(&wrong(one))));
        slices
    };
    let capabilities = sorted(SliceKind::Capability);
    let others: Vec<(SliceKind, Vec<&Slice>)> = [SliceKind::Language, SliceKind::Tag, SliceKind::Split]
        .into_iter()
        .map(|kind| (kind, sorted(kind)))
        .filter(|(_, slices)| !slices.is_empty())
        .collect();
    if capabilities.is_empty() && others.is_empty() && record.pair_accuracy.is_none() {
        return None;
    }
    let summary = match capabilities.len() {
        0 => String::new(),
        many => figures::count(many as u64, "capability", "capabilities"),
    };
    let body = html! {
        @if !capabilities.is_empty() { (table("Accuracy by capability", record, &capabilities, false)) }
        @if let Some(pairs) = &record.pair_accuracy {
            p { "Contrast pairs with both phrases right: " b { (figures::rate(pairs)) } ", " (pairs.count) " of " (pairs.of) "." }
        }
        @for (kind, slices) in &others {
            @let caption = match kind { SliceKind::Language => "By language", SliceKind::Tag => "By tag", _ => "By part of the suite" };
            (folded(caption, &plain(caption, slices)))
        }
    };
    Some(Section { id: "capabilities", title: "Capabilities", summary, body })
}

fn of(record: &RunRecord, kind: SliceKind) -> Vec<&Slice> {
    record.slices.iter().filter(|slice| slice.kind == kind).collect()
}

fn value(slice: &Slice) -> f64 {
    slice.metrics.accuracy.value.unwrap_or(1.0)
}

const fn wrong(slice: &Slice) -> u64 {
    slice.metrics.accuracy.of.saturating_sub(slice.metrics.accuracy.count)
}

/// What the category's own check says, if it has one.
fn outcome(record: &RunRecord, slice: &Slice) -> Tone {
    let name = format!("{}={}", slice.kind.as_str(), slice.name);
    let mut checks = record.verdict.checks.iter();
    let own =
        checks.find(|check| check.source == CheckSource::Category && check.slice.as_deref() == Some(&name));
    own.map_or(Tone::Plain, |check| of_check(check.outcome))
}

/// Failed before undecided before the rest.
const fn rank(tone: Tone) -> u8 {
    match tone {
        Tone::Bad => 0,
        Tone::Unsure => 1,
        Tone::Good | Tone::Plain => 2,
    }
}

fn table(caption: &'static str, record: &RunRecord, slices: &[&Slice], with_target: bool) -> Markup {
    let total = slices.first().is_some_and(|slice| slice.kind == SliceKind::Category) && slices.len() > 1;
    html! {
        div.scroll role="group" aria-label=(caption) tabindex="0" {
            table.slices.whiskers {
                caption.unseen { (caption) }
                thead { tr {
                    th scope="col" { "Name" }
                    th.n scope="col" { "Right" }
                    th.n scope="col" { "Accuracy" }
                    th.c scope="col" { span { "0" } span { "50" } span { "100 %" } }
                    @if with_target { th.n.t scope="col" { "Target" } }
                    @for name in ["Under", "Over", "Unanswered"] { th.n.w scope="col" { (name) } }
                } }
                tbody {
                    @for slice in slices { (row(record, slice, with_target)) }
                    @if total { (all(&record.metrics, with_target)) }
                }
            }
        }
    }
}

/// Slices that are of less interest, without a picture, and the weakest of them only.
fn plain(caption: &'static str, slices: &[&Slice]) -> Markup {
    let more = slices.len().saturating_sub(WEAKEST);
    let rows = slices.iter().take(WEAKEST).map(|slice| {
        let accuracy = &slice.metrics.accuracy;
        vec![
            cell(clean::name(&slice.name)),
            cell(format!("{}/{}", accuracy.count, accuracy.of)),
            cell(figures::rate(accuracy)),
        ]
    });
    html! {
        (Table { caption, head: vec!["Name", "#Right", "#Accuracy"], rows: rows.collect() }.render())
        @if more > 0 { p.note { (more) " more, which did no worse, are in the record." } }
    }
}

fn row(record: &RunRecord, slice: &Slice, with_target: bool) -> Markup {
    let tone = outcome(record, slice);
    let name = clean::name(&slice.name);
    let target = slice.target_accuracy;
    html! {
        tr {
            th scope="row" {
                @if tone != Tone::Plain { (mark(tone)) " " }
                @match slice.kind {
                    SliceKind::Category | SliceKind::Capability => {
                        a href={ "#show=all&" (slice.kind.as_str()) "=" (clean::encode(&name)) } { (breakable(&name)) }
                    }
                    SliceKind::Tag | SliceKind::Language | SliceKind::Split => (name),
                }
                @if slice.critical { small { "critical" } }
                @if tone == Tone::Bad { span.unseen { " below target" } }
            }
            (cells(&slice.metrics, with_target, target, tone))
        }
    }
}

/// All phrases together.
fn all(metrics: &Metrics, with_target: bool) -> Markup {
    html! { tr.total { th scope="row" { "all" } (cells(metrics, with_target, None, Tone::Plain)) } }
}

fn cells(metrics: &Metrics, with_target: bool, target: Option<f64>, tone: Tone) -> Markup {
    let accuracy = &metrics.accuracy;
    let verdicts = metrics.verdicts;
    html! {
        td.n { (accuracy.count) "/" (accuracy.of) }
        td.n { (figures::percent(accuracy.value)) i { (figures::percent_interval(accuracy.wilson)) } }
        td.c {
            (Whisker { value: accuracy.value, interval: accuracy.wilson, limit: target.filter(|_| with_target), tone }.render())
        }
        @if with_target { td.n.t { @if target.is_some() { (figures::percent(target)) } } }
        @for count in [verdicts.under, verdicts.over, verdicts.unanswered] {
            td.n.w { @if count > 0 { (count) } }
        }
    }
}
