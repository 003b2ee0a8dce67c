//! The second opinion: where target and reference part, and which phrases to read first.

use maud::{Markup, html};

use super::super::{figures, second_opinion};
use super::clean;
use super::matrix::Matrix;
use super::section::{Section, Table, Tone, breakable, cell, folded, mark};
use crate::domain::{
    Disagreement, ReferenceComparison, ReferenceRecord, ReferenceReport, ReferenceSlice, RunRecord, ScoreGap,
    SliceKind,
};

/// So many gaps are listed.
const MOST_GAPS: usize = 10;

/// So many slices of a kind are listed, those with most to read first.
const MOST_SLICES: usize = 13;

/// The reference beside the target; none where none was wanted.
pub(super) fn section(record: &RunRecord) -> Option<Section> {
    let (summary, body) = match record.reference.as_ref()? {
        ReferenceRecord::Missing { wanted, reason } => (
            "no opinion".to_owned(),
            html! {
                p.finding { (mark(Tone::Unsure)) " " b { (clean::name(wanted)) } " gave no opinion: " (clean::sentence(reason)) "." }
            },
        ),
        ReferenceRecord::Answered(report) => {
            (format!("agreement {}", figures::percent(report.comparison.agreement.value)), answered(report))
        }
    };
    Some(Section { id: "reference", title: "Beside the reference", summary, body })
}

fn answered(report: &ReferenceReport) -> Markup {
    let comparison = &report.comparison;
    let notes: Vec<String> = second_opinion::gaps(report).into_iter().chain(report.notes.clone()).collect();
    html! {
        p { "A local model was asked the same phrases: " (clean::sentence(&second_opinion::model(report))) "." }
        @if !notes.is_empty() {
            ul.findings { @for note in &notes { li { (mark(Tone::Unsure)) " " span { (clean::sentence(note)) } } } }
        }
        (groups(report))
        (figures_of(comparison))
        h3 { "Levels" }
        (levels(comparison))
        @if !comparison.gaps.is_empty() { (folded("Largest score gaps", &gaps(&comparison.gaps))) }
        @for (kind, caption) in [(SliceKind::Category, "Reference and target by category"), (SliceKind::Capability, "Reference and target by capability")] {
            @let slices: Vec<&ReferenceSlice> = comparison.slices.iter().filter(|slice| slice.kind == kind).collect();
            @if !slices.is_empty() { (folded(caption, &table(caption, &slices))) }
        }
    }
}

/// The groups, each a way into the list.
fn groups(report: &ReferenceReport) -> Markup {
    html! {
        ul.findings {
            @for (kind, count) in second_opinion::groups(report) {
                @let tone = if kind == Disagreement::OnlyTargetWrong { Tone::Bad } else { Tone::Plain };
                li { (mark(tone)) " " span { a href={ "#show=all&reference=" (kind.as_str()) } { (count) " " (second_opinion::words(kind)) } } }
            }
        }
    }
}

fn figures_of(comparison: &ReferenceComparison) -> Markup {
    let (agreement, test) = (&comparison.agreement, &comparison.test);
    let rows = [
        (
            "Agreement",
            figures::rate(agreement),
            format!("{} of {} with the same level", agreement.count, agreement.of),
        ),
        (
            "Kappa",
            figures::estimate(comparison.kappa_quadratic.as_ref()),
            "quadratic weights, 95 % interval".to_owned(),
        ),
        (
            "Target − reference",
            second_opinion::difference(test),
            format!("in accuracy; McNemar p {}", second_opinion::probability(test.p_changed)),
        ),
    ];
    html! {
        dl.facts {
            @for (name, value, detail) in rows { dt { (name) } dd { b { (value) } " " span.detail { (detail) } } }
        }
    }
}

fn levels(comparison: &ReferenceComparison) -> Markup {
    let matrix = Matrix {
        caption: "Rows: the reference's level. Columns: the target's. A number leads to its phrases.",
        key: "opinion",
        side: "reference",
        counts: &comparison.levels,
    };
    let distances = second_opinion::distances(&comparison.levels);
    html! {
        (matrix.render())
        @if !distances.is_empty() { p.note { "Levels by which the target is above the reference: " (distances) "." } }
    }
}

fn gaps(gaps: &[ScoreGap]) -> Markup {
    let rows = gaps.iter().take(MOST_GAPS).map(|gap| {
        vec![
            html! { a href={ "#" (clean::anchor(&gap.id)) } { (clean::name(&gap.id)) } },
            cell(gap.expected.to_string()),
            cell(second_opinion::side(gap.target)),
            cell(second_opinion::side(gap.reference)),
            cell(format!("{:+.2}", gap.gap)),
        ]
    });
    let head = vec!["Phrase", "Expected", "Target", "Reference", "#Gap"];
    Table { caption: "The largest gaps between the scores", head, rows: rows.collect() }.render()
}

fn table(caption: &'static str, slices: &[&ReferenceSlice]) -> Markup {
    let mut worst = slices.to_vec();
    if worst.len() > MOST_SLICES {
        worst.sort_by_key(|slice| std::cmp::Reverse(slice.test.regressed));
    }
    let rows = worst.into_iter().take(MOST_SLICES).map(|slice| {
        let (name, test) = (clean::name(&slice.name), &slice.test);
        let of = test.both_right + test.improved + test.regressed + test.both_wrong;
        vec![
            html! { a href={ "#show=all&" (slice.kind.as_str()) "=" (clean::encode(&name)) } { (breakable(&name)) } },
            cell(figures::percent(slice.agreement.value)),
            cell(format!("{}/{of}", test.both_right + test.improved)),
            cell(format!("{}/{of}", test.both_right + test.regressed)),
            cell(test.regressed.to_string()),
        ]
    });
    let head = vec!["Name", "#Agreement", "#Target right", "#Reference right", "#Read first"];
    let more = slices.len().saturating_sub(MOST_SLICES);
    html! {
        (Table { caption, head, rows: rows.collect() }.render())
        @if more > 0 { p.note { (more) " more are in the record." } }
    }
}
