//! The second opinion: how far target and reference agree, and which phrases to read first.

use crate::domain::{Disagreement, ReferenceComparison, ReferenceRecord, ReferenceReport, RunRecord};

use super::super::{figures, second_opinion};
use super::columns::{
    self,
    Side::{Left, Right},
};
use super::page::{Line, Page, Tone};

/// So many phrases of a kind are named.
const MOST_NAMES: usize = 6;
/// So many gaps are shown.
const MOST_GAPS: usize = 5;
/// A phrase's id keeps at least this many columns.
const LEAST_ID: usize = 20;
/// The blanks before a row.
const INDENT: usize = 4;

pub(super) fn show(page: &mut Page, record: &RunRecord) {
    match &record.reference {
        None => {}
        Some(ReferenceRecord::Missing { wanted, reason }) => {
            page.section("Reference", &format!("`{wanted}` gave no opinion"));
            page.paragraph(Line::of(Tone::Plain, "  ").with(Tone::Warn, "! "), Tone::Plain, reason);
        }
        Some(ReferenceRecord::Answered(report)) => answered(page, report),
    }
}

fn answered(page: &mut Page, report: &ReferenceReport) {
    let comparison = &report.comparison;
    page.section("Reference", &second_opinion::model(report));
    for text in second_opinion::gaps(report) {
        page.paragraph(Line::of(Tone::Plain, "  ").with(Tone::Warn, "! "), Tone::Plain, &text);
    }
    for note in &report.notes {
        page.paragraph(Line::of(Tone::Plain, " ".repeat(INDENT)), Tone::Dim, note);
    }
    named(page, &figures_of(report));
    let groups = second_opinion::groups(report);
    let counts: Vec<String> = groups.iter().map(|(_, count)| count.to_string()).collect();
    let width = columns::width_of(counts.iter().map(String::as_str));
    for (kind, count) in groups {
        let lead = Line::of(Tone::Plain, format!("{}{count:>width$}  ", " ".repeat(INDENT)));
        let mut text = second_opinion::words(kind).to_owned();
        if second_opinion::is_to_read(kind) {
            text = format!("{text}: {}", figures::names(second_opinion::phrases(report, kind), MOST_NAMES));
        }
        page.paragraph(lead, tone(kind), &text);
    }
    gaps(page, comparison);
}

const fn tone(kind: Disagreement) -> Tone {
    match kind {
        Disagreement::OnlyTargetWrong => Tone::Warn,
        Disagreement::BothWrongAlike | Disagreement::BothWrong => Tone::Plain,
        Disagreement::OnlyReferenceWrong | Disagreement::BothRight | Disagreement::Unanswered => Tone::Dim,
    }
}

fn figures_of(report: &ReferenceReport) -> Vec<(&'static str, String)> {
    let comparison = &report.comparison;
    let (agreement, test) = (&comparison.agreement, &comparison.test);
    let difference = second_opinion::difference(test);
    let mut rows = vec![
        ("its own", second_opinion::own(report)),
        ("agreement", format!("{}/{}  {}", agreement.count, agreement.of, figures::rate(agreement))),
        ("weighted kappa", figures::estimate(comparison.kappa_quadratic.as_ref())),
        (
            "target − reference",
            format!("{difference}, McNemar p {}", second_opinion::probability(test.p_changed)),
        ),
    ];
    let distances = second_opinion::distances(&comparison.levels);
    if !distances.is_empty() {
        rows.push(("levels above it", distances));
    }
    let lowest = second_opinion::lowest(report);
    if !lowest.is_empty() {
        rows.push(("agreement lowest in", lowest));
    }
    rows
}

/// Figures below one another, each with its name.
pub(super) fn named(page: &mut Page, rows: &[(&str, String)]) {
    let width = columns::width_of(rows.iter().map(|(name, _)| *name)) + columns::GAP;
    for (name, value) in rows {
        let blanks = " ".repeat(width - columns::width_of([*name]));
        page.paragraph(
            Line::of(Tone::Plain, format!("{}{name}{blanks}", " ".repeat(INDENT))),
            Tone::Plain,
            value,
        );
    }
}

fn gaps(page: &mut Page, comparison: &ReferenceComparison) {
    if comparison.gaps.is_empty() {
        return;
    }
    let header = ["", "expected", "target", "reference", "gap"].map(str::to_owned).to_vec();
    let rows = comparison.gaps.iter().take(MOST_GAPS).map(|gap| {
        vec![
            gap.id.clone(),
            gap.expected.to_string(),
            second_opinion::side(gap.target),
            second_opinion::side(gap.reference),
            format!("{:+.2}", gap.gap),
        ]
    });
    let rows: Vec<Vec<String>> = std::iter::once(header).chain(rows).collect();
    let without_expected = rows.iter().map(|row| [&row[..1], &row[2..]].concat()).collect();
    let room = page.width().saturating_sub(INDENT);
    let sides = [Left, Left, Left, Left, Right];
    let mut lines = columns::fitting([rows, without_expected], &sides, room, LEAST_ID).into_iter();
    page.line(columns::titled("  Gaps", &lines.next().unwrap_or_default(), INDENT));
    for line in lines {
        page.line(Line::of(Tone::Plain, format!("{}{line}", " ".repeat(INDENT))));
    }
}
