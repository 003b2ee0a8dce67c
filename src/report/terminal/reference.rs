//! The second opinion: how far target and reference agree, and which phrases to read first.

use crate::domain::{
    Disagreement, Level, ReferenceComparison, ReferenceRecord, ReferenceReport, RunRecord, SliceKind,
};

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
/// So many capabilities are shown.
const MOST_SLICES: usize = 5;
/// How the matrix of levels is read.
pub(super) const SIDES: &str = "rows: the reference's, columns: the target's";
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
    levels(page, comparison);
    capabilities(page, comparison);
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

fn levels(page: &mut Page, comparison: &ReferenceComparison) {
    if comparison.compared > 0 {
        page.line(Line::of(Tone::Strong, "  Levels").with(Tone::Dim, format!("  {SIDES}")));
        matrix(page, &comparison.levels);
    }
}

/// How often each level met each: rows are the reference's, columns the target's.
pub(super) fn matrix(page: &mut Page, levels: &[Vec<u64>]) {
    let names = Level::ALL.map(|level| level.to_string());
    let header = std::iter::once(String::new()).chain(names.clone()).chain(["no answer".to_owned()]);
    let rows = names.into_iter().zip(levels).map(|(name, counts)| {
        let cell = |count: &u64| if *count == 0 { "·".to_owned() } else { count.to_string() };
        std::iter::once(name).chain(counts.iter().map(cell)).collect()
    });
    let rows: Vec<Vec<String>> = std::iter::once(header.collect()).chain(rows).collect();
    let sides = [Left, Right, Right, Right, Right, Right, Right];
    for (at, line) in columns::lines(&rows, &sides).into_iter().enumerate() {
        let tone = if at == 0 { Tone::Dim } else { Tone::Plain };
        page.line(Line::of(tone, format!("{}{line}", " ".repeat(INDENT))));
    }
}

/// The capabilities in which the target alone is wrong most often, then those of the least agreement.
fn capabilities(page: &mut Page, comparison: &ReferenceComparison) {
    let slices = comparison.slices.iter().filter(|slice| slice.kind == SliceKind::Capability);
    let mut slices: Vec<_> = slices.filter(|slice| slice.agreement.count < slice.agreement.of).collect();
    slices.sort_by(|one, other| {
        let share = |slice: &crate::domain::ReferenceSlice| slice.agreement.value.unwrap_or(1.0);
        other.test.regressed.cmp(&one.test.regressed).then(share(one).total_cmp(&share(other)))
    });
    if slices.is_empty() {
        return;
    }
    let header = ["", "phrases", "same", "target wrong", "ref. wrong", "both"].map(str::to_owned).to_vec();
    let rows = slices.iter().take(MOST_SLICES).map(|slice| {
        let test = &slice.test;
        let counts =
            [slice.agreement.of, slice.agreement.count, test.regressed, test.improved, test.both_wrong];
        std::iter::once(slice.name.clone()).chain(counts.map(|count| count.to_string())).collect()
    });
    let rows: Vec<Vec<String>> = std::iter::once(header).chain(rows).collect();
    let room = page.width().saturating_sub(INDENT);
    let sides = [Left, Right, Right, Right, Right, Right];
    let mut lines = columns::fitting([rows], &sides, room, LEAST_ID).into_iter();
    page.line(columns::titled("  Capabilities", &lines.next().unwrap_or_default(), INDENT));
    for line in lines {
        page.line(Line::of(Tone::Plain, format!("{}{line}", " ".repeat(INDENT))));
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
