//! The second opinion: how far target and reference agree, and which phrases to read first.

use crate::domain::{Disagreement, Level, ReferenceComparison, ReferenceRecord, ReferenceReport, RunRecord};

use super::super::figures;
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
    page.section("Reference", &summary(report));
    if !report.is_whole() {
        let text = format!("it is held against {} of {} phrases only", comparison.compared, report.planned);
        page.paragraph(Line::of(Tone::Plain, "  ").with(Tone::Warn, "! "), Tone::Plain, &text);
    }
    for note in &report.notes {
        page.paragraph(Line::of(Tone::Plain, " ".repeat(INDENT)), Tone::Dim, note);
    }
    for line in columns::lines(&figures_of(comparison), &[Left, Left]) {
        page.line(Line::of(Tone::Plain, format!("{}{line}", " ".repeat(INDENT))));
    }
    let counts = Disagreement::ALL.map(|kind| comparison.disagreements.get(&kind).copied().unwrap_or(0));
    let width = columns::width_of(counts.map(|count| count.to_string()).iter().map(String::as_str));
    for (kind, count) in Disagreement::ALL.into_iter().zip(counts).filter(|(_, count)| *count > 0) {
        let (tone, words) = words(kind);
        let lead = Line::of(Tone::Plain, format!("{}{count:>width$}  ", " ".repeat(INDENT)));
        let mut text = words.to_owned();
        if kind != Disagreement::BothRight && kind != Disagreement::OnlyReferenceWrong {
            let ids = report.answers.iter().filter(|answer| answer.disagreement == kind);
            text = format!("{text}: {}", figures::names(ids.map(|answer| answer.id.as_str()), MOST_NAMES));
        }
        page.paragraph(lead, tone, &text);
    }
    gaps(page, comparison);
}

fn summary(report: &ReferenceReport) -> String {
    let model = &report.model;
    let revision = model.revision.as_ref().map_or_else(String::new, |revision| format!(" {revision}"));
    let speed = report.phrases_per_second.map_or_else(String::new, |speed| format!(", {speed:.0} phrases/s"));
    format!("{}{revision} in {} on {}{speed}", model.name, model.engine, model.device)
}

/// What target and reference made of a phrase, and what to do about it.
fn words(kind: Disagreement) -> (Tone, &'static str) {
    match kind {
        Disagreement::OnlyTargetWrong => (Tone::Warn, "target wrong, reference right (read first)"),
        Disagreement::BothWrongAlike => (Tone::Plain, "both wrong with the same level (is the label right?)"),
        Disagreement::BothWrong => (Tone::Plain, "both wrong with different levels"),
        Disagreement::OnlyReferenceWrong => (Tone::Dim, "target right, reference wrong"),
        Disagreement::BothRight => (Tone::Dim, "both right"),
    }
}

fn figures_of(comparison: &ReferenceComparison) -> Vec<Vec<String>> {
    let agreement = &comparison.agreement;
    let test = &comparison.test;
    [
        ("agreement", format!("{}/{}  {}", agreement.count, agreement.of, figures::rate(agreement))),
        ("weighted kappa", figures::estimate(comparison.kappa_quadratic.as_ref())),
        ("target − reference", format!("{}, McNemar p {}", points(comparison), probability(test.p_changed))),
    ]
    .map(|(name, value)| vec![name.to_owned(), value])
    .to_vec()
}

/// The difference of the accuracies with its interval, as `+4.0 points [-1.2, 9.1]`.
fn points(comparison: &ReferenceComparison) -> String {
    let Some(difference) = comparison.test.difference else { return figures::NOTHING.to_owned() };
    let interval = match (difference.lower, difference.upper) {
        (Some(lower), Some(upper)) => format!(" [{:+.1}, {:+.1}]", lower * 100.0, upper * 100.0),
        _ => String::new(),
    };
    format!("{}{interval}", figures::points(Some(difference.value)))
}

fn probability(p: f64) -> String {
    if p < 0.001 { "<0.001".to_owned() } else { format!("{p:.3}") }
}

fn gaps(page: &mut Page, comparison: &ReferenceComparison) {
    if comparison.gaps.is_empty() {
        return;
    }
    let side = |(level, score): (Level, f64)| format!("{level} {score:.2}");
    let header = ["", "expected", "target", "reference", "gap"].map(str::to_owned).to_vec();
    let rows = comparison.gaps.iter().take(MOST_GAPS).map(|gap| {
        vec![
            gap.id.clone(),
            gap.expected.to_string(),
            side(gap.target),
            side(gap.reference),
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
